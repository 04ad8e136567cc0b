/** What a run can be told: the options of the Agents SDK under their names, and ours. */
import type { ApprovalPolicy, ApprovalRules } from './approvalRules.ts';
import type { AutoResumeOptions } from './autoResume.ts';
import type { InspectionEvent } from 'xstate';
import type { AgentInputItem, AgentOutputItem } from '../machines/protocol/item.ts';
import type { Budget } from '../machines/protocol/budget.ts';
import type { ErrorKind } from '../machines/protocol/outcome.ts';
import type { StuckThresholds } from '../machines/stuck.ts';
import type { Agent } from './agent.ts';
import type { MaxTurnsExceededError, ModelBehaviorError, ModelRefusalError } from './errors.ts';
import type { StreamOptions } from './eventReader.ts';
import type { InputGuardrail, OutputGuardrail } from './guardrail.ts';
import type { HandoffInputFilter } from './handoff.ts';
import type { NestHistoryOptions } from './handoffHistory.ts';
import type { RunItem } from './items.ts';
import type { Journal } from './journal.ts';
import type { RunHooksOption } from './lifecycle.ts';
import type { Clock, Model, ModelProvider, ModelResponse, ModelSettings, Session, SessionInputCallback } from './ports.ts';
import type { RunContext } from './runContext.ts';
import type { RunState } from './runState.ts';
import type { RunEvent } from './runView.ts';
import type { AgentOutputType, ResolvedAgentOutput } from './schemaTypes.ts';
import type { StopHook } from './stopHook.ts';

type Promisable<T> = T | Promise<T>;
type AnyAgent = Agent<any, any>; // `any`: options are given before context and output types are known; the peer's types have it

export type ToolErrorKind = 'approval_rejected' | 'tool_not_found';
export interface ToolErrorFormatterArgs<TContext = unknown, TKind extends ToolErrorKind = ToolErrorKind> {
  kind: TKind;
  toolType: 'function' | 'computer' | 'shell' | 'apply_patch';
  toolName: string;
  callId: string;
  defaultMessage: string;
  runContext: RunContext<TContext>;
}
/** Words what the model reads of a refused or unknown call; nothing returned keeps the default. */
export type ToolErrorFormatter<TContext = unknown> = (args: ToolErrorFormatterArgs<TContext>) => Promisable<string | undefined>;

export interface OutputGuardrailBlockedMessageArgs<TContext = unknown> {
  defaultMessage: string;
  guardrailName: string;
  agent: Agent<TContext, any>;
  runContext: RunContext<TContext>;
}
export type OutputGuardrailBlockedMessageFormatter<TContext = unknown> = (args: OutputGuardrailBlockedMessageArgs<TContext>) => Promisable<string | undefined>;
export type OutputGuardrailBlockedMessage<TContext = unknown> = string | OutputGuardrailBlockedMessageFormatter<TContext>;

export interface ToolExecutionConfig {
  /** Function tools of one response that run at a time; null for no limit. */
  maxFunctionToolConcurrency?: number | null;
  /** Input guardrails of a tool also run before a person is asked. */
  preApprovalInputGuardrails?: boolean;
}
export type ToolNameCollisionPolicy = 'warn' | 'error';
/** Default `return_error_to_model`: the model reads that the tool does not exist. The Agents SDK raises. */
export type ToolNotFoundBehavior = 'raise_error' | 'return_error_to_model';
export type ToolStart = 'afterResponse' | 'eager';
export type SteerMode = 'safePoint' | 'instant';
export type ReasoningItemIdPolicy = 'preserve' | 'omit';
/** Accepted so that options of the Agents SDK fit; traces come with their own adapter. */
export interface TracingConfig { apiKey?: string; includeTaskAndTurnSpans?: boolean }

export interface ModelInputData { input: AgentInputItem[]; instructions?: string }
export interface CallModelInputFilterArgs<TContext = unknown> { modelData: ModelInputData; agent: AnyAgent; context: TContext | undefined }
/** Shapes what one request shows. The conversation itself is not changed; new input is stored as filtered. */
export type CallModelInputFilter<TContext = unknown> = (args: CallModelInputFilterArgs<TContext>) => Promisable<ModelInputData>;

