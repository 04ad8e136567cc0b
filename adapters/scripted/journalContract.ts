/**
 * What every `Journal` owes the loop, as checks that throw plain errors, for any test framework. A store that passes them
 * can be swapped for any other that does.
 */
import type { Journal } from '../../actors/journal.ts';
import type { ContractCheck } from './demands.ts';
import * as checkpoints from './journalCheckpoints.ts';
import * as reading from './journalReading.ts';
import type { Store } from './journalSamples.ts';
import * as writing from './journalWriting.ts';

export interface ContractJournal {
  journal: Journal;
  /**
   * One more owner on the same store, as another process has. It is also what reads the store again after `journal` was closed.
   * Without it, `journal` stands for both, and whether the store outlives it is not asked.
   */
  another?: () => Journal | Promise<Journal>;
  /** Takes the store away, after each check. All journals on it have been closed by then. */
  dispose?: () => void | Promise<void>;
}
export type MakeJournal = () => Journal | ContractJournal | Promise<Journal | ContractJournal>;

/**
 * The checks of the `Journal` port. `makeJournal` gives a journal on a store that is empty. What is said of checkpoints is asked only of
 * a journal that keeps them.
 *
 * @example
 * for (const { name, check } of journalContract(() => ({ journal: new MemoryJournal() }))) test(name, check);
 */
export function journalContract(makeJournal: MakeJournal): ContractCheck[] {
  return CHECKS.map(([name, claim]) => ({
    name,
    async check() {
      const made = await makeJournal();
      const { journal, another, dispose }: ContractJournal = 'journal' in made ? made : { journal: made };
      const opened = [journal];
      const store: Store = {
        journal,
        isShared: another !== undefined,
        async another() {
          if (!another) return journal;
          opened.push(await another());
          return opened.at(-1)!;
        },
      };
      try {
        await claim(store);
      } finally {
        for (const one of opened) await one.close();
        await dispose?.();
      }
    },
  }));
}

type Claim = (store: Store) => Promise<void>;

const CHECKS: [string, Claim][] = [
  ['a claim tells where the next entry goes', writing.claimTells],
  ['the epoch rises with every claim', writing.epochRises],
  ['the epoch rises also when nothing was written under the claim before', writing.emptyEpochRises],
  ['a run that was never claimed cannot be written', writing.unclaimed],
  ['an entry at another position is refused and nothing is written', writing.wrongPosition],
  ['of two entries for one position exactly one is written', writing.onePosition],
  ['a batch is read whole or not at all', writing.wholeBatches],
  ['a batch that is refused leaves nothing behind', writing.refusedBatch],
  ['an empty batch is no write', writing.emptyBatch],
  ['a run that is held cannot be claimed, here or elsewhere', writing.secondRefused],
  ['after a release another owner goes on, and the first is refused', writing.handedOver],
  ['a claim that is over can be given back again, and nothing happens', writing.lateRelease],
  ['of owners that claim at once exactly one wins', writing.claimsAtOnce],
  ['of two owners that write at once exactly one wins', writing.writesAtOnce],
  ['reading begins where it is told to', reading.readsFrom],
  ['nothing is read of a run that is not there', reading.readsNothing],
  ['entries come back as they were written', reading.valuesSurvive],
  ['any text can be the id of a run, and runs do not mix', reading.idsDoNotMix],
  ['a list tells how each run is', reading.listTells],
  ['a list has the newest last, and only those of a thread when asked', reading.listFilters],
  ['a run without entries is not listed', reading.emptyIsNoRun],
  ['a tail gives what is there and then what comes, whoever writes it', reading.tailFollows],
  ['a tail waits for a run that is not there yet', reading.tailWaits],
  ['a tail goes on after its run was forgotten, when that begins anew', reading.tailOutlives],
  ['a tail ends when it is told to', reading.tailEnds],
  ['a reader may leave a tail', reading.tailLeft],
  ['a run can be forgotten, but not while somebody is at work on it', reading.removes],
  ['a run that was forgotten begins anew', reading.beginsAnew],
  ['old runs are forgotten when they have ended and nobody is at work on them', reading.prunes],
  ['a checkpoint is kept until a newer one takes its place', checkpoints.replaced],
  ['a checkpoint of 2 MB comes back as it was kept', checkpoints.large],
  ['a checkpoint is no entry and no run', checkpoints.noEntry],
  ['a checkpoint is of its run alone', checkpoints.ofItsRun],
  ['a checkpoint is forgotten with its run', checkpoints.goesWithItsRun],
  ['a checkpoint under a claim that is over is not kept', checkpoints.ofTheOwner],
  ['closing gives back every claim', reading.closeReleases],
  ['what was written is there for the next process', reading.outlives],
];
