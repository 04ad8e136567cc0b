import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { type FailedCall, toFailure } from '../../../adapters/openai/failure.ts';
import { UserError } from '../../../actors/errors.ts';

const CALL: FailedCall = { api: 'responses', model: 'gpt-x', baseURL: 'https://me:hunter2@models.example/v1/?token=hunter3' };
const unreachable = (code: string) => new OpenAI.APIConnectionError({ message: 'Connection error.', cause: new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) }) });

describe('trouble that no test may cause for real', () => {
  test('no network: the host is named, without user name, password and query', () => {
    expect(toFailure(unreachable('ENOTFOUND'), CALL)).toMatchObject({
      code: 'ENOTFOUND',
      message: 'Cannot find https://models.example/v1: the host name does not resolve. Check the network and the base URL.',
    });
  });

  test('a certificate nobody trusts: its code is shown', () => {
    expect(toFailure(unreachable('DEPTH_ZERO_SELF_SIGNED_CERT'), CALL)).toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      message: 'The connection to https://models.example/v1 failed (DEPTH_ZERO_SELF_SIGNED_CERT). Check the network and the base URL, and try again.',
    });
  });

  test('an address that cannot be read is not repeated', () => {
    expect(toFailure(unreachable('ECONNREFUSED'), { ...CALL, baseURL: 'hunter2' })).toMatchObject({ message: expect.not.stringContaining('hunter2') });
  });

  test('a browser that gives no code', () => {
    expect(toFailure(new TypeError('Failed to fetch'), CALL)).toMatchObject({ name: 'ModelError', code: 'ERR_NETWORK', cause: expect.any(TypeError) });
  });
});

test('the stack, written when the error was made, is retold as well', () => {
  const error = OpenAI.APIError.generate(500, { error: { message: 'Key sk-test-0123456789abcdef is odd' } }, undefined, new Headers());
  error.stack = `Error: ${error.message}\n    at somewhere`;
  toFailure(error, CALL);
  expect(error.stack).toBe('Error: The provider at https://models.example/v1 failed (500): Key [key] is odd. This is usually temporary; try again.\n    at somewhere');
});

test('a long complaint is cut, and no half of a key stays behind', () => {
  const error = OpenAI.APIError.generate(500, { error: { message: `${'x'.repeat(295)} team:0123456789` } }, undefined, new Headers());
  toFailure(error, { ...CALL, apiKey: 'team:0123456789' });
  expect(error.message).toContain(`${'x'.repeat(295)} [key…`);
  expect(error.message).not.toContain('team');
});

describe('K4: what is not the provider\'s trouble is left alone', () => {
  test('a bug, one of our own errors, and what is no error at all', () => {
    const bug = new TypeError("Cannot read properties of undefined (reading 'x')");
    const ours = new UserError('Wrong option.');
    expect(toFailure(bug, CALL)).toBe(bug);
    expect(toFailure(ours, CALL)).toBe(ours);
    expect(toFailure('text', CALL)).toBe('text');
  });

  test('an abort of someone else', () => {
    const abort = new OpenAI.APIUserAbortError();
    expect(toFailure(abort, CALL)).toBe(abort);
    expect(abort.message).toBe('Request was aborted.');
  });
});
