/** What a thread can be asked and told, and what it tells. */
import type { Observable } from 'rxjs';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { CommandAnswer, Goal, HistoryPoint, Mail, QueueEntry, RejectReason, RunMark, RunOverrides, SessionRule, ThreadState, WhenBusy } from '../../machines/protocol/thread.ts';
import type { RunOutcome } from '../../machines/protocol/outcome.ts';
import type { Agent } from '../agent.ts';
import type { RunToolApprovalItem } from '../approvalItem.ts';
import type { StreamOptions } from '../eventReader.ts';
import type { RunItem } from '../items.ts';
import type { RunEvent } from '../runView.ts';
import type { Usage } from '../usage.ts';

export type { StreamOptions };
export type { CommandAnswer, Goal, HistoryPoint, Mail, QueueEntry, RejectReason, RunMark, RunOverrides, SessionRule, ThreadState, WhenBusy };

type AnyAgent = Agent<any, any>; // `any`: as in the front door's own types
export type ThreadText = string | AgentInputItem[];

/** Lifecycle events of a thread are those of its runs, and its own; deltas come between them. Each has the path of the run it is of. */
export type ThreadEvent = RunEvent;

/** How a command was taken (L1). */
export type Receipt =
  | { status: 'accepted'; id: string; runId?: string }
  /** There was nothing to do: no run to interrupt, say (J3). */
  | { status: 'noEffect'; id: string }
  /** Nothing was changed; `message` says why, and what to do instead. */
  | { status: 'rejected'; id: string; reason: RejectReason | 'empty'; message: string };

/** What became of input that was accepted. */
export type Delivery = { status: 'delivered'; runId: string; turn: number } | { status: 'dropped'; reason: string };

export type SteerReceipt =
  | (Extract<Receipt, { status: 'accepted' }> & { /** Resolves when the model is about to read it, or when it never will. */ delivery: Promise<Delivery> })
  | Exclude<Receipt, { status: 'accepted' }>;

/** What became of a compaction; `dropped`: it was cut short, or there was no room for it. Sizes are in tokens, as far as they are known. */
export type Compaction =
  | { status: 'completed'; before: number; after: number; /** The oldest items, which the model that summed up could not be shown. */ dropped: number }
  /** The history is as it was. */
  | { status: 'failed'; error: Error }
  | { status: 'dropped' };

export type CompactReceipt =
  | (Extract<Receipt, { status: 'accepted' }> & { /** Resolves when it has ended. */ compaction: Promise<Compaction> })
  | Exclude<Receipt, { status: 'accepted' }>;

export interface ThreadRunOptions extends RunOverrides {
  /** Default: as of the thread, else `queue`. */
  whenBusy?: WhenBusy;
  /** Interrupts this run when it fires (J3). */
  signal?: AbortSignal;
  expectedRunId?: string;
  /** What the app knows the input by: given back with its events. Default: made here. */
  id?: string;
}

/** How a run of a thread ended. */
export interface ThreadRunResult {
  runId: string;
  status: RunOutcome['status'];
  how?: RunOutcome['how'];
  /** The answer; undefined after a stop. Parsed, where the agent has an output type. */
  finalOutput: unknown;
  newItems: RunItem[];
  lastAgent: AnyAgent | undefined;
  usage: Usage;
  /** Input that the run was told and never showed to the model (P2). */
  undelivered: AgentInputItem[];
}

/**
 * A run of a thread, from the moment it is asked for: await it for its result, iterate it for its events. Rejects when the run fails, is
 * interrupted (AbortError), or is not taken; nobody has to await it.
 */
export interface ThreadRun extends PromiseLike<ThreadRunResult>, AsyncIterable<ThreadEvent> {
  /** By which the thread knows the input; of a queued one, the id of its queue entry. */
  readonly id: string;
  /** How the thread took it. */
  readonly receipt: Promise<Receipt>;
  /** Resolves when the run begins, with its id. Rejects when it never will. */
  readonly started: Promise<string>;
  readonly result: Promise<ThreadRunResult>;
  readonly events$: Observable<ThreadEvent>;
  steer(input: ThreadText, options?: SteerOptions): Promise<SteerReceipt>;
  /** Ends the run; one that still waits in the queue leaves it. Resolves when nothing of it runs any more. */
  interrupt(): Promise<Receipt>;
  stopAfterTurn(): Promise<Receipt>;
}

export interface SteerOptions {
  expectedRunId?: string;
  /** Of the agent that is to read it: the path of a nested run, as its events and approvals show it (L7). Default: the outer run. */
  path?: string;
  /** `instant` cuts the model's answer short instead of waiting for a safe point (L2). */
  mode?: 'safePoint' | 'instant';
  id?: string;
}

