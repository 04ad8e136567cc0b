/** What a model answered, with everything the charts have to know about it: the facts that guards read. */
import { asksForWork, isSameCall, textOf } from '../../machines/history.ts';
import type { Call, HandoffCall, HostedApprovalItem, Response, ToolFacts } from '../../machines/protocol/call.ts';
import type { AgentInputItem, FunctionCallItem, LocalCallItem } from '../../machines/protocol/item.ts';
import { InvalidToolInputError, ModelBehaviorError } from '../errors.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { type Handoff } from '../handoff.ts';
import type { ModelResponse } from '../ports.ts';
import type { AnyAgent, RunScope } from '../scope.ts';
import type { RunContext } from '../runContext.ts';
import { TOOL_ARGUMENTS_TEXT, TOOL_ERROR_TEXT, describeToolFailure } from '../toolInvocation.ts';
import { toText } from '../toolOutput.ts';
import type { FunctionTool, Tool } from '../toolTypes.ts';
import { withQuestions } from './questions.ts';

export interface Offered {
  tools: Tool<any>[];
  functions: Map<string, FunctionTool<any, any, any>>;
  handoffs: Handoff<any, any>[];
  /** The model was to answer, and nothing else (B1). */
  isNothing?: boolean;
}

/** Parsed arguments by the item they came from, so that a body need not parse them again. */
export const parsedArguments = new WeakMap<object, unknown>();

/** @param ready calls of it that may have begun while it was streaming: they stay what they were (C4). */
export async function readResponse(scope: RunScope, agent: AnyAgent, offered: Offered, model: ModelResponse, ready: readonly Call[] = []): Promise<Response> {
  const { usage, responseId } = model;
  const response: Response = { items: model.output, usage, calls: [], toolUse: offered.isNothing ? 'run_llm_again' : toolUseOf(agent) };
  if (responseId !== undefined) response.responseId = responseId;
  let ignored: HandoffCall[] | undefined;
  const unclaimed = [...ready];
  for (const item of model.output) {
    const handoff = handoffIn(scope, offered, item);
    if (handoff) {
      if (response.handoff) (ignored ??= []).push(handoff);
      else response.handoff = handoff;
    } else if (asksForWork(item)) {
      const known = unclaimed.findIndex((one) => isSameCall(item, one.item));
      const call = known >= 0 ? { ...unclaimed.splice(known, 1)[0]!, item } : offered.isNothing ? unasked(item, response.calls.length) : await newCall(scope, agent, offered, item, response.calls.concat(unclaimed));
      if (call === 'repeated') response.items = response.items.filter((other) => other !== item); // said twice, done once
      else if (call) response.calls.push(call);
    } else if (isOpenHosted(item)) response.openHosted = true;
  }
  for (const call of unclaimed) addUnclaimed(response, call);
  if (ignored) leaveOut(scope, response, ignored);
  readAnswer(agent, response);
  const stops = response.toolUse === 'function' && response.calls.length > 0;
  if (stops || scope.listens(agent, 'agent_turn_end')) response.concludesTurn = true;
  if (agent.outputGuardrails.length > 0 || scope.config.outputGuardrails?.length) response.guardsOutput = true;
  if (scope.listens(agent, 'agent_end')) response.endsAgent = true;
  return response;
}

/**
 * A call of an answer, with all that the charts have to know of it; nothing for one that the provider sees to.
 * @param before the calls that the answer has already.
 * @throws ModelBehaviorError for one that cannot be told from others (C5).
 */
export async function newCall(scope: RunScope, agent: AnyAgent, offered: Offered, item: CallItem, before: readonly Call[]): Promise<Call | 'repeated' | undefined> {
  const index = freeIndex(before);
  const call = await annotate(scope, agent, offered, item, index);
  if (!call || isRepeated(before, call)) return call && 'repeated';
  const known = checked(scope, scope.keyOf(agent), call);
  return index > 0 && scope.option('oneCallPerTurn') ? { ...known, invalid: { reason: 'notRun', text: ONE_CALL_PER_TURN } } : known;
}

const ONE_CALL_PER_TURN = 'Not run: only one call is carried out at a time. Ask again if it is still needed.';

/** The place among the calls, where no other of them is. */
function freeIndex(calls: readonly Call[]): number {
  const taken = new Set(calls.map(({ index }) => index));
  let index = calls.length;
  while (taken.has(index)) index += 1;
  return index;
}

/** What has begun is part of the answer, also when the provider leaves it out in the end (G3). */
function addUnclaimed(response: Response, call: Call): void {
  response.items = [...response.items, call.item as AgentInputItem]; // an item of the same answer, as it streamed
  response.calls.push(call);
}

function toolUseOf({ toolUseBehavior }: AnyAgent): Response['toolUse'] {
  return typeof toolUseBehavior === 'function' ? 'function' : toolUseBehavior;
}

