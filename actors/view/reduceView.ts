/** What there is to see after one more event: the same whether it comes live or is read again, for deltas leave nothing behind. */
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { ItemOrigin } from '../../machines/protocol/outcome.ts';
import type { RunEvent } from '../runEvents.ts';
import { type Actors, begun, changed as actorChanged, ended } from './actors.ts';
import { argumentsOf, textOfItem, textOfResult } from './itemText.ts';
import { isBackground, isOuter, isWithin, outerRunOf, outerTurnOf } from './paths.ts';
import { type Entries, added, changed, changedCall, entriesOf, entryOf, inputEntryOf, isMessage, placed, removed, streamId, streamed } from './transcript.ts';
import { EMPTY_VIEW, type Entry, type ThreadView, type ToolCallEntry, type ViewLimits } from './types.ts';

type Of<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;
type Change = Partial<ThreadView>;
type Placing = Parameters<typeof placed>[0];

/**
 * The view after an event. Pure: what has not changed is the same object as before.
 *
 * @example
 * ```ts
 * import { type Agent, type Journal, readEvents } from 'loopchart';
 * import { EMPTY_VIEW, reduceView } from 'loopchart/view';
 *
 * async function transcriptOf(runId: string, journal: Journal, agents: Agent) {
 *   let view = EMPTY_VIEW;
 *   for await (const event of readEvents(runId, { journal, agents })) view = reduceView(view, event);
 *   return view.transcript;
 * }
 * ```
 */
export function reduceView(view: ThreadView, event: RunEvent, { keepEntries = 1_000 }: ViewLimits = {}): ThreadView {
  if (typeof event.number === 'number' && event.number <= view.number) return view; // it is in it already
  const change = changeOf(view, event);
  const number = typeof event.number === 'number' ? event.number : view.number;
  if (!change && number === view.number) return view;
  const next = { ...view, ...change, number };
  if (next.transcript.length > keepEntries) next.transcript = next.transcript.slice(-keepEntries);
  return next;
}

/** The view of events alone. */
export const viewOf = (events: Iterable<RunEvent>, limits?: ViewLimits): ThreadView => {
  let view = EMPTY_VIEW;
  for (const event of events) view = reduceView(view, event, limits);
  return view;
};

function changeOf(view: ThreadView, event: RunEvent): Change | undefined {
  const { transcript, actors } = view;
  switch (event.type) {
    case 'run.started':
      return { actors: begun(actors, { path: event.path, kind: 'run', agent: event.agent, word: 'running' }), ...(isMain(event) && { state: 'active', phase: 'running', activeRunId: event.path, agent: event.agent }) };
    case 'agent.started':
      return { actors: begun(actors, { path: event.path, kind: 'agent', agent: event.agent, word: 'running' }), ...(isOfMain(event) && { agent: event.agent }) };
    case 'turn.started':
      return { actors: begun(without(actors, 'compacting'), { path: event.path, kind: 'turn', agent: event.agent, word: 'running', phase: 'sampling' }) };
    case 'delta':
      return event.data.type === 'output_text_delta' ? { transcript: streamed(transcript, event, event.data.delta) } : undefined;
    case 'deltas.dropped':
      return { transcript: transcript.map((entry) => (entry.kind === 'assistant' && entry.status === 'streaming' ? { ...entry, hasGaps: true } : entry)) };
    case 'turn.retrying':
      return retrying(view, event);
    case 'turn.settled':
      return turnSettled(view, event);
    case 'item.started':
      return itemStarted(view, event);
    case 'item.completed':
      return itemCompleted(view, event);
    case 'tool.started':
      return { transcript: changedCall(transcript, event.id, { status: 'running' }), actors: actorChanged(actors, event.id, { word: 'running', phase: 'executing' }) };
    case 'tool.progress':
      return { transcript: changedCall(transcript, event.id, { progress: event.value }) };
    case 'tool.late':
      return { transcript: changedCall(transcript, event.id, { late: event.output }) };
    case 'approval.requested':
      return requested(view, event);
    case 'approval.resolved':
      return resolved(view, event);
    case 'handoff.requested':
      return { actors: actorChanged(withoutInner(actors, event.path), event.path, { word: 'handoff' }) };
    case 'handoff.occurred':
      return { ...handedOff(view, event), actors: actorChanged(actors, event.path, { word: 'running', agent: event.target }) };
    case 'run.awaitingApproval':
      return { actors: actorChanged(actors, event.path, { word: 'awaitingApproval' }), ...(isMain(event) && { phase: 'awaitingApproval' }) };
    case 'run.resumed':
      return { actors: actorChanged(actors, event.path, { word: 'running' }), ...(isMain(event) && { phase: 'running' }) };
    case 'run.settled':
      return runSettled(view, event);
    default:
      return changeOfThread(view, event);
  }
}

