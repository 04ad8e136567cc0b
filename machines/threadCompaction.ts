/** How the history of a thread is shortened between its runs (N1, N3). Pure functions; the chart decides when. */
import { type CompactorInput, type CompactorOutcome, answeredUpTo, canBeSummedUp, sizeOf } from './compaction.ts';
import { Log } from './log.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { ItemRecord } from './protocol/outcome.ts';
import type { ThreadContext } from './threadMemory.ts';

/** There is something to sum up, and it is ours: a provider that keeps the conversation keeps all of it (G2). */
export const canCompact = (context: ThreadContext) => context.server === undefined && canBeSummedUp(headOf(context));

/** What nobody has answered yet stays as it is. */
function headOf({ history }: ThreadContext): AgentInputItem[] {
  const items = history.toArray();
  return items.slice(0, answeredUpTo(items));
}

export const compactionBegun = (context: ThreadContext): Partial<ThreadContext> => ({ ordinal: context.ordinal + 1, compactedUpTo: headOf(context).length });

export function compactorInput({ facts, ordinal, agent, history, compactedUpTo }: ThreadContext): CompactorInput {
  return { effectId: `${facts.path}/compact.${ordinal}#1`, agent, items: history.toArray().slice(0, compactedUpTo) };
}

/** What was added while the compaction was at work stays behind it. One that failed has changed nothing. */
export function compacted(context: ThreadContext, outcome: CompactorOutcome): Partial<ThreadContext> {
  if (outcome.status !== 'ok') return { compactionAsked: undefined };
  return { history: Log.of(itemsAfter(context, outcome.value.item)), ...withoutPlaces(context), size: undefined, compactionAsked: undefined };
}

const itemsAfter = ({ history, compactedUpTo }: ThreadContext, item: AgentInputItem) => [item, ...history.toArray(compactedUpTo)];

/** Where earlier runs stood in the history, only the journal still knows (N3). */
export const withoutPlaces = ({ marks }: Pick<ThreadContext, 'marks'>): Pick<ThreadContext, 'marks' | 'start'> => ({ start: null, marks: Log.of(marks.toArray().map((mark) => ({ ...mark, from: null, to: null }))) });

export const compactionStarted = (context: ThreadContext): LoopEvent => ({ type: 'compaction.started', ...placeOf(context), size: sizeOf(context.history.toArray()) });

export function compactionEnded(context: ThreadContext, outcome: CompactorOutcome): LoopEvent {
  const place = placeOf(context);
  if (outcome.status !== 'ok') return { type: 'compaction.failed', ...place, failure: outcome.failure };
  const { item, dropped } = outcome.value;
  const record: ItemRecord = { type: 'compaction_item', rawItem: item, agent: context.agent };
  return { type: 'compaction.completed', ...place, before: sizeOf(context.history.toArray()), after: sizeOf(itemsAfter(context, item)), dropped, record };
}

const placeOf = ({ facts, agent }: ThreadContext) => ({ path: facts.path, agent });
