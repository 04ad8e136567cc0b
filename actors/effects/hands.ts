/** Screen, shell and editor: calls that are carried out through the ports of the app (C10). */
import type { ApplyPatchCallItem, ApplyPatchOperation, ComputerAction, ComputerUseCallItem, ShellCallItem } from '../../machines/protocol/item.ts';
import { UserError } from '../errors.ts';
import type { EffectIo } from '../host.ts';
import type { ApplyPatchTool, ComputerSafetyCheck, ComputerTool, ShellTool } from '../localTools.ts';
import type { ApplyPatchResult, Computer, Editor } from '../ports.ts';
import type { RunContext } from '../runContext.ts';
import type { RunScope } from '../scope.ts';
import { messageOf } from '../errorRecord.ts';
import { isAbortEcho } from '../toolInvocation.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import { computerOf } from './request.ts';

/** The item that answers the call, or the reason why it was not carried out. */
type Answer = { item: AgentInputItem } | { note: string };

export async function operateComputer(scope: RunScope, tool: ComputerTool<any, any>, call: ComputerUseCallItem, io: EffectIo): Promise<Answer> {
  const acknowledged = await safetyChecks(scope, tool, call);
  if (acknowledged === 'refused') return { note: 'The pending safety checks were not acknowledged.' };
  const computer = await computerOf(scope, tool);
  try {
    let screen: string | undefined;
    for (const action of call.actions ?? (call.action ? [call.action] : [])) {
      io.signal.throwIfAborted(); // nothing starts after an interrupt (J4)
      screen = await act(computer, action, scope.runContext);
    }
    const shot = screen ?? (await computer.screenshot(scope.runContext));
    const data = shot.startsWith('data:') ? shot : `data:image/png;base64,${shot}`;
    const item: AgentInputItem = { type: 'computer_call_result', callId: call.callId, output: { type: 'computer_screenshot', data } };
    if (acknowledged) item.providerData = { acknowledgedSafetyChecks: acknowledged };
    return { item };
  } catch (error) {
    if (isAbortEcho(error, io.signal)) throw error;
    return { note: `The computer failed: ${messageOf(error)}` };
  }
}

async function safetyChecks(scope: RunScope, tool: ComputerTool<any, any>, toolCall: ComputerUseCallItem): Promise<ComputerSafetyCheck[] | 'refused' | undefined> {
  const pending: unknown = toolCall.providerData?.['pending_safety_checks'] ?? toolCall.providerData?.['pendingSafetyChecks'];
  if (!Array.isArray(pending) || pending.length === 0 || !tool.onSafetyCheck) return undefined;
  const pendingSafetyChecks = pending as ComputerSafetyCheck[]; // the provider's own form, passed through
  const answer = await tool.onSafetyCheck({ runContext: scope.runContext, pendingSafetyChecks, toolCall });
  if (answer === false) return 'refused';
  if (answer === true) return pendingSafetyChecks;
  if (!answer) return undefined;
  return 'acknowledgedSafetyChecks' in answer ? answer.acknowledgedSafetyChecks : answer.acknowledged_safety_checks;
}

/** Carries out one action; only a screenshot brings a picture. */
async function act(computer: Computer, action: ComputerAction, context: RunContext<any>): Promise<string | undefined> {
  switch (action.type) {
    case 'screenshot':
      return computer.screenshot(context);
    case 'click':
      return void (await computer.click(action.x, action.y, action.button, context));
    case 'double_click':
      return void (await computer.doubleClick(action.x, action.y, context));
    case 'scroll':
      return void (await computer.scroll(action.x, action.y, action.scroll_x, action.scroll_y, context));
    case 'type':
      return void (await computer.type(action.text, context));
    case 'wait':
      return void (await computer.wait(context));
    case 'move':
      return void (await computer.move(action.x, action.y, context));
    case 'keypress':
      return void (await computer.keypress(action.keys, context));
    case 'drag':
      return void (await computer.drag(action.path.map(({ x, y }) => [x, y] as [number, number]), context));
  }
}

/** A computer that cannot be put away is no reason to lose a run (C10). */
export async function disposeComputers(scope: RunScope): Promise<void> {
  for (const { dispose } of scope.computers.values()) {
    try {
      await dispose();
    } catch (error) {
      console.warn('A computer could not be disposed:', error);
    }
  }
  scope.computers.clear();
}

export async function runShell(tool: ShellTool, call: ShellCallItem, _io: EffectIo): Promise<Answer> {
  if (!tool.shell) throw new UserError(`The shell tool "${tool.name}" runs in a container of the provider, but a local call came in.`);
  try {
    const { output, maxOutputLength, providerData } = await tool.shell.run(call.action);
    const item: AgentInputItem = { type: 'shell_call_output', callId: call.callId, output };
    const length = maxOutputLength ?? call.action.maxOutputLength;
    if (length !== undefined) item.maxOutputLength = length;
    if (providerData) item.providerData = { ...providerData };
    return { item };
  } catch (error) {
    return { note: messageOf(error) };
  }
}

export async function applyPatch(scope: RunScope, tool: ApplyPatchTool, call: ApplyPatchCallItem): Promise<Answer> {
  try {
    const result = await edit(tool.editor, call.operation, scope.runContext);
    const item: AgentInputItem = { type: 'apply_patch_call_output', callId: call.callId, status: result?.status ?? 'completed' };
    if (result?.output !== undefined) item.output = result.output;
    return { item };
  } catch (error) {
    return { note: messageOf(error) };
  }
}

function edit(editor: Editor, operation: ApplyPatchOperation, runContext: RunContext<any>): Promise<ApplyPatchResult | void> {
  switch (operation.type) {
    case 'create_file':
      return editor.createFile(operation, { runContext });
    case 'update_file':
      return editor.updateFile(operation, { runContext });
    case 'delete_file':
      return editor.deleteFile(operation, { runContext });
  }
}
