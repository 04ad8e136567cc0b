/** Turns of a thread that this process has not seen: read from its history. */
import type { ThreadLook } from '../../actors/thread/types.ts';
import { isCall } from '../../machines/history.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { RunMark } from '../../machines/protocol/thread.ts';
import type { TurnStatus, WireItem, WireTurn } from './shapes.ts';
import { callItem, endedCall, userItem, wholeItem } from './toItem.ts';

const STATUS: Readonly<Record<RunMark['status'], TurnStatus>> = { completed: 'completed', failed: 'failed', stopped: 'interrupted', interrupted: 'interrupted' };

/** @param seen turns as they were shown in this process. */
export function turnsOf(look: Pick<ThreadLook, 'history' | 'runs' | 'agent'>, cwd: string, seen: ReadonlyMap<string, WireTurn> = new Map()): WireTurn[] {
  return look.runs.map((mark) => seen.get(mark.runId) ?? turnOf(mark, look, cwd));
}

/** Times are not known of a turn that is read from the history. */
function turnOf({ runId, from, to, status }: RunMark, { history, agent }: Pick<ThreadLook, 'history' | 'agent'>, cwd: string): WireTurn {
  const items = from === null ? [] : itemsOf(runId, history.slice(from, to ?? undefined), { agent, cwd });
  return { id: runId, items, itemsView: from === null ? 'notLoaded' : 'full', status: STATUS[status], error: null, startedAt: null, completedAt: null, durationMs: null };
}

/** Calls with their results; one without is told as failed. */
export function itemsOf(turnId: string, history: readonly AgentInputItem[], { agent, cwd }: { agent: string; cwd: string }): WireItem[] {
  const results = new Map(history.flatMap((item) => (isResult(item) ? [[item.callId, item] as const] : [])));
  return history.flatMap((item, at): WireItem[] => {
    if (isResult(item)) return [];
    const id = `${turnId}/history.${at}`;
    const user = userItem(id, null, item);
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
const isCut = (item: Result) => 'status' in item && (item.status === 'incomplete' || item.status === 'failed');
