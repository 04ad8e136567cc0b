/** Checks around one function tool: before its body runs and after it has (E4). */
import type { FunctionCallItem } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import {
  GuardrailExecutionError,
  ToolInputGuardrailTripwireTriggered,
  ToolOutputGuardrailTripwireTriggered,
  UserError,
} from './errors.ts';
import type { RunContext, UnknownContext } from './runContext.ts';

/**
 * What happens next: go on, let `message` take the place of the result (the body does not run, or its output is replaced), or
 * fail the run.
 */
export type ToolGuardrailBehavior = { type: 'allow' } | { type: 'rejectContent'; message: string } | { type: 'throwException' };

export interface ToolGuardrailFunctionOutput {
  /** Why; goes to the results and the error, not to the model. */
  outputInfo?: any; // The guardrail's own; the peer's type has it.
  behavior: ToolGuardrailBehavior;
}
export interface ToolGuardrailMetadata { type: 'tool_input' | 'tool_output'; name: string }
export interface ToolGuardrailBase { name: string }

export interface ToolInputGuardrailData<TContext = UnknownContext> {
  context: RunContext<TContext>;
  agent: Agent<any, any>; // `any`: a tool serves agents of unlike types; the peer's type has it.
  toolCall: FunctionCallItem;
}
export interface ToolOutputGuardrailData<TContext = UnknownContext> extends ToolInputGuardrailData<TContext> {
  /** What the body returned. */
  output: unknown;
}
export type ToolInputGuardrailFunction<TContext = UnknownContext> = (
  data: ToolInputGuardrailData<TContext>,
) => Promise<ToolGuardrailFunctionOutput>;
export type ToolOutputGuardrailFunction<TContext = UnknownContext> = (
  data: ToolOutputGuardrailData<TContext>,
) => Promise<ToolGuardrailFunctionOutput>;

export interface ToolInputGuardrailDefinition<TContext = UnknownContext> extends ToolGuardrailBase {
  type: 'tool_input';
  run: ToolInputGuardrailFunction<TContext>;
}
export interface ToolOutputGuardrailDefinition<TContext = UnknownContext> extends ToolGuardrailBase {
  type: 'tool_output';
  run: ToolOutputGuardrailFunction<TContext>;
}
export interface ToolInputGuardrailResult {
  guardrail: ToolGuardrailMetadata & { type: 'tool_input' };
  output: ToolGuardrailFunctionOutput;
}
export interface ToolOutputGuardrailResult {
  guardrail: ToolGuardrailMetadata & { type: 'tool_output' };
  output: ToolGuardrailFunctionOutput;
}
/** What the option `inputGuardrails` of a tool takes. */
export type ToolInputGuardrailInit<TContext = UnknownContext> =
  | ToolInputGuardrailDefinition<TContext>
  | { name: string; run: ToolInputGuardrailFunction<TContext> };
/** What the option `outputGuardrails` of a tool takes. */
export type ToolOutputGuardrailInit<TContext = UnknownContext> =
  | ToolOutputGuardrailDefinition<TContext>
  | { name: string; run: ToolOutputGuardrailFunction<TContext> };

/**
 * A check before the body runs.
 *
 * @example
 * ```ts
 * import { defineToolInputGuardrail, ToolGuardrailFunctionOutputFactory as verdict } from 'loopchart';
 *
 * const noDrops = defineToolInputGuardrail({
 *   name: 'no drops',
 *   run: async ({ toolCall }) =>
 *     toolCall.arguments.includes('DROP') ? verdict.rejectContent('Dropping tables is not allowed.') : verdict.allow(),
 * });
 * console.log(noDrops.type, noDrops.name); // tool_input no drops
 * ```
 */
export function defineToolInputGuardrail<TContext = UnknownContext>(args: {
  name: string;
  run: ToolInputGuardrailFunction<TContext>;
}): ToolInputGuardrailDefinition<TContext> {
  return { type: 'tool_input', name: args.name, run: args.run };
}

/** A check of what the body returned, before anyone else sees it. */
export function defineToolOutputGuardrail<TContext = UnknownContext>(args: {
  name: string;
  run: ToolOutputGuardrailFunction<TContext>;
}): ToolOutputGuardrailDefinition<TContext> {
  return { type: 'tool_output', name: args.name, run: args.run };
}

/** Makes a tool guardrail's answers. */
export const ToolGuardrailFunctionOutputFactory = {
  allow: (outputInfo?: any): ToolGuardrailFunctionOutput => ({ behavior: { type: 'allow' }, outputInfo }),
  rejectContent: (message: string, outputInfo?: any): ToolGuardrailFunctionOutput => ({
    behavior: { type: 'rejectContent', message },
    outputInfo,
  }),
  throwException: (outputInfo?: any): ToolGuardrailFunctionOutput => ({ behavior: { type: 'throwException' }, outputInfo }),
};

