/** O4: one run or thread, several processes that would go on with it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type JournalEntry, MemoryJournal, checkReplay, run } from 'loopchart';
import { createThread } from 'loopchart/thread';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { latch } from '../scenarios/support/cast.ts';
import { bundled } from './bundle.ts';
import { EFFECTS, type Tale, heldAgent } from './heldAgent.ts';
import type { Order } from './owner.ts';
import { journalIn } from './store.ts';
import { COMMANDS } from './words.ts';

type Store = 'sqlite' | 'file';
const STORES: Store[] = ['sqlite', 'file'];
const ROUNDS = 20;
const folder = mkdtempSync(join(tmpdir(), 'loopchart-owners-'));
let start: ReturnType<typeof bundled>;
const owners = new Set<Owner>();

beforeAll(() => { start = bundled('owner', folder); });
afterAll(async () => {
  await Promise.all([...owners].map((owner) => owner.die()));
  rmSync(folder, { recursive: true, force: true });
});

/** A process, and all that it has told. */
class Owner {
  readonly tales: Tale[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown>;
  #wake = () => {};

  constructor(store: Store, home: string, leaseMs: number) {
    this.#child = spawn(process.execPath, [start.bundle, store, home, String(leaseMs)], { env: start.env });
    this.#ended = new Promise((resolve) => this.#child.on('close', resolve));
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.tales.push(JSON.parse(line) as Tale);
      this.#wake();
    });
    this.#child.stderr.on('data', (text: Buffer) => console.error(String(text)));
    owners.add(this);
  }

  order(order: Order): void {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name);
  }

  /** The tales from a number on, as soon as they are so many that it is enough. */
  async until(from: number, isEnough: (tales: Tale[]) => boolean): Promise<Tale[]> {
    while (!isEnough(this.tales.slice(from))) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.tales.slice(from);
  }

  async die(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** What there is to go on with, and what becomes of it. */
interface Kind {
  what: 'run' | 'thread';
  order: 'resume' | 'open';
  /** The whole story of one that nobody has left. */
  story(id: string): Promise<readonly JournalEntry[]>;
  /** What the model is shown of people's words once the calls have ended, one for each answer that is final. */
  shown: string[][];
  /** How it is listed in the end. */
  rest: object;
  /** What a process that has lost it tries when it wakes up. */
  tries(lost: Owner, id: string): Promise<void>;
  /** What may be written behind it: a run is given back when it is over. */
  isLate(entry: JournalEntry): boolean;
}
const KINDS: Kind[] = [
  { what: 'run', order: 'resume', story: storyOfRun, shown: [['go']], rest: { state: 'settled', status: 'completed' }, tries: endsInVain, isLate: ({ type }) => type === 'effect.late' },
  { what: 'thread', order: 'open', story: storyOfThread, shown: [['go', 'Hurry.'], ['go', 'Hurry.', 'next']], rest: { state: 'idle' }, tries: hearsInVain, isLate: () => false },
];

async function storyOfRun(runId: string): Promise<readonly JournalEntry[]> {
  const journal = new MemoryJournal();
  await run(heldAgent({ tell: () => undefined, hold: () => Promise.resolve() }), 'go', { journal, runId });
  return journal.read(runId);
}

/** While the model thinks for the first time, the thread accepts a steer and an entry of its queue. */
async function storyOfThread(threadId: string): Promise<readonly JournalEntry[]> {
  const journal = new MemoryJournal();
  const [asked, answers] = [latch(), latch()];
  const agent = heldAgent({ tell: ({ what }) => (what === 'asks' ? (asked.open(), answers.promise) : undefined), hold: () => Promise.resolve() });
  const thread = createThread(agent, { journal, threadId });
  void thread.run('go');
  await asked.promise;
  const next = thread.queue.add('next');
  await thread.steer('Hurry.');
  answers.open();
  await next;
  await thread.release();
  return journal.read(threadId);
}

/** Those who have it are gone: before the first answer was recorded, or with the answer recorded and no call begun. */
async function abandoned(home: string, store: Store, { story }: Kind, id: string, when: 'asked' | 'answered'): Promise<ReturnType<typeof journalIn>> {
  const entries = await story(id);
  const end = entries.findIndex((entry) => (when === 'asked' ? entry.type === 'effect.done' && entry.id.endsWith('/model#1') : entry.type === 'effect.started'));
  const journal = journalIn(home, store);
  const { epoch } = await journal.open(id);
  await journal.append(id, { epoch, position: 0 }, entries.slice(0, end));
  await journal.release(id, epoch);
  return journal;
}

const begun = (tales: Tale[]) => tales.flatMap((tale) => (tale.what === 'begins' ? [tale.tool] : []));
const shown = (tales: Tale[]) => tales.flatMap((tale) => (tale.what === 'asks' ? [tale.words] : []));
const ends = (tales: Tale[]) => tales.filter(({ what }) => what === 'ended');
const allBegun = (tales: Tale[]) => begun(tales).length === EFFECTS.length;
const isRefused = (tales: Tale[]) => tales.some(({ what }) => what === 'refused');
const isHeard = (tales: Tale[]) => tales.some(({ what }) => what === 'heard');
const refusal = (message: string) => ({ what: 'refused', error: 'JournalConflict', message: expect.stringContaining(message) });
const endings = ({ shown }: Kind) => shown.map(() => ({ what: 'ended', output: 'Done with 4.' }));
const isFinished = ({ shown }: Kind) => (tales: Tale[]) => ends(tales).length === shown.length || isRefused(tales);

describe.each(STORES)('%s', (store) => {
  test.each(KINDS)('O4: of two processes that $order a $what at the same instant one continues, the other is refused before any effect', async (kind) => {
    const home = mkdtempSync(join(folder, store));
    const two = [new Owner(store, home, 30_000), new Owner(store, home, 30_000)];
    await Promise.all(two.map((owner) => owner.until(0, (tales) => tales.length > 0)));
    const winners: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const id = `${kind.what}_${round}`;
      const isAsked = round % 2 === 0;
      const journal = await abandoned(home, store, kind, id, isAsked ? 'asked' : 'answered');
      const from = two.map(({ tales }) => tales.length);
      const at = Date.now() + 3; // both have read the order by then
      for (const owner of two) owner.order({ order: kind.order, id, at });
      const told = await Promise.all(two.map((owner, index) => owner.until(from[index]!, (tales) => allBegun(tales) || isRefused(tales))));
      const winner = told.findIndex(allBegun);
      winners.push(winner);
      expect(told[1 - winner]).toEqual([refusal(id)]);
      two[winner]!.order({ order: 'end' });
      const all = await two[winner]!.until(from[winner]!, isFinished(kind));
      expect([begun(all), ends(all), all.at(-1)]).toEqual([EFFECTS, endings(kind), endings(kind).at(-1)]);
      expect(shown(all)).toEqual([...(isAsked ? [['go']] : []), ...kind.shown]);
      expect(await checkReplay(id, () => journal.read(id))).toEqual({ verdict: 'same' });
      journal.close();
    }
    expect(winners.every((winner) => winner >= 0)).toBe(true);
    await Promise.all(two.map((owner) => owner.die()));
  }, 60_000);

  test.each(KINDS)('O4: a process that stood still past its lease finds its $what finished by another, and can change nothing', async (kind) => {
    const id = `${kind.what}_1`;
    const home = mkdtempSync(join(folder, store));
    const journal = await abandoned(home, store, kind, id, 'answered');
    const frozen = new Owner(store, home, 200);
    frozen.order({ order: kind.order, id, at: 0 });
    await frozen.until(0, allBegun);
    frozen.signal('SIGSTOP');
    const heir = new Owner(store, home, 30_000);
    await heir.until(0, (tales) => tales.length > 0);
    await untilTakenOver(heir, { order: kind.order, id, at: 0 });
    heir.order({ order: 'end' });
    const taken = await heir.until(0, (tales) => tales.some(({ what }) => what === 'waits'));
    expect(begun(taken).sort()).toEqual(['idempotent', 'pure', 'reconcilable']); // nobody knows whether the fourth had its effect
    expect(taken.at(-1)).toEqual({ what: 'waits', calls: [expect.stringContaining('toolCall.1.3')] });
    heir.order({ order: 'approve' });
    await heir.until(0, allBegun);
    heir.order({ order: 'end' });
    const finished = await heir.until(taken.length, isFinished(kind));
    expect([ends(finished), finished.at(-1), shown(heir.tales)]).toEqual([endings(kind), endings(kind).at(-1), kind.shown]);
    const entries = await journal.read(id);
    frozen.signal('SIGCONT');
    await kind.tries(frozen, id);
    expect((await journal.read(id)).filter((entry) => !kind.isLate(entry))).toEqual(entries);
    expect(await checkReplay(id, () => journal.read(id))).toEqual({ verdict: 'same' });
    expect(await journal.list()).toMatchObject([kind.rest]);
    expect(keysOf(heir.tales)).toEqual(keysOf(frozen.tales));
    expect(heir.tales.filter(({ what }) => what === 'checks')).toHaveLength(1);
    expect(frozen.tales.filter(({ what }) => what === 'asks')).toEqual([]);
    await Promise.all([frozen.die(), heir.die()]);
    journal.close();
  }, 60_000);
});