/** The final output, should the charts find that there is nothing else to do (A4). */
function readAnswer(agent: AnyAgent, response: Response): void {
  if (response.calls.length > 0 || response.handoff) return;
  const refusal = refusalIn(response.items);
  if (refusal !== undefined) response.refusal = refusal;
  const text = textOf(response.items);
  if (text === '') return;
  if (agent.outputType === 'text') response.final = { output: text };
  else {
    const parsed = agent.parseFinalOutput(text);
    response.final = parsed.ok ? { output: parsed.value } : { invalid: `Invalid output type: ${parsed.message}` };
  }
}

function refusalIn(items: AgentInputItem[]): string | undefined {
  for (const item of items) {
    if (!('role' in item) || item.role !== 'assistant') continue;
    for (const part of item.content) if (part.type === 'refusal') return part.refusal;
  }
  return undefined;
}

type CallItem = LocalCallItem | HostedApprovalItem;

const isOpenHosted = (item: AgentInputItem) =>
  (item.type === 'hosted_tool_call' || item.type === 'shell_call_output') && item.status === 'in_progress';

export function handoffIn(scope: RunScope, offered: Offered, item: AgentInputItem): HandoffCall | undefined {
  if (offered.handoffs.length === 0 || item.type !== 'function_call') return undefined;
  const handoff = offered.handoffs.find((candidate) => candidate.toolName === item.name);
  return handoff && { item, toolName: handoff.toolName, target: scope.keyOf(handoff.agent) };
}

/** The first handoff wins. The others leave no trace, unless the provider keeps the state and waits for an answer (F1). */
function leaveOut(scope: RunScope, response: Response, ignored: HandoffCall[]): void {
  const { conversationId, previousResponseId, autoPreviousResponseId } = scope.options;
  if (conversationId ?? previousResponseId ?? autoPreviousResponseId) {
    for (const { item } of ignored) response.calls.push(makeCall(item, response.calls.length, item.name, NO_TOOL, { reason: 'notRun', text: MULTIPLE_HANDOFFS }));
    return;
  }
  const out = new Set<AgentInputItem>(ignored.map((handoff) => handoff.item));
  response.items = response.items.filter((item) => !out.has(item));
}

const MULTIPLE_HANDOFFS = 'Multiple handoffs detected, ignoring this one.';
const NO_TOOL: ToolFacts = { effect: 'pure', approval: 'never' };

/** No tool was offered: the call is answered, and not carried out. */
const unasked = (item: CallItem, index: number): Call => makeCall(item, index, nameOf(item), NO_TOOL, { reason: 'notRun', text: 'Not run: no tools are available in the last turn.' });
const nameOf = (item: CallItem) => ('name' in item ? item.name : item.type);

async function annotate(scope: RunScope, agent: AnyAgent, offered: Offered, item: CallItem, index: number): Promise<Call | undefined> {
  switch (item.type) {
    case 'function_call':
      return functionCall(scope, agent, offered, item, index);
    case 'computer_call':
      return handsCall(scope, agent, offered, item, index, 'computer');
    case 'shell_call': {
      const tool = offered.tools.find((candidate) => candidate.type === 'shell');
      if (tool?.type === 'shell' && !tool.shell) return undefined; // it runs in a container of the provider
      return handsCall(scope, agent, offered, item, index, 'shell');
    }
    case 'apply_patch_call':
      return handsCall(scope, agent, offered, item, index, 'apply_patch');
    case 'hosted_tool_call':
      return makeCall(item, index, String(item.providerData?.['name'] ?? item.name), { effect: 'idempotent', approval: 'ask', ...expiryOf(scope) });
  }
}

async function functionCall(scope: RunScope, agent: AnyAgent, offered: Offered, item: FunctionCallItem, index: number): Promise<Call> {
  const tool = offered.functions.get(item.namespace ? `${item.namespace}.${item.name}` : item.name) ?? offered.functions.get(item.name);
  if (!tool) return makeCall(item, index, item.name, NO_TOOL, { reason: 'unknownTool', text: await unknownToolText(scope, agent, item) });
  const parsed = tool.parseInput(item.arguments);
  if (!parsed.ok) return badArguments(scope, tool, item, index, parsed);
  parsedArguments.set(item, parsed.value);
  const call = makeCall(item, index, tool.name, factsOf(scope, agent, tool));
  return tool.questions ? withQuestions(scope, tool, call, parsed.value) : call;
}

function factsOf(scope: RunScope, agent: AnyAgent, tool: FunctionTool<any, any, any>): ToolFacts {
  const delegates = 'delegate' in tool && tool.delegate !== undefined && !tool.delegate.background;
  const effect = delegates ? 'pure' : tool.delegate ? 'idempotent' : tool.effect; // the nested run does the work, in effects of its own
  const facts: ToolFacts = { effect, approval: approvalOf(scope, agent, tool), ...expiryOf(scope, tool) };
  if (tool.inputGuardrails?.length) {
    facts.guardsInput = true;
    if (scope.option('toolExecution')?.preApprovalInputGuardrails) facts.screensInput = true;
  }
  if (tool.outputGuardrails?.length) facts.guardsOutput = true;
  if (delegates) facts.delegates = true;
  if (tool.terminal) facts.terminal = tool.terminal;
  if (tool.repeatable) facts.repeatable = true;
  if (!tool.parallel) facts.serial = true;
  return facts;
}

