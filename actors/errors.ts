/**
 * Every error a run can reject with. Names and fields are those of `@openai/agents-core`, so that existing `catch` blocks keep
 * working; each one carries the state the run can be resumed from (K3).
 */
import type { AgentInputItem, FunctionCallItem, TextOutput } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import { named } from './errorName.ts';
import type { InputGuardrailResult, OutputGuardrailMetadata, OutputGuardrailResult } from './guardrail.ts';
import type { RunContext } from './runContext.ts';
import type { RunState } from './runState.ts';
import type { AgentOutputType } from './schemaTypes.ts';
import type { ToolInputGuardrailResult, ToolOutputGuardrailResult } from './toolGuardrail.ts';

/** `any`: an error is thrown far from where context and output types are known; the peer's type has it. */
type AnyRunState = RunState<any, Agent<any, any>>;

/**
 * The base of all errors below.
 *
 * @example
 * ```ts
 * import { AgentsError, MaxTurnsExceededError } from 'loopchart';
 *
 * try {
 *   throw new MaxTurnsExceededError('Max turns (10) exceeded.');
 * } catch (error) {
 *   if (!(error instanceof AgentsError)) throw error;
 *   console.log(error.name, error.state === undefined); // MaxTurnsExceededError true
 * }
 * ```
 */
export abstract class AgentsError extends Error {
  /** Where the run stood; resume with `run(agent, error.state)`. Not enumerable, so that printing an error stays readable. */
  declare state?: AnyRunState;
  /** Of a run of a thread: input that it was told and never showed to the model (P2). Not enumerable. */
  declare undelivered?: AgentInputItem[];

  constructor(message: string, state?: AnyRunState, options?: ErrorOptions) {
    super(message, options);
    hide(this, 'state', state);
  }

  static { named(this, 'AgentsError'); }
}

/** Something inside the library, not the caller's configuration, is wrong. */
export class SystemError extends AgentsError {
  static { named(this, 'SystemError'); }
}

/** Turn N+1 would have begun with a limit of N turns (B1). */
export class MaxTurnsExceededError extends AgentsError {
  static { named(this, 'MaxTurnsExceededError'); }
}

/** The model declined to answer and wrote no text beside its refusal. */
export class ModelRefusalError extends AgentsError {
  /** The model's own words. */
  refusal: string;

  constructor(refusal: string, state?: AnyRunState) {
    super(`Model refused to produce output: ${refusal}`, state);
    this.refusal = refusal;
  }

  static { named(this, 'ModelRefusalError'); }
}

/** The model answered with something the protocol or the output schema does not allow. */
export class ModelBehaviorError extends AgentsError {
  static { named(this, 'ModelBehaviorError'); }
}

/** A model call took longer than `modelSettings.timeoutMs`. `cause` is what the provider reported once told to stop, if anything. */
export class ModelTimeoutError extends AgentsError {
  readonly code = 'ETIMEDOUT' as const;
  /** Milliseconds. */
  readonly timeoutMs: number;

  constructor({ timeoutMs, cause }: { timeoutMs: number; cause?: unknown }) {
    super(`Model call timed out after ${timeoutMs}ms.`, undefined, cause === undefined ? undefined : { cause });
    this.timeoutMs = timeoutMs;
  }

  static { named(this, 'ModelTimeoutError'); }
}

/** The call behind an {@link InvalidToolInputError}. */
export type ToolInvocationErrorContext = {
  runContext?: RunContext<any>;
  /** The arguments as the model wrote them. */
  input?: string;
  details?: { toolCall?: FunctionCallItem; resumeState?: string; signal?: AbortSignal };
};

/** The model's arguments are no JSON or do not fit the tool's schema. */
export class InvalidToolInputError extends ModelBehaviorError {
  /** What the validator threw or reported. */
  originalError?: unknown;
  /** Not enumerable: it holds the run context. */
  declare toolInvocation?: ToolInvocationErrorContext;

  constructor(message: string, state?: AnyRunState, originalError?: unknown, toolInvocation?: ToolInvocationErrorContext) {
    super(message, state);
    this.originalError = originalError;
    hide(this, 'toolInvocation', toolInvocation);
  }

  static { named(this, 'InvalidToolInputError'); }
}

/** The caller asked for something that cannot be: wrong options, unknown names, combinations that exclude each other. */
export class UserError extends AgentsError {
  static { named(this, 'UserError'); }
}

/** A saved state or token that has been used or overtaken; load the newest one instead (K6). */
export class StaleStateError extends UserError {
  static { named(this, 'StaleStateError'); }
}

/** The result behind an {@link InvalidToolOutputError}. */
export type ToolOutputErrorContext = {
  runContext?: RunContext<any>;
  /** What the tool, or one of its fallbacks, returned. */
  output?: unknown;
  details?: ToolInvocationErrorContext['details'];
};

