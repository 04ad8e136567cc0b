/** Carrying out one call: ask whether it may, guard it, run its body, word its result. */
import { approvalResponse, resultWithout } from '../../machines/history.ts';
import type { Call, CallResult, HostedApprovalItem } from '../../machines/protocol/call.ts';
import type { AgentInputItem, FunctionCallItem, FunctionCallResultItem } from '../../machines/protocol/item.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { RunOutcome } from '../../machines/protocol/outcome.ts';
import { InvalidToolInputError, ToolCallError, ToolTimeoutError } from '../errors.ts';
import type { EffectIo } from '../host.ts';
import { type AnyAgent, type RunScope, ok } from '../scope.ts';
import { describeToolFailure, describeToolTimeout, isAbortEcho } from '../toolInvocation.ts';
import { extractCustomData, toText, toToolOutput } from '../toolOutput.ts';
import type { FunctionTool, Tool, ToolCallDetails } from '../toolTypes.ts';
import { applyPatch, operateComputer, runShell } from './hands.ts';
import { parsedArguments } from './readResponse.ts';
import { offerFor } from './request.ts';

export interface CallInput { effectId: string; agent: string; call: Call }
type AnyFunctionTool = FunctionTool<any, any, any>; // `any`: tools of one agent differ in parameters and results
/** A result with what the body returned still at hand, for hooks and guardrails. */
interface Product { result: CallResult; value: unknown }

/** @param delegated What a nested run brought, made ready by its own scope. */
export async function execute(scope: RunScope, input: CallInput & { nested: RunOutcome | null }, io: EffectIo, delegated?: DelegatedResult): Promise<RecordedOutcome> {
  const agent = scope.agent(input.agent);
  const { call } = input;
  if (call.item.type === 'hosted_tool_call') return ok(hostedApproval(call.item));
  const tool = await toolOf(scope, agent, call);
  try {
    if (!input.nested) await tellStart(scope, agent, tool, call);
    const product = tool.type === 'function' ? await runFunction(scope, tool, input, io, delegated) : await useHands(scope, tool, call, io);
    if (!call.tool.guardsOutput) await tellEnd(scope, agent, tool, call, product);
    return ok(product.result);
  } catch (error) {
    return failed(scope, error, call, io.effectId);
  }
}

/** How a nested run's outcome becomes the value of the call. */
export type DelegatedResult = (tool: AnyFunctionTool, nested: RunOutcome) => Promise<unknown>;

async function runFunction(scope: RunScope, tool: AnyFunctionTool, input: CallInput & { nested: RunOutcome | null }, io: EffectIo, delegated?: DelegatedResult): Promise<Product> {
  const item = input.call.item as FunctionCallItem; // a function tool is only ever found for a function call
  const toolCall = input.call.edited === undefined ? item : { ...item, arguments: input.call.edited };
  const details: ToolCallDetails = { toolCall, signal: io.signal, callId: item.callId, effectId: io.effectId, parentRunConfig: scope.config };
  let status: CallResult['status'] = 'completed';
  let value: unknown;
  try {
    if (input.nested) value = await delegated!(tool, input.nested);
    else value = await runBody(scope, tool, argumentsOf(tool, item, toolCall), details, io);
  } catch (error) {
    if (isAbortEcho(error, io.signal) || error instanceof TimedOut) {
      if (!(error instanceof TimedOut)) throw error;
      value = error.output;
    } else value = await describeToolFailure(tool, scope.runContext, error, details);
    status = 'failed';
  }
  const { output, display, needsFollowUp } = toToolOutput(value, { isStructured: tool.outputSchema !== undefined, toolName: tool.name });
  const rawItem: FunctionCallResultItem = { type: 'function_call_result', name: tool.name, callId: item.callId, status: 'completed', output };
  if (item.namespace !== undefined) rawItem.namespace = item.namespace;
  const result: CallResult = { status, item: rawItem, output: recordable(value) };
  if (display !== undefined) result.display = display;
  if (needsFollowUp === false) result.needsFollowUp = false;
  if (tool.customDataExtractor) {
    const customData = await extractCustomData(tool.customDataExtractor, { runContext: scope.runContext, tool, toolCall, input: parsedArguments.get(item), output: value, rawItem });
    if (customData) result.customData = customData;
  }
  return { result, value };
}

/** Arguments were read with the response; edited ones, and those of a replayed call, are read here. */
function argumentsOf(tool: AnyFunctionTool, item: FunctionCallItem, toolCall: FunctionCallItem): unknown {
  if (item === toolCall && parsedArguments.has(item)) return parsedArguments.get(item);
  const parsed = tool.parseInput(toolCall.arguments);
  if (parsed.ok) return parsed.value;
  throw new InvalidToolInputError(`Invalid input for tool '${tool.name}': ${parsed.message}`, undefined, parsed.message);
}

function runBody(scope: RunScope, tool: AnyFunctionTool, value: unknown, details: ToolCallDetails, io: EffectIo): Promise<unknown> {
  if (tool.timeoutMs === undefined) return tool.execute(value, scope.runContext, details);
  return withTimeout(scope, tool, value, details, io, tool.timeoutMs);
}

