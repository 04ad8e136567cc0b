import { describe, expect, test } from 'vitest';
import { defaultLimits, redaction, type InspectedActor } from '../../../adapters/inspector/redact.ts';
import { isSecretKey, safeText } from '../../../adapters/inspector/secrets.ts';

const chart: InspectedActor = { sessionId: 'x:1', name: 'run', src: undefined, isMachine: true };
const redact = redaction(defaultLimits);
const contextOf = (context: unknown): unknown => (redact({ kind: 'snapshot', actor: chart, value: { status: 'active', value: 'a', context } }) as { context: unknown }).context;
const eventOf = (event: object): unknown => redact({ kind: 'event', actor: chart, value: event });

describe('credentials', () => {
  test.each(['apiKey', 'api_key', 'X-API-Key', 'OPENAI_API_KEY', 'authorization', 'Authorization', 'accessToken', 'refresh_token', 'token', 'password', 'passwd', 'pwd', 'clientSecret', 'headers', 'header', 'env', 'set-cookie', 'credentials', 'privateKey'])(
    'the key %s hides its value',
    (key) => {
      expect(isSecretKey(key)).toBe(true);
      expect([contextOf({ [key]: 'x' }), contextOf({ [key]: { deep: 1 } }), contextOf({ [key]: 1234 })]).toEqual([{ [key]: '[redacted]' }, { [key]: '[redacted]' }, { [key]: '[redacted]' }]);
    },
  );

  test.each(['inputTokens', 'maxTokens', 'totalTokens', 'author', 'environmental', 'keys', 'history', 'headerless'])('the key %s hides nothing', (key) => {
    expect(contextOf({ [key]: 12 })).toEqual({ [key]: 12 });
  });

  test.each([
    ['use sk-proj-abcdef123456 now', 'use [redacted] now'],
    ['Bearer abcdef.ghijkl', '[redacted]'],
    ['authorization: Basic dXNlcjpwYXNz', 'authorization: [redacted]'],
    ['ghp_0123456789abcdef0123', '[redacted]'],
    ['AKIAIOSFODNN7EXAMPLE', '[redacted]'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1', '[redacted]'],
    ['postgres://user:hunter2@db/main', 'postgres://[redacted]@db/main'],
    ['{"api_key": "abcdefgh"}', '{"api_key": "[redacted]"}'],
    [JSON.stringify('{"password":"abcdefgh"}'), JSON.stringify('{"password":"[redacted]"}')],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- end', '[redacted] end'],
    ['task-force and risk-averse people', 'task-force and risk-averse people'],
  ])('in the text %s they are taken out', (text, shown) => {
    expect(safeText(text, 200)).toBe(shown);
  });

  test('a credential that the cut would halve is gone before the cut', () => {
    for (let before = 180; before < 220; before += 1) expect(safeText(`${'a'.repeat(before)} sk-proj-${'secret'.repeat(20)} end`, 200)).not.toContain('sk-');
  });

  test('one that comes into view because another was taken out is no exception', () => {
    for (let length = 600; length < 720; length += 1) expect(safeText(`sk-${'x'.repeat(length)} sk-proj-1234567890 ${'y'.repeat(500)}`, 200)).not.toMatch(/sk-/);
  });

  test('a key of an object is a text like any other', () => {
    expect(contextOf({ 'sk-proj-abcdef123456': 1 })).toEqual({ '[redacted]': 1 });
  });
});

describe('a context', () => {
  test('keeps numbers, short texts and short lists; of longer ones, the length and the end', () => {
    expect(contextOf({ turn: 3, open: true, none: null, ids: ['a', 'b'], history: [1, 2, 3, 4, 5], text: 'x'.repeat(300) })).toEqual({
      turn: 3,
      open: true,
      none: null,
      ids: ['a', 'b'],
      history: { length: 5, last: [3, 4, 5] },
      text: expect.stringMatching(/… \(300 characters\)$/),
    });
  });

  test('is cut by depth, by properties and by number of values, so that no shape of it is large', () => {
    const deep = { a: { b: { c: { d: { e: { f: 1 } } } } } };
    expect(contextOf(deep)).toEqual({ a: { b: { c: { d: { e: '[cut]' } } } } });
    expect(Object.keys(contextOf(Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, 1]))) as object)).toHaveLength(31);
    const wide = (depth: number): object => Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`key${index}`, depth === 0 ? 'text '.repeat(30) : wide(depth - 1)]));
    expect(JSON.stringify(contextOf(wide(2))).length).toBeLessThan(20_000);
  });

  test('a circle ends, and what is not JSON is named and not entered', () => {
    const circle: Record<string, unknown> = { at: new Date(0), map: new Map([[1, 2]]), bytes: new Uint8Array(4), big: 1n, call: () => {} };
    circle['self'] = circle;
    const shown = JSON.stringify(contextOf(circle));
    expect(shown).toContain('"at":"[Date]","map":"[Map, 1 entries]","bytes":"[Uint8Array, 4 bytes]","big":"[bigint]","call":"[function]"');
    expect(shown.length).toBeLessThan(1_000);
  });
});

describe('events, and what leaves are given and give', () => {
  test('are outlined: keys, kinds, ids, numbers and sizes, no text', () => {
    expect(eventOf({ type: 'decide', callId: 'call_1', approve: true, message: 'no way', list: ['a', 'b', 'c', 'd'] })).toEqual({
      type: 'decide',
      callId: 'call_1',
      approve: true,
      message: '[text, 6 characters]',
      list: { length: 4, last: ['[text, 1 characters]', '[text, 1 characters]', '[text, 1 characters]'] },
    });
  });

  test('an error keeps its name, its code and a short message without credentials', () => {
    const error = Object.assign(new TypeError('bad key sk-proj-abcdef123456'), { code: 'invalid_key' });
    expect(eventOf({ type: 'effect.failed', error })).toEqual({ type: 'effect.failed', error: { name: 'TypeError', message: 'bad key [redacted]', code: 'invalid_key' } });
  });

  test('the context of an actor that is no chart is a payload', () => {
    const value = { status: 'active', context: { text: 'hello' } };
    expect(redact({ kind: 'snapshot', actor: { ...chart, isMachine: false }, value })).toEqual({ status: 'active', context: { text: '[text, 5 characters]' } });
  });
});

describe('a definition', () => {
  const definitionOf = (value: object): unknown => redact({ kind: 'definition', actor: chart, value });

  test('keeps states, events and delays whatever they are called', () => {
    const definition = {
      id: 'm',
      initial: 'token',
      states: { token: { on: { password: 'headers', context: 'env' } }, headers: { after: { secret: { target: 'env' } } }, env: {}, types: {}, states: { initial: 'on', states: { on: {} } } },
    };
    expect(definitionOf(definition)).toEqual(definition);
  });

  test('shows functions by name, outlines literal payloads and leaves types and schemas out', () => {
    const keepMessage = () => {};
    expect(definitionOf({ id: 'm', types: {}, schemas: { input: {} }, context: { prompt: 'You are' }, entry: [keepMessage], invoke: { src: 'model', input: { text: 'hi' } }, meta: { spawns: ['a', 'b', 'c', 'd'], apiKey: 'x' } })).toEqual({
      id: 'm',
      context: { prompt: '[text, 7 characters]' },
      entry: [{ type: 'keepMessage' }],
      invoke: { src: 'model', input: { text: '[text, 2 characters]' } },
      meta: { spawns: ['a', 'b', 'c', 'd'], apiKey: '[redacted]' },
    });
  });
});
