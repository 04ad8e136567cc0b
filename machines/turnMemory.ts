/** What a turn remembers, and how responses, calls and interrupts change it. Pure functions; the chart decides when. */
import { type TurnDecision, decideNext, skipAfterTerminal } from './decide.ts';
import { abortedText, recordsOfTurn, resultWithout } from './history.ts';
import type { Log } from './log.ts';
import type { Call, CallResult, Response } from './protocol/call.ts';
import type { EffectOutcome, Failure } from './protocol/failure.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { CarriedTurn, RunOutcome, ServerState, TurnOutcome, UncertainCall } from './protocol/outcome.ts';
import { wayOf } from './steerPath.ts';
import type { ToolCallInput, ToolCallOutcome } from './toolCallMemory.ts';
import type { ReadyCall } from './turnStream.ts';

export interface TurnInput {
  path: string;
  agent: string;
  /** Counts the turns of the run, from 1. */
  turn: number;
  /** The first turn of this activation: the hooks that open it run here. */
  first: boolean;
  /** What the model reads. */
  history: Log<AgentInputItem>;
  server?: ServerState;
  /** How many of the newest items the session does not hold yet. */
  unsaved: number;
  /** False while input guardrails still look at the input. */
  gateOpen: boolean;
  /** This agent has used a tool before: `toolChoice` goes back to auto (A7). */
  usedTools: boolean;
  carried?: CarriedTurn;
  /** No tools are offered: all other turns are used up (B1). */
  isFinal?: true;
  /** The history holds a compaction item of ours, which has to be made readable. */
  isShort?: boolean;
  /** The turn is tried again: with this attempt, default 1. */
  attempt?: number;
}
export interface TurnContext {
  /** What the turn is told and never changes. */
  facts: TurnInput;
  gateOpen: boolean;
  attempt: number;
  response: Response | null;
  respondedAt: number;
  results: Record<string, CallResult>;
  unsettled: number;
  waiting: number;
  /** Calls that ended without a result. */
  broken: number[];
  /** How far the nested runs of suspended calls had come, by the index of their call. */
  nested: Record<string, RunOutcome>;
  /** Suspended calls that may have had their effect, by index. */
  uncertain: Record<string, UncertainCall>;
  /** What a `toolUseBehavior` function chose. */
  chosen: { finalOutput: unknown } | null;
  failure: Failure | null;
  retryInMs: number;
  /** What of the answer is complete, as far as that is told before all of it is. */
  kept: AgentInputItem[];
  /** Calls among it that begin before the answer is complete (C4), by index. */
  ready: Record<string, ReadyCall>;
  softStop: boolean;
  decision: TurnDecision | null;
}

export interface ModelInput {
  effectId: string;
  agent: string;
  turn: number;
  first: boolean;
  attempt: number;
  history: Log<AgentInputItem>;
  unsaved: number;
  server?: ServerState;
  usedTools: boolean;
  carried?: Response;
  /** Items of this answer that earlier attempts have brought already. */
  kept?: AgentInputItem[];
  /** Nothing is offered but to answer (B1). */
  isFinal?: true;
  /** Those of its calls that may have begun. */
  ready?: Call[];
  /** As in {@link TurnInput}. */
  isShort?: boolean;
}
export type ModelOutcome = EffectOutcome<Response>;

export function responded(outcome: ModelOutcome): Pick<TurnContext, 'response' | 'respondedAt'> {
  if (outcome.status !== 'ok') throw new Error('A model that failed has no response.');
  const { value } = outcome;
  return { response: value.calls.length > 1 ? { ...value, calls: skipAfterTerminal(value.calls) } : value, respondedAt: outcome.at };
}

export type Spawn = (src: 'toolCall', options: { id: string; input: ToolCallInput }) => unknown;

/** @returns the number of calls that have begun. Those with a result, in a carried turn, have not to begin again; nor those that had begun early. */
export function spawnCalls(context: TurnContext, spawn: Spawn): number {
  const { results, respondedAt, ready, unsettled } = context;
  const calls = context.response!.calls.filter(({ index }) => !results[index] && !ready[index]?.begun);
  for (const call of calls) spawnCall(context, spawn, call, respondedAt);
  return unsettled + calls.length;
}

export function spawnCall(context: TurnContext, spawn: Spawn, call: Call, askedAt: number): void {
  const { path, agent, carried } = context.facts;
  const id = callActorId(context, call.index);
  spawn('toolCall', { id, input: { path: `${path}/${id}`, agent, call, askedAt, resumed: carried?.nested?.[call.index], uncertain: carried?.uncertain?.[call.index] } });
}

