/** Handoffs: one agent passes the conversation on to another, through what looks to the model like a tool. */
import type { HookDetails } from './lifecycle.ts';
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import { ModelBehaviorError, UserError } from './errors.ts';
import type { RunItem } from './items.ts';
import type { RunContext } from './runContext.ts';
import { resolveSchema, type ParseResult } from './schema.ts';
import type {
  AgentOutputType, JsonObjectSchema, ResolveParsedToolParameters, TextOutput, ToolInputParameters, UnknownContext,
} from './schemaTypes.ts';
import { toFunctionToolName } from './toolNames.ts';

type Promisable<T> = T | Promise<T>;

/** What a filter may shape before the next agent's model sees it. Session and results keep everything. */
export type HandoffInputData = {
  /** What the run was started with. */
  inputHistory: string | AgentInputItem[];
  /** What was generated before the turn that handed off. */
  preHandoffItems: RunItem[];
  /** What that turn generated, the handoff call and its output included. */
  newItems: RunItem[];
  runContext?: RunContext<any>;
};
/** May be asynchronous; must return data of the same shape. */
export type HandoffInputFilter = (input: HandoffInputData) => Promisable<HandoffInputData>;

type HandoffEnabledArgs<TContext> = { runContext: RunContext<TContext>; agent: Agent<any, any> };
export type HandoffEnabledFunction<TContext = UnknownContext> = (args: HandoffEnabledArgs<TContext>) => Promise<boolean>;
type HandoffEnabledOption<TContext> = boolean | ((args: HandoffEnabledArgs<TContext>) => Promisable<boolean>);
type OnInvokeHandoff<TContext, TOutput extends AgentOutputType> = (
  context: RunContext<TContext>,
  args: string,
  details?: HookDetails,
) => Promisable<Agent<TContext, TOutput>>;
export type OnHandoffCallback<TInputType extends ToolInputParameters> = (
  context: RunContext<any>,
  input?: ResolveParsedToolParameters<TInputType>,
  details?: HookDetails,
) => Promisable<void>;

export type HandoffConfig<TInputType extends ToolInputParameters, TContext = UnknownContext> = {
  /** Default: `transfer_to_<agent name>`. */
  toolNameOverride?: string;
  toolDescriptionOverride?: string;
  /** Runs when the model hands off, before the next agent starts. */
  onHandoff?: OnHandoffCallback<TInputType>;
  /** What the model has to say when it hands off; validated and given to `onHandoff`. */
  inputType?: TInputType;
  inputFilter?: HandoffInputFilter;
  /** Whether the prior transcript is handed over as one message; default: as the runner says. No effect beside an input filter. */
  nestHandoffHistory?: boolean;
  isEnabled?: HandoffEnabledOption<TContext>;
};

export type HandoffCloneOptions<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput> = {
  agent?: Agent<TContext, TOutput>;
  onInvokeHandoff?: OnInvokeHandoff<TContext, TOutput>;
  agentName?: string;
  toolName?: string;
  toolDescription?: string;
  inputJsonSchema?: JsonObjectSchema<any>;
  strictJsonSchema?: boolean;
  inputFilter?: HandoffInputFilter;
  nestHandoffHistory?: boolean;
  isEnabled?: HandoffEnabledFunction<TContext>;
};

/** The result of a handoff call, as the model sees it. */
export function getTransferMessage<TContext, TOutput extends AgentOutputType>(agent: Agent<TContext, TOutput>): string {
  return JSON.stringify({ assistant: agent.name });
}

/** The way from one agent to another as the model sees it: a tool with a name, a description and a schema. Made by `handoff()` or `getHandoff()`. */
export class Handoff<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput> {
  toolName: string;
  toolDescription: string;
  inputJsonSchema: JsonObjectSchema<any> = { type: 'object', properties: {}, required: [], additionalProperties: false };
  strictJsonSchema: boolean = true;
  /** Validates the arguments (JSON text), runs `onHandoff` and names the next agent. */
  onInvokeHandoff: OnInvokeHandoff<TContext, TOutput>;
  agentName: string;
  inputFilter?: HandoffInputFilter;
  nestHandoffHistory?: boolean;
  agent: Agent<TContext, TOutput>;
  isEnabled: HandoffEnabledFunction<TContext> = async () => true;

  constructor(agent: Agent<TContext, TOutput>, onInvokeHandoff: OnInvokeHandoff<TContext, TOutput>) {
    this.agent = agent;
    this.agentName = agent.name;
    this.onInvokeHandoff = onInvokeHandoff;
    this.toolName = `transfer_to_${toFunctionToolName(agent.name)}`;
    this.toolDescription = `Handoff to the ${agent.name} agent to handle the request. ${agent.handoffDescription ?? ''}`;
  }

