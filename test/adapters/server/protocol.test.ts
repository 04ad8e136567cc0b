/** The handshake, and whatever a client may send that is none of the protocol. */
import fc from 'fast-check';
import { loop, says, scriptedModel } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import { type Message, connect, textInput } from './support/client.ts';
import { serverWith, serving } from './support/serving.ts';

describe('the handshake', () => {
  test('initialize says who serves', async () => {
    const client = connect(serverWith({}, scriptedModel()));
    expect(await client.initialize()).toEqual({ userAgent: 'loopchart/0.0.0 (test; 0)', codexHome: '/home', platformFamily: 'unix', platformOs: 'linux' });
  });

  test('before it nothing else is carried out, and once is enough', async () => {
    const client = connect(serverWith({}, scriptedModel()));
    await expect(client.request('thread/start')).rejects.toMatchObject({ code: -32600, message: 'Not initialized' });
    await client.request('initialize', { clientInfo: { name: 'test', version: '0' } });
    await expect(client.request('thread/start')).rejects.toMatchObject({ code: -32600, message: 'Not initialized' });
    client.send({ method: 'initialized' });
    await expect(client.request('initialize', { clientInfo: { name: 'test', version: '0' } })).rejects.toMatchObject({ code: -32600, message: 'Already initialized' });
    expect(await client.request('thread/loaded/list')).toEqual({ data: [], nextCursor: null });
  });

  test('notifications that a client does not want are not sent', async () => {
    const { another } = await serving({}, says('hello'));
    const client = await another({ optOutNotificationMethods: ['item/agentMessage/delta', 'thread/started'] });
    const threadId = await client.thread();
    await client.turn(threadId, 'go');
    await client.until('turn/completed');
    const methods = client.methods();
    expect(methods).toContain('turn/started');
    expect(methods).not.toContain('item/agentMessage/delta');
    expect(methods).not.toContain('thread/started');
  });
});

describe('what is no request of the protocol is answered', () => {
  const wrong: [sent: string, answer: object][] = [
    ['{"id": 1, "method": "thread/sing"}', { id: 1, error: { code: -32600, message: 'Invalid request: unknown method `thread/sing`' } }],
    ['{"id": 1, "method": "turn/start", "params": {"input": []}}', { id: 1, error: { code: -32600, message: 'Invalid request: missing field `threadId`' } }],
    ['{"id": 1, "method": "turn/start", "params": {"threadId": 5, "input": []}}', { id: 1, error: { code: -32600, message: 'Invalid request: threadId: Invalid input: expected string, received number' } }],
    ['{"id": "a", "method": "turn/start", "params": {"threadId": "nowhere", "input": []}}', { id: 'a', error: { code: -32600, message: 'thread not found: nowhere' } }],
    ['{"id": 1, "method": "turn/start", "params": []}', { id: 1, error: { code: -32600, message: 'Invalid request: Invalid input: expected object, received array' } }],
    ['{"id": 7}', { id: 7, error: { code: -32600, message: 'Invalid request: a message has a method, a result or an error' } }],
    ['{"id": {"a": 1}, "method": "initialize"}', { id: null, error: { code: -32600, message: 'Invalid request: a message is an object with a method, a result or an error' } }],
    ['{"id": 8, "method": 8}', { id: 8, error: { code: -32600, message: 'Invalid request: a message is an object with a method, a result or an error' } }],
    ['[1, 2]', { id: null, error: { code: -32600, message: 'Invalid request: a message is an object with a method, a result or an error' } }],
    ['null', { id: null, error: { code: -32600, message: 'Invalid request: a message is an object with a method, a result or an error' } }],
  ];
  for (const [sent, answer] of wrong) {
    test(sent, async () => {
      const { client } = await serving({});
      const from = client.messages.length;
      client.raw(sent);
      expect(await client.until(() => true, from)).toEqual(answer);
    });
  }

  test('no JSON at all', async () => {
    const { client } = await serving({});
    const from = client.messages.length;
    client.raw('{"id": 1, "method": ');
    const { id, error } = await client.until(() => true, from);
    expect([id, error?.code, error?.message.startsWith('Parse error: ')]).toEqual([null, -32700, true]);
  });

  test('a message that is too long, and one that is not after it', async () => {
    const { client } = await serving({ server: { limits: { messageCharacters: 1_000 } } });
    const from = client.messages.length;
    client.raw(JSON.stringify({ id: 1, method: 'x'.repeat(1_000) }));
    expect(await client.until(() => true, from)).toEqual({ id: null, error: { code: -32600, message: 'Invalid request: a message may have 1000 characters' } });
    expect(await client.request('thread/loaded/list')).toEqual({ data: [], nextCursor: null });
  });

  test('text that is too long for one input', async () => {
    const { client } = await serving({});
    const threadId = await client.thread();
    const input = [...textInput('x'.repeat(2 ** 20)), ...textInput('y')];
    await expect(client.request('turn/start', { threadId, input })).rejects.toMatchObject({
      code: -32602,
      message: 'Input exceeds the maximum length of 1048576 characters.',
      data: { input_error_code: 'input_too_large', max_chars: 1048576, actual_chars: 1048577 },
    });
    expect((await client.request('thread/read', { threadId })).thread.status).toEqual({ type: 'idle' });
  });

  test('answers to nothing, and notifications of a client, mean nothing', async () => {
    const { client } = await serving({});
    const from = client.messages.length;
    client.respond(99, { decision: 'accept' });
    client.send({ id: 98, error: { code: 1, message: 'no' } });
    client.send({ method: 'never/heard' });
    await client.request('thread/loaded/list');
    expect(client.lines(from)).toHaveLength(1);
  });
});

