/** What a `Journal` owes to those who read it: what was written, as it was written, and nothing of other runs. */
import type { RunSummary } from '../../actors/journal.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';
import { same } from './demands.ts';
import { HARD_IDS, HARD_VALUES, type Store, conflict, ended, rest, start, step, steps, threadStart, written } from './journalSamples.ts';

export async function readsFrom({ journal }: Store): Promise<void> {
  const { epoch } = await journal.open('run_1');
  await journal.append('run_1', { epoch, position: 0 }, steps('run_1', 0, 2));
  await journal.append('run_1', { epoch, position: 2 }, steps('run_1', 2, 3));
  for (const from of [0, 1, 2, 3, 5, 9]) same(await journal.read('run_1', from), steps('run_1', 0, 5).slice(from), `What is read from ${from} on`);
}

export async function readsNothing({ journal }: Store): Promise<void> {
  same([await journal.read('run_1'), await journal.read('run_1', 4), await journal.list()], [[], [], []], 'What is read of nothing');
}

export async function valuesSurvive(store: Store): Promise<void> {
  const entries = HARD_VALUES.map((value, position) => step('run_1', position, value));
  await written(store.journal, 'run_1', entries);
  const back = await (await store.another()).read('run_1');
  back.forEach((entry, position) => same(entry, entries[position], `Entry ${position}`));
  same(back.length, entries.length, 'The number of entries');
}

export async function idsDoNotMix(store: Store): Promise<void> {
  for (const runId of HARD_IDS) await written(store.journal, runId, [start(runId, { at: 1 }), step(runId, 1, runId)]);
  const reader = await store.another();
  for (const runId of HARD_IDS) same(await reader.read(runId), [start(runId, { at: 1 }), step(runId, 1, runId)], `The entries of ${JSON.stringify(runId)}`);
  same((await reader.list()).map(({ runId }) => runId).sort(), [...HARD_IDS].sort(), 'The runs that are listed');
}

export async function listTells(store: Store): Promise<void> {
  const { journal } = store;
  await written(journal, 'at work', [start('at work', { at: 1, threadId: 'thread_1', agent: 'Writer' }), step('at work', 2, 'x')]);
  await written(journal, 'waits', [start('waits', { at: 3 }), rest(4, 'awaitingApproval')]);
  await written(journal, 'ended', [start('ended', { at: 5 }), rest(6, 'settled', 'completed'), { ...step('ended', 7, 'late'), type: 'effect.late' } as JournalEntry]); // only its type differs
  await written(journal, 'failed', [start('failed', { at: 8 }), rest(9, 'settled', 'failed')]);
  await written(journal, 'cut off', [start('cut off', { at: 10 }), rest(11, 'interrupted', 'interrupted')]);
  await written(journal, 'goes on', [start('goes on', { at: 12 }), rest(13, 'awaitingApproval'), step('goes on', 14, 'x')]);
  const expected: RunSummary[] = [
    { runId: 'at work', threadId: 'thread_1', agent: 'Writer', state: 'running', length: 2, startedAt: 1, updatedAt: 2 },
    { runId: 'waits', agent: 'A', state: 'awaitingApproval', length: 2, startedAt: 3, updatedAt: 4 },
    { runId: 'ended', agent: 'A', state: 'settled', status: 'completed', length: 3, startedAt: 5, updatedAt: 7 },
    { runId: 'failed', agent: 'A', state: 'settled', status: 'failed', length: 2, startedAt: 8, updatedAt: 9 },
    { runId: 'cut off', agent: 'A', state: 'interrupted', status: 'interrupted', length: 2, startedAt: 10, updatedAt: 11 },
    { runId: 'goes on', agent: 'A', state: 'running', length: 3, startedAt: 12, updatedAt: 14 },
  ];
  same(await journal.list(), expected, 'The list');
  same(await (await store.another()).list(), expected, 'The list that another owner sees');
}

