import { describe, expect, test } from 'vitest';
import { journalContract } from 'loopchart/testing';
import type { Journal } from '../../../actors/journal.ts';
import { MemoryJournal } from '../../../actors/memoryJournal.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';

type Broken = (sound: MemoryJournal) => Partial<Journal>;

/** Each defect is caught by the check of that name: a contract that nothing can break would be worth nothing. */
const DEFECTS: Record<string, Broken> = {
  'a claim tells where the next entry goes': (sound) => ({ open: (runId) => ({ ...sound.open(runId), length: 0 }) }),
  'the epoch rises with every claim': (sound) => ({ open: (runId) => ({ ...sound.open(runId), epoch: 1 }) }),
  'the epoch rises also when nothing was written under the claim before': (sound) => ({ open: (runId) => { const claim = sound.open(runId); return claim.length > 0 ? claim : { ...claim, epoch: 1 }; } }),
  'a run that was never claimed cannot be written': (sound) => ({ append: (runId, at, entries) => { if (sound.read(runId).length > 0 || !isHeld(sound, runId)) return; sound.append(runId, at, entries); } }),
  'an entry at another position is refused and nothing is written': (sound) => ({ append: (runId, at, entries) => sound.append(runId, { ...at, position: sound.read(runId).length }, entries) }),
  'of two entries for one position exactly one is written': (sound) => ({ append: (runId, at, entries) => sound.append(runId, { ...at, position: sound.read(runId).length }, entries) }),
  'a batch is read whole or not at all': (sound) => ({
    append: async (runId, at, entries) => {
      for (const [index, entry] of entries.entries()) {
        sound.append(runId, { ...at, position: at.position + index }, [entry]);
        await Promise.resolve();
      }
    },
  }),
  'a batch that is refused leaves nothing behind': (sound) => ({
    append: (runId, at, entries) => entries.forEach((entry, index) => sound.append(runId, { ...at, position: at.position + index }, [JSON.parse(JSON.stringify(entry))])),
  }),
  'an empty batch is no write': (sound) => ({ append: (runId, at, entries) => { if (entries.length > 0) sound.append(runId, at, entries); } }),
  'a run that is held cannot be claimed, here or elsewhere': (sound) => ({ open: (runId) => stolen(sound, runId) }),
  'after a release another owner goes on, and the first is refused': (sound) => ({ append: (runId, at, entries) => sound.append(runId, { ...at, epoch: newest(sound, runId) }, entries) }),
  'a claim that is over can be given back again, and nothing happens': (sound) => ({ release: (runId) => sound.release(runId, newest(sound, runId)) }),
  'of owners that claim at once exactly one wins': (sound) => ({ open: (runId) => stolen(sound, runId) }),
  'of two owners that write at once exactly one wins': (sound) => ({ append: (runId, at, entries) => sound.append(runId, { ...at, epoch: newest(sound, runId) }, entries) }),
  'reading begins where it is told to': (sound) => ({ read: (runId) => sound.read(runId) }),
  'nothing is read of a run that is not there': (sound) => ({ read: (runId, from) => { if (sound.list().length === 0) throw new Error('no such run'); return sound.read(runId, from); } }),
  'entries come back as they were written': (sound) => ({ read: (runId, from) => sound.read(runId, from).map((entry) => assigned(entry)) }),
  'any text can be the id of a run, and runs do not mix': (sound) => ({ ...folded(sound, (runId) => runId.toLowerCase()) }),
  'a list tells how each run is': (sound) => ({ list: (filter) => sound.list(filter).map(({ status: _status, ...summary }) => summary) }),
  'a list has the newest last, and only those of a thread when asked': (sound) => ({ list: () => sound.list() }),
  'a run without entries is not listed': (sound) => {
    const opened: string[] = [];
    return {
      open: (runId) => (opened.push(runId), sound.open(runId)),
      list: () => opened.map((runId) => ({ runId, agent: '', state: 'running', length: 0, startedAt: 0, updatedAt: 0 })),
    };
  },
  'a tail gives what is there and then what comes, whoever writes it': (sound) => ({ tail: (runId, _from, signal) => sound.tail(runId, 0, signal) }),
  'a tail waits for a run that is not there yet': (sound) => ({ tail: async function* (runId, from, signal) { if (sound.read(runId).length > 0) yield* sound.tail(runId, from, signal); } }),
  'a tail goes on after its run was forgotten, when that begins anew': (sound) => {
    const removed = new AbortController();
    return {
      remove: (runId) => (removed.abort(), sound.remove(runId)),
      tail: (runId, from, signal) => sound.tail(runId, from, AbortSignal.any([signal, removed.signal])),
    };
  },
  'a tail ends when it is told to': (sound) => ({ tail: async function* (runId) { yield* sound.read(runId); yield* sound.read(runId); } }),
  'a reader may leave a tail': (sound) => ({ tail: (runId) => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ value: sound.read(runId)[0]! }), return: () => Promise.reject(new Error('leaving failed')) }) }) }),
  'a run can be forgotten, but not while somebody is at work on it': (sound) => ({ remove: (runId) => { if (isHeld(sound, runId)) sound.release(runId, newest(sound, runId)); sound.remove(runId); } }),
  'a run that was forgotten begins anew': () => ({ remove: () => undefined }),
  'old runs are forgotten when they have ended and nobody is at work on them': (sound) => ({ prune: ({ settledBefore }) => { const old = sound.list().filter(({ updatedAt }) => updatedAt < settledBefore); sound.close(); for (const { runId } of old) sound.remove(runId); return old.length; } }),
  'a checkpoint is kept until a newer one takes its place': (sound) => ({ keepCheckpoint: (runId, at, text) => { if (sound.readCheckpoint(runId) === undefined) sound.keepCheckpoint(runId, at, text); } }),
  'a checkpoint of 2 MB comes back as it was kept': (sound) => ({ keepCheckpoint: (runId, at, text) => sound.keepCheckpoint(runId, at, text.slice(0, 2 ** 20)) }),
  'a checkpoint is no entry and no run': (sound) => ({ list: (filter) => sound.list(filter).flatMap((summary) => (sound.readCheckpoint(summary.runId) === undefined ? [summary] : [summary, { ...summary, runId: `${summary.runId}.checkpoint` }])) }),
  'a checkpoint is of its run alone': (sound) => keptBy(sound, new Map(), () => 'every run'),
  'a checkpoint is forgotten with its run': (sound) => keptBy(sound, new Map(), (runId) => runId),
  'a checkpoint under a claim that is over is not kept': (sound) => ({ keepCheckpoint: (runId, at, text) => sound.keepCheckpoint(runId, { ...at, epoch: newest(sound, runId) }, text) }),
  'closing gives back every claim': () => ({ close: () => undefined }),
  'what was written is there for the next process': (sound) => ({ read: (runId, from) => sound.read(runId, from).slice(1) }),
};

