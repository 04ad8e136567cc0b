/** MCP servers in the peer's shape, through the loop: listing, calling, errors, names, cache. */
import { Agent, Runner, invalidateServerToolsCache } from 'loopchart';
import { calls, responds, says } from 'loopchart/testing';
import { afterEach, expect, test } from 'vitest';
import { add } from '../support/cast.ts';
import { mcpServer, text } from '../support/mcpServer.ts';
import { play } from '../support/scenario.ts';

afterEach(() => invalidateServerToolsCache('files'));

test('A1: a tool of a server is called with its arguments, and the model reads its answer', async () => {
  const { seen, value } = await play(async (world) => {
    const server = mcpServer({ tools: ['read'], answer: (_tool, args) => text(`content of ${String(args?.['path'])}`) });
    const model = world.model(calls('read', { path: 'a.txt' }), says('Read.'));
    await world.run(new Agent({ name: 'Reader', model, mcpServers: [server] }), 'go');
    return server.called;
  });
  expect(value).toEqual([{ tool: 'read', args: { path: 'a.txt' } }]);
  expect(seen.story).toEqual([
    'Reader: calls read {"path":"a.txt"}',
    'Reader: gets read [{"type":"input_text","text":"content of a.txt"}]',
    'Reader: says "Read."',
  ]);
});

test('A1: tools of servers and own tools run side by side, results in call order', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls(['add', { a: 1, b: 2 }], ['read', { path: 'a' }]), says('Done.'));
    return world.run(new Agent({ name: 'Reader', model, tools: [add], mcpServers: [mcpServer({ tools: ['read'] })] }), 'go');
  });
  expect(seen.story.slice(2, 4)).toEqual(['Reader: gets add "3"', 'Reader: gets read [{"type":"input_text","text":"read is done"}]']);
});

test('C2: a server that throws is a result for the model', async () => {
  const { seen } = await play(async (world) => {
    const server = mcpServer({ tools: ['read'], answer: () => { throw new Error('disk gone'); } });
    return world.run(new Agent({ name: 'Reader', model: world.model(calls('read', { path: 'a' }), says('Sorry.')), mcpServers: [server] }), 'go');
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Sorry.']);
  expect(seen.story[1]).toMatch(/^Reader: gets read ".*(disk gone|error occurred).*"$/i);
});

test('A1: the list is asked for in every turn, or once when the server says so', async () => {
  const { value } = await play(async (world) => {
    const three = () => world.model(calls('read', { path: 'a' }), calls('read', { path: 'b' }), says('Done.'));
    const [fresh, cached] = [mcpServer({ tools: ['read'] }), mcpServer({ name: 'cached', tools: ['read'], cacheToolsList: true })];
    await world.run(new Agent({ name: 'Reader', model: three(), mcpServers: [fresh] }), 'go');
    await world.run(new Agent({ name: 'Reader', model: three(), mcpServers: [cached] }), 'go');
    await invalidateServerToolsCache('cached');
    return [fresh.listed >= 3, cached.listed];
  });
  expect(value).toEqual([true, 1]);
});

test('A1: with includeServerInToolNames two servers may offer the same tool', async () => {
  const { requests, value } = await play(async (world) => {
    const [files, web] = [mcpServer({ name: 'files', tools: ['read'] }), mcpServer({ name: 'web', tools: ['read'] })];
    const first = world.model(says('Nothing to do.'));
    await world.run(new Agent({ name: 'Reader', model: first, mcpServers: [files, web], mcpConfig: { includeServerInToolNames: true } }), 'go');
    const [ofFiles, ofWeb] = first.requests[0]!.tools.map(({ name }) => name);
    const model = world.model(responds(calls(ofFiles!, { path: 'a' }), calls(ofWeb!, { path: 'b' })), says('Done.'));
    await world.run(new Agent({ name: 'Reader', model, mcpServers: [files, web], mcpConfig: { includeServerInToolNames: true } }), 'go');
    return [files.called, web.called];
  });
  expect(new Set(requests[0]!.tools.map(({ name }) => name)).size).toBe(2);
  expect(value).toEqual([[{ tool: 'read', args: { path: 'a' } }], [{ tool: 'read', args: { path: 'b' } }]]);
});

test('A1: a server whose list cannot be had fails the run before anything is sent', async () => {
  const { seen, requests } = await play(async (world) => {
    const server = mcpServer({ tools: [], onList: () => { throw new Error('no route to files'); } });
    return world.run(new Agent({ name: 'Reader', model: world.model(says('Never.')), mcpServers: [server] }), 'go', { runner: new Runner() });
  });
  expect([seen.outcome, seen.error?.message, requests.length, seen.turns]).toEqual(['failed', 'no route to files', 0, 0]);
});
