/** What a thread keeps over its runs. Pure functions; the chart decides when. */
import { itemsOfTurn, mailMessage, wellFormed } from './history.ts';
import { Log } from './log.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { PendingInput } from './protocol/command.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { CarriedTurn, ItemOrigin, RunInput, RunOutcome, ServerState } from './protocol/outcome.ts';
import type { Goal, HistoryPoint, Mail, QueueEntry, RunMark, RunOverrides, RunSource, SessionRule, ThreadBase, ThreadCommand, ThreadInput, ThreadOutcome } from './protocol/thread.ts';

type Revert = Extract<ThreadCommand, { type: 'thread.revert' }>;
type Asked = Extract<ThreadCommand, { type: 'thread.run' }>;

/** What a run is begun with. */
export interface Beginning { source: RunSource; ids: string[]; input: AgentInputItem[]; overrides?: RunOverrides; origin?: ItemOrigin }

/** What follows when the run that is going has ended. */
export type Next = Asked | Revert;

export interface CurrentRun { runId: string; source: RunSource; from: number; /** What stands in the history before what the run brings. */ input: AgentInputItem[] }

export interface ThreadContext {
  facts: Pick<ThreadInput, 'path' | 'forkedFrom'>;
  /** Key of the agent that has the floor. */
  agent: string;
  history: Log<AgentInputItem>;
  marks: Log<RunMark>;
  /** Runs that have begun. */
  count: number;
  current: CurrentRun | null;
  /** How the last run ended, until it is told to go on: anything but `completed` holds mail and queue back (M3, M4). */
  ended: RunOutcome['status'] | null;
  queue: QueueEntry[];
  mailbox: Mail[];
  /** Mail that the run that is going was given. */
  passed: Mail[];
  /** Input that a stopped run did not deliver (P2). */
  pendingInput: PendingInput[];
  carried: CarriedTurn | null;
  server?: ServerState;
  goal: Goal | null;
  rules: SessionRule[];
  next: Next | null;
  /** Agents that work beside the runs: who began each, by the id of its actor. */
  background: Record<string, { from: string }>;
  backgrounds: number;
  /** Calls that have begun such an agent, while they may be carried out again. */
  begunBy: string[];
  /** Counts the effects of the thread itself. */
  ordinal: number;
  /** Items that the compaction at work sums up. */
  compactedUpTo: number;
}

