/** What the server says: the shapes of Codex's app-server (v2), where its `turn` is one of our runs. Times in seconds unless named. */

export type RequestId = string | number;
export interface RpcFault { code: number; message: string; data?: unknown }

// -- threads and turns ------------------------------------------------------------------------------------------------

export type ActiveFlag = 'waitingOnApproval' | 'waitingOnUserInput';
export type WireStatus = { type: 'notLoaded' } | { type: 'idle' } | { type: 'systemError' } | { type: 'active'; activeFlags: ActiveFlag[] };

export interface WireThread {
  id: string;
  sessionId: string;
  forkedFromId: string | null;
  parentThreadId: string | null;
  preview: string;
  ephemeral: boolean;
  historyMode: 'paginated';
  modelProvider: string;
  model: string | null;
  reasoningEffort: string | null;
  createdAt: number;
  updatedAt: number;
  recencyAt: number | null;
  status: WireStatus;
  path: string | null;
  cwd: string;
  cliVersion: string;
  originator: string | null;
  source: 'appServer';
  canAcceptDirectInput: boolean | null;
  name: string | null;
  turns: WireTurn[];
  /** Of no use here; the protocol wants them there. */
  environments: null;
  extra: null;
  section: null;
  sectionEnteredAt: null;
  projectId: null;
  threadSource: null;
  agentNickname: null;
  agentRole: null;
  gitInfo: null;
  daybreakEnabled: null;
}

export type TurnStatus = 'inProgress' | 'completed' | 'interrupted' | 'failed';
export interface TurnError { message: string; codexErrorInfo: ErrorInfo | null; additionalDetails: string | null; misalignment: null }
export type ErrorInfo =
  | 'contextWindowExceeded' | 'sessionBudgetExceeded' | 'rateLimitExceeded' | 'serverOverloaded' | 'internalServerError' | 'unauthorized' | 'badRequest' | 'other'
  | { responseStreamDisconnected: { httpStatusCode: number | null } };

export interface WireTurn {
  id: string;
  items: WireItem[];
  itemsView: 'notLoaded' | 'summary' | 'full';
  status: TurnStatus;
  error: TurnError | null;
  startedAt: number | null;
  completedAt: number | null;
  durationMs: number | null;
}

// -- items ------------------------------------------------------------------------------------------------------------

export type WireInput =
  | { type: 'text'; text: string; text_elements: [] }
  | { type: 'image'; url: string; detail?: string }
  | { type: 'audio'; url: string }
  | { type: 'mention'; name: string; path: string };

export type CallStatus = 'inProgress' | 'completed' | 'failed' | 'declined';
export interface CommandAction { type: 'unknown'; command: string }
export interface FileChange { path: string; kind: { type: 'add' } | { type: 'delete' } | { type: 'update'; move_path: string | null }; diff: string }
export interface ToolResult { content: { type: 'text'; text: string }[]; structuredContent: unknown; _meta: null }

export interface CommandItem {
  type: 'commandExecution';
  id: string;
  pluginId: null;
  scriptPath: null;
  command: string;
  cwd: string;
  processId: null;
  source: 'agent';
  status: CallStatus;
  commandActions: CommandAction[];
  aggregatedOutput: string | null;
  exitCode: number | null;
  durationMs: number | null;
}
export interface FileItem { type: 'fileChange'; id: string; changes: FileChange[]; status: CallStatus }
/** Tools of all other kinds. The protocol knows no declined one: it is `failed`, and its error says so. */
export interface ToolItem {
  type: 'mcpToolCall';
  id: string;
  /** Name of the agent that calls. */
  server: string;
  tool: string;
  status: Exclude<CallStatus, 'declined'>;
  arguments: unknown;
  appContext: null;
  mcpAppUi: null;
  pluginId: null;
  readOnlyHint: null;
  result: ToolResult | null;
  error: { message: string } | null;
  durationMs: number | null;
}
export type CallItem = CommandItem | FileItem | ToolItem;
export type WireItem =
  | { type: 'userMessage'; id: string; clientId: string | null; content: WireInput[] }
  /** What the runtime tells the model: an objection of a stop hook, a goal, a limit. */
  | { type: 'hookPrompt'; id: string; fragments: { text: string; hookRunId: string }[] }
  | { type: 'agentMessage'; id: string; text: string; phase: 'commentary' | 'final_answer' | null; memoryCitation: null; delivery: null; questions: null }
  | { type: 'reasoning'; id: string; summary: string[]; content: string[] }
  | { type: 'webSearch'; id: string; query: string; action: null; results: null }
  | { type: 'contextCompaction'; id: string }
  | CallItem;

