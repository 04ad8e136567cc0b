/** O4: one run, several processes that would go on with it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Journal, MemoryJournal, checkReplay, run } from 'loopchart';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundled } from './bundle.ts';
import { EFFECTS, type Tale, heldAgent } from './heldAgent.ts';
import type { Order } from './owner.ts';
import { journalIn } from './store.ts';

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

  constructor(kind: string, home: string, leaseMs: number) {
    this.#child = spawn(process.execPath, [start.bundle, kind, home, String(leaseMs)], { env: start.env });
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

const begun = (tales: Tale[]) => tales.flatMap((tale) => (tale.what === 'begins' ? [tale.tool] : []));
const allBegun = (tales: Tale[]) => begun(tales).length === EFFECTS.length;
const isOver = (tales: Tale[]) => tales.some(({ what }) => what === 'ended' || what === 'refused' || what === 'waits');

/** A run whose process is gone: before its first answer, or with the answer recorded and no call begun. */
async function abandoned(journal: Journal, runId: string, entries: number): Promise<void> {
  const whole = new MemoryJournal();
  await run(heldAgent({ tell: () => undefined, hold: () => Promise.resolve() }), 'go', { journal: whole, runId });
  const { epoch } = await journal.open(runId);
  await journal.append(runId, { epoch, position: 0 }, whole.read(runId).slice(0, entries));
  await journal.release(runId, epoch);
}

describe.each(['sqlite', 'file'] as const)('%s', (kind) => {
  test('O4: of two processes that resume a run at the same instant one continues, the other is refused before any effect', async () => {
    const home = mkdtempSync(join(folder, kind));
    const two = [new Owner(kind, home, 30_000), new Owner(kind, home, 30_000)];
    await Promise.all(two.map((owner) => owner.until(0, (tales) => tales.length > 0)));
    const winners: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const runId = `run_${round}`;
      const journal = journalIn(home, kind);
      await abandoned(journal, runId, 1 + (round % 2));
      const from = two.map(({ tales }) => tales.length);
      const at = Date.now() + 3; // both have read the order by then
      for (const owner of two) owner.order({ order: 'resume', run: runId, at });
      const told = await Promise.all(two.map((owner, index) => owner.until(from[index]!, (tales) => allBegun(tales) || isOver(tales))));
      const winner = told.findIndex(allBegun);
      winners.push(winner);
      expect(told[1 - winner]).toEqual([{ what: 'refused', error: 'JournalConflict', message: expect.stringContaining(runId) }]);
      two[winner]!.order({ order: 'end' });
      const all = await two[winner]!.until(from[winner]!, isOver);
      expect([begun(all), all.at(-1)]).toEqual([EFFECTS, { what: 'ended', output: 'Done with 4.' }]);
      expect(await checkReplay(runId, () => journal.read(runId))).toEqual({ verdict: 'same' });
      journal.close();
    }
    expect(winners.every((winner) => winner >= 0)).toBe(true);
    await Promise.all(two.map((owner) => owner.die()));
  }, 60_000);

  test('O4: a process that stood still past its lease finds its run finished by another, and can change nothing', async () => {
    const home = mkdtempSync(join(folder, kind));
    const journal = journalIn(home, kind);
    await abandoned(journal, 'run_1', 2);
    const frozen = new Owner(kind, home, 200);
    frozen.order({ order: 'resume', run: 'run_1', at: 0 });
    await frozen.until(0, allBegun);
    frozen.signal('SIGSTOP');
    const heir = new Owner(kind, home, 30_000);
    await heir.until(0, (tales) => tales.length > 0);
    await untilTakenOver(heir);
    heir.order({ order: 'end' });
    const taken = await heir.until(0, (tales) => tales.some(({ what }) => what === 'waits'));
    expect(begun(taken).sort()).toEqual(['idempotent', 'pure', 'reconcilable']); // nobody knows whether the fourth had its effect
    expect(taken.at(-1)).toEqual({ what: 'waits', calls: [expect.stringContaining('toolCall.1.3')] });
    heir.order({ order: 'approve' });
    await heir.until(0, allBegun);
    heir.order({ order: 'end' });
    const finished = await heir.until(taken.length, (tales) => tales.some(({ what }) => what === 'ended'));
    expect(finished.at(-1)).toEqual({ what: 'ended', output: 'Done with 4.' });
    const entries = await journal.read('run_1');
    frozen.signal('SIGCONT');
    frozen.order({ order: 'end' });
    const late = await frozen.until(0, isOver);
    expect(late.at(-1)).toEqual({ what: 'refused', error: 'JournalConflict', message: expect.stringContaining('run_1') });
    expect((await journal.read('run_1')).filter(({ type }) => type !== 'effect.late')).toEqual(entries);
    expect(await journal.list()).toMatchObject([{ state: 'settled', status: 'completed' }]);
    expect(keysOf(heir.tales)).toEqual(keysOf(frozen.tales));
    expect(heir.tales.filter(({ what }) => what === 'checks')).toHaveLength(1);
    expect(late.filter(({ what }) => what === 'asks')).toEqual([]);
    await Promise.all([frozen.die(), heir.die()]);
    journal.close();
  }, 60_000);
});

/** Asks again until the lease of the other is over; each refusal comes before any effect. */
async function untilTakenOver(heir: Owner): Promise<void> {
  for (;;) {
    const from = heir.tales.length;
    heir.order({ order: 'resume', run: 'run_1', at: 0 });
    const told = await heir.until(from, (tales) => begun(tales).length === 3 || isOver(tales));
    if (begun(told).length === 3) return;
    expect(told).toEqual([{ what: 'refused', error: 'JournalConflict', message: expect.stringContaining('is at work on it') }]);
  }
}

/** By which the world can tell that it is one and the same call. */
const keysOf = (tales: readonly Tale[]) => tales.flatMap((tale) => (tale.what === 'begins' ? [tale.key] : [])).sort();
