/** What a thread keeps over its runs. Pure functions; the chart decides when. */
import { itemsOfTurn, mailMessage, wellFormed } from './history.ts';
import { Log } from './log.ts';
import { droppedEvent } from './pendingInput.ts';
import type { PendingInput } from './protocol/command.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { CarriedTurn, ItemOrigin, RunInput, RunOutcome, ServerState } from './protocol/outcome.ts';
import { withoutPlaces } from './threadCompaction.ts';
import type { Goal, HistoryPoint, Mail, QueueEntry, RunMark, RunOverrides, RunSource, SessionRule, ThreadBase, ThreadCommand, ThreadInput, ThreadOutcome } from './protocol/thread.ts';

type Revert = Extract<ThreadCommand, { type: 'thread.revert' }>;
type Asked = Extract<ThreadCommand, { type: 'thread.run' }>;

/** What a run is begun with. */
export interface Beginning { source: RunSource; ids: string[]; input: AgentInputItem[]; overrides?: RunOverrides; origin?: ItemOrigin }

/** What follows when the run that is going has ended. */
export type Next = Asked | Revert;

export interface CurrentRun {
  runId: string;
  source: RunSource;
  from: number;
  /** What stands in the history before what the run brings. */
  input: AgentInputItem[];
  /** The agent that works is there for this run alone (M7). */
  keepsFloor: boolean;
}

/** An agent that works beside the runs. `isOver`: it has ended, and the app makes its result. */
export interface Background { from: string; agent: string; extracts?: true; isOver?: true }

export interface ThreadContext {
  facts: Pick<ThreadInput, 'path' | 'forkedFrom'> & { /** Who had the floor first. */ floor: string };
  /** Key of the agent that has the floor. */
  agent: string;
  history: Log<AgentInputItem>;
  marks: Log<RunMark>;
  /** Items that were there before the first run; nothing when a compaction has taken their place. */
  start: number | null;
  /** Runs that have begun. */
  count: number;
  current: CurrentRun | null;
  /** How the last run ended, until it is told to go on: anything but `completed` holds mail and queue back (M3, M4). */
  ended: RunOutcome['status'] | null;
  queue: QueueEntry[];
  mailbox: Mail[];
  /** Mail that the run that is going was given. */
  passed: Mail[];
  /** Items for the history, behind what the run that winds down brings (M9). */
  injected: AgentInputItem[];
  /** Input that a stopped run did not deliver (P2). */
  pendingInput: PendingInput[];
  carried: CarriedTurn | null;
  /** Whose turn that is. */
  carriedBy: string | null;
  server?: ServerState;
  /** Tokens of the history, as far as a run has counted them (N1). */
  size?: number;
  /** A run was asked for a compaction that did not come about in it. */
  compactionAsked?: true;
  goal: Goal | null;
  rules: SessionRule[];
  next: Next | null;
  /** Agents that work beside the runs: who began each, by the id of its actor. */
  background: Record<string, Background>;
  backgrounds: number;
  /** Calls that have begun such an agent, while they may be carried out again. */
  begunBy: string[];
  /** Counts the effects of the thread itself. */
  ordinal: number;
  /** Items that the compaction at work sums up. */
  compactedUpTo: number;
}

export function contextOf({ path, agent, floor = agent, history = [], forkedFrom, rules = [] }: ThreadInput): ThreadContext {
  const first = wellFormed(history);
  return {
    facts: { path, floor, ...(forkedFrom && { forkedFrom }) },
    agent: floor,
    history: Log.of(first),
    marks: Log.of<RunMark>([]),
    start: first.length,
    count: 0,
    current: null,
    ended: null,
    queue: [],
    mailbox: [],
    passed: [],
    injected: [],
    pendingInput: [],
    carried: null,
    carriedBy: null,
    goal: null,
    rules,
    next: null,
    background: {},
    backgrounds: 0,
    begunBy: [],
    ordinal: 0,
    compactedUpTo: 0,
  };
}

export const outcomeOf = ({ queue, mailbox }: ThreadContext): ThreadOutcome => ({ queue, mailbox });
export const isHeld = ({ ended }: ThreadContext) => ended !== null && ended !== 'completed';

export const somethingWaits = ({ queue, mailbox }: ThreadContext) => queue.length > 0 || mailbox.some(({ triggerTurn }) => triggerTurn);

export const asked = ({ id, input, overrides }: Asked): Beginning => ({ source: { kind: 'command', id }, ids: [id], input, overrides });

export function fromQueue({ queue: [entry] }: ThreadContext): Beginning {
  return { source: { kind: 'queue', id: entry!.id }, ids: [entry!.id], input: entry!.input, overrides: entry!.overrides };
}

export function fromMail({ mailbox }: ThreadContext): Beginning {
  const ids = mailbox.map(({ id }) => id);
  return { source: { kind: 'mail', ids }, ids, input: mailbox.map(mailMessage), origin: 'mail' };
}

