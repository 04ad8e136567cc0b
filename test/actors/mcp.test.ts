import { getAllMcpTools as peerGetAllMcpTools, mcpToFunctionTool as peerMcpToFunctionTool } from '@openai/agents-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Agent } from '../../actors/agent.ts';
import { UserError } from '../../actors/errors.ts';
import {
  createMCPToolStaticFilter, getAllMcpTools, invalidateServerToolsCache, mcpToFunctionTool, type CallToolResultContent, type MCPServer, type MCPTool,
} from '../../actors/mcp.ts';
import { prefixedToolNames, publicServerName } from '../../actors/mcpNames.ts';
import { RunContext } from '../../actors/runContext.ts';
import { defineToolInputGuardrail } from '../../actors/toolGuardrail.ts';
import type { FunctionTool } from '../../actors/toolTypes.ts';

const runContext = new RunContext();
const agent = new Agent({ name: 'A' });
const listed = (name: string, inputSchema: object = { type: 'object', properties: {}, required: [], additionalProperties: false }): MCPTool => ({ name, description: `Does ${name}.`, inputSchema: inputSchema as MCPTool['inputSchema'] });

/** A server in this process: says what it is asked, and answers what it is told to. */
function server(over: Partial<MCPServer> & { tools?: MCPTool[]; result?: unknown } = {}): MCPServer & { lists: number; calls: unknown[][] } {
  const { tools = [listed('read')], result = [{ type: 'text', text: 'ok' }], ...rest } = over;
  const made = {
    name: 'files', cacheToolsList: false, lists: 0, calls: [] as unknown[][],
    connect: async () => {}, close: async () => {}, invalidateToolsCache: async () => {},
    listTools: async () => { made.lists += 1; return structuredClone(tools); },
    callTool: async (...args: unknown[]) => { made.calls.push(args); if (result instanceof Error) throw result; return result as CallToolResultContent; },
    ...rest,
  };
  return made;
}
const only = async (given: MCPServer, over = {}): Promise<FunctionTool<any, any, any>> => (await getAllMcpTools({ mcpServers: [given], runContext, agent, ...over }))[0] as FunctionTool<any, any, any>;

const { warn } = console;
let warnings: string[] = [];
beforeEach(() => { warnings = []; console.warn = (words: string) => void warnings.push(words); });
afterEach(async () => { console.warn = warn; await invalidateServerToolsCache('files'); });

