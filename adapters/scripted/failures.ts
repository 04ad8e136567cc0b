/** What a scripted world throws: errors shaped as a provider's client shapes them, so that retry policies read them alike. */
import type { ModelRetryAdvice } from '../../actors/ports.ts';

export interface FailureOptions {
  /** HTTP status, as in `429`. */
  status?: number;
  /** The provider's error code, as in `'context_length_exceeded'`. */
  code?: string;
  message?: string;
  /** What the provider's `retry-after-ms` header says, in milliseconds. */
  retryAfterMs?: number;
  /** The request never reached the provider, or the connection broke. */
  network?: boolean;
  /** Whether asking again is safe for requests with server-managed state; unknown by default. */
  replaySafety?: ModelRetryAdvice['replaySafety'];
  /** The provider's own wish to be asked again or not; none by default. */
  suggested?: boolean;
}

/**
 * A script is written wrongly, is exhausted, or was not played to its end.
 *
 * @example
 * await expect(scriptedModel().getResponse({ ...requestOf(['go']), tracing: false })).rejects.toThrow(ScriptError);
 */
export class ScriptError extends Error {
  override name = 'ScriptError';
}

/**
 * A failure written into a script. Carries `status`, `code` and `headers` where a provider's error has them, and the
 * advice that the model gives about it.
 *
 * @example
 * const error = new ScriptedModelError({ status: 429, retryAfterMs: 2_000 });
 * error.headers; // { 'retry-after-ms': '2000' }
 */
export class ScriptedModelError extends Error {
  override name = 'ScriptedModelError';
  readonly status?: number;
  readonly code?: string;
  readonly headers: Record<string, string>;
  readonly advice: ModelRetryAdvice;

  constructor(failure: FailureOptions = {}) {
    super(failure.message ?? defaultMessage(failure));
    const code = failure.code ?? (failure.network ? 'ECONNRESET' : undefined);
    if (failure.status !== undefined) this.status = failure.status;
    if (code !== undefined) this.code = code;
    this.headers = failure.retryAfterMs === undefined ? {} : { 'retry-after-ms': String(failure.retryAfterMs) };
    this.advice = toAdvice(failure, code);
  }
}

/** The rejection of whatever was aborted; the reason given to `abort()` is its cause. */
export function abortError(signal?: AbortSignal): DOMException {
  const error = new DOMException('The request was aborted.', 'AbortError');
  if (signal?.reason !== undefined) Object.defineProperty(error, 'cause', { value: signal.reason, configurable: true });
  return error;
}

export function throwIfAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw abortError(signal);
}

/** Settles only by an abort; without a signal, never. */
export function untilAborted(signal?: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) return reject(abortError(signal));
    signal?.addEventListener('abort', () => reject(abortError(signal)), { once: true });
  });
}

function defaultMessage({ status, code, network }: FailureOptions): string {
  if (network) return 'The scripted connection broke.';
  if (status !== undefined) return `The scripted model failed with status ${status}${code === undefined ? '' : ` (${code})`}.`;
  return code === undefined ? 'The scripted model failed.' : `The scripted model failed (${code}).`;
}

function toAdvice({ status, retryAfterMs, network, replaySafety, suggested }: FailureOptions, code?: string): ModelRetryAdvice {
  return {
    ...(suggested === undefined ? {} : { suggested }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(replaySafety === undefined ? {} : { replaySafety }),
    normalized: {
      isNetworkError: network ?? false,
      isAbort: false,
      ...(status === undefined ? {} : { statusCode: status }),
      ...(code === undefined ? {} : { errorCode: code }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  };
}
