/** The types of function tools: what a user declares with `tool()` and what the loop reads. */
import type { FunctionCallItem, FunctionCallResultItem } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import type { AgentToolDelegate } from './agentTool.ts';
import type { ToolTimeoutError } from './errors.ts';
import type { HostedMCPTool, HostedTool } from './hostedTools.ts';
import type { RunToolApprovalItem, RunToolCallOutputItem, ToolOutputCustomData } from './items.ts';
import type { ApplyPatchTool, ComputerTool, ShellTool } from './localTools.ts';
import type { RunResult } from './result.ts';
import type { RunConfig } from './runOptions.ts';
import type { Answers, QuestionSpec } from './question.ts';
import type { RunContext } from './runContext.ts';
import type {
  JsonObjectSchema, ToolExecuteArgument, ToolInputParameters, ToolInputParametersNonStrict, ToolInputParametersStrict,
  ToolOutputSchema, UnknownContext, ZodInfer, ZodObjectLike,
} from './schemaTypes.ts';

import type {
  ToolInputGuardrailDefinition, ToolInputGuardrailFunction, ToolOutputGuardrailDefinition, ToolOutputGuardrailFunction,
} from './toolGuardrail.ts';

export type { ToolOutputCustomData } from './items.ts';

type Promisable<T> = T | Promise<T>;

export type ToolAllowedCaller = 'direct' | 'programmatic';
/** Who may call a tool through the Responses API; at least one, none twice. */
export type ToolAllowedCallers = readonly [ToolAllowedCaller, ...ToolAllowedCaller[]];

/**
 * What running a tool twice means. After a crash a call that started and did not finish is run again when it is `pure` or
 * `idempotent`, looked up with `check` when it is `reconcilable`, and shown to a person when it is `irreversible`.
 */
export type ToolEffect = 'pure' | 'idempotent' | 'reconcilable' | 'irreversible';
/** What a `reconcilable` tool found out about an earlier call. */
export type ToolEffectCheck<Result = unknown> = { happened: true; result: Result } | { happened: false } | { happened: 'unknown' };

export interface ToolCallDetails {
  toolCall?: FunctionCallItem;
  /** Fires when the call is aborted or times out. */
  signal?: AbortSignal;
  callId?: string;
  /** Unique to this execution of the body. */
  effectId?: string;
  /** The same whenever the body of this very call is run again: pass it on, so that the world can tell a repetition. `check` gets it too. */
  idempotencyKey?: string;
  resumeState?: string;
  /** Tells watchers how far the body has come: an event, and no part of the history (C7). */
  progress?: (value: unknown) => void;
  /** The configuration of the runner around, which a nested agent inherits. */
  parentRunConfig?: Partial<RunConfig>;
  /** There when a person approved what the body had asked for by `throw approvalNeeded(reason)`: it runs again, and may go on (D9). */
  approval?: ToolApproval;
}

/** What a person said about the request of a body. */
export interface ToolApproval {
  /** Why the body had asked. */
  reason: string;
  /** Arguments as the person changed them, as JSON text; the body is called with them. */
  approvedArguments?: string;
  /** `reason` of `state.approve`. */
  comment?: string;
}

export type ToolApprovalFunction<TParameters extends ToolInputParameters> = (
  runContext: RunContext,
  input: ToolExecuteArgument<TParameters>,
  callId?: string,
) => Promise<boolean>;
export type ToolEnabledFunction<Context = UnknownContext> = (runContext: RunContext<Context>, agent: Agent<any, any>) => Promise<boolean>;
export type ToolEnabledOption<Context = UnknownContext> =
  | boolean
  | ((args: { runContext: RunContext<Context>; agent: Agent<any, any> }) => Promisable<boolean>);
export type ToolErrorFunction<Context = UnknownContext, Result = string> = (
  context: RunContext<Context>,
  error: Error | unknown,
  details?: ToolCallDetails,
) => Promisable<Result>;
export type FunctionToolTimeoutBehavior = 'error_as_result' | 'raise_exception';
export type ToolTimeoutErrorFunction<Context = UnknownContext, Result = string> = (
  context: RunContext<Context>,
  error: ToolTimeoutError,
  details?: ToolCallDetails,
) => Promisable<Result>;

export type ToolOutputCustomDataExtractor<TContext> = (context: TContext) => Promisable<ToolOutputCustomData | null | undefined>;
export type FunctionToolCustomDataContext<Context = UnknownContext, TParameters extends ToolInputParameters = ToolInputParameters, Result = unknown> = {
  runContext: RunContext<Context>;
  tool: FunctionTool<Context, TParameters, Result>;
  toolCall: FunctionCallItem;
  input: unknown;
  output: unknown;
  rawItem: FunctionCallResultItem;
};
export type FunctionToolCustomDataExtractor<Context = UnknownContext, TParameters extends ToolInputParameters = ToolInputParameters, Result = unknown> =
  ToolOutputCustomDataExtractor<FunctionToolCustomDataContext<Context, TParameters, Result>>;

