/** Carrying out one call: ask whether it may, guard it, run its body, word its result. */
import { MAY_HAVE_COMPLETED, approvalResponse, resultWithout } from '../../machines/history.ts';
import { isHarmful } from '../../machines/toolCallMemory.ts';
import type { Call, CallResult, HostedApprovalItem } from '../../machines/protocol/call.ts';
import type { AgentInputItem, FunctionCallItem, FunctionCallResultItem } from '../../machines/protocol/item.ts';
import type { ErrorRecord } from '../../machines/protocol/failure.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { RunOutcome } from '../../machines/protocol/outcome.ts';
import { ApprovalNeeded } from '../approvalNeeded.ts';
import { errorRecordOf } from '../errorRecord.ts';
import { toItems } from '../input.ts';
import { InvalidToolInputError, ToolCallError, ToolTimeoutError, UserError } from '../errors.ts';
import type { EffectIo } from '../host.ts';
import { type AnyAgent, type RunScope, ok } from '../scope.ts';
import { describeToolFailure, describeToolTimeout, isAbortEcho } from '../toolInvocation.ts';
import { extractCustomData, toText, toToolOutput } from '../toolOutput.ts';
import { shortenedItem, shortenedOutput } from '../toolOutputLimit.ts';
import type { FunctionTool, Tool, ToolApproval, ToolCallDetails } from '../toolTypes.ts';
import { inTime } from './deadline.ts';
import { applyPatch, operateComputer, runShell } from './hands.ts';
import { parsedArguments } from './readResponse.ts';
import { offerFor } from './request.ts';

export interface CallInput { effectId: string; agent: string; call: Call }
/** What carries out a call, with the key by which the world knows it. */
export interface BodyInput extends CallInput { key: string; nested: RunOutcome | null; approval?: ToolApproval }
type AnyFunctionTool = FunctionTool<any, any, any>; // `any`: tools of one agent differ in parameters and results
/** A result with what the body returned still at hand, for hooks and guardrails. */
interface Product { result: CallResult; value: unknown }

/** @param delegated What a nested run brought, made ready by its own scope. */
export async function execute(scope: RunScope, input: BodyInput, io: EffectIo, delegated?: DelegatedResult): Promise<RecordedOutcome> {
  const agent = scope.agent(input.agent);
  const { call } = input;
  if (call.item.type === 'hosted_tool_call') return ok(hostedApproval(call.item));
  const tool = await toolOf(scope, agent, call);
  if (!scope.startBackground && tool.type === 'function' && tool.delegate?.background) return scope.failure('user', new UserError(`The agent tool "${tool.name}" works in the background, which needs a thread. Run its agent with createThread(), or leave out \`background\`.`), io.effectId);
  try {
    if (!input.nested) await tellStart(scope, agent, tool, call, io.effectId);
    io.signal.throwIfAborted(); // nothing starts after an interrupt (J4)
    const product = await ended(scope, agent, tool, input, io, () => (tool.type === 'function' ? runFunction(scope, tool, input, io, delegated) : useHands(scope, tool, call, io)));
    if (!call.tool.guardsOutput) await tellEnd(scope, agent, tool, call, { ...product, effectId: io.effectId });
    return ok(product.result);
  } catch (error) {
    if (error instanceof ApprovalNeeded) return { status: 'asks', reason: error.reason };
    return failed(scope, error, call, io.effectId);
  }
}

/** Who heard of the start of a body hears of its end too, when its error ends the run (H2). */
async function ended(scope: RunScope, agent: AnyAgent, tool: Tool<any>, { call }: CallInput, io: EffectIo, body: () => Promise<Product>): Promise<Product> {
  try {
    return await body();
  } catch (error) {
    if (!io.signal.aborted) await tellEnd(scope, agent, tool, call, { value: String(error), effectId: io.effectId });
    throw error;
  }
}

/** How a nested run's outcome becomes the value of the call. */
export type DelegatedResult = (tool: AnyFunctionTool, nested: RunOutcome) => Promise<unknown>;

