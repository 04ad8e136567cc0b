import { Agent as PeerAgent } from '@openai/agents-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Agent } from '../../actors/agent.ts';
import { ModelBehaviorError, UserError } from '../../actors/errors.ts';
import { handoff } from '../../actors/handoff.ts';
import type { MCPServer } from '../../actors/mcp.ts';
import type { Model } from '../../actors/ports.ts';
import { RunContext } from '../../actors/runContext.ts';
import { tool } from '../../actors/tool.ts';

const runContext = new RunContext({ user: 'Ann' });
const answer = z.object({ n: z.number() });
const add = tool({ name: 'add', description: 'Adds.', parameters: z.object({}), execute: () => '' });
const server = (name: string, ...tools: string[]): MCPServer => ({
  name, cacheToolsList: false, connect: async () => {}, close: async () => {}, invalidateToolsCache: async () => {}, callTool: async () => [],
  listTools: async () => tools.map((tool) => ({ name: tool, inputSchema: { type: 'object', properties: {}, required: [], additionalProperties: false } })),
});

describe('an agent', () => {
  test('has the defaults of the peer', () => {
    const [ours, theirs] = [new Agent({ name: 'A' }), new PeerAgent({ name: 'A' })];
    for (const key of ['name', 'instructions', 'prompt', 'handoffDescription', 'handoffs', 'model', 'modelSettings', 'tools', 'mcpServers', 'mcpConfig', 'inputGuardrails', 'outputGuardrails', 'outputType', 'toolUseBehavior', 'resetToolChoice', 'outputSchemaName'] as const) {
      expect(ours[key], key).toEqual(theirs[key]);
    }
    expect(ours.toJSON()).toEqual({ name: 'A' });
    expect(JSON.stringify({ agent: ours })).toBe('{"agent":{"name":"A"}}');
  });

  test.each(['gpt-5.2-pro', 'gpt-4.1', '', {} as Model])('A9: has the model settings that its model wants, as in the peer: %s', (model) => {
    expect(new Agent({ name: 'A', model }).modelSettings).toEqual(new PeerAgent({ name: 'A', model: model as string }).modelSettings);
    expect(new Agent({ name: 'A', model, modelSettings: { temperature: 1 } }).modelSettings).toEqual({ temperature: 1 });
  });

  test('needs a name, and an output type that can be sent', () => {
    expect(() => new Agent({ name: ' ' })).toThrow(UserError);
    expect(() => new Agent({ name: 'Clerk', outputType: z.object({ at: z.date() }) })).toThrow("agent 'Clerk' cannot be used at `at`");
  });

  test('makes its instructions and prompt for each call, or has them as they are', async () => {
    const dynamic = new Agent<{ user: string }>({ name: 'A', instructions: async (context, agent) => `${agent.name} for ${context.context.user}`, prompt: () => ({ promptId: 'p' }) });
    expect(await dynamic.getSystemPrompt(runContext)).toBe('A for Ann');
    expect(await dynamic.getPrompt(runContext)).toEqual({ promptId: 'p' });
    const fixed = new Agent({ name: 'A', instructions: 'Be kind.', prompt: { promptId: 'q' } });
    expect([await fixed.getSystemPrompt(runContext), await fixed.getPrompt(runContext)]).toEqual(['Be kind.', { promptId: 'q' }]);
  });

  test('names its output schema as the peer does', () => {
    const definition = { type: 'json_schema' as const, name: 'Answer', strict: true, schema: { type: 'object' as const, properties: {}, required: [], additionalProperties: false as const } };
    for (const outputType of ['text' as const, answer, definition]) expect(new Agent({ name: 'A', outputType }).outputSchemaName).toBe(new PeerAgent({ name: 'A', outputType }).outputSchemaName);
  });
});

describe('A1: what it offers', () => {
  test('is the tools of MCP servers first, then its own that are enabled', async () => {
    const off = tool({ name: 'off', description: '', parameters: z.object({}), execute: () => '', isEnabled: false });
    const asked = tool({ name: 'asked', description: '', parameters: z.object({}), execute: () => '', isEnabled: ({ agent, runContext: context }) => agent.name === 'A' && context === runContext });
    const agent = new Agent({ name: 'A', tools: [add, off, asked, { type: 'hosted_tool', name: 'web' }], mcpServers: [server('s', 'read', 'write')] });
    const offered = await agent.getAllTools(runContext);
    expect(offered.map(({ name }) => name)).toEqual(['read', 'write', 'add', 'asked', 'web']);
    expect(offered[2]).toBe(add);
  });

  test('gives MCP tools names that its own tools and handoffs leave free', async () => {
    const taken = tool({ name: 'mcp_s__read', description: '', parameters: z.object({}), execute: () => '' });
    const agent = new Agent({
      name: 'A', tools: [taken], handoffs: [handoff(new Agent({ name: 'B' }), { toolNameOverride: 'mcp_s__write' })],
      mcpServers: [server('s', 'read', 'write', 'list')], mcpConfig: { includeServerInToolNames: true },
    });
    const names = (await agent.getMcpTools(runContext)).map(({ name }) => name);
    expect(names[2]).toBe('mcp_s__list');
    expect(names.slice(0, 2)).toEqual([expect.stringMatching(/^mcp_s__read_[0-9a-f]{8}$/), expect.stringMatching(/^mcp_s__write_[0-9a-f]{8}$/)]);
  });

  test('completes tools from elsewhere', async () => {
    const literal = { type: 'function', name: 'l', description: '', parameters: {}, strict: false, invoke: async () => 'ok', needsApproval: async () => false, isEnabled: async () => true };
    const [offered] = await new Agent({ name: 'A', tools: [literal as never] }).getAllTools(runContext);
    expect(offered).toMatchObject({ effect: 'irreversible', parseInput: expect.any(Function) });
  });

  test('is the enabled handoffs; that of an agent is the same one every turn', async () => {
    const [b, c] = [new Agent({ name: 'B' }), new Agent({ name: 'C' })];
    const agent = new Agent({ name: 'A', handoffs: [b, handoff(c, { isEnabled: false })] });
    const [first] = await agent.getEnabledHandoffs(runContext);
    expect(await agent.getEnabledHandoffs(runContext)).toEqual([first]);
    expect((await agent.getEnabledHandoffs(runContext))[0]).toBe(first);
    b.handoffDescription = 'Changed.';
    expect((await agent.getEnabledHandoffs(runContext))[0]?.toolDescription).toContain('Changed.');
  });

  test('says whether its tools were configured', () => {
    expect([new Agent({ name: 'A' }), new Agent({ name: 'A', tools: [] })].map((agent) => agent.hasExplicitToolConfig())).toEqual([false, true]);
    expect(new Agent({ name: 'A' }).clone({ name: 'B' }).hasExplicitToolConfig()).toBe(false);
  });
});

