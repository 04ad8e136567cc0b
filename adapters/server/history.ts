/** Turns of a thread that were not told to this process as they happened: read from the history. */
import { INTERRUPTED_NOTICE, isCall } from '../../machines/history.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { RunMark } from '../../machines/protocol/thread.ts';
import type { TurnStatus, WireItem, WireTurn } from './shapes.ts';
import type { PastLook } from './source.ts';
import { callItem, endedCall, noticeItem, userItem, wholeItem } from './toItem.ts';

const STATUS: Readonly<Record<RunMark['status'], TurnStatus>> = { completed: 'completed', failed: 'failed', stopped: 'interrupted', interrupted: 'interrupted' };

interface Shown { threadId: string; cwd: string; /** Turns as they were told. */ told: ReadonlyMap<string, WireTurn> }

/** All that have ended. What a thread was given before its first run, by a fork mostly, is shown as one turn. */
export function turnsOf({ history, runs, agent }: PastLook, { threadId, cwd, told }: Shown): WireTurn[] {
  const [first] = runs;
  const given = first ? history.slice(0, first.from ?? 0) : history;
  const items = itemsOf(`${threadId}/given`, given, { agent, cwd });
  const turns = runs.map((mark) => told.get(mark.runId) ?? turnOf(mark, history, { agent, cwd }));
  return items.length > 0 ? [{ ...NO_TIMES, id: `${threadId}/given`, items, itemsView: 'full', status: 'completed' }, ...turns] : turns;
}

/** Times are not known of a turn that is read from the history. */
const NO_TIMES = { error: null, startedAt: null, completedAt: null, durationMs: null };

function turnOf({ runId, from, to, status }: RunMark, history: readonly AgentInputItem[], about: { agent: string; cwd: string }): WireTurn {
  const items = from === null ? [] : itemsOf(runId, history.slice(from, to ?? undefined), about);
  return { ...NO_TIMES, id: runId, items, itemsView: from === null ? 'notLoaded' : 'full', status: STATUS[status] };
}

/** Calls with their results; one without is told as failed. */
export function itemsOf(turnId: string, history: readonly AgentInputItem[], { agent, cwd }: { agent: string; cwd: string }): WireItem[] {
  const results = new Map(history.flatMap((item) => (isResult(item) ? [[item.callId, item] as const] : [])));
  return history.flatMap((item, at): WireItem[] => {
    if (isResult(item)) return [];
    const id = `${turnId}/history.${at}`;
    const user = isNotice(item) ? noticeItem(id, 'interrupted', item) : userItem(id, null, item);
    if (user) return [user];
    const place = { id, agent, cwd };
    const call = isCall(item) ? callItem(place, item) : undefined;
    if (!call || !('callId' in item)) return [wholeItem(place, item) ?? []].flat();
    const result = results.get(item.callId as string) ?? null; // calls of this process have one
    return [endedCall(call, { status: result && !isCut(result) ? 'completed' : 'failed', result, durationMs: null })];
  });
}

type Result = Extract<AgentInputItem, { type: 'function_call_result' | 'computer_call_result' | 'shell_call_output' | 'apply_patch_call_output' }>;

const isResult = (item: AgentInputItem): item is Result =>
  item.type === 'function_call_result' || item.type === 'computer_call_result' || item.type === 'shell_call_output' || item.type === 'apply_patch_call_output';
/** Who wrote an item, the history does not say; this one nobody else writes. */
const isNotice = (item: AgentInputItem) => 'role' in item && item.role === 'user' && item.content === INTERRUPTED_NOTICE;
const isCut = (item: Result) => 'status' in item && (item.status === 'incomplete' || item.status === 'failed');
