import type { ModelRequest, ModelRetryAdvice, ModelRetryAdviceRequest } from '../../actors/ports.ts';
import { factsOf } from './failureFacts.ts';

/**
 * What the error proves about trying once more. A request that continues state on the server is safe to repeat only when the
 * provider says so or never received it; for anything else an attempt may already be part of the conversation.
 */
export function toRetryAdvice({ request, error }: ModelRetryAdviceRequest, now: number = Date.now()): ModelRetryAdvice | undefined {
  const { headers, isTimeout: _isTimeout, neverSent, ...normalized } = factsOf(error, now);
  const { statusCode, errorCode, retryAfterMs, isNetworkError, isAbort } = normalized;
  if (isAbort) return { suggested: false, normalized };
  if (statusCode === undefined && errorCode === undefined && !isNetworkError) return undefined;
  const asked = headers?.get('x-should-retry');
  const suggested = asked === 'true' ? true : asked === 'false' ? false : suggestion(normalized);
  const safety = replaySafety(request, asked === 'true' || neverSent);
  return {
    ...(suggested !== undefined && { suggested }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(safety && { replaySafety: safety }),
    reason: error instanceof Error ? error.message : String(error),
    normalized,
  };
}

/** Undefined leaves it to the caller's policy; false would overrule it. */
function suggestion({ statusCode, errorCode, isNetworkError }: NonNullable<ModelRetryAdvice['normalized']>): boolean | undefined {
  if (errorCode === 'insufficient_quota') return false;
  if (isNetworkError) return true;
  if (statusCode !== undefined) return RETRIED.has(statusCode) || statusCode >= 500 ? true : undefined;
  return errorCode !== undefined && TEMPORARY.has(errorCode) ? true : undefined;
}

function replaySafety(request: ModelRequest, proven: boolean): ModelRetryAdvice['replaySafety'] {
  if (proven) return 'safe';
  return request.previousResponseId || request.conversationId ? 'unsafe' : undefined;
}

const RETRIED = new Set([408, 409, 429]);
/** Codes of errors that come inside an answer, where there is no status any more. */
const TEMPORARY = new Set(['server_error', 'rate_limit_exceeded', 'overloaded', 'vector_store_timeout', 'malformed_response']);
