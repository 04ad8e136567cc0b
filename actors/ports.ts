/**
 * The world as the loop sees it: one small interface a medium. Adapters implement them; nothing here does anything.
 * `Model`, `ModelProvider`, `Session`, `Computer`, `Shell` and `Editor` have the shape they have in `@openai/agents-core` 0.20,
 * so that what was written for that SDK plugs in unchanged.
 */
import type {
  AgentInputItem,
  AgentOutputItem,
  ApplyPatchOperation,
  ComputerAction,
  InputFile,
  InputImage,
  InputText,
  JsonSchemaDefinition,
  ShellAction,
  ShellCallOutputContent,
  StreamEvent,
  TextOutput,
} from '../machines/protocol/item.ts';
import type { Usage } from './usage.ts';

type Promisable<T> = T | Promise<T>;

// -- models -----------------------------------------------------------------------------------------------------------

export type ModelSettingsToolChoice = 'auto' | 'required' | 'none' | (string & {});
export type ModelSettingsReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | null;
export interface ModelSettingsReasoning {
  context?: 'auto' | 'current_turn' | 'all_turns' | null;
  effort?: ModelSettingsReasoningEffort;
  mode?: 'standard' | 'pro' | (string & {});
  summary?: 'auto' | 'concise' | 'detailed' | null;
}
export interface ModelSettingsText { verbosity?: 'low' | 'medium' | 'high' | null }
export type ModelSettingsContextManagement = {
  type: 'compaction' | (string & {});
  compactThreshold?: number;
  compact_threshold?: number;
  [key: string]: unknown;
}[];

/** What a retry policy answers: a bare `true` means "again, after the configured backoff". Delays are in milliseconds. */
export type RetryDecision = boolean | { retry: boolean; delayMs?: number; reason?: string; approveUnsafeReplay?: boolean };
export interface ModelRetryNormalizedError {
  statusCode?: number;
  retryAfterMs?: number;
  errorCode?: string;
  isNetworkError: boolean;
  isAbort: boolean;
}
/** What a model knows about one of its own failures. */
export interface ModelRetryAdvice {
  suggested?: boolean;
  retryAfterMs?: number;
  reason?: string;
  replaySafety?: 'unsafe' | 'safe';
  responseStarted?: boolean;
  normalized?: Partial<ModelRetryNormalizedError>;
}
export interface RetryPolicyContext {
  error: unknown;
  /** 1 for the first attempt. */
  attempt: number;
  maxRetries: number;
  stream: boolean;
  providerAdvice?: ModelRetryAdvice;
  normalized: ModelRetryNormalizedError;
  readonly previousResponseId?: string;
  readonly conversationId?: string;
  readonly replaySafety?: 'safe' | 'unsafe' | 'unknown';
  readonly responseStarted?: boolean;
  readonly statefulRequest?: boolean;
}
export type RetryPolicy = (context: RetryPolicyContext) => Promisable<RetryDecision>;
export interface ModelRetryBackoffSettings { initialDelayMs?: number; maxDelayMs?: number; multiplier?: number; jitter?: boolean }
export interface ModelRetrySettings {
  maxRetries?: number;
  backoff?: ModelRetryBackoffSettings;
  policy?: RetryPolicy;
  /**
   * Also when something of the answer has been streamed: items that are complete stand, the rest is taken back with the event
   * `turn.retrying` and asked for again (K2). The journal has each complete item, so that they stand after a crash too (O2). Default false: a stream of the Agents SDK can take nothing back.
   */
  afterOutput?: boolean;
}

/** Tuning of one model call. What a provider does not know, it ignores. Times are in milliseconds. */
export interface ModelSettings {
  timeoutMs?: number;
  temperature?: number;
  topP?: number;
  frequencyPenalty?: number;
  presencePenalty?: number;
  toolChoice?: ModelSettingsToolChoice;
  parallelToolCalls?: boolean;
  truncation?: 'auto' | 'disabled';
  maxTokens?: number;
  store?: boolean;
  promptCacheRetention?: 'in-memory' | '24h' | null;
  promptCacheOptions?: { mode?: 'implicit' | 'explicit'; ttl?: '30m' };
  contextManagement?: ModelSettingsContextManagement;
  reasoning?: ModelSettingsReasoning;
  text?: ModelSettingsText;
  providerData?: Record<string, any>;
  retry?: ModelRetrySettings;
  preserveRawUsage?: boolean;
}