export function fromGoal({ goal }: ThreadContext): Beginning {
  return { source: { kind: 'goal' }, ids: [], input: [{ type: 'message', role: 'user', content: goal!.message }], origin: { runtime: 'goal' } };
}

/** The id of the run that begins next. */
export const nextRunId = ({ facts, count }: ThreadContext) => `${facts.path}/run.${count + 1}`;
export const runActorId = ({ count }: ThreadContext) => `run.${count}`;

/** A run takes over what the last one left unfinished; a failed turn is only gone on with when there is no other input (K5, P2). */
export function begun(context: ThreadContext, beginning: Beginning): { changes: Partial<ThreadContext>; input: RunInput } {
  const { source, input: given, overrides, origin, ids } = beginning;
  const goesOn = context.carried !== null && (context.ended === 'stopped' || given.length === 0);
  const history = goesOn ? context.history : context.history.append(givenUp(context));
  const runId = nextRunId(context);
  const before = context.pendingInput.map(({ item }) => item);
  const agent = overrides?.agent ?? (goesOn ? context.carriedBy! : context.agent);
  const base: ThreadBase = { history: history.toArray(), pendingInput: context.pendingInput };
  if (goesOn) base.carried = context.carried!;
  if (context.server) base.server = context.server;
  if (context.size !== undefined) base.size = context.size;
  if (overrides) base.overrides = overrides;
  if (overrides?.approvalPolicy) base.rules = context.rules.map(({ id }) => id);
  if (origin) base.origin = origin;
  const changes: Partial<ThreadContext> = {
    history,
    count: context.count + 1,
    current: { runId, source, from: history.length, input: goesOn ? [] : [...before, ...given], keepsFloor: agent !== context.agent },
    ended: null,
    pendingInput: [],
    carried: null,
    carriedBy: null,
    compactionAsked: undefined,
    next: null,
  };
  if (source.kind === 'queue') changes.queue = context.queue.slice(1);
  if (source.kind === 'goal') changes.goal = { ...context.goal!, runs: context.goal!.runs + 1 };
  if (context.mailbox.length > 0) Object.assign(changes, { mailbox: [], passed: context.mailbox.filter(({ id }) => !ids.includes(id)) });
  return { changes, input: { path: runId, agent, given, base } };
}

/** What the unfinished turn had brought; calls without a result read as aborted. */
function givenUp({ carried, history }: Pick<ThreadContext, 'carried' | 'history'>): AgentInputItem[] {
  if (!carried) return [];
  const known = history.toArray();
  return wellFormed([...known, ...itemsOfTurn(carried.response, carried.results)]).slice(known.length);
}

/** What a run leaves to those after it. One whose input no guardrail has passed leaves nothing (E2). */
export function recordRun(context: ThreadContext, outcome: RunOutcome): Partial<ThreadContext> {
  const { runId, source, from, keepsFloor } = context.current!;
  const isUndelivered = among(outcome.undelivered);
  const brought = historyAfter(context, outcome);
  const history = brought.append(outcome.status === 'interrupted' ? givenUp({ carried: outcome.carried ?? null, history: brought }) : []).append(returnedItems(context, outcome));
  const isCut = isShortened(outcome);
  const { marks, start } = isCut ? withoutPlaces(context) : context;
  const agent = keepsFloor ? context.agent : outcome.agent;
  const carried = outcome.status === 'stopped' || outcome.status === 'failed' ? outcome.carried : undefined;
  const isMail = among(context.passed);
  return {
    agent,
    history,
    start,
    marks: marks.append([{ runId, source, from: isCut ? null : from, to: history.length, status: outcome.status, agent, ...reasonOf(context, outcome) }]),
    current: null,
    ended: outcome.status,
    mailbox: [...context.passed.filter(isUndelivered), ...context.mailbox],
    passed: [],
    injected: context.next?.type === 'thread.revert' ? context.injected : [],
    begunBy: context.begunBy.filter((id) => !id.startsWith(`${runId}/`)),
    pendingInput: [...context.pendingInput, ...(outcome.status === 'stopped' ? outcome.undelivered.filter((one) => !isMail(one)) : [])],
    carried: carried ?? null,
    carriedBy: carried ? outcome.agent : null,
    server: outcome.server,
    size: outcome.history.length === history.length ? outcome.size : undefined, // a filter may have shown the model less
    compactionAsked: outcome.status === 'interrupted' ? undefined : outcome.compactionAsked,
  };
}

function reasonOf({ next }: ThreadContext, { status }: RunOutcome): Pick<RunMark, 'reason'> {
  if (!next || status !== 'interrupted') return {};
  return { reason: next.type === 'thread.run' ? 'replaced' : 'reverted' };
}

const among = (known: readonly { id: string }[]) => {
  const ids = new Set(known.map(({ id }) => id));
  return ({ id }: { id: string }) => ids.has(id);
};

/**
 * Items that were put into the history while the run was going, and that it did not deliver: they stand behind it, unless the history goes
 * back first. What a run that was stopped was given itself waits with its other input (P2).
 */