async function runFunction(scope: RunScope, tool: AnyFunctionTool, input: BodyInput, io: EffectIo, delegated?: DelegatedResult): Promise<Product> {
  const item = input.call.item as FunctionCallItem; // a function tool is only ever found for a function call
  const toolCall = carriedOut(input.call) as FunctionCallItem; // as above
  const progress = (value: unknown) => scope.onProgress?.(io.effectId, input.agent, value);
  const details: ToolCallDetails = { toolCall, signal: io.signal, callId: item.callId, effectId: io.effectId, idempotencyKey: input.key, parentRunConfig: scope.config, progress, ...(input.approval && { approval: input.approval }) };
  let failure: ErrorRecord | undefined;
  let value: unknown;
  let isLate = false;
  try {
    if (input.nested) value = await delegated!(tool, input.nested);
    else if (tool.delegate?.background) value = await beginBackground(scope, tool, tool.delegate, input, argumentsOf(tool, item, toolCall));
    else value = await runBody(scope, tool, argumentsOf(tool, item, toolCall), details, isHarmful(input.call) ? io : { ...io, tellLate: () => undefined });
  } catch (error) {
    if (isAbortEcho(error, io.signal) || isRaised(tool, error) || (error instanceof ApprovalNeeded && !input.nested)) throw error;
    failure = errorRecordOf(error);
    isLate = error instanceof TimedOut;
    if (error instanceof TimedOut) value = withDoubt(error.output, input.call);
    else value = await describeToolFailure(tool, scope.runContext, error, details);
  }
  const product = await asProduct(scope, tool, input.call, value, failure);
  if (isLate && isHarmful(input.call)) product.result.mayHaveCompleted = true;
  return product;
}

/** The same call begins one agent, however often it is carried out: by its key it is known. */
async function beginBackground(scope: RunScope, tool: AnyFunctionTool, delegate: NonNullable<AnyFunctionTool['delegate']>, { agent, key }: BodyInput, parsed: unknown): Promise<string> {
  const built = await delegate.buildInput(parsed);
  const { capturesInput, extracts } = delegate;
  scope.startBackground!({ id: key, agent, tool: tool.name, delegate: delegate.agent.name, input: toItems(built), from: tool.name, ...(capturesInput && { params: parsed }), ...(extracts && { extracts }) }); // a run that is not of a thread has failed
  return `"${tool.name}" has begun to work in the background. Its answer will come as mail; do not wait for it.`;
}

