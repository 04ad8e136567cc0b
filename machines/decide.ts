/** What comes after a response and its calls (A2), as one pure function: the guards of the charts only read its word. */
import type { Call, CallResult, Response } from './protocol/call.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { TurnNext } from './protocol/outcome.ts';

export interface TurnDecision {
  next: TurnNext;
  /** The guard by which people know it (I1). */
  guard: string;
  finalOutput?: unknown;
  /** The output came from a tool and not from a message (E3). */
  finalFromTool?: boolean;
}

/** `chosen` is what a `toolUseBehavior` function said, where the agent has one. */
export function decideNext(response: Response, results: Record<string, CallResult>, chosen?: { finalOutput: unknown }): TurnDecision {
  if (response.handoff) return { next: 'handoff', guard: 'isHandoff' };
  if (chosen) return fromTool(chosen.finalOutput);
  const terminal = terminalOutput(response, results) ?? outputByToolUse(response, results);
  if (terminal) return fromTool(terminal.output);
  if (callsNeedAnswer(response, results) || response.openHosted) return { next: 'again', guard: 'callsNeedAnswer' };
  if (response.refusal !== undefined && response.final === undefined) return { next: 'refusal', guard: 'isRefusal' };
  if (response.final) return 'invalid' in response.final ? invalid : answer(response.final.output);
  if (response.calls.length > 0) return answer('');
  return response.items.some(isWork) ? { next: 'again', guard: 'hostedWorkOnly' } : { next: 'empty', guard: 'isEmpty' };
}

const invalid: TurnDecision = { next: 'invalid', guard: 'isInvalidOutput' };
const answer = (finalOutput: unknown): TurnDecision => ({ next: 'final', guard: 'isFinalOutput', finalOutput });
const fromTool = (finalOutput: unknown): TurnDecision => ({ next: 'final', guard: 'isFinalOutput', finalOutput, finalFromTool: true });

/** A hosted call without a word beside it: the provider worked, the model has not answered yet. */
const isWork = (item: AgentInputItem) =>
  item.type === 'hosted_tool_call' || item.type === 'program' || item.type === 'program_output' ||
  item.type === 'tool_search_call' || item.type === 'tool_search_output' || item.type === 'compaction' || item.type === 'shell_call_output';

function callsNeedAnswer(response: Response, results: Record<string, CallResult>): boolean {
  return response.calls.some((call) => results[call.index]?.needsFollowUp !== false);
}

/** The result of a tool that ends the run (C11). */
function terminalOutput(response: Response, results: Record<string, CallResult>): { output: string } | undefined {
  const call = response.calls.find((candidate) => candidate.tool.terminal && results[candidate.index]?.status === 'completed');
  return call && { output: outputText(results[call.index]!) };
}

/** Results that came after an approval count like the others; none count when one was cut short (A6). */
function outputByToolUse(response: Response, results: Record<string, CallResult>): { output: string } | undefined {
  const { toolUse } = response;
  if (toolUse === 'run_llm_again' || toolUse === 'function') return undefined;
  const answered = response.calls.filter((call) => call.item.type === 'function_call' && results[call.index]?.status !== 'skipped'); // what was not run says nothing
  if (answered.some((call) => results[call.index]?.status === 'aborted')) return undefined;
  const stops = (call: Call) => toolUse === 'stop_on_first_tool' || toolUse.stopAtToolNames.includes(call.name);
  const stop = answered.find(stops);
  return stop && results[stop.index] && { output: outputText(results[stop.index]!) };
}

/** A result as text, the way it would read as an answer. */
export function outputText(result: CallResult): string {
  if (typeof result.output === 'string') return result.output;
  if (result.output !== undefined) return JSON.stringify(result.output);
  return 'output' in result.item && typeof result.item.output === 'string' ? result.item.output : JSON.stringify(result.item);
}

/** Calls after a terminal one are not run (C11); marked before any of them starts. */
export function skipAfterTerminal(calls: Call[]): Call[] {
  const terminal = calls.findIndex((call) => call.tool.terminal && !call.invalid);
  if (terminal < 0) return calls;
  return calls.map((call, at) => (at > terminal ? { ...call, invalid: { reason: 'notRun' as const, text: `Not run: ${calls[terminal]!.name} ended the run.` } } : call));
}
