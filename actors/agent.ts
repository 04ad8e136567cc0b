/** The agent: a model with instructions, tools, handoffs and guardrails. It declares; the loop acts. */
import {
  makeAgentTool, type AgentAsToolInputSchema, type AgentTool, type AgentToolOptions, type AgentToolOptionsWithDefault, type AgentToolOptionsWithParameters,
} from './agentTool.ts';
import type { AgentConfigWithHandoffs, AgentConfiguration, AgentOptions, HandoffsOutputUnion, ToolUseBehavior } from './agentTypes.ts';
import { getDefaultModelSettings, isGpt5OrNewerReasoningModel } from './defaultModel.ts';
import { ModelBehaviorError, UserError } from './errors.ts';
import type { InputGuardrail, OutputGuardrail } from './guardrail.ts';
import { Handoff, getHandoff } from './handoff.ts';
import { AgentHooks, registerHooks, type AgentHooksOption } from './lifecycle.ts';
import { getAllMcpTools, type MCPServer } from './mcp.ts';
import type { Model, ModelSettings, Prompt, SerializedOutputType } from './ports.ts';
import type { RunContext } from './runContext.ts';
import { isStandardSchemaWithJSON, isZodObject, resolveOutputType, type ParseResult, type ResolvedOutput } from './schema.ts';
import type { AgentOutputType, ResolvedAgentOutput, TextOutput, ToolInputParametersStrict, UnknownContext } from './schemaTypes.ts';
import { adoptFunctionTool, isToolEnabled } from './tool.ts';
import type { Tool } from './toolTypes.ts';

export type * from './agentTypes.ts';
export type {
  AgentTool, AgentToolDelegate, AgentToolEventHandler, AgentToolEventName, AgentToolInvocation, AgentToolOptions, AgentToolOptionsWithDefault,
  AgentToolOptionsWithParameters, AgentToolStreamEvent, CompletedAgentToolInvocationRunResult,
} from './agentTool.ts';
export type { AgentOutputType, ResolvedAgentOutput } from './schemaTypes.ts';

type Promisable<T> = T | Promise<T>;

/**
 * An agent is configured once and may take part in any number of runs.
 *
 * @template TContext The app's own context, given to `run()` and seen by tools, guardrails and instructions.
 * @template TOutput The form of the final output: `'text'`, a zod or Standard Schema, or a JSON schema definition.
 * @throws UserError without a name, or for an output type that cannot be used.
 *
 * @example
 * ```ts
 * import { Agent } from 'loopchart';
 *
 * const translator = new Agent({ name: 'Translator', instructions: 'Translate into French.' });
 * console.log(translator.outputSchemaName); // text
 * ```
 */
