/** What a `Journal` that keeps checkpoints owes to those who keep and read them. One that does without owes nothing here. */
import type { Journal } from '../../actors/journal.ts';
import { demand, same } from './demands.ts';
import { type Store, ended, steps, written } from './journalSamples.ts';

type KeepingJournal = Journal & Required<Pick<Journal, 'keepCheckpoint' | 'readCheckpoint'>>;
interface KeepingStore { journal: KeepingJournal; another: () => Promise<KeepingJournal> }

/** Asks it only of a journal that keeps checkpoints. */
const whereKept = (claim: (store: KeepingStore) => Promise<void>) => async ({ journal, another }: Store): Promise<void> => {
  if (isKeeping(journal)) await claim({ journal, another: async () => (await another()) as KeepingJournal }); // of the same kind
};

const isKeeping = (journal: Journal): journal is KeepingJournal => journal.keepCheckpoint !== undefined && journal.readCheckpoint !== undefined;

/** Any text of JSON: what it says is the matter of whoever kept it. */
const textOf = (name: string, length = 0) => JSON.stringify(['sum', { name, text: `ünï 漢字 🂡 \u0000 "quote" \\ \n \ud800 ${'long '.repeat(length / 5)}` }]);

export const replaced = whereKept(async ({ journal, another }) => {
  const reader = await another();
  same(await journal.readCheckpoint('run_1'), undefined, 'The checkpoint of a run that is not there');
  const { epoch } = await journal.open('run_1');
  await journal.append('run_1', { epoch, position: 0 }, steps('run_1', 0, 2));
  same(await journal.readCheckpoint('run_1'), undefined, 'The checkpoint of a run of which none was kept');
  for (const text of [textOf('first', 100), textOf('second'), textOf('third', 50)]) {
    await journal.keepCheckpoint('run_1', { epoch, position: 2 }, text);
    same([await journal.readCheckpoint('run_1'), await reader.readCheckpoint('run_1')], [text, text], 'The newest checkpoint');
  }
  await journal.release('run_1', epoch);
  same(await reader.readCheckpoint('run_1'), textOf('third', 50), 'The checkpoint of a run that nobody holds');
  await reader.open('run_1');
  same(await reader.readCheckpoint('run_1'), textOf('third', 50), 'The checkpoint of a run that the next owner has claimed');
});

export const large = whereKept(async ({ journal, another }) => {
  const text = textOf('large', 2 * 1024 * 1024);
  await kept(journal, 'run_1', text);
  demand((await journal.readCheckpoint('run_1')) === text, 'A checkpoint of 2 MB did not come back as it was kept.');
  await kept(await another(), 'run_1', textOf('small'));
  same(await journal.readCheckpoint('run_1'), textOf('small'), 'The checkpoint in place of a large one');
});

export const noEntry = whereKept(async ({ journal, another }) => {
  const { epoch } = await journal.open('run_1');
  await journal.append('run_1', { epoch, position: 0 }, ended('run_1', 1));
  const before = await journal.list();
  const stop = new AbortController();
  const tail = journal.tail('run_1', 1, stop.signal)[Symbol.asyncIterator]();
  same((await tail.next()).value, ended('run_1', 1)[1], 'What a tail gives before the checkpoint');
  await journal.keepCheckpoint('run_1', { epoch, position: 2 }, textOf('kept'));
  same([await journal.read('run_1'), await journal.list()], [ended('run_1', 1), before], 'Entries and list after a checkpoint was kept');
  await journal.append('run_1', { epoch, position: 2 }, steps('run_1', 2, 1));
  same((await tail.next()).value, steps('run_1', 2, 1)[0], 'What a tail gives after the checkpoint');
  stop.abort();
  await tail.return?.();
  await journal.release('run_1', epoch);
  const next = await another();
  same((await next.list()).map(({ runId }) => runId), ['run_1'], 'The runs that are listed beside a checkpoint');
  same((await next.open('run_1')).length, 3, 'The length of a run with a checkpoint');
});

export const ofItsRun = whereKept(async ({ journal }) => {
  const runIds = ['run_1', 'Run_1', 'run_1.checkpoint', 'run', 'a/b', 'a\\b', 'a:b', '', '漢字', '\ud800', '__proto__'];
  for (const runId of runIds) await kept(journal, runId, textOf(runId));
  await written(journal, 'run_2', steps('run_2', 0, 1));
  for (const runId of runIds) same(await journal.readCheckpoint(runId), textOf(runId), `The checkpoint of ${JSON.stringify(runId)}`);
  same(await journal.readCheckpoint('run_2'), undefined, 'The checkpoint of a run of which none was kept');
});

export const goesWithItsRun = whereKept(async ({ journal, another }) => {
  for (const runId of ['stays', 'removed', 'pruned']) await kept(journal, runId, textOf(runId));
  const { epoch, length } = await journal.open('stays');
  await journal.append('stays', { epoch, position: length }, steps('stays', 100, 1)); // it goes on
  await journal.remove('removed');
  same(await journal.prune({ settledBefore: 100 }), 1, 'The number of runs that were forgotten');
  const second = await another();
  for (const runId of ['removed', 'pruned']) {
    same(await second.readCheckpoint(runId), undefined, `The checkpoint of a run that was ${runId}`);
    await written(second, runId, steps(runId, 0, 3));
    same(await second.readCheckpoint(runId), undefined, `The checkpoint of a run that was ${runId} and began anew`);
  }
  same(await second.readCheckpoint('stays'), textOf('stays'), 'The checkpoint of the run that is left');
});

export const ofTheOwner = whereKept(async ({ journal, another }) => {
  const second = await another();
  const old = await written(journal, 'run_1', steps('run_1', 0, 1));
  await journal.keepCheckpoint('run_1', { epoch: old, position: 1 }, textOf('stale'));
  same(await journal.readCheckpoint('run_1'), undefined, 'What was kept under a claim that was given back');
  const { epoch } = await second.open('run_1');
  await second.keepCheckpoint('run_1', { epoch, position: 1 }, textOf('new'));
  await journal.keepCheckpoint('run_1', { epoch: old, position: 1 }, textOf('stale'));
  same(await second.readCheckpoint('run_1'), textOf('new'), 'The checkpoint of the owner, after one of the owner before');
  await journal.keepCheckpoint('run_9', { epoch: 1, position: 0 }, textOf('stale'));
  same(await journal.readCheckpoint('run_9'), undefined, 'What was kept of a run that was never claimed');
});

/** Writes to a run, which then has ended, and keeps a checkpoint of it. */
async function kept(journal: KeepingJournal, runId: string, text: string): Promise<void> {
  const { epoch, length } = await journal.open(runId);
  await journal.append(runId, { epoch, position: length }, ended(runId, 1));
  await journal.keepCheckpoint(runId, { epoch, position: length + 2 }, text);
  await journal.release(runId, epoch);
}