export type RunErrorKind = ErrorKind;
export interface RunErrorData<TContext, TAgent extends AnyAgent> {
  input: string | AgentInputItem[];
  newItems: RunItem[];
  history: AgentInputItem[];
  output: AgentOutputItem[];
  rawResponses: ModelResponse[];
  lastAgent?: TAgent;
  state?: RunState<TContext, TAgent>;
}
export interface RunErrorHandlerInput<TContext, TAgent extends AnyAgent> {
  error: MaxTurnsExceededError | ModelRefusalError | ModelBehaviorError;
  context: RunContext<TContext>;
  runData: RunErrorData<TContext, TAgent>;
}
export interface RunErrorHandlerResult<TAgent extends AnyAgent> {
  finalOutput: ResolvedAgentOutput<TAgent['outputType']>;
  /** Default true: the output stands in the history like one of the model. */
  includeInHistory?: boolean;
}
export type RunErrorHandler<TContext, TAgent extends AnyAgent> = (
  input: RunErrorHandlerInput<TContext, TAgent>,
) => Promisable<RunErrorHandlerResult<TAgent> | void>;
export type RunErrorHandlers<TContext, TAgent extends AnyAgent> = Partial<Record<RunErrorKind, RunErrorHandler<TContext, TAgent>>> & {
  default?: RunErrorHandler<TContext, TAgent>;
};

export type { Budget, ModelPrice } from '../machines/protocol/budget.ts';

/** How a conversation is shortened that grows too long: a model sums it up, and what it wrote takes the place of what it read. */
export interface CompactionOptions {
  /** Tokens that the model can read and write at most. Without it nothing is shortened unless somebody asks. */
  contextWindow?: number;
  /** Part of the window beyond which no request goes. Default 0.9. */
  threshold?: number;
  /** Tokens of the newest messages of people that stay word for word. Default 20,000. */
  keepUserTokens?: number;
  /** What stays word for word beside the summary, in place of the newest messages of people. Calls and results stay together or not at all. */
  keep?: (items: AgentInputItem[]) => Promisable<AgentInputItem[]>;
  /** What the model is asked for, after the conversation. */
  prompt?: string;
  /** Default: the instructions of the agent. */
  instructions?: string;
  /** Default: the model of the agent. */
  model?: string | Model;
  /** On top of the agent's. */
  modelSettings?: ModelSettings;
}

/** What a `Runner` and a single run may both say. */
interface CommonOptions<TContext> {
  sessionInputCallback?: SessionInputCallback;
  callModelInputFilter?: CallModelInputFilter<any>; // `any`: a runner serves runs of any context; the peer's type has it
  toolErrorFormatter?: ToolErrorFormatter<any>;
  outputGuardrailBlockedMessage?: OutputGuardrailBlockedMessage<TContext>;
  reasoningItemIdPolicy?: ReasoningItemIdPolicy;
  tracing?: TracingConfig;
  toolExecution?: ToolExecutionConfig;
  toolNotFoundBehavior?: ToolNotFoundBehavior;
  toolNameCollisionPolicy?: ToolNameCollisionPolicy;
  /**
   * `eager`: while the model streams, a call begins as soon as its item is complete; where the model is not streamed, says of no item that
   * it is complete, or where the provider keeps the conversation, as by default: after the response (C4).
   */
  toolStart?: ToolStart;
  /** Of several calls in one response the first runs; the model reads that the others did not (C9). Default false. */
  oneCallPerTurn?: boolean;
  /** Longest text of a result that the model reads, in bytes of UTF-8; head and tail of a longer one are kept (C6). Default null: any. */
  maxToolOutputBytes?: number | null;
  /** Input for a run that is going waits for a safe point, or cuts the answer that is on its way (L2). Default `safePoint`. */
  steerMode?: SteerMode;
  /** Transcript as one message after a handoff without an input filter (F3). Default false. */
  nestHandoffHistory?: boolean | NestHistoryOptions;
  /** Where entries are kept. Default: memory. */
  journal?: Journal;
  /**
   * Entries between two checkpoints, which a journal keeps of a run at rest so that it is quick to open. Default 256; without end:
   * `Infinity`.
   */
  checkpointEvery?: number;
  /** Default: the system's. */
  clock?: Clock;
  /** How long a body that was told to stop may take, in ms. Default 100. */
  graceMs?: number;
  /**
   * Which calls may run, have to be asked about or may not run (M8), nested agents included. In this order: what a person decided
   * about the very call, what the policy denies, what was decided for always, the rest of the policy, the tool itself. Pass an
   * `ApprovalRules` to add rules while runs go on. A run that goes on later needs it again.
   */
  approvalPolicy?: ApprovalPolicy | ApprovalRules;
  /** How long a call waits for a person, in ms; then it is rejected (D7). A tool's own `expiresAfterMs` comes first. Default: for ever. */
  approvalExpiresAfterMs?: number;
  /** When `maxTurns` is reached, one turn more, without tools: what the model answers in it is the final output (B1). Default false. */
  finalTurn?: boolean;
  /**
   * Watches for an agent that does the same again and again: told once, it fails the run when it goes on so, nested runs
   * included (B3). Thresholds are numbers of times in a row, at least 2. Default false.
   */
  stuckDetection?: boolean | Partial<StuckThresholds>;
  /** Shortens a conversation before it no longer fits (N1). A nested agent has its own. Default: not. */
  compaction?: CompactionOptions;
  /** What the run may cost, with all agents that it uses as tools; theirs do not count. Going on from a state, the old one stands unless one is given (B2). Default: no limit. */
  budget?: Budget;
}

