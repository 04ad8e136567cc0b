import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { toRetryAdvice } from '../../../adapters/openai/retryAdvice.ts';
import type { ModelRequest } from '../../../actors/ports.ts';
import { request } from './support/requests.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const STATELESS = request();
const STATEFUL: [string, ModelRequest][] = [
  ['previousResponseId', request({ previousResponseId: 'resp_0' })],
  ['conversationId', request({ conversationId: 'conv_0' })],
];
const refused = (status: number, headers: Record<string, string> = {}, code = 'c') =>
  OpenAI.APIError.generate(status, { error: { message: 'm', code } }, undefined, new Headers(headers));
const unreachable = (code: string) => new OpenAI.APIConnectionError({ message: 'c', cause: new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) }) });
const advice = (error: unknown, asked = STATELESS) => toRetryAdvice({ request: asked, error, stream: false, attempt: 1 }, NOON);

describe('K1: what the provider says about trying again', () => {
  test('408, 409, 429 and 5xx are worth another try, other refusals are left to the policy', () => {
    const suggested = [400, 401, 403, 404, 408, 409, 422, 429, 500, 503].map((status) => [status, advice(refused(status))?.suggested]);
    expect(Object.fromEntries(suggested)).toEqual({ 400: undefined, 401: undefined, 403: undefined, 404: undefined, 408: true, 409: true, 422: undefined, 429: true, 500: true, 503: true });
  });

  test('the provider has the last word, either way', () => {
    expect(advice(refused(503, { 'x-should-retry': 'false' }))?.suggested).toBe(false);
    expect(advice(refused(400, { 'x-should-retry': 'true' }))).toMatchObject({ suggested: true, replaySafety: 'safe' });
  });

  test('retry-after is read in milliseconds, seconds and as a date, and never negative', () => {
    const wait = (headers: Record<string, string>) => advice(refused(429, headers))?.retryAfterMs;
    expect(wait({ 'retry-after-ms': '30' })).toBe(30);
    expect(wait({ 'retry-after': '3' })).toBe(3_000);
    expect(wait({ 'retry-after': new Date(NOON + 5_000).toUTCString() })).toBe(5_000);
    expect(wait({ 'retry-after': new Date(NOON - 5_000).toUTCString() })).toBe(0);
    expect(wait({ 'retry-after': 'soon' })).toBeUndefined();
    expect(wait({})).toBeUndefined();
  });

  test('a spent quota is not worth another try', () => {
    expect(advice(refused(429, {}, 'insufficient_quota'))?.suggested).toBe(false);
  });

  test('an error inside an answer is judged by its code', () => {
    const inside = (code: string) => advice(Object.assign(new Error('m'), { code }))?.suggested;
    expect([inside('server_error'), inside('rate_limit_exceeded'), inside('invalid_prompt')]).toEqual([true, true, undefined]);
  });

  test('an abort is not worth another try, a stranger\'s error gets no advice', () => {
    expect(advice(new OpenAI.APIUserAbortError())).toMatchObject({ suggested: false, normalized: { isAbort: true, isNetworkError: false } });
    expect(advice(new DOMException('Stop.', 'AbortError'))).toMatchObject({ suggested: false, normalized: { isAbort: true } });
    expect(advice(new Error('mine'))).toBeUndefined();
    expect(advice('a string')).toBeUndefined();
  });

  test('whole advice: status, code, wait and reason', () => {
    expect(advice(refused(429, { 'retry-after': '2' }, 'rate_limit_exceeded'))).toEqual({
      suggested: true,
      retryAfterMs: 2_000,
      reason: '429 m',
      normalized: { isNetworkError: false, isAbort: false, statusCode: 429, errorCode: 'rate_limit_exceeded', retryAfterMs: 2_000 },
    });
  });
});

describe('K1: a request with server-managed state is retried only on evidence', () => {
  for (const [name, asked] of STATEFUL) {
    test(`${name}: unsafe after an answer, a cut or a timeout; safe if it never left or the provider says so`, () => {
      const safety = (error: unknown) => advice(error, asked)?.replaySafety;
      expect([refused(429), refused(500), unreachable('ECONNRESET'), new OpenAI.APIConnectionTimeoutError()].map(safety)).toEqual(['unsafe', 'unsafe', 'unsafe', 'unsafe']);
      expect([unreachable('ECONNREFUSED'), unreachable('ENOTFOUND'), refused(400, { 'x-should-retry': 'true' })].map(safety)).toEqual(['safe', 'safe', 'safe']);
    });
  }

  test('without state nothing is unsafe', () => {
    expect([refused(500), unreachable('ECONNRESET')].map((error) => advice(error)?.replaySafety)).toEqual([undefined, undefined]);
  });
});
