/** What can be learned from an error of a model call, whichever client threw it. */
import type { ModelRetryAdvice, ModelRetryNormalizedError } from './ports.ts';

/** Code of a `ModelError`: the stream broke off before its final event. */
export const STREAM_ENDED = 'stream_ended';

/**
 * Reads status, code, `retry-after` and kind from an error and its causes, the outermost first. What the model itself advises
 * wins. `now` is milliseconds since the epoch, for a `retry-after` that is a date.
 */
export function normalizeModelError(
  error: unknown,
  advice: ModelRetryAdvice = {},
  now: number = Date.now(),
): ModelRetryNormalizedError {
  const chain = withCauses(error);
  const statusCode = firstOf(chain, statusOf);
  const errorCode = firstOf(chain, codeOf);
  const retryAfterMs = firstOf(chain, (link) => retryAfterOf(link, now));
  const isAbort = chain.some(isAbortError);
  const facts = {
    ...(statusCode !== undefined && { statusCode }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(errorCode !== undefined && { errorCode }),
    isNetworkError: !isAbort && statusCode === undefined && isNetworkFailure(chain, errorCode),
    isAbort,
  };
  const advisedDelay = advice.retryAfterMs === undefined ? {} : { retryAfterMs: advice.retryAfterMs };
  return { ...facts, ...advisedDelay, ...advice.normalized };
}

/** The request was longer than the model can read, however its server puts it. */
export function isContextOverflow(error: unknown): boolean {
  const chain = withCauses(error);
  const code = firstOf(chain, codeOf);
  if (code !== undefined && OVERFLOW_CODES.has(code)) return true;
  const status = firstOf(chain, statusOf);
  const mayMeanIt = status === undefined ? code === undefined : OVERFLOW_STATUS.has(status);
  return mayMeanIt && chain.some(({ message }) => typeof message === 'string' && OVERFLOW_WORDS.test(message));
}

const OVERFLOW_CODES: ReadonlySet<string> = new Set(['context_length_exceeded', 'exceed_context_size_error']);
const OVERFLOW_STATUS: ReadonlySet<number> = new Set([400, 413, 422]);
const OVERFLOW_WORDS = /context (?:length|window|size)|maximum context|prompt is too long/i;

/** A property bag: errors come from anywhere, so every field is checked where it is read. */
type Link = Partial<Record<'name' | 'message' | 'code' | 'status' | 'statusCode' | 'cause' | 'response' | 'constructor', unknown>> &
  Partial<Record<'headers' | 'responseHeaders', unknown>>;

const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNABORTED', 'ECONNREFUSED', 'ECONNRESET', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENETDOWN', 'ENETRESET', 'ENETUNREACH', 'ENOTFOUND',
  'EAI_AGAIN', 'EPIPE', 'ETIMEDOUT', 'ESOCKETTIMEDOUT', 'ERR_NETWORK', 'ERR_STREAM_PREMATURE_CLOSE', 'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT',
  'stream_ended', // our own word for a stream without its final event (K2)
]);
const NETWORK_NAMES: ReadonlySet<string> = new Set(['APIConnectionError', 'APIConnectionTimeoutError', 'TimeoutError']);
/** What `fetch` says in Node, Chromium, Firefox and Safari, and what provider clients say, when they give no code. */
const NETWORK_MESSAGES: ReadonlySet<string> = new Set([
  'fetch failed', 'failed to fetch', 'networkerror when attempting to fetch resource', 'load failed', 'network error', 'terminated',
  'socket hang up', 'other side closed', 'connection error', 'request timed out',
]);
const ABORT_NAMES: ReadonlySet<string> = new Set(['AbortError', 'APIUserAbortError']);

function withCauses(error: unknown): Link[] {
  const chain = new Set<Link>();
  for (let link = error; isObject(link) && !chain.has(link); link = link.cause) chain.add(link);
  return [...chain];
}

function isObject(value: unknown): value is Link {
  return typeof value === 'object' && value !== null;
}

function firstOf<T>(chain: readonly Link[], read: (link: Link) => T | undefined): T | undefined {
  for (const link of chain) {
    const found = read(link);
    if (found !== undefined) return found;
  }
  return undefined;
}

function statusOf({ status, statusCode, response }: Link): number | undefined {
  const candidates = [status, statusCode, isObject(response) ? response.status : undefined];
  return candidates.find((candidate): candidate is number => typeof candidate === 'number' && candidate >= 100);
}

/** Numbers are left out: `DOMException.code` is one and means something else. */
function codeOf({ code }: Link): string | undefined {
  return typeof code === 'string' && code !== '' ? code : undefined;
}

function namesOf({ name, constructor }: Link): string[] {
  const className = typeof constructor === 'function' ? constructor.name : undefined;
  return [name, className].filter((candidate): candidate is string => typeof candidate === 'string');
}

function isAbortError(link: Link): boolean {
  return link.code === 'ABORT_ERR' || namesOf(link).some((name) => ABORT_NAMES.has(name));
}

/** A code says more than a message: `fetch failed` because of a certificate will fail again. */
function isNetworkFailure(chain: readonly Link[], errorCode: string | undefined): boolean {
  if (errorCode !== undefined) return NETWORK_CODES.has(errorCode);
  return chain.some((link) => {
    const message = typeof link.message === 'string' ? link.message.toLowerCase().replace(/\.$/, '') : '';
    return NETWORK_MESSAGES.has(message) || namesOf(link).some((name) => NETWORK_NAMES.has(name));
  });
}

/** Milliseconds; `undefined` for what is absent, negative or unreadable. */
function retryAfterOf(link: Link, now: number): number | undefined {
  const response = isObject(link.response) ? link.response : undefined;
  for (const headers of [link.headers, link.responseHeaders, response?.headers]) {
    const milliseconds = amountIn(headerIn(headers, 'retry-after-ms'));
    if (milliseconds !== undefined) return milliseconds;
    const text = headerIn(headers, 'retry-after');
    const seconds = amountIn(text);
    if (seconds !== undefined) return seconds * 1_000;
    const date = text === undefined || !Number.isNaN(Number(text)) ? Number.NaN : Date.parse(text);
    if (!Number.isNaN(date)) return Math.max(0, date - now);
  }
  return undefined;
}

function amountIn(text: string | undefined): number | undefined {
  const amount = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(amount) && amount >= 0 ? amount : undefined;
}

/** Clients keep headers as `Headers` or as an object, whose names may be in any case. */
function headerIn(headers: unknown, name: string): string | undefined {
  if (!isObject(headers)) return undefined;
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  const value: unknown = entry?.[1];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
