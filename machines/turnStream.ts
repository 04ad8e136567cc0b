/** An answer that is not complete: what of it is, calls that begin before the rest is there, and what is left when it is cut. Pure functions; the chart decides when. */
import { skipAfterTerminal } from './decide.ts';
import { asksForWork, isSameCall, partialMessage, withoutLooseReasoning } from './history.ts';
import { type Call, type Response, NO_USAGE } from './protocol/call.ts';
import type { Cut, Interrupt, ItemReady } from './protocol/command.ts';
import type { AgentInputItem } from './protocol/item.ts';
import { type Spawn, type TurnContext, callActorId, failureOf, modelEffectId, responded, spawnCall } from './turnMemory.ts';
import type { ModelOutcome } from './turnMemory.ts';

/** A call whose item is complete, though its answer is not (C4). */
export interface ReadyCall {
  call: Call;
  /** Of the model: its actor is known by it. */
  attempt: number;
  /** In ms since the epoch. */
  readyAt: number;
  begun: boolean;
}

export const hasReadyCalls = ({ ready }: TurnContext) => Object.keys(ready).length > 0;
const readyCalls = ({ ready }: TurnContext) => Object.values(ready).map(({ call }) => call);

/** A call that comes after one which ends the run is marked before it can begin (C11). */
export function keepItem(context: TurnContext, { item, call, at }: ItemReady): Partial<TurnContext> {
  const kept = [...context.kept, item];
  if (!call) return { kept };
  const marked = skipAfterTerminal([...readyCalls(context), call]).at(-1)!;
  return { kept, ready: { ...context.ready, [call.index]: { call: marked, attempt: context.attempt, readyAt: at, begun: false } } };
}

/** Begins the calls that are ready and have not begun. */
export function beginReady(context: TurnContext, spawn: Spawn): Partial<TurnContext> {
  const ready = { ...context.ready };
  let { unsettled } = context;
  for (const [index, known] of Object.entries(ready)) {
    if (known.begun) continue;
    spawnCall(context, spawn, known.call, known.readyAt);
    ready[index] = { ...known, begun: true };
    unsettled += 1;
  }
  return { ready, unsettled };
}

export function readyEvent(context: TurnContext, call: Call) {
  const { path, agent } = context.facts;
  return { type: 'call.ready' as const, path, agent, id: `${path}/${callActorId(context, call.index)}`, call: context.ready[call.index]!.call };
}

/**
 * The turn fails while calls are at work or have ended: what is complete of the answer stands as one, so that their results have
 * a place. Calls that have not begun do not begin any more.
 */
export function failed(context: TurnContext, outcome: ModelOutcome): Partial<TurnContext> {
  const failure = context.failure ?? failureOf(outcome);
  if (outcome.status === 'error' && !hasReadyCalls(context)) return { failure };
  const came = outcome.status === 'ok' ? responded(outcome) : { response: answerSoFar(context), respondedAt: outcome.at };
  return { ...came, failure, broken: withUnbegun(context, came.response) };
}

/** What is kept of the answer that a steer has cut: what is complete, and in no entry or in one before. */
export function keepCut(context: TurnContext, { cut }: Cut): Partial<TurnContext> {
  return { kept: withoutLooseReasoning([...context.kept, ...(cut[modelEffectId(context)] ?? [])]) };
}

/** Only an answer that was asked for can be cut, or a pause before one. */
export const isAsked = (context: TurnContext, { cut }: Cut) => cut[modelEffectId(context)] !== undefined;
export const leavesWork = (context: TurnContext, cut: Cut) => hasReadyCalls(context) || keepCut(context, cut).kept!.some(asksForWork);

/** It can stand as it is: nothing in it has to be carried out first. */
export const isWhole = (kept: readonly AgentInputItem[]) => kept.length > 0 && !kept.some(asksForWork);

/** All that is kept stands, and the turn is over. */
export const asCut = ({ kept }: TurnContext): Partial<TurnContext> => (kept.length === 0 ? {} : { response: noResponse(kept) });

/** What streamed before the interrupt is kept, unless there is a whole response already. Calls that cannot be answered for are not. */
export function partialOf(context: TurnContext, interrupt: Interrupt): Partial<TurnContext> {
  if (context.response) return {};
  const text = interrupt.partials?.[modelEffectId(context)];
  const calls = readyCalls(context);
  const complete = withoutLooseReasoning(context.kept).filter((item) => !asksForWork(item) || calls.some((call) => isSameCall(item, call.item)));
  const items = text ? [...complete, partialMessage(text)] : complete;
  if (items.length === 0) return {};
  const response = { ...noResponse(items), calls };
  return { response, broken: withUnbegun(context, response) };
}

/** Those of them that have not been told of. */
export function cutItems(context: TurnContext, items: readonly AgentInputItem[] = []): AgentInputItem[] {
  const calls = readyCalls(context);
  return items.filter((item) => !calls.some((call) => isSameCall(item, call.item)));
}

const noResponse = (items: Response['items']): Response => ({ items, usage: NO_USAGE, calls: [], toolUse: 'run_llm_again' });

const answerSoFar = (context: TurnContext): Response => ({ ...noResponse(withoutLooseReasoning(context.kept)), calls: readyCalls(context), unread: true });

function withUnbegun({ broken, ready, results }: TurnContext, response: Response | null): number[] {
  const never = (response?.calls ?? []).filter(({ index }) => !ready[index]?.begun && !results[index] && !broken.includes(index));
  return never.length === 0 ? broken : [...broken, ...never.map(({ index }) => index)];
}
