/** A say in whether the agent is done (M5). */
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import type { RunContext } from './runContext.ts';

export interface StopHookArgs<TContext = unknown> {
  /** The final output, parsed where the agent has an output type. */
  output: unknown;
  agent: Agent<any, any>;
  context: RunContext<TContext>;
  /** Number of the turn that brought the output. */
  turn: number;
  /** The conversation so far, the output included. */
  history: AgentInputItem[];
  /** Fires when the run is interrupted. */
  signal: AbortSignal;
  /** The same when the hook is called again after a crash: hooks are called at least once (O8). */
  effectId: string;
}

/**
 * Is asked at each final output whether the run may end. An objection goes to the model as a message of the runtime, and the loop goes on; when
 * a limit forbids another turn, the run ends all the same. One that throws fails the run with its error.
 *
 * @example
 * ```ts
 * import { Agent, run, type StopHook } from 'loopchart';
 *
 * const testsPass: StopHook = {
 *   name: 'tests pass',
 *   execute: async ({ turn }) => (turn < 2 ? { objection: 'The tests have not run yet. Run them.' } : undefined),
 * };
 * const agent = new Agent({ name: 'Builder' });
 * const { finalOutput } = await run(agent, 'Mend the build.', { stopHooks: [testsPass] });
 * ```
 */
export interface StopHook<TContext = any> { // `any`: hooks of one run need not agree on how much of the context they know
  name: string;
  /** @returns nothing to let the run end. */
  execute: (args: StopHookArgs<TContext>) => StopHookAnswer | Promise<StopHookAnswer>;
}
export type StopHookAnswer = { objection: string } | null | undefined | void;
