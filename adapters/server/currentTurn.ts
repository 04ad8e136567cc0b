/** The turn that is going: one run of the thread. */
import type { TurnError, TurnStatus, WireItem, WireTurn } from './shapes.ts';

export interface CurrentTurn {
  id: string;
  /** In the order in which they began. */
  items: Map<string, WireItem>;
  status: TurnStatus;
  error: TurnError | null;
  /** In ms. */
  startedAt: number;
  endedAt: number | null;
}

export function beginTurn(id: string, at: number, items: readonly WireItem[] = []): CurrentTurn {
  return { id, items: new Map(items.map((item) => [item.id, item])), status: 'inProgress', error: null, startedAt: at, endedAt: null };
}

export function shownTurn({ id, items, status, error, startedAt, endedAt }: CurrentTurn): WireTurn {
  return { id, items: [...items.values()], itemsView: 'full', status, error, startedAt: secondsOf(startedAt), completedAt: endedAt === null ? null : secondsOf(endedAt), durationMs: endedAt === null ? null : endedAt - startedAt };
}

export const secondsOf = (ms: number): number => Math.floor(ms / 1000);