/** What a thread tells of itself, and input. */
function changeOfThread(view: ThreadView, event: RunEvent): Change | undefined {
  switch (event.type) {
    case 'thread.started':
      return { agent: event.agent };
    case 'thread.changed':
      return { state: event.state, phase: event.phase ?? null, agent: event.agent, activeRunId: event.runId ?? null };
    case 'queue.changed':
      return { queue: event.queue };
    case 'mailbox.changed':
      return { mailbox: event.mailbox };
    case 'rules.changed':
      return { rules: event.rules };
    case 'goal.changed':
      return { goal: event.goal };
    case 'input.accepted':
      return { transcript: withInput(view.transcript, event, event.source ? 'delivered' : 'accepted') }; // a run begins with it, or it waits for a safe point
    case 'input.delivered':
      return { transcript: withInput(view.transcript, event, 'delivered') };
    case 'input.dropped':
      return { transcript: dropped(view.transcript, event) };
    case 'history.injected':
      return { transcript: entriesOf(event.items, (at) => ({ ...placed(event, `${event.number}/${at}`), runId: '' })).reduce<Entries>(added, view.transcript) };
    case 'thread.reverted':
      return { transcript: added(upTo(view.transcript, event.to), notice(event, 'revert', 'The conversation goes on from here.')), pending: [] };
    default:
      return changeOfConfigured(view, event);
  }
}

/** Told where there are limits, stop hooks, and input that does not wait. */
function changeOfConfigured(view: ThreadView, event: RunEvent): Change | undefined {
  const { transcript, actors } = view;
  switch (event.type) {
    case 'turn.retracted':
      return { transcript: retracted(transcript, event) };
    case 'stopHook.objected':
      return event.overruled && { transcript: added(transcript, notice(event, 'stopHook', event.objections.map(({ text }) => text).join(' '))) }; // else the model reads it, and it comes as input
    case 'compaction.started':
      return { actors: actorChanged(actors, event.path, { phase: 'compacting' }) };
    case 'compaction.completed':
      return { transcript: added(transcript, entryOf(event.record.rawItem, placed(event, `${event.path}/${event.number}`))), actors: actorChanged(actors, event.path, { phase: undefined }) };
    case 'compaction.failed':
      return { transcript: added(transcript, notice(event, 'compaction', event.failure.message)) };
    default:
      return undefined;
  }
}

/** What streamed is taken back, but for what was complete of it. */
function retracted(transcript: Entries, event: Placing & { kept?: AgentInputItem[] }): Entries {
  const stays = (event.kept ?? []).filter(isMessage).map(textOfItem).join('');
  const left = removed(transcript, streamId(event.path));
  return stays && left !== transcript ? streamed(left, event, stays) : left;
}

function retrying(view: ThreadView, event: Of<'turn.retrying'>): Change {
  const { path, at, failure } = event;
  return {
    transcript: retracted(view.transcript, event),
    actors: actorChanged(view.actors, path, { phase: 'backingOff' }),
    errors: [...view.errors, { path, at, code: failure.code, text: failure.message, isRetried: true }].slice(-KEPT_ERRORS),
  };
}

