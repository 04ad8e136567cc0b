/** Whether a call may run: what was decided for always, what the tool's own policy says, and who answers in a person's place. */
import type { Call } from '../../machines/protocol/call.ts';
import type { Decision } from '../../machines/protocol/command.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import { isHostedMcpTool } from '../hostedTools.ts';
import { UserError } from '../errors.ts';
import type { EffectIo, OpenDecision } from '../host.ts';
import type { RunToolApprovalItem } from '../items.ts';
import type { RunContext } from '../runContext.ts';
import { approvalItemOf } from '../runItems.ts';
import { type AnyAgent, type RunScope, ok } from '../scope.ts';
import { TOOL_NOT_APPROVED_TEXT } from '../toolInvocation.ts';
import type { Tool } from '../toolTypes.ts';
import { verdictAtDepth } from '../approvalRules.ts';
import { answeredResult } from './questions.ts';
import { argumentsText, parsedArguments } from './readResponse.ts';
import { offerFor } from './request.ts';
import { suppliedResult } from './reconcile.ts';
import { type CallInput, toolOf } from './toolCalls.ts';

type OnApproval = (runContext: RunContext<any>, item: RunToolApprovalItem) => Promise<{ approve: boolean; reason?: string }>;

export async function approvalPolicy(scope: RunScope, { agent: key, call, effectId }: CallInput, io: EffectIo): Promise<RecordedOutcome> {
  const agent = scope.agent(key);
  try {
    const verdict = verdictAtDepth(scope.rules, { agent: agent.name, call });
    if (verdict?.decision === 'deny') return ok({ approval: 'rejected', message: await rejectionText(scope, call, verdict.reason), rule: verdict.rule });
    const decided = always(scope, agent, call);
    if (decided === true) return ok({ approval: 'granted' });
    if (decided === false) return ok({ approval: 'rejected', message: await rejectionText(scope, call, stickyMessage(scope, agent, call)) });
    const rule = verdict && { rule: verdict.rule };
    if (verdict?.decision === 'allow' || call.questions) return ok({ approval: 'granted', ...rule }); // who is asked a question can decline
    const { needed, onApproval } = await ask(scope, agent, call, verdict?.decision === 'ask');
    if (!needed) return ok({ approval: 'granted' });
    if (!onApproval) return ok({ approval: 'needed', ...rule });
    io.signal.throwIfAborted();
    const path = effectId.slice(0, effectId.lastIndexOf('/'));
    const answer = await onApproval(scope.runContext, approvalItemOf(scope, { id: `${path}/approval#1`, path, agent: key, call }));
    return ok(answer.approve ? { approval: 'granted' } : { approval: 'rejected', message: await rejectionText(scope, call, answer.reason) });
  } catch (error) {
    return scope.failure('user', error, io.effectId);
  }
}

/** A decision as it is recorded: with the words the model will read, and with edited arguments checked (D2). */
export async function completeDecision(scope: RunScope, open: OpenDecision, decision: Decision): Promise<Decision> {
  const { item } = open.call;
  if (open.uncertain) return resolution(scope, open, decision);
  if (decision.decision === 'reject') return { ...decision, message: await rejectionText(scope, open.call, decision.message) };
  if (decision.decision === 'answer') return { ...decision, result: await answeredResult(scope, scope.agent(open.agent), open.call, decision.answers) };
  if (decision.decision === 'useResult') throw new UserError(`The call of ${open.call.name} has not run: approve or reject it. A result is given for a call that may have had its effect.`);
  if (decision.arguments === undefined || item.type !== 'function_call') return decision;
  const tool = await toolOf(scope, scope.agent(open.agent), open.call);
  if (tool.type !== 'function') return decision;
  const edited = { ...item, arguments: decision.arguments };
  const parsed = tool.parseInput(edited.arguments);
  if (!parsed.ok) return { ...decision, invalid: await argumentsText(scope.runContext, tool, edited, parsed) };
  const verdict = verdictAtDepth(scope.rules, { agent: scope.agent(open.agent).name, call: { ...open.call, edited: edited.arguments } });
  return verdict?.decision === 'deny' ? { ...decision, invalid: await rejectionText(scope, open.call, verdict.reason) } : decision;
}

/** What is said of a call that may have had its effect holds for this call alone, never for always (O3). */
async function resolution(scope: RunScope, { agent, call }: OpenDecision, decision: Decision): Promise<Decision> {
  if (decision.decision === 'approve') return { decision: 'approve' };
  if (decision.decision !== 'useResult') return decision.decision === 'reject' && decision.message ? { decision: 'reject', message: decision.message } : { decision: 'reject' };
  return { ...decision, result: await suppliedResult(scope, scope.agent(agent), call, decision.output) };
}

