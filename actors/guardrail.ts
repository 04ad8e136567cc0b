/** Checks beside the model: what they are given, what they answer, and their checked form that the loop runs (E1, E3, E5). */
import type { AgentInputItem, AgentOutputItem, TextOutput } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import { GuardrailExecutionError, UserError } from './errors.ts';
import type { ModelResponse } from './ports.ts';
import type { RunContext, UnknownContext } from './runContext.ts';
import type { AgentOutputType, ResolvedAgentOutput } from './schemaTypes.ts';

export type GuardrailDefinition = InputGuardrailDefinition | OutputGuardrailDefinition;

/** A guardrail's answer. */
export interface GuardrailFunctionOutput {
  /** `true` stops the run. */
  tripwireTriggered: boolean;
  /** Why; goes to the results and the error, not to the model. */
  outputInfo: any; // The guardrail's own; the peer's type has it.
}

// -- input ------------------------------------------------------------------------------------------------------------

export interface InputGuardrailFunctionArgs<TContext = UnknownContext> {
  agent: Agent<any, any>; // `any`: runner-level guardrails see agents of unlike types; the peer's type has it.
  input: string | AgentInputItem[];
  context: RunContext<TContext>;
}
export type InputGuardrailFunction = (args: InputGuardrailFunctionArgs) => Promise<GuardrailFunctionOutput>;

/** A check of what goes in. */
export interface InputGuardrail {
  name: string;
  execute: InputGuardrailFunction;
  /** `true` (default): beside the first model call; `false`: before it. */
  runInParallel?: boolean;
}
export interface InputGuardrailMetadata { type: 'input'; name: string }
export interface InputGuardrailResult { guardrail: InputGuardrailMetadata; output: GuardrailFunctionOutput }
export interface InputGuardrailDefinition extends InputGuardrailMetadata {
  guardrailFunction: InputGuardrailFunction;
  runInParallel: boolean;
  /** @throws GuardrailExecutionError when the check throws or answers with no verdict. */
  run(args: InputGuardrailFunctionArgs): Promise<InputGuardrailResult>;
}
export interface DefineInputGuardrailArgs { name: string; execute: InputGuardrailFunction; runInParallel?: boolean }

/** The form of an input guardrail that the loop runs. */
export function defineInputGuardrail({ name, execute, runInParallel = true }: DefineInputGuardrailArgs): InputGuardrailDefinition {
  const guardrail: InputGuardrailMetadata = { type: 'input', name };
  return {
    ...guardrail,
    runInParallel,
    guardrailFunction: execute,
    run: async (args) => ({ guardrail, output: await verdictOf(guardrail, () => execute(args)) }),
  };
}

// -- output -----------------------------------------------------------------------------------------------------------

export interface OutputGuardrailFunctionArgs<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput> {
  agent: Agent<any, any>; // As above.
  /** The final output, parsed where the agent has an output type. */
  agentOutput: ResolvedAgentOutput<TOutput>;
  context: RunContext<TContext>;
  details?: {
    /** The response the output came from, if it came from one. */
    modelResponse?: ModelResponse;
    /** What the run has produced so far, waiting approvals left out. */
    output?: AgentOutputItem[];
  };
}
export type OutputGuardrailFunction<TOutput extends AgentOutputType = TextOutput, TContext = UnknownContext> = (
  args: OutputGuardrailFunctionArgs<TContext, TOutput>,
) => Promise<GuardrailFunctionOutput>;

/** A check of the final output. */
export interface OutputGuardrail<TOutput extends AgentOutputType = TextOutput, TContext = UnknownContext> {
  name: string;
  execute: OutputGuardrailFunction<TOutput, TContext>;
}
export interface OutputGuardrailMetadata { type: 'output'; name: string }
export interface OutputGuardrailResult<TMeta = OutputGuardrailMetadata, TOutput extends AgentOutputType = TextOutput> {
  guardrail: TMeta;
  agentOutput: ResolvedAgentOutput<TOutput>;
  agent: Agent<UnknownContext, TOutput>;
  output: GuardrailFunctionOutput;
}
export interface OutputGuardrailDefinition<
  TMeta = OutputGuardrailMetadata,
  TOutput extends AgentOutputType = TextOutput,
  TContext = UnknownContext,
> extends OutputGuardrailMetadata {
  guardrailFunction: OutputGuardrailFunction<TOutput, TContext>;
  /** @throws GuardrailExecutionError when the check throws or answers with no verdict. */
  run(args: OutputGuardrailFunctionArgs<TContext, TOutput>): Promise<OutputGuardrailResult<TMeta, TOutput>>;
}
export interface DefineOutputGuardrailArgs<TOutput extends AgentOutputType = TextOutput, TContext = UnknownContext> {
  name: string;
  execute: OutputGuardrailFunction<TOutput, TContext>;
}

/**
 * The form of an output guardrail that the loop runs; `outputGuardrails` takes it as well as the plain object.
 *
 * @example
 * ```ts
 * import { defineOutputGuardrail } from 'loopchart';
 *
 * const noKeys = defineOutputGuardrail({
 *   name: 'no keys',
 *   execute: async ({ agentOutput }) => ({ tripwireTriggered: agentOutput.includes('sk-'), outputInfo: 'looks like a key' }),
 * });
 * console.log(noKeys.type, noKeys.name); // output no keys
 * ```
 */
export function defineOutputGuardrail<TOutput extends AgentOutputType = TextOutput, TContext = UnknownContext>({
  name,
  execute,
}: DefineOutputGuardrailArgs<TOutput, TContext>): OutputGuardrailDefinition<OutputGuardrailMetadata, TOutput, TContext> {
  const guardrail: OutputGuardrailMetadata = { type: 'output', name };
  return {
    ...guardrail,
    guardrailFunction: execute,
    run: async (args) => ({
      guardrail,
      agentOutput: args.agentOutput,
      agent: args.agent,
      output: await verdictOf(guardrail, () => execute(args)),
    }),
  };
}

/** A guardrail that does not answer yes or no has checked nothing, so it fails closed. */
async function verdictOf(
  { type, name }: InputGuardrailMetadata | OutputGuardrailMetadata,
  execute: () => Promise<GuardrailFunctionOutput>,
): Promise<GuardrailFunctionOutput> {
  try {
    const output = await execute();
    if (typeof output?.tripwireTriggered === 'boolean') return output;
    throw new UserError('it must return { tripwireTriggered: true | false, outputInfo }.');
  } catch (thrown) {
    // Whatever the check throws, its author's bugs included, means the same: not checked.
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    throw new GuardrailExecutionError(`${type === 'input' ? 'Input' : 'Output'} guardrail "${name}" failed to complete: ${error}`, error);
  }
}