export interface ThreadQueue {
  /** What waits, next first. */
  list(): readonly QueueEntry[];
  /** Adds a run of its own; it begins when those before it have completed. */
  add(input: ThreadText, options?: RunOverrides & { id?: string }): ThreadRun;
  edit(id: string, changes: { input?: ThreadText } & RunOverrides): Promise<Receipt>;
  /** @param to the new place, from 0. */
  move(id: string, to: number): Promise<Receipt>;
  remove(id: string): Promise<Receipt>;
  /** After a stop, a failure or an interrupt: mail and queue go on (M3, M4). */
  resume(): Promise<Receipt>;
}

export interface BackgroundWork { path: string; agent: string; from: string }

/** A thread as it is now. */
export interface ThreadLook {
  state: ThreadState;
  /** Of a thread that is active: what it is at. */
  phase: 'running' | 'awaitingApproval' | 'compacting' | 'judging' | 'stopping' | 'closing' | undefined;
  /** Name of the agent that has the floor. */
  agent: string;
  activeRunId: string | undefined;
  history: AgentInputItem[];
  runs: readonly RunMark[];
  queue: readonly QueueEntry[];
  mailbox: readonly Mail[];
  /** What an "always" and the app have decided for calls to come; each can be taken back (M8). */
  rules: readonly SessionRule[];
  goal: Goal | null;
  /** Agents that work beside the runs: at `path` they can be steered and interrupted, `from` will have written their result (F5). */
  background: readonly BackgroundWork[];
  /** Of all runs, and what the thread has asked for itself: sums; what each request has cost is in the results of the runs. */
  usage: Usage;
}

/**
 * A conversation with an agent: at most one run at a time, with input that waits, mail, and approvals; all of it journalled, so that nothing
 * that was accepted is lost when the process dies.
 */
export interface Thread {
  readonly id: string;
  readonly look: ThreadLook;
  readonly state: ThreadState;
  /** The run that is going. */
  readonly activeRun: ThreadRun | undefined;
  /** Calls and questions that wait for a person, at any depth, each with its path. */
  readonly interruptions: RunToolApprovalItem[];
  readonly queue: ThreadQueue;
  /** All that happens from now on. It ends when the thread is closed or given back. */
  readonly events$: Observable<ThreadEvent>;
  /** Lifecycle events from a number on, and then new ones: of the process's own time; older ones come from the journal (I6). */
  events(options?: { from?: number; signal?: AbortSignal }): AsyncIterable<ThreadEvent>;

  /** Starts at once (I4); while another run is going, as `whenBusy` says (M1). Empty input goes on from the history as it is. */
  run(input: ThreadText, options?: ThreadRunOptions): ThreadRun;
  /** As `run`, but nothing happens before the first `next()` or `await`; to leave the iteration interrupts the run (I4). */
  stream(input: ThreadText, options?: ThreadRunOptions & StreamOptions): ThreadRun;
  steer(input: ThreadText, options?: SteerOptions): Promise<SteerReceipt>;
  mail(mail: { from: string; content: string; triggerTurn?: boolean; id?: string }): Promise<Receipt>;
  /** Resolves when the run has settled, the thread is at rest and nothing of the run is at work any more (J2). */
  interrupt(options?: { expectedRunId?: string; path?: string }): Promise<Receipt>;
  stopAfterTurn(options?: { expectedRunId?: string }): Promise<Receipt>;
  /** @throws StaleStateError, UserError as `RunState.approve`. With `always` a rule is added, in the same step (D2). */
  approve(item: RunToolApprovalItem | string, options?: { always?: boolean; arguments?: string | Record<string, unknown>; reason?: string }): Promise<void>;
  /** With `interrupt` the run ends there: both or neither (D2, cancel). */
  reject(item: RunToolApprovalItem | string, options?: { always?: boolean; message?: string; interrupt?: boolean }): Promise<void>;
  answer(item: RunToolApprovalItem | string, answers: Record<string, unknown>): Promise<void>;
  useResult(item: RunToolApprovalItem | string, output: unknown): Promise<void>;
  /** Sums up the history: at once, at the next safe point of the run that is going, or else after it (N1). */
  compact(): Promise<CompactReceipt>;
  /** A new thread with the same history, up to a run, a turn of a run, or all of it; this one is not disturbed (M6). */
  fork(options?: { at?: HistoryPoint; threadId?: string }): Promise<Thread>;
  /** The history goes back by a marker; what is going is interrupted first (M6). */
  revert(to: HistoryPoint): Promise<Receipt>;
  /** Into the history, or at the next safe point of the run that is going; begins no run (M9). */
  inject(items: AgentInputItem[]): Promise<Receipt>;
  /** Runs go on until `done` says so, at most `maxRuns` more; null ends it (M9). */
  setGoal(goal: { message: string; maxRuns?: number } | null): Promise<Receipt>;
  addRule(rule: Omit<SessionRule, 'id'> & { id?: string }): Promise<Receipt>;
  removeRule(id: string): Promise<Receipt>;
  /** Interrupts, keeps the queue, and refuses all commands from then on (M9). */
  close(): Promise<Receipt>;
  /** Gives the thread back without ending anything: its journal may be opened by another process, which goes on with it. */
  release(): Promise<void>;
}
