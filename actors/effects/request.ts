/** The request of one turn: tools, instructions, prompt, settings and input, resolved in this order (A1). */
import { readable } from '../../machines/compaction.ts';
import { wellFormed } from '../../machines/history.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { ItemRecord } from '../../machines/protocol/outcome.ts';
import type { ModelInput } from '../../machines/turn.ts';
import { getDefaultModelSettings } from '../defaultModel.ts';
import { UserError } from '../errors.ts';
import type { EffectIo } from '../host.ts';
import type { ModelRequest, ModelSettings, SerializedTool } from '../ports.ts';
import type { AnyAgent, RunScope } from '../scope.ts';
import { openComputer } from '../localTools.ts';
import { withoutReasoningIds } from '../reasoningIds.ts';
import { serializeHandoff, serializeTool } from '../serializeTool.ts';
import { adoptFunctionTool, isToolEnabled } from '../tool.ts';
import type { Tool } from '../toolTypes.ts';
import { noticesFor } from './budgets.ts';
import type { Offered } from './readResponse.ts';

interface Offer extends Offered { serialized: SerializedTool[] }

export interface PreparedRequest {
  request: ModelRequest;
  offered: Offered;
  /** New input in the form in which it was really sent, where a filter shaped it. */
  filteredInput?: AgentInputItem[];
  /** What the runtime wrote into the request, after all else. */
  notices?: ItemRecord[];
}

export async function prepareRequest(scope: RunScope, agent: AnyAgent, input: ModelInput, io: EffectIo): Promise<PreparedRequest> {
  const offered = input.isFinal ? NOTHING_OFFERED : await offerFor(scope, agent);
  const { runContext } = scope;
  const systemInstructions = scope.overrides?.instructions ?? (typeof agent.instructions === 'string' ? agent.instructions : await agent.getSystemPrompt(runContext));
  const prompt = agent.prompt === undefined ? undefined : await agent.getPrompt(runContext);
  const sent = input.history.toArray(input.server?.known);
  const shown = input.isShort ? readable(sent) : sent;
  const notices = noticesFor(scope, input.agent, io);
  if (notices) shown.push(...notices.map(({ rawItem }) => rawItem));
  const request: ModelRequest = {
    input: withoutReasoningIds(scope, shown),
    modelSettings: settingsOf(scope, agent, input),
    tools: offered.serialized,
    outputType: agent.outputType === 'text' ? 'text' : agent.serializedOutputType,
    handoffs: offered.handoffs.length === 0 ? NO_HANDOFFS : offered.handoffs.map(serializeHandoff),
    tracing: false,
    signal: io.signal,
  };
  if (systemInstructions) request.systemInstructions = systemInstructions;
  if (input.isFinal || agent.hasExplicitToolConfig()) request.toolsExplicitlyProvided = true;
  if (prompt) Object.assign(request, { prompt, overridePromptModel: !scope.usesDefaultModel(agent) });
  if (input.server?.conversationId !== undefined) request.conversationId = input.server.conversationId;
  else if (input.server?.previousResponseId !== undefined) request.previousResponseId = input.server.previousResponseId;
  const filter = scope.option('callModelInputFilter');
  if (!filter) return { request, offered, notices };
  return { ...(await applyFilter(scope, agent, request, filter, { unsaved: input.unsaved, server: input.server, added: notices?.length })), offered, notices };
}

/** What a filter keeps from the model of an agent it keeps from one that sums up too. */
export async function shapedByFilter(scope: RunScope, agent: AnyAgent, request: ModelRequest): Promise<ModelRequest> {
  const filter = scope.option('callModelInputFilter');
  return filter ? (await applyFilter(scope, agent, request, filter, { unsaved: 0 })).request : request;
}

/** New items of a request, which stand at its end, and after them what the runtime has added. */
interface Newest extends Pick<ModelInput, 'unsaved' | 'server'> { added?: number }

const NO_HANDOFFS: ModelRequest['handoffs'] = [];
/** The last turn is for an answer (B1). */
const NOTHING_OFFERED: Offer = { tools: [], functions: new Map(), handoffs: [], serialized: [], isNothing: true };

/** What the agent offers now: MCP tools first, then its own, then handoffs. */
export function offerFor(scope: RunScope, agent: AnyAgent): Offer | Promise<Offer> {
  return offerOf(scope, agent) ?? resolveOffer(scope, agent);
}

/** What an agent offers, kept while nothing about it can change from turn to turn. */
const offers = new WeakMap<AnyAgent, { tools: Tool<any>[]; count: number; last: Tool<any> | undefined; offer: Offer }>();

function offerOf(scope: RunScope, agent: AnyAgent): Offer | undefined {
  const known = offers.get(agent);
  if (!known || known.tools !== agent.tools || known.count !== agent.tools.length || known.last !== agent.tools.at(-1)) return undefined;
  if (agent.mcpServers.length > 0 || agent.handoffs.length > 0 || scope.overrides?.tools || scope.computers.size > 0) return undefined;
  return known.offer;
}

