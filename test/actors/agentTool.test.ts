import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fails, says, scriptedModel } from '../../adapters/scripted/index.ts';
import { Agent } from '../../actors/agent.ts';
import { defaultInputBuilder, summarizeSchema } from '../../actors/agentToolInput.ts';
import { ModelBehaviorError, UserError } from '../../actors/errors.ts';
import { nestedRunConfig } from '../../actors/nestedRunConfig.ts';
import type { Model, ModelProvider } from '../../actors/ports.ts';
import { RunContext } from '../../actors/runContext.ts';
import { resolveSchema } from '../../actors/schema.ts';

const expert = new Agent({ name: 'Tax expert' });
const parameters = z.object({ year: z.number().describe('the tax year'), note: z.string().optional() });

describe('F5: asTool', () => {
  test('makes a function tool named after the agent that takes one text', () => {
    const made = expert.asTool({ toolDescription: 'Knows taxes.', needsApproval: true, isEnabled: false });
    expect(made).toMatchObject({
      type: 'function', name: 'Tax_expert', description: 'Knows taxes.', strict: true, approvalPolicy: true, delegate: { agent: expert, failureAsResult: true, capturesInput: false },
      parameters: { type: 'object', properties: { input: { type: 'string' } }, required: ['input'], additionalProperties: false },
    });
    expect(made.parseInput('{"input":"How much?"}')).toEqual({ ok: true, value: { input: 'How much?' } });
    expect(made.parseInput('{"input":3}')).toEqual({ ok: false, reason: 'schema', message: 'input: expected a string' });
  });

  test('gives the nested agent the text alone, or structured arguments with what is known of them', async () => {
    expect(await expert.asTool({}).delegate.buildInput({ input: 'How much?' })).toBe('How much?');
    const structured = await expert.asTool({ parameters }).delegate.buildInput({ year: 2024 });
    expect(structured).toContain('"year": 2024');
    expect(structured).toContain('- year (number, required) - the tax year\n- note (string, optional)');
    const withSchema = await expert.asTool({ parameters, includeInputSchema: true }).delegate.buildInput({ year: 2024 });
    expect(withSchema).toContain('"additionalProperties": false');
    expect(await expert.asTool({ parameters: z.object({ a: z.string() }) }).delegate.buildInput({ a: 'x' })).toBe('{"a":"x"}');
  });

  test('lets a builder make the input, which must be input', async () => {
    const seen: unknown[] = [];
    const built = expert.asTool({ parameters, inputBuilder: async (options) => { seen.push(options); return [{ role: 'user', content: `Year ${options.params.year}` }]; } });
    expect(await built.delegate.buildInput({ year: 2024 })).toEqual([{ role: 'user', content: 'Year 2024' }]);
    expect(seen).toEqual([{ params: { year: 2024 }, summary: expect.any(String), jsonSchema: undefined }]);
    expect(built.delegate.capturesInput).toBe(true);
    await expect(expert.asTool({ inputBuilder: () => 7 as never }).delegate.buildInput({ input: 'x' })).rejects.toThrow(ModelBehaviorError);
  });

  test('keeps what the nested run is to be run with', () => {
    const runOptions = { maxTurns: 3 };
    const runConfig = { model: 'gpt-4.1' };
    expect(expert.asTool({ runOptions, runConfig, failureAsResult: false, resumeState: { contextStrategy: 'replace' }, onStreamMaxPendingEvents: null })).toMatchObject({
      errorFunction: null,
      delegate: { runOptions, runConfig, maxTurns: 3, failureAsResult: false, contextStrategy: 'replace', maxPendingEvents: null },
    });
    expect(expert.asTool({}).delegate).toMatchObject({ runOptions: {}, runConfig: {}, contextStrategy: 'merge', maxPendingEvents: 1024 });
    expect(() => expert.asTool({ onStreamMaxPendingEvents: 0 })).toThrow(UserError);
  });

  test('hands events to onStream and to handlers by kind, side by side, and survives those that fail', async () => {
    const heard: string[] = [];
    const made = expert.asTool({ onStream: async () => { heard.push('onStream'); throw new Error('mine'); } });
    expect(made.delegate.isStreaming()).toBe(true);
    expect(made.on('agent_updated_stream_event', () => { heard.push('by kind'); throw new Error('mine too'); }).on('*', () => void heard.push('all')).on('raw_model_stream_event', () => void heard.push('other'))).toBe(made);
    await made.delegate.onStream({ event: { type: 'agent_updated_stream_event', agent: expert } as never, agent: expert });
    expect(heard).toEqual(['onStream', 'by kind', 'all']);
  });

  test('streams only when somebody listens, be it added later', () => {
    const made = expert.asTool({});
    expect(made.delegate.isStreaming()).toBe(false);
    made.on('*', () => {});
    expect(made.delegate.isStreaming()).toBe(true);
  });
});

