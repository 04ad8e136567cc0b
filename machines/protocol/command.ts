import type { CallResult } from './call.ts';
import type { AgentInputItem, UserMessageItem } from './item.ts';
import type { ErrorKind, ItemOrigin } from './outcome.ts';

/** A message that joins the run at a safe point (L2). */
export interface PendingInput { id: string; item: UserMessageItem | AgentInputItem; /** Where a person did not write it (P4). */ origin?: ItemOrigin }

export type InterruptReason = 'user' | 'tripwire' | 'replaced';

/** What a call of `run()` may say anew about a run that it goes on with. */
export interface Configuration { type: 'configure'; maxTurns?: number | null; errorHandlers?: ErrorKind[] }

/** What a person or program may tell a running run. Each is journalled before it is applied. */
export type Command =
  | { type: 'steer'; input: PendingInput[]; path?: string; mode?: 'instant' }
  | { type: 'softStop' }
  | { type: 'interrupt'; reason: InterruptReason; at: number; partials?: Record<string, string>; notice?: boolean }
  | Configuration;

/**
 * The answer to a waiting call. Of one whose body may have had its effect, `approve` runs it again, `reject` ends it with a
 * message, and `useResult` says what it brought (O3).
 */
export type Decision =
  | { decision: 'approve'; arguments?: string; invalid?: string; always?: boolean; reason?: string }
  | { decision: 'reject'; message?: string; always?: boolean }
  | { decision: 'useResult'; output: unknown; result?: CallResult };

/** Commands in the form in which they travel down the tree, plus the two that only the loop itself sends. */
export type Downward =
  | Command
  /** Like a steer, but it does not reopen what has its final answer (M4). */
  | { type: 'mail'; input: PendingInput[] }
  /** The history is summed up at the next safe point (N1). */
  | { type: 'compact' }
  | { type: 'withdraw' }
  | { type: 'gate.open' };

/** What a level tells the one above while it lives; everything else comes back as output. */
export type Upward = { type: 'child.waits'; id: string } | { type: 'child.goes'; id: string };
