/** Requests about threads as a whole. */
import { randomUUID } from 'node:crypto';
import type { Connection, Reply } from '../connection.ts';
import { RequestFault, turnNotFound } from '../fault.ts';
import type { LoadedThread } from '../loadedThread.ts';
import { type PageKey, pageBehind, pageOf } from '../paging.ts';
import { type ParamsOf, type ThreadSettings, itemsIn } from '../requestSchemas.ts';
import type { WireTurn } from '../shapes.ts';
import type { ThreadEntry } from '../source.ts';
import type { Threads } from '../threads.ts';
import { taken } from './receipts.ts';

export async function startThread(threads: Threads, params: ParamsOf<'thread/start'>, connection: Connection): Promise<Reply> {
  const { ephemeral = false, threadSource, ...settings } = params;
  if (threadSource === 'thread_title') throw new RequestFault('threads have no titles here'); // the agent would be asked for one, with all its tools
  const loaded = await threads.start(settings, ephemeral);
  threads.join(loaded, connection);
  if (settings.developerInstructions) await loaded.thread.inject([{ role: 'system', content: settings.developerInstructions }]);
  return { result: opened(threads, loaded), after: () => announced(threads, loaded, settings) };
}

export async function resumeThread(threads: Threads, params: ParamsOf<'thread/resume'>, connection: Connection): Promise<Reply> {
  const { threadId, excludeTurns = false, ...settings } = params;
  const loaded = await threads.open(threadId, settings);
  loaded.settings = { ...loaded.settings, ...given(settings) };
  threads.join(loaded, connection);
  const turns = excludeTurns ? [] : loaded.turns();
  return {
    result: { ...opened(threads, loaded, turns), initialTurnsPage: null, turnsBackwardsCursor: null, itemsBackwardsCursor: null },
    after: () => {
      loaded.replay(connection);
      warnUnheeded(loaded, settings);
    },
  };
}

export async function forkThread(threads: Threads, params: ParamsOf<'thread/fork'>, connection: Connection): Promise<Reply> {
  const { threadId, lastTurnId, beforeTurnId, excludeTurns = false, ephemeral, ...settings } = params;
  if (lastTurnId !== undefined && beforeTurnId !== undefined) throw new RequestFault('lastTurnId and beforeTurnId cannot be combined');
  if (ephemeral) throw new RequestFault('a fork is kept where its source is kept; ephemeral is not supported');
  const source = await threads.open(threadId);
  const at = lastTurnId !== undefined ? throughTurn(source, lastTurnId) : beforeTurnId !== undefined ? beforeTurn(source, beforeTurnId) : undefined;
  const thread = await source.thread.fork({ threadId: randomUUID(), ...(at && { at }) });
  const loaded = threads.adopt(thread, { ...source.settings, ...given(settings) }, source);
  threads.join(loaded, connection);
  threads.settle(source);
  return { result: opened(threads, loaded, excludeTurns ? [] : loaded.turns()), after: () => announced(threads, loaded, settings) };
}

export async function listThreads(threads: Threads, params: ParamsOf<'thread/list'>): Promise<Reply> {
  const { sortKey = 'created_at', sortDirection = 'desc', searchTerm } = params;
  if (params.archived || params.sectionId !== undefined) return { result: { data: [], nextCursor: null, backwardsCursor: null } };
  const time = sortKey === 'created_at' ? 'createdAt' : 'updatedAt';
  const keyOf = (entry: ThreadEntry): PageKey => [entry[time], entry.id];
  const entries = await threads.options.source.list();
  const wanted = searchTerm?.toLowerCase();
  const shown = wanted === undefined ? undefined : new Map(await Promise.all(entries.map(async (entry) => [entry.id, await threads.shownEntry(entry)] as const)));
  const found = wanted === undefined ? entries : entries.filter(({ id }) => shown!.get(id)!.preview.toLowerCase().includes(wanted));
  const { data, nextCursor } = pageBehind(found, { ...params, keyOf, sortDirection });
  return { result: { data: await Promise.all(data.map((entry) => threads.shownEntry(entry))), nextCursor, backwardsCursor: null } };
}

export const listLoaded = (threads: Threads, params: ParamsOf<'thread/loaded/list'>): Reply => ({ result: pageOf(threads.loadedIds, params) });

export async function readThread(threads: Threads, { threadId, includeTurns = false }: ParamsOf<'thread/read'>): Promise<Reply> {
  return { result: { thread: await threads.read(threadId, includeTurns) } };
}

export async function listTurns(threads: Threads, { threadId, sortDirection = 'desc', itemsView = 'summary', ...page }: ParamsOf<'thread/turns/list'>): Promise<Reply> {
  const turns = ordered(await threads.turns(threadId), sortDirection);
  const { data, nextCursor } = pageOf(turns, page);
  return { result: { data: data.map((turn) => ({ ...turn, ...partOf(turn, itemsView) })), nextCursor, backwardsCursor: null } };
}

