import type { Command, Decision } from './command.ts';
import type { ErrorRecord, Failure } from './failure.ts';
import type { RunInput } from './outcome.ts';

/** Format of the entries below. Entries of an older format stay readable; a newer one is refused. */
export const JOURNAL_FORMAT = 1;

/** An outcome without its time: the entry has it. */
export type RecordedOutcome = { status: 'ok'; value: unknown } | { status: 'error'; failure: Failure; retryInMs?: number };

/** What may come into a run from outside; `at` is in ms since the epoch and is the only time that charts know. */
export type Incoming =
  | { type: 'run.start'; format: number; runId: string; charts: Record<string, string>; input: RunInput }
  | { type: 'command'; command: Command }
  | { type: 'decide'; id: string; decision: Decision; fingerprint?: string }
  | { type: 'effect.started'; id: string }
  | { type: 'effect.done'; id: string; outcome: RecordedOutcome }
  | { type: 'effect.failed'; id: string; error: ErrorRecord }
  | { type: 'effect.lost'; id: string };

/** One line of the append-only log of a run: the truth about it. */
export type JournalEntry = Incoming & { at: number };
