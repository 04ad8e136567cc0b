/** Small whole values of the protocol, for tests of the charts: as a model leaf, a body or a child would report them. */
import { type Call, type CallResult, type Response, type ToolFacts, NO_USAGE } from '../../machines/protocol/call.ts';
import type { EffectOutcome, Failure, FailureCode } from '../../machines/protocol/failure.ts';
import type { AgentInputItem, FunctionCallItem, FunctionCallResultItem } from '../../machines/protocol/item.ts';
import type { PreparedRun } from '../../machines/protocol/outcome.ts';

/** The one time that the charts know in these tests, in ms since the epoch. */
export const AT = 1_000;

export const ok = <Value>(value: Value): EffectOutcome<Value> => ({ status: 'ok', value, at: AT });

export const trouble = (code: FailureCode = 'user', more: Partial<Failure> = {}): EffectOutcome<never> => ({
  status: 'error',
  failure: failureOf(code, more),
  at: AT,
});

export const failureOf = (code: FailureCode, more: Partial<Failure> = {}): Failure => ({ code, message: `a failure of the kind ${code}`, ...more });

export const said = (text: string): AgentInputItem => ({
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text }],
});

export const asked = (text: string): AgentInputItem => ({ type: 'message', role: 'user', content: text });

export const steerOf = (id: string) => ({ type: 'steer' as const, input: [{ id, item: asked(id) }] });

export const callItem = (callId: string, name = 'look'): FunctionCallItem => ({ type: 'function_call', callId, name, arguments: '{}', status: 'completed' });

export const resultItem = (callId: string, name = 'look'): FunctionCallResultItem => ({
  type: 'function_call_result',
  callId,
  name,
  status: 'completed',
  output: { type: 'text', text: `result of ${callId}` },
});

export function callOf(index: number, facts: Partial<ToolFacts> = {}, more: Partial<Call> = {}): Call {
  const callId = `call_${index}`;
  return { index, item: callItem(callId), name: 'look', callId, tool: { effect: 'pure', approval: 'never', ...facts }, ...more };
}

export const resultOf = ({ callId }: Pick<Call, 'callId'>, more: Partial<CallResult> = {}): CallResult => ({
  status: 'completed',
  item: resultItem(callId),
  output: `result of ${callId}`,
  ...more,
});

/** A response with its calls among its items; without any, the text is its final output. */
export function responseOf(calls: Call[] = [], more: Partial<Response> = {}): Response {
  const items = calls.length > 0 ? calls.map((call) => call.item as AgentInputItem) : [said('done')];
  const final = calls.length > 0 ? {} : { final: { output: 'done' } };
  return { items, usage: NO_USAGE, calls, toolUse: 'run_llm_again', ...final, ...more };
}

export const handoffTo = (target: string) => ({ item: callItem(`to_${target}`, `transfer_to_${target}`), toolName: `transfer_to_${target}`, target });

export const preparedFor = (agent: string, more: Partial<PreparedRun> = {}): PreparedRun => ({
  agent,
  history: [asked('hello')],
  input: [asked('hello')],
  blocking: [],
  parallel: [],
  maxTurns: null,
  session: false,
  errorHandlers: [],
  tellsErrors: false,
  ...more,
});

/** Every choice of one value a key, as plain objects. */
export function combinations<Choices extends Record<string, readonly unknown[]>>(choices: Choices): { [Key in keyof Choices]: Choices[Key][number] }[] {
  let combined: Record<string, unknown>[] = [{}];
  for (const [key, values] of Object.entries(choices)) combined = combined.flatMap((one) => values.map((value) => ({ ...one, [key]: value })));
  return combined as { [Key in keyof Choices]: Choices[Key][number] }[]; // every key was given one of its values
}
