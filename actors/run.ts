/** The front door: `run(agent, input)`, as in the Agents SDK. */
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import { AgentsError, RunInterruptedError, StaleStateError, UserError } from './errors.ts';
import { EventQueue } from './eventQueue.ts';
import type { RunStreamEvent } from './events.ts';
import { Execution, type ExecutionOptions } from './execution.ts';
import { RunHooks, registerHooks } from './lifecycle.ts';
import { RunResult, type StreamControl, StreamedRunResult } from './result.ts';
import type { IndividualRunOptions, NonStreamRunOptions, RunConfig, StreamRunOptions } from './runOptions.ts';
import { RunState } from './runState.ts';
import type { AgentOutputType } from './schemaTypes.ts';
import { errorOf } from './toError.ts';

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
    const base: ExecutionOptions = { agent, config: this.config, options, hooks: this, stream: options.stream === true };
    if (!options.stream) {
      const { state, settled } = begin(base, input);
      await settled;
      return new RunResult<TContext, TAgent>(state as RunState<TContext, TAgent>); // made for this agent and context
    }
    const queue = new EventQueue<RunStreamEvent>();
    const { state, control, settled } = begin({ ...base, onStream: (event) => queue.push(event) }, input);
    return new StreamedRunResult<TContext, TAgent>(state as RunState<TContext, TAgent>, { queue, control, settled }); // as above
  }
}

interface Begun { state: RunState<any, any>; control: StreamControl; settled: Promise<void> }

const begunWith = (execution: Execution, work: Promise<void>): Begun => ({ state: execution.state, control: execution, settled: finish(execution, work) });

/** There is an answer, and nobody has said anything since. */
const isAnswered = (state: RunState<any, any>) => state.source.outcome?.status === 'completed' && state.pendingInput.length === 0;
const NOTHING_TO_CONTROL: StreamControl = { softStop: () => false, interrupt: () => Promise.resolve(false) };

function begin(options: ExecutionOptions, input: RunInput<any, any>): Begun {
  if (!(input instanceof RunState)) {
    const execution = new Execution(options);
    return begunWith(execution, execution.start(input));
  }
  if (isAnswered(input)) return { state: input, control: NOTHING_TO_CONTROL, settled: Promise.resolve() };
  const { source } = input;
  if (source.isLive) throw new StaleStateError('The run of this state is still going. Await it, or steer it with state.addInput().');
  const { runContext } = source.scope;
  if (options.options.context !== undefined) Object.assign(runContext, { context: options.options.context });
  const { outcome, entries, scope } = source;
  if (!outcome) {
    const execution = new Execution(options, { state: input, runId: scope.runId, journal: source.journal, runContext: scope.contextForReplay() });
    execution.scope.originalInput = scope.originalInput;
    return begunWith(execution, execution.resume(entries));
  }
  const execution = new Execution(options, { state: input, runContext });
  execution.scope.originalInput = scope.originalInput;
  execution.scope.rawResponses.push(...scope.rawResponses);
  return begunWith(execution, execution.continue(outcome, source.progress.maxTurns));
}

/** Turns the outcome into what the caller gets: nothing, or an error that carries the state (P1, K3). */
async function finish(execution: Execution, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw withState(error, execution);
  }
  if (execution.crash) throw withState(execution.crash.error, execution);
  const { outcome } = execution;
  if (outcome?.status === 'failed') throw withState(errorOf(execution.scope, outcome.failure!), execution);
  if (outcome?.status === 'interrupted') throw withState(new RunInterruptedError(), execution);
}

function withState(thrown: unknown, { state }: Execution): unknown {
  if (thrown instanceof AgentsError) thrown.state ??= state;
  else if (thrown instanceof Error && Object.isExtensible(thrown)) {
    Object.defineProperty(thrown, 'state', { value: state, configurable: true, writable: true, enumerable: false });
  }
  return thrown;
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
