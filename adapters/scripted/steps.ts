/**
 * The words a script is written in. A step is plain, reusable and inert: what it means is decided when a model plays it,
 * so the same step may stand in several scripts and be played any number of times.
 */
import type { Clock, ModelRequest } from '../../actors/ports.ts';
import type { AgentOutputItem, AssistantMessageItem } from '../../machines/protocol/item.ts';
import { ScriptError, type FailureOptions } from './failures.ts';

/** Token counts of one scripted response. `totalTokens` defaults to the sum of the other two. */
export interface ScriptedUsage {
  inputTokens?: number;
  outputTokens?: number;
  totalTokens?: number;
  inputTokensDetails?: Record<string, number>;
  outputTokensDetails?: Record<string, number>;
}
/** One item of an answer: `deltas` is how its text is cut when streamed, `callId: 'automatic'` asks the model for the next free id. */
export interface ScriptedPart { item: AgentOutputItem; deltas?: readonly string[]; callId?: 'automatic' }

/** A whole response. Made by {@link says}, {@link calls}, {@link thinks}, {@link refuses}, {@link responds} and {@link empty}. */
export interface AnswerStep {
  kind: 'answer';
  parts: readonly ScriptedPart[];
  usage?: ScriptedUsage;
  responseId?: string;
}
/** The request fails before the first event. Made by {@link fails}. */
export interface FailStep { kind: 'fail'; failure: FailureOptions }
/** What breaks into an answer after some of its stream events. */
export type Disturbance = { kind: 'end' } | { kind: 'hang' } | { kind: 'fail'; failure: FailureOptions };
/** An answer that does not arrive whole. Made by {@link cuts} and {@link hangs}. */
export interface DisturbedStep { kind: 'disturbed'; after: number; disturbance: Disturbance; step: AnswerStep }
/** A step that begins later. Made by {@link delays}. */
export interface DelayedStep { kind: 'delayed'; ms: number; clock: Clock; step: SingleStep }
/** A step chosen by looking at the request. Made by {@link answersWith}. */
export interface ComputedStep { kind: 'computed'; answer: (request: Readonly<ModelRequest>, requestNumber: number) => SingleStep | Promise<SingleStep> }
/** Steps that are played several times over. Made by {@link repeat} and {@link loop}. */
export interface RepeatedStep { kind: 'repeated'; times: number; steps: readonly Step[] }
/** What answers exactly one request. */
export type SingleStep = AnswerStep | FailStep | DisturbedStep | DelayedStep | ComputedStep;
export type Step = SingleStep | RepeatedStep;

export interface AnswerOptions { usage?: ScriptedUsage; responseId?: string }
export interface SaysOptions extends AnswerOptions {
  /** How the text is cut when streamed; the parts must join to the text. Words by default. */
  deltas?: readonly string[];
  /** Id of the message item; none by default, so that whole-request comparisons stay short. */
  id?: string;
  phase?: AssistantMessageItem['phase'];
}
export interface CallsOptions extends AnswerOptions { callId?: string; id?: string; namespace?: string }
/** One call of several: tool name, arguments (an object, or JSON text to be sent exactly as it is), options. */
export type ScriptedCall = readonly [name: string, args?: unknown, options?: Omit<CallsOptions, keyof AnswerOptions>];

/**
 * The model answers with text.
 *
 * @throws ScriptError when `deltas` do not join to `text`.
 * @example
 * const model = scriptedModel(says('It is 21 degrees.', { usage: { inputTokens: 40, outputTokens: 6 } }));
 */
export function says(text: string, options: SaysOptions = {}): AnswerStep {
  const { deltas = words(text), id, phase, ...answer } = options;
  if (deltas.join('') !== text) {
    throw new ScriptError(`says(${JSON.stringify(text)}): its deltas join to ${JSON.stringify(deltas.join(''))}. Make them join to the text.`);
  }
  const item: AssistantMessageItem = {
    type: 'message',
    ...(id === undefined ? {} : { id }),
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text }],
    ...(phase === undefined ? {} : { phase }),
  };
  return { kind: 'answer', parts: [{ item, deltas }], ...answer };
}

/**
 * The model calls one tool, or several side by side. Call ids are `call_1`, `call_2`, … over the life of the model unless given.
 *
 * @example
 * const one = calls('add', { a: 1, b: 2 });
 * const two = calls(['add', { a: 1, b: 2 }], ['search', { query: 'xstate' }, { callId: 'call_search' }]);
 * const broken = calls('add', '{"a": 1,');
 */
export function calls(name: string, args?: unknown, options?: CallsOptions): AnswerStep;
export function calls(...several: ScriptedCall[]): AnswerStep;
export function calls(first: string | ScriptedCall, ...rest: unknown[]): AnswerStep {
  if (typeof first !== 'string') {
    // The second overload is the only one whose first argument is not a string, so the rest are calls too.
    return { kind: 'answer', parts: [first, ...(rest as ScriptedCall[])].map(callPart) };
  }
  const [args, options = {}] = rest as [unknown, CallsOptions?];
  const { usage, responseId, ...call } = options;
  return { kind: 'answer', parts: [callPart([first, args, call])], ...(usage && { usage }), ...(responseId && { responseId }) };
}

/**
 * The model shows a reasoning item. Reasoning alone counts as an empty answer, so it usually stands inside {@link responds}.
 *
 * @example
 * const step = responds(thinks('Two numbers, so I add.'), calls('add', { a: 1, b: 2 }));
 */
export function thinks(text: string, options: AnswerOptions & { id?: string } = {}): AnswerStep {
  const { id, ...answer } = options;
  const item: AgentOutputItem = { type: 'reasoning', ...(id === undefined ? {} : { id }), content: [{ type: 'input_text', text }] };
  return { kind: 'answer', parts: [{ item }], ...answer };
}