export async function listItems(threads: Threads, { threadId, turnId, sortDirection = 'asc', ...page }: ParamsOf<'thread/items/list'>): Promise<Reply> {
  const turns = await threads.turns(threadId);
  if (turnId !== undefined && !turns.some(({ id }) => id === turnId)) throw turnNotFound(turnId);
  const items = turns.filter(({ id }) => turnId === undefined || id === turnId).flatMap((turn) => turn.items.map((item) => ({ turnId: turn.id, item })));
  return { result: { ...pageOf(ordered(items, sortDirection), page), backwardsCursor: null } };
}

export async function revertThread(threads: Threads, { threadId, beforeTurnId }: ParamsOf<'thread/revert'>): Promise<Reply> {
  const loaded = threads.get(threadId);
  const to = beforeTurn(loaded, beforeTurnId);
  taken(await loaded.windDown(() => loaded.thread.revert(to)));
  return { result: { thread: threads.shown(loaded), turnsBackwardsCursor: null, itemsBackwardsCursor: null } };
}

export function unsubscribe(threads: Threads, { threadId }: ParamsOf<'thread/unsubscribe'>, connection: Connection): Reply {
  const loaded = threads.find(threadId);
  if (!loaded) return { result: { status: 'notLoaded' } };
  return { result: { status: threads.leave(loaded, connection) ? 'unsubscribed' : 'notSubscribed' } };
}

export async function compact(threads: Threads, { threadId }: ParamsOf<'thread/compact/start'>, connection: Connection): Promise<Reply> {
  const loaded = threads.get(threadId);
  const { value, release } = await connection.holding(threadId, () => loaded.thread.compact());
  taken(value);
  return { result: {}, after: release };
}

export async function injectItems(threads: Threads, { threadId, items }: ParamsOf<'thread/inject_items'>): Promise<Reply> {
  taken(await threads.get(threadId).thread.inject(itemsIn(items)));
  return { result: {} };
}

// -- what they share --------------------------------------------------------------------------------------------------

/** What tools may do, and when a person is asked, is up to the agents; nothing here confines them. */
const APPROVAL_POLICY = 'on-request';

function opened(threads: Threads, loaded: LoadedThread, turns: WireTurn[] = []) {
  return {
    thread: threads.shown(loaded, turns),
    model: threads.modelOf(loaded.settings),
    modelProvider: 'loopchart',
    serviceTier: null,
    disabledPluginIds: [],
    cwd: threads.options.cwd,
    runtimeWorkspaceRoots: [],
    instructionSources: [],
    approvalPolicy: APPROVAL_POLICY,
    approvalsReviewer: 'user',
    sandbox: { type: 'dangerFullAccess' },
    activePermissionProfile: null,
    reasoningEffort: null,
    multiAgentMode: 'explicitRequestOnly',
  };
}

function announced(threads: Threads, loaded: LoadedThread, settings: ThreadSettings): void {
  loaded.tell({ method: 'thread/started', params: { thread: threads.shown(loaded) } });
  warnUnheeded(loaded, settings);
}

const UNHEEDED = ['approvalPolicy', 'sandbox', 'sandboxPolicy', 'permissions', 'cwd', 'outputSchema', 'dynamicTools', 'additionalContext', 'collaborationMode'] as const;

/** Clients of the protocol send them; that they change nothing is said, not hidden. */
export function warnUnheeded(loaded: LoadedThread, settings: Partial<Record<(typeof UNHEEDED)[number], unknown>>): void {
  const told: Partial<Record<string, unknown>> = { cwd: loaded.options.cwd, approvalPolicy: APPROVAL_POLICY }; // who sends that back wants no change
  const asksFor = (value: unknown) => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
  const named = UNHEEDED.filter((name) => asksFor(settings[name]) && settings[name] !== told[name]);
  if (named.length > 0) loaded.warn(`Not changed, since agents and tools decide about it here: ${named.join(', ')}.`);
}

const given = (settings: ThreadSettings) => Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));

function throughTurn(loaded: LoadedThread, turnId: string): { runId: string } {
  if (loaded.turn?.id === turnId) throw new RequestFault(`lastTurnId '${turnId}' identifies an in-progress turn`);
  if (!loaded.thread.look.runs.some(({ runId }) => runId === turnId)) throw turnNotFound(turnId);
  return { runId: turnId };
}

function beforeTurn(loaded: LoadedThread, turnId: string): { runId: string | null } {
  const { runs } = loaded.thread.look;
  if (loaded.turn?.id === turnId) return { runId: runs.at(-1)?.runId ?? null };
  const at = runs.findIndex(({ runId }) => runId === turnId);
  if (at < 0) throw turnNotFound(turnId);
  return { runId: runs[at - 1]?.runId ?? null };
}

const ordered = <Value>(all: readonly Value[], direction: 'asc' | 'desc'): Value[] => (direction === 'asc' ? [...all] : [...all].reverse());

/** A summary is what was asked and what was answered. */
function partOf({ items }: WireTurn, view: WireTurn['itemsView']): Pick<WireTurn, 'items' | 'itemsView'> {
  if (view === 'full') return { items, itemsView: 'full' };
  if (view === 'notLoaded') return { items: [], itemsView: 'notLoaded' };
  const answer = items.findLast(({ type }) => type === 'agentMessage');
  return { items: items.filter((item) => item.type === 'userMessage' || item === answer), itemsView: 'summary' };
}
