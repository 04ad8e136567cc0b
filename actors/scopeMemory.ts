/** What the scope of a run has seen go by, as data: part of a checkpoint. */
import type { Call, CallResult } from '../machines/protocol/call.ts';
import type { Ledger } from './budget.ts';
import type { ApprovalDecision } from './runContext.ts';

export interface ScopeMemory {
  /** Of the run around all; nested ones share it. */
  usage?: unknown;
  /** Usage of the context before the run. */
  usageBefore?: unknown;
  decisions: readonly ApprovalDecision[];
  responses: readonly { output: unknown; usage: unknown; responseId?: string }[];
  /** Calls that were seen, by agent and call id (C5). */
  calls: readonly [string, { call: Call; result?: CallResult }][];
  inputVerdicts: readonly unknown[];
  outputVerdicts: readonly unknown[];
  /** Verdicts about input that joined later; checkpoints of an older version have none. */
  screenVerdicts?: readonly unknown[];
  /** Verdicts about final outputs, with the key of the agent. */
  finalVerdicts: readonly { agent: string }[];
  compactionDeferred: boolean;
  /** Items that the session held when the run last knew it. */
  sessionLength?: number;
  toolInput?: unknown;
  /** Of the run around all, where it has a budget. */
  ledger?: Ledger['memory'];
}
