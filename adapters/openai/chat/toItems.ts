import type { AgentOutputItem, AssistantContent, AssistantMessageItem, FunctionCallItem, ReasoningItem } from '../../../machines/protocol/item.ts';
import { providerDataOf } from '../record.ts';
import type { WireCompletion, WireMessage, WireToolCall } from './wire.ts';

export interface ItemContext {
  /** Of the message; servers that state none get one from the caller. */
  messageId: string;
  /** Calls of the conversation so far: an id among them cannot be used again (C5). */
  knownCallIds: Iterable<string>;
  /** Makes an id that no call has. */
  newCallId: () => string;
}

/** What the provider's own filter did, in the place where the model's words would stand. */
export const WITHHELD = "The provider's content filter withheld the answer.";

/** What the model answered, as items: thoughts, then words, then calls. */
export function toItems({ choices }: WireCompletion, context: ItemContext): AgentOutputItem[] {
  const [choice] = choices;
  if (!choice) return [];
  const { message, finish_reason } = choice;
  const calls = toCalls(message.tool_calls ?? [], context);
  const content = toContent(message);
  const withheld = finish_reason === 'content_filter' && content.length === 0 && calls.length === 0;
  const said: AssistantContent[] = withheld ? [{ type: 'refusal', refusal: WITHHELD }] : content;
  return [...toReasoning(message), ...toMessage(said, finish_reason, context.messageId), ...calls];
}

function toMessage(content: AssistantContent[], finishReason: string | null | undefined, id: string): AssistantMessageItem[] {
  if (content.length === 0) return [];
  return [{ type: 'message', id, role: 'assistant', status: finishReason === 'length' ? 'incomplete' : 'completed', content }];
}

function toReasoning(message: WireMessage): ReasoningItem[] {
  const field = message.reasoning ? 'reasoning' : 'reasoning_content';
  const text = message[field];
  if (!text) return [];
  const remembered = field === 'reasoning' ? {} : { providerData: { reasoningField: field } };
  return [{ type: 'reasoning', content: [], rawContent: [{ type: 'reasoning_text', text }], ...remembered }];
}

function toContent({ content, refusal, audio, annotations }: WireMessage): AssistantContent[] {
  const text = typeof content === 'string' ? content : (content ?? []).map((part) => (part.type === 'text' ? (part.text ?? '') : '')).join('');
  const parts: AssistantContent[] = [];
  if (text) parts.push({ type: 'output_text', text, ...providerDataOf({ annotations: annotations?.length ? annotations : undefined }) });
  if (refusal) parts.push({ type: 'refusal', refusal });
  if (audio) {
    const { data, transcript, ...rest } = audio;
    parts.push({ type: 'audio', audio: data, ...(transcript && { transcript }), ...providerDataOf(rest) });
  }
  return parts;
}

function toCalls(calls: WireToolCall[], { knownCallIds, newCallId }: ItemContext): FunctionCallItem[] {
  const taken = new Set(knownCallIds);
  return calls.flatMap(({ id, type: _type, index: _index, function: called, ...rest }): FunctionCallItem[] => {
    if (!called) return [];
    const callId = id && !taken.has(id) ? id : newCallId();
    taken.add(callId);
    const { name, arguments: text } = called;
    return [{ type: 'function_call', callId, name, status: 'completed', arguments: toArguments(text), ...providerDataOf(rest) }];
  });
}

/** A call without arguments is a call with none. */
function toArguments(text: string | Record<string, unknown> | null | undefined): string {
  if (typeof text === 'string') return text.trim() === '' ? '{}' : text;
  return JSON.stringify(text ?? {});
}