export async function listFilters(store: Store): Promise<void> {
  const { journal } = store;
  await written(journal, 'b', [start('b', { at: 30, threadId: 'thread_1' })]);
  await written(journal, 'a', [start('a', { at: 20, threadId: 'thread_2' })]);
  await written(journal, 'c', [start('c', { at: 10, threadId: 'thread_1' })]);
  await written(journal, 'd', [start('d', { at: 15 })]);
  for (const reader of [journal, await store.another()]) {
    const ids = async (filter?: { threadId?: string }) => (await reader.list(filter)).map(({ runId }) => runId);
    same(await ids(), ['c', 'd', 'a', 'b'], 'The order of the list');
    same(await ids({}), ['c', 'd', 'a', 'b'], 'The order of a list without a filter');
    same(await ids({ threadId: 'thread_1' }), ['c', 'b'], 'The runs of a thread');
    same(await ids({ threadId: 'thread_9' }), [], 'The runs of a thread that has none');
  }
  const { epoch } = await journal.open('c');
  await journal.append('c', { epoch, position: 1 }, [step('c', 40, 'x')]);
  same((await journal.list()).at(-1), { runId: 'c', threadId: 'thread_1', agent: 'A', state: 'running', length: 2, startedAt: 10, updatedAt: 40 }, 'The run that was written to last');
}

export async function emptyIsNoRun(store: Store): Promise<void> {
  const { epoch } = await store.journal.open('run_1');
  same(await store.journal.list(), [], 'The list after a claim');
  await store.journal.release('run_1', epoch);
  same(await (await store.another()).list(), [], 'The list after its release');
}

export async function tailFollows(store: Store): Promise<void> {
  const second = await store.another();
  await written(store.journal, 'run_1', steps('run_1', 0, 3));
  const stop = new AbortController();
  const tail = store.journal.tail('run_1', 1, stop.signal)[Symbol.asyncIterator]();
  const next = async () => (await tail.next()).value as JournalEntry; // it does not end before the abort
  same([await next(), await next()], steps('run_1', 1, 2), 'What was there');
  const waiting = next();
  const { epoch } = await second.open('run_1');
  await second.append('run_1', { epoch, position: 3 }, steps('run_1', 3, 2));
  same([await waiting, await next()], steps('run_1', 3, 2), 'What another owner wrote');
  await second.append('run_1', { epoch, position: 5 }, steps('run_1', 5, 1));
  same(await next(), step('run_1', 5, 'x'), 'What came last');
  await second.append('run_2', { epoch: (await second.open('run_2')).epoch, position: 0 }, steps('run_2', 0, 1));
  const over = tail.next();
  stop.abort();
  same(await over, { done: true }, 'The end of a tail of a run of which nothing more came');
}

export async function tailWaits(store: Store): Promise<void> {
  const second = await store.another();
  const stop = new AbortController();
  const [tail, idle] = ['run_1', 'run_2'].map((runId) => store.journal.tail(runId, 1, stop.signal)[Symbol.asyncIterator]());
  const [next, never] = [tail!.next(), idle!.next()]; // one for each id
  await second.release('run_1', (await second.open('run_1')).epoch);
  await written(second, 'run_1', steps('run_1', 0, 2));
  same(await next, { done: false, value: step('run_1', 1, 'x') }, 'What comes of a run that began after its tail');
  stop.abort();
  same([await tail!.next(), await never], [{ done: true }, { done: true }], 'The ends of these tails');
}

export async function tailOutlives(store: Store): Promise<void> {
  const second = await store.another();
  await written(second, 'run_1', steps('run_1', 0, 2));
  const stop = new AbortController();
  const tail = store.journal.tail('run_1', 1, stop.signal)[Symbol.asyncIterator]();
  same(await tail.next(), { done: false, value: step('run_1', 1, 'x') }, 'What was there');
  const next = tail.next();
  await second.remove('run_1');
  await written(second, 'run_1', steps('run_1', 10, 3));
  same(await next, { done: false, value: step('run_1', 12, 'x') }, 'What comes of a run that was forgotten and began anew, at the next position');
  const over = tail.next();
  stop.abort();
  same(await over, { done: true }, 'The end of this tail');
}

export async function tailEnds({ journal }: Store): Promise<void> {
  await written(journal, 'run_1', steps('run_1', 0, 2));
  same(await collected(journal.tail('run_1', 0, AbortSignal.abort())), [], 'A tail with a signal that has fired already');
  const stop = new AbortController();
  const seen: JournalEntry[] = [];
  for await (const entry of journal.tail('run_1', 0, stop.signal)) {
    seen.push(entry);
    if (seen.length === 2) stop.abort();
  }
  same(seen, steps('run_1', 0, 2), 'What was seen before the end');
}

