/** From an input or a state to a result: a run begins, goes on, or is begun again after trouble that may pass. */
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { Recovery } from './autoResume.ts';
import { AgentsError, RunInterruptedError, StaleStateError, UserError } from './errors.ts';
import { EventHub } from './eventHub.ts';
import type { RunStreamEvent } from './events.ts';
import { Execution, type ExecutionOptions } from './execution.ts';
import { JournalConflict } from './journal.ts';
import { BudgetExceededError } from './limitErrors.ts';
import { checkLimits } from './limits.ts';
import { RunResult, type StreamControl, StreamedRunResult } from './result.ts';
import { type RunSource, RunState } from './runState.ts';
import { errorOf } from './toError.ts';

type Input = string | AgentInputItem[] | RunState<any, any>; // `any`: as in the front door's own types

/** @param keepsEnd a run that is over is given back as it ended, and not gone on with. */
export async function launch(base: ExecutionOptions, input: Input, { keepsEnd = false } = {}): Promise<RunResult<any, any> | StreamedRunResult<any, any>> {
  checkLimits(base.config, base.options);
  if (!base.stream) {
    const { state, settled } = begin(base, input, keepsEnd);
    await settled;
    return new RunResult(state);
  }
  const { backPressure, buffer } = base.reading ?? {};
  const reading = { backPressure, buffer };
  const hub = new EventHub<RunStreamEvent>({ isDelta: ({ type }) => type === 'raw_model_stream_event' });
  const first = hub.read({ ...reading, isEager: true });
  const { state, control, settled } = begin({ ...base, onStream: (event) => hub.publish(event), pace: (signal) => hub.pace(signal) }, input, keepsEnd);
  return new StreamedRunResult(state, { hub, first, reading, control, settled });
}

interface Begun { state: RunState<any, any>; control: StreamControl; settled: Promise<void> }

function begin(options: ExecutionOptions, input: Input, keepsEnd: boolean): Begun {
  if (input instanceof RunState) {
    if (isAnswered(input) || (keepsEnd && isOver(input.source))) return { state: input, control: NOTHING_TO_CONTROL, settled: finish(input.source, input, closed(options, input.source)) };
    if (input.source.isLive) throw new StaleStateError('The run of this state is still going. Await it, or steer it with state.addInput().');
  }
  const first = attempt(options, input);
  const { autoResume } = options.options;
  if (!autoResume) return { state: first.execution.state, control: first.execution, settled: finish(first.execution, first.execution.state, first.work) };
  const recovery = new Recovery(autoResume, options);
  const { state } = first.execution;
  const again = (maxTurns?: number) => attempt({ ...options, options: { ...options.options, runId: undefined, maxTurns } }, state); // a run of its own (P3); its limit stands unless it is moved (B1)
  return { state, control: recovery, settled: recovery.watch(first, { again, finish: ({ execution, work }) => finish(execution, state, work) }) };
}

/** One run, on its way. */
export interface Attempt { execution: Execution; work: Promise<void> }

function attempt(options: ExecutionOptions, input: Input): Attempt {
  if (!(input instanceof RunState)) {
    const execution = new Execution(options);
    return { execution, work: execution.start(input) };
  }
  const { outcome, entries, scope, origin, progress } = input.source;
  const { runContext } = scope;
  mustKeepPolicy(options, progress.hasPolicy);
  if (options.options.context !== undefined) Object.assign(runContext, { context: options.options.context });
  if (!outcome) {
    const execution = new Execution(options, { ...origin, state: input, runContext: scope.contextForReplay() });
    execution.scope.originalInput = scope.originalInput;
    return { execution, work: execution.resume(entries) };
  }
  const { threadId, journal, agents } = origin;
  const execution = new Execution(options, { threadId, journal, agents, state: input, runContext });
  execution.scope.originalInput = scope.originalInput;
  execution.scope.rawResponses.push(...scope.rawResponses);
  execution.scope.ledger.open(execution.scope.option('budget') ?? scope.ledger.limits, scope.ledger.leaves(durationOf(entries)));
  return { execution, work: execution.continue(outcome, progress.maxTurns) };
}

/** What needs approval by a policy must not run because somebody forgot to say it again (D6). */
function mustKeepPolicy({ options, config }: ExecutionOptions, hasPolicy = false): void {
  if (!hasPolicy || (options.approvalPolicy ?? config.approvalPolicy) !== undefined) return;
  throw new UserError('This run has an approval policy. Pass it again, as the option `approvalPolicy`, to go on with it; one without rules says that it has none any more.');
}

/** It is over; that is told to nobody again, and written where the process died that should have. */
async function closed(options: ExecutionOptions, { entries, origin, scope }: RunSource): Promise<void> {
  if (entries.length === 0 || entries.findLast(({ type }) => type !== 'effect.late')?.type === 'run.rest') return;
  const quiet = { ...options, onStream: undefined, options: { ...options.options, onEvent: undefined } };
  try {
    await new Execution(quiet, { ...origin, runContext: scope.contextForReplay() }).close(entries);
  } catch (error) {
    if (!(error instanceof JournalConflict)) throw error; // else somebody else sees to it
  }
}

/** There is an answer, and nobody has said anything since. */
const isAnswered = (state: RunState<any, any>) => state.source.outcome?.status === 'completed' && state.pendingInput.length === 0;
const isOver = ({ outcome, crash }: RunSource) => outcome !== null || crash !== null;
const NOTHING_TO_CONTROL: StreamControl = { softStop: () => false, interrupt: () => Promise.resolve(false) };

/** Turns the outcome into what the caller gets: nothing, or an error that carries the state (P1, K3). */
async function finish(source: RunSource, state: RunState<any, any>, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw withState(error, state);
  }
  if (source.crash) throw withState(source.crash.error, state);
  const { outcome } = source;
  if (outcome?.status === 'failed') throw withState(errorOf(source.scope, outcome.failure!), state);
  if (outcome?.status === 'interrupted') throw withState(interruption(source), state);
}

/** A person's interrupt is an abort; the end of the wall time is a limit that was met (B2). */
function interruption({ entries, scope }: RunSource): Error {
  const last = entries.findLast((entry) => entry.type === 'command' && entry.command.type === 'interrupt');
  const isDeadline = last?.type === 'command' && last.command.type === 'interrupt' && last.command.reason === 'deadline';
  const limit = scope.ledger.limits?.wallTimeMs;
  return isDeadline && limit !== undefined ? new BudgetExceededError({ kind: 'time', limit, spent: scope.ledger.msAt(last.at) }) : new RunInterruptedError();
}

/** In ms. */
const durationOf = (entries: readonly JournalEntry[]) => (entries.at(-1)?.at ?? 0) - (entries[0]?.at ?? 0);

function withState(thrown: unknown, state: RunState<any, any>): unknown {
  if (thrown instanceof AgentsError) thrown.state ??= state;
  else if (thrown instanceof Error && Object.isExtensible(thrown)) {
    Object.defineProperty(thrown, 'state', { value: state, configurable: true, writable: true, enumerable: false });
  }
  return thrown;
}
