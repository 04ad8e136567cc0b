/** An agent as a tool of another: the call is a nested run, its answer the result. */
import type { AgentInputItem, FunctionCallItem } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import {
  AgentAsToolInputSchema, defaultInputBuilder, summarizeSchema, toPlainInput, type StructuredToolInputBuilder,
} from './agentToolInput.ts';
import { ModelBehaviorError, UserError } from './errors.ts';
import type { RunStreamEvent } from './events.ts';
import { nestedRunConfig } from './nestedRunConfig.ts';
import type { ModelResponse } from './ports.ts';
import type { RunResult, StreamedRunResult } from './result.ts';
import type { RunConfig, StreamRunOptions } from './runOptions.ts';
import { RunContext } from './runContext.ts';
import { resolveSchema } from './schema.ts';
import type { ResolvedAgentOutput, ToolExecuteArgument, ToolInputParametersStrict } from './schemaTypes.ts';
import { tool } from './tool.ts';
import { toFunctionToolName } from './toolNames.ts';
import type { FunctionTool, ToolApprovalFunction, ToolCallDetails, ToolEnabledOption } from './toolTypes.ts';

export { AgentAsToolInputSchema, type StructuredToolInputBuilder, type StructuredToolInputBuilderOptions } from './agentToolInput.ts';

type AnyAgent = Agent<any, any>;
type AgentToolInputParameters = Exclude<ToolInputParametersStrict, undefined>;
type AgentToolRunOptions<TContext, TAgent extends Agent<TContext, any>> = Omit<StreamRunOptions<TContext, TAgent>, 'stream'>;

/** Which call a nested run answers. */
export type AgentToolInvocation = Readonly<{ toolName: string; toolCallId?: string; toolArguments?: string }>;
export type CompletedAgentToolInvocationRunResult<TContext, TAgent extends Agent<TContext, any>> =
  (RunResult<TContext, TAgent> | StreamedRunResult<TContext, TAgent>) & {
    finalOutput: ResolvedAgentOutput<TAgent['outputType']>;
    agentToolInvocation: AgentToolInvocation;
  };

export type AgentToolStreamEvent<TAgent extends AnyAgent> = { event: RunStreamEvent; agent: TAgent; toolCall?: FunctionCallItem };
export type AgentToolEventName = RunStreamEvent['type'] | '*';
export type AgentToolEventHandler<TAgent extends AnyAgent> = (event: AgentToolStreamEvent<TAgent>) => void | Promise<void>;

export type AgentToolOptions<TContext, TAgent extends Agent<TContext, any>, TParameters extends AgentToolInputParameters> = {
  /** Default: the agent's name. */
  toolName?: string;
  toolDescription?: string;
  /** Makes the tool's result of the nested run. Default: the final output as text. */
  customOutputExtractor?: (output: CompletedAgentToolInvocationRunResult<TContext, TAgent>) => string | Promise<string>;
  needsApproval?: boolean | ToolApprovalFunction<TParameters>;
  /** How long a call of the agent itself waits for a person, in ms; then it is rejected (D7). */
  expiresAfterMs?: number;
  /** Default: `{ input: string }`. */
  parameters?: TParameters;
  /** Makes the nested agent's input of the arguments. */
  inputBuilder?: StructuredToolInputBuilder<ToolExecuteArgument<TParameters>>;
  /** Show the nested agent the whole schema of its arguments. */
  includeInputSchema?: boolean;
  runConfig?: Partial<RunConfig>;
  runOptions?: AgentToolRunOptions<TContext, TAgent>;
  resumeState?: { contextStrategy?: 'merge' | 'replace' | 'preferSerialized' };
  isEnabled?: ToolEnabledOption<TContext>;
  /** Receives the events of the nested run. */
  onStream?: AgentToolEventHandler<TAgent>;
  /** How many events may wait for slow handlers before the nested run is aborted. Default 1024; `null`: any number. */
  onStreamMaxPendingEvents?: number | null;
  /** `false`: a nested run that fails makes this run fail. Default `true`: the model reads that the tool failed. */
  failureAsResult?: boolean;
  /**
   * The agent works beside the run, and its answer comes as mail (F5): the call itself only says that it has begun. Needs a thread; what
   * the run that began it is told does not reach it. Default `false`.
   */
  background?: boolean;
};
export type AgentToolOptionsWithDefault<TContext, TAgent extends Agent<TContext, any>> =
  Omit<AgentToolOptions<TContext, TAgent, typeof AgentAsToolInputSchema>, 'parameters'> & { parameters?: undefined };
