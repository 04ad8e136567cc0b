/** What a call remembers, and what becomes of it. Pure functions; the chart decides when. */
import { MAY_HAVE_COMPLETED, abortedText, resultWithout } from './history.ts';
import type { Call, CallResult } from './protocol/call.ts';
import type { Decision } from './protocol/command.ts';
import type { Asks, EffectOutcome, Failure, Lost } from './protocol/failure.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { RunInput, RunOutcome, UncertainCall } from './protocol/outcome.ts';

export interface ToolCallInput {
  path: string;
  agent: string;
  call: Call;
  /** When the response came in that asked for the call, in ms since the epoch. */
  askedAt: number;
  /** How far its nested run had come when an earlier run was stopped. */
  resumed?: RunOutcome;
  /** Its body may have had its effect in an earlier run (O3). */
  uncertain?: UncertainCall;
}
export interface ToolCallContext extends ToolCallInput {
  result: CallResult | null;
  failure: Failure | null;
  /** What the nested run brought, for a call of an agent. */
  nested: RunOutcome | null;
  nestedAlive: boolean;
  /** How often its body was meant to run, this time included (P3). */
  bodies: number;
  /** What its body asked for itself, and, once a person said yes, what the person said (D9). */
  approval?: BodyApproval;
  /** How often its body has asked (D9). */
  asks?: number;
  /** It ended while nobody knew whether its body had its effect, or what that brought was lost with the run: who goes on is asked. */
  suspended: boolean;
}
export interface ToolCallOutcome {
  index: number;
  result: CallResult | null;
  failure: Failure | null;
  /** The call was suspended, and this is how far its nested run had come. */
  nested?: RunOutcome;
  /** The call has no result, and its body may have had its effect. */
  uncertain?: UncertainCall;
}

export interface CallEffect { effectId: string; agent: string; call: Call }
/** With what a body runs again that had asked for approval itself (D9). */
export interface BodyApproval {
  /** Why it had asked. */
  reason: string;
  /** Arguments as the person changed them, as JSON text. */
  approvedArguments?: string;
  /** What the person said about it. */
  comment?: string;
}
/** The key is the same for every run of the body: the world can tell by it whether the effect is there. */
export type BodyEffect = CallEffect & { key: string; approval?: BodyApproval };
export type ResultOutcome = EffectOutcome<CallResult> | Lost | Asks;
/** What a tool found out about an earlier run of its body. */
export type Finding = { happened: true; result: CallResult } | { happened: false } | { happened: 'unknown' };
export type FindingOutcome = EffectOutcome<Finding>;
/** `rule` names the rule of the approval policy that decided (M8). */
type Permission = ({ approval: 'granted' } | { approval: 'needed' } | { approval: 'rejected'; message: string }) & { rule?: string };
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

/** What a call waits for, by the name of the leaf that waits. */
export type Wait = 'person' | 'question' | 'uncertain';

/** The effect in which a person is asked. */
export function askedId(context: ToolCallContext, wait: Wait): string {
  const { path, bodies } = context;
  if (wait === 'question') return `${path}/question#1`;
  return wait === 'uncertain' ? `${path}/uncertain#${bodies}` : `${path}/approval#${timesAsked(context)}`;
}

/** Whether it may run was asked first; each time that its body asks is another. */
const timesAsked = ({ asks = 0 }: ToolCallContext) => asks + 1;

/** What is asked, besides the call itself. */
export function askedOf({ call, approval }: ToolCallContext, wait: Wait): { uncertain?: true; questions?: Call['questions']; reason?: string } {
  if (wait === 'uncertain') return { uncertain: true };
  if (wait === 'question') return { questions: call.questions! }; // a call without any does not wait so
  return approval ? { reason: approval.reason } : {};
}

export const requestOf = (context: ToolCallContext, wait: Wait): LoopEvent => ({ type: 'approval.requested', ...whereabouts(context), id: askedId(context, wait), ...askedOf(context, wait) });

/** Without an outcome it was taken back. */
export function resolutionOf(context: ToolCallContext, wait: Wait, outcome?: DecisionOutcome): LoopEvent {
  return { type: 'approval.resolved', ...whereabouts(context), id: askedId(context, wait), decision: outcome?.status === 'ok' ? wordOf(outcome.value) : 'withdrawn' };
}

const wordOf = (decision: Decision) => (decision.decision === 'reject' && decision.expired ? 'expired' : decision.decision);

/** The body has done nothing: when it runs next, it is another time (P3). */
export function asked(context: ToolCallContext, outcome: ResultOutcome): Partial<ToolCallContext> {
  if (outcome.status !== 'asks') throw new Error('Only a body that asks is waited for.');
  return { bodies: context.bodies + 1, asks: timesAsked(context), approval: { reason: outcome.reason } };
}

/** The arguments of a person take the place of the model's; a body that had asked itself is told what was said. */
export function approved({ call, approval }: ToolCallContext, outcome: DecisionOutcome): Partial<ToolCallContext> {
  const { arguments: edited, reason } = approvalOf(outcome) ?? {};
  if (!approval) return { call: withEdit(call, edited) };
  const told = { ...approval, ...(edited !== undefined && { approvedArguments: edited }), ...(reason !== undefined && { comment: reason }) };
  return { call: withEdit(call, edited), approval: told };
}

