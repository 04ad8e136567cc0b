/** Input on its way into the conversation of an agent: who wrote it, who looks at it, and when it joins. Pure functions; the chart decides when. */
import { type AgentContext, canGoOn, exhausted, extend, nextTurn } from './agentMemory.ts';
import type { PendingInput } from './protocol/command.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { EffectOutcome, Failure } from './protocol/failure.ts';
import type { DropReason, ItemOrigin, ItemRecord } from './protocol/outcome.ts';
import { wayOf } from './steerPath.ts';
import { NOTHING_REPEATED, nudgeText, stuckFailure } from './stuck.ts';

/** What an input guardrail says of a message that wants to join. */
export interface ScreenVerdict { id: string; name: string; tripwireTriggered: boolean; outputInfo?: unknown }
/** `ids`: of all that were looked at. */
export type ScreenOutcome = EffectOutcome<{ ids: string[]; verdicts: ScreenVerdict[] }>;
export interface ScreenInput { effectId: string; agent: string; inputs: PendingInput[] }
export interface Objection { hook: string; text: string }
export type StopHookOutcome = EffectOutcome<{ objections: Objection[] }>;

/** As it waits, whichever way it came. */
export const accepted = (event: { type: 'steer' | 'mail'; input: PendingInput[] }): PendingInput[] =>
  event.type === 'mail' ? event.input.map((input) => ({ ...input, origin: 'mail' as const })) : event.input;

/** Where a steer goes that names a path: to this agent, to the turn at work, or nowhere (L7). */
export function wayTo({ facts, turns, turnAlive }: AgentContext, path: string | undefined) {
  const isRun = path !== undefined && path === facts.path.slice(0, facts.path.lastIndexOf('/'));
  return wayOf(isRun ? facts.path : path, facts.path, turnAlive ? `${facts.path}/turn.${turns}` : undefined);
}

export const isNotice = ({ origin }: PendingInput) => typeof origin === 'object';
export const isOfUser = ({ origin = 'user' }: PendingInput) => origin === 'user';

/** A final answer is not reopened by mail (M4); by anything else that waits it is, if a turn may follow (L3). */
export function reopens(context: AgentContext): boolean {
  return canGoOn(context) && context.pendingInput.some(({ origin }) => context.final === null || origin !== 'mail');
}

/** The answer is there, and nothing that waits leads on from it (A2). */
export const isFinal = (context: AgentContext) => context.last?.next === 'final' && !reopens(context);

/** It is about to be summed up: it can no longer become the final output, nor be withheld, nor be a sign of anything (B4). */
export function leaveAnswer({ last, steering }: AgentContext): Partial<AgentContext> {
  return last?.next === 'final' ? { last: null, steering: { ...steering, repeats: { ...steering.repeats, found: null } } } : {};
}

/** All other turns are used up, and the one that is kept for an answer is not, or was cut (B1). */
export function finalTurnDue(context: AgentContext): boolean {
  const { facts, softStop, maxTurns, turns, steering, final } = context;
  return facts.finalTurn === true && !softStop && final === null && (steering.finalTurn === 0 || steering.finalTurn > turns) && maxTurns !== null && turns >= maxTurns;
}

// -- screening (E6) ---------------------------------------------------------------------------------------------------

const unscreened = ({ facts, pendingInput, steering }: AgentContext) => (facts.screensInput ? pendingInput.slice(steering.screened).filter((input) => !isNotice(input)) : []);

/** What would join now has not passed the guardrails of this agent. */
export const needsScreening = (context: AgentContext) => (reopens(context) || finalTurnDue(context)) && unscreened(context).length > 0;

export function screenInput(context: AgentContext): ScreenInput {
  const { facts, steering } = context;
  return { effectId: `${facts.path}/inputScreen.${steering.screenings + 1}#1`, agent: facts.agent, inputs: unscreened(context) };
}

/** What tripped is gone, and the rest is not looked at again. */
export function afterScreening(context: AgentContext, outcome: ScreenOutcome): Pick<AgentContext, 'pendingInput' | 'steering'> {
  const { pendingInput, steering } = context;
  if (outcome.status !== 'ok') return { pendingInput, steering };
  const tripped = new Set(trips(outcome).map(({ id }) => id));
  const kept = pendingInput.filter(({ id }) => !tripped.has(id));
  const { ids } = outcome.value;
  const screened = Math.max(steering.screened, kept.findLastIndex(({ id }) => ids.includes(id)) + 1);
  return { pendingInput: kept, steering: { ...steering, screened, screenings: steering.screenings + 1 } };
}

const trips = (outcome: ScreenOutcome) => (outcome.status === 'ok' ? outcome.value.verdicts.filter(({ tripwireTriggered }) => tripwireTriggered) : []);

/** A trip on what the app had added to a state fails the run that goes on from it. */
export function stagedTrip({ pendingInput }: AgentContext, outcome: ScreenOutcome): Failure | null {
  const trip = trips(outcome).find(({ id }) => pendingInput.some((input) => input.id === id && input.staged));
  return trip ? { code: 'inputGuardrail', message: `Input guardrail triggered: ${JSON.stringify(trip.outputInfo ?? null)}`, detail: { name: trip.name, outputInfo: trip.outputInfo } } : null;
}

export function stagedTripOf({ context, event }: { context: AgentContext; event: { output: ScreenOutcome } }): Failure {
  const failure = stagedTrip(context, event.output);
  if (!failure) throw new Error('Nothing that was staged has tripped.');
  return failure;
}

/** Nothing is left that reopens the final answer for which it came too late. */
export const answerStands = (context: AgentContext, outcome: ScreenOutcome) => context.final !== null && !reopens({ ...context, ...afterScreening(context, outcome) });

