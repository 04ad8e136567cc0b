import type { Call } from './call.ts';
import type { Command, Decision } from './command.ts';
import type { ErrorRecord, Failure } from './failure.ts';
import type { AgentInputItem } from './item.ts';
import type { RunInput, RunOutcome } from './outcome.ts';
import type { ThreadCommand, ThreadInput } from './thread.ts';

/** Format of the entries below. Entries of an older format stay readable; a newer one is refused. */
export const JOURNAL_FORMAT = 1;

/**
 * An outcome without its time: the entry has it. `lost` says that nobody knows: the process ended while the effect was at work; `asks`,
 * that a body has done nothing and wants to be approved first (D9).
 */
export type RecordedOutcome = { status: 'ok'; value: unknown } | { status: 'error'; failure: Failure; retryInMs?: number; kept?: AgentInputItem[] } | { status: 'lost' } | { status: 'asks'; reason: string };

/** Where a run or a thread has come to rest: nothing is left to do, or nothing until somebody says something. */
export type RestState = 'awaitingApproval' | 'interrupted' | 'settled' | 'idle' | 'paused' | 'closed';

/** What may come into a run from outside; `at` is in ms since the epoch and is the only time that charts know. */
export type Incoming =
  | { type: 'run.start'; format: number; runId: string; threadId?: string; charts: Record<string, string>; input: RunInput }
  | { type: 'thread.start'; format: number; threadId: string; charts: Record<string, string>; input: ThreadInput }
  | { type: 'command'; command: Command | ThreadCommand }
  | { type: 'decide'; id: string; decision: Decision; fingerprint?: string }
  /** A body begins that must not run twice by mistake. */
  | { type: 'effect.started'; id: string }
  /** An item that is complete, inside of an answer that is not (O2). `call`: it is one that may begin now (C4). */
  | { type: 'effect.item'; id: string; item: AgentInputItem; call?: Call }
  | { type: 'effect.done'; id: string; outcome: RecordedOutcome }
  | { type: 'effect.failed'; id: string; error: ErrorRecord }
  /** Found started and not ended when the run was resumed (O3). */
  | { type: 'effect.lost'; id: string }
  /** A body that had been left behind has ended all the same (C8). Nothing follows from it; it is kept so that it is known. */
  | { type: 'effect.late'; id: string; outcome: RecordedOutcome }
  /** Nothing is left to do. Follows from the entries before it, and is held against them on replay. */
  | { type: 'run.rest'; state: RestState; status?: RunOutcome['status']; mark: string };

/**
 * One line of the append-only log of a run: the truth about it. `mark` is what the run was waiting for when the entry came, as a
 * short hash: a replay that waits for something else has gone another way.
 */
export type JournalEntry = Incoming & { at: number; mark?: string };
