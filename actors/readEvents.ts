/** The lifecycle events of what is recorded, told again (I6). */
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { UserError } from './errors.ts';
import { type Journal, JournalDivergence } from './journal.ts';
import { reviving } from './loadedOnUse.ts';
import type { FromJournal } from './resume.ts';
import type { RunEvent } from './runEvents.ts';
import type { AnyAgent } from './scope.ts';

export interface ReadEventsOptions extends Omit<FromJournal<unknown>, 'context'> {
  /** Number of the first event. Default: 1. */
  from?: number;
  /** As of the run: what it held back until its output was guarded has its number from then. */
  bufferUntilGuarded?: boolean;
}

/** What the events of a log are made of again. */
export interface Recorded {
  id: string;
  journal: Journal;
  agents: readonly AnyAgent[];
  entries: readonly JournalEntry[];
  bufferUntilGuarded?: boolean;
}

/** Makes the events of one kind of log: tells each of them, and executes and writes nothing. */
export type Retelling = (recorded: Recorded, tell: (event: RunEvent) => void) => Promise<void>;

/**
 * The lifecycle events of a recorded run or thread, made again from its journal: with the numbers and times that they had, and all that was told
 * of it up to now, be it over, waiting, or going in another process. Nothing is run, and nothing is written. Deltas and progress are not recorded.
 *
 * @throws As `stateFromJournal()`.
 * @example
 * ```ts
 * import { Agent, type Journal, readEvents } from 'loopchart';
 *
 * async function print(journal: Journal, runId: string, agent: Agent) {
 *   for await (const event of readEvents(runId, { journal, agents: agent })) console.log(event.number, event.type);
 * }
 * ```
 */
export async function* readEvents(id: string, { journal, agents, from = 1, bufferUntilGuarded }: ReadEventsOptions): AsyncGenerator<RunEvent, void, undefined> {
  const entries = await journal.read(id);
  const [start] = entries;
  if (!start) throw new UserError(`There is no run or thread ${id} in this journal. journal.list() tells which there are.`);
  const retell = RETELLINGS[start.type];
  if (!retell) throw new JournalDivergence(id, 0, 'its start is missing');
  const events: RunEvent[] = [];
  const given = Array.isArray(agents) ? (agents as readonly AnyAgent[]) : [agents as AnyAgent]; // one or several
  await (await retell())({ id, journal, agents: given, entries, bufferUntilGuarded }, (event) => events.push(event));
  for (const event of events) if (typeof event.number === 'number' && event.number >= from) yield event;
}

/** By the entry that a log begins with; loaded on use, so that importing the front door stays quick. */
const RETELLINGS: Partial<Record<JournalEntry['type'], () => Promise<Retelling>>> = {
  'run.start': async () => (await reviving()).retellRun,
  'thread.start': async () => (await import('./thread/retellThread.ts')).retellThread,
};
