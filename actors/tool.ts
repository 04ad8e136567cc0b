/** Function tools: declared by `tool()`, checked once, and read by the loop. */
import { ApprovalNeeded } from './approvalNeeded.ts';
import { InvalidToolInputError, InvalidToolOutputError, UserError } from './errors.ts';
import { checkExpiry } from './expiry.ts';
import type { RunContext } from './runContext.ts';
import { isZodObject, resolveSchema, type ResolvedSchema } from './schema.ts';
import type { JsonObjectSchema, ToolInputParameters, ToolOutputSchema, UnknownContext } from './schemaTypes.ts';
import { resolveToolInputGuardrails, resolveToolOutputGuardrails } from './toolGuardrail.ts';
import {
  TOOL_ERROR_TEXT, bodyOf, checkTimeout, describeToolFailure, invokeWithTimeout, isAbortEcho, isExecuteOfTool, rememberBody, type ToolBody,
} from './toolInvocation.ts';
import { toAllowedCallers, toFunctionToolName } from './toolNames.ts';
import type {
  FunctionTool, ParsedToolInput, Tool, ToolApprovalFunction, ToolCallDetails, ToolEffect, ToolEnabledFunction, ToolExecuteResult, ToolOptions,
} from './toolTypes.ts';

export * from './toolTypes.ts';
export {
  TOOL_ARGUMENTS_TEXT, TOOL_ERROR_TEXT, TOOL_NOT_APPROVED_TEXT, describeToolFailure, describeToolTimeout, invokeFunctionTool, toolTimeoutText,
} from './toolInvocation.ts';
export { toFunctionToolName } from './toolNames.ts';
export { toToolOutput, type ToolOutput } from './toolOutput.ts';
export type { JsonObjectSchema, ToolExecuteArgument, ToolInputParameters, ToolInputParametersStrict, ToolOutputSchema } from './schemaTypes.ts';

/**
 * Declares a function that a model may call.
 *
 * @throws UserError for options that contradict each other or a schema that cannot be used; it names the tool and the place.
 *
 * @example
 * ```ts
 * import { tool } from 'loopchart';
 * import { z } from 'zod';
 *
 * const weather = tool({
 *   name: 'weather',
 *   description: 'The weather in a city.',
 *   parameters: z.object({ city: z.string() }),
 *   effect: 'pure',
 *   execute: async ({ city }) => `It is sunny in ${city}.`,
 * });
 * ```
 */
export function tool<
  TParameters extends ToolInputParameters = undefined,
  Context = UnknownContext,
  Result = string,
  TOutputSchema extends ToolOutputSchema | undefined = undefined,
>(options: ToolOptions<TParameters, Context, TOutputSchema>): FunctionTool<Context, TParameters, ToolExecuteResult<TOutputSchema, Result>> {
  return declareTool(options as AnyToolOptions) as FunctionTool<Context, TParameters, ToolExecuteResult<TOutputSchema, Result>>;
}

export interface ToolNamespaceOptions<TTools extends readonly FunctionTool<any, any, any>[] = readonly FunctionTool<any, any, any>[]> {
  name: string;
  /** Shared by all tools of the namespace. */
  description: string;
  tools: TTools;
}

/**
 * Groups function tools under one name; Responses API only. The tools given stay as they are, copies are returned.
 * @throws UserError without a name or description, for anything but function tools, and for a tool named like its namespace.
 */
