/** The conversation as data: what a turn adds to it, and what makes it fit to be shown to a model (G3). */
import type { Call, CallResult, CallStatus, HandoffCall, HostedApprovalItem, Response } from './protocol/call.ts';
import type { AgentInputItem, AssistantMessageItem, UserMessageItem } from './protocol/item.ts';
import type { ItemRecord } from './protocol/outcome.ts';

/** The result of a call that no body produced: refused, skipped, cut short. Of the kind that its call asks for. */
export function resultWithout(call: Call, status: CallStatus, text: string): CallResult {
  return { status, item: resultItem(call, status, text), output: text };
}

/** Calls first, in the order of the response; then all results, in the order of their calls (C3). */
export function itemsOfTurn(response: Response | null, results: Record<string, CallResult>): AgentInputItem[] {
  if (!response) return [];
  const items: AgentInputItem[] = response.notices ? [...response.notices.map((one) => one.rawItem), ...response.items] : [...response.items];
  for (const call of response.calls) {
    const result = results[call.index];
    if (result) items.push(result.item);
  }
  return items;
}

/** The same items with who made them, for people and programs. */
export function recordsOfTurn(agent: string, response: Response | null, results: Record<string, CallResult>): ItemRecord[] {
  if (!response) return [];
  const brought = response.items.map((rawItem) => recordOf(agent, rawItem, response));
  const records = response.notices ? [...response.notices, ...brought] : brought;
  for (const call of response.calls) {
    const result = results[call.index];
    if (result) records.push(resultRecord(agent, result));
  }
  return records;
}

export function resultRecord(agent: string, result: CallResult): ItemRecord {
  const record: ItemRecord = { type: 'tool_call_output_item', rawItem: result.item, agent, output: result.output };
  if (result.display !== undefined) record.display = result.display;
  if (result.customData !== undefined) record.customData = result.customData;
  return record;
}

/** A handoff that does not come about leaves a call that has to have a result (G3). */
export function unanswered(agent: string, { item }: HandoffCall): ItemRecord {
  return { type: 'tool_call_output_item', rawItem: abortedResult(item), agent };
}

/** What streamed before the interrupt stays, marked as cut (J2). */
export function partialMessage(text: string): AssistantMessageItem {
  return { type: 'message', role: 'assistant', status: 'incomplete', content: [{ type: 'output_text', text }] };
}

/** The message that stands for a final output which the app supplied. */
export function suppliedRecord(agent: string, finalOutput: unknown): ItemRecord {
  const text = typeof finalOutput === 'string' ? finalOutput : JSON.stringify(finalOutput);
  const rawItem: AssistantMessageItem = { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] };
  return { type: 'message_output_item', rawItem, agent };
}

export const INTERRUPTED_NOTICE = 'The previous run was interrupted on purpose. Calls that were cut short may have had part of their effect.';

/** A message that the runtime wrote: not user input (P4). */
export function notice(agent: string, kind: string, text: string): ItemRecord {
  const rawItem: UserMessageItem = { type: 'message', role: 'user', content: text };
  return { type: 'input_item', rawItem, agent, origin: { runtime: kind } };
}

/** What a subagent or the host wrote, as the model reads it (M4). */
export function mailMessage({ from, content }: { from: string; content: string }): UserMessageItem {
  return { type: 'message', role: 'user', content: `[Mail from ${from}]\n${content}` };
}

/** Text of the assistant messages of one response, in order. */
export function textOf(items: readonly AgentInputItem[]): string {
  let text = '';
  for (const item of items) {
    if (!('role' in item) || item.role !== 'assistant') continue;
    for (const part of item.content) if (part.type === 'output_text') text += part.text;
  }
  return text;
}

/**
 * A history that any provider accepts: every call has exactly one result, after it and before the next message. Results
 * without a call are dropped, missing ones read `aborted`. The argument is not changed.
 */
export function wellFormed(items: readonly AgentInputItem[]): AgentInputItem[] {
  const answers = pairResults(items);
  const fit: AgentInputItem[] = [];
  let open: number[] = [];
  const close = () => {
    for (const at of open) {
      const answer = answers.get(at);
      fit.push(answer === undefined ? abortedResult(items[at] as CallLike) : items[answer]!);
    }
    open = [];
  };
  items.forEach((item, at) => {
    if (isCall(item)) {
      fit.push(item);
      open.push(at);
    } else if (isResult(item)) {
      const call = open.find((candidate) => answers.get(candidate) === at);
      if (call === undefined) return;
      fit.push(item);
      open = open.filter((candidate) => candidate !== call);
    } else {
      if ('role' in item) close();
      fit.push(item);
    }
  });
  close();
  return fit;
}

const RESULT_OF = {
  function_call: 'function_call_result',
  computer_call: 'computer_call_result',
  shell_call: 'shell_call_output',
  apply_patch_call: 'apply_patch_call_output',
} as const;
type CallLike = Extract<AgentInputItem, { type: keyof typeof RESULT_OF }>;
type ResultLike = Extract<AgentInputItem, { type: (typeof RESULT_OF)[keyof typeof RESULT_OF] }>;

export const isCall = (item: AgentInputItem): item is CallLike => item.type !== undefined && item.type in RESULT_OF;
/** Something has to be done about it here before the model can go on: a call, a handoff, a hosted server that asks whether it may. */
export const asksForWork = (item: AgentInputItem): item is CallLike | HostedApprovalItem =>
  isCall(item) || (item.type === 'hosted_tool_call' && (item.providerData?.['type'] === 'mcp_approval_request' || item.name === 'mcp_approval_request'));

