import { tool as peerTool } from '@openai/agents-core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Agent } from '../../actors/agent.ts';
import { InvalidToolInputError, InvalidToolOutputError, UserError } from '../../actors/errors.ts';
import { RunContext } from '../../actors/runContext.ts';
import { adoptFunctionTool, isToolEnabled, tool, toolNamespace, type FunctionTool, type ToolCallDetails } from '../../actors/tool.ts';

const context = new RunContext();
const agent = new Agent({ name: 'A' });
const base = { name: 'pay', description: 'Pays.', parameters: z.object({ amount: z.number() }) };
const pay = tool({ ...base, execute: ({ amount }) => ({ paid: amount }) });

describe('tool()', () => {
  test('has the defaults of the peer, and assumes nothing about effects', () => {
    const theirs = peerTool({ ...base, execute: () => '' });
    for (const key of ['type', 'name', 'description', 'strict', 'deferLoading', 'providerData', 'timeoutMs', 'timeoutBehavior', 'inputGuardrails', 'outputGuardrails'] as const) {
      expect(pay[key], key).toEqual(theirs[key]);
    }
    expect(pay).toMatchObject({ effect: 'irreversible', parallel: true, repeatable: false, approvalPolicy: false });
    expect([pay.check, pay.terminal, pay.delegate]).toEqual([undefined, undefined, undefined]);
  });

  test('keeps what is declared', () => {
    const check = async () => ({ happened: false }) as const;
    const declared = tool({
      ...base, execute: () => '', effect: 'reconcilable', check, parallel: false, repeatable: true, terminal: 'completed', deferLoading: true,
      providerData: { a: 1 }, allowedCallers: ['direct'], timeoutMs: 5, needsApproval: true, isEnabled: false,
    });
    expect(declared).toMatchObject({
      effect: 'reconcilable', check, parallel: false, repeatable: true, terminal: 'completed', deferLoading: true,
      providerData: { a: 1 }, allowedCallers: ['direct'], timeoutMs: 5, approvalPolicy: true,
    });
  });

  test('names the tool after its function, in characters that providers accept', () => {
    expect(tool({ description: '', parameters: z.object({}), execute: function lookUp() { return ''; } }).name).toBe('lookUp');
    expect(tool({ ...base, name: 'look up: ü-1', execute: () => '' }).name).toBe('look_up____1');
  });

  test('resolves guardrails into the form that the loop runs', () => {
    const run = async () => ({ behavior: { type: 'allow' as const } });
    expect(tool({ ...base, execute: () => '', inputGuardrails: [{ name: 'in', run }], outputGuardrails: [{ name: 'out', run }] })).toMatchObject({
      inputGuardrails: [{ type: 'tool_input', name: 'in', run }],
      outputGuardrails: [{ type: 'tool_output', name: 'out', run }],
    });
  });

  const contradictions: [string, () => unknown, string][] = [
    ['no name', () => tool({ description: '', parameters: z.object({}), execute: (() => () => '')() }), 'needs a name'],
    ['no body', () => tool({ ...base, execute: undefined as never }), "Tool 'pay' needs an `execute`"],
    ['a timeout of zero', () => tool({ ...base, execute: () => '', timeoutMs: 0 }), 'above 0'],
    ['a timeout that never comes', () => tool({ ...base, execute: () => '', timeoutMs: Infinity }), 'at most 2147483647'],
    ['a timeout that is no number', () => tool({ ...base, execute: () => '', timeoutMs: '5' as never }), 'milliseconds'],
    ['an unknown timeout behaviour', () => tool({ ...base, execute: () => '', timeoutBehavior: 'ignore' as never }), "got 'ignore'"],
    ['a timeout text that is no function', () => tool({ ...base, execute: () => '', timeoutErrorFunction: 'late' as never }), 'must be a function'],
    ['an unknown effect', () => tool({ ...base, execute: () => '', effect: 'safe' as never }), 'pure, idempotent, reconcilable, irreversible'],
    ['reconcilable without a check', () => tool({ ...base, execute: () => '', effect: 'reconcilable' }), 'needs a `check`'],
    ['a check that nobody asks', () => tool({ ...base, execute: () => '', check: async () => ({ happened: false }) }), "only a tool with effect: 'reconcilable'"],
    ['an unknown end', () => tool({ ...base, execute: () => '', terminal: 'done' as never }), "'completed' or 'rejected'"],
    ['no caller', () => tool({ ...base, execute: () => '', allowedCallers: [] as never }), 'at least one'],
    ['an unknown caller', () => tool({ ...base, execute: () => '', allowedCallers: ['batch'] as never }), "'batch'"],
    ['a caller named twice', () => tool({ ...base, execute: () => '', allowedCallers: ['direct', 'direct'] }), 'twice'],
    ['structured timeouts without a result', () => tool({ ...base, outputSchema: z.object({}), execute: () => ({}), timeoutBehavior: 'error_as_result' } as never), 'timeoutErrorFunction'],
    ['a schema that cannot be sent', () => tool({ ...base, parameters: z.object({ when: z.date() }), execute: () => '' }), "tool 'pay' cannot be used at `when`"],
  ];
  test.each(contradictions)('refuses %s', (_name, declare, message) => {
    expect(declare).toThrow(UserError);
    expect(declare).toThrow(message);
  });
});