/** A stored prompt template of the provider. */
export interface Prompt {
  promptId: string;
  version?: string;
  variables?: { [key: string]: string | InputText | InputImage | InputFile };
}

type AllowedCallers = readonly ['direct' | 'programmatic', ...('direct' | 'programmatic')[]];
export interface SerializedFunctionTool {
  type: 'function';
  name: string;
  description: string;
  parameters: Record<string, any>;
  strict: boolean;
  deferLoading?: boolean;
  providerData?: Record<string, any>;
  allowedCallers?: AllowedCallers;
  outputSchema?: Record<string, any>;
  namespace?: string;
  namespaceDescription?: string;
}
export interface SerializedComputerTool {
  type: 'computer';
  name: string;
  environment?: Computer['environment'];
  dimensions?: Computer['dimensions'];
}
export interface SerializedShellTool {
  type: 'shell';
  name: string;
  environment?: Record<string, any>;
  allowedCallers?: AllowedCallers;
}
export interface SerializedApplyPatchTool { type: 'apply_patch'; name: string; allowedCallers?: AllowedCallers }
export interface SerializedHostedTool { type: 'hosted_tool'; name: string; providerData?: Record<string, any> }
export type SerializedTool =
  | SerializedFunctionTool | SerializedComputerTool | SerializedShellTool | SerializedApplyPatchTool | SerializedHostedTool;
export interface SerializedHandoff {
  toolName: string;
  toolDescription: string;
  inputJsonSchema: Record<string, any>;
  strictJsonSchema: boolean;
}
export type SerializedOutputType = JsonSchemaDefinition | TextOutput;

/** One question to a model. */
export interface ModelRequest {
  systemInstructions?: string;
  input: string | AgentInputItem[];
  previousResponseId?: string;
  conversationId?: string;
  modelSettings: ModelSettings;
  tools: SerializedTool[];
  toolsExplicitlyProvided?: boolean;
  outputType: SerializedOutputType;
  handoffs: SerializedHandoff[];
  prompt?: Prompt;
  overridePromptModel?: boolean;
  tracing: boolean | 'enabled_without_data';
  signal?: AbortSignal;
}
export interface ModelResponse {
  usage: Usage;
  output: AgentInputItem[];
  responseId?: string;
  requestId?: string;
  providerData?: Record<string, any>;
  rawUsage?: Record<string, unknown>;
}
export interface ModelRetryAdviceRequest { request: ModelRequest; error: unknown; stream: boolean; attempt: number }

/**
 * Anything that answers a {@link ModelRequest}. Errors are thrown; `signal` aborts. A stream ends with `response_done`;
 * one that ends without it counts as a disconnect.
 */
export interface Model {
  /** The item that a streamed event says is complete, where it says so: what is complete survives a stream that is cut (K2, O2). */
  completedItem?(event: StreamEvent): AgentOutputItem | undefined;
  readonly supportsPromptModelSelection?: boolean;
  getResponse(request: ModelRequest): Promise<ModelResponse>;
  getStreamedResponse(request: ModelRequest): AsyncIterable<StreamEvent>;
  getRetryAdvice?(args: ModelRetryAdviceRequest): Promisable<ModelRetryAdvice | undefined>;
}
/** Finds a {@link Model} by name; without a name, its default. */
export interface ModelProvider {
  getModel(modelName?: string): Promisable<Model>;
}

/** Hears what a provider streams, as it comes. Deltas are not state: no entry, no machine event. */
export type StreamEventListener = (effectId: string, agent: string, event: StreamEvent) => void;

// -- sessions ---------------------------------------------------------------------------------------------------------

