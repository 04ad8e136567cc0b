/**
 * The wire form of a conversation: one item is one unit of it, as JSON. Names and shapes are those of `@openai/agents-core`
 * 0.20, so that sessions, models and stored histories written for that SDK carry over unchanged.
 */

export interface SharedBase {
  /** Whatever a provider adds; round-tripped, never read by the loop. */
  providerData?: Record<string, any>;
}
export interface ItemBase extends SharedBase {
  id?: string;
}

// -- content ----------------------------------------------------------------------------------------------------------

export interface PromptCacheBreakpoint { mode: 'explicit' }
export interface Refusal extends SharedBase { type: 'refusal'; refusal: string }
export interface OutputText extends SharedBase { type: 'output_text'; text: string }
export interface InputText extends SharedBase { type: 'input_text'; text: string; promptCacheBreakpoint?: PromptCacheBreakpoint }
export interface ReasoningText extends SharedBase { type: 'reasoning_text'; text: string }
export interface InputImage extends SharedBase {
  type: 'input_image';
  image?: string | { id: string };
  detail?: string;
  promptCacheBreakpoint?: PromptCacheBreakpoint;
}
export interface InputFile extends SharedBase {
  type: 'input_file';
  file?: string | { id: string } | { url: string };
  filename?: string;
  promptCacheBreakpoint?: PromptCacheBreakpoint;
}
export interface AudioContent extends SharedBase {
  type: 'audio';
  audio: string | { id: string };
  format?: string | null;
  transcript?: string | null;
  promptCacheBreakpoint?: PromptCacheBreakpoint;
}
export interface ImageContent extends SharedBase { type: 'image'; image: string }
export interface ToolOutputText extends SharedBase { type: 'text'; text: string }
export type ImageData = { data: string | Uint8Array<ArrayBuffer>; mediaType?: string } | { url: string } | { fileId: string };
export interface ToolOutputImage extends SharedBase { type: 'image'; image?: string | ImageData; detail?: string }
export type FileData =
  | { data: string | Uint8Array<ArrayBuffer>; mediaType: string; filename: string }
  | { url: string; filename?: string }
  | { id: string; filename?: string };
export interface ToolOutputFileContent extends SharedBase { type: 'file'; file: string | FileData }

export type UserContent = InputText | InputImage | InputFile | AudioContent;
export type AssistantContent = OutputText | Refusal | AudioContent | ImageContent;
export type ToolCallOutputContent = ToolOutputText | ToolOutputImage | ToolOutputFileContent;
export type ToolCallStructuredOutput = InputText | InputImage | InputFile;

// -- messages ---------------------------------------------------------------------------------------------------------

export interface UserMessageItem extends ItemBase { type?: 'message'; role: 'user'; content: string | UserContent[] }
export interface SystemMessageItem extends ItemBase { type?: 'message'; role: 'system'; content: string }
export interface AssistantMessageItem extends ItemBase {
  type?: 'message';
  role: 'assistant';
  status: 'in_progress' | 'completed' | 'incomplete';
  content: AssistantContent[];
  phase?: 'commentary' | 'final_answer';
}
export type MessageItem = UserMessageItem | SystemMessageItem | AssistantMessageItem;

// -- calls and their results ------------------------------------------------------------------------------------------

export type ToolCaller = { type: 'direct' } | { type: 'program'; callerId: string };
export interface ProgramCallItem extends ItemBase { type: 'program'; callId: string; code: string; fingerprint: string }
export interface ProgramCallResultItem extends ItemBase {
  type: 'program_output';
  callId: string;
  output: string;
  status: 'completed' | 'incomplete';
}
export interface HostedToolCallItem extends ItemBase {
  type: 'hosted_tool_call';
  name: string;
  arguments?: string;
  status?: string;
  output?: string;
  caller?: ToolCaller;
}
export interface FunctionCallItem extends ItemBase {
  type: 'function_call';
  callId: string;
  name: string;
  namespace?: string;
  status?: 'in_progress' | 'completed' | 'incomplete';
  /** JSON text exactly as the model wrote it. */
  arguments: string;
  caller?: ToolCaller;
}
export interface FunctionCallResultItem extends ItemBase {
  type: 'function_call_result';
  name: string;
  namespace?: string;
  callId: string;
  status: 'in_progress' | 'completed' | 'incomplete';
  caller?: ToolCaller;
  output: string | ToolCallOutputContent | ToolCallStructuredOutput[];
}
/** Whatever the provider's tool search, or the app's own, takes. */
export type ToolSearchCallArguments = unknown;
export interface ToolReference { type: 'tool_reference'; functionName: string; namespace?: string }
/** A {@link ToolReference} or a whole definition, as the search returned it. */
export type ToolSearchOutputTool = Record<string, any>; // `any`: the provider's own; the peer's type has it
export interface ToolSearchCallItem extends ItemBase {
  type: 'tool_search_call';
  call_id?: string | null;
  callId?: string | null;
  execution?: 'client' | 'server';
  arguments: ToolSearchCallArguments;
  status?: string;
}
export interface ToolSearchOutputItem extends ItemBase {
  type: 'tool_search_output';
  toolSearchAgentName?: string;
  toolSearchMcpToolNames?: string[];
  call_id?: string | null;
  callId?: string | null;
  execution?: 'client' | 'server';
  status?: string;
  tools: ToolSearchOutputTool[];
}
export type ComputerAction =
  | { type: 'screenshot' }
  | { type: 'click'; x: number; y: number; button: 'left' | 'right' | 'wheel' | 'back' | 'forward'; keys?: string[] | null }
  | { type: 'double_click'; x: number; y: number; keys?: string[] | null }
  | { type: 'scroll'; x: number; y: number; scroll_x: number; scroll_y: number; keys?: string[] | null }
  | { type: 'type'; text: string }
  | { type: 'wait' }
  | { type: 'move'; x: number; y: number; keys?: string[] | null }
  | { type: 'keypress'; keys: string[] }
  | { type: 'drag'; path: { x: number; y: number }[]; keys?: string[] | null };
