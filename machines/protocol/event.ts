import type { Call, CallResult, Response } from './call.ts';
import type { Decision } from './command.ts';
import type { Failure } from './failure.ts';
import type { AgentInputItem } from './item.ts';
import type { ItemRecord, RunOutcome, TurnNext } from './outcome.ts';

/**
 * What the charts announce with `emit`. What a host sees anyway, because it carries out the effects, it adds as {@link EffectEvent}.
 * Embedders listen with `actor.on(type, …)`; the front door turns both into the numbered lifecycle events and into the stream of
 * the Agents SDK. The same on replay.
 */
export type LoopEvent =
  | { type: 'run.started'; path: string; agent: string }
  | { type: 'agent.started'; path: string; agent: string }
  | { type: 'input.delivered'; path: string; agent: string; ids: string[]; items: AgentInputItem[] }
  /** `kept`: items of the answer that stand; all else of it that was streamed is taken back (K2). */
  | { type: 'turn.retrying'; path: string; agent: string; attempt: number; delayMs: number; failure: Failure; kept?: AgentInputItem[] }
  | { type: 'turn.cut'; path: string; agent: string; item: AgentInputItem }
  /** `uncertain`: the call has begun before, and nobody knows whether it had its effect (O3). */
  | { type: 'approval.requested'; path: string; agent: string; id: string; call: Call; uncertain?: true }
  | { type: 'approval.resolved'; path: string; agent: string; id: string; call: Call; decision: Decision['decision'] | 'withdrawn' }
  /** With neither result nor failure the call was suspended as it waited. */
  | { type: 'call.settled'; path: string; agent: string; call: Call; result: CallResult | null; failure: Failure | null }
  | { type: 'turn.settled'; path: string; agent: string; turn: number; next: TurnNext; guard: string }
  | { type: 'handoff.requested'; path: string; agent: string; target: string }
  | { type: 'handoff.occurred'; path: string; agent: string; target: string; records: ItemRecord[] }
  /** Sizes in tokens, as far as they are known. */
  | { type: 'compaction.started'; path: string; agent: string; size: number }
  /** `dropped`: the oldest items, which the model that summed up could not be shown. */
  | { type: 'compaction.completed'; path: string; agent: string; before: number; after: number; dropped: number; record: ItemRecord }
  | { type: 'guardrail.tripped'; path: string; agent: string; failure: Failure }
  | { type: 'run.awaitingApproval'; path: string; agent: string }
  | { type: 'run.resumed'; path: string; agent: string }
  | { type: 'run.settled'; path: string; agent: string; outcome: RunOutcome };

/** What is seen from outside the charts when the model is asked, and when it has answered. */
export type EffectEvent =
  | { type: 'turn.started'; path: string; agent: string; turn: number }
  | { type: 'turn.responded'; path: string; agent: string; attempt: number; response: Response; carried: boolean };
