/** The command itself: over pipes and WebSockets, ended, killed and begun again. */
import { describe, expect, test } from 'vitest';
import { loop, says, scriptedModel } from 'loopchart/testing';
import { listenForWebSockets } from '../../../adapters/server/index.ts';
import { begin, overPipes, overWebSocket, workplace } from './support/processes.ts';
import { serverWith } from './support/serving.ts';

const SLOW = 60_000;

describe('over pipes', () => {
  test('a conversation; it ends with its input, and says nothing else on its output', async () => {
    const { agent } = workplace();
    const running = begin([agent]);
    const client = overPipes(running);
    await client.initialize();
    const threadId = await client.thread();
    await client.turn(threadId, 'hello');
    expect((await client.until('turn/completed')).params.turn.items[0].text).toBe('you said hello');
    client.raw('not json');
    client.raw('x'.repeat(17 * 2 ** 20));
    expect((await client.until(({ error }) => error?.code === -32600)).error!.message).toContain('a message may have');
    client.close();
    expect(await running.code).toBe(0);
    expect(running.errors()).toContain('One message a line, on standard input and output.');
    expect(running.errors()).toContain('printed by the agent file');
  }, SLOW);

  test('a signal ends it; the thread is given back, and goes on where it is resumed', async () => {
    const { agent, path } = workplace();
    const running = begin([agent, '--journal', path('threads')]);
    const client = overPipes(running);
    await client.initialize();
    const threadId = await client.thread();
    await client.turn(threadId, 'pay');
    await client.until('item/commandExecution/requestApproval');
    running.child.kill('SIGTERM');
    expect(await running.code).toBe(130);
    const later = overPipes(begin([agent, '--journal', path('threads')]));
    await later.initialize();
    await later.request('thread/resume', { threadId });
    later.respond((await later.until('item/commandExecution/requestApproval')).id, { decision: 'accept' });
    expect((await later.until('turn/completed')).params.turn).toMatchObject({ status: 'completed', items: [{ text: 'done' }] });
  }, SLOW);

  for (const store of ['folder', 'threads.db']) {
    test(`kill -9 in the middle of a tool, recorded in ${store}: the same turn is finished by another process`, async () => {
      const { agent, path } = workplace();
      const running = begin([agent, '--journal', path(store)]);
      const client = overPipes(running);
      await client.initialize();
      const threadId = await client.thread();
      const turnId = await client.turn(threadId, 'work');
      await client.until(({ method, params }) => method === 'item/started' && params.item.type === 'mcpToolCall');
      await client.request('turn/steer', { threadId, expectedTurnId: turnId, input: [{ type: 'text', text: 'and quickly' }] });
      await client.request('thread/queue/add', { threadId, input: [{ type: 'text', text: 'later' }] });
      running.child.kill('SIGKILL');
      await running.code;

      const later = overPipes(begin([agent, '--journal', path(store)], { WORK: 'worked' }));
      await later.initialize();
      const read = (await later.request('thread/read', { threadId, includeTurns: true })).thread;
      expect(read).toMatchObject({ status: { type: 'notLoaded' }, preview: 'work', turns: [{ id: turnId, status: 'interrupted', items: [{ type: 'userMessage' }, { type: 'mcpToolCall' }] }] });
      expect((await later.request('thread/list')).data.map(({ id }: { id: string }) => id)).toEqual([threadId]);
      await later.request('thread/resume', { threadId });
      expect((await later.until(({ method, params }) => method === 'turn/completed' && params.turn.id === turnId)).params.turn.status).toBe('completed');
      expect((await later.until(({ method, params }) => method === 'turn/completed' && params.turn.id !== turnId)).params.turn.items[0].text).toBe('you said later');
      const steered = later.messages.find(({ method, params }) => method === 'item/completed' && params.item.type === 'userMessage');
      expect(steered!.params.item.content[0].text).toBe('and quickly');
    }, SLOW);
  }

  test('what it cannot do, it says', async () => {
    const { agent } = workplace();
    const cases: [args: string[], text: string][] = [
      [[agent, '--listen', 'tcp://x'], '"--listen" is stdio or ws://127.0.0.1:PORT'],
      [[agent, '--token', 'x'.repeat(20)], '"--token" and "--origin" are for WebSockets'],
      [[agent, '--listen', 'ws://0.0.0.0:0'], 'is no address of this machine alone'],
      [['nowhere.ts'], 'There is no agent file nowhere.ts'],
    ];
    for (const [args, text] of cases) {
      const running = begin(args);
      expect([await running.code, running.errors()]).toEqual([expect.toBeOneOf([1, 2]), expect.stringContaining(text)]);
    }
  }, SLOW);
});