export async function tailLeft({ journal }: Store): Promise<void> {
  await written(journal, 'run_1', steps('run_1', 0, 2));
  const stop = new AbortController();
  for await (const entry of journal.tail('run_1', 0, stop.signal)) {
    same(entry, step('run_1', 0, 'x'), 'The first entry');
    break;
  }
  stop.abort(); // Nobody listens any more.
}

export async function removes(store: Store): Promise<void> {
  const second = await store.another();
  for (const runId of ['run_1', 'run_2']) await written(store.journal, runId, ended(runId, 1));
  const { epoch } = await store.journal.open('run_1');
  await conflict('Forgetting a run that is held', () => store.journal.remove('run_1'));
  await conflict('Forgetting a run that another owner holds', () => second.remove('run_1'));
  await store.journal.append('run_1', { epoch, position: 2 }, [step('run_1', 5, 'x')]);
  await store.journal.release('run_1', epoch);
  await second.remove('run_1');
  await second.remove('run_9'); // Never there: nothing to forget.
  same([await store.journal.read('run_1'), (await store.journal.read('run_2')).length], [[], 2], 'What is left of a run that was forgotten, and of another one');
  same((await store.journal.list()).map(({ runId }) => runId), ['run_2'], 'The list without it');
}

export async function beginsAnew(store: Store): Promise<void> {
  await written(store.journal, 'run_1', steps('run_1', 0, 3));
  await store.journal.remove('run_1');
  const second = await store.another();
  same((await second.open('run_1')).length, 0, 'The length of a run that was forgotten');
  await conflict('An append by its owner of before', () => store.journal.append('run_1', { epoch: 0, position: 0 }, steps('run_1', 0, 1)));
}

export async function prunes(store: Store): Promise<void> {
  const second = await store.another();
  for (const [runId, at] of [['old', 1], ['held', 2], ['held elsewhere', 3], ['new', 100]] as const) await written(store.journal, runId, ended(runId, at));
  await written(store.journal, 'interrupted', [start('interrupted', { at: 4 }), rest(5, 'interrupted', 'interrupted')]);
  await written(store.journal, 'running', [start('running', { at: 6 })]);
  await written(store.journal, 'waiting', [start('waiting', { at: 7 }), rest(8, 'awaitingApproval')]);
  for (const [threadId, at, state] of [['closed', 9, 'closed'], ['idle', 11, 'idle'], ['paused', 13, 'paused']] as const) await written(store.journal, threadId, [threadStart(threadId, at), rest(at + 1, state)]);
  await store.journal.open('held');
  await second.open('held elsewhere');
  same(await store.journal.prune({ settledBefore: 100 }), 3, 'The number of runs that were forgotten');
  same((await second.list()).map(({ runId }) => runId), ['held', 'held elsewhere', 'running', 'waiting', 'idle', 'paused', 'new'], 'The runs that are left');
  same(await store.journal.read('old'), [], 'What is left of a run that was forgotten');
  same(await store.journal.prune({ settledBefore: 100 }), 0, 'The number of runs that were forgotten the second time');
}

export async function closeReleases(store: Store): Promise<void> {
  const second = await store.another();
  for (const runId of ['run_1', 'run_2']) await store.journal.open(runId);
  await store.journal.close();
  for (const runId of ['run_1', 'run_2']) same((await second.open(runId)).length, 0, `The length of ${runId}, claimed after its owner was closed`);
}

export async function outlives(store: Store): Promise<void> {
  await written(store.journal, 'run_1', ended('run_1', 1));
  const before = await store.journal.list();
  if (store.isShared) await store.journal.close();
  const next = await store.another();
  same(await next.read('run_1'), ended('run_1', 1), 'What the next process reads');
  same(await next.list(), before, 'What the next process finds in the list');
  same((await next.open('run_1')).length, 2, 'The length that the next process is told');
}

async function collected(entries: AsyncIterable<JournalEntry>): Promise<JournalEntry[]> {
  const seen: JournalEntry[] = [];
  for await (const entry of entries) seen.push(entry);
  return seen;
}