/** The arguments of a call, read: `json` when they are no JSON at all, `schema` when they are not what the tool declared. */
export type ParsedToolInput = { ok: true; value: unknown } | { ok: false; reason: 'json' | 'schema'; message: string };

/** A function that a model may call. Made by `tool()`; a literal of the peer's shape is completed by `adoptFunctionTool()`. */
export type FunctionTool<Context = UnknownContext, TParameters extends ToolInputParameters = undefined, Result = unknown> = {
  type: 'function';
  /** Letters, digits and underscores. */
  name: string;
  description: string;
  parameters: JsonObjectSchema<any>;
  strict: boolean;
  deferLoading?: boolean;
  providerData?: Record<string, any>;
  allowedCallers?: ToolAllowedCallers;
  outputSchema?: JsonObjectSchema<any>;
  /** Set by `toolNamespace()`. */
  namespace?: string;
  namespaceDescription?: string;
  /** Parses, runs and words errors as the loop would; for use without a loop. */
  invoke: (runContext: RunContext<Context>, input: string, details?: ToolCallDetails) => Promise<string | Result>;
  /** What the model sees of an error; `null` makes an error fail the run. */
  errorFunction?: ToolErrorFunction<Context, string | Result> | null;
  needsApproval: ToolApprovalFunction<TParameters>;
  timeoutMs?: number;
  timeoutBehavior?: FunctionToolTimeoutBehavior;
  timeoutErrorFunction?: ToolTimeoutErrorFunction<Context, Result>;
  isEnabled: ToolEnabledFunction<Context>;
  inputGuardrails?: ToolInputGuardrailDefinition<Context>[];
  outputGuardrails?: ToolOutputGuardrailDefinition<Context>[];
  customDataExtractor?: FunctionToolCustomDataExtractor<Context, TParameters, Result>;

  effect: ToolEffect;
  check?: (key: string, runContext: RunContext<Context>) => Promisable<ToolEffectCheck<Result>>;
  /** `false`: no other call runs beside this one. */
  parallel: boolean;
  /** Exempt from stuck detection, such as a poll. */
  repeatable: boolean;
  /** The result of this tool ends the run. */
  terminal?: 'completed' | 'rejected';
  /** How long a call waits for a person, in ms; then it is rejected (D7). */
  expiresAfterMs?: number;
  /** A person carries its calls out: what is asked, and what is made of the answers. Set by `questionTool()`. */
  questions?: (input: any, runContext: RunContext<Context>) => readonly QuestionSpec[]; // `any`: what `parseInput` made
  answered?: (answers: Answers, input: any) => unknown; // `any`: as above

  // For the loop, which takes the steps of `invoke` one by one.
  parseInput: (input: string) => ParsedToolInput;
  /** The body and the check of its output; errors propagate. */
  execute: (input: any, runContext: RunContext<Context>, details?: ToolCallDetails) => Promise<Result>; // `any`: what `parseInput` made
  /** A constant where nobody has to be asked. */
  approvalPolicy: boolean | ToolApprovalFunction<any>;
  /** Checks a stand-in result (of an error or timeout function) against `outputSchema`; throws `InvalidToolOutputError`. */
  checkOutput?: (output: unknown, runContext: RunContext<Context>, details?: ToolCallDetails) => unknown;
  /** The call is a nested run of this agent. */
  delegate?: AgentToolDelegate<any, any>;
};

/** Anything a model may call. */
export type Tool<Context = unknown> = FunctionTool<Context, any, any> | ComputerTool<Context, any> | ShellTool | ApplyPatchTool | HostedTool;

/** One result, as `toolUseBehavior` functions see it. */
export type FunctionToolResult<Context = UnknownContext, TParameters extends ToolInputParameters = any, Result = any> =
  | {
      type: 'function_output';
      tool: FunctionTool<Context, TParameters, Result>;
      output: string | unknown;
      runItem: RunToolCallOutputItem;
      /** For a tool made of an agent: the nested run. */
      agentRunResult?: RunResult<Context, Agent<Context, any>>;
      interruptions?: RunToolApprovalItem[];
    }
  | { type: 'function_approval'; tool: FunctionTool<Context, TParameters, Result>; runItem: RunToolApprovalItem }
  | { type: 'hosted_mcp_tool_approval'; tool: HostedMCPTool<Context>; runItem: RunToolApprovalItem };