// -- what else is told ------------------------------------------------------------------------------------------------

export interface TokenCounts { totalTokens: number; inputTokens: number; cachedInputTokens: number; cacheWriteInputTokens: number; outputTokens: number; reasoningOutputTokens: number }
export interface WireGoal {
  threadId: string;
  objective: string;
  status: 'active' | 'complete' | 'budgetLimited' | 'blocked';
  tokenBudget: null;
  tokensUsed: number;
  timeUsedSeconds: number;
  createdAt: number;
  updatedAt: number;
}
export interface QueuedSubmission { id: string; input: WireInput[]; clientUserMessageId: string }

interface OfItem { threadId: string; turnId: string; itemId: string }
export interface NotificationParams {
  'thread/started': { thread: WireThread };
  'thread/status/changed': { threadId: string; status: WireStatus };
  'thread/closed': { threadId: string };
  'thread/name/updated': { threadId: string; threadName: null };
  'thread/queue/changed': { threadId: string };
  'thread/reverted': { threadId: string };
  'thread/tokenUsage/updated': { threadId: string; turnId: string; tokenUsage: { total: TokenCounts; last: TokenCounts; modelContextWindow: number | null } };
  'thread/goal/updated': { threadId: string; turnId: string | null; goal: WireGoal };
  'thread/goal/cleared': { threadId: string };
  'turn/started': { threadId: string; turn: WireTurn };
  'turn/completed': { threadId: string; turn: WireTurn };
  'item/started': { item: WireItem; threadId: string; turnId: string; startedAtMs: number };
  'item/completed': { item: WireItem; threadId: string; turnId: string; completedAtMs: number };
  'item/agentMessage/delta': OfItem & { delta: string };
  'item/reasoning/summaryTextDelta': OfItem & { delta: string; summaryIndex: number };
  'item/reasoning/summaryPartAdded': OfItem & { summaryIndex: number };
  'item/reasoning/textDelta': OfItem & { delta: string; contentIndex: number };
  'item/mcpToolCall/progress': OfItem & { message: string };
  'item/commandExecution/outputDelta': OfItem & { delta: string };
  'serverRequest/resolved': { threadId: string; requestId: RequestId };
  error: { error: TurnError; willRetry: boolean; threadId: string; turnId: string };
  warning: { threadId: string | null; message: string };
}
export type NotificationMethod = keyof NotificationParams;
export type Notification = { [Method in NotificationMethod]: { method: Method; params: NotificationParams[Method] } }[NotificationMethod];

/** What a client that is slow may miss: whatever comes again whole when the item is complete. */
export const isDelta = (method: string): boolean => DELTAS.has(method);
const DELTAS: ReadonlySet<string> = new Set<NotificationMethod>([
  'item/agentMessage/delta', 'item/reasoning/summaryTextDelta', 'item/reasoning/summaryPartAdded', 'item/reasoning/textDelta', 'item/mcpToolCall/progress', 'item/commandExecution/outputDelta',
]);

export const DECISIONS = ['accept', 'acceptForSession', 'decline', 'cancel'] as const;
export interface WireQuestion { id: string; header: string; question: string; isOther: boolean; isSecret: boolean; options: { label: string; description: string }[] | null }

/** What a client is asked. */
export type ServerAsk =
  | {
      method: 'item/commandExecution/requestApproval';
      params: OfItem & {
        kind: 'command';
        startedAtMs: number;
        environmentId: null;
        reason: string | null;
        command: string;
        cwd: string;
        commandActions: CommandAction[];
        availableDecisions: (typeof DECISIONS)[number][];
      };
    }
  | { method: 'item/fileChange/requestApproval'; params: OfItem & { startedAtMs: number; reason: string | null; grantRoot: null } }
  | { method: 'item/tool/requestUserInput'; params: OfItem & { questions: WireQuestion[]; isBlocking: true; autoResolutionMs: number | null } };
