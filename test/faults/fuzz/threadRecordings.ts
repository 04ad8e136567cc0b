/** Threads that are recorded whole, and what comes of them when their record is read again by a process that knows nothing else. */
import { MemoryJournal, readEvents } from 'loopchart';
import { virtualClock } from 'loopchart/testing';
import { type Thread, type ThreadEvent, openThread } from 'loopchart/thread';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { differences } from '../../crash/support/difference.ts';
import { Ledger, pathOf } from '../../crash/support/ledger.ts';
import { Life } from '../../crash/support/life.ts';
import { recorded } from '../../scenarios/support/mortal.ts';
import { plain } from '../../scenarios/support/scenario.ts';
import { threadProblems } from '../../scenarios/support/threadInvariants.ts';
import { agentsOf } from '../../simulation/support/cast.ts';
import { THREAD_ID, ThreadVoyage } from '../../simulation/support/threadVoyage.ts';
import { Town, resultOf } from '../../simulation/support/town.ts';
import { type Fate, type Recording, isClear, linesOf, store } from './recordings.ts';

const MOST_ROUNDS = 40;

/** Threads of some runs that nothing has befallen, with all that people say among them. */
export async function threadRecordings(count: number): Promise<Recording[]> {
  const found: Recording[] = [];
  for (let seed = 1; found.length < count; seed += 1) {
    const voyage = new ThreadVoyage(seed, true);
    await voyage.sail();
    const entries = voyage.store.read(THREAD_ID);
    if (voyage.thread.look.runs.length < 2 || entries.length < 25 || entries.length > 120) continue;
    await voyage.thread.release();
    found.push({ id: THREAD_ID, entries, lines: linesOf(entries, THREAD_ID), fate: (read) => fateOf(voyage, read) });
  }
  return found;
}

async function fateOf({ plan, options, thread: { told }, town: { acts } }: ThreadVoyage, read: () => readonly JournalEntry[]): Promise<Fate> {
  const clock = virtualClock(Date.UTC(2027, 0, 1));
  const town = new Town(plan, clock);
  town.acts.push(...acts);
  const journal = new MemoryJournal();
  const ledger = new Ledger(journal);
  const life = new Life({ store: journal, clock, fate: { next: () => undefined } });
  ledger.watch(life);
  const agents = agentsOf(plan, town);
  const heard: ThreadEvent[] = [];
  let thread: Thread;
  let known: ThreadEvent[];
  try {
    store(journal, THREAD_ID, read());
    known = await eventsIn(journal.read(THREAD_ID), agents);
    thread = await openThread(THREAD_ID, { ...options, agents, journal: life.journal, clock: life.clock, onEvent: (event) => void heard.push(event) });
  } catch (error) {
    return isClear(error) && ledger.deeds.length === 0 ? 'refused' : `wrong: ${String(error)} after ${ledger.deeds.length} effects`;
  }
  const isAtRest = await toItsRest(thread, clock, town);
  const first = (events: readonly ThreadEvent[]) => plain(events.filter(({ number }) => typeof number === 'number').slice(0, known.length)); // deltas are not read again
  const problems = [
    ...ledger.problems(), ...threadProblems(heard, thread.look),
    ...[known, heard].flatMap((events) => differences(first(events), first(told)).map((one) => `O1: what is recorded is told otherwise: ${one}`)),
    ...(isAtRest ? [] : [`O1: it does not come to rest: ${thread.state}`]),
  ];
  await thread.release();
  return problems.length === 0 ? 'same' : `wrong: ${problems[0]!}`;
}

async function eventsIn(entries: readonly JournalEntry[], agents: ReturnType<typeof agentsOf>): Promise<ThreadEvent[]> {
  const events: ThreadEvent[] = [];
  for await (const event of readEvents(THREAD_ID, { journal: recorded(THREAD_ID, entries), agents })) events.push(event as ThreadEvent); // it is a thread
  return events;
}

/** Whatever is asked is answered; of a body that nobody knows of, the world knows. */
async function toItsRest(thread: Thread, clock: ReturnType<typeof virtualClock>, town: Town): Promise<boolean> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    await clock.runAll();
    const calls = thread.interruptions;
    if (calls.length === 0 && thread.state !== 'active') return true;
    for (const call of calls) {
      const act = call.uncertain && town.acts.find(({ effectId }) => effectId === `${pathOf(call.id)}/execute#${call.id.slice(call.id.lastIndexOf('#') + 1)}`);
      const said = act ? thread.useResult(call, resultOf(act.tool, act.n)) : thread.approve(call);
      await Promise.all([said.catch(() => undefined), clock.settle()]); // decided by then, it may be
    }
  }
  return false;
}