export function returnedItems({ injected, next }: ThreadContext, { status, undelivered }: RunOutcome): AgentInputItem[] {
  if (next?.type === 'thread.revert') return [];
  const given = status === 'stopped' ? [] : undelivered.filter((one) => one.injected).map(({ item }) => item);
  return [...given, ...injected];
}

/** Only what came since the last compaction is read on; the journal has the rest (N3). */
function historyAfter({ history, current }: ThreadContext, outcome: RunOutcome): Log<AgentInputItem> {
  if (outcome.unguarded) return history;
  const { items, generated } = outcome.compacted ?? { items: current!.input, generated: 0 };
  const brought = [...items, ...outcome.generated.slice(generated).map(({ rawItem }) => rawItem)];
  return isShortened(outcome) ? Log.of(brought) : history.append(brought);
}

const isShortened = ({ unguarded, compacted }: RunOutcome) => compacted !== undefined && !unguarded;

/** A place in the history as it is known here; another needs the history to be given. */
export function lengthAt({ marks, start }: ThreadContext, { runId, turn }: HistoryPoint): number | null {
  if (runId === null) return start;
  if (turn !== undefined) return null;
  return marks.toArray().find((mark) => mark.runId === runId)?.to ?? null;
}

/** What came into the history since it was told to go back stays. */
export function reverted(context: ThreadContext, { to, history, agent }: Revert): Partial<ThreadContext> {
  const length = lengthAt(context, to);
  const marks = context.marks.toArray();
  const last = to.runId === null ? -1 : marks.findIndex(({ runId }) => runId === to.runId);
  const kept = marks.slice(0, last + 1).map((mark): RunMark => (length === null ? { ...mark, from: null, to: null } : mark));
  const items = history ?? context.history.toArray().slice(0, length ?? 0);
  return {
    agent: agent ?? kept.at(-1)?.agent ?? context.facts.floor,
    history: Log.of(wellFormed([...items, ...context.injected])),
    marks: Log.of(kept),
    start: length === null ? null : context.start,
    carried: null,
    carriedBy: null,
    pendingInput: [],
    injected: [],
    next: null,
    server: undefined,
    size: undefined,
    compactionAsked: undefined,
  };
}

/** Input that waited for a run to come, of a history that there will not have been. */
export const inputTakenBack = ({ facts: { path }, agent, pendingInput }: ThreadContext): LoopEvent[] => (pendingInput.length === 0 ? [] : [droppedEvent({ path, agent }, pendingInput, 'reverted')]);

export function edited(queue: QueueEntry[], changes: Pick<QueueEntry, 'id'> & Partial<QueueEntry>): QueueEntry[] {
  return queue.map((entry) => (entry.id === changes.id ? { ...entry, ...changes } : entry));
}

export function moved(queue: QueueEntry[], entryId: string, to: number): QueueEntry[] {
  const rest = queue.filter(({ id }) => id !== entryId);
  return [...rest.slice(0, to), queue.find(({ id }) => id === entryId)!, ...rest.slice(to)];
}

/** An agent begins to work beside the runs. */
export function backgroundBegun(context: ThreadContext, { id: toldId, agent, input: given, type: _type, at: _at, expectedRunId: _expected, ...background }: Extract<ThreadCommand, { type: 'background.start' }>) {
  const id = `background.${context.backgrounds + 1}`;
  const { from, delegate, extracts } = background;
  const known: Background = { from, agent: delegate, ...(extracts && { extracts }) };
  const changes: Partial<ThreadContext> = { backgrounds: context.backgrounds + 1, begunBy: [...context.begunBy, toldId], background: { ...context.background, [id]: known } };
  const input: RunInput = { path: `${context.facts.path}/${id}`, agent, given, base: { history: [], pendingInput: [], background } };
  return { changes, id, input };
}

/** What a run beside the others has brought, in words; `id` is that of its actor. */
export interface Report { id: string; content: string; triggerTurn: boolean }

/** It comes as a message to the thread (F5). */
export function reported(context: ThreadContext, { id, content, triggerTurn }: Report, into: 'mailbox' | 'passed'): Partial<ThreadContext> {
  const { [id]: ended, ...background } = context.background;
  const path = `${context.facts.path}/${id}`;
  const mail: Mail = { id: `${path}/report`, from: ended?.from ?? path, content, triggerTurn };
  return { background, [into]: [...context[into], mail], begunBy: context.begunBy.filter((begun) => !begun.startsWith(`${path}/`)) };
}

/** The app makes the result: until then nobody is at work on it any more. */
export function reporting({ facts, background }: ThreadContext, id: string, outcome: RunOutcome) {
  const path = `${facts.path}/${id}`;
  const changes: Partial<ThreadContext> = { background: { ...background, [id]: { ...background[id]!, isOver: true } } };
  return { changes, id: id.replace('background', 'report'), input: { effectId: `${path}/report#1`, path, from: background[id]!.from, outcome } };
}
