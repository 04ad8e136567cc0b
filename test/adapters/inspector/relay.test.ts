import { createServer, type AddressInfo } from 'node:net';
import { createInspectorServer } from '@statelyai/inspect/server';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createActor, setup } from 'xstate';
import { statelyInspector } from '../../../adapters/inspector/index.ts';
import { callMachine } from './charts.ts';
import { closing, inspecting, startRun } from './inspecting.ts';
import { actorsIn, isEvent, packageWatcher, rawWatcher } from './watcher.ts';

describe('our own relay', () => {
  test('listens on loopback only and lets in nobody without the token', async () => {
    const inspector = await inspecting();
    const address = new URL(inspector.url);
    expect(address.hostname).toBe('127.0.0.1');
    expect(address.searchParams.get('token')).toMatch(/^[\w-]{22}$/);
    for (const token of ['', '?token=', '?token=wrong', `?token=${'x'.repeat(22)}`]) {
      const status = new Promise((resolve) => new WebSocket(`ws://${address.host}/${token}`).once('unexpected-response', (_, { statusCode }) => resolve(statusCode)).once('error', () => {}));
      expect(await status).toBe(401);
      expect((await fetch(`http://${address.host}/${token}`)).status).toBe(401);
    }
    await expect(fetch(`http://[::1]:${address.port}/`)).rejects.toThrow();
  });

  test('serves a page that embeds the viewer and lets it talk to nothing else', async () => {
    const inspector = await inspecting({ viewer: 'http://127.0.0.1:1/viewer?</script>' });
    const response = await fetch(inspector.page!);
    const text = await response.text();
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*frame-src http:\/\/127\.0\.0\.1:1$/);
    expect(text).toContain('viewer?\\u003c/script>');
    expect(text.match(/<\/script>/g)).toHaveLength(1);
  });

  test('takes a token of your choice, or none', async () => {
    const chosen = await inspecting({ token: 'a b' });
    expect(chosen.url).toMatch(/\?token=a%20b$/);
    (await rawWatcher(chosen.url)).socket.terminate();
    const none = await inspecting({ token: false });
    (await rawWatcher(none.url)).socket.terminate();
    expect(new URL(none.url).search).toBe('');
  });

  test('says what is wrong with its options', async () => {
    const { port } = new URL((await inspecting()).url);
    await expect(statelyInspector({ port: Number(port) })).rejects.toThrow(`port ${port} of 127.0.0.1: it is in use. Choose another`);
    await expect(statelyInspector({ token: '' })).rejects.toThrow('`token` of the inspector is empty');
    await expect(statelyInspector({ url: 'http://127.0.0.1:1' })).rejects.toThrow('`url` of the inspector must begin with ws:// or wss://, got "http://127.0.0.1:1"');
    await expect(statelyInspector({ viewer: 'stately' })).rejects.toThrow('`viewer` of the inspector must begin with http:// or https://');
  });

  test('a watcher that vanishes in the middle disturbs nobody', async () => {
    const inspector = await inspecting();
    const [leaver, stayer] = [await rawWatcher(inspector.url), await rawWatcher(inspector.url)];
    const run = startRun(inspector, 50);
    leaver.socket.terminate();
    run.send({ type: 'spawn' });
    run.send({ type: 'last' });
    await stayer.until(isEvent('last'));
    expect(actorsIn(stayer.messages)).toHaveLength(101);
  });

  test('a watcher that does not keep up is told of all actors anew, and ends up with what is true', async () => {
    const inspector = await inspecting({ limits: { waitingBytes: 100_000 } });
    const watcher = await rawWatcher(inspector.url);
    const run = startRun(inspector, 20);
    run.send({ type: 'spawn' });
    // All in one step of the event loop: the socket cannot take it all, whatever the watcher does.
    const list = Array.from({ length: 3 }, () => ({ status: 'x'.repeat(90) }));
    const payload = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`list${index}`, list]));
    for (let index = 0; index < 3_000; index += 1) run.send({ type: 'say', index, payload });
    run.send({ type: 'one' });
    await watcher.until((message) => message.type === '@xstate.actor' && message.name === 'call.one');
    run.send({ type: 'last' });
    await watcher.until(isEvent('last'));
    expect(watcher.messages.filter(isEvent('say')).length).toBeLessThan(3_000);
    expect(new Set(actorsIn(watcher.messages).map(({ sessionId }) => sessionId)).size).toBe(1 + 2 * 21);
  });

  test('forgets the oldest finished actors when it keeps too many', async () => {
    const inspector = await inspecting({ limits: { actors: 20 } });
    for (let index = 0; index < 30; index += 1) createActor(setup({}).createMachine({ id: `done.${index}`, initial: 'end', states: { end: { type: 'final' } } }), { inspect: inspector.inspect }).start();
    startRun(inspector);
    const watcher = await packageWatcher(inspector);
    const names = actorsIn(watcher.messages).map(({ name }) => name);
    expect(names.length).toBeLessThanOrEqual(20);
    expect(names.slice(-3)).toEqual(['done.28', 'done.29', 'run']);
    expect(names).not.toContain('done.0');
  });

  test('close leaves no socket and no timer, and what happens afterwards goes nowhere', async () => {
    const before = process.getActiveResourcesInfo().sort();
    const inspector = await statelyInspector();
    const watcher = await rawWatcher(inspector.url);
    const run = createActor(callMachine, { input: { index: 1, prompt: '' }, inspect: inspector.inspect }).start();
    await watcher.until(({ type }) => type === '@xstate.snapshot');
    await Promise.all([inspector.close(), inspector.close()]);
    expect(await watcher.closed).toBe(1001);
    run.stop();
    expect(process.getActiveResourcesInfo().sort()).toEqual(before);
    await expect(rawWatcher(inspector.url)).rejects.toThrow('ECONNREFUSED');
  });
});

