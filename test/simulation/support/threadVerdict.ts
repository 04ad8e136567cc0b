/** What must be true of a thread at the end of every simulated world. */
import { MemoryJournal } from 'loopchart';
import { virtualClock } from 'loopchart/testing';
import { type Thread, type ThreadEvent, openThread } from 'loopchart/thread';
import { differences } from '../../crash/support/difference.ts';
import { isJournalTrouble } from '../../crash/support/life.ts';
import { checkEvents } from '../../scenarios/support/invariants.ts';
import { recorded } from '../../scenarios/support/mortal.ts';
import { plain } from '../../scenarios/support/scenario.ts';
import { threadProblems } from '../../scenarios/support/threadInvariants.ts';
import { agentsOf } from './cast.ts';
import type { ThreadVoyage } from './threadVoyage.ts';
import { lostActs, textProblems } from './verdict.ts';

export async function complaintsAboutThread(voyage: ThreadVoyage): Promise<string[]> {
  const { town, ledger, thread, store } = voyage;
  const { look, told, lives } = thread;
  const found = [
    ...town.complaints, ...ledger.problems(), ...lives.complaints, ...threadProblems(told, look),
    ...[...voyage.waiting].map((what) => `L1: ${what} is never answered`),
    ...brokenPromises(voyage),
    ...lostActs(store.read(thread.id), town.acts),
    ...eventProblems(told),
    ...textProblems(thread.id, store.read(thread.id)),
    ...(await straying(voyage)),
    ...(await replayProblems(voyage)),
  ];
  return [...voyage.complaints, ...found];
}

/** M2: whoever was promised a run of its own has had it, once; or it waits, or was taken out. */
function brokenPromises({ thread: { told, look }, promised }: ThreadVoyage): string[] {
  const begun = told.flatMap((event) => (event.type === 'input.accepted' && event.source ? event.ids : []));
  const queued = new Set(told.flatMap((event) => (event.type === 'queue.changed' ? event.queue.map(({ id }) => id) : [])));
  const waits = new Set(look.queue.map(({ id }) => id));
  return promised.flatMap((id) => {
    const times = begun.filter((one) => one === id).length;
    return times === (waits.has(id) ? 0 : 1) || (times === 0 && queued.has(id)) ? [] : [`M2: ${id} was promised a run and had ${times}`];
  });
}

function eventProblems(told: readonly ThreadEvent[]): string[] {
  try {
    checkEvents(told);
    return [];
  } catch (error) {
    return [(error as Error).message.split('\n')[0]!];
  }
}

/** O4: a process that has lost its thread, and does not know, takes no more orders. */
async function straying({ thread: { lives }, patiently }: ThreadVoyage): Promise<string[]> {
  const complaints: string[] = [];
  for (const { life, thread } of lives.strays) {
    life.thaw();
    const stray = life.isOver ? undefined : await patiently(thread);
    if (!stray || stray.state === 'closed') continue;
    const answer = await patiently(stray.setGoal({ message: 'Go on.' }).then(({ status }) => status, (error: unknown) => error));
    if (!isJournalTrouble(answer) && !life.isOver) complaints.push(`O4: a process that had lost its thread answers ${String(answer)}`);
  }
  return complaints;
}

/** O1: the journal alone tells the same, and so does the checkpoint that is kept of it. */
async function replayProblems({ thread, store, options, plan, town, clock, patiently }: ThreadVoyage): Promise<string[]> {
  const expected = plain(thread.look);
  const told: ThreadEvent[] = [];
  const open = (journal: MemoryJournal, onEvent?: (event: ThreadEvent) => void) => openThread(thread.id, { ...options, journal, clock: virtualClock(clock.now()), agents: agentsOf(plan, town), ...(onEvent && { onEvent }) });
  const entries = store.read(thread.id);
  await patiently(thread.release());
  try {
    const again: Thread = await open(recorded(thread.id, entries), (event) => void told.push(event));
    const cached = await open(store);
    const problems = [
      ...differences(plain(told), plain(thread.told)).map((one) => `O1: replayed, events differ: ${one}`),
      ...differences(plain(again.look), expected).map((one) => `O1: replayed, the thread differs: ${one}`),
      ...differences(plain(cached.look), expected).map((one) => `O1: from its checkpoint the thread differs: ${one}`),
    ];
    await again.release();
    await cached.release();
    return problems;
  } catch (error) {
    return [`O1: ${thread.id} cannot be opened again: ${String(error)}`];
  }
}
