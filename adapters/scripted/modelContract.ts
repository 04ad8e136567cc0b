/**
 * What every `Model` owes the loop, as checks that throw plain errors, for any test framework. An adapter that passes them
 * can be swapped for any other that does.
 */
import type { Model, ModelRequest, ModelResponse } from '../../actors/ports.ts';
import type { AgentInputItem, AgentOutputItem, StreamEvent, StreamEventResponseCompleted } from '../../machines/protocol/item.ts';
import { type ContractCheck, demand, same } from './demands.ts';
import { ScriptError } from './failures.ts';
import { frozenCopy } from './frozenCopy.ts';

/**
 * What the world behind the model does in one check. Answers are the same each time they are asked for:
 * - `text`: a text of several words.
 * - `calls`: two function calls side by side.
 * - `hang`: no answer until the request is aborted.
 * - `cut`: a stream that ends in the middle.
 * - `failure`: an error with status 429.
 */
export type ModelSituation = 'text' | 'calls' | 'hang' | 'cut' | 'failure';
export interface ContractModel {
  model: Model;
  /** For `hang`: resolves when the world has got the request, so that the abort meets it there. At once by default. */
  reached?: () => Promise<void>;
  dispose?: () => void | Promise<void>;
}
export type MakeModel = (situation: ModelSituation) => Model | ContractModel | Promise<Model | ContractModel>;

/**
 * The checks of the `Model` port. `makeModel` gives a fresh model before a world in the asked-for situation.
 *
 * @example
 * const steps = { text: says('a b'), calls: calls(['x'], ['y']), hang: hangs(), cut: cuts(2, says('a b')), failure: fails({ status: 429 }) };
 * for (const { name, check } of modelContract((situation) => scriptedModel(loop(steps[situation])))) test(name, check);
 */
export function modelContract(makeModel: MakeModel): ContractCheck[] {
  return CHECKS.map(([situation, name, claim]) => ({
    name,
    async check() {
      const made = await makeModel(situation);
      const contracted: ContractModel = 'model' in made ? made : { model: made };
      try {
        await claim(contracted.model, contracted);
      } finally {
        await contracted.dispose?.();
      }
    },
  }));
}

type Claim = (model: Model, contracted: ContractModel) => Promise<void>;

const CHECKS: [ModelSituation, string, Claim][] = [
  ['text', 'a text comes the same way streamed and not', agree],
  ['calls', 'calls come the same way streamed and not', agree],
  ['text', 'the deltas join to the text of the response', deltasJoin],
  ['text', 'a stream starts with response_started and ends with one response_done', bracketed],
  ['text', 'usage counts one request and adds up, and is plain JSON in a stream', usagePresent],
  ['text', 'the request is left as it was', leavesRequest],
  ['text', 'a reader may leave a stream early', readerMayLeave],
  ['calls', 'each call has a name, an id of its own and arguments as text', callsWellFormed],
  ['hang', 'an abort rejects a request that hangs', (model, { reached }) => abortRejects((asked) => model.getResponse(asked), reached)],
  ['hang', 'an abort ends a stream that hangs with an error', (model, { reached }) => abortRejects((asked) => collect(model, asked), reached)],
  ['text', 'a request aborted beforehand rejects, streamed and not', abortedBeforehand],
  ['cut', 'a stream that was cut never claims to be complete', cutIsVisible],
  ['failure', 'a failure rejects with its status, streamed and not', failureRejects],
  ['failure', 'retry advice for a failure is given without throwing', adviceGiven],
];

async function agree(model: Model): Promise<void> {
  const plain = await model.getResponse(request());
  const streamed = doneOf(await collect(model, request()));
  same(streamed.output.map(withoutIds), plain.output.map(withoutIds), 'The output of getStreamedResponse and of getResponse');
  same(
    [streamed.usage.inputTokens, streamed.usage.outputTokens, streamed.usage.totalTokens],
    [plain.usage.inputTokens, plain.usage.outputTokens, plain.usage.totalTokens],
    'The usage of getStreamedResponse and of getResponse',
  );
  demand(plain.output.length > 0, 'The response is empty; a situation that answers must answer with something.');
}

async function deltasJoin(model: Model): Promise<void> {
  const events = await collect(model, request());
  const deltas = events.flatMap((event) => (event.type === 'output_text_delta' ? [event.delta] : []));
  demand(deltas.length > 0, 'No output_text_delta was sent for a text.');
  same(deltas.join(''), textOf(doneOf(events)), 'The joined deltas and the text of the response');
}

async function bracketed(model: Model): Promise<void> {
  const types = (await collect(model, request())).map(({ type }) => type);
  same(types[0], 'response_started', 'The first event');
  same(types.at(-1), 'response_done', 'The last event');
  same(types.filter((type) => type === 'response_started' || type === 'response_done').length, 2, 'The number of first and last events');
}