/** A decision for always is looked up call by call, so that what it answers is recorded (D2); so is what a policy says (M8). */
function approvalOf(scope: RunScope, agent: AnyAgent, tool: FunctionTool<any, any, any>): ToolFacts['approval'] {
  if (typeof tool.approvalPolicy === 'function' || scope.hasPolicy) return 'ask';
  if (!tool.approvalPolicy && !tool.questions) return 'never';
  const always = scope.runContext.isToolApproved({ toolName: tool.name, callId: '', agentName: agent.name });
  if (tool.questions) return always === false ? 'ask' : 'never'; // whoever is not to be asked has said so
  return always === undefined ? 'always' : 'ask';
}

/** How long its calls wait for a person (D7). */
function expiryOf(scope: RunScope, tool?: { expiresAfterMs?: number }): Pick<ToolFacts, 'expiresAfterMs'> {
  const expiresAfterMs = tool?.expiresAfterMs ?? scope.option('approvalExpiresAfterMs');
  return expiresAfterMs === undefined ? {} : { expiresAfterMs };
}

function handsCall(scope: RunScope, agent: AnyAgent, offered: Offered, item: LocalCallItem, index: number, type: 'computer' | 'shell' | 'apply_patch'): Call {
  const tool = offered.tools.find((candidate) => candidate.type === type);
  if (!tool) throw new ModelBehaviorError(`Model produced a ${item.type} item, but agent "${agent.name}" has no ${type} tool.`);
  return makeCall(item, index, tool.name, { effect: 'irreversible', approval: 'ask', ...expiryOf(scope, tool as { expiresAfterMs?: number }) }); // the three tools of hands have it
}

function makeCall(item: CallItem, index: number, name: string, tool: ToolFacts, invalid?: Call['invalid']): Call {
  const callId = 'callId' in item ? item.callId : (item.id ?? String(item.providerData?.['id'] ?? ''));
  return invalid ? { index, item, name, callId, tool, invalid } : { index, item, name, callId, tool };
}

async function unknownToolText(scope: RunScope, agent: AnyAgent, item: FunctionCallItem): Promise<string> {
  if (scope.option('toolNotFoundBehavior') === 'raise_error') throw new ModelBehaviorError(`Tool ${item.name} not found in agent ${agent.name}.`);
  const defaultMessage = `Tool '${item.name}' not found.`;
  const format = scope.option('toolErrorFormatter');
  const { runContext } = scope;
  return (await format?.({ kind: 'tool_not_found', toolType: 'function', toolName: item.name, callId: item.callId, defaultMessage, runContext })) ?? defaultMessage;
}

/** The model reads what the tool says of it. A tool that says nothing fails the run, when its turn comes (C2). */
async function badArguments(
  scope: RunScope,
  tool: FunctionTool<any, any, any>,
  item: FunctionCallItem,
  index: number,
  { reason, message }: { reason: 'json' | 'schema'; message: string },
): Promise<Call> {
  if (!tool.errorFunction) return makeCall(item, index, tool.name, NO_TOOL);
  const error = { name: 'InvalidToolInputError', message };
  return makeCall(item, index, tool.name, NO_TOOL, { reason, text: await argumentsText(scope.runContext, tool, item, { reason, message }), error });
}

export async function argumentsText(
  runContext: RunContext<any>,
  tool: FunctionTool<any, any, any>,
  toolCall: FunctionCallItem,
  { reason, message }: { reason: 'json' | 'schema'; message: string },
): Promise<string> {
  const error = new InvalidToolInputError(`Invalid input for tool '${tool.name}': ${message}`, undefined, message, { runContext, input: toolCall.arguments, details: { toolCall } });
  const text = toText(await describeToolFailure(tool, runContext, error, { toolCall }));
  return reason === 'json' && text === TOOL_ERROR_TEXT ? TOOL_ARGUMENTS_TEXT : text;
}

const isRepeated = (calls: readonly Call[], call: Call) =>
  calls.some((other) => other.callId === call.callId && fingerprintOf(other) === fingerprintOf(call));

/** A call id stands for one call: the same again brings the recorded result, another under its name is refused (C5). */
function checked(scope: RunScope, agentKey: string, call: Call): Call {
  if (call.callId === '') throw new ModelBehaviorError(`The model called ${call.name} without a call id. ${untouched(scope)}`);
  const key = `${agentKey} ${call.callId}`;
  const known = scope.calls.get(key);
  if (known && fingerprintOf(known.call) !== fingerprintOf(call)) {
    throw new ModelBehaviorError(`The model used the call id "${call.callId}" again for other arguments or another tool. ${untouched(scope)}`);
  }
  if (known?.result?.status === 'completed') return { ...call, recorded: known.result.item as Call['recorded'] }; // a local call has a local result
  scope.calls.set(key, { call });
  return call;
}

const untouched = (scope: RunScope) => (scope.option('toolStart') === 'eager' ? 'This call was not run.' : 'Nothing of this response was run.');
