import * as peer from '@openai/agents-core';
import { describe, expect, test } from 'vitest';
import type { RetryDecision, RetryPolicyContext } from '../../actors/ports.ts';
import { backoffDelay, normalizeModelError, retryPolicies } from '../../actors/retryPolicies.ts';
import { ModelTimeoutError, RunInterruptedError } from '../../actors/errors.ts';

type Policies = typeof retryPolicies;
type Build = (policies: Policies) => ReturnType<Policies['never']>;
const failed = (given: Partial<RetryPolicyContext> = {}): RetryPolicyContext => ({
  error: new Error('x'), attempt: 1, maxRetries: 2, stream: false, normalized: { isNetworkError: false, isAbort: false }, ...given,
});
const facts = (given: object) => ({ normalized: { isNetworkError: false, isAbort: false, ...given } });
const says = (decision: RetryDecision) => () => decision;
const vetoed = { providerAdvice: { suggested: false, reason: 'billing' } };

const cases: [string, Build, Partial<RetryPolicyContext>, RetryDecision][] = [
  ['never', (p) => p.never(), {}, false],
  ['providerSuggested without advice', (p) => p.providerSuggested(), {}, false],
  ['providerSuggested without suggestion', (p) => p.providerSuggested(), { providerAdvice: { retryAfterMs: 8 } }, false],
  ['providerSuggested yes', (p) => p.providerSuggested(), { providerAdvice: { suggested: true, retryAfterMs: 5, reason: 'r' } }, { retry: true, delayMs: 5, reason: 'r' }],
  ['providerSuggested yes, bare', (p) => p.providerSuggested(), { providerAdvice: { suggested: true } }, { retry: true }],
  ['providerSuggested no', (p) => p.providerSuggested(), vetoed, { retry: false, reason: 'billing' }],
  ['networkError on one', (p) => p.networkError(), facts({ isNetworkError: true }), true],
  ['networkError on another', (p) => p.networkError(), facts({ statusCode: 500 }), false],
  ['httpStatus listed', (p) => p.httpStatus([429, 500]), facts({ statusCode: 500 }), true],
  ['httpStatus not listed', (p) => p.httpStatus([429]), facts({ statusCode: 500 }), false],
  ['httpStatus without status', (p) => p.httpStatus([429]), {}, false],
  ['retryAfter given', (p) => p.retryAfter(), facts({ retryAfterMs: 77 }), { retry: true, delayMs: 77 }],
  ['retryAfter zero', (p) => p.retryAfter(), facts({ retryAfterMs: 0 }), { retry: true, delayMs: 0 }],
  ['retryAfter absent', (p) => p.retryAfter(), {}, false],
  ['any of none', (p) => p.any(), {}, false],
  ['any, the first acceptance counts', (p) => p.any(says(false), says({ retry: true, delayMs: 5, reason: 'a' }), says({ retry: true, delayMs: 9 })), {}, { retry: true, delayMs: 5, reason: 'a' }],
  ['any, bare acceptance', (p) => p.any(says({ retry: false, reason: 'z' }), says(true)), {}, { retry: true }],
  ['any, none accepts, a reason is kept', (p) => p.any(says(false), says({ retry: false, reason: 'z' })), {}, { retry: false, reason: 'z' }],
  ['any, an unsafe replay approved by a later policy', (p) => p.any(says(true), says({ retry: true, approveUnsafeReplay: true })), {}, { retry: true, approveUnsafeReplay: true }],
  ['any, vetoed by the provider before', (p) => p.any(p.providerSuggested(), says(true)), vetoed, { retry: false, reason: 'billing' }],
  ['any, vetoed by the provider after', (p) => p.any(says(true), p.providerSuggested()), vetoed, { retry: false, reason: 'billing' }],
  ['all of none', (p) => p.all(), {}, false],
  ['all accept, the last delay and reason count', (p) => p.all(says({ retry: true, delayMs: 9, reason: 'b' }), says({ retry: true, delayMs: 5, reason: 'a' })), {}, { retry: true, delayMs: 5, reason: 'a' }],
  ['all accept, bare ones keep the delay', (p) => p.all(says({ retry: true, delayMs: 9 }), says(true)), {}, { retry: true, delayMs: 9 }],
  ['all, one refuses', (p) => p.all(says(true), says({ retry: false, reason: 'no' })), {}, false],
  ['all, an unsafe replay approved', (p) => p.all(says({ retry: true, approveUnsafeReplay: true }), says(true)), {}, { retry: true, approveUnsafeReplay: true }],
];