export function toolNamespace<TTools extends readonly FunctionTool<any, any, any>[]>(options: ToolNamespaceOptions<TTools>): TTools {
  const { name, description, tools } = options ?? {};
  if (typeof name !== 'string' || name.trim() === '') throw new UserError('toolNamespace() needs a name.');
  if (typeof description !== 'string' || description.trim() === '') {
    throw new UserError(`toolNamespace() needs a description for '${name}'; the Responses API refuses namespaces without one.`);
  }
  if (!Array.isArray(tools) || tools.some((member) => member?.type !== 'function')) {
    throw new UserError(`toolNamespace() takes a list of function tools for '${name}'.`);
  }
  const namespace = toFunctionToolName(name.trim());
  if (tools.some((member) => member.name === namespace)) {
    throw new UserError(`The namespace '${namespace}' holds a tool of the same name; calls to it would be ambiguous. Rename one of them.`);
  }
  const copies = tools.map((member) => ({ ...member, namespace, namespaceDescription: description.trim() }));
  return copies as unknown as TTools; // The same tools in the same order, each with two more fields.
}

/**
 * Completes a function tool that `tool()` did not make, such as a literal of the peer's shape, and a copy whose `invoke` or
 * `needsApproval` was replaced: what the loop reads must never disagree with what the user wrote. Others are returned as they are.
 */
export function adoptFunctionTool<Context>(candidate: FunctionTool<Context, any, any>): FunctionTool<Context, any, any> {
  const isOurs = bodyOf(candidate.invoke) !== undefined || (typeof candidate.execute === 'function' && !isExecuteOfTool(candidate.execute));
  const approvalPolicy = approvalPolicyOf(candidate.needsApproval);
  if (isOurs && candidate.approvalPolicy === approvalPolicy) return candidate;
  const known = adopted.get(candidate);
  if (known !== undefined && isCompletionOf(known, candidate)) return known;
  const completed: FunctionTool<Context, any, any> = {
    ...candidate,
    effect: candidate.effect ?? 'irreversible',
    parallel: candidate.parallel ?? true,
    repeatable: candidate.repeatable ?? false,
    needsApproval: candidate.needsApproval ?? (async () => false),
    approvalPolicy,
    ...(isOurs ? {} : foreignBody(candidate)),
  };
  adopted.set(candidate, completed);
  return completed;
}

/** Whether a function tool is offered now; a constant costs no await. */
export function isToolEnabled(
  candidate: Tool<any>,
  runContext: RunContext<any>,
  agent: Parameters<ToolEnabledFunction<any>>[1],
): boolean | Promise<boolean> {
  if (candidate.type !== 'function') return true;
  const enabled: unknown = candidate.isEnabled;
  if (typeof enabled !== 'function') return enabled !== false;
  const constant = constants.get(enabled);
  return constant ?? Promise.resolve(candidate.isEnabled(runContext, agent)).then(Boolean);
}

type AnyToolOptions = ToolOptions<any, any, any>;
type AnyFunctionTool = FunctionTool<any, any, any>;

const adopted = new WeakMap<object, AnyFunctionTool>();
/** Answers known without asking, by the function that would give them: they follow the function into any copy of the tool. */
const constants = new WeakMap<object, boolean>();

const COMPLETED: ReadonlySet<string> = new Set(['approvalPolicy', 'checkOutput', 'delegate', 'errorFunction', 'execute', 'parseInput']);

/** Tools are objects that an app may change between turns. */
function isCompletionOf(known: AnyFunctionTool, candidate: AnyFunctionTool): boolean {
  const keys = Object.keys(candidate) as (keyof AnyFunctionTool)[]; // The keys of an object of this type, and perhaps more.
  return keys.every((key) => COMPLETED.has(key) || known[key] === candidate[key]);
}

