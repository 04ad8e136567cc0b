import { ModelBehaviorError } from '../../../actors/errors.ts';
import type {
  AgentOutputItem, ApplyPatchOperation, AssistantContent, ComputerAction, ComputerUseCallItem, FunctionCallResultItem, ShellCallOutputContent, ToolCaller,
  ToolCallStructuredOutput,
} from '../../../machines/protocol/item.ts';
import { defined, isRecord, type JsonRecord, providerDataOf } from '../record.ts';
import { type ForeignItem, parseItem, type WireItem } from './wire.ts';

/**
 * What the model answered, as items; the inverse of `toInput`. What we have no place for stays in `providerData`, and an item
 * of a type nobody here knows becomes `unknown`, so that it goes back to the provider exactly as it came.
 *
 * @throws ModelBehaviorError when an item lacks what its type promises; the message names the place.
 */
export function toItems(output: ForeignItem[]): AgentOutputItem[] {
  return output.map((raw, index) => {
    const parsed = parseItem(raw);
    if ('item' in parsed) return toItem(parsed.item);
    if ('foreign' in parsed) return toHostedOrUnknown(parsed.foreign);
    throw new ModelBehaviorError(`The provider answered with a "${raw.type}" item that is not what the Responses API promises: output.${index}.${parsed.problem}.`);
  });
}

function toItem(item: WireItem): AgentOutputItem {
  switch (item.type) {
    case 'message':
      return toMessage(item);
    case 'function_call':
      return toFunctionCall(item);
    case 'function_call_output':
      return toFunctionResult(item);
    case 'computer_call':
      return toComputerCall(item);
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
    case 'compaction': {
      const { type, id, encrypted_content, created_by, ...rest } = item;
      return { type, ...present({ id, created_by }), encrypted_content, ...providerDataOf(rest) };
    }
    case 'program': {
      const { type, id, call_id: callId, code, fingerprint, ...rest } = item;
      return { type, ...present({ id }), callId, code, fingerprint, ...providerDataOf(rest) };
    }
    case 'program_output': {
      const { type, id, call_id: callId, result: output, status, ...rest } = item;
      return { type, ...present({ id }), callId, output, status, ...providerDataOf(rest) };
    }
    case 'tool_search_call': {
      const { type, id, call_id, execution, status, arguments: args, ...rest } = item;
      return { type, ...present({ id, call_id, execution, status }), arguments: args, ...providerDataOf(rest) };
    }
    case 'tool_search_output': {
      const { type, id, call_id, execution, status, tools, ...rest } = item;
      return { type, ...present({ id, call_id, execution, status }), tools: tools.map(toFoundTool), ...providerDataOf(rest) };
    }
  }
}

function toMessage({ type, id, role, status, phase, content, ...rest }: Wire<'message'>): AgentOutputItem {
  const parts = content.map((part): AssistantContent => {
    if (part.type === 'refusal') {
      const { type: kind, refusal, ...extras } = part;
      return { type: kind, refusal, ...providerDataOf(extras) };
    }
    const { type: kind, text, annotations, ...extras } = part;
    const kept = Array.isArray(annotations) && annotations.length === 0 ? extras : { annotations, ...extras };
    return { type: kind, text, ...providerDataOf(kept) };
  });
  return { type, ...present({ id }), role, status: status ?? 'completed', content: parts, ...present({ phase }), ...providerDataOf(rest) };
}

function toFunctionCall({ type, id, call_id: callId, name, arguments: text, status, namespace, caller, ...rest }: Wire<'function_call'>): AgentOutputItem {
  return { type, ...present({ id }), callId, name, ...present({ namespace, status }), arguments: text, ...toCaller(caller), ...providerDataOf(rest) };
}

/** The API answers results without the tool's name when it was not told; the loop wants one. */
function toFunctionResult(item: Wire<'function_call_output'>): FunctionCallResultItem {
  const { type: _type, id, call_id: callId, status, name, function_name, namespace, caller, output, ...rest } = item;
  return {
    type: 'function_call_result',
    ...present({ id, namespace }),
    callId,
    name: name ?? function_name ?? '',
    status: status ?? 'completed',
    output: typeof output === 'string' ? output : output.map(toOutputPart),
    ...toCaller(caller),
    ...providerDataOf(rest),
  };
}

function toOutputPart({ type, ...part }: JsonRecord & { type: string }): ToolCallStructuredOutput {
  if (type === 'input_image') {
    const { image_url, file_id, detail, ...rest } = part;
    const image = typeof file_id === 'string' ? { id: file_id } : typeof image_url === 'string' ? image_url : undefined;
    return { type, ...defined({ image, detail: detail ?? undefined }), ...providerDataOf(rest) };
  }
  if (type === 'input_file') {
    const { file_data, file_id, file_url, filename, ...rest } = part;
    const file = typeof file_id === 'string' ? { id: file_id } : typeof file_url === 'string' ? { url: file_url } : (file_data ?? undefined);
    return { type, ...defined({ file, filename: filename ?? undefined }), ...providerDataOf(rest) };
  }
  const { text, ...rest } = part;
  return { type: 'input_text', text: typeof text === 'string' ? text : '', ...providerDataOf(rest) };
}

