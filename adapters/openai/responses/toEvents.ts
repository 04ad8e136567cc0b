import { ModelError } from '../../../actors/errors.ts';
import type { StreamEvent, StreamEventResponseCompleted } from '../../../machines/protocol/item.ts';
import { isNoStream } from '../client.ts';
import type { FailedCall } from '../failure.ts';
import { OPENAI_RESPONSES_RAW_MODEL_EVENT_SOURCE } from '../rawEventSources.ts';
import { isRecord, type JsonRecord, providerDataOf } from '../record.ts';
import { NO_USAGE, usageOf } from '../usageOf.ts';
import { failureOf, malformed } from './toFailure.ts';
import { toItems } from './toItems.ts';
import { type ForeignItem, parseResponse, type WireResponse } from './wire.ts';

export const RESPONSES_ENDPOINT = 'responses.create';

export interface ResponseContext {
  call: FailedCall;
  requestId?: string;
  /** What the server says it sends. */
  contentType?: string;
  /** Keep the provider's usage as it came, beside ours. */
  preserveRawUsage?: boolean;
}

/** A response that was completed, checked and translated. */
export type CompletedResponse = StreamEventResponseCompleted['response'];

/**
 * The provider's events as ours: each is passed through as `model`, and those that mean something to the loop are said in
 * its words too. Without `response_done` the stream was cut: the loop decides what that means.
 */
export async function* toEvents(stream: AsyncIterable<unknown>, context: ResponseContext): AsyncGenerator<StreamEvent, void, undefined> {
  const finished: ForeignItem[] = [];
  let started = false;
  let completed = false;
  for await (const event of stream) {
    if (!isEvent(event)) throw malformed(event, 'an event has no type', context.call);
    if (!started) {
      started = true;
      yield { type: 'response_started', providerData: event };
    }
    const done = event.type === 'response.completed' ? toDone(event, finished, context) : undefined;
    if (event.type === 'response.output_text.delta') yield toDelta(event);
    if (done) {
      completed = true;
      yield done;
    }
    yield { type: 'model', event, providerData: { rawModelEventSource: OPENAI_RESPONSES_RAW_MODEL_EVENT_SOURCE } };
    if (event.type === 'response.output_item.done' && isEvent(event.item)) finished.push(event.item);
    if (FAILED.has(event.type)) throw failureIn(event, context.call);
  }
  if (!started && isNoStream(context.contentType)) throw malformed(undefined, `expected a stream of events, got ${context.contentType}`, context.call);
  if (!completed) context.call.signal?.throwIfAborted(); // The client ends an aborted stream without a word.
}

/**
 * A whole answer, streamed or not.
 *
 * @throws ModelError when the provider failed; ModelBehaviorError when the answer is incomplete or not of the API.
 */
export function toCompleted(answer: unknown, context: ResponseContext, streamed: ForeignItem[] = []): CompletedResponse {
  const response = parseResponse(answer);
  if (isProblem(response)) throw malformed(answer, response.problem, context.call);
  const failure = failureOf(response, context.call);
  if (failure) throw failure;
  const { id, output, usage } = response;
  if (!output && streamed.length === 0) throw malformed(answer, 'output is missing', context.call);
  const rawUsage = context.preserveRawUsage && usage ? { rawUsage: usage } : {};
  return {
    id: id ?? '',
    ...(context.requestId && { requestId: context.requestId }),
    // Some servers stream the items and leave them out of the last event.
    output: toItems(output?.length ? output : streamed),
    usage: usageOf(usage, RESPONSES_ENDPOINT) ?? NO_USAGE,
    ...rawUsage,
    ...providerDataOf(ownWords(response)),
  };
}

function toDelta({ delta, ...rest }: ProviderEvent): StreamEvent {
  const itemId = typeof rest.item_id === 'string' ? { itemId: rest.item_id } : {};
  return { type: 'output_text_delta', delta: typeof delta === 'string' ? delta : '', ...itemId, providerData: rest };
}

function toDone({ response, ...rest }: ProviderEvent, streamed: ForeignItem[], context: ResponseContext): StreamEvent {
  return { type: 'response_done', response: toCompleted(response, context, streamed), providerData: rest };
}

function failureIn(event: ProviderEvent, call: FailedCall): Error {
  const response = parseResponse(event.response);
  if (isProblem(response)) return malformed(event.response, response.problem, call);
  const status = response.status ?? event.type.replace('response.', '');
  return failureOf({ ...response, status }, call) ?? new ModelError(`The provider ended the stream with "${event.type}".`, { code: 'server_error' });
}

/** A response repeats its request, instructions and tools included; nobody needs to keep that with every turn. */
function ownWords(response: WireResponse): JsonRecord {
  const { id, object, output, usage, output_text, instructions, tools, text, ...own } = response;
  return own;
}

interface ProviderEvent extends JsonRecord { type: string }

function isEvent(value: unknown): value is ProviderEvent {
  return isRecord(value) && typeof value.type === 'string';
}

function isProblem(response: WireResponse | { problem: string }): response is { problem: string } {
  return 'problem' in response && typeof response.problem === 'string';
}

const FAILED = new Set(['response.failed', 'response.incomplete']);
