/** Where a recorded thread stands, as whoever has followed it knows: it is fed what is recorded, and nothing is run. */
import { MemoryJournal } from '../../../actors/memoryJournal.ts';
import type { AnyAgent } from '../../../actors/thread/options.ts';
import type { ThreadEvent } from '../../../actors/thread/index.ts';
import { ThreadExecution } from '../../../actors/thread/threadExecution.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { saidText } from '../journal/entryText.ts';
import { isRunOf } from '../journal/replayed.ts';
import type { Spent } from '../wording.ts';

export interface Standing {
  /** All that has happened, told once more. */
  events: ThreadEvent[];
  /** Number of the last of them. */
  heard: number;
  /** What was spent before the run that is going; nothing when none is. */
  before?: Spent;
}

export async function standingOf(threadId: string, entries: readonly JournalEntry[], [agent, ...agents]: readonly [AnyAgent, ...AnyAgent[]]): Promise<Standing> {
  const standing: Standing = { events: [], heard: 0 };
  const onEvent = (event: ThreadEvent) => {
    standing.events.push(event);
    if (typeof event.number === 'number') standing.heard = event.number;
    if (!isRunOf(threadId, event.path)) return;
    if (event.type === 'run.started') standing.before = spentBy(execution);
    if (event.type === 'run.settled') delete standing.before;
  };
  const deaf = { onSettled: () => undefined, onRest: () => undefined, onCrash: () => undefined, pace: () => undefined };
  const execution = new ThreadExecution(agent, { threadId, agents, journal: new MemoryJournal() }, { onEvent, ...deaf });
  await execution.look(entries);
  execution.host.stop();
  return standing;
}

/** With what the run began that is going; empty when none is, or when nobody has said anything. */
export function underWay({ events, before }: Standing): string {
  const begun = before && events.findLast((event): event is Accepted => event.type === 'input.accepted' && event.source !== undefined);
  return begun ? begun.items.map(saidText).join(' ') : '';
}

type Accepted = Extract<ThreadEvent, { type: 'input.accepted' }>;

function spentBy({ usage: { requests, inputTokens, outputTokens } }: ThreadExecution): Spent {
  return { requests, inputTokens, outputTokens };
}
