/**
 * A provider's error, told so that a person can act on it: the cause, the address, the fix. The error stays the one that was
 * thrown, with its class, status, code and headers; only its words change, and no key is among them.
 */
import { AgentsError, ModelError } from '../../actors/errors.ts';
import { type FailureFacts, factsOf } from './failureFacts.ts';
import { isRecord } from './record.ts';

/** Which call failed. */
export interface FailedCall {
  api: 'responses' | 'chat_completions';
  model: string;
  baseURL?: string;
  /** Never shown, not even when the provider repeats it. */
  apiKey?: string | null;
  signal?: AbortSignal;
}

/** Set on errors of every server whose complaint is that the request is too long, however it puts it. */
export const CONTEXT_WINDOW_CODE = 'context_length_exceeded';
/** The provider's answer was no JSON, or not the JSON the API promises. */
export const MALFORMED_CODE = 'malformed_response';

export function toFailure(error: unknown, call: FailedCall): unknown {
  if (error instanceof AgentsError) return error;
  const facts = factsOf(error);
  if (call.signal?.aborted) return abortReason(call.signal, error);
  if (!(error instanceof Error) || facts.isAbort) return error;
  if (error instanceof SyntaxError) {
    return new ModelError(`${serverOf(call)} sent JSON that cannot be parsed. It may be overloaded or broken; try again.`, { code: MALFORMED_CODE, cause: error });
  }
  if (isProviderError(error)) return retold(error, facts, call);
  if (!facts.isNetworkError) return error;
  return new ModelError(networkMessage(facts, call), { code: networkCode(facts), cause: error });
}

/** Text of a provider that may repeat what it was sent. */
export function withoutKeys(text: string, apiKey?: string | null): string {
  const known = apiKey && apiKey.length > 3 ? text.replaceAll(apiKey, '[key]') : text;
  return known.replace(/\bBearer\s+\S+/gi, 'Bearer [key]').replace(/\b(?:sk|gsk|xai|hf)[-_][\w*.-]{6,}/gi, '[key]');
}

export function serverOf({ baseURL }: FailedCall): string {
  return `The provider${baseURL === undefined ? '' : ` at ${addressOf(baseURL)}`}`;
}

/** Consumers know a stop by its reason; the client's own error for it says nothing more. */
function abortReason(signal: AbortSignal, cause: unknown): unknown {
  if (signal.reason instanceof Error) return signal.reason;
  const stopped = new DOMException('The model call was aborted.', 'AbortError');
  Object.defineProperty(stopped, 'cause', { value: signal.reason ?? cause, configurable: true });
  return stopped;
}

interface ProviderError extends Error { status?: number; code?: string | null; error?: unknown }

/** The client's own classes carry the body of the answer, be it undefined. */
function isProviderError(error: Error): error is ProviderError {
  return 'status' in error && 'headers' in error;
}

function retold(error: ProviderError, facts: FailureFacts, call: FailedCall): ProviderError {
  const said = saidBy(error, call);
  const overflow = isOverflow(error, said);
  const unanswered = error.status === undefined && facts.headers === undefined;
  const told = overflow ? overflowMessage(call, said) : unanswered ? networkMessage(facts, call) : statusMessage(error, facts, said, call);
  const before = error.message;
  error.message = told;
  if (error.stack) error.stack = withoutKeys(error.stack.replace(before, () => told), call.apiKey);
  if (isRecord(error.error) && typeof error.error.message === 'string') error.error.message = withoutKeys(error.error.message, call.apiKey);
  if (overflow) error.code = CONTEXT_WINDOW_CODE;
  else if (unanswered) error.code ??= networkCode(facts);
  return error;
}

/** The client puts the status before the provider's words; we say it ourselves. Keys go first: half a key is still one. */
function saidBy(error: ProviderError, { apiKey }: FailedCall): string {
  const words = isRecord(error.error) && typeof error.error.message === 'string' ? error.error.message : error.message;
  const text = withoutKeys(words, apiKey).replace(/^\d{3}\s+/, '').replace(/\s+/g, ' ').trim();
  if (text.length > 300) return `${text.slice(0, 300)}…`;
  return /[.!?)]$/.test(text) ? text : `${text}.`;
}

