/** Entries to write into a journal, and ways to write them that expect an answer. */
import { type Journal, JournalConflict } from '../../actors/journal.ts';
import { JOURNAL_FORMAT, type JournalEntry, type RestState } from '../../machines/protocol/journal.ts';
import type { RunOutcome } from '../../machines/protocol/outcome.ts';
import { demand } from './demands.ts';

/** One store; `another` is the journal itself where there can be no other. */
export interface Store { journal: Journal; isShared: boolean; another: () => Promise<Journal> }

export const start = (runId: string, { at, threadId, agent = 'A' }: { at: number; threadId?: string; agent?: string }): JournalEntry => ({
  type: 'run.start', format: JOURNAL_FORMAT, runId, charts: { run: '1' }, input: { path: runId, agent }, at, ...(threadId !== undefined && { threadId }),
});

export const threadStart = (threadId: string, at: number): JournalEntry => ({ type: 'thread.start', format: JOURNAL_FORMAT, threadId, charts: { thread: '1' }, input: { path: threadId, agent: 'A' }, at });

export const step = (runId: string, at: number, value: unknown): JournalEntry => ({ type: 'effect.done', id: `${runId}/turn.1/model#1`, outcome: { status: 'ok', value }, at });

/** Entries for the positions from `from` on. */
export const steps = (runId: string, from: number, count: number): JournalEntry[] => Array.from({ length: count }, (_, index) => step(runId, from + index, 'x'));

export const rest = (at: number, state: RestState, status?: RunOutcome['status']): JournalEntry => ({ type: 'run.rest', state, mark: 'none', at, ...(status && { status }) });

export const ended = (runId: string, at: number): JournalEntry[] => [start(runId, { at }), rest(at, 'settled', 'completed')];

const LONG = 'a text that is long enough to be said only once, and äöü 漢字 🂡 too';
const SHARED = { type: 'function_call', arguments: LONG };

export const HARD_VALUES: readonly unknown[] = [
  'x', '', null, true, 0, -1.5, 1e300, Number.MAX_SAFE_INTEGER, [], {}, [[], [null, [null, {}]]], { a: null, b: { c: null } },
  'ünï ̈ 漢字 🂡 \u0000 \u001f \u2028 \u2029 \ufeff \u007f', 'half of a pair: \ud800, the other: \udc00', 'line\nbreak\r\ntab\t"quote" \\ \'s\'', `["sum",{"type":"x"}]\n`,
  JSON.parse('{"__proto__":{"admin":true},"constructor":1,"prototype":2,"toString":3,"hasOwnProperty":4}'),
  { $same: 0 }, { $own: { $same: 1 } }, { $own: null, $same: null }, [{ $own: [] }], { $same: LONG, $own: LONG },
  { 2: 'b', 1: 'a', z: 1, '': 'empty key', '-1': 0, 'a.b': 1, '漢': 2 },
  'long '.repeat(50_000), Array.from({ length: 2_000 }, (_, index) => ({ index, text: LONG })),
  { output: [SHARED], calls: [SHARED, SHARED], text: LONG, again: [LONG, LONG] },
];

export const HARD_IDS: readonly string[] = [
  'run_1', 'run_10', 'run', 'Run', 'RUN', 'run 1', '', '.', '..', '../run_1', 'a/b', 'a\\b', 'a:b', 'con', 'run_1.jsonl', '%2e', '~', '~/x', '*?"<>|', "it's; --",
  'ünï', '漢字', '🂡', 'null\u0000', 'line\nbreak', 'x'.repeat(300), 'x'.repeat(301), '__proto__', 'toString',
];

/** Writes a whole run and gives its claim back. @returns the epoch of that claim. */
export async function written(journal: Journal, runId: string, entries: readonly JournalEntry[]): Promise<number> {
  const { epoch, length } = await journal.open(runId);
  await journal.append(runId, { epoch, position: length }, entries);
  await journal.release(runId, epoch);
  return epoch;
}

/** What it was refused with; nothing when it was not. */
export async function attempt(act: () => unknown): Promise<unknown> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return error ?? new Error('nothing was thrown'); // Expected: that is what is asked.
  }
}

export async function conflict(what: string, act: () => unknown): Promise<void> {
  const error = await attempt(act);
  demand(error instanceof JournalConflict, `${what} must be refused with a JournalConflict; it ${error === undefined ? 'was not refused' : `was refused with ${String(error)}`}.`);
}
