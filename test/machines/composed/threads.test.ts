import { describe, expect, test } from 'vitest';
import type { Incoming, JournalEntry } from '../../../machines/protocol/journal.ts';
import { mostStates } from './bounds.ts';
import { type Word, WORDS, threadTerritory } from './threadTerritory.ts';
import { type ComposedWalk, walkThrough } from './walk.ts';
import { World } from './world.ts';

const MOST = mostStates(300);

const report = (name: string, { states, edges, longest, ends, isWhole, ms }: ComposedWalk) =>
  console.log(`thread, ${name}: ${states} states, ${edges} edges, up to ${longest} entries, ${ms} ms${isWhole ? '' : ' (not all)'}; ends ${JSON.stringify(ends)}`);

/** A run of two turns with a tool, a helper and a tool of the helper that a person is asked about; whatever is said comes at every point. */
describe('a thread in every order: M1–M4, L1, L3, L4, G3, I2, J2, J4, D1, D6, O1 hold in each state, and every run settles', { timeout: 120_000 }, () => {
  const some: Word[][] = [['steer', 'interrupt'], ['queue', 'softStop', 'resume'], ['mail', 'interrupt', 'resume'], ['compact', 'steer'], ['steer', 'softStop', 'queue', 'resume']];
  test.each(some.map((words) => [words.join(', '), words] as const))('%s', async (name, words) => {
    const walk = await walkThrough(threadTerritory(words));
    report(name, walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(walk.states).toBeGreaterThan(50);
  });

  test('all of it', { timeout: 3_600_000 }, async () => {
    const walk = await walkThrough(threadTerritory(WORDS), MOST);
    report('all', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.states).toBeGreaterThanOrEqual(Math.min(MOST, 5_000));
  });
});

describe('O1: resumed at every prefix of its journal, and told the rest', () => {
  test.each([1, 2, 3, 4, 5, 6])('way %i', async (seed) => {
    const { entries, key } = await wander(seed);
    expect(entries.length).toBeGreaterThan(12);
    for (let length = 1; length < entries.length; length += 1) {
      const world = await World.after(entries.slice(0, length), false, TERRITORY.root);
      for (const entry of entries.slice(length)) if (isFromOutside(entry)) world.host.dispatch(withoutTime(entry));
      expect([length, world.key === key]).toEqual([length, true]);
    }
  });
});

const TERRITORY = threadTerritory(WORDS);

/** A thread as far as it goes; which of the things that may happen next does happen follows from the seed. */
async function wander(seed: number): Promise<{ entries: readonly JournalEntry[]; key: string }> {
  const world = await World.from(TERRITORY.root);
  let state = seed;
  for (let ops = TERRITORY.nextOps(world); ops.length > 0; ops = TERRITORY.nextOps(world)) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    world.apply(ops[Math.floor((state / 2_147_483_648) * ops.length)]!);
  }
  return { entries: world.host.entries.slice(), key: world.key };
}

const isFromOutside = ({ type }: JournalEntry) => type !== 'run.rest' && type !== 'effect.started';
const withoutTime = ({ at: _at, mark: _mark, ...incoming }: JournalEntry) => incoming as Incoming;
