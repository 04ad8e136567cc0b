import type { Budget, Spent } from './budget.ts';
import type { Call, CallResult, Response } from './call.ts';
import type { PendingInput } from './command.ts';
import type { Failure } from './failure.ts';
import type { AgentInputItem, LocalCallItem } from './item.ts';
import type { StuckThresholds } from '../stuck.ts';
import type { ThreadBase } from './thread.ts';

export type ItemOrigin = 'user' | 'agent' | 'tool' | 'mail' | { runtime: string };

/**
 * Why input that was accepted reached no model: a guardrail tripped on it, nothing was at work at its path, a limit forbade the further
 * turn, the answer was there already (`late`), or how its run ended. `stopped` keeps it for the run that goes on.
 */
export type DropReason = 'guardrail' | 'path' | 'limit' | 'late' | 'stopped' | 'failed' | 'interrupted' | 'reverted';

/** One generated item with who made it. `rawItem` is what the model reads; the rest is for people and programs. */
export interface ItemRecord {
  type:
    | 'message_output_item'
    | 'tool_call_item'
    | 'tool_call_output_item'
    | 'reasoning_item'
    | 'handoff_call_item'
    | 'handoff_output_item'
    | 'compaction_item'
    | 'tool_search_call_item'
    | 'tool_search_output_item'
    | 'input_item';
  rawItem: AgentInputItem;
  agent: string;
  /** Only where it does not follow from the type (P4). */
  origin?: ItemOrigin;
  /** Of input that joined the run: by it the app knows what it sent. */
  inputId?: string;
  output?: unknown;
  display?: unknown;
  customData?: Record<string, unknown>;
  sourceAgent?: string;
  targetAgent?: string;
}

/** State that a provider keeps for us, and how much of our history it already has (G2). */
export interface ServerState {
  conversationId?: string;
  previousResponseId?: string;
  /** Chain to the last response even when no first id was given. */
  auto?: boolean;
  /** Number of items of the model-visible history that the provider has sent or received. */
  known: number;
}

/** A call whose body was at work when its process ended: by its key the world can tell whether the effect is there. */
export interface UncertainCall { key: string; edited?: string }

/** A turn that was not finished: the next run is born with it. */
export interface CarriedTurn {
  response: Response;
  results: Record<string, CallResult>;
  /** Runs of agents used as tools that were stopped on their way, by the index of their call. */
  nested?: Record<string, RunOutcome>;
  /** Calls that may have had their effect, by index (O3). */
  uncertain?: Record<string, UncertainCall>;
  /** A session holds the response and these results already. */
  saved?: boolean;
}

/** Why the turn ended, in the words of the guards that decide about it. */
export type TurnNext = 'again' | 'final' | 'handoff' | 'empty' | 'refusal' | 'invalid' | 'failed' | 'interrupted' | 'suspended' | 'cut';

export interface TurnOutcome {
  next: TurnNext;
  response: Response | null;
  results: Record<string, CallResult>;
  records: ItemRecord[];
  finalOutput?: unknown;
  /** The output came from a tool, not from a message (E3). */
  finalFromTool?: boolean;
  failure?: Failure;
  /** As in {@link CarriedTurn}. */
  nested?: Record<string, RunOutcome>;
  /** As in {@link CarriedTurn}. */
  uncertain?: Record<string, UncertainCall>;
  /** What the turn was born with. */
  carried?: CarriedTurn;
}

export type Completion = 'answered' | 'terminalTool' | 'handler' | 'lastTurn';

export interface AgentOutcome {
  status: 'completed' | 'failed' | 'stopped' | 'handoff' | 'interrupted';
  how?: Completion;
  output?: unknown;
  failure?: Failure;
  handoff?: { item: LocalCallItem & { type: 'function_call' }; toolName: string; target: string };
  history: AgentInputItem[];
  generated: ItemRecord[];
  /** How many of them the last turn brought. */
  lastTurn: number;
  unsaved: AgentInputItem[];
  turns: number;
  emptyStreak: number;
  softStop: boolean;
  undelivered: PendingInput[];
  server?: ServerState;
  carried?: CarriedTurn;
  /** Tokens of the history, as far as is known; where it is limited (N1). */
  size?: number;
  /** How the last compaction left the conversation: items that the model then read, and records that there were by then. */
  compacted?: { items: number; generated: number };
  /** A compaction was asked for and has not come about. */
  compactionAsked?: true;
}

