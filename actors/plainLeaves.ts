/** Effects as plain async functions, so that any app can run the charts. */
import { type PromiseActorLogic, fromPromise } from 'xstate';
import type { Leaves } from '../machines/compose.ts';

/** What an effect is given besides its input. */
export interface PlainScope { signal: AbortSignal }
export type PlainEffects = { [Name in keyof Leaves]?: Leaves[Name] extends PromiseActorLogic<infer Output, infer Input> ? (input: Input, scope: PlainScope) => Promise<Output> : never };

/**
 * Leaves from plain async functions, for apps that embed the charts without host and journal.
 *
 * @example
 * ```ts
 * import { createActor } from 'xstate';
 * import { plainLeaves } from 'loopchart';
 * import { compose } from 'loopchart/machines';
 *
 * const now = () => Date.now();
 * const chart = compose(plainLeaves({
 *   model: async () => ({ status: 'ok', at: now(), value: { items: [], calls: [], usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 }, toolUse: 'run_llm_again', final: { output: 'hello' } } }),
 * }));
 * const prepared = { agent: 'greeter', history: [], input: [], blocking: [], parallel: [], maxTurns: 10, session: false, errorHandlers: [], tellsErrors: false };
 * const actor = createActor(chart, { input: { path: 'run.1', agent: 'greeter', prepared } }).start();
 * ```
 */
export function plainLeaves(effects: PlainEffects): Partial<Leaves> {
  const entries = Object.entries(effects).map(([name, effect]) => {
    const run = effect as (input: unknown, scope: PlainScope) => Promise<unknown>; // each effect has the types of its own leaf
    return [name, fromPromise(({ input, signal }) => run(input, { signal }))];
  });
  return Object.fromEntries(entries) as Partial<Leaves>;
}
