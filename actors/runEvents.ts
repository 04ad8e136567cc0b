/** The lifecycle events of a run. */
import type { Call } from '../machines/protocol/call.ts';
import type { EffectEvent, LoopEvent } from '../machines/protocol/event.ts';
import type { ErrorRecord } from '../machines/protocol/failure.ts';
import type { AgentInputItem, StreamEvent } from '../machines/protocol/item.ts';

export type ItemStatus = 'completed' | 'failed' | 'declined' | 'aborted' | 'incomplete' | 'suspended';
export type Started = Extract<EffectEvent, { type: 'turn.started' }>;
export type Announced = Exclude<LoopEvent, { type: 'call.settled' | 'turn.cut' | 'call.ready' }> | Started;

/** What happens inside a run. Numbers are the same when the run is replayed; deltas are not replayed (I1). */
export type RunEvent = { number: number | string; at: number; cause: string } & (
  | Announced
  | { type: 'item.started'; id: string; path: string; agent: string; item: AgentInputItem }
  | { type: 'item.completed'; id: string; path: string; agent: string; status: ItemStatus; item: AgentInputItem | null; display?: unknown; error?: ErrorRecord }
  | { type: 'tool.started'; id: string; path: string; agent: string; call: Call }
  | { type: 'tool.progress'; id: string; path: string; agent: string; value: unknown }
  /** A body that had been left behind has ended all the same (C8); the model does not read it. May follow the end of the run. */
  | { type: 'tool.late'; id: string; path: string; agent: string; output: unknown }
  | { type: 'delta'; path: string; agent: string; data: StreamEvent }
  /** In place of so many deltas and words of progress, of whatever turn: this reader was too slow for them (I5). */
  | { type: 'deltas.dropped'; path: string; agent: string; dropped: number }
);
