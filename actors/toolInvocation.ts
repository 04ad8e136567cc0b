/**
 * Running a function tool without a loop, and the wording of what goes wrong. The loop takes the same steps one by one and uses
 * the same words, so that a model reads the same text either way.
 */
import { ToolTimeoutError, UserError } from './errors.ts';
import type { RunContext } from './runContext.ts';
import type { ToolInputParameters, UnknownContext } from './schemaTypes.ts';
import type { FunctionTool, FunctionToolTimeoutBehavior, ParsedToolInput, ToolCallDetails } from './toolTypes.ts';

/** What the model reads of a tool that threw, unless `errorFunction` says more. */
export const TOOL_ERROR_TEXT = 'An error occurred while running the tool. Please try again.';
/** What the model reads when its arguments are not JSON. */
export const TOOL_ARGUMENTS_TEXT = 'An error occurred while parsing tool arguments. Please try again with valid JSON.';
/** What the model reads when a person said no without saying why. */
export const TOOL_NOT_APPROVED_TEXT = 'Tool execution was not approved.';
/** What the model reads when a tool took longer than its `timeoutMs`. */
export function toolTimeoutText(toolName: string, timeoutMs: number): string {
  return `Tool '${toolName}' timed out after ${timeoutMs}ms.`;
}

/**
 * Invokes a function tool with its own timeout: parses the arguments, runs the body, words the error.
 * @param args.input The arguments as JSON text.
 * @throws What the body threw, if the tool has `errorFunction: null`; `ToolTimeoutError`, if it raises on timeout.
 *
 * @example
 * ```ts
 * import { invokeFunctionTool, RunContext, tool } from 'loopchart';
 * import { z } from 'zod';
 *
 * const next = tool({ name: 'next', description: 'Counts.', parameters: z.object({ n: z.number() }), execute: ({ n }) => n + 1 });
 * console.log(await invokeFunctionTool({ tool: next, runContext: new RunContext(), input: '{"n":1}' })); // 2
 * ```
 */
export async function invokeFunctionTool<
  Context = UnknownContext,
  TParameters extends ToolInputParameters = ToolInputParameters,
  Result = unknown,
>(args: {
  tool: FunctionTool<Context, TParameters, Result>;
  runContext: RunContext<Context>;
  input: string;
  details?: ToolCallDetails;
}): Promise<string | Result> {
  const { tool, runContext, input, details } = args;
  const body = bodyOf(tool.invoke);
  const invoke = (body?.invokeWithoutTimeout as typeof tool.invoke | undefined) ?? tool.invoke;
  return invokeWithTimeout(tool, invoke, { runContext, input, details });
}

/** The parts of a tool made by `tool()`, found by its `invoke`: a copy with another `invoke` has other parts. */
export interface ToolBody {
  parseInput(input: string): ParsedToolInput;
  execute(input: unknown, runContext: RunContext<any>, details?: ToolCallDetails): Promise<unknown>;
  invokeWithoutTimeout(runContext: RunContext<any>, input: string, details?: ToolCallDetails): Promise<unknown>;
}
const bodies = new WeakMap<object, ToolBody>();
const executes = new WeakSet<object>();

export function rememberBody(invoke: object, body: ToolBody): void {
  bodies.set(invoke, body);
  executes.add(body.execute);
}

export function bodyOf(invoke: object): ToolBody | undefined {
  return bodies.get(invoke);
}

/** True for an `execute` that belongs to some `invoke`; beside another `invoke` it is a leftover of a copy. */
export function isExecuteOfTool(execute: object): boolean {
  return executes.has(execute);
}

type FailureFacts = Pick<FunctionTool<any, any, any>, 'errorFunction' | 'checkOutput'>;
type TimeoutFacts = Pick<FunctionTool<any, any, any>, 'name' | 'timeoutMs' | 'timeoutBehavior' | 'timeoutErrorFunction' | 'checkOutput'>;

/**
 * What the model sees of an error.
 * @throws The error itself, if the tool has no `errorFunction`.
 */
