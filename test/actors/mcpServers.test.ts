/** MCP servers that are opened and closed together. */
import { expect, test } from 'vitest';
import { type MCPServer, connectMcpServers } from '../../actors/mcp.ts';
import { mcpServer } from '../scenarios/support/mcpServer.ts';

const server = ({ name, ...over }: Partial<MCPServer>): MCPServer => ({ ...mcpServer({ name, tools: [] }), ...over });
const logged = (log: string[], name: string, over: Partial<MCPServer> = {}) =>
  server({ name, connect: async () => void log.push(`+${name}`), close: async () => void log.push(`-${name}`), ...over });
const fails = (message: string) => async () => { throw new Error(message); };
/** Something to wait for. */
function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => { resolve = done; });
  return { promise, resolve };
}

test('connects in order and closes in reverse, once each', async () => {
  const log: string[] = [];
  const [a, b] = [logged(log, 'a'), logged(log, 'b')];
  const servers = await connectMcpServers([a, b, a]);
  expect([servers.all, servers.active, servers.failed]).toEqual([[a, b], [a, b], []]);
  await servers[Symbol.asyncDispose]();
  expect(log).toEqual(['+a', '+b', '-b', '-a']);
  expect(servers.active).toEqual([]);
});

test('leaves out a server that failed, says why, and tries it again when told', async () => {
  const log: string[] = [];
  const flaky = logged(log, 'flaky', { connect: fails('refused') });
  const good = logged(log, 'good');
  const servers = await connectMcpServers([flaky, good], { connectInParallel: true });
  expect([servers.active, servers.failed, servers.errors.get(flaky)?.message]).toEqual([[good], [flaky], 'refused']);
  flaky.connect = async () => void log.push('+flaky');
  expect(await servers.reconnect()).toEqual([flaky, good]);
  expect(log).toEqual(['+good', '-flaky', '+flaky']);
  expect(servers.errors.size).toBe(0);
  await servers.reconnect({ failedOnly: false });
  expect(log.slice(3)).toEqual(['-flaky', '-good', '+flaky', '+good']);
});

test('keeps failed servers in the list when told to', async () => {
  const bad = server({ connect: fails('refused') });
  expect((await connectMcpServers([bad], { dropFailed: false })).active).toEqual([bad]);
});

test.each([true, false])('strict: a failure rejects and closes what was opened (in parallel: %s)', async (connectInParallel) => {
  const log: string[] = [];
  const bad = logged(log, 'bad', { connect: fails('refused') });
  await expect(connectMcpServers([logged(log, 'a'), bad, logged(log, 'c')], { strict: true, connectInParallel })).rejects.toThrow('refused');
  expect(log.filter((entry) => entry.startsWith('-'))).toEqual(connectInParallel ? ['-c', '-bad', '-a'] : ['-bad', '-a']);
});

test('a server that does not answer in time has failed', async () => {
  const hanging = server({ name: 'hanging', connect: () => new Promise(() => {}), close: () => new Promise(() => {}) });
  const servers = await connectMcpServers([hanging], { connectTimeoutMs: 1, closeTimeoutMs: 1 });
  expect(servers.errors.get(hanging)?.message).toBe("MCP server 'hanging' did not connect within 1 ms.");
  await servers.close();
  expect(servers.errors.get(hanging)?.message).toBe("MCP server 'hanging' did not close within 1 ms.");
  expect(await servers.reconnect()).toEqual([]);
});

test('an abort is a failure like any, or rejects when told to', async () => {
  const aborted = server({ connect: async () => { throw new DOMException('stop', 'AbortError'); } });
  expect((await connectMcpServers([aborted], { strict: true, connectTimeoutMs: null })).failed).toEqual([aborted]);
  await expect(connectMcpServers([aborted], { suppressAbortError: false })).rejects.toThrow('stop');
});

test('opening and closing wait for each other', async () => {
  const log: string[] = [];
  const servers = await connectMcpServers([logged(log, 'a')]);
  const begun = gate();
  const opened = gate();
  servers.all[0]!.connect = async () => { begun.resolve(); await opened.promise; log.push('+a'); };
  const reopened = servers.reconnect({ failedOnly: false });
  const closed = servers.close();
  await begun.promise;
  opened.resolve();
  await Promise.all([reopened, closed]);
  expect(log).toEqual(['+a', '-a', '+a', '-a']);
});