/** Defaults for all runs of a `Runner`. */
export interface RunConfig extends CommonOptions<any> {
  model?: string | Model;
  modelProvider?: ModelProvider;
  modelSettings?: ModelSettings;
  handoffInputFilter?: HandoffInputFilter;
  inputGuardrails?: InputGuardrail[];
  outputGuardrails?: OutputGuardrail<AgentOutputType<unknown>>[];
  tracingDisabled: boolean;
  traceIncludeSensitiveData: boolean;
  workflowName?: string;
  traceId?: string;
  groupId?: string;
  traceMetadata?: Record<string, string>;
  hooks?: RunHooksOption<any, any>;
}

export interface SharedRunOptions<TContext = undefined, TAgent extends AnyAgent = AnyAgent> extends CommonOptions<TContext> {
  context?: TContext | RunContext<TContext>;
  /** Turns at most; default 10, null for no limit, 0 for none at all (B1). */
  maxTurns?: number | null;
  /** Interrupts the run (J3). */
  signal?: AbortSignal;
  /** Ends the run after the turn in progress (J1). */
  stopSignal?: AbortSignal;
  previousResponseId?: string;
  /** Chain each response to the one before, beginning with the first (G2). */
  autoPreviousResponseId?: boolean;
  conversationId?: string;
  session?: Session;
  errorHandlers?: RunErrorHandlers<TContext, TAgent>;
  /** For this run only, before what agent and runner say (A9). */
  model?: string | Model;
  modelSettings?: ModelSettings;
  /** Sees every event of every actor: XState inspectors plug in here. */
  inspect?: (event: InspectionEvent) => void;
  /** Hears every lifecycle event, nested runs included, and the deltas between them (I1). */
  onEvent?: (event: RunEvent) => void;
  /** Streamed text is held back until output guardrails have passed it (E3). */
  bufferUntilGuarded?: boolean;
  /** Text that streamed before an interrupt stays in the history. Default true. */
  keepPartial?: boolean;
  /** Asked at each final output whether the run may end (M5). */
  stopHooks?: StopHook<any>[];
  /** Goes on by itself after trouble that may pass, and at a limit with work left (K6). Default: not. */
  autoResume?: AutoResumeOptions;
  /** The model reads that it was interrupted. Default true. */
  interruptNotice?: boolean;
  /** Default: made here, unique in the world. */
  runId?: string;
  /** The conversation that the run belongs to: journals list runs by it. A run that goes on from a state belongs to that one's. */
  threadId?: string;
}
export type StreamRunOptions<TContext = undefined, TAgent extends AnyAgent = AnyAgent> = SharedRunOptions<TContext, TAgent> & StreamOptions & { stream: true };
export type NonStreamRunOptions<TContext = undefined, TAgent extends AnyAgent = AnyAgent> = SharedRunOptions<TContext, TAgent> & { stream?: false };
export type { StreamOptions };
export type IndividualRunOptions<TContext = undefined, TAgent extends AnyAgent = AnyAgent> =
  | StreamRunOptions<TContext, TAgent>
  | NonStreamRunOptions<TContext, TAgent>;