describe('F5: the tool\'s result', () => {
  const wrote = (text: string) => [{ output: [{ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] }] }];
  const structured = new Agent<unknown, any>({ name: 'S', outputType: z.object({ n: z.number() }) });
  const extract = (agent: Agent<any, any>, result: object) => agent.asTool({}).delegate.extractOutput(result as never);

  test.each<[string, Agent<any, any>, object, string]>([
    ['a text agent answers with its final output', expert, { finalOutput: 'from a tool', rawResponses: wrote('commentary') }, 'from a tool'],
    ['an empty answer is an answer', expert, { finalOutput: '', rawResponses: wrote('commentary') }, ''],
    ['a structured agent answers with the JSON its model wrote', structured, { finalOutput: { n: 1 }, rawResponses: wrote('{ "n": 1 }') }, '{ "n": 1 }'],
    ['or with its final output, when the model wrote none', structured, { finalOutput: { n: 2 }, rawResponses: wrote(' ') }, '{"n":2}'],
    ['what a guardrail checked is what is passed on', structured, { finalOutput: { n: 9 }, rawResponses: wrote('{"n":1}'), outputGuardrailResults: [{ agentOutput: { n: 3 }, agent: structured }] }, '{"n":3}'],
    ['the last agent says how its output is written', expert, { finalOutput: { n: 4 }, lastAgent: structured, rawResponses: [] }, '{"n":4}'],
    ['a run that was stopped answers with what was said', expert, { rawResponses: wrote('so far') }, 'so far'],
    ['a run without any answer is empty', expert, { rawResponses: [{ output: [] }] }, ''],
    ['a run that waits for approval is empty', expert, { finalOutput: undefined, interruptions: [{}], rawResponses: wrote('so far') }, ''],
  ])('%s', async (_name, agent, result, text) => {
    expect(await extract(agent, result)).toBe(text);
  });

  test('is what an extractor makes of the run', async () => {
    const made = expert.asTool({ customOutputExtractor: async (result) => `got ${String(result.finalOutput)}` });
    expect(await made.delegate.extractOutput({ finalOutput: 'x' } as never)).toBe('got x');
  });
});

describe('what is told about structured arguments', () => {
  const summaryOf = (schema: z.ZodObject<any>) => summarizeSchema(resolveSchema(schema, { owner: 't' }).jsonSchema);

  test('is a line for each plain field', () => {
    const schema = z.object({
      kind: z.enum(['a', 'b']).describe('which'), only: z.literal('x'), maybe: z.string().nullable(), count: z.number().int().optional().describe('how many'), flag: z.boolean().default(true),
    }).describe('An order.');
    expect(summaryOf(schema)).toBe([
      'Description: An order.', '- kind (one of "a", "b", required) - which', '- only ("x", required)', '- maybe (string or null, required)',
      '- count (integer, optional) - how many', '- flag (boolean, required)',
    ].join('\n'));
  });

  test('is nothing when nothing is described, or a field is not plain', () => {
    expect(summaryOf(z.object({ a: z.string() }))).toBeUndefined();
    expect(summaryOf(z.object({ a: z.string().describe('x'), list: z.array(z.string()) }))).toBeUndefined();
    expect(summarizeSchema({ type: 'object' } as never)).toBeUndefined();
  });

  test('prefers the schema to the summary, and writes big numbers', () => {
    const jsonSchema = { type: 'object' as const, properties: {}, required: [], additionalProperties: false as const };
    const text = defaultInputBuilder({ params: { n: 1n }, summary: '- n (whole number)', jsonSchema });
    expect(text).toContain('"n": "1"');
    expect(text).toContain('"type": "object"');
    expect(text).not.toContain('whole number');
    expect(defaultInputBuilder({ params: undefined })).toContain('null');
  });
});

