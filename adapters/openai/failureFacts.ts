/** What an error of this provider says beyond what any model's error says. */
import { normalizeModelError } from '../../actors/modelErrorFacts.ts';
import type { ModelRetryNormalizedError } from '../../actors/ports.ts';
import { isRecord } from './record.ts';

export interface FailureFacts extends ModelRetryNormalizedError {
  headers?: Headers;
  isTimeout: boolean;
  /** No byte of the request reached the provider. */
  neverSent: boolean;
}

/** `now` is in milliseconds since the epoch, for a `retry-after` that is a date. */
export function factsOf(error: unknown, now: number = Date.now()): FailureFacts {
  const facts = normalizeModelError(error, {}, now);
  const timedOut = facts.statusCode === undefined && (isClientTimeout(error) || TIMEOUT.has(facts.errorCode ?? ''));
  const isNetworkError = facts.isNetworkError || timedOut;
  return {
    ...facts,
    isNetworkError,
    isTimeout: timedOut,
    // The client ends a request that takes too long by aborting it, and leaves that among the causes.
    isAbort: facts.isAbort && !timedOut,
    neverSent: isNetworkError && NEVER_SENT.has(facts.errorCode ?? ''),
    ...(isRecord(error) && error.headers instanceof Headers && { headers: error.headers }),
  };
}

/** By name: the client's classes are not loaded where this runs. In a bundle that renames them, the message is left. */
function isClientTimeout(error: unknown): boolean {
  return isRecord(error) && (error.constructor.name === 'APIConnectionTimeoutError' || error.message === 'Request timed out.');
}

const NEVER_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);
const TIMEOUT: ReadonlySet<string> = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
