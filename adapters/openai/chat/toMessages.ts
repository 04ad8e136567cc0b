import { UserError } from '../../../actors/errors.ts';
import type { AgentInputItem, AssistantMessageItem, FunctionCallItem, FunctionCallResultItem, MessageItem, ReasoningItem } from '../../../machines/protocol/item.ts';
import { defined, extrasOf, isRecord, type JsonRecord } from '../record.ts';
import { toAssistantContent, toToolText, toUserContent } from './toMessageContent.ts';

/** A conversation as Chat Completions reads it: what the model said, thought and called in one response is one message. */
export function toMessages(input: string | AgentInputItem[], systemInstructions?: string): JsonRecord[] {
  const messages: JsonRecord[] = systemInstructions?.trim() ? [{ role: 'system', content: systemInstructions }] : [];
  if (typeof input === 'string') return [...messages, { role: 'user', content: input }];
  let draft: Draft = {};
  const closeDraft = () => {
    const message = toAssistantMessage(draft);
    if (message) messages.push(message);
    draft = {};
  };
  for (const item of input) {
    switch (item.type) {
      case undefined:
      case 'message':
        if (item.role !== 'assistant' || (draft.said && !draft.calls)) closeDraft();
        if (item.role === 'assistant') draft = { ...draft, said: [...(draft.said ?? []), item] };
        else messages.push(toMessage(item));
        break;
      case 'reasoning':
        if (draft.said && !draft.calls) closeDraft();
        if (item.rawContent?.length) draft = { ...draft, thoughts: [...(draft.thoughts ?? []), item] };
        break;
      case 'function_call':
        draft = { ...draft, calls: [...(draft.calls ?? []), item] };
        break;
      case 'function_call_result':
        closeDraft();
        messages.push(toToolMessage(item));
        break;
      case 'unknown':
        closeDraft();
        messages.push(toUnknownMessage(item.providerData));
        break;
      default:
        throw new UserError(`The input holds a "${item.type}" item, which only the Responses API can read. Use a Responses model, or remove it with an input filter.`);
    }
  }
  closeDraft();
  return messages;
}

/** The parts of one answer of the model, until something else follows. */
interface Draft {
  said?: AssistantMessageItem[];
  thoughts?: ReasoningItem[];
  calls?: FunctionCallItem[];
}

/** Thoughts alone are no message: servers want text or a call beside them. */
function toAssistantMessage({ said = [], thoughts = [], calls = [] }: Draft): JsonRecord | undefined {
  if (said.length === 0 && calls.length === 0) return undefined;
  return {
    ...Object.assign({}, ...said.map(({ providerData }) => extrasOf(providerData))),
    role: 'assistant',
    ...(said.length > 0 ? toAssistantContent(said.flatMap(({ content }) => content)) : { content: null }),
    ...toThoughts(thoughts),
    ...(calls.length > 0 && { tool_calls: calls.map(toToolCall) }),
  };
}

/** Under the name the server itself used: servers ignore, or refuse, another's. */
function toThoughts(thoughts: ReasoningItem[]): JsonRecord {
  const text = thoughts.flatMap(({ rawContent = [] }) => rawContent.map((part) => part.text)).join('');
  if (text === '') return {};
  const field = thoughts[0]?.providerData?.reasoningField;
  return { [typeof field === 'string' ? field : 'reasoning']: text };
}

/** Servers parse the arguments of earlier calls, and an empty text is no JSON. */
function toToolCall(call: FunctionCallItem): JsonRecord {
  const { function: _function, index: _index, ...extras } = extrasOf(call.providerData);
  return { ...extras, id: call.callId, type: 'function', function: { name: call.name, arguments: call.arguments || '{}' } };
}

function toMessage(item: Exclude<MessageItem, AssistantMessageItem>): JsonRecord {
  const content = item.role === 'user' ? toUserContent(item.content) : item.content;
  return { ...extrasOf(item.providerData), role: item.role, content };
}

function toToolMessage(item: FunctionCallResultItem): JsonRecord {
  return { ...extrasOf(item.providerData), role: 'tool', tool_call_id: item.callId, content: toToolText(item.output) };
}

function toUnknownMessage(providerData: unknown): JsonRecord {
  if (isRecord(providerData) && typeof providerData.role === 'string') return defined(providerData);
  throw new UserError('The input holds an "unknown" item that is no Chat Completions message. Use a Responses model, or remove it with an input filter.');
}