describe('a tool of a server', () => {
  const schemas: [string, object][] = [
    ['no arguments', { type: 'object', properties: {}, required: [], additionalProperties: false }], ['nothing said', {}],
    ['arguments', { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }],
    ['optional arguments', { type: 'object', properties: { path: { type: 'string' }, depth: { type: 'number' } }, required: ['path'], additionalProperties: false }],
    ['an open object', { type: 'object', properties: { any: {} }, additionalProperties: true }],
    ['an open object within', { type: 'object', properties: { options: { type: 'object' } }, required: [] }],
    ['a form unknown to strict mode', { type: 'object', properties: { a: { oneOf: [{ type: 'string' }] } }, required: ['a'], additionalProperties: false }],
  ];
  test.each(schemas)('is offered with the schema that the peer offers, strict or not: %s', (_name, inputSchema) => {
    for (const isStrict of [true, false]) {
      const [ours, theirs] = [mcpToFunctionTool(listed('read', inputSchema), server(), isStrict), peerMcpToFunctionTool(listed('read', inputSchema), server() as never, isStrict)];
      expect([ours.name, ours.description, ours.strict, ours.parameters], `strict: ${isStrict}`).toEqual([theirs.name, theirs.description, theirs.strict, theirs.parameters]);
    }
  });

  test('says why it goes without strict mode, once', async () => {
    const open = server({ tools: [listed('read', { type: 'object', properties: { options: { type: 'object' } } })] });
    await only(open, { convertSchemasToStrict: true });
    await only(open, { convertSchemasToStrict: true });
    expect(warnings).toEqual(["A tool schema of MCP server 'files' is sent without strict mode: it accepts any properties at options"]);
  });

  test('is called by the server\'s own name with parsed arguments, and with metadata and signal only where there are some', async () => {
    const plain = server();
    expect(await (await only(plain)).invoke(runContext, '{"path":"a"}')).toEqual({ type: 'text', text: 'ok' });
    expect(plain.calls).toEqual([['read', { path: 'a' }]]);
    const { signal } = new AbortController();
    const met = server({ toolMetaResolver: ({ toolName, arguments: args, serverName, runContext: context }) => ({ toolName, args, serverName, same: context === runContext }) });
    const prefixed = await only(met, { includeServerInToolNames: true });
    expect(prefixed.name).toBe('mcp_files__read');
    await prefixed.invoke(runContext, '{}', { signal });
    expect(met.calls).toEqual([['read', {}, { toolName: 'read', args: {}, serverName: 'files', same: true }, { signal }]]);
    const quiet = server({ toolMetaResolver: async () => null });
    await (await only(quiet)).execute({}, runContext);
    expect(quiet.calls).toEqual([['read', {}]]);
  });

  test('whose metadata is none fails with the server\'s name', async () => {
    const wrong = await only(server({ toolMetaResolver: () => [] as never, errorFunction: null }));
    await expect(wrong.invoke(runContext, '{}')).rejects.toThrow("toolMetaResolver of MCP server 'files'");
  });

  test('returns one part as it is, several as a list, and structured content where that is wanted', async () => {
    const parts = [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }];
    expect(await (await only(server({ result: parts }))).execute({}, runContext)).toEqual(parts);
    const structured = (over: object) => only(server({ useStructuredContent: true, callToolResult: async () => ({ content: parts, structuredContent: { n: 1 }, ...over }) }));
    expect(await (await structured({})).execute({}, runContext)).toBe('{"n":1}');
    expect(await (await structured({ isError: true })).execute({}, runContext)).toEqual(parts);
    expect(await (await structured({ structuredContent: undefined })).execute({}, runContext)).toEqual(parts);
    const attached = Object.assign([{ type: 'text', text: 'a' }], { structuredContent: { m: 2 } });
    expect(await (await only(server({ useStructuredContent: true, result: attached }))).execute({}, runContext)).toBe('{"m":2}');
  });

  test('C2: words its failures by the server\'s function, then the agent\'s, then generically; null lets them through', async () => {
    const failed = { result: new Error('disk full') };
    const agentsOwn = { errorFunction: () => 'from the agent' };
    expect(await (await only(server(failed))).invoke(runContext, '{}')).toContain('An error occurred');
    expect(await (await only(server(failed), agentsOwn)).invoke(runContext, '{}')).toBe('from the agent');
    expect(await (await only(server({ ...failed, errorFunction: ({ error, context }) => `${(error as Error).message} ${context === runContext}` }), agentsOwn)).invoke(runContext, '{}')).toBe('disk full true');
    await expect((await only(server({ ...failed, errorFunction: null }), agentsOwn)).invoke(runContext, '{}')).rejects.toThrow('disk full');
  });

  test('E4: carries the server\'s guardrails', async () => {
    const guardrail = defineToolInputGuardrail({ name: 'safe', run: async () => ({ behavior: { type: 'allow' } }) });
    const guarded = server({ toolInputGuardrails: [guardrail] });
    const first = await only(guarded);
    expect(first.inputGuardrails).toMatchObject([{ name: 'safe' }]);
    expect(await only(guarded)).toBe(first);
    guarded.toolOutputGuardrails = [{ type: 'tool_output', name: 'clean', run: async () => ({ behavior: { type: 'allow' } }) }];
    expect((await only(guarded)).outputGuardrails).toMatchObject([{ name: 'clean' }]);
  });

  test('gives the app custom data of the call it was for', async () => {
    const seen: unknown[] = [];
    const given = server({
      customDataExtractor: (context) => { seen.push(context); return { id: context.resultMeta?.id }; },
      callToolResult: async (_name, args) => ({ content: [{ type: 'text', text: 'ok' }], _meta: { id: args?.n } }),
    });
    const made = await only(given);
    await Promise.all([1, 2].map((n) => made.execute({ n }, runContext, { callId: `c${n}` })));
    const extract = (callId: string) => made.customDataExtractor?.({ runContext, tool: made, toolCall: { type: 'function_call', callId, name: 'read', arguments: '{}' }, input: {}, output: 'shown', rawItem: {} as never });
    expect([await extract('c2'), await extract('c1'), await extract('c1')]).toEqual([{ id: 2 }, { id: 1 }, undefined]);
    expect(seen[0]).toMatchObject({ serverName: 'files', toolName: 'read', toolDisplayName: 'read', arguments: { n: 2 }, toolOutput: 'shown', runContext });
  });
});