/** What the model reads of a rejected call: the person's words, the app's, or the general text. */
export async function rejectionText(scope: RunScope, call: Call, message: string | undefined): Promise<string> {
  if (message !== undefined && message !== '') return message;
  const defaultMessage = TOOL_NOT_APPROVED_TEXT;
  const format = scope.option('toolErrorFormatter');
  const toolType = TOOL_TYPE[call.item.type];
  return (await format?.({ kind: 'approval_rejected', toolType, toolName: call.name, callId: call.callId, defaultMessage, runContext: scope.runContext })) ?? defaultMessage;
}

/** What was decided outside of the state: for always, on the context itself, or by a rule that came later. */
export function standingDecision(scope: RunScope, { agent: key, call, uncertain, reason }: OpenDecision): Decision | undefined {
  if (uncertain || reason !== undefined) return undefined; // that it may run does not say that it may run twice, nor what its body found out
  const agent = scope.agent(key);
  const asked = { ...query(agent, call), callId: call.callId };
  const verdict = verdictAtDepth(scope.rules, { agent: agent.name, call });
  if (verdict?.decision === 'deny' && !isDecidedItself(scope, asked)) return { decision: 'reject', message: verdict.reason };
  const approved = scope.runContext.isToolApproved(asked) ?? (verdict?.decision === 'allow' || undefined);
  if (approved === undefined || (approved && call.questions)) return undefined; // only an answer answers
  if (approved) return { decision: 'approve' };
  return { decision: 'reject', message: scope.runContext.getRejectionMessage(call.name, call.callId, asked) };
}

/** A person spoke of this very call. */
const isDecidedItself = ({ runContext }: RunScope, { agentName, toolName, callId }: { agentName: string; toolName: string; callId: string }) =>
  runContext.decisions.some((decision) => decision.callId === callId && decision.toolName === toolName && decision.agentName === agentName);

const TOOL_TYPE = { function_call: 'function', hosted_tool_call: 'function', computer_call: 'computer', shell_call: 'shell', apply_patch_call: 'apply_patch' } as const;

const query = (agent: AnyAgent, call: Call) => ({ toolName: call.name, callId: '', agentName: agent.name, serverLabel: serverOf(call) });
const always = (scope: RunScope, agent: AnyAgent, call: Call) => scope.runContext.isToolApproved(query(agent, call));
const stickyMessage = (scope: RunScope, agent: AnyAgent, call: Call) => scope.runContext.getRejectionMessage(call.name, '', query(agent, call));

function serverOf({ item }: Call): string | undefined {
  const label: unknown = item.providerData?.['server_label'];
  return item.type === 'hosted_tool_call' && typeof label === 'string' ? label : undefined;
}

/** @param isRuled a rule says that a person has to be asked. */
async function ask(scope: RunScope, agent: AnyAgent, call: Call, isRuled: boolean): Promise<{ needed: boolean; onApproval?: OnApproval }> {
  if (call.item.type === 'hosted_tool_call') return { needed: true, onApproval: await hostedApproval(scope, agent, call) };
  const tool = await toolOf(scope, agent, call);
  const { item } = call;
  if (isRuled) return { needed: true, onApproval: 'onApproval' in tool ? tool.onApproval : undefined };
  if (tool.type === 'function' && item.type === 'function_call') {
    const parsed = parsedArguments.has(item) ? parsedArguments.get(item) : parse(tool, item.arguments);
    return { needed: await tool.needsApproval(scope.runContext, parsed as never, item.callId) }; // the arguments as the tool's own schema made them
  }
  if (tool.type === 'computer' && item.type === 'computer_call') {
    const actions = item.actions ?? (item.action ? [item.action] : []);
    const answers = await Promise.all(actions.map((action) => tool.needsApproval(scope.runContext, action, item.callId)));
    return { needed: answers.some(Boolean) };
  }
  if (tool.type === 'shell' && item.type === 'shell_call') return { needed: await tool.needsApproval(scope.runContext, item.action, item.callId), onApproval: tool.onApproval };
  if (tool.type === 'apply_patch' && item.type === 'apply_patch_call') {
    return { needed: await tool.needsApproval(scope.runContext, item.operation, item.callId), onApproval: tool.onApproval };
  }
  return { needed: true };
}

function parse(tool: Extract<Tool<any>, { type: 'function' }>, input: string): unknown {
  const parsed = tool.parseInput(input);
  if (!parsed.ok) throw new Error(`The recorded arguments of ${tool.name} no longer fit its schema: ${parsed.message}`);
  return parsed.value;
}

async function hostedApproval(scope: RunScope, agent: AnyAgent, call: Call): Promise<OnApproval | undefined> {
  const { tools } = await offerFor(scope, agent);
  const label = serverOf(call);
  const server = tools.filter(isHostedMcpTool).find((tool) => tool.providerData.server_label === label);
  return server?.providerData.on_approval as OnApproval | undefined; // declared for the context of the tool, called with that of the run
}