export interface ComputerUseCallItem extends ItemBase {
  type: 'computer_call';
  callId: string;
  status: 'in_progress' | 'completed' | 'incomplete';
  action?: ComputerAction;
  actions?: ComputerAction[];
}
export interface ComputerCallResultItem extends ItemBase {
  type: 'computer_call_result';
  callId: string;
  output: SharedBase & { type: 'computer_screenshot'; data: string };
}
export interface ShellAction { commands: string[]; timeoutMs?: number; maxOutputLength?: number }
export interface ShellCallItem extends ItemBase {
  type: 'shell_call';
  callId: string;
  status?: 'in_progress' | 'completed' | 'incomplete';
  action: ShellAction;
  caller?: ToolCaller;
}
export interface ShellCallOutputContent {
  stdout: string;
  stderr: string;
  outcome: { type: 'timeout' } | { type: 'exit'; exitCode: number | null };
  [key: string]: unknown;
}
export interface ShellCallResultItem extends ItemBase {
  type: 'shell_call_output';
  callId: string;
  status?: 'in_progress' | 'completed' | 'incomplete';
  maxOutputLength?: number;
  output: ShellCallOutputContent[];
  caller?: ToolCaller;
}
export type ApplyPatchOperation =
  | { type: 'create_file'; path: string; diff: string }
  | { type: 'update_file'; path: string; diff: string; moveTo?: string }
  | { type: 'delete_file'; path: string };
export interface ApplyPatchCallItem extends ItemBase {
  type: 'apply_patch_call';
  callId: string;
  status: 'in_progress' | 'completed';
  operation: ApplyPatchOperation;
  caller?: ToolCaller;
}
export interface ApplyPatchCallResultItem extends ItemBase {
  type: 'apply_patch_call_output';
  callId: string;
  status: 'completed' | 'failed';
  output?: string;
  caller?: ToolCaller;
}

// -- special items ----------------------------------------------------------------------------------------------------

export interface ReasoningItem extends SharedBase { id?: string; type: 'reasoning'; content: InputText[]; rawContent?: ReasoningText[] }
export interface CompactionItem extends ItemBase { type: 'compaction'; encrypted_content: string; created_by?: string }
export interface UnknownItem extends ItemBase { type: 'unknown' }

// -- unions -----------------------------------------------------------------------------------------------------------

/** A call that this process has to carry out. */
export type LocalCallItem = FunctionCallItem | ComputerUseCallItem | ShellCallItem | ApplyPatchCallItem;
/** The answer to a {@link LocalCallItem}. */
export type LocalResultItem = FunctionCallResultItem | ComputerCallResultItem | ShellCallResultItem | ApplyPatchCallResultItem;
export type ToolCallItem = LocalCallItem | ProgramCallItem | HostedToolCallItem;

/** What a model may answer with. */
export type AgentOutputItem =
  | AssistantMessageItem | ToolSearchCallItem | ToolSearchOutputItem | HostedToolCallItem | ProgramCallItem | ProgramCallResultItem
  | FunctionCallItem | ComputerUseCallItem | ShellCallItem | ApplyPatchCallItem | FunctionCallResultItem | ShellCallResultItem
  | ApplyPatchCallResultItem | ReasoningItem | CompactionItem | UnknownItem;

/** Any unit of a conversation; what sessions hold and models read. */
export type AgentInputItem = AgentOutputItem | UserMessageItem | SystemMessageItem | ComputerCallResultItem;

// -- usage and the stream ---------------------------------------------------------------------------------------------

export interface RequestUsageData {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  inputTokensDetails?: Record<string, number>;
  outputTokensDetails?: Record<string, number>;
  endpoint?: string;
}
export interface UsageData {
  requests?: number;
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  inputTokensDetails?: Record<string, number> | Record<string, number>[];
  outputTokensDetails?: Record<string, number> | Record<string, number>[];
  requestUsageEntries?: RequestUsageData[];
}

export interface StreamEventTextStream extends SharedBase { type: 'output_text_delta'; itemId?: string; delta: string }
export interface StreamEventResponseStarted extends SharedBase { type: 'response_started' }
export interface StreamEventResponseCompleted extends SharedBase {
  type: 'response_done';
  response: SharedBase & {
    id: string;
    requestId?: string;
    usage: UsageData;
    rawUsage?: Record<string, unknown>;
    output: AgentOutputItem[];
  };
}
/** An event of the provider itself, passed through. */
export interface StreamEventGenericItem extends SharedBase { type: 'model'; event: any }
export type StreamEvent = StreamEventTextStream | StreamEventResponseStarted | StreamEventResponseCompleted | StreamEventGenericItem;

/** A JSON schema for an agent's structured output, for use without zod. */
export interface JsonSchemaDefinition {
  type: 'json_schema';
  name: string;
  strict: boolean;
  schema: { type: 'object'; properties: Record<string, any>; required: string[]; additionalProperties: boolean; [key: string]: any };
}
export type TextOutput = 'text';
