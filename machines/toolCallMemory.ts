/** What a call remembers, and what becomes of it. Pure functions; the chart decides when. */
import { resultWithout } from './history.ts';
import type { Call, CallResult } from './protocol/call.ts';
import type { Decision } from './protocol/command.ts';
import type { EffectOutcome, Failure } from './protocol/failure.ts';
import type { RunInput, RunOutcome } from './protocol/outcome.ts';

export interface ToolCallInput {
  path: string;
  agent: string;
  call: Call;
  /** When the response came in that asked for the call, in ms since the epoch. */
  askedAt: number;
  /** How far its nested run had come when an earlier run was stopped. */
  resumed?: RunOutcome;
}
export interface ToolCallContext extends ToolCallInput {
  result: CallResult | null;
  failure: Failure | null;
  /** What the nested run brought, for a call of an agent. */
  nested: RunOutcome | null;
  nestedAlive: boolean;
}
export interface ToolCallOutcome {
  index: number;
  result: CallResult | null;
  failure: Failure | null;
  /** The call was suspended, and this is how far its nested run had come. */
  nested?: RunOutcome;
}

export interface CallEffect { effectId: string; agent: string; call: Call }
type Permission = { approval: 'granted' } | { approval: 'needed' } | { approval: 'rejected'; message: string };
export type PermissionOutcome = EffectOutcome<Permission>;
export type DecisionOutcome = EffectOutcome<Decision>;

const NOT_APPROVED = 'Tool execution was not approved.';

export const asksPerson = (permission: PermissionOutcome) => permission.status === 'ok' && permission.value.approval === 'needed';

export const approvalOf = (outcome: DecisionOutcome) =>
  outcome.status === 'ok' && outcome.value.decision === 'approve' ? outcome.value : undefined;

export const policyText = (outcome: PermissionOutcome) =>
  outcome.status === 'ok' && outcome.value.approval === 'rejected' ? outcome.value.message : NOT_APPROVED;

export const rejectionText = (outcome: DecisionOutcome) =>
  (outcome.status === 'ok' && outcome.value.decision === 'reject' && outcome.value.message) || NOT_APPROVED;

/** The item keeps what the model wrote; only what is carried out changes (D2). */
export function withEdit(call: Call, edited: string | undefined): Call {
  return edited === undefined ? call : { ...call, edited };
}

export function invalidResult(call: Call): CallResult {
  const { reason, text, error } = call.invalid!;
  const result = resultWithout(call, reason === 'notRun' ? 'skipped' : 'failed', text);
  return error ? { ...result, error } : result;
}

export const personIdOf = (context: ToolCallContext) => `${context.path}/approval#1`;
export const whereabouts = ({ path, agent, call }: ToolCallContext) => ({ path, agent, call });

export function effectOf(context: ToolCallContext, name: string): CallEffect {
  return { effectId: `${context.path}/${name}#1`, agent: context.agent, call: context.call };
}

export function outcomeOf({ call, result, failure, nested }: ToolCallContext): ToolCallOutcome {
  const outcome = { index: call.index, result, failure };
  return nested?.status === 'stopped' ? { ...outcome, nested } : outcome;
}

export function nestedInput(context: ToolCallContext): RunInput {
  return { path: `${context.path}/run`, agent: context.agent, delegatedBy: context.call, resumed: context.resumed };
}
