/** Where the rules depart from the peer on purpose: one row for each, with what either library does. */
import { calls, empty, fails, repeat, responds, says } from 'loopchart/testing';
import { z } from 'zod';
import { MAY_HAVE_COMPLETED } from '../support/cast.ts';
import type { Outcome, Setup } from './bothLoops.ts';
import { addTool, approveAll, askingTool, brokenTool, guardedTool, solo } from './cases.ts';

interface Departure {
  rule: string;
  what: string;
  /** Default: a run without a stream. */
  stream?: boolean;
  setup: Setup;
  look: (outcome: Outcome) => unknown;
  ours: unknown;
  peers: unknown;
}

const kinds = (items: { role?: string; type?: string }[]) => items.map(({ role, type }) => role ?? type);
const handsOff = (inputFilter: never): Setup => ({
  script: [calls('add', { a: 1, b: 2 }), calls('transfer_to_Billing'), says('Paid.')],
  build: solo(({ lib, model }) => ({ tools: [addTool(lib)], handoffs: [lib.handoff(new lib.Agent({ name: 'Billing', model }), { inputFilter })] })),
  options: ({ session }) => ({ session }),
});
const dropsAll = ((passed: { inputHistory: unknown }) => ({ ...passed, preHandoffItems: [], newItems: [] })) as never; // a filter of either library
const dropsAllLater = (async (passed: { inputHistory: unknown }) => ({ ...passed, preHandoffItems: [], newItems: [] })) as never; // as above

