import { UserError } from '../../../actors/errors.ts';
import type {
  ModelRequest, SerializedApplyPatchTool, SerializedComputerTool, SerializedFunctionTool, SerializedHandoff, SerializedHostedTool, SerializedShellTool,
  SerializedTool,
} from '../../../actors/ports.ts';
import { defined, type JsonRecord, snakeCased } from '../record.ts';

export interface RequestTools {
  tools: JsonRecord[];
  /** Parts of the answer that are only told when asked for, and that one of the tools wants. */
  include: string[];
}

/** Tools, then handoffs: to the model a handoff is a function. Members of one namespace travel together, where its first one stands. */
export function toTools(request: ModelRequest, model: string): RequestTools {
  const tools: JsonRecord[] = [];
  const include: string[] = [];
  const namespaces = new Map<string, JsonRecord[]>();
  for (const tool of request.tools) {
    if (tool.type === 'function' && tool.namespace !== undefined) {
      addToNamespace(tool, tool.namespace, { tools, namespaces });
      continue;
    }
    tools.push(toTool(tool, model));
    if (tool.type === 'hosted_tool') include.push(...includesOf(tool));
  }
  tools.push(...request.handoffs.map(handoffTool));
  if (!request.prompt) assertDeferredToolsCanLoad(tools);
  return { tools, include };
}

/** A tool the model only learns of by searching. */
export function isDeferred(tool: JsonRecord): boolean {
  return tool.defer_loading === true;
}

/** The members of a namespace tool; none for any other. */
export function membersOf(tool: JsonRecord): JsonRecord[] {
  return tool.type === 'namespace' && Array.isArray(tool.tools) ? tool.tools : [];
}

function addToNamespace(
  tool: SerializedFunctionTool,
  name: string,
  { tools, namespaces }: { tools: JsonRecord[]; namespaces: Map<string, JsonRecord[]> },
): void {
  const members = namespaces.get(name);
  if (members) {
    members.push(functionTool(tool));
    return;
  }
  const first = [functionTool(tool)];
  namespaces.set(name, first);
  tools.push(defined({ type: 'namespace', name, description: tool.namespaceDescription, tools: first }));
}

function toTool(tool: SerializedTool, model: string): JsonRecord {
  switch (tool.type) {
    case 'function':
      return functionTool(tool);
    case 'computer':
      return computerTool(tool, model);
    case 'shell':
      return shellTool(tool);
    case 'apply_patch':
      return applyPatchTool(tool);
    case 'hosted_tool':
      return hostedTool(tool);
    default:
      throw new UserError(`A tool of type "${(tool satisfies never as JsonRecord).type}" cannot be offered through the Responses API.`);
  }
}

function functionTool(tool: SerializedFunctionTool): JsonRecord {
  return defined({
    type: 'function',
    name: tool.name,
    description: tool.description,
    parameters: tool.parameters,
    strict: tool.strict,
    defer_loading: tool.deferLoading ? true : undefined,
    allowed_callers: tool.allowedCallers,
    output_schema: tool.outputSchema,
  });
}

function handoffTool(handoff: SerializedHandoff): JsonRecord {
  return {
    type: 'function',
    name: handoff.toolName,
    description: handoff.toolDescription,
    parameters: handoff.inputJsonSchema,
    strict: handoff.strictJsonSchema,
  };
}

/** Models made for the preview of computer use want the screen described; later ones see it in the first screenshot. */
function computerTool(tool: SerializedComputerTool, model: string): JsonRecord {
  if (!model.startsWith('computer-use-preview')) return { type: 'computer' };
  if (!tool.environment || !tool.dimensions) {
    throw new UserError(`Model "${model}" needs to know the screen: give the computer an "environment" and "dimensions", or use a newer model.`);
  }
  const [display_width, display_height] = tool.dimensions;
  return { type: 'computer_use_preview', environment: tool.environment, display_width, display_height };
}

function shellTool(tool: SerializedShellTool): JsonRecord {
  return defined({
    type: 'shell',
    environment: snakeCased(tool.environment ?? { type: 'local' }),
    allowed_callers: tool.allowedCallers,
  });
}

function applyPatchTool(tool: SerializedApplyPatchTool): JsonRecord {
  return defined({ type: 'apply_patch', allowed_callers: tool.allowedCallers });
}

/** Hosted tools carry their wire form in `providerData`; a few members are ours and mean something to us only. */
function hostedTool(tool: SerializedHostedTool): JsonRecord {
  const { include_search_results, include_outputs, on_approval, name, ...wire } = tool.providerData ?? {};
  if (typeof wire.type !== 'string') {
    throw new UserError(`Hosted tool "${tool.name}" does not say what it is: give it providerData with a "type".`);
  }
  return defined(NAMELESS.has(wire.type) ? wire : { ...wire, name });
}

function includesOf({ providerData = {} }: SerializedHostedTool): string[] {
  if (providerData.type === 'file_search' && providerData.include_search_results) return ['file_search_call.results'];
  if (providerData.type === 'code_interpreter' && providerData.include_outputs) return ['code_interpreter_call.outputs'];
  const wantsImages = providerData.type === 'web_search' && providerData.search_content_types?.includes('image');
  return wantsImages ? ['web_search_call.results'] : [];
}

function assertDeferredToolsCanLoad(tools: JsonRecord[]): void {
  const deferred = tools.flatMap((tool) => [tool, ...membersOf(tool)]).find(isDeferred);
  if (!deferred || tools.some((tool) => tool.type === 'tool_search')) return;
  const name = deferred.name ?? deferred.server_label;
  throw new UserError(`Tool "${String(name)}" has deferLoading, but the model has no means to find it: add a tool_search tool to the agent, or drop deferLoading.`);
}

/** Hosted tools the API knows by type alone; it refuses a name. */
const NAMELESS = new Set([
  'web_search', 'web_search_preview', 'file_search', 'code_interpreter', 'image_generation', 'mcp', 'tool_search', 'programmatic_tool_calling',
]);
