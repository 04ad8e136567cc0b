/** What a `Journal` owes to those who write to it: one owner at a time, whole batches, nothing twice. */
import { JournalConflict } from '../../actors/journal.ts';
import { demand, same } from './demands.ts';
import { type Store, attempt, conflict, step, steps, written } from './journalSamples.ts';

export async function claimTells({ journal }: Store): Promise<void> {
  const claim = await journal.open('run_1');
  same(claim.length, 0, 'The length of a run that is new');
  demand(claim.epoch >= 1, `The epoch of a first claim is ${claim.epoch}; it must be 1 or more.`);
  await journal.append('run_1', { epoch: claim.epoch, position: 0 }, steps('run_1', 0, 3));
  await journal.release('run_1', claim.epoch);
  same((await journal.open('run_1')).length, 3, 'The length that the next claim tells');
}

export async function epochRises(store: Store): Promise<void> {
  let last = await written(store.journal, 'run_1', steps('run_1', 0, 1));
  for (let round = 0; round < 5; round += 1) {
    const owner = round % 2 === 0 ? await store.another() : store.journal;
    const { epoch } = await owner.open('run_1');
    demand(epoch > last, `A claim after epoch ${last} got epoch ${epoch}.`);
    await owner.release('run_1', epoch);
    last = epoch;
  }
}

export async function emptyEpochRises(store: Store): Promise<void> {
  let last = 0;
  for (const owner of [store.journal, await store.another(), store.journal]) {
    const { epoch } = await owner.open('run_1');
    demand(epoch > last, `A claim after epoch ${last}, under which nothing was written, got epoch ${epoch}.`);
    await owner.release('run_1', epoch);
    last = epoch;
  }
}

export async function unclaimed({ journal }: Store): Promise<void> {
  await conflict('An append to a run that was never claimed', () => journal.append('run_1', { epoch: 1, position: 0 }, steps('run_1', 0, 1)));
  same(await journal.read('run_1'), [], 'What is there');
}

export async function wrongPosition({ journal }: Store): Promise<void> {
  const { epoch } = await journal.open('run_1');
  await journal.append('run_1', { epoch, position: 0 }, steps('run_1', 0, 2));
  for (const position of [0, 1, 3]) {
    await conflict(`An append at ${position} after 2 entries`, () => journal.append('run_1', { epoch, position }, [step('run_1', position, 'other')]));
  }
  same(await journal.read('run_1'), steps('run_1', 0, 2), 'What is there');
  await journal.append('run_1', { epoch, position: 2 }, steps('run_1', 2, 1));
  same(await journal.read('run_1'), steps('run_1', 0, 3), 'What is there after an append at the right position');
}

export async function onePosition({ journal }: Store): Promise<void> {
  const { epoch } = await journal.open('run_1');
  const one = (name: string) => attempt(() => journal.append('run_1', { epoch, position: 0 }, [step('run_1', 0, name)]));
  const outcomes = await Promise.all([one('a'), one('b'), one('c')]);
  same(outcomes.filter((error) => error === undefined).length, 1, 'The number of appends at position 0 that succeeded');
  same((await journal.read('run_1')).length, 1, 'The number of entries');
}

export async function wholeBatches(store: Store): Promise<void> {
  const reader = await store.another();
  const { epoch } = await store.journal.open('run_1');
  for (let round = 0; round < 5; round += 1) {
    const batch = steps('run_1', round * 4, 4);
    const [, meanwhile] = await Promise.all([store.journal.append('run_1', { epoch, position: round * 4 }, batch), reader.read('run_1')]);
    demand(meanwhile.length % 4 === 0, 'A part of a batch could be read.');
    same((await reader.read('run_1')).length, (round + 1) * 4, 'What another reads once an append has returned');
  }
}

export async function refusedBatch({ journal }: Store): Promise<void> {
  const { epoch } = await journal.open('run_1');
  const unwritable = step('run_1', 2, { get text(): string { throw new Error('cannot be read'); } });
  const error = await attempt(() => journal.append('run_1', { epoch, position: 0 }, [...steps('run_1', 0, 2), unwritable]));
  if (error === undefined) return; // Kept as it is: nothing was refused.
  same(await journal.read('run_1'), [], 'What is there of a batch that was refused');
  await journal.append('run_1', { epoch, position: 0 }, steps('run_1', 0, 1));
}