export type AgentToolOptionsWithParameters<TContext, TAgent extends Agent<TContext, any>, TParameters extends AgentToolInputParameters> =
  AgentToolOptions<TContext, TAgent, TParameters> & { parameters: TParameters };

/** How the loop runs the nested agent as an actor of its own; it calls neither `invoke` nor `execute`. */
export interface AgentToolDelegate<TContext, TAgent extends Agent<TContext, any>> {
  agent: TAgent;
  buildInput(parsed: unknown): Promise<string | AgentInputItem[]>;
  /** @param result A settled nested run; one that waits for approval yields an empty text. */
  extractOutput(result: CompletedAgentToolInvocationRunResult<TContext, TAgent>): Promise<string>;
  runOptions: AgentToolRunOptions<TContext, TAgent>;
  runConfig: Partial<RunConfig>;
  /** Milestones of the nested run go here; handlers run side by side and never fail it. */
  onStream(event: AgentToolStreamEvent<TAgent>): Promise<void>;
  /** Whether anybody wants events, asked when the nested run starts. */
  isStreaming(): boolean;
  maxPendingEvents: number | null;
  maxTurns?: number | null;
  failureAsResult: boolean;
  /** It works beside the runs of a thread. */
  background: boolean;
  /** The app makes the result of what it brings. */
  extracts: boolean;
  /** The nested run's context carries the parsed arguments as `toolInput`. */
  capturesInput: boolean;
  contextStrategy: 'merge' | 'replace' | 'preferSerialized';
}

export type AgentTool<TContext, TAgent extends Agent<TContext, any>, TParameters extends AgentToolInputParameters> =
  FunctionTool<TContext, TParameters> & {
    delegate: AgentToolDelegate<TContext, TAgent>;
    /** Adds a handler for one kind of event of the nested run, or `'*'` for all. */
    on(name: AgentToolEventName, handler: AgentToolEventHandler<TAgent>): AgentTool<TContext, TAgent, TParameters>;
  };

/** What `agent.asTool()` does. */
export function makeAgentTool<TContext, TAgent extends Agent<TContext, any>, TParameters extends AgentToolInputParameters>(
  agent: TAgent,
  options: AgentToolOptions<TContext, TAgent, TParameters>,
): AgentTool<TContext, TAgent, TParameters> {
  const { onStreamMaxPendingEvents: maxPendingEvents = 1024 } = options;
  if (maxPendingEvents !== null && !(Number.isSafeInteger(maxPendingEvents) && maxPendingEvents > 0)) {
    throw new UserError(`onStreamMaxPendingEvents of the tool made of agent '${agent.name}' must be a whole number above 0, or null.`);
  }
  checkBackground(agent, options);
  const name = toFunctionToolName(options.toolName ?? agent.name);
  const handlers = new Map<AgentToolEventName, Set<AgentToolEventHandler<TAgent>>>();
  const delegate = makeDelegate(agent, name, options, handlers, maxPendingEvents);
  const base = tool({
    name,
    description: options.toolDescription ?? '',
    // One of many kinds of schema; the types of the result are given below.
    parameters: (options.parameters ?? AgentAsToolInputSchema) as typeof AgentAsToolInputSchema,
    needsApproval: options.needsApproval as boolean | ToolApprovalFunction<typeof AgentAsToolInputSchema> | undefined,
    isEnabled: options.isEnabled as ToolEnabledOption | undefined,
    expiresAfterMs: options.expiresAfterMs,
    ...(delegate.failureAsResult ? {} : { errorFunction: null }),
    execute: (parsed, context, details) => runAlone(delegate, name, parsed, context as RunContext<TContext> | undefined, details),
  });
  const made = Object.assign(base, {
    delegate,
    on(event: AgentToolEventName, handler: AgentToolEventHandler<TAgent>) {
      handlers.set(event, (handlers.get(event) ?? new Set()).add(handler));
      return made;
    },
  }) as unknown as AgentTool<TContext, TAgent, TParameters>;
  return made;
}