export function contextOf({ path, agent, floor = agent, history = [], forkedFrom, rules = [] }: ThreadInput): ThreadContext {
  return {
    facts: forkedFrom ? { path, forkedFrom } : { path },
    agent: floor,
    history: Log.of(wellFormed(history)),
    marks: Log.of<RunMark>([]),
    count: 0,
    current: null,
    ended: null,
    queue: [],
    mailbox: [],
    passed: [],
    pendingInput: [],
    carried: null,
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
  const base: ThreadBase = { history: history.toArray(), pendingInput: context.pendingInput };
  if (goesOn) base.carried = context.carried!;
  if (context.server) base.server = context.server;
  if (overrides) base.overrides = overrides;
  if (origin) base.origin = origin;
  const changes: Partial<ThreadContext> = {
    agent: overrides?.agent ?? context.agent,
    history,
    count: context.count + 1,
    current: { runId, source, from: history.length, input: goesOn ? [] : [...before, ...given] },
    ended: null,
    pendingInput: [],
    carried: null,
    next: null,
  };
  if (source.kind === 'queue') changes.queue = context.queue.slice(1);
  if (source.kind === 'mail') changes.mailbox = context.mailbox.filter(({ id }) => !ids.includes(id));
  if (source.kind === 'goal') changes.goal = { ...context.goal!, runs: context.goal!.runs + 1 };
  return { changes, input: { path: runId, agent: changes.agent!, given, base } };
}

/** Input that the last run had not read stands before that of this one, unless a turn has to be finished first (P2, G3). */
export const joinsAtOnce = ({ base }: RunInput) => base!.carried === undefined && base!.pendingInput.length > 0; // every run of a thread has one

export const joined = ({ path, agent, base }: RunInput): LoopEvent => ({
  type: 'input.delivered', path: `${path}/agent.1`, agent, turn: 1, ids: base!.pendingInput.map(({ id }) => id), items: base!.pendingInput.map(({ item }) => item),
});

/** What the unfinished turn had brought; calls without a result read as aborted. */
function givenUp({ carried, history }: ThreadContext): AgentInputItem[] {
  if (!carried) return [];
  const known = history.toArray();
  return wellFormed([...known, ...itemsOfTurn(carried.response, carried.results)]).slice(known.length);
}

/** What a run leaves to those after it. One whose input no guardrail has passed leaves nothing (E2). */
export function recordRun(context: ThreadContext, outcome: RunOutcome): Partial<ThreadContext> {
  const { runId, source, from, input } = context.current!;
  const brought = outcome.unguarded ? [] : [...input, ...outcome.generated.map(({ rawItem }) => rawItem)];
  const { history, isCut } = withoutCompacted(context.history.append(brought));
  const marks = isCut ? Log.of(context.marks.toArray().map((mark) => ({ ...mark, from: null, to: null }))) : context.marks;
  const isUnfinished = outcome.status === 'stopped' || outcome.status === 'failed';
  const undelivered = new Set(outcome.undelivered.map(({ id }) => id));
  const mail = new Set(context.passed.map(({ id }) => id));
  return {
    agent: outcome.agent,
    history,
    marks: marks.append([{ runId, source, from: isCut ? null : from, to: history.length, status: outcome.status }]),
    current: null,
    ended: outcome.status,
    mailbox: [...context.passed.filter(({ id }) => undelivered.has(id)), ...context.mailbox],
    passed: [],
    begunBy: context.begunBy.filter((id) => !id.startsWith(`${runId}/`)),
    pendingInput: [...context.pendingInput, ...(outcome.status === 'stopped' ? outcome.undelivered.filter(({ id }) => !mail.has(id)) : [])],
    carried: (isUnfinished ? outcome.carried : undefined) ?? null,
    server: outcome.server,
  };
}

/** Only what came since the last compaction is read on; the journal has the rest (N3). */
function withoutCompacted(history: Log<AgentInputItem>): { history: Log<AgentInputItem>; isCut: boolean } {
  const items = history.toArray();
  const at = items.findLastIndex(({ type }) => type === 'compaction');
  return at > 0 ? { history: Log.of(items.slice(at)), isCut: true } : { history, isCut: false };
}

/** What was added while the compaction was at work stays behind it. */
export function compacted(context: ThreadContext, item: AgentInputItem): Partial<ThreadContext> {
  const marks = context.marks.toArray().map((mark) => ({ ...mark, from: null, to: null }));
  return { history: Log.of([item, ...context.history.toArray(context.compactedUpTo)]), marks: Log.of(marks) };
}

/** A place in the history as it is known here; another needs the history to be given. */
export function lengthAt({ marks }: ThreadContext, { runId, turn }: HistoryPoint): number | null {
  if (runId === null) return 0;
  if (turn !== undefined) return null;
  return marks.toArray().find((mark) => mark.runId === runId)?.to ?? null;
}

export function reverted(context: ThreadContext, { to, history }: Revert): Partial<ThreadContext> {
  const length = lengthAt(context, to);
  const marks = context.marks.toArray();
  const last = to.runId === null ? -1 : marks.findIndex(({ runId }) => runId === to.runId);
  const kept = marks.slice(0, last + 1).map((mark): RunMark => (length === null ? { ...mark, from: null, to: null } : mark));
  return {
    history: Log.of(wellFormed(history ?? context.history.toArray().slice(0, length ?? 0))),
    marks: Log.of(kept),
    carried: null,
    pendingInput: [],
    next: null,
    server: undefined,
  };
}

export function edited(queue: QueueEntry[], changes: Pick<QueueEntry, 'id'> & Partial<QueueEntry>): QueueEntry[] {
  return queue.map((entry) => (entry.id === changes.id ? { ...entry, ...changes } : entry));
}

export function moved(queue: QueueEntry[], entryId: string, to: number): QueueEntry[] {
  const rest = queue.filter(({ id }) => id !== entryId);
  return [...rest.slice(0, to), queue.find(({ id }) => id === entryId)!, ...rest.slice(to)];
}

/** An agent begins to work beside the runs. */
export function backgroundBegun(context: ThreadContext, { id: toldId, agent, input: given, from, tool }: Extract<ThreadCommand, { type: 'background.start' }>) {
  const id = `background.${context.backgrounds + 1}`;
  const changes: Partial<ThreadContext> = { backgrounds: context.backgrounds + 1, begunBy: [...context.begunBy, toldId], background: { ...context.background, [id]: { from } } };
  const input: RunInput = { path: `${context.facts.path}/${id}`, agent, given, base: { history: [], pendingInput: [], background: { tool, from } } };
  return { changes, id, input };
}

/** What it has brought, as a message to the thread (F5). */
export function reported(context: ThreadContext, actorId: string, outcome: RunOutcome, into: 'mailbox' | 'passed'): Partial<ThreadContext> {
  const { [actorId]: ended, ...background } = context.background;
  const path = `${context.facts.path}/${actorId}`;
  const mail: Mail = { id: `${path}/report`, from: ended?.from ?? path, content: reportText(outcome), triggerTurn: outcome.status !== 'interrupted' };
  return { background, [into]: [...context[into], mail], begunBy: context.begunBy.filter((id) => !id.startsWith(`${path}/`)) };
}

function reportText({ status, output, failure }: RunOutcome): string {
  if (status === 'completed') return typeof output === 'string' ? output : JSON.stringify(output ?? null);
  return status === 'failed' ? `The work failed: ${failure?.message ?? ''}` : `The work was ${status}.`;
}