async function usagePresent(model: Model): Promise<void> {
  const { usage }: ModelResponse = await model.getResponse(request());
  same(usage.requests, 1, 'usage.requests');
  demand(usage.inputTokens > 0 && usage.outputTokens > 0, 'Usage is empty.');
  same(usage.totalTokens, usage.inputTokens + usage.outputTokens, 'usage.totalTokens and the sum of its parts');
  const streamed = doneOf(await collect(model, request())).usage;
  demand(Object.getPrototypeOf(streamed) === Object.prototype, 'The usage in response_done must be a plain object.');
}

async function leavesRequest(model: Model): Promise<void> {
  const frozen = frozenCopy(request()) as ModelRequest; // A write would throw, in strict mode, from inside the model.
  await model.getResponse(frozen);
  await collect(model, frozen);
}

async function readerMayLeave(model: Model): Promise<void> {
  for await (const event of model.getStreamedResponse(request())) {
    demand(event.type === 'response_started', 'The first event is not response_started.');
    break;
  }
}

async function callsWellFormed(model: Model): Promise<void> {
  const { output } = await model.getResponse(request());
  const calls = output.filter((item) => item.type === 'function_call');
  demand(calls.length === 2, `Expected two function calls, got ${calls.length}.`);
  demand(calls.every(({ name, callId }) => name !== '' && callId !== ''), 'A call without a name or an id.');
  demand(new Set(calls.map(({ callId }) => callId)).size === calls.length, 'Two calls share an id.');
  demand(calls.every((call) => typeof call.arguments === 'string'), 'The arguments of a call are not text.');
}

async function abortRejects(ask: (request: ModelRequest) => Promise<unknown>, reached?: () => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const failed = failureOf(ask(request(controller.signal)));
  await Promise.race([failed, reached?.()]); // A model that fails by itself before the abort is told apart below.
  controller.abort();
  demand(isAbort(await failed), 'An aborted request must reject with an error whose name says so (AbortError or APIUserAbortError).');
}

async function abortedBeforehand(model: Model): Promise<void> {
  const aborted = () => request(AbortSignal.abort());
  demand(isAbort(await failureOf(model.getResponse(aborted()))), 'getResponse ignored a signal that was aborted before the request.');
  demand(isAbort(await failureOf(collect(model, aborted()))), 'getStreamedResponse ignored a signal that was aborted before the request.');
}

async function cutIsVisible(model: Model): Promise<void> {
  const events: StreamEvent[] = [];
  const ended = await failureOf(collect(model, request(), events)).catch(() => 'ended without an error');
  demand(events.length > 0, 'Nothing arrived before the cut; a stream that is cut in the middle starts.');
  demand(!events.some(({ type }) => type === 'response_done'), `The stream was cut and still sent response_done (${String(ended)}).`);
}

async function failureRejects(model: Model): Promise<void> {
  for (const failed of [await failureOf(model.getResponse(request())), await failureOf(collect(model, request()))]) {
    demand(failed instanceof Error && failed.message !== '', 'A failure must be an Error with a message.');
    same((failed as { status?: unknown }).status, 429, 'The status of the error');
  }
}

async function adviceGiven(model: Model): Promise<void> {
  const asked = request();
  const error = await failureOf(model.getResponse(asked));
  await model.getRetryAdvice?.({ request: asked, error, stream: false, attempt: 1 });
}

function request(signal?: AbortSignal): ModelRequest {
  const parameters = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'], additionalProperties: false };
  return {
    systemInstructions: 'Answer as you are told.',
    input: [{ type: 'message', role: 'user', content: 'go' }],
    modelSettings: {},
    tools: ['first', 'second'].map((name) => ({ type: 'function', name, description: `The ${name} tool.`, parameters, strict: true })),
    outputType: 'text',
    handoffs: [],
    tracing: false,
    ...(signal && { signal }),
  };
}

async function collect(model: Model, asked: ModelRequest, events: StreamEvent[] = []): Promise<StreamEvent[]> {
  for await (const event of model.getStreamedResponse(asked)) events.push(event);
  return events;
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const settled = await promise.then(() => undefined, (error: unknown) => ({ error }));
  if (!settled) throw new ScriptError('The request succeeded where it had to fail.');
  return settled.error;
}

function doneOf(events: StreamEvent[]): StreamEventResponseCompleted['response'] {
  const done = events.at(-1);
  if (done?.type === 'response_done') return done.response;
  throw new ScriptError(`The last event of the stream is ${done?.type ?? 'missing'}, not response_done.`);
}

function textOf({ output }: { output: AgentOutputItem[] }): string {
  return output.flatMap((item) => ('role' in item ? item.content : [])).map((part) => (part.type === 'output_text' ? part.text : '')).join('');
}

/** Providers make up new ids for each response; the rest of an item must agree. */
function withoutIds({ id: _id, providerData: _providerData, ...item }: AgentInputItem): unknown {
  return 'callId' in item ? { ...item, callId: undefined } : item;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (/abort/i.test(error.name) || /abort/i.test(error.constructor.name));
}
