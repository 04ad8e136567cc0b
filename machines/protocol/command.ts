import type { Budget } from './budget.ts';
import type { Call, CallResult } from './call.ts';
import type { AgentInputItem, UserMessageItem } from './item.ts';
import type { ErrorKind, ItemOrigin, PreparedRun } from './outcome.ts';
import type { ThreadCommand } from './thread.ts';

/** A message that joins the run at a safe point (L2). */
export interface PendingInput {
  id: string;
  item: UserMessageItem | AgentInputItem;
  /** Who wrote it, where that is not the user (P4). */
  origin?: ItemOrigin;
  /** It was added while the run was at rest: a guardrail that trips on it fails the run that goes on with it (E6). */
  staged?: true;
  /** It is for the history, whether the run reads it or not (M9). */
  injected?: true;
}

export type InterruptReason = 'user' | 'tripwire' | 'replaced' | 'deadline';

/** What a call of `run()` may say anew about a run that it goes on with. */
export interface Configuration extends Pick<PreparedRun, 'stopHooks' | 'finalTurn' | 'stuckDetection'> {
  type: 'configure';
  maxTurns?: number | null;
  errorHandlers?: ErrorKind[];
  budget?: Budget;
}

/** What a person or program may tell a running run. Each is journalled before it is applied. */
export type Command =
  /**
   * `path`: of the nested run, or the activation of an agent, that it is for; without one it is for the run itself (L7). `mode`: the answer
   * that is on its way is cut for it (L2). `cut`: what of each is complete and in no entry yet, by effect; added when it is recorded.
   */
  | { type: 'steer'; input: PendingInput[]; path?: string; mode?: 'instant'; cut?: Record<string, AgentInputItem[]> }
  /** Reopens nothing: what comes when the final answer is there comes back with the outcome (M4). */
  | { type: 'mail'; input: PendingInput[] }
  | { type: 'softStop' }
  | { type: 'interrupt'; reason: InterruptReason; at: number; partials?: Record<string, string>; notice?: boolean }
  /** Shorten the conversation at the next safe point. */
  | { type: 'compact' }
  | Configuration;

export type Steer = Extract<Command, { type: 'steer' }>;
export type Posted = Extract<Command, { type: 'mail' }>;

/**
 * The answer to a waiting call. Of one whose body may have had its effect, `approve` runs it again, `reject` ends it with a
 * message, and `useResult` says what it brought (O3). `answer` has the answers to its questions, by their ids (D8); `expired` says
 * that nobody had decided in time (D7).
 */
export type Decision =
  | { decision: 'approve'; arguments?: string; invalid?: string; always?: boolean; reason?: string }
  | { decision: 'reject'; message?: string; always?: boolean; expired?: true }
  | { decision: 'useResult'; output: unknown; result?: CallResult }
  | { decision: 'answer'; answers: Record<string, unknown>; result?: CallResult };

/** Commands in the form in which they travel down the tree, plus those that only the loop itself sends. */
export type Downward =
  | Command
  | { type: 'withdraw' }
  | { type: 'cut'; cut: Record<string, AgentInputItem[]> }
  | { type: 'gate.open' };

export type Interrupt = Extract<Downward, { type: 'interrupt' }>;
export type Cut = Extract<Downward, { type: 'cut' }>;

/** What a level tells the one above while it lives; everything else comes back as output. */
export type Upward = { type: 'child.waits'; id: string } | { type: 'child.goes'; id: string };

/** Inside an answer that is not complete, an item is. `call`: it may be carried out at once (C4). `at` is in ms since the epoch. */
export interface ItemReady { type: 'item.ready'; item: AgentInputItem; call?: Call; at: number }

/** Of a run, or of the run of a thread. */
export const isSteer = (command: Command | ThreadCommand): command is Extract<Command | ThreadCommand, { type: 'steer' | 'thread.steer' }> => command.type === 'steer' || command.type === 'thread.steer';