describe('K1: retry policies', () => {
  test.each(cases)('%s', async (_name, build, given, expected) => {
    expect(await build(retryPolicies)(failed(given))).toEqual(expected);
    expect(await build(peer.retryPolicies as unknown as Policies)(failed(given) as never)).toEqual(expected); // Same policies, the peer's types.
  });

  test('a provider\'s no inside all still cannot be overruled by any', async () => {
    const policy = retryPolicies.any(retryPolicies.all(says(true), retryPolicies.providerSuggested()), says(true));
    expect(await policy(failed(vetoed))).toEqual({ retry: false, reason: 'billing' });
  });

  test('asynchronous policies are awaited, in order', async () => {
    const log: string[] = [];
    const slow = async () => (await Promise.resolve(), log.push('slow'), false);
    await retryPolicies.any(slow, () => (log.push('fast'), true))(failed());
    expect(log).toEqual(['slow', 'fast']);
  });
});

const trouble = (fields: object, message = 'x') => Object.assign(new Error(message), fields);

describe('K1: what an error tells', () => {
  test.each<[string, unknown, object]>([
    ['a status and a code', trouble({ status: 503, code: 'server_error' }), { statusCode: 503, errorCode: 'server_error' }],
    ['a statusCode', trouble({ statusCode: 429 }), { statusCode: 429 }],
    ['a response', trouble({ response: { status: 502, headers: { 'Retry-After': '1' } } }), { statusCode: 502, retryAfterMs: 1_000 }],
    ['a status in its cause', trouble({ cause: trouble({ status: 500 }) }), { statusCode: 500 }],
    ['an outer status over an inner', trouble({ status: 400, cause: trouble({ status: 500 }) }), { statusCode: 400 }],
    ['a status that is none', trouble({ status: 0 }), {}],
    ['a number as code', trouble({ code: 20 }), {}],
    ['text instead of an error', 'boom', {}],
    ['nothing', undefined, {}],
  ])('%s', (_name, error, expected) => {
    expect(normalizeModelError(error)).toEqual({ isNetworkError: false, isAbort: false, ...expected });
  });

  const now = Date.parse('2026-01-01T00:00:00Z');
  test.each<[string, Record<string, string | number>, number | undefined]>([
    ['seconds', { 'retry-after': '2' }, 2_000],
    ['parts of seconds, as number', { 'retry-after': 1.5 }, 1_500],
    ['milliseconds over seconds', { 'retry-after-ms': '150', 'retry-after': '9' }, 150],
    ['a date', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
    ['a date gone by', { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 0],
    ['capitals', { 'Retry-After': '2' }, 2_000],
    ['zero', { 'retry-after': '0' }, 0],
    ['words', { 'retry-after': 'soon' }, undefined],
    ['a negative number', { 'retry-after': '-3' }, undefined],
    ['nothing', { 'retry-after': '' }, undefined],
  ])('retry-after of %s', (_name, headers, expected) => {
    const asHeaders = new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(normalizeModelError(trouble({ headers }), {}, now).retryAfterMs).toBe(expected);
    expect(normalizeModelError(trouble({ headers: asHeaders }), {}, now).retryAfterMs).toBe(expected);
    expect(normalizeModelError(trouble({ responseHeaders: headers }), {}, now).retryAfterMs).toBe(expected);
  });

  test.each<[string, unknown]>([
    ['a code', trouble({ code: 'ECONNRESET' })],
    ['a code of undici', trouble({ code: 'UND_ERR_SOCKET' })],
    ['a code two causes deep', trouble({ cause: trouble({ cause: trouble({ code: 'ETIMEDOUT' }) }) })],
    ['fetch in Node', new TypeError('fetch failed')],
    ['fetch in Chromium', new TypeError('Failed to fetch')],
    ['fetch in Firefox', new TypeError('NetworkError when attempting to fetch resource.')],
    ['fetch in Safari', new TypeError('Load failed')],
    ['a stream cut off', new TypeError('terminated')],
    ['a client\'s class', new (class APIConnectionError extends Error {})('odd')],
    ['a client\'s message', new Error('Request timed out.')],
    ['a timeout signal', new DOMException('too slow', 'TimeoutError')],
    ['our own timeout', new ModelTimeoutError({ timeoutMs: 5 })],
  ])('network trouble is known by %s', (_name, error) => {
    expect(normalizeModelError(error)).toMatchObject({ isNetworkError: true, isAbort: false });
  });

  test('a failed fetch that would fail again is not network trouble', () => {
    const error = Object.assign(new TypeError('fetch failed'), { cause: trouble({ code: 'CERT_HAS_EXPIRED' }) });
    expect(normalizeModelError(error)).toEqual({ isNetworkError: false, isAbort: false, errorCode: 'CERT_HAS_EXPIRED' });
  });

  test('an answer with a status came over the network, whatever its message', () => {
    expect(normalizeModelError(trouble({ status: 500 }, 'Connection error.'))).toEqual({ isNetworkError: false, isAbort: false, statusCode: 500 });
  });

  test.each<[string, unknown]>([
    ['an AbortError', new DOMException('stop', 'AbortError')],
    ['a code', trouble({ code: 'ABORT_ERR' })],
    ['a client\'s class', new (class APIUserAbortError extends Error {})('Request was aborted.')],
    ['an interrupted run', new RunInterruptedError()],
    ['a cause', trouble({ message: 'fetch failed', cause: new DOMException('stop', 'AbortError') })],
  ])('an abort is known by %s, and is no network trouble', (_name, error) => {
    expect(normalizeModelError(error)).toMatchObject({ isNetworkError: false, isAbort: true });
  });

  test('causes that go in a circle end', () => {
    const [one, two] = [trouble({}), trouble({ status: 500 })];
    Object.assign(one, { cause: two });
    Object.assign(two, { cause: one });
    expect(normalizeModelError(one).statusCode).toBe(500);
  });

  test('what the model advises wins', () => {
    const error = trouble({ status: 400, headers: { 'retry-after': '9' } });
    const advice = { retryAfterMs: 7, normalized: { statusCode: 429, isNetworkError: true } };
    expect(normalizeModelError(error, advice)).toEqual({ statusCode: 429, retryAfterMs: 7, isNetworkError: true, isAbort: false });
  });
});

describe('K1: backoff', () => {
  const noJitter = { jitter: false };
  test('doubles from 250 ms up to 8 s', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 2_000].map((attempt) => backoffDelay({ attempt, backoff: noJitter }))).toEqual([
      250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000,
    ]);
  });

  test('jitter takes off up to half', () => {
    expect([0, 0.5, 0.999_999].map((drawn) => backoffDelay({ attempt: 3, random: () => drawn }))).toEqual([1_000, 750, 500]);
  });

  test('takes its numbers from the settings', () => {
    const backoff = { initialDelayMs: 10, multiplier: 3, maxDelayMs: 50, jitter: false };
    expect([1, 2, 3].map((attempt) => backoffDelay({ attempt, backoff }))).toEqual([10, 30, 50]);
    expect(backoffDelay({ attempt: 2_000, backoff: { ...backoff, initialDelayMs: 0 } })).toBe(0);
  });

  test('retry-after wins, exactly, also over the maximum', () => {
    expect([60_000, 3, 0].map((retryAfterMs) => backoffDelay({ attempt: 1, retryAfterMs }))).toEqual([60_000, 3, 0]);
  });

  test('by default it draws from Math.random', () => {
    const delays = Array.from({ length: 50 }, () => backoffDelay({ attempt: 1 }));
    expect(delays.every((delay) => delay >= 125 && delay <= 250)).toBe(true);
    expect(new Set(delays).size).toBeGreaterThan(1);
  });
});
