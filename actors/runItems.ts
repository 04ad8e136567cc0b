/** Between records, which are data, and the item objects that apps know. */
import type { Call } from '../machines/protocol/call.ts';
import type { AgentInputItem, AssistantMessageItem, CompactionItem, FunctionCallItem, FunctionCallResultItem, ReasoningItem, ToolCallItem, ToolSearchCallItem, ToolSearchOutputItem } from '../machines/protocol/item.ts';
import type { ItemRecord } from '../machines/protocol/outcome.ts';
import {
  type RunItem,
  type ToolCallOutputRawItem,
  type ApprovableCallItem,
  RunCompactionItem,
  RunHandoffCallItem,
  RunHandoffOutputItem,
  RunInputItem,
  RunMessageOutputItem,
  RunReasoningItem,
  RunToolCallItem,
  RunToolCallOutputItem,
  RunToolSearchCallItem,
  RunToolSearchOutputItem,
} from './items.ts';
import { RunToolApprovalItem } from './approvalItem.ts';
import type { RunScope } from './scope.ts';
import type { OpenDecision } from './host.ts';

const items = new WeakMap<ItemRecord, RunItem>();
const records = new WeakMap<RunItem, ItemRecord>();

/** The same record gives the same object, so that an app can compare what a stream and a result bring. */
export function runItemOf(scope: RunScope, record: ItemRecord): RunItem {
  const known = items.get(record);
  if (known) return known;
  const made = makeItem(scope, record);
  items.set(record, made);
  records.set(made, record);
  return made;
}

/** Back to data, for what a filter returned. */
export function recordOf(scope: RunScope, item: RunItem): ItemRecord | undefined {
  const known = records.get(item);
  if (known && known.rawItem === item.rawItem) return known;
  if (item.type === 'tool_approval_item') return undefined;
  const agent = 'agent' in item ? scope.keyOf(item.agent) : scope.keyOf(item.sourceAgent);
  const record: ItemRecord = { type: item.type, rawItem: item.rawItem, agent };
  if (item.type === 'tool_call_output_item') record.output = item.output;
  if (item.type === 'input_item') record.inputId = item.inputId;
  if (item.type === 'handoff_output_item') Object.assign(record, { sourceAgent: scope.keyOf(item.sourceAgent), targetAgent: scope.keyOf(item.targetAgent) });
  return record;
}

export function approvalItemOf(scope: RunScope, { path, agent, call, ...asked }: OpenDecision): RunToolApprovalItem {
  return new RunToolApprovalItem(call.item as ApprovableCallItem, scope.agent(agent), call.name, { ...asked, path: pathOf(path) });
}

/** Read back from a journal, a call and its item are no longer one object. */
export function isSameCall(item: AgentInputItem, called: Call['item']): boolean {
  if (item === called) return true;
  if (item.type !== called.type) return false;
  return 'callId' in item && 'callId' in called ? item.callId === called.callId : 'id' in item && item.id === called.id;
}

/** The agents and calls that lead to a call: one entry a nested run, the call itself last. */
const pathOf = (path: string) => path.split('/run/');

/** Casts below: a record's type says of which kind its raw item is; records are made in one place (machines/history). */
function makeItem(scope: RunScope, record: ItemRecord): RunItem {
  const { rawItem, origin } = record;
  const agent = scope.agent(record.agent);
  switch (record.type) {
    case 'message_output_item':
      return new RunMessageOutputItem(rawItem as AssistantMessageItem, agent, origin);
    case 'tool_call_item':
      return new RunToolCallItem(rawItem as ToolCallItem, agent);
    case 'tool_call_output_item':
      return new RunToolCallOutputItem(rawItem as ToolCallOutputRawItem, agent, record.output ?? outputOf(rawItem), record.customData, undefined, origin);
    case 'reasoning_item':
      return new RunReasoningItem(rawItem as ReasoningItem, agent);
    case 'handoff_call_item':
      return new RunHandoffCallItem(rawItem as FunctionCallItem, agent);
    case 'handoff_output_item':
      return new RunHandoffOutputItem(rawItem as FunctionCallResultItem, scope.agent(record.sourceAgent!), scope.agent(record.targetAgent!));
    case 'compaction_item':
      return new RunCompactionItem(rawItem as CompactionItem, agent);
    case 'tool_search_call_item':
      return new RunToolSearchCallItem(rawItem as ToolSearchCallItem, agent);
    case 'tool_search_output_item':
      return new RunToolSearchOutputItem(rawItem as ToolSearchOutputItem, agent);
    case 'input_item':
      return new RunInputItem(rawItem, agent, record.inputId, origin);
  }
}

function outputOf(rawItem: ItemRecord['rawItem']): unknown {
  if (!('output' in rawItem)) return '';
  const { output } = rawItem;
  return typeof output === 'object' && output !== null && 'text' in output ? output.text : output;
}