describe('nestedRunConfig', () => {
  const provider: ModelProvider = { getModel: async () => ({}) as Model };
  const parent = {
    modelProvider: provider, model: 'gpt-4.1', modelSettings: { temperature: 1, toolChoice: 'required', parallelToolCalls: false, providerData: { extra_headers: { a: '1' }, user: 'u' } },
    inputGuardrails: [], workflowName: 'outer', toolNotFoundBehavior: 'raise_error',
  } as never;

  test('passes on policies, and nothing that was meant for the parent alone', () => {
    expect(nestedRunConfig(parent)).toEqual({
      modelProvider: provider, model: 'gpt-4.1', modelSettings: { temperature: 1, providerData: { extra_headers: { a: '1' }, user: 'u' } }, toolNotFoundBehavior: 'raise_error',
    });
    expect(nestedRunConfig(undefined, { model: 'm' })).toEqual({ model: 'm' });
  });

  test('what the nested run says itself comes first, and settings are merged', () => {
    expect(nestedRunConfig(parent, { model: 'own', modelSettings: { temperature: 0, providerData: { user: 'v' } } })).toMatchObject({
      model: 'own', modelSettings: { temperature: 0, providerData: { extra_headers: { a: '1' }, user: 'v' } },
    });
  });

  test('a provider of its own brings its own models, a model of its own its own transport', () => {
    const own: ModelProvider = { getModel: async () => ({}) as Model };
    expect(nestedRunConfig(parent, { modelProvider: own })).toEqual({ modelProvider: own, toolNotFoundBehavior: 'raise_error' });
    expect(nestedRunConfig(parent, {}, {} as Model)).toMatchObject({ modelSettings: { providerData: { user: 'u' } } });
    expect(nestedRunConfig(parent, {}, {} as Model).modelSettings?.providerData).toEqual({ user: 'u' });
  });
});

describe('F5: an agent tool invoked without a loop', () => {
  test('runs the agent on its input and answers with its output', async () => {
    const model = scriptedModel(says('42'));
    const made = new Agent({ name: 'Expert', model }).asTool({ toolDescription: 'Knows.' });
    const runContext = new RunContext({ user: 'Ann' });
    expect(await made.invoke(runContext, '{"input":"How much?"}')).toBe('42');
    expect(model.requests).toMatchObject([{ input: [{ role: 'user', content: 'How much?' }] }]);
    expect(runContext.usage.requests).toBe(1);
  });

  test('gives the nested run the context, the structured input and the parent\'s provider', async () => {
    const model = scriptedModel(says('done'));
    const named: (string | undefined)[] = [];
    const modelProvider: ModelProvider = { getModel: (name) => { named.push(name); return model; } };
    const seen: unknown[] = [];
    const expert = new Agent<{ user: string }>({ name: 'Expert', instructions: (context) => { seen.push(context.context, context.toolInput); return 'Be brief.'; } });
    const made = expert.asTool({ parameters: z.object({ year: z.number() }), runConfig: { model: 'own-model' } });
    await made.invoke(new RunContext({ user: 'Ann' }), '{"year":2024}', { parentRunConfig: { modelProvider, model: 'theirs' } });
    expect(seen).toEqual([{ user: 'Ann' }, { year: 2024 }]);
    expect(named).toEqual(['own-model']);
  });

  test('hands its events to those who listen', async () => {
    const model = scriptedModel(says('streamed'));
    const kinds: string[] = [];
    const made = new Agent({ name: 'Expert', model }).asTool({}).on('*', ({ event, agent }) => void kinds.push(`${agent.name} ${event.type}`));
    expect(await made.invoke(new RunContext(), '{"input":"x"}')).toBe('streamed');
    expect(new Set(kinds)).toEqual(new Set(['Expert agent_updated_stream_event', 'Expert raw_model_stream_event', 'Expert run_item_stream_event']));
  });

  test('says what call it answers, and fails as a result unless told otherwise', async () => {
    const model = scriptedModel(says('a'), fails({ message: 'down' }), fails({ message: 'down' }));
    const expert = new Agent({ name: 'Expert', model });
    const invocations: unknown[] = [];
    const made = expert.asTool({ customOutputExtractor: (result) => { invocations.push(result.agentToolInvocation); return 'seen'; } });
    const toolCall = { type: 'function_call' as const, callId: 'c1', name: 'Expert', arguments: '{"input":"x"}' };
    expect(await made.invoke(new RunContext(), toolCall.arguments, { toolCall })).toBe('seen');
    expect(invocations).toEqual([{ toolName: 'Expert', toolCallId: 'c1', toolArguments: '{"input":"x"}' }]);
    expect(await expert.asTool({}).invoke(new RunContext(), '{"input":"x"}')).toContain('An error occurred while running the tool');
    await expect(expert.asTool({ failureAsResult: false }).invoke(new RunContext(), '{"input":"x"}')).rejects.toThrow('down');
  });
});
