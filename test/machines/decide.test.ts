import { describe, expect, test } from 'vitest';
import { type TurnDecision, decideNext, outputText, skipAfterTerminal } from '../../machines/decide.ts';
import type { Call, CallResult, Response, ToolUse } from '../../machines/protocol/call.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import { asked, callOf, handoffTo, responseOf, resultOf } from './samples.ts';

const look = callOf(0);
const pay = callOf(1, {}, { name: 'pay' });
const hosted: AgentInputItem = { type: 'hosted_tool_call', name: 'web_search', status: 'completed' };
const shell: Call = { ...callOf(0), item: { type: 'shell_call', callId: 'call_0', action: { commands: ['ls'] } } };

const bare = (more: Partial<Response>): Response => responseOf([], { final: undefined, items: [], ...more });
const bothDone: Record<string, CallResult> = { 0: resultOf(look), 1: resultOf(pay) };
const called = (toolUse: ToolUse, more: Partial<Response> = {}): Response => responseOf([look, pay], { toolUse, ...more });

const again: TurnDecision = { next: 'again', guard: 'callsNeedAnswer' };
const final = (finalOutput: unknown): TurnDecision => ({ next: 'final', guard: 'isFinalOutput', finalOutput });
const fromTool = (finalOutput: unknown): TurnDecision => ({ ...final(finalOutput), finalFromTool: true });

describe('A2: what comes after a response and its calls', () => {
  test.each<[claim: string, Response, Record<string, CallResult>, { finalOutput: unknown } | undefined, TurnDecision]>([
    ['text is a final output', responseOf(), {}, undefined, final('done')],
    ['A4: a structured value is a final output', bare({ final: { output: { city: 'Oslo' } } }), {}, undefined, final({ city: 'Oslo' })],
    ['A4: an invalid structured value is no final output', bare({ final: { invalid: 'no JSON' } }), {}, undefined, { next: 'invalid', guard: 'isInvalidOutput' }],
    ['a handoff beats everything else', called('stop_on_first_tool', { handoff: handoffTo('other') }), bothDone, { finalOutput: 1 }, { next: 'handoff', guard: 'isHandoff' }],
    ['A6: what a function chose beats text and tools', called('function', { final: { output: 'text' } }), bothDone, { finalOutput: 0 }, fromTool(0)],
    ['a local call asks for another turn', called('run_llm_again'), bothDone, undefined, again],
    ['text beside a local call is not final', called('run_llm_again', { final: { output: 'text' } }), bothDone, undefined, again],
    ['A6: the first tool ends the run where the agent says so', called('stop_on_first_tool'), bothDone, undefined, fromTool('result of call_0')],
    ['A6: a named tool ends the run, wherever it stands', called({ stopAtToolNames: ['pay'] }), bothDone, undefined, fromTool('result of call_1')],
    ['A6: other tools do not', called({ stopAtToolNames: ['fly'] }), bothDone, undefined, again],
    ['A6: no result counts when one was cut short', called('stop_on_first_tool'), { ...bothDone, 1: resultOf(pay, { status: 'aborted' }) }, undefined, again],
    ['A6: a rejected first tool ends the run with its message', called('stop_on_first_tool'), { ...bothDone, 0: resultOf(look, { status: 'rejected', output: 'no' }) }, undefined, fromTool('no')],
    ['A6: hosted and shell calls are no tools in this sense', responseOf([shell], { toolUse: 'stop_on_first_tool' }), { 0: resultOf(shell) }, undefined, again],
    ['C11: a terminal tool ends the run', responseOf([callOf(0, { terminal: 'completed' })]), { 0: resultOf(look) }, undefined, fromTool('result of call_0')],
    ['C11: a terminal tool that failed does not', responseOf([callOf(0, { terminal: 'completed' })]), { 0: resultOf(look, { status: 'failed' }) }, undefined, again],
    ['C12: a result that needs no answer is not alone a reason for another turn', responseOf([look], { final: { output: 'text' } }), { 0: resultOf(look, { needsFollowUp: false }) }, undefined, final('text')],
    ['C12: without text such a turn is final and empty', responseOf([look]), { 0: resultOf(look, { needsFollowUp: false }) }, undefined, final('')],
    ['C12: one of two results that needs an answer is reason enough', called('run_llm_again'), { ...bothDone, 0: resultOf(look, { needsFollowUp: false }) }, undefined, again],
    ['hosted work that goes on asks for another turn', bare({ openHosted: true, items: [hosted] }), {}, undefined, again],
    ['a hosted call beside an answer is final', bare({ items: [hosted], final: { output: 'text' } }), {}, undefined, final('text')],
    ['a hosted call without a word asks for another turn', bare({ items: [hosted] }), {}, undefined, { next: 'again', guard: 'hostedWorkOnly' }],
    ['a refusal without text is a refusal', bare({ refusal: 'no' }), {}, undefined, { next: 'refusal', guard: 'isRefusal' }],
    ['a refusal beside text is final', bare({ refusal: 'no', final: { output: 'text' } }), {}, undefined, final('text')],
    ['A5: reasoning alone is empty', bare({ items: [{ type: 'reasoning', content: [] }] }), {}, undefined, { next: 'empty', guard: 'isEmpty' }],
    ['A5: nothing is empty', bare({}), {}, undefined, { next: 'empty', guard: 'isEmpty' }],
  ])('%s', (_, response, results, chosen, decision) => {
    expect(decideNext(response, results, chosen)).toEqual(decision);
  });
});

describe('C11: calls after a terminal one', () => {
  const terminal = callOf(0, { terminal: 'completed' });

  test('are marked as not run, earlier ones are left as they are', () => {
    const calls = [callOf(0), callOf(1, { terminal: 'rejected' }), callOf(2)];
    expect(skipAfterTerminal(calls)).toEqual([calls[0], calls[1], { ...calls[2], invalid: { reason: 'notRun', text: 'Not run: look ended the run.' } }]);
  });

  test('are run when the terminal one cannot be', () => {
    const calls = [{ ...terminal, invalid: { reason: 'json' as const, text: 'no JSON' } }, callOf(1)];
    expect(skipAfterTerminal(calls)).toBe(calls);
  });

  test('nothing changes where no call is terminal', () => {
    const calls = [callOf(0), callOf(1)];
    expect(skipAfterTerminal(calls)).toBe(calls);
  });
});

test('a result reads as text: as it is, as JSON, or as the text of its item', () => {
  expect(outputText(resultOf(look, { output: 'plain' }))).toBe('plain');
  expect(outputText(resultOf(look, { output: { a: 1 } }))).toBe('{"a":1}');
  expect(outputText({ status: 'completed', item: { type: 'apply_patch_call_output', callId: 'c', status: 'completed', output: 'patched' } })).toBe('patched');
  expect(outputText({ status: 'completed', item: asked('hi') })).toBe(JSON.stringify(asked('hi')));
});