export class Agent<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput>
  extends AgentHooks<TContext, TOutput>
  implements AgentConfiguration<TContext, TOutput>
{
  /** An agent whose output type is the union of its own and those of all agents it may hand off to. */
  static create<TOutput extends AgentOutputType = TextOutput, Handoffs extends readonly (Agent<any, any> | Handoff<any, any>)[] = []>(
    config: AgentConfigWithHandoffs<TOutput, Handoffs>,
  ): Agent<UnknownContext, TOutput | HandoffsOutputUnion<Handoffs>> {
    type Output = TOutput | HandoffsOutputUnion<Handoffs>;
    // The handoffs' types are carried by Output, which the constructor cannot infer from a readonly tuple.
    const options = { ...config, handoffOutputTypeWarningEnabled: false } as unknown as AgentOptions<UnknownContext, Output>;
    return new Agent<UnknownContext, Output>(options);
  }

  /** The model of an agent that names none. */
  static DEFAULT_MODEL_PLACEHOLDER: string = '';

  name: string;
  instructions: string | ((runContext: RunContext<TContext>, agent: Agent<TContext, TOutput>) => Promisable<string>);
  prompt?: Prompt | ((runContext: RunContext<TContext>, agent: Agent<TContext, TOutput>) => Promisable<Prompt>);
  handoffDescription: string;
  handoffs: (Agent<any, TOutput> | Handoff<any, TOutput>)[];
  model: string | Model;
  modelSettings: ModelSettings;
  tools: Tool<TContext>[];
  mcpServers: MCPServer[];
  mcpConfig: AgentConfiguration<TContext, TOutput>['mcpConfig'];
  inputGuardrails: InputGuardrail[];
  outputGuardrails: OutputGuardrail<AgentOutputType, TContext>[];
  outputType: TOutput;
  toolUseBehavior: ToolUseBehavior;
  resetToolChoice: boolean;
  readonly hooks?: AgentHooksOption<TContext, TOutput>;
  #hasTools: boolean;
  readonly #hasModelSettings: boolean;
  #output: { type: unknown; resolved: ResolvedOutput } | undefined;

  constructor(config: AgentOptions<TContext, TOutput>) {
    super();
    if (typeof config.name !== 'string' || config.name.trim() === '') throw new UserError('An agent needs a name.');
    // AgentOptions is a flattened copy of this; the compiler cannot see that through the generics.
    const options = config as Partial<AgentConfiguration<TContext, TOutput>>;
    this.name = config.name;
    this.instructions = options.instructions ?? '';
    this.prompt = options.prompt;
    this.handoffDescription = options.handoffDescription ?? '';
    this.handoffs = options.handoffs ?? [];
    this.model = options.model ?? Agent.DEFAULT_MODEL_PLACEHOLDER;
    this.modelSettings = options.modelSettings ?? settingsFor(this.model);
    this.#hasModelSettings = options.modelSettings !== undefined;
    this.tools = options.tools ?? [];
    this.#hasTools = options.tools !== undefined;
    this.mcpServers = options.mcpServers ?? [];
    this.mcpConfig = options.mcpConfig ?? {};
    this.inputGuardrails = options.inputGuardrails ?? [];
    // What checks one output type is kept in a list for any; the loop only ever gives it that one.
    this.outputGuardrails = (options.outputGuardrails ?? []) as unknown as OutputGuardrail<AgentOutputType, TContext>[];
    this.outputType = options.outputType ?? ('text' as TOutput); // The default of TOutput.
    this.toolUseBehavior = options.toolUseBehavior ?? 'run_llm_again';
    this.resetToolChoice = options.resetToolChoice ?? true;
    this.#resolveOutput();
    if (options.hooks) {
      this.hooks = options.hooks;
      registerHooks<TContext, TOutput>(this, options.hooks);
    }
    if (options.handoffOutputTypeWarningEnabled ?? true) this.#warnOfOtherOutputTypes();
  }

  /** What kind of output schema this is; for logs and traces. */
  get outputSchemaName(): string {
    const outputType: unknown = this.outputType;
    if (outputType === 'text') return 'text';
    if (isZodObject(outputType)) return 'ZodOutput';
    return isStandardSchemaWithJSON(outputType) ? 'StandardSchemaOutput' : (outputType as { name: string }).name; // Checked by the constructor.
  }

  /**
   * A new agent with some of the configuration changed. Lists that `config` leaves out are shared with this agent, not copied;
   * listeners added with `on` stay with this agent.
   */
  clone(config: Partial<AgentConfiguration<TContext, TOutput>>): Agent<TContext, TOutput> {
    const modelSettings = 'modelSettings' in config ? config.modelSettings : this.#hasModelSettings ? this.modelSettings : undefined;
    const cloned = new Agent<TContext, TOutput>({ ...this, ...config, modelSettings } as unknown as AgentOptions<TContext, TOutput>);
    if (!('tools' in config)) cloned.#hasTools = this.#hasTools;
    // Generated settings are made anew for the clone's model, but whether to store is the app's policy.
    if (!('modelSettings' in config) && !this.#hasModelSettings && this.modelSettings.store !== undefined) {
      cloned.modelSettings.store = this.modelSettings.store;
    }
    return cloned;
  }

  /**
   * This agent as a tool: it gets input that the calling model writes, instead of the conversation, and the calling agent goes on
   * with its answer.
   *
   * @example
   * ```ts
   * import { Agent } from 'loopchart';
   *
   * const summarizer = new Agent({ name: 'Summarizer', instructions: 'Summarize in one sentence.' });
   * const summarize = summarizer.asTool({ toolName: 'summarize', toolDescription: 'Summarizes a text.' });
   * const editor = new Agent({ name: 'Editor', tools: [summarize] });
   * ```
   */
  asTool<TAgent extends Agent<TContext, TOutput> = Agent<TContext, TOutput>>(
    this: TAgent,
    options: AgentToolOptionsWithDefault<TContext, TAgent>,
  ): AgentTool<TContext, TAgent, typeof AgentAsToolInputSchema>;
  asTool<
    TAgent extends Agent<TContext, TOutput> = Agent<TContext, TOutput>,
    TParameters extends Exclude<ToolInputParametersStrict, undefined> = typeof AgentAsToolInputSchema,
  >(this: TAgent, options: AgentToolOptionsWithParameters<TContext, TAgent, TParameters>): AgentTool<TContext, TAgent, TParameters>;
  asTool(options: AgentToolOptions<TContext, any, any>): AgentTool<TContext, any, any> {
    return makeAgentTool(this, options);
  }

  /** The instructions, made now if a function makes them. */
  async getSystemPrompt(runContext: RunContext<TContext>): Promise<string | undefined> {
    return typeof this.instructions === 'function' ? this.instructions(runContext, this) : this.instructions;
  }

  async getPrompt(runContext: RunContext<TContext>): Promise<Prompt | undefined> {
    return typeof this.prompt === 'function' ? this.prompt(runContext, this) : this.prompt;
  }

  /** The tools of the MCP servers. */
  async getMcpTools(runContext: RunContext<TContext>): Promise<Tool<TContext>[]> {
    if (this.mcpServers.length === 0) return [];
    const { convertSchemasToStrict = false, errorFunction, includeServerInToolNames = false } = this.mcpConfig;
    return getAllMcpTools<TContext>({
      mcpServers: this.mcpServers,
      runContext,
      agent: this,
      convertSchemasToStrict,
      errorFunction,
      includeServerInToolNames,
      reservedToolNames: includeServerInToolNames ? await this.#reservedNames(runContext) : undefined,
    });
  }

  /** All tools offered now: those of MCP servers first, then its own that are enabled. */
  async getAllTools(runContext: RunContext<TContext>): Promise<Tool<TContext>[]> {
    const offered = await this.getMcpTools(runContext);
    for (const candidate of this.tools) {
      const enabled = isToolEnabled(candidate, runContext, this);
      if (enabled === true || (enabled !== false && (await enabled))) {
        offered.push(candidate.type === 'function' ? adoptFunctionTool(candidate) : candidate);
      }
    }
    return offered;
  }

  /** Whether `tools` was configured, be it as an empty list; if not, tools of a stored prompt stay in force. */
  hasExplicitToolConfig(): boolean {
    return this.#hasTools || this.tools.length > 0;
  }

  /** Whether `modelSettings` was configured, and is not just what the model wants by default. */
  hasExplicitModelSettings(): boolean {
    return this.#hasModelSettings;
  }

  /** The handoffs offered now. */
  async getEnabledHandoffs(runContext: RunContext<TContext>): Promise<Handoff<any, any>[]> {
    const enabled: Handoff<any, any>[] = [];
    for (const target of this.handoffs) {
      const candidate = defaultHandoff(target);
      if (await candidate.isEnabled({ runContext, agent: this })) enabled.push(candidate);
    }
    return enabled;
  }

  /** What a request says about the form of the answer. */
  get serializedOutputType(): SerializedOutputType {
    return this.#resolveOutput().serialized;
  }

  /** Reads a final output without throwing: text as it is, anything else as JSON that fits the output type. */
  parseFinalOutput(output: string): ParseResult<ResolvedAgentOutput<TOutput>> {
    const { isText, parse } = this.#resolveOutput();
    // What the schema made of the output has the type that the schema says.
    return (isText ? { ok: true, value: output } : parseJson(output, parse)) as ParseResult<ResolvedAgentOutput<TOutput>>;
  }

  /**
   * Reads a final output.
   * @throws ModelBehaviorError when it is not JSON or does not fit the output type.
   */
  processFinalOutput(output: string): ResolvedAgentOutput<TOutput> {
    const parsed = this.parseFinalOutput(output);
    if (parsed.ok) return parsed.value;
    throw new ModelBehaviorError(`Invalid final output of agent '${this.name}': ${parsed.message}`);
  }

  toJSON(): { name: string } {
    return { name: this.name };
  }

  /** Kept until the output type is replaced. */
  #resolveOutput(): ResolvedOutput {
    if (this.#output?.type !== this.outputType) {
      this.#output = { type: this.outputType, resolved: resolveOutputType(this.outputType, `agent '${this.name}'`) };
    }
    return this.#output!.resolved; // Set just above where it was not.
  }

  async #reservedNames(runContext: RunContext<TContext>): Promise<Set<string>> {
    const own = this.tools.filter((candidate) => candidate.type === 'function').map((candidate) => candidate.name);
    const handoffs = await this.getEnabledHandoffs(runContext);
    return new Set([...own, ...handoffs.map((candidate) => candidate.toolName)]);
  }

  #warnOfOtherOutputTypes(): void {
    const targets = this.handoffs.map((target) => (target instanceof Handoff ? target.agent : target));
    const others = targets.filter((target) => isOtherOutput(target.serializedOutputType, this.serializedOutputType));
    if (others.length === 0) return;
    const names = others.map((other) => `'${other.name}'`).join(', ');
    console.warn(
      `Agent '${this.name}' hands off to ${names}, whose final output has another type. Use Agent.create({ … }) to have the types reflect that.`,
    );
  }
}

const handoffs = new WeakMap<object, Handoff<any, any>>();

/** The handoff of an agent that was given as such, made once and again only when the agent's description changes. */
function defaultHandoff(target: Agent<any, any> | Handoff<any, any>): Handoff<any, any> {
  if (target instanceof Handoff) return target;
  const known = handoffs.get(target);
  const made = getHandoff(target);
  if (known !== undefined && known.toolName === made.toolName && known.toolDescription === made.toolDescription) return known;
  handoffs.set(target, made);
  return made;
}

function settingsFor(model: string | Model): ModelSettings {
  if (typeof model !== 'string') return {};
  if (model === Agent.DEFAULT_MODEL_PLACEHOLDER) return getDefaultModelSettings();
  return isGpt5OrNewerReasoningModel(model) ? getDefaultModelSettings(model) : {};
}

function parseJson(output: string, parse: (value: unknown) => ParseResult): ParseResult {
  let json: unknown;
  try {
    json = JSON.parse(output);
  } catch (error) {
    return { ok: false, message: `it is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  return parse(json);
}

function isOtherOutput(left: SerializedOutputType, right: SerializedOutputType): boolean {
  return left !== right && JSON.stringify(left) !== JSON.stringify(right);
}
