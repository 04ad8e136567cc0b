/** The front door: `run(agent, input)`, as in the Agents SDK. */
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import { ColdRun } from './coldRun.ts';
import { RunInterruptedError, UserError } from './errors.ts';
import type { RunStreamEvent } from './events.ts';
import type { ExecutionOptions } from './execution.ts';
import { launching } from './loadedOnUse.ts';
import { RunHooks, registerHooks } from './lifecycle.ts';
import type { RunResult, StreamedRunResult } from './result.ts';
import type { IndividualRunOptions, NonStreamRunOptions, RunConfig, StreamRunOptions } from './runOptions.ts';
import { RunState } from './runState.ts';
import type { AgentOutputType } from './schemaTypes.ts';

export type * from './runOptions.ts';

type AnyAgent = Agent<any, any>; // `any`: as in the peer's type
type RunInput<TContext, TAgent extends AnyAgent> = string | AgentInputItem[] | RunState<TContext, TAgent>;

/**
 * Runs an agent until it answers, hands off to one that does, waits for a person, or is stopped.
 *
 * @param input text, items, or the state of an earlier run to go on from. One that has its answer is not asked again, unless
 *   input was added to it.
 * @returns the result; with `stream: true` at once, while the run is going. `finalOutput` is undefined while calls wait for
 *   approval (see `interruptions`) and after a soft stop.
 * @throws AgentsError subclasses when the run fails, `AbortError` when it is interrupted. Each has `state`, to go on from.
 * @example
 * ```ts
 * import { Agent, run } from 'loopchart';
 *
 * const agent = new Agent({ name: 'Assistant', instructions: 'Answer in one sentence.' });
 * const { finalOutput } = await run(agent, 'Why is the sky blue?');
 * ```
 */
export function run<TAgent extends AnyAgent, TContext = undefined>(
  agent: TAgent,
  input: RunInput<TContext, TAgent>,
  options?: NonStreamRunOptions<TContext, TAgent>,
): Promise<RunResult<TContext, TAgent>>;
export function run<TAgent extends AnyAgent, TContext = undefined>(
  agent: TAgent,
  input: RunInput<TContext, TAgent>,
  options?: StreamRunOptions<TContext, TAgent>,
): Promise<StreamedRunResult<TContext, TAgent>>;
export function run<TAgent extends AnyAgent, TContext = undefined>(
  agent: TAgent,
  input: RunInput<TContext, TAgent>,
  options?: IndividualRunOptions<TContext, TAgent>,
): Promise<RunResult<TContext, TAgent> | StreamedRunResult<TContext, TAgent>> {
  defaultRunner ??= new Runner();
  return options?.stream ? defaultRunner.run(agent, input, options) : defaultRunner.run(agent, input, options);
}

/** A run that begins when its first event or its result is asked for. */
export type ColdStream<TContext, TAgent extends AnyAgent> = ColdRun<RunStreamEvent, StreamedRunResult<TContext, TAgent>>;

/**
 * As `run()`, but cold: nothing happens before the first `next()` or `await`. Iterate it once for its events, or await it for its result; to
 * leave the iteration interrupts the run, and when that has resolved nothing of it is left.
 *
 * @throws as `run()`, where it is read or awaited.
 * @example
 * ```ts
 * import { Agent, stream } from 'loopchart';
 *
 * const agent = new Agent({ name: 'Storyteller' });
 * for await (const event of stream(agent, 'Tell me a story.')) {
 *   if (event.type === 'raw_model_stream_event') break; // interrupts
 * }
 * const { finalOutput } = await stream(agent, 'Tell me another.');
 * ```
 */
export function stream<TAgent extends AnyAgent, TContext = undefined>(
  agent: TAgent,
  input: RunInput<TContext, TAgent>,
  options?: Omit<StreamRunOptions<TContext, TAgent>, 'stream'>,
): ColdStream<TContext, TAgent> {
  defaultRunner ??= new Runner();
  return defaultRunner.stream(agent, input, options);
}

let defaultRunner: Runner | undefined;

/** Runs agents with shared defaults, and hears what happens in all of its runs. */
export class Runner extends RunHooks<any, AgentOutputType<unknown>> {
  readonly config: RunConfig;

  constructor(config: Partial<RunConfig> = {}) {
    super();
    this.config = { tracingDisabled: true, traceIncludeSensitiveData: false, ...config };
    if (config.hooks) registerHooks(this, config.hooks);
  }

  run<TAgent extends AnyAgent, TContext = undefined>(
    agent: TAgent,
    input: RunInput<TContext, TAgent>,
    options?: NonStreamRunOptions<TContext, TAgent>,
  ): Promise<RunResult<TContext, TAgent>>;
  run<TAgent extends AnyAgent, TContext = undefined>(
    agent: TAgent,
    input: RunInput<TContext, TAgent>,
    options?: StreamRunOptions<TContext, TAgent>,
  ): Promise<StreamedRunResult<TContext, TAgent>>;
  async run<TAgent extends AnyAgent, TContext = undefined>(
    agent: TAgent,
    input: RunInput<TContext, TAgent>,
    options: IndividualRunOptions<TContext, TAgent> = {},
  ): Promise<RunResult<TContext, TAgent> | StreamedRunResult<TContext, TAgent>> {
    checkInput(agent, input, options);
    const base: ExecutionOptions = { agent, config: this.config, options, hooks: this, stream: options.stream === true, reading: options.stream ? options : undefined };
    const found = launching();
    const { launch } = found instanceof Promise ? await found : found; // no moment is lost when it is there
    return launch(base, input) as Promise<RunResult<TContext, TAgent> | StreamedRunResult<TContext, TAgent>>; // made for this agent and context
  }

  /** As the function of this name. */
  stream<TAgent extends AnyAgent, TContext = undefined>(
    agent: TAgent,
    input: RunInput<TContext, TAgent>,
    options: Omit<StreamRunOptions<TContext, TAgent>, 'stream'> = {},
  ): ColdStream<TContext, TAgent> {
    return new ColdRun(async () => {
      const streamed = await this.run(agent, input, { ...options, stream: true });
      return { events: streamed[Symbol.asyncIterator](), result: () => completed(streamed), interrupt: () => streamed.cancel() };
    });
  }
}

/** @throws where `run()` does. */
async function completed<Result extends StreamedRunResult<any, any>>(streamed: Result): Promise<Result> { // `any`: of whatever context and agent
  await streamed.completed;
  if (streamed.cancelled) throw new RunInterruptedError(undefined, streamed.state);
  return streamed;
}

function checkInput(agent: unknown, input: unknown, { maxTurns }: { maxTurns?: number | null }): void {
  const isAgent = typeof agent === 'object' && agent !== null && 'name' in agent && 'handoffs' in agent;
  if (!isAgent) throw new UserError('run() needs an Agent as its first argument: run(new Agent({ name: "Assistant" }), "Hello").');
  if (typeof input !== 'string' && !Array.isArray(input) && !(input instanceof RunState)) {
    throw new UserError('run() needs text, a list of items or a RunState as its second argument.');
  }
  if (maxTurns !== undefined && maxTurns !== null && (!Number.isInteger(maxTurns) || maxTurns < 0)) {
    throw new UserError(`maxTurns must be a whole number of at least 0, or null for no limit; got ${maxTurns}.`);
  }
}
