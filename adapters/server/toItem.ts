/** Items of a conversation as clients of the protocol see them. */
import type { ErrorRecord } from '../../machines/protocol/failure.ts';
import type { AgentInputItem, ApplyPatchOperation, AssistantMessageItem, ComputerUseCallItem, FunctionCallResultItem, HostedToolCallItem, ReasoningItem, ShellCallResultItem, UserMessageItem } from '../../machines/protocol/item.ts';
import { scriptLine } from './commandLine.ts';
import { textOfNew, unifiedDiff } from './patchText.ts';
import type { CallItem, CallStatus, CommandItem, FileChange, FileItem, ToolItem, WireInput, WireItem } from './shapes.ts';

/** Where a call stands among the items, and who made it. */
export interface Place { id: string; agent: string; cwd: string }
export interface Ending { status: CallStatus; result: AgentInputItem | null; error?: ErrorRecord; durationMs: number | null }

/** A call that has begun; nothing for an item that is none. */
export function callItem(place: Place, item: AgentInputItem): CallItem | undefined {
  switch (item.type) {
    case 'shell_call':
      return commandItem(place, item.action.commands.join('\n'));
    case 'apply_patch_call':
      return { type: 'fileChange', id: place.id, changes: [changeOf(item.operation)], status: 'inProgress' };
    case 'function_call':
      return toolItem(place, item.namespace === undefined || item.namespace === item.name ? item.name : `${item.namespace}.${item.name}`, jsonIn(item.arguments));
    case 'computer_call':
      return toolItem(place, 'computer', { actions: actionsOf(item) });
    case 'hosted_tool_call':
      return toolItem(place, item.name, jsonIn(item.arguments ?? '{}'));
    case 'tool_search_call':
      return toolItem(place, 'tool_search', item.arguments);
    case 'program':
      return toolItem(place, 'program', { code: item.code });
    default:
      return undefined;
  }
}

/** The same call when it has ended. */
export function endedCall(call: CallItem, { status, result, error, durationMs }: Ending): CallItem {
  switch (call.type) {
    case 'commandExecution':
      return { ...call, status, ...commandOutput(result), durationMs };
    case 'fileChange':
      return { ...call, status };
    case 'mcpToolCall':
      return { ...call, ...toolEnding(status, result, error), durationMs };
  }
}

/** An item that is whole as it comes; nothing for what a person has no use for. `isInner`: of an agent that is used as a tool. */
export function wholeItem(place: Place, item: AgentInputItem, isInner = false): WireItem | undefined {
  if ('role' in item) return item.role === 'assistant' ? messageItem(place.id, textOf(item), phaseOf(item, isInner)) : undefined;
  switch (item.type) {
    case 'reasoning':
      return reasoningItem(place.id, item);
    case 'compaction':
      return { type: 'contextCompaction', id: place.id };
    case 'hosted_tool_call':
      return isSearch(item) ? { type: 'webSearch', id: place.id, query: queryOf(item), action: null, results: null } : endedHosted(place, item);
    default: {
      const call = callItem(place, item);
      return call && endedCall(call, { status: 'completed', result: null, durationMs: null });
    }
  }
}

export const messageItem = (id: string, text: string, phase: AssistantMessageItem['phase'] | null = null): Extract<WireItem, { type: 'agentMessage' }> => ({
  type: 'agentMessage', id, text, phase, memoryCitation: null, delivery: null, questions: null,
});

export const reasoningItem = (id: string, { content, rawContent = [] }: Pick<ReasoningItem, 'content' | 'rawContent'>): WireItem => ({
  type: 'reasoning', id, summary: content.map(({ text }) => text), content: rawContent.map(({ text }) => text),
});

export function textOf({ content }: AssistantMessageItem): string {
  return content.map((part) => (part.type === 'output_text' ? part.text : part.type === 'refusal' ? part.refusal : '')).join('');
}

/** What an agent says that is used as a tool is no answer to the user. */
export const phaseOf = ({ phase }: AssistantMessageItem, isInner: boolean): AssistantMessageItem['phase'] | null => (isInner ? 'commentary' : (phase ?? null));

export function userItem(id: string, clientId: string | null, item: AgentInputItem): WireItem | undefined {
  return 'role' in item && item.role === 'user' ? { type: 'userMessage', id, clientId, content: contentOf(item) } : undefined;
}

/** What the runtime says to the model is not of the user (P4). */
export function noticeItem(id: string, kind: string, item: AgentInputItem): WireItem | undefined {
  if (!('role' in item) || item.role === 'assistant') return undefined;
  const text = item.role === 'system' ? item.content : contentOf(item).flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  return { type: 'hookPrompt', id, fragments: [{ text, hookRunId: kind }] };
}

