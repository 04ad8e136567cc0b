/** What a run brought. Results only read from the state of their run. */
import type { AgentInputItem, AgentOutputItem } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import type { AgentToolInvocation } from './agentTool.ts';
import type { RunStreamEvent } from './events.ts';
import type { InputGuardrailResult, OutputGuardrailResult } from './guardrail.ts';
import type { RunItem, RunToolApprovalItem } from './items.ts';
import type { ModelResponse } from './ports.ts';
import type { RunContext } from './runContext.ts';
import type { RunState } from './runState.ts';
import type { ResolvedAgentOutput } from './schemaTypes.ts';
import type { ToolInputGuardrailResult, ToolOutputGuardrailResult } from './toolGuardrail.ts';
import type { EventHub, EventObserver } from './eventHub.ts';
import type { EventReader, StreamOptions } from './eventReader.ts';

type AnyAgent = Agent<any, any>; // `any`: as in the peer's types

export interface RunResultData<TAgent extends AnyAgent> {
  input: string | AgentInputItem[];
  newItems: RunItem[];
  rawResponses: ModelResponse[];
  lastResponseId: string | undefined;
  lastAgent: TAgent | undefined;
  inputGuardrailResults: InputGuardrailResult[];
  outputGuardrailResults: OutputGuardrailResult<any, any>[];
  toolInputGuardrailResults: ToolInputGuardrailResult[];
  toolOutputGuardrailResults: ToolOutputGuardrailResult[];
  finalOutput?: ResolvedAgentOutput<TAgent['outputType']>;
  interruptions?: RunToolApprovalItem[];
  state: RunState<any, TAgent>;
  runContext: RunContext<any>;
  agentToolInvocation?: AgentToolInvocation;
}

class RunResultBase<TContext, TAgent extends AnyAgent> implements RunResultData<TAgent> {
  readonly state: RunState<TContext, TAgent>;

  constructor(state: RunState<TContext, TAgent>) {
    this.state = state;
  }

  /** Input and everything that was generated, in the order the model reads it. */
  get history(): AgentInputItem[] {
    return this.state.look().history;
  }

  /** What was generated, without the input. */
  get output(): AgentOutputItem[] {
    return this.state.look().output;
  }

  get input(): string | AgentInputItem[] {
    return this.state.look().input;
  }

  get runContext(): RunContext<TContext> {
    return this.state.runContext;
  }

  /** Set on the result of a nested run that an agent's tool is asked to turn into text. */
  get agentToolInvocation(): AgentToolInvocation | undefined {
    return undefined;
  }

  get newItems(): RunItem[] {
    return this.state.look().newItems;
  }

  get rawResponses(): ModelResponse[] {
    return this.state.look().rawResponses;
  }

  get lastResponseId(): string | undefined {
    return this.rawResponses.at(-1)?.responseId;
  }

  get lastAgent(): TAgent | undefined {
    return this.state.look().lastAgent;
  }

  get activeAgent(): TAgent | undefined {
    return this.lastAgent;
  }

  get inputGuardrailResults(): InputGuardrailResult[] {
    return this.state.look().inputGuardrailResults;
  }

  get outputGuardrailResults(): OutputGuardrailResult<any, any>[] {
    return this.state.look().outputGuardrailResults;
  }

  get toolInputGuardrailResults(): ToolInputGuardrailResult[] {
    return this.state.look().toolInputGuardrailResults;
  }

  get toolOutputGuardrailResults(): ToolOutputGuardrailResult[] {
    return this.state.look().toolOutputGuardrailResults;
  }

  /** The calls that wait for a person: decide with `state.approve` or `state.reject` and run again with the state. */
  get interruptions(): RunToolApprovalItem[] {
    return this.state.getInterruptions();
  }

  /** The answer; undefined while calls wait, and after a stop. Of the type that the agent's `outputType` says. */
  get finalOutput(): ResolvedAgentOutput<TAgent['outputType']> | undefined {
    return this.state.look().finalOutput as ResolvedAgentOutput<TAgent['outputType']> | undefined; // parsed with that very type
  }
}

/** What a run brought that was awaited. It has settled, or it waits for a person (`interruptions`). */
export class RunResult<TContext, TAgent extends AnyAgent> extends RunResultBase<TContext, TAgent> {}

/** What a streamed result needs of the run behind it. */
export interface StreamControl {
  softStop(): unknown;
  interrupt(): Promise<unknown>;
}

interface StreamParts {
  hub: EventHub<RunStreamEvent>;
  first: EventReader<RunStreamEvent>;
  reading: StreamOptions;
  control: StreamControl;
  settled: Promise<void>;
}