/** What streamed and did not become an item is taken back. */
function turnSettled({ transcript, actors }: ThreadView, { path, next }: Of<'turn.settled'>): Change {
  return { transcript: removed(transcript, streamId(path)), actors: ended(actors, path, next === 'interrupted' ? 'interrupted' : 'settled') };
}

function itemStarted({ transcript, actors }: ThreadView, event: Of<'item.started'>): Change {
  const { id, path, item, agent } = event;
  const before = isMessage(item) ? removed(transcript, streamId(path)) : transcript;
  if (!id.includes('/toolCall.', path.length)) {
    if (item.type !== 'function_call') return { transcript: added(before, entryOf(item, placed(event, id))) };
    return { transcript: added(before, { ...placed(event, id), kind: 'handoff', target: item.name, status: 'requested' }) }; // the one call that no actor carries out
  }
  const started = actorChanged(actors, path, { phase: 'acting' });
  return { transcript: added(before, entryOf(item, placed(event, id))), actors: begun(started, { path: id, kind: 'toolCall', agent, word: 'running' }) };
}

function itemCompleted({ transcript, actors, pending }: ThreadView, { id, status, item, display, error }: Of<'item.completed'>): Change {
  const transcribed = changed(transcript, id, (entry) => {
    if (entry.kind === 'assistant' && status === 'incomplete') return { ...entry, status };
    if (entry.kind !== 'toolCall' || status === 'incomplete') return entry;
    const { progress: _over, ...rest } = entry;
    return { ...rest, status, ...resultOf(item), ...(display === undefined ? {} : { display }), ...(error && { error }) };
  });
  const word = status === 'aborted' ? 'interrupted' : 'settled';
  return { transcript: transcribed, actors: ended(actors, id, word), pending: pending.filter(({ path }) => path !== id) };
}

/** Without a result of its own a call ends with itself. */
function resultOf(item: Of<'item.completed'>['item']): Pick<ToolCallEntry, 'result'> {
  return item && 'output' in item ? { result: textOfResult(item) } : {};
}

function requested({ transcript, actors, pending }: ThreadView, event: Of<'approval.requested'>): Change {
  const { id, path, agent, call, uncertain, questions, reason, expiresAt } = event;
  const request = {
    id, path, agent, tool: call.name, arguments: argumentsOf(call.item), kind: uncertain ? 'uncertain' as const : questions ? 'question' as const : 'approval' as const,
    ...(questions && { questions }), ...(reason === undefined ? {} : { reason }), ...(expiresAt === undefined ? {} : { expiresAt }),
  };
  return { transcript: changedCall(transcript, path, { status: 'awaitingApproval' }), actors: actorChanged(actors, path, { word: 'awaitingApproval' }), pending: [...pending.filter((one) => one.id !== id), request] };
}

function resolved({ transcript, actors, pending }: ThreadView, { id, path }: Of<'approval.resolved'>): Change {
  return { transcript: changedCall(transcript, path, { status: 'called' }), actors: actorChanged(actors, path, { word: 'running' }), pending: pending.filter((one) => one.id !== id) };
}

/** The call that asked for it stands in the conversation already. */
function handedOff(view: ThreadView, event: Of<'handoff.occurred'>): Change {
  const at = view.transcript.findLastIndex(({ kind, path }) => kind === 'handoff' && isWithin(path, event.path));
  const asked = at < 0 ? undefined : view.transcript[at];
  const entry: Entry = { ...(asked ?? placed(event, `${event.number}`)), kind: 'handoff', target: event.target, status: 'occurred' } as Entry; // what it has of a handoff is given here
  return { transcript: asked ? changed(view.transcript, asked.id, () => entry) : added(view.transcript, entry), ...(isMain(event) && { agent: event.target }) };
}