describe('a defect is caught', () => {
  for (const { name } of journalContract(() => new MemoryJournal())) {
    test(name, async () => {
      expect(DEFECTS).toHaveProperty([name]);
      const broken = journalContract(() => brokenBy(DEFECTS[name]!)).find((check) => check.name === name);
      await expect(broken?.check()).rejects.toThrow();
    });
  }
});

test('nothing is asked of checkpoints where a journal keeps none', async () => {
  const asked: string[] = [];
  const without = () => brokenBy((sound) => ({ keepCheckpoint: undefined, readCheckpoint: undefined, open: (runId) => (asked.push(runId), sound.open(runId)) }));
  const checks = journalContract(without).filter(({ name }) => name.startsWith('a checkpoint'));
  for (const { check } of checks) await check();
  expect([checks.length, asked]).toEqual([6, []]);
});

test('journals that were opened are closed, and the store is taken away, also after a failed check', async () => {
  const closed: string[] = [];
  const journalOf = (name: string) => brokenBy((sound) => ({ close: () => void closed.push(name), open: (runId) => { if (name === 'other') throw new Error('out of order'); return sound.open(runId); } }));
  const checks = journalContract(() => ({ journal: journalOf('first'), another: () => journalOf('other'), dispose: () => void closed.push('store') }));
  await expect(checks.find(({ name }) => name.startsWith('after a release'))?.check()).rejects.toThrow('out of order');
  expect(closed).toEqual(['first', 'other', 'store']);
});

function brokenBy(defect: Broken): Journal {
  const sound = new MemoryJournal();
  const defects = defect(sound);
  return new Proxy<Journal>(sound, {
    get: (_target, name: keyof Journal | 'then') => (name === 'then' ? undefined : (name in defects ? defects[name] : sound[name].bind(sound))),
  });
}

function isHeld(journal: MemoryJournal, runId: string): boolean {
  try {
    journal.release(runId, journal.open(runId).epoch);
    return false;
  } catch {
    return true; // Expected: a claim is refused while there is one.
  }
}

/** Epochs of the memory journal count up from 1: the newest is the last one under which an empty batch is not refused. */
function newest(journal: MemoryJournal, runId: string): number {
  const position = journal.read(runId).length;
  for (let epoch = 1; epoch < 50; epoch += 1) {
    try {
      journal.append(runId, { epoch, position }, []);
      return epoch;
    } catch {
      continue; // Expected of every other epoch.
    }
  }
  return 0;
}

function stolen(journal: MemoryJournal, runId: string) {
  if (isHeld(journal, runId)) journal.release(runId, newest(journal, runId));
  return journal.open(runId);
}

/** Keys that mean something to the language get lost. */
function assigned(entry: JournalEntry): JournalEntry {
  const copy = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(copy);
    const copied: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(value)) copied[key] = copy(inner);
    return copied;
  };
  return copy(entry) as JournalEntry;
}

/** Kept apart from the runs, and so never forgotten. */
const keptBy = (sound: MemoryJournal, texts: Map<string, string>, keyOf: (runId: string) => string): Partial<Journal> => ({
  keepCheckpoint: (runId, { epoch }, text) => { if (newest(sound, runId) === epoch) texts.set(keyOf(runId), text); },
  readCheckpoint: (runId) => texts.get(keyOf(runId)),
});

function folded(journal: MemoryJournal, fold: (runId: string) => string): Partial<Journal> {
  return {
    open: (runId) => journal.open(fold(runId)),
    append: (runId, at, entries) => journal.append(fold(runId), at, entries),
    release: (runId, epoch) => journal.release(fold(runId), epoch),
    read: (runId, from) => journal.read(fold(runId), from),
  };
}