async function resolveOffer(scope: RunScope, agent: AnyAgent): Promise<Offer> {
  const tools = agent.mcpServers.length === 0 ? [] : await agent.getMcpTools(scope.runContext);
  let constant = agent.mcpServers.length === 0 && !scope.overrides?.tools;
  for (const candidate of toolsOf(scope, agent)) {
    const enabled = isToolEnabled(candidate, scope.runContext, agent);
    if (typeof enabled !== 'boolean') constant = false;
    if (await enabled) tools.push(candidate.type === 'function' ? adoptFunctionTool(candidate) : candidate);
  }
  const handoffs = await scope.handoffsOf(agent);
  const functions: Offered['functions'] = new Map();
  for (const tool of tools) if (tool.type === 'function') offerFunction(scope, agent, functions, tool);
  for (const handoff of handoffs) {
    if (functions.has(handoff.toolName)) collision(scope, agent, handoff.toolName, 'a tool and a handoff');
    scope.keyOf(handoff.agent);
  }
  const serialized: SerializedTool[] = [];
  for (const tool of tools) serialized.push(serializeTool(tool, tool.type === 'computer' ? { computer: await computerOf(scope, tool) } : {}));
  const offer: Offer = { tools, functions, handoffs, serialized };
  if (constant) offers.set(agent, { tools: agent.tools, count: agent.tools.length, last: agent.tools.at(-1), offer });
  return offer;
}

/** Tools of its own, or those that the run was given by name (M7). */
function toolsOf({ overrides }: RunScope, agent: AnyAgent): readonly Tool<any>[] {
  if (!overrides?.tools) return agent.tools;
  const { names, pool } = overrides.tools;
  return names.map((name) => {
    const found = [...agent.tools, ...pool].find((candidate) => candidate.name === name);
    if (found) return found;
    throw new UserError(`The run was given the tool "${name}", which neither agent "${agent.name}" has nor its thread. Pass it to the thread, as one of its \`tools\`.`);
  });
}

function offerFunction(scope: RunScope, agent: AnyAgent, functions: Offered['functions'], tool: Extract<Tool<any>, { type: 'function' }>): void {
  const name = tool.namespace ? `${tool.namespace}.${tool.name}` : tool.name;
  if (functions.has(name)) return collision(scope, agent, name, 'two tools');
  functions.set(name, tool);
}

function collision(scope: RunScope, agent: AnyAgent, name: string, what: string): void {
  const message = `Agent "${agent.name}" has ${what} named "${name}". Rename one of them.`;
  if (scope.option('toolNameCollisionPolicy') === 'error') throw new UserError(message);
  console.warn(message);
}

/** Made on first need, kept for the run, put away at its end (C10). */
export async function computerOf(scope: RunScope, tool: Extract<Tool<any>, { type: 'computer' }>) {
  const known = scope.computers.get(tool);
  if (known) return known.computer;
  const opened = await openComputer(tool, scope.runContext);
  await opened.computer.initRun?.(scope.runContext);
  scope.computers.set(tool, opened);
  return opened.computer;
}

function settingsOf(scope: RunScope, agent: AnyAgent, input: ModelInput): ModelSettings {
  let settings = scope.settingsFor(agent);
  if (!agent.hasExplicitModelSettings() && scope.usesDefaultModel(agent)) settings = { ...getDefaultModelSettings(), ...settings };
  if (input.isFinal) return { ...settings, toolChoice: agent.prompt === undefined ? undefined : 'none', parallelToolCalls: undefined }; // a stored prompt may bring tools of its own
  const resets = input.usedTools && agent.resetToolChoice && settings.toolChoice !== undefined && settings.toolChoice !== 'none';
  return resets ? { ...settings, toolChoice: undefined } : settings;
}

/** The filter works on copies: the conversation stays what it was. Copies of stored items are recognised and not stored again. */
async function applyFilter(
  scope: RunScope,
  agent: AnyAgent,
  request: ModelRequest,
  filter: NonNullable<RunScope['options']['callModelInputFilter']>,
  { unsaved, server, added = 0 }: Newest,
): Promise<Omit<PreparedRequest, 'offered'>> {
  const items = request.input as AgentInputItem[]; // prepareRequest always sends a list
  const copies = items.map((item) => structuredClone(item));
  const own = copies.length - added;
  const stored = new Set([...copies.slice(0, Math.max(0, own - unsaved)), ...copies.slice(own)]);
  const filtered: unknown = await filter({
    modelData: { input: copies.slice(), instructions: request.systemInstructions },
    agent,
    context: scope.runContext.context,
  });
  if (!isModelInput(filtered)) throw new UserError('callModelInputFilter must return { input: [...items], instructions?: string }.');
  const shaped: ModelRequest = { ...request, input: server ? filtered.input : wellFormed(filtered.input) };
  if (filtered.instructions === undefined) delete shaped.systemInstructions;
  else shaped.systemInstructions = filtered.instructions;
  return { request: shaped, filteredInput: filtered.input.filter((item) => !stored.has(item)) };
}

function isModelInput(value: unknown): value is { input: AgentInputItem[]; instructions?: string } {
  if (typeof value !== 'object' || value === null || !('input' in value) || !Array.isArray(value.input)) return false;
  if (!value.input.every((item: unknown) => typeof item === 'object' && item !== null && ('type' in item || 'role' in item))) return false;
  return !('instructions' in value) || value.instructions === undefined || typeof value.instructions === 'string';
}
