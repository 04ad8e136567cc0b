import * as peer from '@openai/agents-core';
import { describe, expect, test } from 'vitest';
import { Agent } from '../../actors/agent.ts';
import { RunContext } from '../../actors/runContext.ts';
import {
  askToolInputGuardrail,
  askToolOutputGuardrail,
  defineToolInputGuardrail,
  defineToolOutputGuardrail,
  resolveToolInputGuardrails,
  resolveToolOutputGuardrails,
  runToolInputGuardrails,
  runToolOutputGuardrails,
  ToolGuardrailFunctionOutputFactory as verdict,
  type ToolGuardrailFunctionOutput,
} from '../../actors/toolGuardrail.ts';
import type { FunctionCallItem } from '../../machines/protocol/item.ts';

const agent = new Agent({ name: 'A' });
const toolCall: FunctionCallItem = { type: 'function_call', callId: 'c1', name: 'look', arguments: '{}' };
const call = { context: new RunContext(), agent, toolCall };

/** Guardrails that note who was asked, about what. */
function script() {
  const asked: [string, unknown][] = [];
  return {
    asked,
    input: (name: string, answer: ToolGuardrailFunctionOutput) =>
      defineToolInputGuardrail({ name, run: async (given) => (asked.push([name, given]), answer) }),
    output: (name: string, answer: ToolGuardrailFunctionOutput) =>
      defineToolOutputGuardrail({ name, run: async ({ output }) => (asked.push([name, output]), answer) }),
  };
}

describe('definitions', () => {
  const run = async () => verdict.allow();

  test('plain objects become definitions, definitions stay, nothing becomes an empty list', () => {
    const input = defineToolInputGuardrail({ name: 'g', run });
    const output = defineToolOutputGuardrail({ name: 'g', run });
    expect(resolveToolInputGuardrails([{ name: 'g', run }, input])).toEqual([{ type: 'tool_input', name: 'g', run }, input]);
    expect(resolveToolInputGuardrails([input])[0]).toBe(input);
    expect(resolveToolOutputGuardrails([{ name: 'g', run }, output])).toEqual([{ type: 'tool_output', name: 'g', run }, output]);
    expect(resolveToolOutputGuardrails([output])[0]).toBe(output);
    expect([resolveToolInputGuardrails(), resolveToolOutputGuardrails()]).toEqual([[], []]);
  });

  test('the factory makes the peer\'s answers', () => {
    const theirs = peer.ToolGuardrailFunctionOutputFactory;
    expect([verdict.allow(), verdict.allow(1), verdict.rejectContent('m', 2), verdict.throwException({ a: 1 })]).toEqual([
      theirs.allow(), theirs.allow(1), theirs.rejectContent('m', 2), theirs.throwException({ a: 1 }),
    ]);
  });
});

describe('E4: tool input guardrails', () => {
  test('are asked in order until one objects; its message is the answer', async () => {
    const { asked, input } = script();
    const results: unknown[] = [];
    const guardrails = [input('1', verdict.allow('ok')), input('2', verdict.rejectContent('no')), input('3', verdict.allow())];
    expect(await runToolInputGuardrails({ ...call, guardrails, onResult: (result) => results.push(result) })).toEqual({ type: 'reject', message: 'no' });
    expect(asked).toEqual([['1', call], ['2', call]]);
    expect(results).toEqual([
      { guardrail: { type: 'tool_input', name: '1' }, output: verdict.allow('ok') },
      { guardrail: { type: 'tool_input', name: '2' }, output: verdict.rejectContent('no') },
    ]);
  });

  test('that all allow, or are none, let the call through', async () => {
    const { input } = script();
    expect(await runToolInputGuardrails({ ...call, guardrails: [input('1', verdict.allow())] })).toEqual({ type: 'allow' });
    expect(await runToolInputGuardrails(call)).toEqual({ type: 'allow' });
  });

  test('may trip, after their result was reported', async () => {
    const { input } = script();
    const results: unknown[] = [];
    const running = runToolInputGuardrails({ ...call, guardrails: [input('1', verdict.throwException('why'))], onResult: (result) => results.push(result) });
    await expect(running).rejects.toMatchObject({
      name: 'ToolInputGuardrailTripwireTriggered',
      message: 'Tool input guardrail triggered: 1',
      result: { guardrail: { type: 'tool_input', name: '1' }, output: verdict.throwException('why') },
    });
    expect(results).toHaveLength(1);
  });
});

describe('E4: tool output guardrails', () => {
  test('are asked about the output in order; the first objection takes its place', async () => {
    const { asked, output } = script();
    const results: unknown[] = [];
    const guardrails = [output('1', verdict.allow()), output('2', verdict.rejectContent('hidden')), output('3', verdict.allow())];
    expect(await runToolOutputGuardrails({ ...call, toolOutput: { a: 1 }, guardrails, onResult: (result) => results.push(result) })).toBe('hidden');
    expect(asked).toEqual([['1', { a: 1 }], ['2', { a: 1 }]]);
    expect(results).toHaveLength(2);
  });

  test('that all allow, or are none, let the very output through', async () => {
    const { output } = script();
    const toolOutput = { a: 1 };
    expect(await runToolOutputGuardrails({ ...call, toolOutput, guardrails: [output('1', verdict.allow())] })).toBe(toolOutput);
    expect(await runToolOutputGuardrails({ ...call, toolOutput })).toBe(toolOutput);
  });

  test('may trip', async () => {
    const { output } = script();
    await expect(runToolOutputGuardrails({ ...call, toolOutput: 1, guardrails: [output('1', verdict.throwException())] })).rejects.toMatchObject({
      name: 'ToolOutputGuardrailTripwireTriggered',
      message: 'Tool output guardrail triggered: 1',
      result: { guardrail: { type: 'tool_output', name: '1' } },
    });
  });
});

describe('E5: a tool guardrail that checks nothing fails closed, by a GuardrailExecutionError', () => {
  const failures: [string, () => Promise<ToolGuardrailFunctionOutput>, string][] = [
    ['throws at once', () => { throw new TypeError('bug'); }, 'TypeError: bug'],
    ['throws no error', async () => { throw 'plain'; }, 'Error: plain'],
    ['answers nothing', async () => undefined as never, 'allow, rejectContent or throwException'],
    ['answers with no behaviour', async () => ({}) as never, 'allow, rejectContent or throwException'],
    ['answers with an unknown behaviour', async () => ({ behavior: { type: 'reject' } }) as never, 'allow, rejectContent or throwException'],
    ['rejects without a message', async () => ({ behavior: { type: 'rejectContent' } }) as never, 'allow, rejectContent or throwException'],
  ];
  test.each(failures)('one that %s', async (_how, run, text) => {
    const asking = {
      input: askToolInputGuardrail(defineToolInputGuardrail({ name: 'g', run }), call),
      output: askToolOutputGuardrail(defineToolOutputGuardrail({ name: 'g', run }), { ...call, output: 1 }),
    };
    for (const [kind, asked] of Object.entries(asking)) {
      const error = await asked.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'GuardrailExecutionError', message: expect.stringContaining(`Tool ${kind} guardrail "g" failed to complete: `) });
      expect(error).toMatchObject({ message: expect.stringContaining(text), error: expect.any(Error) });
    }
  });
});