function declareTool(options: AnyToolOptions): AnyFunctionTool {
  const name = toFunctionToolName(options.name || options.execute?.name || '');
  const strict = options.strict ?? true;
  const hasOutputSchema = options.outputSchema !== undefined;
  const timing = {
    name,
    timeoutMs: options.timeoutMs,
    timeoutBehavior: options.timeoutBehavior ?? (hasOutputSchema ? 'raise_exception' : 'error_as_result'),
    timeoutErrorFunction: options.timeoutErrorFunction,
  } satisfies Partial<AnyFunctionTool>;
  checkDeclaration(options, name, timing);
  const schema = resolveSchema(options.parameters, { owner: `tool '${name}'`, strict });
  const output = resolveOutputSchema(options.outputSchema, name);
  const allowedCallers = toAllowedCallers(options.allowedCallers, name);
  const errorFunction = options.errorFunction === undefined ? (hasOutputSchema ? null : () => TOOL_ERROR_TEXT) : options.errorFunction;
  const body = makeBody(options, name, schema, { errorFunction, checkOutput: output.check });
  const facts = { ...timing, errorFunction, checkOutput: output.check };
  const invoke = (runContext: RunContext<any>, input: string, details?: ToolCallDetails) =>
    invokeWithTimeout(facts, body.invokeWithoutTimeout, { runContext, input, details });
  rememberBody(invoke, body);
  const needsApproval = toFunction(options.needsApproval ?? false);
  return {
    type: 'function',
    ...facts,
    description: options.description,
    parameters: schema.jsonSchema,
    strict,
    deferLoading: options.deferLoading ?? false,
    providerData: options.providerData,
    ...(allowedCallers ? { allowedCallers } : {}),
    ...(output.jsonSchema ? { outputSchema: output.jsonSchema } : {}),
    invoke,
    needsApproval,
    isEnabled: toEnabledFunction(options.isEnabled),
    inputGuardrails: resolveToolInputGuardrails(options.inputGuardrails),
    outputGuardrails: resolveToolOutputGuardrails(options.outputGuardrails),
    customDataExtractor: options.customDataExtractor,
    effect: options.effect ?? 'irreversible',
    ...(options.check ? { check: options.check } : {}),
    parallel: options.parallel ?? true,
    repeatable: options.repeatable ?? false,
    ...(options.terminal ? { terminal: options.terminal } : {}),
    ...(options.expiresAfterMs === undefined ? {} : { expiresAfterMs: options.expiresAfterMs }),
    parseInput: body.parseInput,
    execute: body.execute,
    approvalPolicy: approvalPolicyOf(needsApproval),
  };
}

type Fallbacks = Pick<AnyFunctionTool, 'errorFunction' | 'checkOutput'>;

function makeBody(options: AnyToolOptions, name: string, schema: ResolvedSchema, fallbacks: Fallbacks): ToolBody {
  const isRaw = options.parameters === undefined;
  const parseInput = (input: string): ParsedToolInput => {
    if (isRaw) return { ok: true, value: input };
    let json: unknown;
    try {
      json = JSON.parse(input);
    } catch (error) {
      return { ok: false, reason: 'json', message: error instanceof Error ? error.message : String(error) };
    }
    const parsed = schema.parse(json);
    return parsed.ok ? parsed : { ok: false, reason: 'schema', message: parsed.message };
  };
  const execute = async (input: unknown, runContext: RunContext<any>, details?: ToolCallDetails): Promise<unknown> => {
    const output: unknown = await options.execute(input as never, runContext, details); // What the schema made of the arguments.
    return fallbacks.checkOutput ? fallbacks.checkOutput(output, runContext, details) : output;
  };
  const invokeWithoutTimeout: ToolBody['invokeWithoutTimeout'] = async (runContext, input, details) => {
    const parsed = parseInput(input);
    try {
      if (parsed.ok) return await execute(parsed.value, runContext, details);
      const context = { runContext, input, details };
      throw new InvalidToolInputError(`Invalid input for tool '${name}': ${parsed.message}`, undefined, parsed.message, context);
    } catch (error) {
      if (isAbortEcho(error, details?.signal) || error instanceof ApprovalNeeded) throw error;
      return describeToolFailure(fallbacks, runContext, error, details);
    }
  };
  return { parseInput, execute, invokeWithoutTimeout };
}