export const departures: Departure[] = [
  {
    rule: 'A4',
    what: 'the final output is the text of all messages of the last response',
    setup: { script: [responds(says('One. '), says('Two.'))], build: solo() },
    look: ({ ending }) => ending,
    ours: { finalOutput: 'One. Two.' },
    peers: { finalOutput: 'Two.' },
  },
  {
    rule: 'A5',
    what: 'three empty responses in a row are a failure of the model, not of the limit',
    setup: { script: [repeat(10, empty())], build: solo() },
    look: ({ ending, requests }) => [ending, requests.length],
    ours: [{ error: 'ModelBehaviorError' }, 3],
    peers: [{ error: 'MaxTurnsExceededError' }, 10],
  },
  {
    rule: 'A6',
    what: 'results that came after an approval count together with the earlier ones',
    setup: { script: [calls(['add', { a: 1, b: 2 }], ['refund', { order: 7 }])], build: solo(({ lib }) => ({ tools: [addTool(lib), askingTool(lib)], toolUseBehavior: 'stop_on_first_tool' })), decide: approveAll },
    look: ({ ending }) => ending,
    ours: { finalOutput: '3' },
    peers: { finalOutput: 'refunded 7' },
  },
  {
    rule: 'C2',
    what: 'an unknown tool is told to the model unless asked otherwise',
    setup: { script: [calls('nothing'), says('Sorry.')], build: solo() },
    look: ({ ending }) => ending,
    ours: { finalOutput: 'Sorry.' },
    peers: { error: 'ModelBehaviorError' },
  },
  {
    rule: 'C2',
    what: 'when a tool fails the run, finished siblings keep their results',
    setup: { script: [calls(['add', { a: 1, b: 2 }], ['broken', {}])], build: solo(({ lib }) => ({ tools: [addTool(lib), brokenTool(lib, null)] })), options: ({ session }) => ({ session }) },
    look: ({ ending, session }) => [ending, kinds(session)],
    ours: [{ error: 'ToolCallError' }, ['user', 'function_call', 'function_call', 'function_call_result']],
    peers: [{ error: 'ToolCallError' }, []],
  },
  {
    rule: 'C8',
    what: 'a call that took too long, and is not known to be harmless, says that it may have completed',
    setup: { script: [calls('slow'), says('Sorry.')], build: solo(({ lib }) => ({ tools: [lib.tool({ name: 'slow', description: 'Slow.', parameters: z.object({}), timeoutMs: 1, execute: () => new Promise(() => undefined) })] })) },
    look: ({ items }) => (items[1]!.rawItem as { output: unknown }).output,
    ours: { type: 'text', text: `Tool 'slow' timed out after 1ms. ${MAY_HAVE_COMPLETED}` },
    peers: { type: 'text', text: "Tool 'slow' timed out after 1ms." },
  },
  {
    rule: 'D1',
    what: 'requests for approval are announced at once, not after the tools beside them',
    stream: true,
    setup: { script: [calls(['add', { a: 1, b: 2 }], ['refund', { order: 7 }])], build: solo(({ lib }) => ({ tools: [addTool(lib), askingTool(lib)] })) },
    look: ({ streamed }) => streamed,
    ours: ['tool_called', 'tool_called', 'tool_approval_requested', 'tool_output'],
    peers: ['tool_called', 'tool_called', 'tool_output', 'tool_approval_requested'],
  },
  {
    rule: 'F2',
    what: 'a handoff filter may be asynchronous',
    setup: handsOff(dropsAllLater),
    look: ({ ending }) => ending,
    ours: { finalOutput: 'Paid.' },
    peers: { error: 'TypeError' },
  },
  {
    rule: 'F2',
    what: 'a handoff filter shapes the request; newItems and session keep everything',
    setup: handsOff(dropsAll),
    look: ({ items, session, requests }) => [items.length, kinds(session), requests.at(-1)!.input.length],
    ours: [5, ['user', 'function_call', 'function_call_result', 'function_call', 'function_call_result', 'assistant'], 1],
    peers: [1, ['user', 'assistant'], 1],
  },
  {
    rule: 'G1',
    what: 'every turn is saved when it ends, so that a later failure loses none',
    setup: { script: [calls('add', { a: 1, b: 2 }), fails({ status: 500 })], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), options: ({ session }) => ({ session }) },
    look: ({ session }) => kinds(session),
    ours: ['user', 'function_call', 'function_call_result'],
    peers: [],
  },
  {
    rule: 'H2',
    what: 'a call that cannot run starts and ends for no hook',
    setup: { script: [calls('add', { a: 'one' }), says('Sorry.')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })) },
    look: ({ hooks }) => hooks,
    ours: ['Solo starts', 'Solo ends with Sorry.'],
    peers: ['Solo starts', 'Solo starts add', 'Solo ends add with An error occurred while running the tool. Please try again.', 'Solo ends with Sorry.'],
  },
  {
    rule: 'H2',
    what: 'a call that a guardrail stopped before its body ends for no hook, as it started for none',
    setup: { script: [calls('look')], build: solo(({ lib }) => ({ tools: [guardedTool(lib, 'throw')] })) },
    look: ({ ending, hooks }) => [ending, hooks],
    ours: [{ error: 'ToolCallError' }, ['Solo starts']],
    peers: [{ error: 'ToolCallError' }, ['Solo starts', 'Solo ends look with ToolInputGuardrailTripwireTriggered: Tool input guardrail triggered: before']],
  },
  {
    rule: 'H3',
    what: 'a completed run that is run again gives its output, and no hook fires twice',
    setup: { script: [says('Done.')], build: solo(), again: true },
    look: ({ ending, requests, hooks }) => [ending, requests.length, hooks],
    ours: [{ finalOutput: 'Done.' }, 1, ['Solo starts', 'Solo ends with Done.']],
    peers: [{ finalOutput: 'Done.' }, 1, ['Solo starts', 'Solo ends with Done.', 'Solo ends with Done.']],
  },
  {
    rule: 'H3',
    what: 'the tool of an agent that waits for approval starts and ends once',
    setup: {
      script: [calls('Inner', { input: 'x' }), calls('refund', { order: 7 }), says('inner'), says('outer')],
      build: solo(({ lib, model }) => ({ tools: [new lib.Agent({ name: 'Inner', model, tools: [askingTool(lib)] }).asTool({ toolDescription: 'Inner.' })] })),
      decide: approveAll,
    },
    look: ({ ending, requests, hooks }) => [ending, requests.length, hooks.length],
    ours: [{ finalOutput: 'outer' }, 4, 4],
    peers: [{ finalOutput: 'outer' }, 4, 6],
  },
];
