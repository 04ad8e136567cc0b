/** What a thread is made with. */
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { Goal, SessionRule, WhenBusy } from '../../machines/protocol/thread.ts';
import type { Agent } from '../agent.ts';
import { UserError } from '../errors.ts';
import type { Journal } from '../journal.ts';
import { checkLimits } from '../limits.ts';
import type { Runner } from '../run.ts';
import type { SharedRunOptions } from '../runOptions.ts';
import type { Tool } from '../toolTypes.ts';
import type { ThreadEvent } from './types.ts';

export type AnyAgent = Agent<any, any>; // `any`: a thread has agents of many contexts and outputs

const KEEPS_ITS_OWN = 'a thread keeps its history itself. Give it a `journal`, and `history` for what came before';
/** Said of a run alone, or not meant for threads, and what to do instead. */
const OF_RUNS_ALONE = {
  session: KEEPS_ITS_OWN,
  sessionInputCallback: KEEPS_ITS_OWN,
  conversationId: KEEPS_ITS_OWN,
  previousResponseId: `${KEEPS_ITS_OWN}; \`autoPreviousResponseId\` chains the responses of its own`,
  signal: 'a signal is for one run. Pass it to thread.run()',
  stopSignal: 'runs are stopped one by one. Call thread.stopAfterTurn()',
  runId: 'it names its runs itself. Pass `threadId`',
  autoResume: 'a run that failed is gone on with by the next. Call thread.run("")',
};
type OfRunsAlone = keyof typeof OF_RUNS_ALONE | 'threadId' | 'onEvent';

/** Asked when a run has completed while there is a goal (M9). */
export type GoalCheck = (args: { goal: Goal; history: AgentInputItem[] }) => GoalVerdict | Promise<GoalVerdict>;
/** With `message` the next run begins with other words than the last. */
export type GoalVerdict = boolean | { done: boolean; message?: string };

export interface ThreadOptions<TContext = undefined> extends Omit<SharedRunOptions<TContext, AnyAgent>, OfRunsAlone> {
  /** Default: made here, unique in the world. */
  threadId?: string;
  /** Agents that it may lead to and that the first one does not know of; found by name. */
  agents?: readonly AnyAgent[];
  /** Tools that a run may be given by name, besides those of its agent (M7). */
  tools?: readonly Tool<any>[];
  runner?: Runner;
  /** What becomes of a new run while another is going (M1). Default `queue`. */
  whenBusy?: WhenBusy;
  /** How steers join the run (L2). Default `safePoint`. */
  steerMode?: 'safePoint' | 'instant';
  /** Default: a goal is never reached before its runs are used up. */
  isGoalReached?: GoalCheck;
  /** What is there before the first run. */
  history?: AgentInputItem[];
  rules?: SessionRule[];
  /** Hears every event, from the first on. */
  onEvent?: (event: ThreadEvent) => void;
}

/** Of a thread that is recorded: where, and with whom it goes on. */
export interface OpenThreadOptions<TContext = undefined> extends Omit<ThreadOptions<TContext>, 'threadId' | 'history' | 'rules' | 'agents'> {
  journal: Journal;
  /** The agent that the thread was made with, and any that it leads to and that one does not know of. Found by name. */
  agents: AnyAgent | readonly AnyAgent[];
}

/** Turns of one run at most, unless it is told otherwise (B1). */
export const THREAD_MAX_TURNS = 100;
/** Of one result, as the model reads it (C6). */
export const THREAD_TOOL_OUTPUT_BYTES = 40_000;

/** @throws UserError for options that a thread does not have, and for limits that mean nothing. */
export function checkThreadOptions(options: ThreadOptions<any>): void {
  for (const [name, why] of Object.entries(OF_RUNS_ALONE)) {
    if ((options as Record<string, unknown>)[name] !== undefined) throw new UserError(`A thread cannot have the option \`${name}\`: ${why}.`); // what a caller without types may pass
  }
  checkLimits(options.runner?.config ?? {}, options);
}