/** What a thread says itself of all that goes on in it. */
const OF_THREADS = ['session', 'signal', 'stopSignal', 'previousResponseId', 'conversationId', 'autoPreviousResponseId', 'autoResume', 'runId', 'threadId', 'journal', 'onEvent'] as const;

function checkBackground(agent: AnyAgent, { background, runOptions = {} }: AgentToolOptions<any, any, any>): void {
  const said = background ? OF_THREADS.find((option) => (runOptions as Partial<StreamRunOptions>)[option] !== undefined) : undefined; // options of a run, none of them required
  if (said) throw new UserError(`runOptions.${said} cannot be used with background: true: the thread keeps what agent "${agent.name}" does there. Leave it out.`);
}

function makeDelegate<TContext, TAgent extends Agent<TContext, any>, TParameters extends AgentToolInputParameters>(
  agent: TAgent,
  name: string,
  options: AgentToolOptions<TContext, TAgent, TParameters>,
  handlers: Map<AgentToolEventName, Set<AgentToolEventHandler<TAgent>>>,
  maxPendingEvents: number | null,
): AgentToolDelegate<TContext, TAgent> {
  const { onStream, customOutputExtractor, runOptions = {} as AgentToolRunOptions<TContext, TAgent> } = options; // All of them are optional.
  return {
    agent,
    buildInput: makeInputBuilder(name, options),
    extractOutput: async (result) => {
      if (customOutputExtractor) return customOutputExtractor(result);
      return (result.interruptions?.length ?? 0) > 0 ? '' : toOutputText(result, agent);
    },
    runOptions,
    runConfig: options.runConfig ?? {},
    onStream: async (event) => {
      const wanted = [...(onStream ? [onStream] : []), ...(handlers.get(event.event.type) ?? []), ...(handlers.get('*') ?? [])];
      await Promise.allSettled(wanted.map(async (handler) => handler(event)));
    },
    isStreaming: () => onStream !== undefined || handlers.size > 0,
    maxPendingEvents,
    ...('maxTurns' in runOptions ? { maxTurns: runOptions.maxTurns } : {}),
    failureAsResult: options.failureAsResult ?? true,
    background: options.background ?? false,
    extracts: customOutputExtractor !== undefined,
    capturesInput: options.parameters !== undefined || options.inputBuilder !== undefined,
    contextStrategy: options.resumeState?.contextStrategy ?? 'merge',
  };
}

function makeInputBuilder(name: string, options: AgentToolOptions<any, any, any>): AgentToolDelegate<any, any>['buildInput'] {
  const { parameters, inputBuilder, includeInputSchema } = options;
  const schema = parameters === undefined ? undefined : resolveSchema(parameters, { owner: `tool '${name}'` }).jsonSchema;
  const summary = schema && summarizeSchema(schema);
  const jsonSchema = includeInputSchema ? schema : undefined;
  const isStructured = inputBuilder !== undefined || summary !== undefined || jsonSchema !== undefined;
  return async (params) => {
    const input: unknown = isStructured ? await (inputBuilder ?? defaultInputBuilder)({ params, summary, jsonSchema }) : toPlainInput(params);
    if (typeof input === 'string' || Array.isArray(input)) return input as string | AgentInputItem[];
    throw new ModelBehaviorError(`The inputBuilder of tool '${name}' must return text or a list of items, got ${typeof input}.`);
  };
}