/** Asks again until the lease of the other is over; each refusal comes before any effect. */
async function untilTakenOver(heir: Owner, order: Order): Promise<void> {
  for (;;) {
    const from = heir.tales.length;
    heir.order(order);
    const told = await heir.until(from, (tales) => begun(tales).length === 3 || isRefused(tales));
    if (begun(told).length === 3) return;
    expect(told).toEqual([refusal('is at work on it')]);
  }
}

/** Its bodies end. */
async function endsInVain(lost: Owner, id: string): Promise<void> {
  lost.order({ order: 'end' });
  const told = await lost.until(0, isRefused);
  expect(told.at(-1)).toEqual(refusal(id));
}

/** It is told all that a thread can be told; its bodies end; it is told so again. */
async function hearsInVain(lost: Owner, id: string): Promise<void> {
  const answers = Object.fromEntries(Object.keys(COMMANDS).map((word) => [word, 'JournalConflict']));
  const from = lost.tales.length;
  lost.order({ order: 'say' });
  expect(await lost.until(from, isHeard)).toEqual([refusal(id), { what: 'heard', answers }]);
  lost.order({ order: 'end' });
  const ended = await lost.until(from + 2, (tales) => tales.length === EFFECTS.length);
  lost.order({ order: 'say' });
  const all = await lost.until(from + 2, isHeard);
  expect([ended.map(({ what }) => what), all.slice(EFFECTS.length)]).toEqual([EFFECTS.map(() => 'ends'), [{ what: 'heard', answers }]]);
}

/** By which the world can tell that it is one and the same call. */
const keysOf = (tales: readonly Tale[]) => tales.flatMap((tale) => (tale.what === 'begins' ? [tale.key] : [])).sort();