export async function emptyBatch({ journal }: Store): Promise<void> {
  const { epoch } = await journal.open('run_1');
  await journal.append('run_1', { epoch, position: 0 }, []);
  same(await journal.read('run_1'), [], 'What is there');
  await journal.append('run_1', { epoch, position: 0 }, steps('run_1', 0, 1));
  const before = await journal.list();
  await journal.append('run_1', { epoch, position: 1 }, []);
  same(await journal.list(), before, 'The list before and after an empty batch');
  await conflict('An empty batch at another position', () => journal.append('run_1', { epoch, position: 7 }, []));
}

export async function secondRefused(store: Store): Promise<void> {
  const second = await store.another();
  const { epoch } = await store.journal.open('run_1');
  await store.journal.append('run_1', { epoch, position: 0 }, steps('run_1', 0, 1));
  await conflict('A second claim by the same owner', () => store.journal.open('run_1'));
  await conflict('A claim by another owner', () => second.open('run_1'));
  await store.journal.append('run_1', { epoch, position: 1 }, steps('run_1', 1, 1));
  same(await second.read('run_1'), steps('run_1', 0, 2), 'What another owner may read');
}

export async function handedOver(store: Store): Promise<void> {
  const second = await store.another();
  const old = await written(store.journal, 'run_1', steps('run_1', 0, 1));
  await conflict('An append after the release', () => store.journal.append('run_1', { epoch: old, position: 1 }, steps('run_1', 1, 1)));
  const { epoch, length } = await second.open('run_1');
  same(length, 1, 'The length that the second owner is told');
  await conflict('An append under an older epoch', () => store.journal.append('run_1', { epoch: old, position: 1 }, [step('run_1', 1, 'first')]));
  await second.append('run_1', { epoch, position: 1 }, steps('run_1', 1, 1));
  await conflict('An append under an older epoch, at the right position', () => store.journal.append('run_1', { epoch: old, position: 2 }, [step('run_1', 2, 'first')]));
  same(await store.journal.read('run_1'), steps('run_1', 0, 2), 'What is there');
}

export async function lateRelease(store: Store): Promise<void> {
  const second = await store.another();
  const old = await written(store.journal, 'run_1', steps('run_1', 0, 1));
  const { epoch } = await second.open('run_1');
  await store.journal.release('run_1', old);
  await store.journal.release('run_2', 1);
  await conflict('A claim after the release of an older one', () => store.journal.open('run_1'));
  await second.append('run_1', { epoch, position: 1 }, steps('run_1', 1, 1));
}

export async function claimsAtOnce(store: Store): Promise<void> {
  const owners = [store.journal, await store.another(), await store.another(), store.journal];
  const errors = await Promise.all(owners.map((owner) => attempt(() => owner.open('run_1'))));
  same(errors.filter((error) => error === undefined).length, 1, 'The number of claims that succeeded');
  demand(errors.every((error) => error === undefined || error instanceof JournalConflict), `A claim was refused with something else than a JournalConflict: ${errors.map(String).join(', ')}.`);
}

export async function writesAtOnce(store: Store): Promise<void> {
  const second = await store.another();
  const old = await written(store.journal, 'run_1', steps('run_1', 0, 1));
  const { epoch } = await second.open('run_1');
  const errors = await Promise.all([
    attempt(() => store.journal.append('run_1', { epoch: old, position: 1 }, [step('run_1', 1, 'first')])),
    attempt(() => second.append('run_1', { epoch, position: 1 }, [step('run_1', 1, 'second')])),
  ]);
  demand(errors[0] instanceof JournalConflict && errors[1] === undefined, 'The owner of the newer claim must write, the other must get a JournalConflict.');
  same(await second.read('run_1', 1), [step('run_1', 1, 'second')], 'What was written');
}