describe('the tools of several servers', () => {
  test('stand in the servers\' order, and a name that two of them use is refused', async () => {
    const [one, two] = [server({ name: 'one', tools: [listed('a'), listed('b')] }), server({ name: 'two', tools: [listed('c')] })];
    expect((await getAllMcpTools([one, two])).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    const twins = [one, server({ name: 'three', tools: [listed('b'), listed('a')] })];
    await expect(getAllMcpTools(twins)).rejects.toThrow(new UserError('Several MCP tools are called a, b. Set mcpConfig.includeServerInToolNames, or filter them with toolFilter.'));
    expect((await getAllMcpTools({ mcpServers: twins, includeServerInToolNames: true })).map(({ name }) => name)).toEqual(['mcp_one__a', 'mcp_one__b', 'mcp_three__b', 'mcp_three__a']);
  });

  test('are prefixed as by the peer where nothing collides', async () => {
    const servers = [server({ name: 'my-files', tools: [listed('read_file'), listed('a.b')] }), server({ name: 'sse: https://user:key@example.com/mcp?token=1', tools: [listed('x')] })];
    const names = (tools: { name: string }[]) => tools.map(({ name }) => name);
    expect(names(await getAllMcpTools({ mcpServers: servers, includeServerInToolNames: true }))).toEqual(names(await peerGetAllMcpTools({ mcpServers: servers as never, includeServerInToolNames: true })));
  });

  test('what a server throws when it cannot list reaches the caller', async () => {
    await expect(getAllMcpTools([server({ listTools: async () => { throw new Error('offline'); } })])).rejects.toThrow('offline');
  });
});

describe('filters', () => {
  const tools = ['a', 'b', 'c'].map((name) => listed(name));
  const names = async (toolFilter: MCPServer['toolFilter'], over: object = { runContext, agent }) =>
    (await getAllMcpTools({ mcpServers: [server({ tools, toolFilter })], ...over })).map(({ name }) => name);

  test('by name let through what is allowed and not blocked', async () => {
    expect(await names(createMCPToolStaticFilter({ allowed: ['a', 'b'], blocked: ['b'] }))).toEqual(['a']);
    expect(await names(createMCPToolStaticFilter({ blocked: ['b'] }))).toEqual(['a', 'c']);
    expect(await names(createMCPToolStaticFilter({ allowed: [] }))).toEqual(['a', 'b', 'c']);
    expect(createMCPToolStaticFilter({})).toBeUndefined();
  });

  test('that are functions are asked with context and a copy of the tool, unless there is nobody to ask about', async () => {
    const asked: unknown[] = [];
    const filter: MCPServer['toolFilter'] = async (context, tool) => { asked.push(context); const { name } = tool; tool.name = 'spoiled'; return name !== 'b'; };
    expect(await names(filter)).toEqual(['a', 'c']);
    expect(asked[0]).toEqual({ runContext, agent, serverName: 'files' });
    expect(await names(filter, {})).toEqual(['a', 'b', 'c']);
  });
});

describe('caching', () => {
  test('asks a server once that allows it, until the cache is invalidated', async () => {
    const cached = server({ cacheToolsList: true });
    const first = await only(cached);
    expect(await only(cached)).toBe(first);
    expect(cached.lists).toBe(1);
    await invalidateServerToolsCache('files');
    await only(cached);
    expect(cached.lists).toBe(2);
  });

  test('keeps servers of one name apart, and asks filters every time', async () => {
    const [one, two] = [server({ cacheToolsList: true, tools: [listed('a')] }), server({ cacheToolsList: true, tools: [listed('b')] })];
    expect([(await only(one)).name, (await only(two)).name]).toEqual(['a', 'b']);
    let isOpen = false;
    const filtered = server({ cacheToolsList: true, toolFilter: async () => isOpen });
    expect(await getAllMcpTools({ mcpServers: [filtered], runContext, agent })).toEqual([]);
    isOpen = true;
    expect(await getAllMcpTools({ mcpServers: [filtered], runContext, agent })).toHaveLength(1);
    expect(filtered.lists).toBe(1);
  });

  test('does not keep a list that was invalidated while it was asked for', async () => {
    let answer: (tools: MCPTool[]) => void = () => {};
    const slow = server({ cacheToolsList: true, listTools: () => new Promise((resolve) => { answer = resolve; }) });
    const listing = only(slow);
    await invalidateServerToolsCache('files');
    answer([listed('old')]);
    expect((await listing).name).toBe('old');
    const again = only(slow);
    answer([listed('new')]);
    expect((await again).name).toBe('new');
  });

  test('a tool is converted again only when the server changed it', async () => {
    const tools = [listed('read')];
    const changing = server({ listTools: async () => structuredClone(tools) });
    const first = await only(changing);
    expect(await only(changing)).toBe(first);
    tools[0]!.description = 'Changed.';
    expect((await only(changing)).description).toBe('Changed.');
  });
});

describe('names', () => {
  const build = (names: [string, string[]][], reserved: string[] = []) => prefixedToolNames(names.map(([name, tools]) => ({ name, tools })), new Set(reserved));

  test('that collide, are reserved or too long get a hash, the same in any order', () => {
    const forward = build([['a b', ['x']], ['a_b', ['x']]]);
    const backward = build([['a_b', ['x']], ['a b', ['x']]]);
    expect(forward).toEqual(backward.toReversed());
    expect(new Set(forward.flat()).size).toBe(2);
    const [[long]] = build([['s', ['x'.repeat(80)]]]) as [[string]];
    expect(long).toMatch(/^mcp_s__x{48}_[0-9a-f]{8}$/);
    expect(long).toHaveLength(64);
    const [[taken]] = build([['s', ['x']]], ['mcp_s__x']) as [[string]];
    expect(taken).toMatch(/^mcp_s__x_[0-9a-f]{8}$/);
    expect(build([['s', ['x']]], ['mcp_s__x', taken])[0]![0]).not.toBe(taken);
  });

  test('of servers that differ only in credentials cannot be told apart', () => {
    expect(() => build([['https://a:1@x.org/m', ['t']], ['https://b:2@x.org/m', ['t']]])).toThrow(UserError);
  });

  test.each([
    ['files', 'files'], ['streamable-http: https://example.com/mcp', 'streamable-http: https://example.com/mcp'], ['https://u:p@example.com/mcp?key=1#x', 'https://example.com/mcp'],
    ['sse: https://example.com/mcp?key=1', 'sse: https://example.com/mcp'], ['sse: secret', 'sse: <unreadable address>'], ['https://[bad?key=1', '<unreadable address>'],
  ])('show no credentials: %s', (name, shown) => {
    expect(publicServerName(name)).toBe(shown);
  });
});