/**
 * The model refuses: an assistant message with a refusal and no text.
 *
 * @example
 * const model = scriptedModel(refuses('I cannot help with that.'));
 */
export function refuses(refusal: string, options: AnswerOptions & { id?: string } = {}): AnswerStep {
  const { id, ...answer } = options;
  const item: AgentOutputItem = {
    type: 'message',
    ...(id === undefined ? {} : { id }),
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'refusal', refusal }],
  };
  return { kind: 'answer', parts: [{ item }], ...answer };
}

/**
 * One response out of several pieces, in order: other answers, or wire items exactly as they are. The last usage and
 * response id given by a piece win.
 *
 * @example
 * const step = responds(thinks('Hm.'), says('Let me look.'), calls('search', { query: 'loops' }));
 */
export function responds(...pieces: (AnswerStep | AgentOutputItem)[]): AnswerStep {
  return pieces.reduce<AnswerStep>(
    (answer, piece) => {
      if (!('kind' in piece)) return { ...answer, parts: [...answer.parts, { item: piece }] };
      const { parts, usage = answer.usage, responseId = answer.responseId } = piece;
      return { kind: 'answer', parts: [...answer.parts, ...parts], ...(usage && { usage }), ...(responseId && { responseId }) };
    },
    { kind: 'answer', parts: [] },
  );
}

/**
 * A response without any item.
 *
 * @example
 * const model = scriptedModel(empty(), says('Here I am.'));
 */
export function empty(options: AnswerOptions = {}): AnswerStep {
  return { kind: 'answer', parts: [], ...options };
}

/**
 * The request fails with a `ScriptedModelError` before the first event, as a provider's client would throw it.
 *
 * @example
 * const model = scriptedModel(fails({ status: 429, retryAfterMs: 2_000 }), fails({ network: true }), says('There.'));
 */
export function fails(failure: FailureOptions = {}): FailStep {
  return { kind: 'fail', failure };
}

/**
 * The connection breaks after `after` stream events: the stream simply ends, without `response_done`; with `failure` it
 * throws instead. Not streaming, the request fails as a network error. Events are counted as they are sent:
 * `response_started`, then for each item its text deltas and one `model` event, then `response_done`.
 *
 * @example
 * const model = scriptedModel(cuts(3, says('one two three')), says('one two three'));
 */
export function cuts(after: number, step: AnswerStep, failure?: FailureOptions): DisturbedStep {
  return { kind: 'disturbed', after: eventCount('cuts', after), disturbance: failure ? { kind: 'fail', failure } : { kind: 'end' }, step };
}

/**
 * The model says nothing more until the request is aborted, and then rejects with an `AbortError`. With `after` and `step`
 * the stream first sends that many events of the step. A request without a signal hangs for ever.
 *
 * @example
 * const model = scriptedModel(hangs(), hangs(3, says('one two three')));
 */
export function hangs(): DisturbedStep;
export function hangs(after: number, step: AnswerStep): DisturbedStep;
export function hangs(after = 0, step: AnswerStep = empty()): DisturbedStep {
  return { kind: 'disturbed', after: eventCount('hangs', after), disturbance: { kind: 'hang' }, step };
}

/**
 * The step begins `ms` milliseconds later on the given clock. An abort during the wait rejects with an `AbortError`.
 *
 * @example
 * const clock = virtualClock();
 * const model = scriptedModel(delays(5_000, says('Sorry to keep you waiting.'), clock));
 */
export function delays(ms: number, step: SingleStep, clock: Clock): DelayedStep {
  return { kind: 'delayed', ms, clock, step };
}

/**
 * The step is chosen when the request is there. `requestNumber` counts the requests to the model from 1.
 *
 * @example
 * const model = scriptedModel(answersWith((request) => says(`You have ${request.tools.length} tools.`)));
 */
export function answersWith(answer: ComputedStep['answer']): ComputedStep {
  return { kind: 'computed', answer };
}

/**
 * The steps, `times` times over.
 *
 * @example
 * const model = scriptedModel(repeat(3, calls('poll')), says('It is done.'));
 */
export function repeat(times: number, ...steps: Step[]): RepeatedStep {
  if (!(times >= 0) || (times !== Infinity && !Number.isInteger(times))) {
    throw new ScriptError(`repeat(${times}): give a whole number of times, or Infinity.`);
  }
  if (steps.length === 0) throw new ScriptError('repeat() and loop() need at least one step.');
  return { kind: 'repeated', times, steps };
}

/**
 * The steps for ever. `assertDone()` is satisfied once a loop is reached.
 *
 * @example
 * const model = scriptedModel(loop(calls('poll'), says('Not yet.')));
 */
export function loop(...steps: Step[]): RepeatedStep {
  return repeat(Infinity, ...steps);
}

function callPart([name, args = {}, { callId, id, namespace } = {}]: ScriptedCall): ScriptedPart {
  return {
    item: {
      type: 'function_call',
      ...(id === undefined ? {} : { id }),
      callId: callId ?? '',
      name,
      ...(namespace === undefined ? {} : { namespace }),
      status: 'completed',
      arguments: typeof args === 'string' ? args : JSON.stringify(args),
    },
    ...(callId === undefined ? { callId: 'automatic' as const } : {}),
  };
}

/** Every word keeps the space after it, so that the pieces join to the text. */
function words(text: string): string[] {
  return text.match(/\s*\S+\s*/g) ?? (text === '' ? [] : [text]);
}

function eventCount(word: string, after: number): number {
  if (Number.isInteger(after) && after >= 0) return after;
  throw new ScriptError(`${word}(${after}, …): the number of events must be a whole number, 0 or more.`);
}