export async function describeToolFailure(
  tool: FailureFacts,
  runContext: RunContext<any>,
  error: unknown,
  details?: ToolCallDetails,
): Promise<unknown> {
  if (!tool.errorFunction) throw error;
  const output: unknown = await tool.errorFunction(runContext, error, details);
  return tool.checkOutput ? tool.checkOutput(output, runContext, details) : output;
}

/**
 * What the model sees of a timeout.
 * @throws ToolTimeoutError, if the tool raises on timeout.
 */
export async function describeToolTimeout(tool: TimeoutFacts, runContext: RunContext<any>, details?: ToolCallDetails): Promise<unknown> {
  const error = new ToolTimeoutError({ toolName: tool.name, timeoutMs: tool.timeoutMs ?? 0 });
  if (tool.timeoutBehavior === 'raise_exception') throw error;
  if (!tool.timeoutErrorFunction) return toolTimeoutText(tool.name, tool.timeoutMs ?? 0);
  const output: unknown = await tool.timeoutErrorFunction(runContext, error, details);
  return tool.checkOutput ? tool.checkOutput(output, runContext, details) : output;
}

/** True for an error that is only the echo of an abort; it is passed on and not shown to the model. */
export function isAbortEcho(error: unknown, signal: AbortSignal | undefined): boolean {
  if (!signal?.aborted) return false;
  return error === signal.reason || signal.reason instanceof ToolTimeoutError || (error instanceof Error && error.name === 'AbortError');
}

export async function invokeWithTimeout<Context, Result>(
  tool: TimeoutFacts,
  invoke: (runContext: RunContext<Context>, input: string, details?: ToolCallDetails) => Promise<Result>,
  call: { runContext: RunContext<Context>; input: string; details?: ToolCallDetails | undefined },
): Promise<Result> {
  const { runContext, input, details } = call;
  checkTimeout(tool);
  if (tool.timeoutMs === undefined) return invoke(runContext, input, details);
  const controller = new AbortController();
  const outer = details?.signal;
  const passOn = () => controller.abort(outer?.reason);
  if (outer?.aborted) passOn();
  else outer?.addEventListener('abort', passOn, { once: true });
  const timedOut = Symbol('timed out');
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const deadline = new Promise<typeof timedOut>((resolve) => {
      timer = setTimeout(() => {
        resolve(timedOut);
        controller.abort(new ToolTimeoutError({ toolName: tool.name, timeoutMs: tool.timeoutMs ?? 0 }));
      }, tool.timeoutMs);
    });
    const winner = await Promise.race([invoke(runContext, input, { ...details, signal: controller.signal }), deadline]);
    if (winner !== timedOut) return winner;
    return (await describeToolTimeout(tool, runContext, details)) as Result; // A stand-in result, checked against the output schema.
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', passOn);
  }
}

/** Node keeps timers in 31 bits and fires longer ones at once. */
const MAX_TIMEOUT_MS = 2_147_483_647;
const TIMEOUT_BEHAVIORS: readonly (FunctionToolTimeoutBehavior | undefined)[] = [undefined, 'error_as_result', 'raise_exception'];

/** @throws UserError for a timeout that no timer can keep, or a behaviour that does not exist. */
export function checkTimeout(tool: Pick<TimeoutFacts, 'name' | 'timeoutMs' | 'timeoutBehavior' | 'timeoutErrorFunction'>): void {
  const { name, timeoutMs, timeoutBehavior, timeoutErrorFunction } = tool;
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) {
    const given = String(timeoutMs);
    throw new UserError(`timeoutMs of tool '${name}' must be a number of milliseconds above 0 and at most ${MAX_TIMEOUT_MS}, got ${given}.`);
  }
  if (!TIMEOUT_BEHAVIORS.includes(timeoutBehavior)) {
    throw new UserError(`timeoutBehavior of tool '${name}' must be 'error_as_result' or 'raise_exception', got '${String(timeoutBehavior)}'.`);
  }
  if (timeoutErrorFunction !== undefined && typeof timeoutErrorFunction !== 'function') {
    throw new UserError(`timeoutErrorFunction of tool '${name}' must be a function.`);
  }
}
