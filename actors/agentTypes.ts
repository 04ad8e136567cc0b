/** The configuration of an agent, and the types that follow from it. */
import type { Agent } from './agent.ts';
import type { InputGuardrail, OutputGuardrail } from './guardrail.ts';
import type { Handoff } from './handoff.ts';
import type { RunToolApprovalItem } from './items.ts';
import type { AgentHooksOption } from './lifecycle.ts';
import type { MCPServer, MCPToolErrorFunction } from './mcp.ts';
import type { Model, ModelSettings, Prompt } from './ports.ts';
import type { RunContext } from './runContext.ts';
import type { AgentOutputType, Expand, TextOutput, UnknownContext } from './schemaTypes.ts';
import type { FunctionToolResult, Tool } from './toolTypes.ts';

type Promisable<T> = T | Promise<T>;

export type ToolUseBehaviorFlags = 'run_llm_again' | 'stop_on_first_tool';
export type ToolsToFinalOutputResult =
  | { isFinalOutput: false; isInterrupted: undefined }
  | { isFinalOutput: false; isInterrupted: true; interruptions: RunToolApprovalItem[] }
  /** `finalOutput` is text, read as the agent's output type. */
  | { isFinalOutput: true; isInterrupted: undefined; finalOutput: string };
export type ToolToFinalOutputFunction = (context: RunContext, toolResults: FunctionToolResult[]) => Promisable<ToolsToFinalOutputResult>;
/**
 * What happens after function tools have run: the model sees the results (`run_llm_again`, default), the first result is the
 * final output, the first result of a listed tool is, or a function decides.
 */
export type ToolUseBehavior = ToolUseBehaviorFlags | { stopAtToolNames: string[] } | ToolToFinalOutputFunction;

export interface AgentConfiguration<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput> {
  name: string;
  /** The system prompt, or what makes it for each model call. */
  instructions: string | ((runContext: RunContext<TContext>, agent: Agent<TContext, TOutput>) => Promisable<string>);
  /** A prompt template stored at the provider; Responses API only. */
  prompt?: Prompt | ((runContext: RunContext<TContext>, agent: Agent<TContext, TOutput>) => Promisable<Prompt>);
  /** Tells other agents' models when to hand off to this one. */
  handoffDescription: string;
  handoffs: (Agent<any, any> | Handoff<any, TOutput>)[];
  /** `false` silences the warning about handoffs whose output types differ from this agent's. */
  handoffOutputTypeWarningEnabled?: boolean;
  /** A model, or the name of one; the default model when empty. */
  model: string | Model;
  modelSettings: ModelSettings;
  tools: Tool<TContext>[];
  /** Servers whose tools are offered too. The app connects and closes them, for which `connectMcpServers` helps. */
  mcpServers: MCPServer[];
  mcpConfig: {
    /** Try strict mode for the schemas of MCP tools. */
    convertSchemasToStrict?: boolean;
    /** Words failures of MCP tools for the model; `null`: they fail the run. A server's own one comes first. */
    errorFunction?: MCPToolErrorFunction | null;
    /** Put the server's name before the names of its tools. */
    includeServerInToolNames?: boolean;
  };
  /** Checks of the run's input; only the first agent's run. */
  inputGuardrails: InputGuardrail[];
  /** Checks of the final output; only the last agent's run. */
  outputGuardrails: OutputGuardrail<TOutput, TContext>[];
  /** The form of the final output; text by default. */
  outputType: TOutput;
  toolUseBehavior: ToolUseBehavior;
  /** Whether a forced `toolChoice` is dropped once a tool was used, so that the model can come to an end. Default `true`. */
  resetToolChoice: boolean;
  /** Functions called, and awaited, at the events of this agent; same as `agent.on(…)`. */
  hooks?: AgentHooksOption<TContext, TOutput>;
}

export type AgentOptions<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput> = Expand<
  Pick<AgentConfiguration<TContext, TOutput>, 'name'> & Partial<AgentConfiguration<TContext, TOutput>>
>;

type OutputOfAgent<T> = T extends Agent<any, infer Output> ? Output : never;
type OutputOfHandoff<T> = T extends Handoff<any, infer Output> ? Output : never;
/** The output types of all agents that may end up with the run. */
export type HandoffsOutputUnion<Handoffs extends readonly (Agent<any, any> | Handoff<any, any>)[]> =
  | OutputOfAgent<Handoffs[number]>
  | OutputOfHandoff<Handoffs[number]>;
export type AgentConfigWithHandoffs<TOutput extends AgentOutputType, Handoffs extends readonly (Agent<any, any> | Handoff<any, any>)[]> = {
  name: string;
  handoffs?: Handoffs;
  outputType?: TOutput;
} & Partial<Omit<AgentConfiguration<UnknownContext, TOutput | HandoffsOutputUnion<Handoffs>>, 'name' | 'handoffs' | 'outputType'>>;