/**
 * A run that is going: iterate it for its events, await `completed` for its end. Leaving the iteration early interrupts the run.
 *
 * @example
 * ```ts
 * import { Agent, run } from 'loopchart';
 *
 * const stream = await run(new Agent({ name: 'Storyteller' }), 'Tell me a story.', { stream: true });
 * for await (const text of stream.toTextStream()) console.log(text);
 * await stream.completed;
 * ```
 */
export class StreamedRunResult<TContext, TAgent extends AnyAgent> extends RunResultBase<TContext, TAgent> implements AsyncIterable<RunStreamEvent> {
  readonly #hub: EventHub<RunStreamEvent>;
  readonly #reading: StreamOptions;
  /** Has all from the first event on, for whoever reads first. */
  #first: EventReader<RunStreamEvent> | undefined;
  readonly #control: StreamControl;
  readonly #completed: Promise<void>;
  #error: unknown = null;
  #cancelled = false;

  /** @internal Made by `run()`. */
  constructor(state: RunState<TContext, TAgent>, { hub, first, reading, control, settled }: StreamParts) {
    super(state);
    this.#hub = hub;
    this.#first = first;
    this.#reading = reading;
    this.#control = control;
    this.#completed = settled.then(
      () => hub.end(),
      (error: unknown) => {
        if (error instanceof Error && error.name === 'AbortError') {
          this.#cancelled = true;
          return hub.end();
        }
        this.#error = error;
        hub.fail(error);
        throw error;
      },
    );
    this.#completed.catch(() => undefined); // whoever awaits `completed` or iterates hears of it; nobody has to
  }

  /** Turns that have been started. */
  get currentTurn(): number {
    return this.state.source.progress.turns;
  }

  get maxTurns(): number | null | undefined {
    return this.state.source.progress.maxTurns;
  }

  get currentAgent(): TAgent | undefined {
    return this.state.currentAgent;
  }

  /** The run was interrupted, by its signal, by `cancel` or by leaving the iteration. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** What the run failed with, or null. */
  get error(): unknown {
    return this.#error;
  }

  /**
   * Resolves when the run has settled, waits for a person or was interrupted; rejects when it failed. Whoever asks for it waits for the
   * end: from then on the run waits for no reader (I5).
   */
  get completed(): Promise<void> {
    this.#hub.unblock();
    return this.#completed;
  }

  /** Raw events that slow readers did not get, with `backPressure: 'dropDeltas'`. */
  get dropped(): number {
    return this.#hub.dropped;
  }

  /** Ends the run: at once, or after the turn in progress (J1). Resolves when nothing of it runs any more. */
  async cancel({ mode = 'immediate' }: { mode?: 'immediate' | 'afterTurn' } = {}): Promise<void> {
    if (mode === 'afterTurn') this.#control.softStop();
    else await this.#control.interrupt();
    await this.completed.catch(() => undefined); // the caller asked for the end, not for its reason
  }

  toStream(): ReadableStream<RunStreamEvent> {
    return streamOf(this[Symbol.asyncIterator]());
  }

  /** The text as it streams. */
  toTextStream(options?: { compatibleWithNodeStreams?: boolean }): ReadableStream<string> {
    const text = streamOf(textsOf(this));
    if (!options?.compatibleWithNodeStreams) return text;
    return text; // a ReadableStream is async iterable: Readable.from(stream) takes it as it is
  }

  /** @internal Hears what comes from now on; see `events$` of `loopchart/thread`. */
  subscribe(observer: EventObserver<RunStreamEvent>): () => void {
    return this.#hub.subscribe(observer);
  }

  /** The first who reads gets everything, any other what comes after it has begun. */
  [Symbol.asyncIterator](): AsyncIterator<RunStreamEvent> {
    let reader: EventReader<RunStreamEvent> | undefined;
    const events = () => (reader ??= this.#reader());
    return {
      next: () => events().next(),
      return: async () => {
        await events().return();
        await this.#control.interrupt();
        return { done: true, value: undefined };
      },
    };
  }

  #reader(): EventReader<RunStreamEvent> {
    const first = this.#first;
    this.#first = undefined;
    return first ?? this.#hub.read(this.#reading);
  }
}

async function* textsOf(events: AsyncIterable<RunStreamEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') yield event.data.delta;
  }
}

/** Nothing is asked for before it is read: whoever never reads is no reader that a run waits for. */
function streamOf<Value>(values: AsyncIterator<Value>): ReadableStream<Value> {
  const source: UnderlyingDefaultSource<Value> = {
    async pull(controller) {
      const { done, value } = await values.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await values.return?.();
    },
  };
  return new ReadableStream<Value>(source, { highWaterMark: 0 });
}
