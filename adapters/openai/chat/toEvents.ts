import type { StreamEvent, StreamEventResponseCompleted } from '../../../machines/protocol/item.ts';
import { isNoStream } from '../client.ts';
import type { FailedCall } from '../failure.ts';
import { factsOf } from '../failureFacts.ts';
import { OPENAI_CHAT_COMPLETIONS_RAW_MODEL_EVENT_SOURCE } from '../rawEventSources.ts';
import { isRecord, type JsonRecord, providerDataOf } from '../record.ts';
import { NO_USAGE, usageOf } from '../usageOf.ts';
import { PartialCompletion } from './partialCompletion.ts';
import { complaint, cutOff, malformed } from './toFailure.ts';
import { type ItemContext, toItems } from './toItems.ts';
import { parseCompletion, type WireCompletion } from './wire.ts';

export const CHAT_ENDPOINT = 'chat.completions.create';

export interface CompletionContext extends Omit<ItemContext, 'messageId'> {
  call: FailedCall;
  requestId?: string;
  /** What the server says it sends. */
  contentType?: string;
  /** For servers that give their answers no id. */
  newMessageId: () => string;
  /** Keep the provider's usage as it came, beside ours. */
  preserveRawUsage?: boolean;
}

/** A completion that was checked and translated. */
export type TranslatedCompletion = StreamEventResponseCompleted['response'];

/**
 * The chunks as our events: each is passed through as `model`, text also as deltas. `response_done` comes only if the server
 * said why it stopped; whether it also counted tokens or said goodbye does not matter.
 */
export async function* toEvents(stream: AsyncIterable<unknown>, context: CompletionContext): AsyncGenerator<StreamEvent, void, undefined> {
  const partial = new PartialCompletion();
  let itemId: string | undefined;
  for await (const chunk of untilCut(stream, partial)) {
    if (!isRecord(chunk)) throw malformed(chunk, 'a chunk is no object', context.call);
    if (itemId === undefined) {
      itemId = typeof chunk.id === 'string' && chunk.id ? chunk.id : context.newMessageId();
      yield { type: 'response_started', providerData: chunk };
    }
    const delta = partial.add(chunk);
    yield { type: 'model', event: chunk, providerData: { rawModelEventSource: OPENAI_CHAT_COMPLETIONS_RAW_MODEL_EVENT_SOURCE } };
    if (delta) yield { type: 'output_text_delta', delta, itemId, providerData: chunk };
  }
  if (itemId === undefined && isNoStream(context.contentType)) throw malformed(undefined, `expected a stream of events, got ${context.contentType}`, context.call);
  if (partial.finished) yield { type: 'response_done', response: toCompleted({ ...partial.toCompletion(), id: itemId }, context) };
  else context.call.signal?.throwIfAborted(); // The client ends an aborted stream without a word.
}

/**
 * A whole answer, streamed or not.
 *
 * @throws ModelError when the server failed or its answer is not of the API; ModelBehaviorError when nothing was said.
 */
export function toCompleted(answer: unknown, context: CompletionContext): TranslatedCompletion {
  const parsed = parseCompletion(answer);
  if ('problem' in parsed) throw malformed(answer, parsed.problem, context.call);
  if ('refused' in parsed) throw complaint(parsed.refused, context.call);
  const { completion } = parsed;
  const id = completion.id || context.newMessageId();
  const output = toItems(completion, { ...context, messageId: id });
  const finishReason = completion.choices[0]?.finish_reason;
  if (finishReason === 'length' && output.every(({ type }) => type === 'reasoning')) throw cutOff(context.call);
  return {
    id,
    ...(context.requestId && { requestId: context.requestId }),
    output,
    usage: usageOf(completion.usage, CHAT_ENDPOINT) ?? NO_USAGE,
    ...(context.preserveRawUsage && completion.usage && { rawUsage: completion.usage }),
    ...providerDataOf(ownWords(completion)),
  };
}

/** A connection that breaks after the answer is whole has lost nothing but the count of tokens. */
async function* untilCut(stream: AsyncIterable<unknown>, partial: PartialCompletion): AsyncGenerator<unknown, void, undefined> {
  try {
    yield* stream;
  } catch (error) {
    if (!partial.finished || !factsOf(error).isNetworkError) throw error;
  }
}

function ownWords({ id, object, choices, usage, ...own }: WireCompletion): JsonRecord {
  return { ...own, finish_reason: choices[0]?.finish_reason ?? undefined };
}