/** What a tool says in place of a result that took too long. */
class TimedOut extends Error {
  readonly output: unknown;
  constructor(output: unknown) {
    super('timed out');
    this.output = output;
  }
}

async function withTimeout(scope: RunScope, tool: AnyFunctionTool, value: unknown, details: ToolCallDetails, io: EffectIo, timeoutMs: number): Promise<unknown> {
  const controller = new AbortController();
  const passOn = () => controller.abort(io.signal.reason);
  io.signal.addEventListener('abort', passOn, { once: true });
  let timer: unknown;
  const deadline = new Promise<'late'>((resolve) => {
    timer = io.clock.setTimeout(() => {
      resolve('late');
      controller.abort(new ToolTimeoutError({ toolName: tool.name, timeoutMs }));
    }, timeoutMs);
  });
  try {
    const body = tool.execute(value, scope.runContext, { ...details, signal: controller.signal });
    const first = await Promise.race([body.then((output) => ({ output })), deadline]);
    if (first !== 'late') return first.output;
    body.catch(() => undefined); // it was told to stop; what it throws now has no reader
    throw new TimedOut(await describeToolTimeout(tool, scope.runContext, details));
  } finally {
    io.clock.clearTimeout(timer);
    io.signal.removeEventListener('abort', passOn);
  }
}

async function useHands(scope: RunScope, tool: Exclude<Tool<any>, AnyFunctionTool>, call: Call, io: EffectIo): Promise<Product> {
  const item = await hands(scope, tool, call, io);
  const result: CallResult = 'note' in item ? resultWithout(call, 'failed', item.note) : { status: 'completed', item: item.item };
  return { result, value: 'note' in item ? item.note : item.item };
}

function hands(scope: RunScope, tool: Exclude<Tool<any>, AnyFunctionTool>, call: Call, io: EffectIo): Promise<{ item: AgentInputItem } | { note: string }> {
  if (tool.type === 'computer' && call.item.type === 'computer_call') return operateComputer(scope, tool, call.item);
  if (tool.type === 'shell' && call.item.type === 'shell_call') return runShell(tool, call.item, io);
  if (tool.type === 'apply_patch' && call.item.type === 'apply_patch_call') return applyPatch(scope, tool, call.item);
  throw new Error(`A ${tool.type} tool cannot carry out a ${call.item.type}.`);
}

const hostedApproval = (item: HostedApprovalItem): CallResult => ({
  status: 'completed',
  item: approvalResponse(String(item.providerData?.['id'] ?? item.id), true),
  output: 'approved',
});

export async function toolOf(scope: RunScope, agent: AnyAgent, call: Call): Promise<Tool<any>> {
  const { tools, functions } = await offerFor(scope, agent);
  const { item } = call;
  const type = { function_call: 'function', computer_call: 'computer', shell_call: 'shell', apply_patch_call: 'apply_patch', hosted_tool_call: 'hosted_tool' }[item.type];
  const namespaced = item.type === 'function_call' && item.namespace ? functions.get(`${item.namespace}.${item.name}`) : undefined;
  const found = type === 'function' ? (namespaced ?? functions.get(call.name)) : tools.find((tool) => tool.type === type);
  if (!found) throw new Error(`Agent "${agent.name}" no longer has the tool "${call.name}" that a call of this run needs.`);
  return found;
}

export async function tellStart(scope: RunScope, agent: AnyAgent, tool: Tool<any>, { item }: Call): Promise<void> {
  if (!scope.listens(agent, 'agent_tool_start')) return;
  const details = { toolCall: item as FunctionCallItem }; // the hook's type names the common case; other calls have the same place
  await agent.emitAndWait('agent_tool_start', scope.runContext, tool, details);
  await scope.hooks?.emitAndWait('agent_tool_start', scope.runContext, agent, tool, details);
}

export async function tellEnd(scope: RunScope, agent: AnyAgent, tool: Tool<any>, { item }: Call, product: Product): Promise<void> {
  if (!scope.listens(agent, 'agent_tool_end')) return;
  const details = { toolCall: item as FunctionCallItem }; // as above
  const text = toText(product.value);
  await agent.emitAndWait('agent_tool_end', scope.runContext, tool, text, details);
  await scope.hooks?.emitAndWait('agent_tool_end', scope.runContext, agent, tool, text, details);
}

/** The tool meant its error to end the run; or a hook of the app threw. */
export function failed(scope: RunScope, error: unknown, call: Call, effectId: string): RecordedOutcome {
  const cause = error instanceof Error ? error : new Error(String(error));
  const isOwn = cause instanceof ToolTimeoutError || cause instanceof ToolCallError;
  const wrapped = isOwn ? cause : new ToolCallError(`Failed to run the tool "${call.name}": ${cause.message}`, cause);
  return scope.failure('toolCall', wrapped, effectId, { detail: { tool: call.name, callId: call.callId } });
}

/** Results are recorded: what is no JSON is kept as its text. */
function recordable(value: unknown): unknown {
  return value === null || typeof value !== 'object' ? value : isPlain(value) ? value : toText(value);
}

const isPlain = (value: object) => Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null;