  getHandoffAsFunctionTool(): { type: 'function'; name: string; description: string; parameters: JsonObjectSchema<any>; strict: boolean } {
    return {
      type: 'function',
      name: this.toolName,
      description: this.toolDescription,
      parameters: this.inputJsonSchema,
      strict: this.strictJsonSchema,
    };
  }

  /**
   * A copy with some fields changed. With another `agent` and nothing else, validation and `onHandoff` still run, and the model
   * sees the same tool.
   */
  clone(overrides: HandoffCloneOptions<TContext, TOutput> = {}): Handoff<TContext, TOutput> {
    const { agent = this.agent } = overrides;
    const redirect: OnInvokeHandoff<TContext, TOutput> = async (context, args, details) => {
      await this.onInvokeHandoff(context, args, details);
      return agent;
    };
    const cloned = new Handoff(agent, overrides.onInvokeHandoff ?? (overrides.agent ? redirect : this.onInvokeHandoff));
    cloned.agentName = overrides.agentName ?? (overrides.agent ? agent.name : this.agentName);
    cloned.toolName = overrides.toolName ?? this.toolName;
    cloned.toolDescription = overrides.toolDescription ?? this.toolDescription;
    cloned.inputJsonSchema = overrides.inputJsonSchema ?? this.inputJsonSchema;
    cloned.strictJsonSchema = overrides.strictJsonSchema ?? this.strictJsonSchema;
    cloned.inputFilter = overrides.inputFilter ?? this.inputFilter;
    cloned.nestHandoffHistory = overrides.nestHandoffHistory ?? this.nestHandoffHistory;
    cloned.isEnabled = overrides.isEnabled ?? this.isEnabled;
    return cloned;
  }
}

/**
 * Describes how one agent hands off to another. An agent given directly in `handoffs` gets one with the defaults.
 *
 * @throws UserError for an `inputType` without an `onHandoff` that would read it, or one that cannot be used as a schema.
 *
 * @example
 * ```ts
 * import { Agent, handoff } from 'loopchart';
 * import { z } from 'zod';
 *
 * const refunds = new Agent({ name: 'Refunds' });
 * const toRefunds = handoff(refunds, {
 *   inputType: z.object({ reason: z.string() }),
 *   onHandoff: (_context, input) => console.log(input?.reason),
 * });
 * const triage = new Agent({ name: 'Triage', handoffs: [toRefunds] });
 * ```
 */
export function handoff<
  TContext = UnknownContext,
  TOutput extends AgentOutputType = TextOutput,
  TInputType extends ToolInputParameters = ToolInputParameters,
>(agent: Agent<TContext, TOutput>, config: HandoffConfig<TInputType, TContext> = {}): Handoff<TContext, TOutput> {
  const { inputType, onHandoff } = config;
  const input = inputType == null ? undefined : resolveSchema(inputType, { owner: `the handoff to '${agent.name}'` });
  if (input && !onHandoff) throw new UserError(`The handoff to '${agent.name}' has an inputType and needs an onHandoff that reads it.`);
  const made = new Handoff<TContext, TOutput>(agent, async (context, args, details) => {
    const value = input ? parseInput(args, input.parse, agent.name) : undefined;
    // What the schema made of the arguments has the type that the schema says.
    await onHandoff?.(context, value as ResolveParsedToolParameters<TInputType>, details);
    return agent;
  });
  if (input) made.inputJsonSchema = input.jsonSchema;
  if (config.toolNameOverride) made.toolName = config.toolNameOverride;
  if (config.toolDescriptionOverride) made.toolDescription = config.toolDescriptionOverride;
  if (config.inputFilter != null) made.inputFilter = config.inputFilter;
  if (config.nestHandoffHistory !== undefined) made.nestHandoffHistory = config.nestHandoffHistory;
  const { isEnabled } = config;
  if (typeof isEnabled === 'function') made.isEnabled = async (args) => Boolean(await isEnabled(args));
  else if (isEnabled !== undefined) made.isEnabled = async () => isEnabled;
  return made;
}

/** The handoff to an agent; one that is a handoff already is returned as it is. */
export function getHandoff<TContext, TOutput extends AgentOutputType>(
  target: Agent<TContext, TOutput> | Handoff<TContext, TOutput>,
): Handoff<TContext, TOutput> {
  return target instanceof Handoff ? target : handoff(target);
}

function parseInput(args: string, parse: (value: unknown) => ParseResult, agentName: string): unknown {
  if (!args) throw new ModelBehaviorError(`The handoff to '${agentName}' needs input, but the model gave none.`);
  let json: unknown;
  try {
    json = JSON.parse(args);
  } catch (error) {
    throw new ModelBehaviorError(`The input of the handoff to '${agentName}' is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = parse(json);
  if (!parsed.ok) throw new ModelBehaviorError(`The input of the handoff to '${agentName}' does not fit its schema: ${parsed.message}`);
  return parsed.value;
}