function resolveOutputSchema(
  schema: ToolOutputSchema | undefined,
  name: string,
): { jsonSchema?: JsonObjectSchema<any>; check?: AnyFunctionTool['checkOutput'] } {
  if (schema === undefined) return {};
  // A plain JSON schema describes the output and is not checked: it may be looser or stricter than what the app means.
  if (!isZodObject(schema)) return { jsonSchema: schema };
  const resolved = resolveSchema(schema, { owner: `the output of tool '${name}'` });
  return {
    jsonSchema: resolved.jsonSchema,
    check: (output, runContext, details) => {
      const parsed = resolved.parse(output);
      if (parsed.ok) return parsed.value;
      const context = { runContext, output, details };
      throw new InvalidToolOutputError(`Invalid output of tool '${name}': ${parsed.message}`, undefined, parsed.message, context);
    },
  };
}

const EFFECTS: readonly ToolEffect[] = ['pure', 'idempotent', 'reconcilable', 'irreversible'];

type Timing = Pick<AnyFunctionTool, 'name' | 'timeoutMs' | 'timeoutBehavior' | 'timeoutErrorFunction'>;

function checkDeclaration(options: AnyToolOptions, name: string, timing: Timing): void {
  if (typeof options.execute !== 'function') throw new UserError(`Tool '${name}' needs an \`execute\` function.`);
  checkTimeout(timing);
  if (options.outputSchema !== undefined && timing.timeoutBehavior === 'error_as_result' && !timing.timeoutErrorFunction) {
    throw new UserError(`Tool '${name}' has an output schema and returns timeouts as results; give it a timeoutErrorFunction that makes such a result.`);
  }
  const { effect, check, terminal } = options;
  if (effect !== undefined && !EFFECTS.includes(effect)) {
    throw new UserError(`effect of tool '${name}' must be one of ${EFFECTS.join(', ')}, got '${String(effect)}'.`);
  }
  if (effect === 'reconcilable' && !check) throw new UserError(`Tool '${name}' is reconcilable and needs a \`check\` that says what became of a call.`);
  if (effect !== 'reconcilable' && check) throw new UserError(`Tool '${name}' has a \`check\`, which only a tool with effect: 'reconcilable' is asked.`);
  checkExpiry(options.expiresAfterMs, `expiresAfterMs of tool '${name}'`);
  if (terminal !== undefined && terminal !== 'completed' && terminal !== 'rejected') {
    throw new UserError(`terminal of tool '${name}' must be 'completed' or 'rejected', got '${String(terminal)}'.`);
  }
}

function toFunction(answer: boolean | ToolApprovalFunction<any>): ToolApprovalFunction<any> {
  if (typeof answer === 'function') return answer;
  return remember(async () => answer, answer);
}

function toEnabledFunction(option: AnyToolOptions['isEnabled']): ToolEnabledFunction<any> {
  if (typeof option === 'function') return async (runContext, agent) => Boolean(await option({ runContext, agent }));
  const answer = option ?? true;
  return remember(async () => answer, answer);
}

function remember<T extends object>(ask: T, answer: boolean): T {
  constants.set(ask, answer);
  return ask;
}

function approvalPolicyOf(needsApproval: ToolApprovalFunction<any> | undefined): boolean | ToolApprovalFunction<any> {
  return needsApproval === undefined ? false : (constants.get(needsApproval) ?? needsApproval);
}

/** A tool from elsewhere parses and words errors in its own `invoke`; only JSON that is none is caught before. */
function foreignBody(
  candidate: AnyFunctionTool,
): Pick<AnyFunctionTool, 'parseInput' | 'execute' | 'errorFunction' | 'checkOutput' | 'delegate'> {
  return {
    parseInput: (input) => {
      try {
        return { ok: true, value: JSON.parse(input) as unknown };
      } catch (error) {
        return { ok: false, reason: 'json', message: error instanceof Error ? error.message : String(error) };
      }
    },
    execute: async (input, runContext, details) => candidate.invoke(runContext, JSON.stringify(input), details),
    errorFunction: null,
    checkOutput: undefined,
    delegate: undefined,
  };
}