/** Read back from a journal, a call and its item are no longer one object. */
export function isSameCall(item: AgentInputItem, called: Call['item']): boolean {
  if (item === called) return true;
  if (item.type !== called.type) return false;
  return 'callId' in item && 'callId' in called ? item.callId === called.callId : 'id' in item && item.id === called.id;
}

/** Reasoning without the item that it led to is worth nothing (K2). */
export function withoutLooseReasoning(items: readonly AgentInputItem[]): AgentInputItem[] {
  const last = items.findLastIndex(({ type }) => type !== 'reasoning');
  return items.slice(0, last + 1);
}

export const isResult = (item: AgentInputItem): item is ResultLike =>
  item.type === 'function_call_result' ||
  item.type === 'computer_call_result' ||
  item.type === 'shell_call_output' ||
  item.type === 'apply_patch_call_output';

/**
 * Index of a call → index of its result. Call ids may repeat (some servers count from one in every response): a result belongs
 * to the newest calls of its id, and among those that no message parts to the first that has none.
 */
export function pairResults(items: readonly AgentInputItem[]): Map<number, number> {
  const waiting = new Map<string, { part: number; calls: number[] }>();
  const answers = new Map<number, number>();
  let part = 0;
  items.forEach((item, at) => {
    if (isCall(item)) {
      const key = `${RESULT_OF[item.type]} ${item.callId}`;
      const known = waiting.get(key);
      if (known?.part === part) known.calls.push(at);
      else waiting.set(key, { part, calls: [at] });
    } else if (isResult(item)) {
      const call = waiting.get(`${item.type} ${item.callId}`)?.calls.shift();
      if (call !== undefined) answers.set(call, at);
    } else if ('role' in item) part += 1;
  });
  return answers;
}

const ABORTED = 'aborted';

/** What the model reads of a call that an interrupt cut short. @param askedAt and `at` in ms since the epoch. */
export function abortedText(askedAt: number, at: number): string {
  return `aborted by user after ${((at - askedAt) / 1000).toFixed(1)}s`;
}

/** Of a call whose effect nobody can vouch for (C8). */
export const MAY_HAVE_COMPLETED = 'It may have completed; do not repeat it without checking.';

/** One transparent pixel: a screenshot has to be a picture, also when there is none. */
const BLANK_SCREEN =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

function abortedResult(call: CallLike): AgentInputItem {
  switch (call.type) {
    case 'function_call':
      return withNamespace(call, { type: 'function_call_result', name: call.name, callId: call.callId, status: 'incomplete', output: ABORTED });
    case 'computer_call':
      return { type: 'computer_call_result', callId: call.callId, output: { type: 'computer_screenshot', data: BLANK_SCREEN } };
    case 'shell_call':
      return { type: 'shell_call_output', callId: call.callId, output: [{ stdout: '', stderr: ABORTED, outcome: { type: 'exit', exitCode: null } }] };
    case 'apply_patch_call':
      return { type: 'apply_patch_call_output', callId: call.callId, status: 'failed', output: ABORTED };
  }
}

function resultItem(call: Call, status: CallStatus, text: string): AgentInputItem {
  const { item } = call;
  switch (item.type) {
    case 'function_call':
      return withNamespace(item, {
        type: 'function_call_result',
        name: item.name,
        callId: item.callId,
        status: status === 'aborted' ? 'incomplete' : 'completed',
        output: { type: 'text', text },
      });
    case 'computer_call':
      return { ...abortedResult(item), providerData: { note: text } }; // a screenshot has no place for text
    case 'shell_call':
      return { type: 'shell_call_output', callId: item.callId, output: [{ stdout: '', stderr: text, outcome: { type: 'exit', exitCode: null } }] };
    case 'apply_patch_call':
      return { type: 'apply_patch_call_output', callId: item.callId, status: 'failed', output: text };
    case 'hosted_tool_call':
      return approvalResponse(item.providerData?.['id'] ?? item.id ?? call.callId, false, text);
  }
}

/** The answer to a hosted MCP server that asked whether it may run a tool. */
export function approvalResponse(requestId: string, approve: boolean, reason?: string): AgentInputItem {
  return {
    type: 'hosted_tool_call',
    name: 'mcp_approval_response',
    status: 'completed',
    providerData: {
      type: 'mcp_approval_response',
      approve,
      approval_request_id: requestId,
      ...(reason === undefined ? {} : { reason }),
    },
  };
}

function withNamespace<Result extends AgentInputItem>(call: { namespace?: string }, result: Result): Result {
  return call.namespace === undefined ? result : { ...result, namespace: call.namespace };
}

/** @param response what it is part of; by it a handoff is known. */
export function recordOf(agent: string, rawItem: AgentInputItem, response?: Response): ItemRecord {
  const isHandoff = rawItem.type === 'function_call' && rawItem.callId === response?.handoff?.item.callId;
  if (isHandoff) return { type: 'handoff_call_item', rawItem, agent };
  switch (rawItem.type) {
    case 'reasoning':
      return { type: 'reasoning_item', rawItem, agent };
    case 'compaction':
      return { type: 'compaction_item', rawItem, agent };
    case 'tool_search_call':
      return { type: 'tool_search_call_item', rawItem, agent };
    case 'tool_search_output':
      return { type: 'tool_search_output_item', rawItem, agent };
    case 'function_call_result':
    case 'computer_call_result':
    case 'shell_call_output':
    case 'apply_patch_call_output':
    case 'program_output':
      return { type: 'tool_call_output_item', rawItem, agent };
    case 'message':
    case undefined:
      return { type: 'role' in rawItem && rawItem.role !== 'assistant' ? 'input_item' : 'message_output_item', rawItem, agent };
    default:
      return { type: 'tool_call_item', rawItem, agent };
  }
}