describe('C1: reading the arguments', () => {
  test('tells text that is no JSON from JSON that does not fit', () => {
    expect(pay.parseInput('{"amount":3}')).toEqual({ ok: true, value: { amount: 3 } });
    expect(pay.parseInput('{"amount":')).toMatchObject({ ok: false, reason: 'json' });
    expect(pay.parseInput('')).toMatchObject({ ok: false, reason: 'json' });
    expect(pay.parseInput('{"amount":"3"}')).toEqual({ ok: false, reason: 'schema', message: 'amount: Invalid input: expected number, received string' });
  });

  test('gives a tool without parameters the text as the model wrote it', async () => {
    const raw = tool({ name: 'raw', description: '', parameters: undefined, execute: (input) => input.toUpperCase() });
    expect(raw.parseInput('{not json')).toEqual({ ok: true, value: '{not json' });
    expect(await raw.invoke(context, 'abc')).toBe('ABC');
    expect(raw.parameters).toEqual({ type: 'object', properties: {}, required: [], additionalProperties: false });
  });
});

describe('C8: the body', () => {
  test('gets the parsed arguments, the context and the details as they are', async () => {
    const seen: unknown[] = [];
    const spy = tool({ ...base, execute: (...args) => { seen.push(args); return 'done'; } });
    const details: ToolCallDetails = { callId: 'c1', effectId: 'run/toolCall.1.0/execute#1', signal: new AbortController().signal };
    expect(await spy.execute({ amount: 1 }, context, details)).toBe('done');
    expect(seen).toEqual([[{ amount: 1 }, context, details]]);
  });

  test('lets its errors through to the loop', async () => {
    const boom = new Error('boom');
    const failing = tool({ ...base, execute: () => { throw boom; } });
    await expect(failing.execute({ amount: 1 }, context)).rejects.toBe(boom);
  });

  test('that breaks its output schema is an error that carries the output', async () => {
    const declared = tool({ ...base, outputSchema: z.object({ id: z.string() }), execute: () => ({ id: 7 as unknown as string }) });
    expect(declared.outputSchema).toMatchObject({ type: 'object', required: ['id'] });
    const failure: unknown = await declared.execute({ amount: 1 }, context).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InvalidToolOutputError);
    expect(failure).toMatchObject({ message: "Invalid output of tool 'pay': id: Invalid input: expected string, received number", toolOutput: { output: { id: 7 } } });
    expect(declared.errorFunction).toBeNull();
    expect(declared.timeoutBehavior).toBe('raise_exception');
  });
});

describe('adoptFunctionTool', () => {
  test('returns what tool() made, and copies of it that agree with themselves', () => {
    expect(adoptFunctionTool(pay)).toBe(pay);
    const renamed = { ...pay, name: 'other' };
    expect(adoptFunctionTool(renamed)).toBe(renamed);
  });

  test('D6: a copy whose needsApproval was replaced is asked, not taken at the word of the original', () => {
    const needsApproval = async () => true;
    const guarded = adoptFunctionTool({ ...pay, needsApproval });
    expect(guarded.approvalPolicy).toBe(needsApproval);
    expect(guarded.execute).toBe(pay.execute);
  });

  test('a copy whose invoke was replaced runs what it was replaced by', async () => {
    const calls: string[] = [];
    const wrapped = adoptFunctionTool({ ...pay, invoke: async (_context: RunContext, input: string) => { calls.push(input); return 'wrapped'; } });
    const parsed = wrapped.parseInput('{"amount":1}');
    expect(parsed).toEqual({ ok: true, value: { amount: 1 } });
    expect(await wrapped.execute({ amount: 1 }, context)).toBe('wrapped');
    expect(calls).toEqual(['{"amount":1}']);
  });

  test('a copy whose execute was replaced keeps it', async () => {
    const replaced = adoptFunctionTool({ ...pay, execute: async () => 'mine' });
    expect(await replaced.execute({}, context)).toBe('mine');
  });

  test('completes a tool that the peer made, once, and again when it changes', async () => {
    const theirs = peerTool({ ...base, execute: ({ amount }) => `paid ${amount}` }) as unknown as FunctionTool<unknown, any, any>;
    const adopted = adoptFunctionTool(theirs);
    expect(adopted).toMatchObject({ effect: 'irreversible', parallel: true, repeatable: false, errorFunction: null, approvalPolicy: theirs.needsApproval });
    expect(adopted.parseInput('{')).toMatchObject({ ok: false, reason: 'json' });
    expect(await adopted.execute({ amount: 2 }, context)).toBe('paid 2');
    expect(adoptFunctionTool(theirs)).toBe(adopted);
    theirs.timeoutMs = 7;
    expect(adoptFunctionTool(theirs).timeoutMs).toBe(7);
  });
});