export function trippedEvents({ facts, pendingInput }: AgentContext, outcome: ScreenOutcome): LoopEvent[] {
  const tripped = trips(outcome);
  return pendingInput.flatMap((input) => {
    const trip = tripped.find(({ id }) => id === input.id);
    return trip ? [{ ...droppedEvent(facts, [input], 'guardrail'), guardrail: trip.name }] : [];
  });
}

// -- joining ----------------------------------------------------------------------------------------------------------

export function deliveredEvent(context: AgentContext): LoopEvent {
  const { facts, pendingInput } = context;
  const event: LoopEvent = { type: 'input.delivered', path: facts.path, agent: facts.agent, turn: nextTurn(context), ...contents(pendingInput) };
  return pendingInput.every(isOfUser) ? event : { ...event, origins: pendingInput.map(({ origin = 'user' }) => origin) };
}

/** Messages of their own, in order (L4). What the user says begins a new streak (B3). */
export function deliverInput(context: AgentContext): Partial<AgentContext> {
  const { pendingInput, facts, steering } = context;
  const records = pendingInput.map(({ id, item: rawItem, origin = 'user' }): ItemRecord => ({ type: 'input_item', rawItem, agent: facts.agent, inputId: id, ...(origin !== 'user' && { origin }) }));
  const repeats = pendingInput.some(isOfUser) ? NOTHING_REPEATED : steering.repeats;
  return { conversation: extend(context, records.map(({ rawItem }) => rawItem), records), pendingInput: [], steering: { ...steering, screened: 0, repeats } };
}

/** The one way in which the runtime speaks to the model: a notice waits like any input, and joins with it (P4). */
export function withNotice({ pendingInput }: Pick<AgentContext, 'pendingInput'>, notice: { id: string; kind: string; text: string }): PendingInput[] {
  const origin: ItemOrigin = { runtime: notice.kind };
  return [...pendingInput, { id: notice.id, item: { type: 'message', role: 'user', content: notice.text }, origin }];
}

export function takeFinalTurn(context: AgentContext): Partial<AgentContext> {
  if (context.steering.finalTurn > 0) return {}; // it was cut, and has been told of
  const pendingInput = withNotice(context, { id: `${context.facts.path}/finalTurn`, kind: 'finalTurn', text: FINAL_TURN });
  return { pendingInput, steering: { ...context.steering, finalTurn: nextTurn(context) } };
}

const FINAL_TURN = 'This is your last turn, and no tools are available in it. Answer now with what you have.';

// -- stop hooks (M5) --------------------------------------------------------------------------------------------------

const objections = (outcome: StopHookOutcome) => (outcome.status === 'ok' ? outcome.value.objections : []);

/** An objection never overrides a limit, and being stuck is one. */
export const isObjected = (context: AgentContext, outcome: StopHookOutcome) => objections(outcome).length > 0 && canGoOn(context) && !isStuckAgain(context);

export function objectionEvents(context: AgentContext, outcome: StopHookOutcome): LoopEvent[] {
  const said = objections(outcome);
  if (said.length === 0) return [];
  const event: LoopEvent = { type: 'stopHook.objected', path: context.facts.path, agent: context.facts.agent, turn: context.turns, objections: said };
  return [isObjected(context, outcome) ? event : { ...event, overruled: true }];
}

/** Each objection is a notice, and the answer is none any more. */
export function takeObjections(context: AgentContext, outcome: StopHookOutcome): Partial<AgentContext> {
  const id = `${context.facts.path}/stopHook.${context.turns}`;
  const pendingInput = objections(outcome).reduce((pending, { text }, at) => withNotice({ pendingInput: pending }, { id: `${id}.${at}`, kind: 'stopHook', text }), context.pendingInput);
  return { pendingInput, final: null, last: null };
}

// -- being stuck (B3) -------------------------------------------------------------------------------------------------

/** What the user says next may lead out of it. */
const isAlone = ({ pendingInput }: AgentContext) => !pendingInput.some(isOfUser);
const isStuckAgain = ({ steering }: AgentContext) => steering.repeats.found !== null && steering.repeats.nudged;

export const repeatsItself = (context: AgentContext) => context.steering.repeats.found !== null && !context.steering.repeats.nudged && isAlone(context);
/** The answer that mail has kept from being the last word is no sign of it (B4). */
export const keepsRepeating = (context: AgentContext) => isStuckAgain(context) && isAlone(context) && context.last?.next !== 'final';

/** Neither the turns nor the patience with it are at an end. */
export const turnFollows = (context: AgentContext) => finalTurnDue(context) || !(exhausted(context) || keepsRepeating(context));

export function nudge(context: AgentContext): Partial<AgentContext> {
  const { repeats } = context.steering;
  if (context.steering.finalTurn > 0) return {}; // it was cut, and has been told of
  const pendingInput = withNotice(context, { id: `${context.facts.path}/nudge.${context.turns}`, kind: 'nudge', text: nudgeText(repeats.found!) });
  return { pendingInput, steering: { ...context.steering, repeats: { ...repeats, found: null, nudged: true } } };
}

export const stuckAgain = ({ context }: { context: AgentContext }): Failure => stuckFailure(context.steering.repeats.found!);

// -- what does not join -----------------------------------------------------------------------------------------------

const contents = (inputs: readonly PendingInput[]) => ({ ids: inputs.map(({ id }) => id), items: inputs.map(({ item }) => item) });

export const acceptedEvent = (at: { path: string; agent: string }, inputs: readonly PendingInput[]): LoopEvent => ({ type: 'input.accepted', path: at.path, agent: at.agent, ...contents(inputs) });

export const droppedEvent = (at: { path: string; agent: string }, inputs: readonly PendingInput[], reason: DropReason): LoopEvent => ({ type: 'input.dropped', path: at.path, agent: at.agent, ...contents(inputs), reason });
