/** A conversation: what it keeps, what it is told, and what it answers. */
import type { InterruptReason, PendingInput } from './command.ts';
import type { AgentInputItem } from './item.ts';
import type { CarriedTurn, ItemOrigin, RunOutcome, ServerState } from './outcome.ts';

/** What becomes of a new run while another is going (M1). */
export const WHEN_BUSY = ['queue', 'steer', 'replace', 'reject'] as const;
export type WhenBusy = (typeof WHEN_BUSY)[number];

/** What one run does otherwise than its thread (M7): data, so that it holds in another process too. */
export interface RunOverrides {
  /** Name of one of the agents of the thread. */
  agent?: string;
  /** Name of a model. */
  model?: string;
  modelSettings?: Record<string, unknown>;
  /** In place of what the agent says. */
  instructions?: string;
  /** Names of tools: of the agent, or of those that the thread may give to a run. */
  tools?: string[];
  /** Rules that come before those of the thread (M8). */
  approvalPolicy?: Record<string, unknown>;
  maxTurns?: number | null;
  finalTurn?: boolean;
  budget?: Record<string, unknown>;
}

/** Input that waits, to be a run of its own (M2). */
export interface QueueEntry {
  id: string;
  input: AgentInputItem[];
  overrides?: RunOverrides;
}

/** A message to the thread, of a subagent or of its host (M4). */
export interface Mail {
  id: string;
  /** Who wrote it. */
  from: string;
  content: string;
  /** It wakes a thread that is idle. */
  triggerTurn: boolean;
}

/** Runs go on until it is reached, at most so many (M9). */
export interface Goal {
  /** What the model reads at the begin of each further run. */
  message: string;
  /** Further runs at most. */
  maxRuns: number;
  /** Further runs so far. */
  runs: number;
}

/** What an approval for always adds, and an app may add: as of the approval policy (M8). */
export interface SessionRule { id: string; tool: unknown; agent?: unknown; arguments?: unknown; decision: 'allow' | 'ask' | 'deny'; reason?: string }

/** Why a run was begun: what it carries out. */
export type RunSource =
  | { kind: 'command'; id: string }
  | { kind: 'queue'; id: string }
  | { kind: 'mail'; ids: string[] }
  | { kind: 'goal' };

/** One run of the thread, in its history. */
export interface RunMark {
  runId: string;
  source: RunSource;
  /** Items of the history before its input and behind its last item; nothing when a compaction has taken their place. */
  from: number | null;
  to: number | null;
  status: RunOutcome['status'];
  /** Name of the agent that had the floor after it. */
  agent: string;
  /** Of one that was interrupted: because another took its place (M1), or because the history went back (M6). */
  reason?: 'replaced' | 'reverted';
}

/** Where a history is cut: behind a run, behind one turn of a run, or before all (M6). */
export interface HistoryPoint { runId: string | null; turn?: number }

/** `at`: when it came, in ms since the epoch; the host says. */
export interface Told { id: string; expectedRunId?: string; at: number }
/** What a thread is told. Each is journalled, and answered by its id. */
export type ThreadCommand =
  | (Told & { type: 'thread.run'; input: AgentInputItem[]; whenBusy: WhenBusy; overrides?: RunOverrides; partials?: Record<string, string> })
  | (Told & { type: 'thread.steer'; input: PendingInput[]; path?: string; mode?: 'instant'; cut?: Record<string, AgentInputItem[]> })
  | (Told & { type: 'thread.interrupt'; partials?: Record<string, string>; notice?: boolean; path?: string; reason?: 'deadline' })
  | (Told & { type: 'thread.softStop' })
  | (Told & { type: 'thread.compact' })
  | (Told & { type: 'thread.mail'; mail: Mail })
  | (Told & { type: 'thread.inject'; items: AgentInputItem[] })
  /** `history`, `agent`: what was there then, and who had the floor, where the thread itself no longer knows. */
  | (Told & { type: 'thread.revert'; to: HistoryPoint; history?: AgentInputItem[]; agent?: string; partials?: Record<string, string> })
  | (Told & { type: 'thread.goal'; goal: Omit<Goal, 'runs'> | null })
  | (Told & { type: 'thread.close'; partials?: Record<string, string> })
  | (Told & { type: 'queue.add'; entry: QueueEntry })
  | (Told & { type: 'queue.edit'; entry: Pick<QueueEntry, 'id'> & Partial<QueueEntry> })
  /** `to`: the new place, from 0. */
  | (Told & { type: 'queue.move'; entryId: string; to: number })
  | (Told & { type: 'queue.remove'; entryId: string })
  | (Told & { type: 'queue.resume' })
  | (Told & { type: 'rule.add'; rule: SessionRule })
  | (Told & { type: 'rule.remove'; ruleId: string })
  /** An agent begins to work beside the runs; its result comes as mail (F5). */
  | (Told & { type: 'background.start' } & BackgroundTask & { input: AgentInputItem[] });

/** What an agent works on beside the runs. */
export interface BackgroundTask {
  /** Key of the agent that called the tool. */
  agent: string;
  /** By whom its result will have been written. */
  from: string;
  tool: string;
  /** Name of the agent that works. */
  delegate: string;
  /** Arguments of the call, where the agent is to see them. */
  params?: unknown;
  /** The app makes the result of what the agent brings. */
  extracts?: true;
}

export type RejectReason =
  /** The thread is closed. */
  | 'closed'
  /** Nothing is going that could hear of it. */
  | 'noRun'
  /** `expectedRunId` is not the run that is going (P5). */
  | 'stale'
  /** `whenBusy: 'reject'`. */
  | 'busy'
  /** A compaction that was asked for is no run (L5). */
  | 'compacting'
  /** The run is winding down. */
  | 'stopping'
  | 'unknownEntry'
  | 'unknownPoint'
  | 'unknownRule'
  | 'unknownPath';

/** `noEffect`: there was nothing to do (J3). */
export type CommandAnswer = { status: 'accepted'; runId?: string } | { status: 'noEffect' } | { status: 'rejected'; reason: RejectReason; runId?: string };

export type ThreadState = 'idle' | 'active' | 'paused' | 'closed';

/** What a thread starts from. */
export interface ThreadInput {
  path: string;
  /** Key of the agent that it is made with. */
  agent: string;
  /** Key of the one that has the floor, where that is another. */
  floor?: string;
  history?: AgentInputItem[];
  /** Where that history is from: up to there, or all of it. */
  forkedFrom?: { threadId: string; at?: HistoryPoint };
  rules?: SessionRule[];
}

export interface ThreadOutcome { queue: QueueEntry[]; mailbox: Mail[] }

/** What a run of a thread takes over from it. Derived, and not journalled again. */
export interface ThreadBase {
  history: AgentInputItem[];
  /** A turn that an earlier run could not finish. */
  carried?: CarriedTurn;
  /** Input that an earlier run did not deliver. */
  pendingInput: PendingInput[];
  server?: ServerState;
  /** Of the input, where a person did not write it: guardrails do not look at what the runtime says (P4). */
  origin?: ItemOrigin;
  overrides?: RunOverrides;
  /** Tokens of the history, as far as is known; where it is limited (N1). */
  size?: number;
  /** Of a run with rules of its own: ids of those that the thread had by then. */
  rules?: string[];
  /** It works beside the runs, for the call of a tool. */
  background?: Omit<BackgroundTask, 'agent'>;
}

export type { InterruptReason };