describe('isEnabled', () => {
  test('a constant is known at once, a function is asked with context and agent', async () => {
    expect(isToolEnabled(pay, context, agent)).toBe(true);
    expect(isToolEnabled(tool({ ...base, execute: () => '', isEnabled: false }), context, agent)).toBe(false);
    const asked: unknown[] = [];
    const asking = tool({ ...base, execute: () => '', isEnabled: (args) => { asked.push(args); return false; } });
    expect(await isToolEnabled(asking, context, agent)).toBe(false);
    expect(asked).toEqual([{ runContext: context, agent }]);
    expect(await asking.isEnabled(context, agent)).toBe(false);
  });

  test('of a literal may be missing or a plain boolean', () => {
    expect(isToolEnabled({ ...pay, isEnabled: undefined as never }, context, agent)).toBe(true);
    expect(isToolEnabled({ ...pay, isEnabled: false as never }, context, agent)).toBe(false);
  });
});

describe('toolNamespace', () => {
  test('returns copies that carry the namespace and work like the originals', async () => {
    const [grouped] = toolNamespace({ name: ' crm tools ', description: ' Customers. ', tools: [pay] as const });
    expect(grouped).toMatchObject({ name: 'pay', namespace: 'crm_tools', namespaceDescription: 'Customers.' });
    expect(pay.namespace).toBeUndefined();
    expect(adoptFunctionTool(grouped)).toBe(grouped);
    expect(await grouped.invoke(context, '{"amount":1}')).toEqual({ paid: 1 });
  });

  test.each<[string, never, string]>([
    ['no name', { name: ' ', description: 'd', tools: [] } as never, 'needs a name'],
    ['no description', { name: 'n', tools: [] } as never, 'needs a description'],
    ['no list', { name: 'n', description: 'd', tools: pay } as never, 'list of function tools'],
    ['other tools', { name: 'n', description: 'd', tools: [{ type: 'hosted_tool' }] } as never, 'list of function tools'],
    ['a tool of its own name', { name: 'pay', description: 'd', tools: [pay] } as never, 'ambiguous'],
  ])('refuses %s', (_name, options, message) => {
    expect(() => toolNamespace(options)).toThrow(message);
  });
});

test('C2: invoke words every failure for the model, and passes on only what the user wants passed on', async () => {
  const failing = (over: object) => tool({ ...base, execute: () => { throw new Error('secret'); }, ...over } as typeof base & { execute: () => string });
  const generic = 'An error occurred while running the tool. Please try again.';
  expect(await failing({}).invoke(context, '{"amount":1}')).toBe(generic);
  expect(await failing({}).invoke(context, '{"amount":"x"}')).toBe(generic);
  expect(await failing({}).invoke(context, '{')).toBe(generic);
  const seen: unknown[] = [];
  const worded = failing({ errorFunction: (_context: unknown, error: unknown) => { seen.push(error); return 'sorry'; } });
  expect(await worded.invoke(context, '{"amount":"x"}')).toBe('sorry');
  expect(seen[0]).toBeInstanceOf(InvalidToolInputError);
  expect(seen[0]).toMatchObject({ message: "Invalid input for tool 'pay': amount: Invalid input: expected number, received string", toolInvocation: { input: '{"amount":"x"}' } });
  await expect(failing({ errorFunction: null }).invoke(context, '{"amount":1}')).rejects.toThrow('secret');
  await expect(failing({ errorFunction: null }).invoke(context, '{')).rejects.toBeInstanceOf(InvalidToolInputError);
});
