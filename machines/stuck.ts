/** Whether an agent does the same again and again (B3). Pure, and the same for equal turns: ids do not count. */
import { checksum } from './checksum.ts';
import { canonical, fingerprintOf } from './fingerprint.ts';
import { textOf } from './history.ts';
import type { Call, CallResult, Response } from './protocol/call.ts';
import type { Failure } from './protocol/failure.ts';
import type { TurnOutcome } from './protocol/outcome.ts';

/** How often the same has to come in a row. */
export interface StuckThresholds {
  /** The same call with the same result. Default 4. */
  repetition: number;
  /** The same call, failing in whatever way. Default 3. */
  failing: number;
  /** The same message, without a tool between. Default 3. */
  monologue: number;
  /** Calls that come by turns with the same results: A, B, A, B, A, B. Default 6. */
  alternating: number;
}
export type StuckKind = keyof StuckThresholds;

/** A call and its result as short hashes: what is equal has equal ones. */
interface Step { call: string; result: string; failed: boolean }

/** The newest of what an agent did since the last input of the user: never more than the thresholds ask for. */
export interface Repeats {
  calls: Step[];
  /** Messages since the last tool. */
  messages: string[];
  /** What the newest turn has shown. */
  found: StuckKind | null;
  /** The agent has been told of this streak. */
  nudged: boolean;
}

export const NOTHING_REPEATED: Repeats = { calls: [], messages: [], found: null, nudged: false };
export const STUCK_THRESHOLDS: StuckThresholds = { repetition: 4, failing: 3, monologue: 3, alternating: 6 };

/** A turn that brought neither call nor message says nothing about a streak. */
export function watched(before: Repeats, turn: TurnOutcome, thresholds: StuckThresholds): Repeats {
  const { calls, messages } = turn.response ? added(before, turn.response, turn.results) : before;
  if (calls === before.calls && messages === before.messages) return { ...before, found: null };
  const kept = { calls: newest(calls, callsWatched(thresholds)), messages: newest(messages, thresholds.monologue) };
  const found = kindOf(kept, thresholds);
  return { ...kept, found, nudged: found !== null && before.nudged };
}

/** The notice for the first hit of a streak. */
export function nudgeText(kind: StuckKind): string {
  return `You are going in circles: ${PATTERNS[kind]}. Try something else, or answer with what you have and say what keeps you from going on.`;
}

export function stuckFailure(kind: StuckKind): Failure {
  return { code: `stuck.${kind}`, message: `The agent is stuck: ${PATTERNS[kind]}, and went on after it was told.` };
}

const PATTERNS: Record<StuckKind, string> = {
  repetition: 'the same call brought the same result again and again',
  failing: 'the same call failed again and again',
  monologue: 'the same message came again and again',
  alternating: 'two calls came by turns and brought the same each time',
};

/** A turn is taken as a whole: beside a tool a message is no monologue. */
function added(before: Repeats, response: Response, results: TurnOutcome['results']): Pick<Repeats, 'calls' | 'messages'> {
  const messages = response.items.flatMap((item) => ('role' in item ? [checksum(textOf([item]))] : []));
  const usesTools = response.items.some((item) => !('role' in item) && item.type !== 'reasoning');
  const said = usesTools ? [] : messages.length > 0 ? [...before.messages, ...messages] : before.messages;
  if (response.calls.length === 0) return { calls: before.calls, messages: said };
  const from = response.calls.findLastIndex((call) => call.tool.repeatable) + 1;
  const steps = response.calls.slice(from).map((call) => stepOf(call, results[call.index]));
  return { calls: from > 0 ? steps : [...before.calls, ...steps], messages: said };
}

function stepOf(call: Call, result: CallResult | undefined): Step {
  const { id: _id, callId: _callId, providerData: _providerData, ...said } = (result?.item ?? {}) as Record<string, unknown>; // whatever the result is of
  return { call: checksum(fingerprintOf(call)), result: checksum(canonical(said)), failed: result?.status === 'failed' };
}

function kindOf({ calls, messages }: Pick<Repeats, 'calls' | 'messages'>, { repetition, failing, monologue, alternating }: StuckThresholds): StuckKind | null {
  if (holds(calls, failing, (step, first) => step.failed && step.call === first.call)) return 'failing';
  if (holds(calls, repetition, isSame)) return 'repetition';
  if (alternates(newest(calls, alternating), alternating)) return 'alternating';
  return holds(messages, monologue, (text, first) => text === first) ? 'monologue' : null;
}

function holds<Item>(items: readonly Item[], times: number, isLike: (item: Item, first: Item) => boolean): boolean {
  const last = newest(items, times);
  return last.length === times && last.every((item) => isLike(item, last[0]!));
}

function alternates(steps: readonly Step[], times: number): boolean {
  const [one, other] = steps;
  if (steps.length < times || !one || !other || isSame(one, other)) return false;
  return steps.every((step, at) => isSame(step, at % 2 === 0 ? one : other));
}

const isSame = (step: Step, other: Step) => step.call === other.call && step.result === other.result;
const callsWatched = ({ repetition, failing, alternating }: StuckThresholds) => Math.max(repetition, failing, alternating);
const newest = <Item>(items: readonly Item[], count: number): Item[] => items.slice(Math.max(0, items.length - count));