/** Where a conversation is kept between runs. */
export interface Session {
  getSessionId(): Promise<string>;
  /** The newest `limit` items, or all, oldest first. */
  getItems(limit?: number): Promise<AgentInputItem[]>;
  prepareHistoryItemForModelInput?(item: AgentInputItem): AgentInputItem;
  addItems(items: AgentInputItem[]): Promise<void>;
  replaceHistoryWithCompaction?(items: AgentInputItem[]): Promise<void>;
  popItem(): Promise<AgentInputItem | undefined>;
  clearSession(): Promise<void>;
}
export type SessionInputCallback = (
  historyItems: AgentInputItem[],
  newItems: AgentInputItem[],
) => Promisable<AgentInputItem[]>;

export interface OpenAIResponsesCompactionArgs {
  responseId?: string | undefined;
  compactionMode?: 'previous_response_id' | 'input' | 'auto';
  store?: boolean;
  force?: boolean;
}
export interface OpenAIResponsesCompactionResult { usage: Record<string, any> }
/** A session that can shorten itself when asked; asked after each save (G4). */
export interface OpenAIResponsesCompactionAwareSession extends Session {
  runCompaction(args?: OpenAIResponsesCompactionArgs): Promisable<OpenAIResponsesCompactionResult | null>;
}

// -- hands ------------------------------------------------------------------------------------------------------------

/**
 * What screen and editor see of a run. A view, because the class itself has private parts: with it, a port written for the
 * Agents SDK fits here and the other way round.
 */
export interface RunContextView { context: any; toolInput?: unknown } // `any`: whatever the app put there, as in the peer's type
type SnakeToCamelCase<S extends string> = S extends `${infer T}_${infer U}` ? `${T}${Capitalize<SnakeToCamelCase<U>>}` : S;
export type Environment = 'mac' | 'windows' | 'ubuntu' | 'browser';
export type Button = 'left' | 'right' | 'wheel' | 'back' | 'forward';
interface ComputerBase {
  environment?: Environment;
  /** Width and height in pixels. */
  dimensions?: [number, number];
  initRun?(runContext?: RunContextView): Promisable<void>;
  /** The screen as base64 PNG. */
  screenshot(runContext?: RunContextView): Promisable<string>;
  click(x: number, y: number, button: Button, runContext?: RunContextView): Promisable<void>;
  doubleClick(x: number, y: number, runContext?: RunContextView): Promisable<void>;
  scroll(x: number, y: number, scrollX: number, scrollY: number, runContext?: RunContextView): Promisable<void>;
  type(text: string, runContext?: RunContextView): Promisable<void>;
  wait(runContext?: RunContextView): Promisable<void>;
  move(x: number, y: number, runContext?: RunContextView): Promisable<void>;
  keypress(keys: string[], runContext?: RunContextView): Promisable<void>;
  drag(path: [number, number][], runContext?: RunContextView): Promisable<void>;
}
/** A screen with mouse and keyboard. An action the model may ask for and the interface lacks is a type error here. */
export type Computer = ComputerBase & Record<Exclude<SnakeToCamelCase<ComputerAction['type']>, keyof ComputerBase>, never>;

/** What one command of a shell call brought. */
export type ShellOutputResult = ShellCallOutputContent;
export interface ShellResult { output: ShellOutputResult[]; maxOutputLength?: number; providerData?: Record<string, unknown> }
export interface Shell { run(action: ShellAction): Promise<ShellResult> }

export interface ApplyPatchResult { status?: 'completed' | 'failed'; output?: string }
export interface EditorInvocationContext { runContext: RunContextView }
export interface Editor {
  createFile(operation: Extract<ApplyPatchOperation, { type: 'create_file' }>, context?: EditorInvocationContext): Promise<ApplyPatchResult | void>;
  updateFile(operation: Extract<ApplyPatchOperation, { type: 'update_file' }>, context?: EditorInvocationContext): Promise<ApplyPatchResult | void>;
  deleteFile(operation: Extract<ApplyPatchOperation, { type: 'delete_file' }>, context?: EditorInvocationContext): Promise<ApplyPatchResult | void>;
}

// -- time and the log -------------------------------------------------------------------------------------------------

/** Time in milliseconds since the epoch. Tests use a virtual one. */
export interface Clock {
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}