describe('over WebSockets', () => {
  test('the command prints where it listens and the token, and ends by a signal', async () => {
    const { agent } = workplace();
    const running = begin([agent, '--listen', 'ws://127.0.0.1:0']);
    await running.until('Token: ');
    const [, url] = /(ws:\/\/127\.0\.0\.1:\d+\/)/.exec(running.errors())!;
    const [, token] = /Token: (\S+)/.exec(running.errors())!;
    const { client } = await overWebSocket(url!, { authorization: `Bearer ${token}` });
    await client.initialize();
    await client.turn(await client.thread(), 'hi');
    await client.until('turn/completed');
    running.child.kill('SIGINT');
    expect(await running.code).toBe(130);
    await expect(client.until('never')).rejects.toThrow('The connection is closed');
  }, SLOW);

  const TOKEN = 'a token of some length';
  async function listening(origins?: string[]) {
    const server = serverWith({}, scriptedModel(loop(says('yes'))));
    const listener = await listenForWebSockets(server, { port: 0, token: TOKEN, origins });
    return { server, url: listener.url, close: async () => (await server.close(), listener.close()) };
  }

  test('only who knows the token is let in, and no page that was not named', async () => {
    const { url, close } = await listening(['http://localhost:3000']);
    const authorization = `Bearer ${TOKEN}`;
    await expect(overWebSocket(url)).rejects.toThrow('refused: 401');
    await expect(overWebSocket(url, { authorization: 'Bearer wrong' })).rejects.toThrow('refused: 401');
    await expect(overWebSocket(url, { authorization, origin: 'http://evil.example' })).rejects.toThrow('refused: 403');
    await expect(overWebSocket(url, { authorization, host: 'evil.example' })).rejects.toThrow('refused: 403');
    await overWebSocket(url, { authorization, origin: 'http://localhost:3000' });
    await overWebSocket(`${url}?token=${encodeURIComponent(TOKEN)}`);
    expect((await fetch(url.replace('ws:', 'http:'))).status).toBe(426);
    await close();
  });

  test('frames that are no text are answered, and several clients follow one thread', async () => {
    const { url, close } = await listening();
    const { client, socket } = await overWebSocket(url, { authorization: `Bearer ${TOKEN}` });
    await client.initialize();
    socket.send(Buffer.from([1, 2, 3]));
    expect(await client.until(({ error }) => error?.code === -32700)).toEqual({ id: null, error: { code: -32700, message: 'Parse error: messages are text, one a frame' } });
    const { client: other } = await overWebSocket(url, { authorization: `Bearer ${TOKEN}` });
    await other.initialize();
    const threadId = await client.thread();
    await other.request('thread/resume', { threadId });
    await client.turn(threadId, 'hi');
    for (const one of [client, other]) expect((await one.until('turn/completed')).params.turn.items[0].text).toBe('yes');
    await close();
    for (const one of [client, other]) await expect(one.until('never')).rejects.toThrow('The connection is closed');
  });

  test('a token that can be guessed, a port that is taken, and other machines are refused', async () => {
    const { server, url, close } = await listening();
    await expect(listenForWebSockets(server, { port: 0, token: 'short' })).rejects.toThrow('16 characters at least');
    await expect(listenForWebSockets(server, { port: Number(new URL(url).port), token: TOKEN })).rejects.toThrow('is in use. Choose another');
    await expect(listenForWebSockets(server, { host: '0.0.0.0', port: 0, token: TOKEN })).rejects.toThrow('no address of this machine alone');
    await close();
  });
});
