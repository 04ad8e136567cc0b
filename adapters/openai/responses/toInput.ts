import { UserError } from '../../../actors/errors.ts';
import type { Prompt } from '../../../actors/ports.ts';
import type {
  AgentInputItem, AssistantMessageItem, CompactionItem, MessageItem, ProgramCallItem, ProgramCallResultItem, ReasoningItem, ToolSearchCallItem,
  ToolSearchOutputItem, UnknownItem,
} from '../../../machines/protocol/item.ts';
import { defined, extrasOf, isRecord, type JsonRecord } from '../record.ts';
import {
  toApplyPatchCall, toApplyPatchResult, toComputerCall, toComputerResult, toFunctionCall, toFunctionResult, toHostedCall, toShellCall, toShellResult,
} from './toInputCall.ts';
import { toAssistantPart, toInputPart } from './toInputPart.ts';

/** A conversation as the Responses API reads it; the inverse of `toItems`. */
export function toInput(input: string | AgentInputItem[]): JsonRecord[] {
  return typeof input === 'string' ? [{ role: 'user', content: input }] : input.map(toInputItem);
}

/** The value of a variable of a stored prompt. */
export function toPromptVariable(value: NonNullable<Prompt['variables']>[string]): string | JsonRecord {
  return typeof value === 'string' ? value : toInputPart(value);
}

function toInputItem(item: AgentInputItem): JsonRecord {
  if (isMessage(item)) return toMessage(item);
  switch (item.type) {
    case 'function_call':
      return toFunctionCall(item);
    case 'function_call_result':
      return toFunctionResult(item);
    case 'hosted_tool_call':
      return toHostedCall(item);
    case 'computer_call':
      return toComputerCall(item);
    case 'computer_call_result':
      return toComputerResult(item);
    case 'shell_call':
      return toShellCall(item);
    case 'shell_call_output':
      return toShellResult(item);
    case 'apply_patch_call':
      return toApplyPatchCall(item);
    case 'apply_patch_call_output':
      return toApplyPatchResult(item);
    case 'reasoning':
      return toReasoning(item);
    case 'compaction':
      return toCompaction(item);
    case 'program':
      return toProgram(item);
    case 'program_output':
      return toProgramResult(item);
    case 'tool_search_call':
      return toToolSearchCall(item);
    case 'tool_search_output':
      return toToolSearchOutput(item);
    case 'unknown':
      return toUnknown(item);
    default:
      throw new UserError(`An item of type "${(item satisfies never as JsonRecord).type}" cannot be sent through the Responses API.`);
  }
}

function isMessage(item: AgentInputItem): item is MessageItem {
  return item.type === undefined || item.type === 'message';
}

function toMessage(item: MessageItem): JsonRecord {
  switch (item.role) {
    case 'assistant':
      return toAssistantMessage(item);
    case 'user': {
      const content = typeof item.content === 'string' ? item.content : item.content.map(toInputPart);
      return { ...extrasOf(item.providerData), ...defined({ id: item.id, role: 'user', content }) };
    }
    case 'system':
      return { ...extrasOf(item.providerData), ...defined({ id: item.id, role: 'system', content: item.content }) };
    default:
      throw new UserError(`A message has role "${(item satisfies never as JsonRecord).role}"; it must be "user", "assistant" or "system".`);
  }
}

function toAssistantMessage(item: AssistantMessageItem): JsonRecord {
  return {
    ...extrasOf(item.providerData),
    ...defined({
      type: 'message',
      id: item.id,
      role: 'assistant',
      content: item.content.map(toAssistantPart),
      status: item.status,
      phase: item.phase,
    }),
  };
}

/** Encrypted content is what lets a provider that stores nothing think on from where it was. */
function toReasoning(item: ReasoningItem): JsonRecord {
  const { encryptedContent, encrypted_content, ...extras } = extrasOf(item.providerData);
  const raw = item.rawContent?.map((part) => ({ ...extrasOf(part.providerData), type: 'reasoning_text', text: part.text }));
  return {
    ...extras,
    ...defined({
      type: 'reasoning',
      id: item.id,
      summary: item.content.map((part) => ({ ...extrasOf(part.providerData), type: 'summary_text', text: part.text })),
      content: raw,
      encrypted_content: encrypted_content ?? encryptedContent ?? undefined,
    }),
  };
}

function toCompaction(item: CompactionItem): JsonRecord {
  return defined({ type: 'compaction', id: item.id, encrypted_content: item.encrypted_content });
}

function toProgram(item: ProgramCallItem): JsonRecord {
  const { id, callId: call_id, code, fingerprint } = item;
  return { ...extrasOf(item.providerData), ...defined({ type: 'program', id, call_id, code, fingerprint }) };
}

function toProgramResult(item: ProgramCallResultItem): JsonRecord {
  const { id, callId: call_id, output: result, status } = item;
  return { ...extrasOf(item.providerData), ...defined({ type: 'program_output', id, call_id, result, status }) };
}

function toToolSearchCall(item: ToolSearchCallItem): JsonRecord {
  return { ...searchExtras(item), ...defined({ type: 'tool_search_call', id: item.id, status: item.status, arguments: item.arguments }) };
}

function toToolSearchOutput(item: ToolSearchOutputItem): JsonRecord {
  return {
    ...searchExtras(item),
    ...defined({ type: 'tool_search_output', id: item.id, status: item.status, tools: item.tools.map(toFoundTool) }),
  };
}

/** Other writers of this item left the call id and the executor in `providerData`; the item's own members come first. */
function searchExtras(item: ToolSearchCallItem | ToolSearchOutputItem): JsonRecord {
  const { execution, ...extras } = extrasOf(item.providerData);
  const call_id = item.call_id ?? item.callId ?? item.providerData?.call_id ?? undefined;
  return { ...extras, ...defined({ call_id, execution: item.execution ?? execution }) };
}

function toFoundTool({ deferLoading, allowedCallers, outputSchema, tools, ...tool }: JsonRecord): JsonRecord {
  const members = Array.isArray(tools) ? tools.filter(isRecord).map(toFoundTool) : undefined;
  return { ...tool, ...defined({ defer_loading: deferLoading, allowed_callers: allowedCallers, output_schema: outputSchema, tools: members }) };
}

/** An item this version has no word for goes back exactly as it came. */
function toUnknown(item: UnknownItem): JsonRecord {
  if (!item.providerData) throw new UserError('An item of type "unknown" has no providerData, so there is nothing to send. Remove it from the input.');
  return { ...item.providerData, ...defined({ id: item.id }) };
}