/** What a run starts from. Everything in it is JSON and recorded, so that a run can be started again from it. */
export interface RunInput {
  path: string;
  /** Key of the agent that begins; for a nested run, of the agent that called it. */
  agent: string;
  /** The call that this run carries out, when it is the run of an agent used as a tool (F5). */
  delegatedBy?: Call;
  /** The new input, while it still has to be prepared. */
  given?: AgentInputItem[];
  /** How far an earlier run of the same call had come when it was stopped. */
  resumed?: RunOutcome;
  /** What it takes over from its thread. */
  base?: ThreadBase;
  /** Absent when it has to be prepared first: a session read, a nested input built. */
  prepared?: PreparedRun;
  /** It was asked to stop before it began: no turn starts (J1). */
  softStop?: boolean;
  /** The new input was given as text: guardrails are to see it as it was given. */
  isText?: true;
  /** Going on with an earlier run: what that one had been given and had cost, and what was decided in it. Charts have no use for it. */
  before?: { input?: string | AgentInputItem[]; usage: object; decisions: readonly object[]; spent?: Spent };
  /** How much it may cost. The host sees to that; charts have no use for it. */
  budget?: Budget;
}

/** All that the loop has to know before its first turn. */
export interface PreparedRun {
  agent: string;
  /** What the first request shows: earlier conversation and the new input, in the order the model reads it. */
  history: AgentInputItem[];
  /** The new input alone: what a session stores. */
  input: AgentInputItem[];
  /** Names of the input guardrails of the runner and of the first agent (E1). */
  blocking: string[];
  parallel: string[];
  /** Turns at most; null for no limit (B1). */
  maxTurns: number | null;
  session: boolean;
  /** Items that the session had when it was read. */
  sessionLength?: number;
  server?: ServerState;
  /** The conversation is shortened before a request would have so many tokens; with what is known of its size (N1). */
  compaction?: { limit: number; size?: number };
  /** Kinds of trouble for which the app supplies a final output. */
  errorHandlers: ErrorKind[];
  /** Someone listens for the error hook (H1). */
  tellsErrors: boolean;
  /** It has an approval policy: it does not go on without one (D6, M8). */
  hasPolicy?: true;
  /** The first agent has input guardrails, or the runner has: what joins the conversation later passes them too (E6). */
  screensInput?: boolean;
  /** The app may object to a final output (M5). */
  stopHooks?: boolean;
  /** One turn without tools when all others are used up (B1). */
  finalTurn?: boolean;
  /** How often the same may come in a row (B3); not watched when absent. */
  stuckDetection?: StuckThresholds;
  /** Going on with an earlier run: what it had generated, counted and left unfinished. */
  carried?: { generated: ItemRecord[]; turns: number; turn?: CarriedTurn; unsaved: AgentInputItem[]; pendingInput: PendingInput[] };
}
export const ERROR_KINDS = ['maxTurns', 'modelRefusal', 'invalidFinalOutput'] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

export interface GuardrailResult { index: number; name: string; tripwireTriggered: boolean; outputInfo?: unknown }

/** How a run ended (P1). */
export interface RunOutcome {
  status: 'completed' | 'failed' | 'stopped' | 'interrupted';
  how?: Completion;
  output?: unknown;
  failure?: Failure;
  agent: string;
  history: AgentInputItem[];
  generated: ItemRecord[];
  turns: number;
  undelivered: PendingInput[];
  inputGuardrails: GuardrailResult[];
  /** Its input was not passed by all input guardrails: whoever goes on has it looked at (E1). */
  unguarded?: true;
  server?: ServerState;
  carried?: CarriedTurn;
  /** What a session still lacks when the run could not save it. */
  unsaved: AgentInputItem[];
  /** Tokens of the history, as far as is known; where it is limited (N1). */
  size?: number;
  /** A compaction was asked for and has not come about. */
  compactionAsked?: true;
  /** Of a run of a thread: what the model read after the last compaction, and how many of the generated records had been brought by then. */
  compacted?: { items: AgentInputItem[]; generated: number };
}
