import type { Leaves } from './compose.ts';
import type { runMachine } from './run.ts';
import { threadMachine } from './thread.ts';

/**
 * The chart of a thread around composed runs, with its own slots filled.
 *
 * @param run as `compose` made it.
 * @example
 * ```ts
 * import { fromPromise } from 'xstate';
 * import { compose, composeThread } from 'loopchart/machines';
 *
 * const leaves = { model: fromPromise(async ({ input }) => askMyModel(input)) };
 * const thread = composeThread(leaves, compose(leaves));
 * ```
 */
export function composeThread({ compactor, goal, report }: Partial<Leaves>, run: typeof runMachine): typeof threadMachine {
  return threadMachine.provide({ actors: { run, background: run, ...(compactor && { compactor }), ...(goal && { goal }), ...(report && { report }) } });
}