/**
 * A text agent answers with its final output, wherever that came from. A structured one with the JSON its model wrote, unless a
 * guardrail checked the parsed form, which is then the one to pass on.
 */
function toOutputText(result: CompletedAgentToolInvocationRunResult<any, any>, agent: AnyAgent): string {
  const checked = result.outputGuardrailResults?.at(-1);
  const finalOutput: unknown = checked ? checked.agentOutput : result.finalOutput;
  const { outputType } = checked?.agent ?? result.lastAgent ?? agent;
  if (outputType === 'text' && finalOutput !== undefined) return String(finalOutput);
  const written = lastText(result.rawResponses);
  if (written !== undefined && !checked) return written;
  return finalOutput === undefined ? (written ?? '') : JSON.stringify(finalOutput);
}

function lastText(responses: readonly ModelResponse[] | undefined): string | undefined {
  const message = responses?.at(-1)?.output.findLast((item) => item.type === 'message' || item.type === undefined);
  if (message === undefined || !('role' in message) || message.role !== 'assistant') return undefined;
  const text = message.content.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
  return text.trim() === '' ? undefined : text;
}

/** The nested run without a loop around: for a tool that is invoked by hand. */
async function runAlone<TContext, TAgent extends Agent<TContext, any>>(
  delegate: AgentToolDelegate<TContext, TAgent>,
  name: string,
  parsed: unknown,
  parent: RunContext<TContext> | undefined,
  details: ToolCallDetails | undefined,
): Promise<string> {
  // The loop imports agents, so agents can only reach it later.
  const { Runner } = await import('./run.ts');
  const runner = new Runner(nestedRunConfig(details?.parentRunConfig, delegate.runConfig, delegate.agent.model));
  const input = await delegate.buildInput(parsed);
  const context = nestedContext(delegate, parsed, parent);
  const options = { ...delegate.runOptions, context, signal: joinSignals(delegate.runOptions.signal, details?.signal) };
  const result = delegate.isStreaming()
    ? await runner.run(delegate.agent, input, { ...options, stream: true })
    : await runner.run(delegate.agent, input, options);
  const { agent } = delegate;
  const toolCall = details?.toolCall;
  if (Symbol.asyncIterator in result) {
    for await (const event of result as AsyncIterable<RunStreamEvent>) await delegate.onStream({ event, agent, toolCall });
  }
  const invocation = { toolName: toolCall?.name ?? name, toolCallId: toolCall?.callId, toolArguments: toolCall?.arguments };
  return delegate.extractOutput(withInvocation(result, invocation));
}

/** Says on the result of a nested run which call it answers. */
export function withInvocation<TContext, TAgent extends Agent<TContext, any>>(
  result: object,
  agentToolInvocation: AgentToolInvocation,
): CompletedAgentToolInvocationRunResult<TContext, TAgent> {
  Object.defineProperty(result, 'agentToolInvocation', { value: agentToolInvocation, configurable: true });
  return result as CompletedAgentToolInvocationRunResult<TContext, TAgent>; // A result that has just been given what it lacked.
}

/** The same context object and usage; decisions about the parent's calls are not the nested agent's. */
function nestedContext<TContext>(
  delegate: AgentToolDelegate<TContext, any>,
  parsed: unknown,
  parent: RunContext<TContext> | undefined,
): RunContext<TContext> {
  const configured = delegate.runOptions.context as TContext | RunContext<TContext> | undefined; // As its type says, once the agent's is known.
  const source = configured instanceof RunContext ? configured : parent;
  const context = new RunContext<TContext>(configured instanceof RunContext ? configured.context : (configured ?? source?.context));
  if (source) context.usage = source.usage;
  if (delegate.capturesInput) context.toolInput = parsed;
  return context;
}

function joinSignals(...signals: (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length > 1 ? AbortSignal.any(given) : given[0];
}