describe('A4: final output', () => {
  test('of a text agent is the text', () => {
    expect(new Agent({ name: 'A' }).processFinalOutput('{"n":1}')).toBe('{"n":1}');
    expect(new Agent({ name: 'A' }).serializedOutputType).toBe('text');
  });

  test('of a structured agent is what the schema makes of it', () => {
    const agent = new Agent({ name: 'A', outputType: z.object({ n: z.number().transform((n) => n + 1) }) });
    expect(agent.processFinalOutput('{"n":1}')).toEqual({ n: 2 });
    expect(agent.parseFinalOutput('{"n":1}')).toEqual({ ok: true, value: { n: 2 } });
  });

  test.each([['{', 'it is not JSON'], ['{"n":"x"}', 'n: Invalid input: expected number, received string']])('%s is the model\'s mistake', (output, message) => {
    const agent = new Agent({ name: 'A', outputType: answer });
    expect(() => agent.processFinalOutput(output)).toThrow(ModelBehaviorError);
    expect(() => agent.processFinalOutput(output)).toThrow(`Invalid final output of agent 'A': ${message}`);
    expect(agent.parseFinalOutput(output)).toMatchObject({ ok: false, message: expect.stringContaining(message) });
  });

  test('follows an output type that is replaced', () => {
    const agent = new Agent<unknown, any>({ name: 'A' });
    agent.outputType = answer;
    expect(agent.processFinalOutput('{"n":1}')).toEqual({ n: 1 });
    expect(agent.serializedOutputType).toMatchObject({ type: 'json_schema', strict: true });
  });
});

describe('clone', () => {
  test('shares the lists it is not given, and takes the others as they are', () => {
    const original = new Agent({ name: 'A', instructions: 'i', tools: [add] });
    const cloned = original.clone({ name: 'B', handoffs: [] });
    expect(cloned).toMatchObject({ name: 'B', instructions: 'i' });
    expect(cloned.tools).toBe(original.tools);
    expect(cloned.handoffs).not.toBe(original.handoffs);
    expect(original.clone({ tools: undefined }).tools).toEqual([]);
  });

  test('to another model has that model\'s settings, unless they were configured', () => {
    const generated = new Agent({ name: 'A', model: 'gpt-5.2-pro' });
    generated.modelSettings.store = false;
    expect(generated.clone({ model: 'gpt-4.1' }).modelSettings).toEqual({ store: false });
    expect(new Agent({ name: 'A', modelSettings: { temperature: 1 } }).clone({ model: 'gpt-4.1' }).modelSettings).toEqual({ temperature: 1 });
    expect(generated.clone({ modelSettings: { topP: 1 } }).modelSettings).toEqual({ topP: 1 });
  });

  test('H1: has the hooks of its options, and not the listeners that were added', () => {
    const heard: string[] = [];
    const original = new Agent({ name: 'A', hooks: { turnStart: (_context, turn) => heard.push(`hook ${turn}`) } });
    original.on('agent_turn_start', () => heard.push('listener'));
    original.clone({ name: 'B' }).emit('agent_turn_start', runContext, 2);
    expect(heard).toEqual(['hook 2']);
    original.emit('agent_turn_start', runContext, 1);
    expect(heard).toEqual(['hook 2', 'hook 1', 'listener']);
  });
});

describe('handoffs to agents with another output type', () => {
  const { warn } = console;
  let warnings: unknown[] = [];
  beforeEach(() => { warnings = []; console.warn = (...words: unknown[]) => void warnings.push(...words); });
  afterEach(() => { console.warn = warn; });

  test('are warned about by name, unless the types are said to differ', () => {
    const other = new Agent<unknown, any>({ name: 'Other', outputType: answer });
    new Agent({ name: 'A', handoffs: [other, new Agent({ name: 'Same' })] });
    expect(warnings).toEqual(["Agent 'A' hands off to 'Other', whose final output has another type. Use Agent.create({ … }) to have the types reflect that."]);
    new Agent({ name: 'A', handoffs: [other], handoffOutputTypeWarningEnabled: false });
    Agent.create({ name: 'A', handoffs: [other] });
    new Agent({ name: 'A', outputType: answer, handoffs: [handoff(new Agent<unknown, any>({ name: 'B', outputType: z.object({ n: z.number() }) })) as never] });
    expect(warnings).toHaveLength(1);
  });
});
