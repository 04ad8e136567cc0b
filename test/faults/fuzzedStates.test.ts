/** O5: saved states that were changed on their way: a clear error, never another run than the one that was saved. */
import fc from 'fast-check';
import { type Agent, MemoryJournal, RunState, stateFromJournal } from 'loopchart';
import { virtualClock } from 'loopchart/testing';
import { beforeAll, expect, test } from 'vitest';
import { agentsOf } from '../simulation/support/cast.ts';
import { Town } from '../simulation/support/town.ts';
import { RUN, type RunRecording, isClear, recordings } from './fuzz/recordings.ts';

const SEED = 20_260_101;
interface Saved { agents: Agent<any, any>[]; text: string } // `any`: agents of all kinds
let all: Saved[];
beforeAll(async () => { all = await Promise.all((await recordings(12)).flatMap((one) => [saved(one, one.entries.length), saved(one, Math.ceil(one.entries.length / 2))])); });

async function saved({ plan, entries }: RunRecording, length: number): Promise<Saved> {
  const agents = agentsOf(plan, new Town(plan, virtualClock()));
  const journal = new MemoryJournal();
  const { epoch } = journal.open(RUN);
  journal.append(RUN, { epoch, position: 0 }, entries.slice(0, length));
  journal.release(RUN, epoch);
  return { agents, text: (await stateFromJournal<any>(RUN, { journal, agents })).toString() };
}

const read = ({ agents }: Saved, text: string) => RunState.fromString<undefined, Agent<any, any>>(agents[0]!, text);
const check = (runs: number, judge: (saved: Saved, one: number, other: number) => Promise<void>) =>
  fc.assert(fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(), (which, one, other) => judge(all[which % all.length]!, one, other)), { seed: SEED, numRuns: runs });

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type State = { entries: Json[] } & { [key: string]: Json };
const changed = (text: string, change: (state: State) => void): string => {
  const state = JSON.parse(text) as State;
  change(state);
  return JSON.stringify(state);
};
const isRefused = async (saved: Saved, text: string) => {
  const error = await read(saved, text).then(() => undefined, (thrown: unknown) => thrown);
  expect([isClear(error), String(error)]).toEqual([true, expect.any(String)]);
};

test('a state that was not touched is read, however its JSON is laid out', async () => {
  await check(24, async (one) => {
    const again = await read(one, JSON.stringify(JSON.parse(one.text), null, 2));
    expect(again.toString()).toBe(one.text);
  });
});

test('cut at any place, it is refused', async () => {
  await check(60, async (one, at) => isRefused(one, one.text.slice(0, at % one.text.length)));
});

test('without one of its entries, it is refused', async () => {
  await check(100, async (one, at) => isRefused(one, changed(one.text, ({ entries }) => void entries.splice(at % entries.length, 1))));
});

test('with two of its entries exchanged, it is refused', async () => {
  await check(100, async (one, at, distance) => {
    const text = changed(one.text, ({ entries }) => {
      const a = at % entries.length;
      const b = (a + 1 + (distance % (entries.length - 1))) % entries.length;
      [entries[a], entries[b]] = [entries[b]!, entries[a]!];
    });
    await isRefused(one, text);
  });
});

test('with an entry twice, it is refused', async () => {
  await check(60, async (one, at) => isRefused(one, changed(one.text, ({ entries }) => void entries.splice(at % entries.length, 0, entries[at % entries.length]!))));
});

test('with any value in its entries changed, it is refused', async () => {
  await check(300, async (one, at, how) => {
    const text = changed(one.text, (state) => {
      const places = placesOf(state.entries);
      const { holder, key } = places[at % places.length]!;
      holder[key] = otherThan(holder[key]!, how);
    });
    await isRefused(one, text);
  });
});

test('with entries of another run in their place, it is refused', async () => {
  await check(60, async (one, which, at) => {
    const other = all[which % all.length]!;
    const { entries } = JSON.parse(other.text) as State;
    const text = changed(one.text, (state) => {
      const place = at % Math.min(entries.length, state.entries.length);
      state.entries = state.entries.slice(0, place).concat(entries.slice(place));
    });
    if (text !== one.text) await isRefused(one, text);
  });
});

interface Place { holder: { [key: string]: Json }; key: string }

/** Every text, number and truth value, at any depth. */
function placesOf(value: Json, places: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return places;
  const holder = value as Place['holder']; // lists are held by their places
  for (const key of Object.keys(holder)) {
    const inner = holder[key]!;
    if (typeof inner === 'object') placesOf(inner, places);
    else places.push({ holder, key });
  }
  return places;
}

function otherThan(value: Json, how: number): Json {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1 + (how % 5);
  const text = String(value);
  const at = how % (text.length + 1);
  return `${text.slice(0, at)}x${text.slice(at)}`;
}
