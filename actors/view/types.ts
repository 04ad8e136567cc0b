/** What there is to see of a thread or a run: plain data, for whatever shows it. */
import type { ErrorRecord, Failure } from '../../machines/protocol/failure.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { Goal, Mail, QueueEntry, SessionRule, ThreadState } from '../../machines/protocol/thread.ts';
import type { Question } from '../../machines/protocol/call.ts';
import type { ItemStatus } from '../runEvents.ts';
import type { ThreadLook } from '../thread/types.ts';

/** Where an entry stands. */
export interface Placed {
  /** Of its own in the transcript; that of a call is its path. */
  id: string;
  /** Of the run, agent or turn that it is part of. */
  path: string;
  /** The outermost run that it is part of; empty outside of runs. */
  runId: string;
  agent: string;
  /** Agents inside agents: 0 for those of the run itself. Entries of a nested agent stand under its call. */
  depth: number;
  /** In ms since the epoch. */
  at: number;
}

export type ToolCallStatus = 'called' | 'running' | 'awaitingApproval' | Exclude<ItemStatus, 'incomplete'>;
export interface ToolCallEntry extends Placed {
  kind: 'toolCall';
  callId: string;
  tool: string;
  /** JSON, as the model wrote it; of calls that have none, what they ask for. */
  arguments: string;
  status: ToolCallStatus;
  /** The newest word of its body, while it is at work. */
  progress?: unknown;
  /** What the model reads. */
  result?: string;
  /** What the tool gave for people. */
  display?: unknown;
  error?: ErrorRecord;
  /** What its body brought after it had been left behind. */
  late?: unknown;
}

/** One thing in a conversation, in the order in which it is read. */
export type Entry =
  /** `accepted`: the model has not read it yet. */
  | (Placed & { kind: 'user'; text: string; status: 'accepted' | 'delivered' | 'dropped'; reason?: string })
  | (Placed & { kind: 'mail'; text: string; status: 'accepted' | 'delivered' | 'dropped'; reason?: string })
  /** `incomplete`: it was cut short by an interrupt. `withheld`: a guardrail objected to it. `hasGaps`: not all of what streams got here. */
  | (Placed & { kind: 'assistant'; text: string; status: 'streaming' | 'completed' | 'incomplete' | 'withheld'; hasGaps?: true })
  | (Placed & { kind: 'reasoning'; text: string })
  | ToolCallEntry
  | (Placed & { kind: 'handoff'; target: string; status: 'requested' | 'occurred' })
  | (Placed & { kind: 'compaction'; text: string })
  /** Something that the runtime says. */
  | (Placed & { kind: 'notice'; of: string; text: string })
  | (Placed & { kind: 'error'; code: string; text: string })
  | (Placed & { kind: 'item'; item: AgentInputItem });

/** What a person is asked. */
export interface PendingRequest {
  /** By which it is answered: `thread.approve(id)`. */
  id: string;
  /** Of the call. */
  path: string;
  agent: string;
  tool: string;
  arguments: string;
  kind: 'approval' | 'question' | 'uncertain';
  questions?: readonly Question[];
  reason?: string;
  expiresAt?: number;
}

export interface ActorView {
  path: string;
  kind: 'run' | 'agent' | 'turn' | 'toolCall';
  agent: string;
  word: 'running' | 'awaitingApproval' | 'handoff' | 'interrupted' | 'settled';
  /** What it is at, as far as events tell. */
  phase?: 'sampling' | 'backingOff' | 'acting' | 'executing' | 'compacting';
}

export interface UsageView { requests: number; inputTokens: number; outputTokens: number; totalTokens: number }

export interface ThreadView {
  state: ThreadState;
  phase: NonNullable<ThreadLook['phase']> | null;
  /** Name of the agent that has the floor. */
  agent: string;
  activeRunId: string | null;
  transcript: readonly Entry[];
  /** What waits for a person, at any depth. */
  pending: readonly PendingRequest[];
  queue: readonly QueueEntry[];
  mailbox: readonly Mail[];
  rules: readonly SessionRule[];
  goal: Goal | null;
  /** Null where only events are known: they do not tell it. */
  usage: UsageView | null;
  /** All that live, outermost first; and the last run. */
  actors: readonly ActorView[];
  /** What went wrong, newest last: failures of runs, and of requests that were tried again. */
  errors: readonly { path: string; at: number; code: Failure['code']; text: string; isRetried: boolean }[];
  /** Number of the newest lifecycle event that is in it. */
  number: number;
}

export interface ViewLimits {
  /** Entries that the transcript has at most: older ones leave it. Default 1,000. */
  keepEntries?: number;
}

/** Before anything has happened. */
export const EMPTY_VIEW: ThreadView = {
  state: 'idle', phase: null, agent: '', activeRunId: null, transcript: [], pending: [], queue: [], mailbox: [], rules: [], goal: null, usage: null, actors: [], errors: [], number: 0,
};