/** A value as the model, the person and the program see it. */
export async function asProduct(scope: RunScope, tool: AnyFunctionTool, call: Call, value: unknown, failure?: ErrorRecord): Promise<Product> {
  const item = call.item as FunctionCallItem; // a function tool is only ever found for a function call
  const toolCall = carriedOut(call) as FunctionCallItem; // as above
  const isStructured = tool.outputSchema !== undefined;
  const { output: whole, display, needsFollowUp } = toToolOutput(value, { isStructured, toolName: tool.name });
  const maxBytes = isStructured ? null : scope.maxToolOutputBytes; // half of a JSON text is none
  const told = maxBytes === null ? whole : shortenedOutput(whole, maxBytes);
  const output = call.edited === undefined || isStructured ? told : withEdit(told, call.edited);
  const rawItem: FunctionCallResultItem = { type: 'function_call_result', name: tool.name, callId: item.callId, status: 'completed', output };
  if (item.namespace !== undefined) rawItem.namespace = item.namespace;
  const result: CallResult = { status: failure ? 'failed' : 'completed', item: rawItem, output: recordable(value) };
  if (failure) result.error = failure;
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

async function runBody(scope: RunScope, tool: AnyFunctionTool, value: unknown, details: ToolCallDetails, io: EffectIo): Promise<unknown> {
  const { name, timeoutMs } = tool;
  const runContext = details.approval ? scope.runContext.forCall({ toolInput: scope.runContext.toolInput, approval: details.approval }) : scope.runContext;
  if (timeoutMs === undefined) return tool.execute(value, runContext, details);
  const late = new ToolTimeoutError({ toolName: name, timeoutMs });
  const ms = io.begunAt === undefined ? timeoutMs : Math.max(0, io.begunAt + timeoutMs - io.clock.now()); // what was left when its process ended (O6)
  const output = ms === 0 ? undefined : await inTime(io, { ms, late, tellLate: (value) => io.tellLate({ output: recordable(value) }) }, (signal) => tool.execute(value, runContext, { ...details, signal }));
  if (!output) throw new TimedOut(late, await describeToolTimeout(tool, scope.runContext, details));
  return output.value;
}

/** A body that was left behind may yet have its effect (C8). */
function withDoubt(output: unknown, call: Call): unknown {
  return typeof output === 'string' && isHarmful(call) ? `${output} ${MAY_HAVE_COMPLETED}` : output;
}

/** What a tool says in place of a result that took too long. */
class TimedOut extends ToolTimeoutError {
  readonly output: unknown;
  constructor({ toolName, timeoutMs }: ToolTimeoutError, output: unknown) {
    super({ toolName, timeoutMs });
    this.output = output;
  }
}

/** Its own timeout, where the tool says that it ends the run. */
const isRaised = (tool: AnyFunctionTool, error: unknown) =>
  tool.timeoutBehavior === 'raise_exception' && error instanceof ToolTimeoutError && error.toolName === tool.name;

async function useHands(scope: RunScope, tool: Exclude<Tool<any>, AnyFunctionTool>, call: Call, io: EffectIo): Promise<Product> {
  const item = await hands(scope, tool, call, io);
  const whole: CallResult = 'note' in item ? resultWithout(call, 'failed', item.note) : { status: 'completed', item: item.item };
  const result = shortenedResult(whole, scope.maxToolOutputBytes);
  return { result, value: 'note' in item ? item.note : outputOf(item.item) };
}

/** What is left out of the item is kept beside it. */
function shortenedResult(result: CallResult, maxBytes: number | null): CallResult {
  const item = maxBytes === null ? result.item : shortenedItem(result.item, maxBytes);
  return item === result.item ? result : { ...result, item, output: result.output ?? ('output' in result.item ? result.item.output : undefined) };
}

/** What hooks are told: of a screen, the picture alone. */
function outputOf(item: AgentInputItem): unknown {
  if (item.type === 'computer_call_result') return item.output.data.replace(/^data:[^,]*,/, '');
  return 'output' in item ? item.output : item;
}

function hands(scope: RunScope, tool: Exclude<Tool<any>, AnyFunctionTool>, call: Call, io: EffectIo): Promise<{ item: AgentInputItem } | { note: string }> {
  if (tool.type === 'computer' && call.item.type === 'computer_call') return operateComputer(scope, tool, call.item, io);
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

/** The call as it is carried out: with the arguments that a person put in the place of the model's (D2). */
export function carriedOut({ item, edited }: Call): Call['item'] {
  return edited === undefined ? item : ({ ...item, arguments: edited } as Call['item']); // only function calls are edited
}

/** What a hook threw: it fails the run with its own error, not as an error of the tool (H1). */
export class HookFailure extends Error {
  constructor(cause: unknown) {
    super('A hook threw.', { cause });
  }
}

async function hooked(tell: () => Promise<void>): Promise<void> {
  try {
    await tell();
  } catch (error) {
    throw new HookFailure(error);
  }
}

export async function tellStart(scope: RunScope, agent: AnyAgent, tool: Tool<any>, call: Call, effectId: string): Promise<void> {
  if (!scope.listens(agent, 'agent_tool_start')) return;
  const details = { toolCall: carriedOut(call) as FunctionCallItem, effectId }; // the hook's type names the common case; other calls have the same place
  await hooked(async () => {
    await agent.emitAndWait('agent_tool_start', scope.runContext, tool, details);
    await scope.hooks?.emitAndWait('agent_tool_start', scope.runContext, agent, tool, details);
  });
}

export async function tellEnd(scope: RunScope, agent: AnyAgent, tool: Tool<any>, call: Call, product: Pick<Product, 'value'> & { effectId: string }): Promise<void> {
  const { effectId } = product;
  if (!scope.listens(agent, 'agent_tool_end')) return;
  const details = { toolCall: carriedOut(call) as FunctionCallItem, effectId }; // as above
  const text = toText(product.value);
  await hooked(async () => {
    await agent.emitAndWait('agent_tool_end', scope.runContext, tool, text, details);
    await scope.hooks?.emitAndWait('agent_tool_end', scope.runContext, agent, tool, text, details);
  });
}

/** The tool meant its error to end the run; or a hook of the app threw. */
export function failed(scope: RunScope, error: unknown, call: Call, effectId: string): RecordedOutcome {
  if (error instanceof HookFailure) return scope.failure('user', error.cause, effectId);
  const cause = error instanceof Error ? error : new Error(String(error));
  const isOwn = cause instanceof ToolTimeoutError || cause instanceof ToolCallError;
  const wrapped = isOwn ? cause : new ToolCallError(`Failed to run the tool "${call.name}": ${cause.message}`, cause);
  const detail: Record<string, unknown> = { tool: call.name, callId: call.callId };
  if (cause instanceof ToolTimeoutError) detail['timeoutMs'] = cause.timeoutMs;
  if (cause instanceof ToolTimeoutError && isHarmful(call)) detail['mayHaveCompleted'] = true; // its body was left behind (C8)
  return scope.failure('toolCall', wrapped, effectId, { detail });
}

/** The model reads that what was done is not what it had asked for (D2). */
function withEdit(output: FunctionCallResultItem['output'], edited: string): FunctionCallResultItem['output'] {
  const note = `A person changed the arguments of this call before it ran: ${edited}`;
  if (typeof output === 'string') return `${output}\n\n${note}`;
  if (Array.isArray(output)) return [...output, { type: 'input_text', text: note }];
  return output.type === 'text' ? { ...output, text: `${output.text}\n\n${note}` } : output;
}

/** Results are recorded: what is no JSON is kept as its text. */
function recordable(value: unknown): unknown {
  return value === null || typeof value !== 'object' ? value : isPlain(value) ? value : toText(value);
}

const isPlain = (value: object) => Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null;

