/** Going on with a run in any process, from its journal alone. */
import { Agent } from './agent.ts';
import { UserError } from './errors.ts';
import { type Journal, JournalDivergence } from './journal.ts';
import { launching, reviving } from './loadedOnUse.ts';
import type { RunResult, StreamedRunResult } from './result.ts';
import { Runner } from './run.ts';
import { RunContext } from './runContext.ts';
import type { SharedRunOptions, StreamOptions } from './runOptions.ts';
import type { RunState } from './runState.ts';

type AnyAgent = Agent<any, any>; // `any`: one run has agents of many contexts and outputs

export interface FromJournal<TContext> {
  /** Where the run is recorded. */
  journal: Journal;
  /** The agent that the run was started with, and any that it leads to and that one does not know of. Found by name. */
  agents: AnyAgent | readonly AnyAgent[];
  /** The context of the app, which journals do not keep. */
  context?: TContext | RunContext<TContext>;
}
/** As of `run()`, with where the run comes from. */
export type ResumeOptions<TContext> = FromJournal<TContext> & Omit<SharedRunOptions<TContext, AnyAgent>, 'context' | 'journal' | 'runId' | 'threadId'> & { runner?: Runner };

/**
 * The state of a recorded run, to be looked at, decided about, and gone on with through `run(agent, state)`. Nothing is run.
 *
 * @throws UserError when there is no such run or its agent is not given; `JournalDamage` when what is stored is not what was
 *   written; `JournalDivergence` when charts or agents have changed so that it goes another way.
 * @example
 * ```ts
 * import { Agent, type Journal, run, stateFromJournal } from 'loopchart';
 *
 * async function approveAll(journal: Journal, runId: string, agent: Agent) {
 *   const state = await stateFromJournal(runId, { journal, agents: agent });
 *   for (const call of state.getInterruptions()) state.approve(call);
 *   return run(agent, state);
 * }
 * ```
 */
export async function stateFromJournal<TContext = undefined>(runId: string, { journal, agents, context }: FromJournal<TContext>): Promise<RunState<TContext, AnyAgent>> {
  const entries = await journal.read(runId);
  const [start] = entries;
  if (!start) throw new UserError(`There is no run ${runId} in this journal. journal.list() tells which there are.`);
  if (start.type !== 'run.start') throw new JournalDivergence(runId, 0, 'its start is missing');
  const runContext = context instanceof RunContext ? context : new RunContext<TContext>(context as TContext); // absent only where the app has none
  const given = agents instanceof Agent ? [agents] : agents;
  const { revive } = await reviving();
  return revive(given as readonly AnyAgent[], { runId, agent: start.input.agent, entries }, { runContext, journal, checkpoint: await checkpointOf(journal, runId) });
}

/** Only a cache: that it cannot be read is no reason not to go on. */
async function checkpointOf(journal: Journal, runId: string): Promise<string | undefined> {
  try {
    return await journal.readCheckpoint?.(runId);
  } catch {
    return undefined; // the entries, which have just been read, tell the same
  }
}

/**
 * Goes on with a run whose process has ended, wherever it was: what is recorded is not run again, what was under way is, by its
 * effect class (O1-O3). A run that waits for a person, or is over, is given back as it is; resuming twice is safe.
 *
 * @returns as `run()`.
 * @throws as `run()` and `stateFromJournal()`; `JournalConflict` before any effect when another process is at work on the run (O4).
 * @example
 * ```ts
 * import { Agent, type Journal, resume } from 'loopchart';
 *
 * async function recover(journal: Journal, agent: Agent) {
 *   for (const { runId, state } of await journal.list()) if (state === 'running') await resume(runId, { journal, agents: agent });
 * }
 * ```
 */
export function resume<TContext = undefined>(runId: string, options: ResumeOptions<TContext> & { stream?: false }): Promise<RunResult<TContext, AnyAgent>>;
export function resume<TContext = undefined>(runId: string, options: ResumeOptions<TContext> & StreamOptions & { stream: true }): Promise<StreamedRunResult<TContext, AnyAgent>>;
export async function resume<TContext = undefined>(
  runId: string,
  { runner = new Runner(), journal, agents, context, stream, ...options }: ResumeOptions<TContext> & StreamOptions & { stream?: boolean },
): Promise<RunResult<TContext, AnyAgent> | StreamedRunResult<TContext, AnyAgent>> {
  const { launch } = await launching();
  const state = await stateFromJournal(runId, { journal, agents, context });
  const { scope } = state.source;
  const base = { agent: scope.agent(scope.rootKey), config: runner.config, options: { ...options, journal }, hooks: runner, stream: stream === true, reading: options };
  return launch(base, state, { keepsEnd: true }) as Promise<RunResult<TContext, AnyAgent> | StreamedRunResult<TContext, AnyAgent>>; // the state is one of this context
}
