import { describe, expect, test } from 'vitest';
import { Agent } from '../../actors/agent.ts';
import { defineInputGuardrail, defineOutputGuardrail, type GuardrailFunctionOutput } from '../../actors/guardrail.ts';
import { RunContext } from '../../actors/runContext.ts';

const agent = new Agent({ name: 'A' });
const context = new RunContext({ u: 1 });
const passes: GuardrailFunctionOutput = { tripwireTriggered: false, outputInfo: 'fine' };
const trips: GuardrailFunctionOutput = { tripwireTriggered: true, outputInfo: 'not fine' };

describe('defineInputGuardrail', () => {
  test('E1: runs beside the model unless it says otherwise', () => {
    const execute = async () => passes;
    expect(defineInputGuardrail({ name: 'g', execute })).toMatchObject({ type: 'input', name: 'g', runInParallel: true, guardrailFunction: execute });
    expect(defineInputGuardrail({ name: 'g', execute, runInParallel: false }).runInParallel).toBe(false);
  });

  test.each([passes, trips])('gives its arguments to the check and names itself in the result: %j', async (output) => {
    const seen: unknown[] = [];
    const guardrail = defineInputGuardrail({ name: 'g', execute: async (args) => (seen.push(args), output) });
    const args = { agent, input: 'hi', context };
    expect(await guardrail.run(args)).toEqual({ guardrail: { type: 'input', name: 'g' }, output });
    expect(seen).toEqual([args]);
  });
});

describe('defineOutputGuardrail', () => {
  test('E3: the result keeps the output and the agent it was about', async () => {
    const seen: unknown[] = [];
    const guardrail = defineOutputGuardrail({ name: 'g', execute: async (args) => (seen.push(args), trips) });
    const args = { agent, agentOutput: 'answer', context, details: { output: [] } };
    expect(await guardrail.run(args)).toEqual({ guardrail: { type: 'output', name: 'g' }, agentOutput: 'answer', agent, output: trips });
    expect(seen).toEqual([args]);
  });
});

describe('E5: a guardrail that checks nothing fails closed, by a GuardrailExecutionError', () => {
  const bug = new TypeError('bug');
  const failures: [string, () => Promise<GuardrailFunctionOutput>, string][] = [
    ['throws at once', () => { throw bug; }, 'TypeError: bug'],
    ['rejects', async () => { throw bug; }, 'TypeError: bug'],
    ['throws no error', async () => { throw 'plain'; }, 'Error: plain'],
    ['answers nothing', async () => undefined as never, 'must return { tripwireTriggered: true | false'],
    ['leaves the verdict out', async () => ({ outputInfo: 1 }) as never, 'must return { tripwireTriggered: true | false'],
    ['gives a verdict that is no boolean', async () => ({ tripwireTriggered: 'no', outputInfo: 1 }) as never, 'must return { tripwireTriggered: true | false'],
  ];
  test.each(failures)('an input guardrail that %s', async (_how, execute, text) => {
    const running = defineInputGuardrail({ name: 'g', execute }).run({ agent, input: 'hi', context });
    const error = await running.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'GuardrailExecutionError', message: expect.stringContaining('Input guardrail "g" failed to complete: ') });
    expect(error).toMatchObject({ message: expect.stringContaining(text), error: expect.any(Error) });
  });

  test.each(failures)('an output guardrail that %s', async (_how, execute, text) => {
    const running = defineOutputGuardrail({ name: 'g', execute }).run({ agent, agentOutput: 'x', context });
    const error = await running.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'GuardrailExecutionError', message: expect.stringContaining('Output guardrail "g" failed to complete: ') });
    expect(error).toMatchObject({ message: expect.stringContaining(text), error: expect.any(Error) });
  });

  test('the original error is kept', async () => {
    const guardrail = defineInputGuardrail({ name: 'g', execute: async () => { throw bug; } });
    await expect(guardrail.run({ agent, input: 'hi', context })).rejects.toMatchObject({ error: bug, cause: bug });
  });
});