/** A tool returned something its own `outputSchema` does not allow. */
export class InvalidToolOutputError extends UserError {
  /** What the validator threw or reported. */
  originalError?: unknown;
  /** Not enumerable: it holds the run context. */
  declare toolOutput?: ToolOutputErrorContext;

  constructor(message: string, state?: AnyRunState, originalError?: unknown, toolOutput?: ToolOutputErrorContext) {
    super(message, state);
    this.originalError = originalError;
    hide(this, 'toolOutput', toolOutput);
  }

  static { named(this, 'InvalidToolOutputError'); }
}

/** A guardrail threw instead of answering; nothing it guards was let through (E5). */
export class GuardrailExecutionError extends AgentsError {
  constructor(message: string, error: Error, state?: AnyRunState) {
    super(message, state, { cause: error });
  }

  /** What the guardrail threw; the same object as `cause`. */
  get error(): Error {
    return this.cause as Error; // Set by the constructor, which takes nothing but an Error.
  }

  static { named(this, 'GuardrailExecutionError'); }
}

/** A tool failed in a way that is meant to end the run (`errorFunction: null`, a throwing tool guardrail). */
export class ToolCallError extends AgentsError {
  constructor(message: string, error: Error, state?: AnyRunState) {
    super(message, state, { cause: error });
  }

  /** What the tool or its guardrail threw; the same object as `cause`. */
  get error(): Error {
    return this.cause as Error; // Set by the constructor, which takes nothing but an Error.
  }

  static { named(this, 'ToolCallError'); }
}

/** A tool with `timeoutBehavior: 'raise_exception'` took too long. */
export class ToolTimeoutError extends AgentsError {
  toolName: string;
  /** Milliseconds. */
  timeoutMs: number;

  constructor({ toolName, timeoutMs, state }: { toolName: string; timeoutMs: number; state?: AnyRunState }) {
    super(`Tool '${toolName}' timed out after ${timeoutMs}ms.`, state);
    this.toolName = toolName;
    this.timeoutMs = timeoutMs;
  }

  static { named(this, 'ToolTimeoutError'); }
}

/** An input guardrail said stop (E1). */
export class InputGuardrailTripwireTriggered extends AgentsError {
  result: InputGuardrailResult;

  constructor(message: string, result: InputGuardrailResult, state?: RunState<any, any>) {
    super(message, state);
    this.result = result;
  }

  static { named(this, 'InputGuardrailTripwireTriggered'); }
}

/** An output guardrail said stop; the output it withheld is in `result` (E3). */
export class OutputGuardrailTripwireTriggered<
  TMeta extends OutputGuardrailMetadata,
  TOutputType extends AgentOutputType = TextOutput,
> extends AgentsError {
  /** Not enumerable: a log of the error must not print the very output that was withheld. */
  declare result: OutputGuardrailResult<TMeta, TOutputType>;

  constructor(message: string, result: OutputGuardrailResult<TMeta, TOutputType>, state?: RunState<any, any>) {
    super(message, state);
    hide(this, 'result', result);
  }

  static { named(this, 'OutputGuardrailTripwireTriggered'); }
}

/** A tool input guardrail answered `throwException` (E4). */
export class ToolInputGuardrailTripwireTriggered extends AgentsError {
  result: ToolInputGuardrailResult;

  constructor(message: string, result: ToolInputGuardrailResult, state?: RunState<any, any>) {
    super(message, state);
    this.result = result;
  }

  static { named(this, 'ToolInputGuardrailTripwireTriggered'); }
}

/** A tool output guardrail answered `throwException` (E4). */
export class ToolOutputGuardrailTripwireTriggered extends AgentsError {
  result: ToolOutputGuardrailResult;

  constructor(message: string, result: ToolOutputGuardrailResult, state?: RunState<any, any>) {
    super(message, state);
    this.result = result;
  }

  static { named(this, 'ToolOutputGuardrailTripwireTriggered'); }
}

/** The run was interrupted. It is called `AbortError`, as everything is that ends by an `AbortSignal`. */
export class RunInterruptedError extends AgentsError {
  constructor(message = 'The run was interrupted.', state?: AnyRunState, options?: ErrorOptions) {
    super(message, state, options);
  }

  static { named(this, 'AbortError'); }
}

/** A model call failed for good: provider, network or key. `cause` is the provider's own error. */
export class ModelError extends AgentsError {
  /** What failed, for programs: the provider's code, an HTTP status or a network code. */
  readonly code: string;

  constructor(message: string, { code, cause, state }: { code: string; cause?: unknown; state?: AnyRunState }) {
    super(message, state, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  static { named(this, 'ModelError'); }
}

/** Writable, because the runner attaches the state to errors that were thrown before it was known. */
function hide(error: Error, property: string, value: unknown): void {
  Object.defineProperty(error, property, { value, configurable: true, writable: true, enumerable: false });
}
