/** Many threads in one process, each told at random to run, wait, hurry and stop; one that has heard enough is emptied, checked and closed, and another takes its place. */
import type { Journal } from '../../index.ts';
import { createThread } from '../../actors/thread/createThread.ts';
import type { Receipt, ThreadRun } from '../../actors/thread/types.ts';
import { threadProblems } from '../scenarios/support/threadInvariants.ts';
import { busyAgent } from './agent.ts';
import { Latencies } from './figures.ts';
import { Witness } from './witness.ts';

export interface CityOptions {
  threads: number;
  journal: Journal;
  seed: number;
  /** Commands that one thread is told before another takes its place. */
  lifetime: number;
  /** Between two commands to one thread, in ms, on average. */
  paceMs: number;
  /** What its threads are called. Default `thread`. */
  name?: string;
}
export interface Counts { commands: Record<string, number>; receipts: Record<string, number>; runs: Record<string, number>; retired: number }

export class City {
  readonly counts: Counts = { commands: {}, receipts: {}, runs: {}, retired: 0 };
  readonly latencies = new Latencies();
  readonly problems: string[] = [];
  readonly #options: CityOptions;
  #isClosing = false;
  #made = 0;

  constructor(options: CityOptions) {
    this.#options = options;
  }

  /** Resolves when it was told to end, and every thread is empty, checked and closed. */
  async live(): Promise<void> {
    const inTurn = async () => {
      while (!this.#isClosing) await this.#oneLife((this.#made += 1)).catch((error: unknown) => void this.problems.push(String(error)));
    };
    await Promise.all(Array.from({ length: this.#options.threads }, inTurn));
  }

  end(): void {
    this.#isClosing = true;
  }

  async #oneLife(number: number): Promise<void> {
    const { journal, seed, lifetime, paceMs, name: called = 'thread' } = this.#options;
    const chance = chanceOf(seed * 1_000_003 + number);
    const witness = new Witness((status) => this.#count(this.counts.runs, status));
    const thread = createThread(busyAgent, { threadId: `${called}_${number}`, journal, graceMs: 5, onEvent: witness.hear });
    const isFirst = number <= this.#options.threads; // those begin in the middle of their lives, so that they do not all end together
    for (let said = isFirst ? Math.floor(chance() * lifetime) : 0; said < lifetime && !this.#isClosing; said += 1) {
      await new Promise((resolve) => setTimeout(resolve, paceMs * 2 * chance()));
      const [name, say] = WORDS[Math.floor(chance() * WORDS.length)]!;
      const began = performance.now();
      this.#count(this.counts.commands, name);
      const receipt = await say(thread, `${number}.${said}`);
      if (!receipt) continue;
      this.latencies.note(performance.now() - began);
      this.#count(this.counts.receipts, receipt.status === 'rejected' ? `rejected: ${receipt.reason}` : receipt.status);
      if (receipt.status === 'accepted') witness.accepted(receipt.id, name);
    }
    await emptied(thread, witness);
    this.problems.push(...threadProblems(witness.events, thread.look).map((problem) => `${thread.id}: ${problem}`), ...witness.missing(thread).map((problem) => `${thread.id}: ${problem}`));
    await thread.close();
    this.counts.retired += 1;
  }

  #count(counts: Record<string, number>, what: string): void {
    counts[what] = (counts[what] ?? 0) + 1;
  }
}

type Live = ReturnType<typeof createThread>;

/** Goes on, whatever the last run ended with, until nothing waits any more. */
async function emptied(thread: Live, witness: Witness): Promise<void> {
  for (;;) {
    await witness.atRest(thread);
    if (thread.queue.list().length === 0 && !thread.look.mailbox.some(({ triggerTurn }) => triggerTurn) && thread.state !== 'paused') return;
    await thread.queue.resume();
  }
}

const quiet = (run: ThreadRun): Promise<Receipt> => {
  run.result.catch(() => undefined); // most are interrupted some day
  return run.receipt;
};

/** How often each is said, by how often it stands here. */
const WORDS: [name: string, say: (thread: Live, id: string) => Promise<Receipt> | Promise<void>][] = [
  ['run', (thread, id) => quiet(thread.run('Do it.', { id }))],
  ['run', (thread, id) => quiet(thread.run('Do it.', { id }))],
  ['replace', (thread, id) => quiet(thread.run('Do this instead.', { id, whenBusy: 'replace' }))],
  ['queue', (thread, id) => quiet(thread.queue.add('Then that.', { id }))],
  ['queue', (thread, id) => quiet(thread.queue.add('Then that.', { id }))],
  ['steer', (thread, id) => thread.steer('Hurry.', { id })],
  ['steer', (thread, id) => thread.steer('Hurry.', { id })],
  ['steer', (thread, id) => thread.steer('Hurry.', { id })],
  ['mail', (thread, id) => thread.mail({ id, from: 'host', content: 'News.', triggerTurn: true })],
  ['interrupt', (thread) => thread.interrupt()],
  ['interrupt', (thread) => thread.interrupt()],
  ['stopAfterTurn', (thread) => thread.stopAfterTurn()],
  ['resume', (thread) => thread.queue.resume()],
  ['resume', (thread) => thread.queue.resume()],
  ['approve', (thread) => approveAll(thread)],
];

async function approveAll(thread: Live): Promise<void> {
  for (const call of thread.interruptions) await thread.approve(call).catch(() => undefined); // interrupted in the meantime
}

/** Numbers from 0 to 1, the same for the same seed. */
function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