const METHODS = ['thread/start', 'thread/resume', 'thread/fork', 'thread/list', 'thread/read', 'thread/turns/list', 'thread/revert', 'thread/inject_items', 'thread/goal/set', 'thread/queue/add', 'thread/queue/reorder', 'turn/start', 'turn/steer', 'turn/interrupt', 'initialize', 'constructor', '__proto__'];

/** None of the others has it: what is no request is answered by its id too. */
const OWN_ID = 'is anybody there?';

test('whatever is sent, the connection lives, and every request is answered', async () => {
  const anything = fc.anything({ withNullPrototype: false, withBigInt: false });
  const params = fc.oneof(anything, fc.record({ threadId: fc.oneof(fc.string(), fc.constant('THREAD')), input: anything, items: fc.array(anything), expectedTurnId: fc.string(), turnId: fc.string(), queuedSubmissionIds: anything, objective: anything }, { requiredKeys: [] }));
  const request = fc.record({ id: fc.oneof(fc.integer(), fc.string(), anything), method: fc.oneof(fc.constantFrom(...METHODS), fc.string(), anything), params }, { requiredKeys: [] });
  const sent = fc.oneof(fc.string(), request.map((one) => JSON.stringify(one) ?? ''), fc.json(), fc.string({ unit: 'binary' }));
  await fc.assert(
    fc.asyncProperty(fc.array(sent, { maxLength: 20 }), async (texts) => {
      const server = serverWith({}, scriptedModel(loop(says('yes'))));
      const client = connect(server);
      await client.initialize();
      const threadId = await client.thread();
      for (const text of texts) client.raw(text.replaceAll('THREAD', threadId));
      const asked = texts.flatMap((text) => requestIn(text));
      client.send({ id: OWN_ID, method: 'thread/list', params: {} });
      expect(await client.until(({ id }) => id === OWN_ID)).toMatchObject({ result: { data: expect.any(Array) } });
      for (const id of asked) await client.until((message) => message.id === id && message.method === undefined);
      await server.close();
    }),
    { numRuns: 200 },
  );
}, 60_000);

/** The id, where the text is a request that can be answered. */
function requestIn(text: string): (string | number)[] {
  try {
    const { id, method } = JSON.parse(text) as Message;
    return typeof method === 'string' && (typeof id === 'string' || Number.isSafeInteger(id)) ? [id as string | number] : [];
  } catch {
    return []; // no message
  }
}
