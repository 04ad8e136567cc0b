import type { AgentInputItem } from './item.ts';

/** An error as JSON: what is left of it in a journal. */
export interface ErrorRecord {
  name: string;
  message: string;
  code?: string | number;
  status?: number;
  cause?: ErrorRecord;
}

/**
 * Why a run failed. The codes are stable; the message is for people.
 * `user` stands for code of the embedding app that threw (instructions, filters, hooks, an output extractor, …).
 */
export type FailureCode =
  | 'maxTurns'
  | 'model'
  | 'modelTimeout'
  | 'modelBehavior'
  | 'modelRefusal'
  | 'invalidFinalOutput'
  | 'inputGuardrail'
  | 'outputGuardrail'
  | 'guardrailExecution'
  | 'toolCall'
  | 'stuck.empty'
  | 'stuck.repetition'
  | 'stuck.failing'
  | 'stuck.monologue'
  | 'stuck.alternating'
  | 'session'
  | 'contextWindow'
  | 'compaction'
  | 'budget.tokens'
  | 'budget.cost'
  | 'budget.time'
  | 'user';

export interface Failure {
  code: FailureCode;
  message: string;
  /** The effect in which it happened; the host still holds its original error while the process lives. */
  effectId?: string;
  error?: ErrorRecord;
  /** What the error class needs besides the message: a guardrail result, a tool name, a refusal. */
  detail?: Record<string, unknown>;
  /** False when the model request was never sent: such a turn does not count (B1). */
  sent?: boolean;
}

/** Nobody knows what became of the effect: its process ended while it was at work (O3). */
export type Lost = { status: 'lost'; at: number };

/** The body has done nothing yet: a person has to approve it first (D9). */
export type Asks = { status: 'asks'; reason: string; at: number };

/** What every effect answers with; `at` is the journal's time in milliseconds since the epoch. */
export type EffectOutcome<Value> =
  | { status: 'ok'; value: Value; at: number }
  /** `kept`: what of an answer was complete when it was cut short; the next try goes on from there (K2). */
  | { status: 'error'; failure: Failure; retryInMs?: number; kept?: AgentInputItem[]; at: number };
