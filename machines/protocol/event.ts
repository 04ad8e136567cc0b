import type { Call, CallResult, Question, Response } from './call.ts';
import type { Decision } from './command.ts';
import type { Failure } from './failure.ts';
import type { AgentInputItem } from './item.ts';
import type { DropReason, ItemOrigin, ItemRecord, RunOutcome, TurnNext } from './outcome.ts';
import type { CommandAnswer, Goal, HistoryPoint, Mail, QueueEntry, RunSource, SessionRule, ThreadCommand, ThreadInput, ThreadState } from './thread.ts';

/**
 * What the charts announce with `emit`. What a host sees anyway, because it carries out the effects, it adds as {@link EffectEvent}.
 * Embedders listen with `actor.on(type, …)`; the front door turns both into the numbered lifecycle events and into the stream of
 * the Agents SDK. The same on replay.
 */
export type LoopEvent =
  | ThreadEvent
  | { type: 'run.started'; path: string; agent: string }
  | { type: 'agent.started'; path: string; agent: string }
  /** `source`: a run of a thread begins with it, for this reason; without one it joins the run that is going. */
  | { type: 'input.accepted'; path: string; agent: string; ids: string[]; items: AgentInputItem[]; source?: RunSource; origin?: ItemOrigin }
  /** `turn`: the one whose request shows it. `origins`: of each item, where one is not of the user (P4). */
  | { type: 'input.delivered'; path: string; agent: string; turn: number; ids: string[]; items: AgentInputItem[]; origins?: ItemOrigin[] }
  /** It reaches no model in this run. `guardrail`: the one that tripped on it (E6). */
  | { type: 'input.dropped'; path: string; agent: string; ids: string[]; items: AgentInputItem[]; reason: DropReason; guardrail?: string }
  /** `overruled`: a limit forbids the further turn, and the run completes with the output it has (A3). */
  | { type: 'stopHook.objected'; path: string; agent: string; turn: number; objections: { hook: string; text: string }[]; overruled?: true }
  /** `kept`: items of the answer that stand; all else of it that was streamed is taken back (K2). */
  | { type: 'turn.retrying'; path: string; agent: string; attempt: number; delayMs: number; failure: Failure; kept?: AgentInputItem[] }
  | { type: 'turn.cut'; path: string; agent: string; item: AgentInputItem; at: number }
  /** Input that could not wait has cut the answer: `kept` stands, all else of it that was streamed is taken back (L2). */
  | { type: 'turn.retracted'; path: string; agent: string; kept: AgentInputItem[] }
  /** A call of an answer that is not complete yet; `id` is the path of the call (C4). */
  | { type: 'call.ready'; path: string; agent: string; id: string; call: Call }
  /**
   * `uncertain`: the call has begun before, and nobody knows whether it had its effect (O3). `questions` have to be answered (D8).
   * `reason` is what the body itself gave, which wants to be approved before it goes on (D9).
   */
  | { type: 'approval.requested'; path: string; agent: string; id: string; call: Call; uncertain?: true; questions?: readonly Question[]; reason?: string; expiresAt?: number }
  | { type: 'approval.resolved'; path: string; agent: string; id: string; call: Call; decision: Decision['decision'] | 'withdrawn' | 'expired' }
  /** With neither result nor failure the call was suspended as it waited. */
  | { type: 'call.settled'; path: string; agent: string; call: Call; result: CallResult | null; failure: Failure | null }
  | { type: 'turn.settled'; path: string; agent: string; turn: number; next: TurnNext; guard: string }
  | { type: 'handoff.requested'; path: string; agent: string; target: string }
  | { type: 'handoff.occurred'; path: string; agent: string; target: string; records: ItemRecord[] }
  /** Sizes in tokens, as far as they are known. */
  | { type: 'compaction.started'; path: string; agent: string; size: number }
  /** `dropped`: the oldest items, which the model that summed up could not be shown. */
  | { type: 'compaction.completed'; path: string; agent: string; before: number; after: number; dropped: number; record: ItemRecord }
  /** Of a thread: the history is as it was. */
  | { type: 'compaction.failed'; path: string; agent: string; failure: Failure }
  | { type: 'guardrail.tripped'; path: string; agent: string; failure: Failure }
  | { type: 'run.awaitingApproval'; path: string; agent: string }
  | { type: 'run.resumed'; path: string; agent: string }
  | { type: 'run.settled'; path: string; agent: string; outcome: RunOutcome };

/** What a thread announces of itself; its runs announce the rest. */
export type ThreadEvent =
  | { type: 'thread.started'; path: string; agent: string; forkedFrom?: ThreadInput['forkedFrom'] }
  /** `runId`: the run that is going. */
  | { type: 'thread.changed'; path: string; agent: string; state: ThreadState; phase?: 'running' | 'awaitingApproval' | 'compacting' | 'judging' | 'stopping' | 'closing'; runId?: string }
  | { type: 'command.answered'; path: string; agent: string; id: string; command: ThreadCommand['type']; answer: CommandAnswer }
  | { type: 'queue.changed'; path: string; agent: string; queue: QueueEntry[] }
  | { type: 'mailbox.changed'; path: string; agent: string; mailbox: Mail[] }
  | { type: 'history.injected'; path: string; agent: string; items: AgentInputItem[] }
  /** `length`: items of the history that are left. */
  | { type: 'thread.reverted'; path: string; agent: string; to: HistoryPoint; length: number }
  | { type: 'goal.changed'; path: string; agent: string; goal: Goal | null; why: 'set' | 'removed' | 'goesOn' | 'done' | 'exhausted' | 'failed' }
  | { type: 'rules.changed'; path: string; agent: string; rules: SessionRule[] };

/** What is seen from outside the charts when the model is asked, and when it has answered. */
export type EffectEvent =
  | { type: 'turn.started'; path: string; agent: string; turn: number }
  | { type: 'turn.responded'; path: string; agent: string; attempt: number; response: Response; carried: boolean };