/** Plain objects become definitions; definitions stay what they are. */
export function resolveToolInputGuardrails<TContext = UnknownContext>(
  guardrails: ToolInputGuardrailInit<TContext>[] = [],
): ToolInputGuardrailDefinition<TContext>[] {
  return guardrails.map((guardrail) => ('type' in guardrail ? guardrail : defineToolInputGuardrail(guardrail)));
}

/** Plain objects become definitions; definitions stay what they are. */
export function resolveToolOutputGuardrails<TContext = UnknownContext>(
  guardrails: ToolOutputGuardrailInit<TContext>[] = [],
): ToolOutputGuardrailDefinition<TContext>[] {
  return guardrails.map((guardrail) => ('type' in guardrail ? guardrail : defineToolOutputGuardrail(guardrail)));
}

/**
 * Asks one tool input guardrail.
 * @throws GuardrailExecutionError when it throws or answers with no known behaviour.
 */
export async function askToolInputGuardrail<TContext>(
  { type, name, run }: ToolInputGuardrailDefinition<TContext>,
  data: ToolInputGuardrailData<TContext>,
): Promise<ToolInputGuardrailResult> {
  const guardrail = { type, name } as const;
  return { guardrail, output: await verdictOf(guardrail, () => run(data)) };
}

/**
 * Asks one tool output guardrail.
 * @throws GuardrailExecutionError when it throws or answers with no known behaviour.
 */
export async function askToolOutputGuardrail<TContext>(
  { type, name, run }: ToolOutputGuardrailDefinition<TContext>,
  data: ToolOutputGuardrailData<TContext>,
): Promise<ToolOutputGuardrailResult> {
  const guardrail = { type, name } as const;
  return { guardrail, output: await verdictOf(guardrail, () => run(data)) };
}

/**
 * Asks input guardrails in order until one objects.
 * @throws ToolInputGuardrailTripwireTriggered when one answers `throwException`.
 */
export async function runToolInputGuardrails<TContext>({
  guardrails = [],
  onResult,
  ...data
}: ToolInputGuardrailData<TContext> & {
  guardrails?: ToolInputGuardrailDefinition<TContext>[];
  onResult?: (result: ToolInputGuardrailResult) => void;
}): Promise<{ type: 'allow' } | { type: 'reject'; message: string }> {
  for (const guardrail of guardrails) {
    const result = await askToolInputGuardrail(guardrail, data);
    onResult?.(result);
    const { behavior } = result.output;
    if (behavior.type === 'rejectContent') return { type: 'reject', message: behavior.message };
    if (behavior.type === 'throwException') {
      throw new ToolInputGuardrailTripwireTriggered(`Tool input guardrail triggered: ${guardrail.name}`, result);
    }
  }
  return { type: 'allow' };
}

/**
 * Asks output guardrails in order until one objects.
 * @returns the output, or the message that takes its place.
 * @throws ToolOutputGuardrailTripwireTriggered when one answers `throwException`.
 */
export async function runToolOutputGuardrails<TContext>({
  guardrails = [],
  toolOutput,
  onResult,
  ...data
}: ToolInputGuardrailData<TContext> & {
  guardrails?: ToolOutputGuardrailDefinition<TContext>[];
  toolOutput: unknown;
  onResult?: (result: ToolOutputGuardrailResult) => void;
}): Promise<unknown> {
  for (const guardrail of guardrails) {
    const result = await askToolOutputGuardrail(guardrail, { ...data, output: toolOutput });
    onResult?.(result);
    const { behavior } = result.output;
    if (behavior.type === 'rejectContent') return behavior.message;
    if (behavior.type === 'throwException') {
      throw new ToolOutputGuardrailTripwireTriggered(`Tool output guardrail triggered: ${guardrail.name}`, result);
    }
  }
  return toolOutput;
}

/** A guardrail that gives no known answer has checked nothing, so it fails closed. */
async function verdictOf(
  { type, name }: ToolGuardrailMetadata,
  run: () => Promise<ToolGuardrailFunctionOutput>,
): Promise<ToolGuardrailFunctionOutput> {
  try {
    const output = await run();
    if (isVerdict(output?.behavior)) return output;
    throw new UserError('it must return what ToolGuardrailFunctionOutputFactory makes: allow, rejectContent or throwException.');
  } catch (thrown) {
    // Whatever the check throws, its author's bugs included, means the same: not checked.
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const kind = type === 'tool_input' ? 'Tool input' : 'Tool output';
    throw new GuardrailExecutionError(`${kind} guardrail "${name}" failed to complete: ${error}`, error);
  }
}

/** Answers come from users' code, which may be JavaScript. */
function isVerdict(behavior: ToolGuardrailBehavior | undefined): boolean {
  switch (behavior?.type) {
    case 'allow':
    case 'throwException':
      return true;
    case 'rejectContent':
      return typeof behavior.message === 'string';
    default:
      return false;
  }
}