function runSettled(view: ThreadView, event: Of<'run.settled'>): Change {
  const { path, at, outcome: { status, failure } } = event;
  const left = view.transcript.filter((entry) => !(entry.kind === 'assistant' && entry.status === 'streaming' && isWithin(entry.path, path)));
  const kept = failure?.code === 'outputGuardrail' ? withheld(left, path) : left;
  const word = status === 'interrupted' ? 'interrupted' : 'settled';
  return {
    transcript: isOuter(path) ? withEnd(kept, event) : kept,
    actors: ended(view.actors, path, word),
    pending: view.pending.filter((one) => !isWithin(one.path, path)),
    errors: failure ? [...view.errors, { path, at, code: failure.code, text: failure.message, isRetried: false }].slice(-KEPT_ERRORS) : view.errors,
    ...(isMain(event) && { state: 'idle', phase: null, activeRunId: null }),
  };
}

function withEnd(entries: Entries, event: Of<'run.settled'>): Entries {
  const { status, failure } = event.outcome;
  if (failure) return added(entries, { ...placed(event, `${event.number}`), kind: 'error', code: failure.code, text: failure.message });
  if (status === 'completed') return entries;
  return added(entries, notice(event, status, status === 'stopped' ? 'The run was stopped.' : 'The run was interrupted.'));
}

/** The output that a guardrail objected to is that of the last turn: its messages, or the results that were to be the answer (E3). */
function withheld(entries: Entries, run: string): Entries {
  const isOwn = ({ path, depth }: Entry) => isWithin(path, run) && depth === run.split('/toolCall.').length - 1;
  const turn = entries.findLast((entry) => isOwn(entry) && (entry.kind === 'assistant' || entry.kind === 'toolCall'))?.path;
  if (turn === undefined) return entries;
  const hasMessage = entries.some(({ path, kind }) => path === turn && kind === 'assistant');
  return entries.map((entry) => {
    if (entry.path !== turn) return entry;
    if (entry.kind === 'assistant') return { ...entry, text: '', status: 'withheld' };
    return entry.kind === 'toolCall' && !hasMessage ? { ...entry, result: WITHHELD, display: undefined } : entry;
  });
}

/** A steer stands where the model reads it, not where it was said. */
function withInput(entries: Entries, event: Of<'input.accepted' | 'input.delivered'>, status: 'accepted' | 'delivered'): Entries {
  const { origin, origins } = event as { origin?: ItemOrigin; origins?: ItemOrigin[] }; // as far as a person did not write it
  return event.items.reduce<Entries>((before, item, at) => {
    const id = event.ids[at] ?? `${event.ids[0] ?? `${event.path}/${event.number}`}.${at}`;
    return added(removed(before, id), inputEntryOf(item, placed(event, id), origins?.[at] ?? origin, status));
  }, entries);
}

/** Only of what was shown there is something to say. */
function dropped(entries: Entries, { ids, reason }: Of<'input.dropped'>): Entries {
  return ids.reduce((before, id) => changed(before, id, (entry) => (entry.kind === 'user' || entry.kind === 'mail' ? { ...entry, status: 'dropped', reason } : entry)), entries);
}

function upTo(entries: Entries, { runId, turn }: Of<'thread.reverted'>['to']): Entries {
  const last = entries.findLastIndex((entry) => entry.runId === runId && (turn === undefined || (outerTurnOf(entry.path) ?? 0) <= turn));
  return entries.slice(0, last + 1);
}

const notice = (event: Placing & Pick<RunEvent, 'number'>, of: string, text: string): Entry => ({ ...placed(event, `${event.number}`), kind: 'notice', of, text });
/** One that failed ends with the next turn. */
const without = (actors: Actors, phase: 'compacting'): Actors => (actors.some((actor) => actor.phase === phase) ? actors.map((actor) => (actor.phase === phase ? { ...actor, phase: undefined } : actor)) : actors);
const withoutInner = (actors: Actors, path: string): Actors => actors.filter((actor) => actor.path === path || !isWithin(actor.path, path));
/** The run that has the floor, and not one inside it or beside it. */
const isMain = ({ path }: { path: string }) => isOuter(path) && !isBackground(path);
const isOfMain = ({ path }: { path: string }) => isMain({ path: outerRunOf(path) }) && !path.includes('/toolCall.');
const WITHHELD = 'Output withheld by an output guardrail.';
const KEPT_ERRORS = 50;