function statusMessage(error: ProviderError, facts: FailureFacts, said: string, call: FailedCall): string {
  const server = serverOf(call);
  switch (error.status) {
    case 401:
      return `${server} rejected the API key (401). Set OPENAI_API_KEY to a valid key, or pass apiKey to OpenAIProvider.`;
    case 403:
      return `${server} does not allow this key to use model "${call.model}" (403): ${said}`;
    case 404:
      return notFoundMessage(error, said, call);
    case 429:
      return limitMessage(error, facts, said, call);
    case 400:
    case 422:
      return `${server} refused the request (${error.status}): ${said}`;
    case undefined:
      return `${server} reported an error while it answered${error.code ? ` (${error.code})` : ''}: ${said}`;
    default:
      return error.status >= 500
        ? `${server} failed (${error.status}): ${said} This is usually temporary; try again.`
        : `${server} answered with an error (${error.status}): ${said}`;
  }
}

function notFoundMessage(error: ProviderError, said: string, call: FailedCall): string {
  if (error.code === 'model_not_found' || /model/i.test(said)) {
    return `${serverOf(call)} has no model "${call.model}" (404): ${said} Check the model's name and whether this key may use it.`;
  }
  const other = call.api === 'responses' ? ` If it speaks Chat Completions only, call setOpenAIAPI('chat_completions').` : '';
  return `${serverOf(call)} does not know the address (404): ${said} Check the base URL; it usually ends in /v1.${other}`;
}

function limitMessage(error: ProviderError, facts: FailureFacts, said: string, call: FailedCall): string {
  if (error.code === 'insufficient_quota') return `${serverOf(call)} says the quota of this key is used up (429): ${said} Waiting does not help; check the plan and billing.`;
  const wait = facts.retryAfterMs;
  const hint = wait === undefined ? 'Wait and try again.' : `Try again in ${Math.ceil(wait / 1_000)} s.`;
  return `${serverOf(call)} is limiting the rate of requests (429): ${said} ${hint}`;
}

function isOverflow(error: ProviderError, said: string): boolean {
  if (error.code === CONTEXT_WINDOW_CODE || error.code === 'exceed_context_size_error') return true;
  if (error.status !== undefined && error.status !== 400 && error.status !== 413 && error.status !== 422 && error.status !== 500) return false;
  return /context (?:length|window|size)|maximum context|prompt is too long/i.test(said);
}

function overflowMessage(call: FailedCall, said: string): string {
  return `The conversation no longer fits into the context window of model "${call.model}": ${said} Shorten or compact the history, or use a model with a larger window.`;
}

/** Those that know no better call it by the name that every policy knows. */
function networkCode(facts: FailureFacts): string {
  return facts.errorCode ?? (facts.isTimeout ? 'ETIMEDOUT' : 'ERR_NETWORK');
}

function networkMessage(facts: FailureFacts, call: FailedCall): string {
  const address = call.baseURL === undefined ? 'the provider' : addressOf(call.baseURL);
  if (facts.errorCode === 'ECONNREFUSED') return `Cannot connect to ${address}: connection refused. Check that the server is running and that the base URL is right.`;
  if (facts.errorCode === 'ENOTFOUND' || facts.errorCode === 'EAI_AGAIN') return `Cannot find ${address}: the host name does not resolve. Check the network and the base URL.`;
  if (facts.isTimeout) return `The provider at ${address} did not answer in time. Try again, or raise the client's timeout.`;
  const code = facts.errorCode === undefined ? '' : ` (${facts.errorCode})`;
  return `The connection to ${address} failed${code}. Check the network and the base URL, and try again.`;
}

/** Without user name, password and query: all three may hold a secret. */
function addressOf(baseURL: string): string {
  if (!URL.canParse(baseURL)) return 'the configured base URL';
  const { origin, pathname } = new URL(baseURL);
  return `${origin}${pathname.replace(/\/$/, '')}`;
}