// -- options of tool() ------------------------------------------------------------------------------------------------

export type ToolExecuteResult<TOutputSchema extends ToolOutputSchema | undefined, Result> =
  TOutputSchema extends ZodObjectLike ? ZodInfer<TOutputSchema> : TOutputSchema extends JsonObjectSchema<any> ? unknown : Result;
type ToolFallbackResult<TOutputSchema extends ToolOutputSchema | undefined> =
  TOutputSchema extends undefined ? string : ToolExecuteResult<TOutputSchema, unknown>;
type ToolExecuteFunction<TParameters extends ToolInputParameters, Context, Result> = (
  input: ToolExecuteArgument<TParameters>,
  context?: RunContext<Context>,
  details?: ToolCallDetails,
) => Promisable<Result>;

type ToolTimeoutOptions<Context, TOutputSchema extends ToolOutputSchema | undefined> = [TOutputSchema] extends [undefined]
  ? {
      /** Milliseconds a call may take; none by default. */
      timeoutMs?: number;
      /** `error_as_result` (default): the model reads that it timed out. `raise_exception`: the run fails with `ToolTimeoutError`. */
      timeoutBehavior?: FunctionToolTimeoutBehavior;
      timeoutErrorFunction?: ToolTimeoutErrorFunction<Context, string>;
    }
  :
      | { timeoutMs?: number; timeoutBehavior?: 'raise_exception'; timeoutErrorFunction?: never }
      | {
          timeoutMs?: number;
          timeoutBehavior: 'error_as_result';
          /** A structured tool has to say what its result is when it has none. */
          timeoutErrorFunction: ToolTimeoutErrorFunction<Context, ToolFallbackResult<TOutputSchema>>;
        };

type ToolGuardrailOptions<Context> = {
  inputGuardrails?: ToolInputGuardrailDefinition<Context>[] | { name: string; run: ToolInputGuardrailFunction<Context> }[];
  outputGuardrails?: ToolOutputGuardrailDefinition<Context>[] | { name: string; run: ToolOutputGuardrailFunction<Context> }[];
};

type ToolEffectOptions<Context> = {
  /** Default `irreversible`: nothing is assumed about a tool that declares nothing. */
  effect?: ToolEffect;
  /** For `effect: 'reconcilable'`: says what became of the call with this idempotency key. */
  check?: (key: string, runContext: RunContext<Context>) => Promisable<ToolEffectCheck>;
  /** Default `true`. */
  parallel?: boolean;
  repeatable?: boolean;
  terminal?: 'completed' | 'rejected';
  /** How long a call waits for a person, in ms; then it is rejected, and the model reads why (D7). Default: as the run says, else for ever. */
  expiresAfterMs?: number;
};

type ToolOptionsBase<TParameters extends ToolInputParameters, Context, TOutputSchema extends ToolOutputSchema | undefined> = {
  /** Default: the name of `execute`. */
  name?: string;
  description: string;
  parameters: TParameters;
  deferLoading?: boolean;
  providerData?: Record<string, any>;
  allowedCallers?: ToolAllowedCallers;
  outputSchema?: TOutputSchema;
  execute: ToolExecuteFunction<TParameters, Context, ToolExecuteResult<TOutputSchema, unknown>>;
  /** Words an error for the model. Default: a fixed text that reveals nothing. `null`: the error fails the run. */
  errorFunction?: ToolErrorFunction<Context, ToolFallbackResult<TOutputSchema>> | null;
  /** Whether a person has to approve a call first. */
  needsApproval?: boolean | ToolApprovalFunction<TParameters>;
  isEnabled?: ToolEnabledOption<Context>;
  customDataExtractor?: FunctionToolCustomDataExtractor<Context, TParameters, ToolExecuteResult<TOutputSchema, unknown>>;
} & ToolGuardrailOptions<Context> & ToolTimeoutOptions<Context, TOutputSchema> & ToolEffectOptions<Context>;

export type ToolOptions<
  TParameters extends ToolInputParameters,
  Context = UnknownContext,
  TOutputSchema extends ToolOutputSchema | undefined = undefined,
> =
  | (ToolOptionsBase<Extract<TParameters, ToolInputParametersStrict>, Context, TOutputSchema> & { strict?: true })
  | (ToolOptionsBase<Extract<TParameters, ToolInputParametersNonStrict>, Context, TOutputSchema> & { strict: false });
export type ToolOptionsWithGuardrails<
  TParameters extends ToolInputParameters,
  Context = UnknownContext,
  TOutputSchema extends ToolOutputSchema | undefined = undefined,
> = ToolOptions<TParameters, Context, TOutputSchema>;
