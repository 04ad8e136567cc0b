import { UserError } from '../../../actors/errors.ts';
import type {
  ApplyPatchCallItem, ApplyPatchCallResultItem, ApplyPatchOperation, ComputerCallResultItem, ComputerUseCallItem, FunctionCallItem, FunctionCallResultItem,
  HostedToolCallItem, ShellCallItem, ShellCallOutputContent, ShellCallResultItem, ToolCaller,
} from '../../../machines/protocol/item.ts';
import { defined, extrasOf, type JsonRecord } from '../record.ts';
import { toToolOutput } from './toInputPart.ts';

export function toFunctionCall(item: FunctionCallItem): JsonRecord {
  const { id, name, callId: call_id, arguments: text, status, namespace } = item;
  return {
    ...extrasOf(item.providerData),
    ...defined({ type: 'function_call', id, name, call_id, arguments: text, status, namespace, caller: toCaller(item.caller) }),
  };
}

export function toFunctionResult(item: FunctionCallResultItem): JsonRecord {
  const { id, callId: call_id, status } = item;
  return {
    ...extrasOf(item.providerData),
    ...defined({ type: 'function_call_output', id, call_id, output: toToolOutput(item.output), status, caller: toCaller(item.caller) }),
  };
}

/** What the provider ran itself goes back as it came; only what was lifted into the item is put back in its place. */
export function toHostedCall(item: HostedToolCallItem): JsonRecord {
  const { type, ...rest } = item.providerData ?? {};
  if (typeof type !== 'string') {
    throw new UserError(`Hosted tool call "${item.name}" does not say what it is: its providerData has no "type". Remove it from the input, or keep the providerData it came with.`);
  }
  const wireType = FULL_TYPE[type] ?? type;
  // A person's approval is written on this side: an id that we gave it means nothing to the provider.
  if (wireType === 'mcp_approval_response') return { ...rest, type: wireType };
  const call = { ...rest, ...defined({ type: wireType, id: rest.id ?? item.id }) };
  switch (wireType) {
    case 'mcp_list_tools':
    case 'mcp_approval_request':
      return call;
    case 'image_generation_call':
      return { ...call, ...defined({ status: item.status, result: item.output ?? rest.result ?? null }) };
    case 'mcp_call':
      return { ...call, ...defined({ status: item.status, output: item.output }) };
    default:
      return { ...call, ...defined({ status: item.status }) };
  }
}

export function toComputerCall(item: ComputerUseCallItem): JsonRecord {
  const { id, callId: call_id, status, action, actions } = item;
  const { pendingSafetyChecks, pending_safety_checks, ...extras } = extrasOf(item.providerData);
  const pending = nonEmpty(pendingSafetyChecks ?? pending_safety_checks);
  return {
    ...extras,
    ...defined({ type: 'computer_call', id, call_id, status, action: action ?? actions?.[0], actions, pending_safety_checks: pending }),
  };
}

export function toComputerResult(item: ComputerCallResultItem): JsonRecord {
  const { id, callId: call_id, output, providerData } = item;
  const acknowledged = nonEmpty(providerData?.acknowledgedSafetyChecks ?? providerData?.acknowledged_safety_checks);
  return defined({
    type: 'computer_call_output',
    id,
    call_id,
    output: { type: 'computer_screenshot', image_url: output.data },
    acknowledged_safety_checks: acknowledged,
  });
}

export function toShellCall(item: ShellCallItem): JsonRecord {
  const { id, callId: call_id, status = 'in_progress', action } = item;
  return defined({
    type: 'shell_call',
    id,
    call_id,
    status,
    action: { commands: action.commands, timeout_ms: action.timeoutMs ?? null, max_output_length: action.maxOutputLength ?? null },
    caller: toCaller(item.caller),
    environment: item.providerData?.environment,
  });
}

export function toShellResult(item: ShellCallResultItem): JsonRecord {
  const { id, callId: call_id, status, maxOutputLength: max_output_length } = item;
  const output = item.output.map(({ stdout, stderr, outcome }) => ({ stdout, stderr, outcome: toOutcome(outcome) }));
  return defined({ type: 'shell_call_output', id, call_id, status, output, max_output_length, caller: toCaller(item.caller) });
}

export function toApplyPatchCall(item: ApplyPatchCallItem): JsonRecord {
  const { id, callId: call_id, status } = item;
  return defined({ type: 'apply_patch_call', id, call_id, status, operation: toOperation(item.operation), caller: toCaller(item.caller) });
}

export function toApplyPatchResult(item: ApplyPatchCallResultItem): JsonRecord {
  const { id, callId: call_id, status, output } = item;
  return defined({ type: 'apply_patch_call_output', id, call_id, status, output, caller: toCaller(item.caller) });
}

function toOperation(operation: ApplyPatchOperation): JsonRecord {
  if (operation.type !== 'update_file') return { ...operation };
  const { moveTo, ...rest } = operation;
  return { ...rest, ...defined({ move_to: moveTo }) };
}

/** The API wants a number. A command that was killed has none, and it did not succeed. */
function toOutcome(outcome: ShellCallOutputContent['outcome']): JsonRecord {
  return outcome.type === 'timeout' ? { type: 'timeout' } : { type: 'exit', exit_code: outcome.exitCode ?? 1 };
}

function toCaller(caller: ToolCaller | undefined): JsonRecord | undefined {
  if (!caller) return undefined;
  return caller.type === 'direct' ? { type: 'direct' } : { type: 'program', caller_id: caller.callerId };
}

function nonEmpty(list: unknown): unknown[] | undefined {
  return Array.isArray(list) && list.length > 0 ? list : undefined;
}

/** Histories written elsewhere name the call after the tool. */
const FULL_TYPE: Record<string, string> = {
  web_search: 'web_search_call',
  file_search: 'file_search_call',
  code_interpreter: 'code_interpreter_call',
  image_generation: 'image_generation_call',
};
