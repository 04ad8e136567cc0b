/** In which words watchers are told of items, results and ends. */
import type { CallResult } from '../machines/protocol/call.ts';
import type { ItemRecord, TurnNext } from '../machines/protocol/outcome.ts';
import type { RunItemStreamEventName } from './events.ts';
import type { Announced, ItemStatus } from './runEvents.ts';
import type { RunScope } from './scope.ts';

/** What the body returned; hands return an item that has it. */
export function lateOutput(value: unknown): unknown {
  const { output, item } = value as Partial<CallResult>; // as bodies end, or at least its output
  return output ?? (item && 'output' in item ? item.output : item);
}

export const detailsOf = ({ display, error }: Partial<CallResult>) => ({ ...(display === undefined ? {} : { display }), ...(error && { error }) });

export const NAMES: Partial<Record<ItemRecord['type'], RunItemStreamEventName>> = {
  message_output_item: 'message_output_created',
  reasoning_item: 'reasoning_item_created',
  tool_call_item: 'tool_called',
  tool_call_output_item: 'tool_output',
  handoff_call_item: 'handoff_requested',
  tool_search_call_item: 'tool_search_called',
  tool_search_output_item: 'tool_search_output_created',
  compaction_item: 'compaction_item_created',
};
/** The starting agent comes first; a nested run has a stream of its own only from its first agent on. */
export const beginsStream = ({ type, path }: Announced, { isNested, runId }: RunScope) =>
  isNested ? type === 'agent.started' && path === `${runId}/agent.1` : type === 'run.started' && path === runId;
export const STATUS = { completed: 'completed', failed: 'failed', rejected: 'declined', aborted: 'aborted', skipped: 'declined' } as const;
export const LEFT_OPEN: Partial<Record<TurnNext, ItemStatus>> = { interrupted: 'aborted', failed: 'failed', suspended: 'suspended' };
