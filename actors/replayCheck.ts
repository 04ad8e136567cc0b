/** Whether a recorded run goes the same way with the charts of today (O5). Needs no agents: the charts are fed what is recorded. */
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { messageOf } from './errorRecord.ts';
import { JournalDivergence } from './journal.ts';
import { MemoryJournal } from './memoryJournal.ts';
import type { RootChart } from './rootChart.ts';

/** `cannot`: the entries are damaged, of a newer format, or not there. */
export type ReplayVerdict = { verdict: 'same' } | { verdict: 'differs'; position: number; why: string } | { verdict: 'cannot'; why: string };

const NO_TIME = { now: () => 0, setTimeout: () => 0, clearTimeout: () => undefined };
const NO_EFFECTS = { run: () => new Promise<never>(() => undefined), observe: () => undefined };

/**
 * Replays entries against the charts of this version, without agents and without running anything.
 *
 * @example
 * ```ts
 * import { type Journal, checkReplay } from 'loopchart';
 *
 * async function report(journal: Journal) {
 *   for (const { runId } of await journal.list()) console.log(runId, await checkReplay(runId, () => journal.read(runId)));
 * }
 * ```
 */
export async function checkReplay(runId: string, read: () => readonly JournalEntry[] | Promise<readonly JournalEntry[]>): Promise<ReplayVerdict> {
  try {
    const entries = await read();
    if (entries.length === 0) return { verdict: 'cannot', why: `There is no run ${runId}.` };
    const chart = await chartOf(entries);
    const { Host } = await import('./host.ts'); // loaded on use: importing the front door stays quick
    const host = new Host({ runId, chart, journal: new MemoryJournal(), clock: NO_TIME, effects: NO_EFFECTS, causes: new Map(), onRest: () => undefined });
    await host.replay(entries);
    host.stop();
    return { verdict: 'same' };
  } catch (error) {
    if (error instanceof JournalDivergence) return { verdict: 'differs', position: error.position, why: error.message };
    return { verdict: 'cannot', why: messageOf(error) }; // damage, a newer format, a store that cannot be read: each says what it is
  }
}

/** The chart that a log is of; that of threads is loaded where there is one. */
export async function chartOf([start]: readonly JournalEntry[]): Promise<RootChart> {
  return start?.type === 'thread.start' ? (await import('./thread/hosted.ts')).THREAD : (await import('./rootChart.ts')).RUN;
}