/** The item keeps what the model wrote; only what is carried out changes (D2). */
export function withEdit(call: Call, edited: string | undefined): Call {
  return edited === undefined ? call : { ...call, edited };
}

export function invalidResult(call: Call): CallResult {
  const { reason, text, error } = call.invalid!;
  const result = resultWithout(call, reason === 'notRun' || reason === 'budget' ? 'skipped' : 'failed', text);
  return error ? { ...result, error } : result;
}

/** Its body must not run twice by mistake (O3). */
export const isHarmful = ({ tool }: Call) => tool.effect === 'irreversible' || tool.effect === 'reconcilable';

/** The failure ends the run, and with it what a harmful body has brought or may yet bring: to go on must not mean to run it again (O3). */
export const isInDoubt = ({ call, result }: ToolCallContext, { detail }: Failure) =>
  isHarmful(call) && (result?.status === 'completed' || result?.mayHaveCompleted === true || detail?.['mayHaveCompleted'] === true);

/** What takes the place of a result when the body was told to stop. One that is harmful to repeat is not known to have stopped (C8). */
export function abandoned({ call, askedAt }: ToolCallContext, at: number): CallResult {
  const text = abortedText(askedAt, at);
  return isHarmful(call) ? { ...resultWithout(call, 'aborted', `${text}. ${MAY_HAVE_COMPLETED}`), mayHaveCompleted: true } : resultWithout(call, 'aborted', text);
}

/** A person said that the call is not to be run again, nor what it brought. */
export function unresolved(call: Call, decision: DecisionOutcome): CallResult {
  const said = decision.status === 'ok' && decision.value.decision === 'reject' ? decision.value.message : undefined;
  return { ...resultWithout(call, 'failed', said || `The process ended while the tool was at work. ${MAY_HAVE_COMPLETED}`), mayHaveCompleted: true };
}

/** A guardrail that words a result anew does not know more of the body than that result said. */
export function guarded(result: CallResult | null, verdict: CallResult | null): CallResult | null {
  return verdict && result?.mayHaveCompleted ? { ...verdict, mayHaveCompleted: true } : (verdict ?? result);
}

/** What a person says that the call brought, or answers. */
export function supplied(call: Call, decision: DecisionOutcome): CallResult {
  if (!suppliesResult(decision)) throw new Error('Only a person who says what the call brought supplies its result.');
  const { result } = decision.value;
  const output = decision.value.decision === 'answer' ? decision.value.answers : decision.value.output;
  return result ?? resultWithout(call, 'completed', typeof output === 'string' ? output : JSON.stringify(output ?? null));
}

type Supplied = Extract<DecisionOutcome, { status: 'ok' }> & { value: Extract<Decision, { decision: 'useResult' | 'answer' }> };

/** A person answers the questions of the call, or knows what its body brought. */
export const suppliesResult = (outcome: DecisionOutcome): outcome is Supplied =>
  outcome.status === 'ok' && (outcome.value.decision === 'useResult' || outcome.value.decision === 'answer');

export const finding = (outcome: FindingOutcome) => (outcome.status === 'ok' ? outcome.value : { happened: 'unknown' as const });

export const whereabouts = ({ path, agent, call }: ToolCallContext) => ({ path, agent, call });

export function effectOf(context: ToolCallContext, name: string): CallEffect {
  return { effectId: `${context.path}/${name}#1`, agent: context.agent, call: context.call };
}

/** Effects that come once for each run of the body. */
export function bodyEffect(context: ToolCallContext, name: string): BodyEffect {
  const effect = { effectId: `${context.path}/${name}#${context.bodies}`, agent: context.agent, call: context.call, key: keyOf(context) };
  return context.approval ? { ...effect, approval: context.approval } : effect;
}

/** Input guardrails look again before a body that a person approved when it asked. */
export const guardEffect = (context: ToolCallContext): CallEffect => ({ ...effectOf(context, 'inputGuardrail'), effectId: `${context.path}/inputGuardrail#${timesAsked(context)}` });

/** A person is asked. */
export const personEffect = (context: ToolCallContext, wait: Wait) => ({ effectId: askedId(context, wait), agent: context.agent, call: context.call, path: context.path, ...askedOf(context, wait) });

const keyOf = ({ path, uncertain }: ToolCallContext) => uncertain?.key ?? `${path}/execute`;

export function outcomeOf(context: ToolCallContext): ToolCallOutcome {
  const { call, result, failure, nested } = context;
  const outcome = { index: call.index, result, failure };
  if (context.suspended) return { ...outcome, uncertain: call.edited === undefined ? { key: keyOf(context) } : { key: keyOf(context), edited: call.edited } };
  return nested?.status === 'stopped' ? { ...outcome, nested } : outcome;
}

export const contextOf = (input: ToolCallInput): ToolCallContext => ({
  ...input,
  call: withEdit(input.call, input.uncertain?.edited),
  result: null,
  failure: null,
  nested: null,
  nestedAlive: false,
  bodies: 1,
  suspended: false,
});

export function nestedInput(context: ToolCallContext): RunInput {
  return { path: `${context.path}/run`, agent: context.agent, delegatedBy: context.call, resumed: context.resumed };
}