export function collected(context: TurnContext, call: ToolCallOutcome): Partial<TurnContext> {
  const { unsettled, results, broken, failure, nested, uncertain } = context;
  if (call.result) return { unsettled: unsettled - 1, results: { ...results, [call.index]: call.result }, failure: failure ?? call.failure };
  const ended = { unsettled: unsettled - 1, broken: [...broken, call.index], failure: failure ?? call.failure };
  if (call.uncertain) return { ...ended, uncertain: { ...uncertain, [call.index]: call.uncertain } };
  return call.nested ? { ...ended, nested: { ...nested, [call.index]: call.nested } } : ended;
}

export const openCalls = (response: Response, results: Record<string, CallResult>) =>
  response.calls.length === 0 ? 0 : response.calls.filter((call) => !results[call.index]).length;

/** The call at work that a steer is for, or something in it (L7). */
export function callOnWay(context: TurnContext, path: string | undefined): string | undefined {
  return context.unsettled === 0 ? undefined : liveCalls(context).find((id) => wayOf(path, '', `${context.facts.path}/${id}`) === 'below');
}

export const callActorId = ({ attempt, ready }: TurnContext, index: number) => `toolCall.${ready[index]?.attempt ?? attempt}.${index}`;

export const liveCalls = (context: TurnContext) => {
  const calls = context.response?.calls ?? Object.values(context.ready).flatMap(({ call, begun }) => (begun ? [call] : []));
  return calls.filter(({ index }) => !context.results[index] && !context.broken.includes(index)).map((call) => callActorId(context, call.index));
};

export const failureOf = (outcome: EffectOutcome<unknown>) => (outcome.status === 'error' ? outcome.failure : null);

export function retryOf(outcome: ModelOutcome): { delayMs: number; failure: Failure; kept?: AgentInputItem[] } {
  if (outcome.status !== 'error') throw new Error('A turn that succeeded is not retried.');
  const retry = { delayMs: outcome.retryInMs ?? 0, failure: outcome.failure };
  return outcome.kept ? { ...retry, kept: outcome.kept } : retry;
}

export function modelInput(context: TurnContext): ModelInput {
  const { agent, turn, first, history, unsaved, server, usedTools, carried, isFinal, isShort } = context.facts;
  const input: ModelInput = { effectId: modelEffectId(context), agent, turn, first, attempt: context.attempt, history, unsaved, server, usedTools, isShort, carried: carried?.response };
  if (context.kept.length > 0) input.kept = context.kept;
  const ready = Object.values(context.ready);
  if (ready.length > 0) input.ready = ready.map(({ call }) => call);
  if (isFinal) input.isFinal = true;
  return input;
}

export const modelEffectId = ({ facts, attempt }: TurnContext) => `${facts.path}/model#${attempt}`;

/** Every call of an interrupted turn has a result, also one whose failure would have ended the run (G3). */
export function abortedResults(context: TurnContext, text: string): Record<string, CallResult> {
  const results = { ...context.results };
  for (const call of context.response?.calls ?? []) results[call.index] ??= resultWithout(call, 'aborted', text);
  return results;
}

/** A carried turn that is cut before it goes on has begun nothing: there is no time to tell. */
export const heldText = ({ respondedAt }: TurnContext, at: number) => (respondedAt === 0 ? 'aborted by user' : abortedText(respondedAt, at));

export function decisionOf(context: TurnContext): TurnDecision {
  if (context.failure) return { next: 'failed', guard: isBudget(context.failure) ? 'budgetSpent' : 'hasFailed' };
  return decideNext(context.response!, context.results, context.chosen ?? undefined);
}

export const isBudget = ({ code }: Failure) => code === 'budget.tokens' || code === 'budget.cost' || code === 'budget.time';

export const nextOf = ({ decision }: TurnContext) => decision?.next ?? 'failed';

export function outcomeOf(context: TurnContext): TurnOutcome {
  const { response, results, decision, failure, facts, nested, uncertain } = context;
  const outcome: TurnOutcome = { next: nextOf(context), response, results, records: recordsOfTurn(facts.agent, response, results) };
  if (facts.carried) outcome.carried = facts.carried;
  if (Object.keys(nested).length > 0) outcome.nested = nested;
  if (Object.keys(uncertain).length > 0) outcome.uncertain = uncertain;
  if (decision?.finalOutput !== undefined) outcome.finalOutput = decision.finalOutput;
  if (decision?.finalFromTool) outcome.finalFromTool = true;
  if (failure) outcome.failure = failure;
  return outcome;
}
