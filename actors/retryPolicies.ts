/** When a failed model call is tried again, and after how long (K1). */
import type { ModelRetryBackoffSettings, ModelRetrySettings, RetryDecision, RetryPolicy } from './ports.ts';

export { normalizeModelError } from './modelErrorFacts.ts';

/** Defaults of `modelSettings.retry.backoff`; times are in milliseconds. */
const DEFAULT_BACKOFF = { initialDelayMs: 250, maxDelayMs: 8_000, multiplier: 2, jitter: true } as const;

/**
 * Policies for `modelSettings.retry.policy`, and two ways to combine them.
 *
 * @example
 * ```ts
 * import { retryPolicies } from 'loopchart';
 *
 * const retry = {
 *   maxRetries: 3,
 *   policy: retryPolicies.any(retryPolicies.networkError(), retryPolicies.httpStatus([429, 503])),
 * };
 * console.log(retry.maxRetries); // 3
 * ```
 */
export const retryPolicies = {
  never: (): RetryPolicy => () => false,

  /** What the model's own advice says. When the advice is *no*, `any` cannot overrule it. */
  providerSuggested:
    (): RetryPolicy =>
    ({ providerAdvice }) => {
      if (providerAdvice?.suggested === undefined) return false;
      const reason = providerAdvice.reason === undefined ? {} : { reason: providerAdvice.reason };
      if (!providerAdvice.suggested) return veto({ retry: false, ...reason });
      const delay = providerAdvice.retryAfterMs === undefined ? {} : { delayMs: providerAdvice.retryAfterMs };
      return { retry: true, ...delay, ...reason };
    },

  /** The request or its answer was lost on the way. */
  networkError:
    (): RetryPolicy =>
    ({ normalized }) =>
      normalized.isNetworkError,

  /** The provider answered with one of these HTTP statuses. */
  httpStatus:
    (statuses: number[]): RetryPolicy =>
    ({ normalized }) =>
      normalized.statusCode !== undefined && statuses.includes(normalized.statusCode),

  /** The provider said when to come back. */
  retryAfter:
    (): RetryPolicy =>
    ({ normalized }) =>
      normalized.retryAfterMs === undefined ? false : { retry: true, delayMs: normalized.retryAfterMs },

  /** Tries again if one of the policies would, with the delay and reason of the first that would. */
  any:
    (...policies: RetryPolicy[]): RetryPolicy =>
    async (context) => {
      const decisions: Decision[] = [];
      for (const policy of policies) decisions.push(inFull(await policy(context)));
      const vetoed = decisions.find(isVeto);
      if (vetoed) return vetoed;
      const accepted = decisions.find(({ retry }) => retry);
      if (!accepted) return decisions.findLast(({ reason }) => reason !== undefined) ?? false;
      return decisions.some(({ approveUnsafeReplay }) => approveUnsafeReplay) ? { ...accepted, approveUnsafeReplay: true } : accepted;
    },

  /** Tries again only if all policies would, with the last delay and reason among theirs. */
  all:
    (...policies: RetryPolicy[]): RetryPolicy =>
    async (context) => {
      if (policies.length === 0) return false;
      let merged: Decision = { retry: true };
      for (const policy of policies) {
        const decision = inFull(await policy(context));
        if (!decision.retry) return isVeto(decision) ? decision : false;
        merged = { ...merged, ...decision };
      }
      return merged;
    },
} as const;

const isTemporary = (status: number | undefined) => status !== undefined && (status === 408 || status === 409 || status === 429 || status >= 500);

/**
 * What threads do where the app says nothing (K1): two more attempts after a lost connection or a status that may pass, also when part of the
 * answer has been streamed. A provider that says no is not asked again; its client leaves retries to the loop.
 */
export const RETRY_BY_DEFAULT: Readonly<ModelRetrySettings> = {
  maxRetries: 2,
  afterOutput: true,
  policy: ({ normalized, providerAdvice }) => providerAdvice?.suggested !== false && (normalized.isNetworkError || isTemporary(normalized.statusCode)),
};

/**
 * How long to wait before the next attempt, in milliseconds. What the provider asked for wins, also over the maximum; jitter
 * takes off up to half, so that callers that failed together do not come back together.
 */
export function backoffDelay({
  attempt,
  backoff = {},
  retryAfterMs,
  random = Math.random,
}: {
  /** The attempt that failed; 1 for the first. */
  attempt: number;
  backoff?: ModelRetryBackoffSettings;
  retryAfterMs?: number;
  /** From 0 up to, not including, 1. */
  random?: () => number;
}): number {
  if (retryAfterMs !== undefined) return Math.max(0, retryAfterMs);
  const initialDelayMs = backoff.initialDelayMs ?? DEFAULT_BACKOFF.initialDelayMs;
  const maxDelayMs = backoff.maxDelayMs ?? DEFAULT_BACKOFF.maxDelayMs;
  const multiplier = backoff.multiplier ?? DEFAULT_BACKOFF.multiplier;
  const grownDelayMs = initialDelayMs === 0 ? 0 : initialDelayMs * multiplier ** (attempt - 1); // 0 × Infinity would be NaN.
  const delayMs = Math.min(maxDelayMs, grownDelayMs);
  const share = (backoff.jitter ?? DEFAULT_BACKOFF.jitter) ? 1 - random() / 2 : 1;
  return Math.max(0, Math.round(delayMs * share));
}

type Decision = Exclude<RetryDecision, boolean>;

/** Kept beside the decisions, because a policy of the user's own must not be able to veto by accident of shape. */
const vetoes = new WeakSet<Decision>();

function veto(decision: Decision): Decision {
  vetoes.add(decision);
  return decision;
}

function isVeto(decision: Decision): boolean {
  return vetoes.has(decision);
}

function inFull(decision: RetryDecision): Decision {
  return typeof decision === 'boolean' ? { retry: decision } : decision;
}
