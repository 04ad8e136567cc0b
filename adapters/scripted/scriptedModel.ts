/** A model that says what a script says: the deterministic stand-in for a provider in tests. */
import type { Model, ModelRequest } from '../../actors/ports.ts';
import type { AgentOutputItem } from '../../machines/protocol/item.ts';
import { ScriptedModelError } from './failures.ts';
import { frozenCopy } from './frozenCopy.ts';
import { perform, performStream, type Performance } from './performance.ts';
import { Script } from './script.ts';
import type { SingleStep, Step } from './steps.ts';

/** A request as it was when the model got it: frozen at every depth, without its signal. */
export type RecordedRequest = Readonly<Omit<ModelRequest, 'signal'>>;
export interface RecordedCall {
  /** 1 for the first request. */
  readonly number: number;
  /** Whether it came through `getStreamedResponse`. */
  readonly streamed: boolean;
  readonly request: RecordedRequest;
  /** The live signal of the request; shows whether it was aborted. */
  readonly signal?: AbortSignal;
}
export interface ScriptedModel extends Model {
  readonly requests: readonly RecordedRequest[];
  readonly calls: readonly RecordedCall[];
  /** How many steps were not played; 0 once only a `loop()` is left. */
  readonly remaining: number;
  /** Adds steps to the end of the script, also while it is played. */
  enqueue(...steps: Step[]): void;
  /** @throws ScriptError naming the steps that were not played. */
  assertDone(): void;
}

/**
 * Answers one request per step, in the order of the requests, streaming or not from the same script. Response ids are
 * `resp_<number of the request>`, call ids `call_1`, `call_2`, …; usage is 10 input and 5 output tokens a request unless
 * the step says otherwise. A request beyond the script rejects with a `ScriptError`.
 *
 * A stream carries `response_started`, the text in word-sized deltas, for each completed item one `model` event (spelled as
 * the Responses API's `response.output_item.done`, with the wire item in `providerData.item`), and `response_done`.
 *
 * @example
 * const model = scriptedModel(calls('add', { a: 1, b: 2 }), says('It is 3.'));
 * const first = await model.getResponse({ input: 'go', modelSettings: {}, tools: [], outputType: 'text', handoffs: [], tracing: false });
 * first.output; // [{ type: 'function_call', callId: 'call_1', name: 'add', status: 'completed', arguments: '{"a":1,"b":2}' }]
 * model.requests[0]?.input; // 'go'
 */
export function scriptedModel(...steps: Step[]): ScriptedModel {
  const script = new Script(steps);
  const recorded: RecordedCall[] = [];
  const callIds = callIdSource();

  const begin = (request: ModelRequest, streamed: boolean): { step: SingleStep; performance: Performance } => {
    const requestNumber = recorded.length + 1;
    const copy = frozenCopy(request, ['signal']);
    const signal = request.signal ? { signal: request.signal } : {};
    recorded.push(Object.freeze({ number: requestNumber, streamed, request: copy, ...signal }));
    return { step: script.take(requestNumber), performance: { requestNumber, request: copy, ...signal, ...callIds } };
  };

  return {
    get requests() {
      return recorded.map(({ request }) => request);
    },
    get calls() {
      return [...recorded];
    },
    get remaining() {
      return script.remaining;
    },
    enqueue: (...added) => script.add(added),
    assertDone: () => script.assertDone(),
    async getResponse(request) {
      const { step, performance } = begin(request, false);
      return perform(step, performance);
    },
    getStreamedResponse(request) {
      // The step is taken now, so that the order of requests decides; what goes wrong is met when the stream is read.
      return streamOf(() => begin(request, true));
    },
    completedItem: (event) => (event.type === 'model' ? (event.providerData?.['item'] as AgentOutputItem | undefined) : undefined), // put there by performStream
    getRetryAdvice: ({ error }) => (error instanceof ScriptedModelError ? error.advice : undefined),
  };
}

function streamOf(begin: () => { step: SingleStep; performance: Performance }): ReturnType<typeof performStream> {
  try {
    const { step, performance } = begin();
    return performStream(step, performance);
  } catch (error) { // An exhausted script.
    return rejectingStream(error);
  }
}

async function* rejectingStream(error: unknown): AsyncGenerator<never, void, undefined> {
  throw error;
}

function callIdSource(): Pick<Performance, 'freeCallId' | 'occupyCallId'> {
  const occupied = new Set<string>();
  let last = 0;
  return {
    occupyCallId: (callId) => void occupied.add(callId),
    freeCallId: () => {
      do last += 1;
      while (occupied.has(`call_${last}`));
      return `call_${last}`;
    },
  };
}