export function contentOf({ content }: UserMessageItem): WireInput[] {
  if (typeof content === 'string') return [textInput(content)];
  return content.map((part): WireInput => {
    switch (part.type) {
      case 'input_text':
        return textInput(part.text);
      case 'input_image':
        return { type: 'image', url: addressOf(part.image), ...(part.detail !== undefined && { detail: part.detail }) };
      case 'audio':
        return { type: 'audio', url: addressOf(part.audio) };
      case 'input_file':
        return { type: 'mention', name: part.filename ?? 'file', path: addressOf(part.file) };
    }
  });
}

export const textInput = (text: string): WireInput => ({ type: 'text', text, text_elements: [] });

const addressOf = (source: string | { id: string } | { url: string } | undefined): string =>
  source === undefined ? '' : typeof source === 'string' ? source : 'url' in source ? source.url : source.id;

function commandItem({ id, cwd }: Place, script: string): CommandItem {
  const actions: CommandItem['commandActions'] = [{ type: 'unknown', command: script }];
  return { type: 'commandExecution', id, pluginId: null, scriptPath: null, command: scriptLine(script), cwd, processId: null, source: 'agent', status: 'inProgress', commandActions: actions, aggregatedOutput: null, exitCode: null, durationMs: null };
}

function toolItem({ id, agent }: Place, tool: string, given: unknown): ToolItem {
  return { type: 'mcpToolCall', id, server: agent, tool, status: 'inProgress', arguments: given ?? {}, appContext: null, mcpAppUi: null, pluginId: null, readOnlyHint: null, result: null, error: null, durationMs: null };
}

function changeOf(operation: ApplyPatchOperation): FileChange {
  switch (operation.type) {
    case 'create_file':
      return { path: operation.path, kind: { type: 'add' }, diff: textOfNew(operation.diff) };
    case 'delete_file':
      return { path: operation.path, kind: { type: 'delete' }, diff: '' };
    case 'update_file':
      return { path: operation.path, kind: { type: 'update', move_path: operation.moveTo ?? null }, diff: unifiedDiff(operation.diff) };
  }
}

function commandOutput(result: AgentInputItem | null): Pick<CommandItem, 'aggregatedOutput' | 'exitCode'> {
  if (result?.type !== 'shell_call_output') return { aggregatedOutput: null, exitCode: null };
  const last = result.output.at(-1)?.outcome;
  return { aggregatedOutput: result.output.map(({ stdout, stderr }: ShellCallResultItem['output'][number]) => stdout + stderr).join(''), exitCode: last?.type === 'exit' ? last.exitCode : null };
}

function toolEnding(status: CallStatus, result: AgentInputItem | null, error: ErrorRecord | undefined): Pick<ToolItem, 'status' | 'result' | 'error'> {
  const text = outputTextOf(result);
  const shown = text === undefined ? null : { content: [{ type: 'text' as const, text }], structuredContent: null, _meta: null as null };
  if (status === 'completed' || status === 'inProgress') return { status, result: shown, error: null };
  return { status: 'failed', result: null, error: { message: error?.message ?? text ?? (status === 'declined' ? 'declined' : 'failed') } };
}

function outputTextOf(result: AgentInputItem | null): string | undefined {
  switch (result?.type) {
    case 'function_call_result':
      return textOfOutput(result.output);
    case 'computer_call_result':
      return '[screenshot]';
    case 'apply_patch_call_output':
      return result.output;
    default:
      return undefined;
  }
}

function textOfOutput(output: FunctionCallResultItem['output']): string {
  if (typeof output === 'string') return output;
  const parts = Array.isArray(output) ? output : [output];
  return parts.map((part) => ('text' in part ? part.text : `[${part.type.replace('input_', '')}]`)).join('\n');
}

function endedHosted(place: Place, item: HostedToolCallItem): CallItem {
  const call = callItem(place, item)!; // hosted calls are calls
  if (call.type !== 'mcpToolCall') return call;
  const isFailed = item.status === 'failed';
  const content = item.output === undefined ? null : { content: [{ type: 'text' as const, text: item.output }], structuredContent: null, _meta: null as null };
  return { ...call, status: isFailed ? 'failed' : 'completed', result: isFailed ? null : content, error: isFailed ? { message: item.output ?? 'failed' } : null };
}

const isSearch = ({ name }: HostedToolCallItem) => name === 'web_search' || name === 'web_search_call';

function queryOf({ arguments: given, providerData }: HostedToolCallItem): string {
  const { query } = (jsonIn(given ?? '{}') ?? {}) as { query?: unknown }; // checked below
  const action = providerData?.action as { query?: unknown } | undefined; // the provider's own: checked below
  return typeof query === 'string' ? query : typeof action?.query === 'string' ? action.query : '';
}

const actionsOf = ({ action, actions }: ComputerUseCallItem) => actions ?? (action ? [action] : []);

/** Arguments are shown as they were meant; text that is no JSON is shown as text. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // the model wrote something else
  }
}

export type { CallItem, FileItem };