describe("somebody else's relay", () => {
  test("the package's server may start later, and is told of the actors that were there before it", async () => {
    const port = await freePort();
    const problems: string[] = [];
    let notice = (): void => {};
    const noticed = new Promise<void>((resolve) => (notice = resolve));
    const inspector = await inspecting({ url: `ws://127.0.0.1:${port}?token=hidden`, onProblem: (problem) => (problems.push(problem), notice()) });
    const run = startRun(inspector, 5);
    run.send({ type: 'spawn' });
    await noticed;
    expect(problems).toEqual([expect.stringMatching(/^No inspector at ws:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED.* Trying again until it is there\.$/)]);
    const server = createInspectorServer({ port, autoOpen: false, url: 'http://127.0.0.1:1' });
    closing({ close: () => server.stop() });
    const watcher = await eventually(() => rawWatcher(`ws://127.0.0.1:${port}`));
    closing({ close: () => watcher.socket.terminate() });
    await watcher.until((message) => message.type === '@xstate.actor' && message.name === 'call.4');
    run.send({ type: 'last' });
    await watcher.until(isEvent('last'));
    expect(actorsIn(watcher.messages)).toHaveLength(11);
  });

  test('a connection that was lost is made again, and close gives up trying', async () => {
    const relay = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    closing({ close: () => relay.close() });
    await new Promise((resolve) => relay.once('listening', resolve));
    const lost: string[] = [];
    const connected = (): Promise<string> =>
      new Promise((resolve) => relay.once('connection', (socket) => socket.once('message', (bytes: Buffer) => (resolve(bytes.toString()), socket.terminate()))));
    const first = connected();
    const inspector = await inspecting({ url: `ws://127.0.0.1:${(relay.address() as AddressInfo).port}`, onProblem: (problem) => lost.push(problem) });
    startRun(inspector);
    expect(JSON.parse(await first)).toMatchObject({ type: '@xstate.actor', name: 'run' });
    expect(JSON.parse(await connected())).toMatchObject({ type: '@xstate.actor', name: 'run' });
    expect(lost[0]).toContain('the connection was closed');
    expect(inspector.page).toBeUndefined();
    await inspector.close();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The package's server does not say when it listens. */
async function eventually<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await new Promise(setImmediate);
    }
  }
}