function toComputerCall({ type, id, call_id: callId, status, action, actions, pending_safety_checks, ...rest }: Wire<'computer_call'>): ComputerUseCallItem {
  const first = action ?? actions?.[0];
  const checks = Array.isArray(pending_safety_checks) && pending_safety_checks.length > 0 ? { pending_safety_checks } : {};
  return {
    type,
    ...present({ id }),
    callId,
    status: status ?? 'completed',
    // Actions are the model's words; which of them a computer can do is for the one that acts to say.
    ...present({ action: first as ComputerAction | undefined, actions: actions as ComputerAction[] | null | undefined }),
    ...providerDataOf({ ...checks, ...rest }),
  };
}

function toShellCall({ type, id, call_id: callId, status, action, caller, ...rest }: Wire<'shell_call'>): AgentOutputItem {
  const { commands, timeout_ms: timeoutMs, max_output_length: maxOutputLength } = action;
  const asked = { commands, ...present({ timeoutMs, maxOutputLength }) };
  return { type, ...present({ id }), callId, ...present({ status }), action: asked, ...toCaller(caller), ...providerDataOf(rest) };
}

function toShellResult(item: Wire<'shell_call_output'>): AgentOutputItem {
  const { type, id, call_id: callId, status, max_output_length: maxOutputLength, caller, output, ...rest } = item;
  const parts = output.map(({ created_by: _author, outcome, ...part }): ShellCallOutputContent => ({
    ...part,
    outcome: outcome.type === 'timeout' ? { type: 'timeout' } : { type: 'exit', exitCode: outcome.exit_code },
  }));
  return { type, ...present({ id }), callId, ...present({ status, maxOutputLength }), output: parts, ...toCaller(caller), ...providerDataOf(rest) };
}

function toApplyPatchCall({ type, id, call_id: callId, status, operation, caller, ...rest }: Wire<'apply_patch_call'>): AgentOutputItem {
  return { type, ...present({ id }), callId, status, operation: toOperation(operation), ...toCaller(caller), ...providerDataOf(rest) };
}

function toOperation(operation: Wire<'apply_patch_call'>['operation']): ApplyPatchOperation {
  if (operation.type !== 'update_file') return operation;
  const { move_to: moveTo, ...rest } = operation;
  return { ...rest, ...present({ moveTo }) };
}

function toApplyPatchResult({ type, id, call_id: callId, status, output, caller, ...rest }: Wire<'apply_patch_call_output'>): AgentOutputItem {
  return { type, ...present({ id }), callId, status, ...present({ output }), ...toCaller(caller), ...providerDataOf(rest) };
}

/** The summary is for people to read; the raw thoughts and their encrypted form are for the provider. */
function toReasoning({ type, id, summary, content, encrypted_content, ...rest }: Wire<'reasoning'>): AgentOutputItem {
  const rawContent = content?.map(({ type: _type, text, ...extras }) => ({ type: 'reasoning_text' as const, text, ...providerDataOf(extras) }));
  return {
    type,
    ...present({ id }),
    content: (summary ?? []).map(({ type: _type, text, ...extras }) => ({ type: 'input_text' as const, text, ...providerDataOf(extras) })),
    ...present({ rawContent }),
    ...providerDataOf({ ...present({ encrypted_content }), ...rest }),
  };
}

function toFoundTool({ defer_loading, allowed_callers, output_schema, tools, ...tool }: JsonRecord): JsonRecord {
  const members = Array.isArray(tools) ? tools.filter(isRecord).map(toFoundTool) : undefined;
  return { ...tool, ...defined({ deferLoading: defer_loading, allowedCallers: allowed_callers, outputSchema: output_schema, tools: members }) };
}

/** A hosted call keeps its wire form whole, but for the members that the item shows by itself. */
function toHostedOrUnknown(raw: ForeignItem): AgentOutputItem {
  const id = typeof raw.id === 'string' ? { id: raw.id } : {};
  if (!HOSTED.has(raw.type)) return { type: 'unknown', ...id, providerData: raw };
  const { status, ...wire } = raw;
  const lifted = raw.type === 'image_generation_call' ? 'result' : raw.type === 'mcp_call' ? 'output' : undefined;
  const output = lifted === undefined ? undefined : wire[lifted];
  if (lifted !== undefined && typeof output === 'string') delete wire[lifted];
  return {
    type: 'hosted_tool_call',
    ...id,
    name: raw.type,
    status: typeof status === 'string' ? status : 'completed',
    ...(typeof output === 'string' && { output }),
    providerData: wire,
  };
}

function toCaller(caller: Wire<'function_call'>['caller']): { caller?: ToolCaller } {
  if (!caller) return {};
  return { caller: caller.type === 'direct' ? { type: 'direct' } : { type: 'program', callerId: caller.caller_id } };
}

type Wire<Type extends WireItem['type']> = Extract<WireItem, { type: Type }>;
type Present<Members> = { [Name in keyof Members]?: NonNullable<Members[Name]> };

/** Providers say null where we say nothing. */
function present<Members extends object>(members: Members): Present<Members> {
  const said = Object.entries(members).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(said) as Present<Members>; // `fromEntries` forgets the names; none was added.
}

const HOSTED = new Set([
  'web_search_call', 'file_search_call', 'code_interpreter_call', 'image_generation_call', 'mcp_call', 'mcp_list_tools', 'mcp_approval_request',
]);
