/** Tools and handoffs as a request carries them. */
import { UserError } from './errors.ts';
import type { Handoff } from './handoff.ts';
import { isComputer, type ComputerTool } from './localTools.ts';
import type { Computer, SerializedComputerTool, SerializedFunctionTool, SerializedHandoff, SerializedTool } from './ports.ts';
import type { FunctionTool, Tool, ToolAllowedCallers } from './toolTypes.ts';

/**
 * The tool as JSON. The same object is returned every turn while nothing about the tool changes.
 * @param options.computer The computer that was made for this run, when the tool makes one per run.
 */
export function serializeTool(tool: Tool<any>, options: { computer?: Computer } = {}): SerializedTool {
  switch (tool.type) {
    case 'function': return serializeFunction(tool);
    case 'computer': return serializeComputer(tool, options.computer);
    case 'shell': return { type: 'shell', name: tool.name, environment: tool.environment ?? { type: 'local' }, ...callersOf(tool) };
    case 'apply_patch': return { type: 'apply_patch', name: tool.name, ...callersOf(tool) };
    case 'hosted_tool': return { type: 'hosted_tool', name: tool.name, providerData: tool.providerData };
    default: throw unknownTool(tool);
  }
}

export function serializeHandoff(handoff: Handoff<any, any>): SerializedHandoff {
  return {
    toolName: handoff.toolName,
    toolDescription: handoff.toolDescription,
    inputJsonSchema: handoff.inputJsonSchema,
    strictJsonSchema: handoff.strictJsonSchema,
  };
}

const functions = new WeakMap<object, SerializedFunctionTool>();

function serializeFunction(tool: FunctionTool<any, any, any>): SerializedFunctionTool {
  const known = functions.get(tool);
  if (known !== undefined && isCurrent(known, tool)) return known;
  const serialized: SerializedFunctionTool = {
    type: 'function',
    name: tool.name,
    description: tool.description,
    parameters: tool.parameters,
    strict: tool.strict,
    deferLoading: tool.deferLoading,
    providerData: tool.providerData,
    ...callersOf(tool),
    ...(tool.outputSchema ? { outputSchema: tool.outputSchema } : {}),
    ...(tool.namespace ? { namespace: tool.namespace, namespaceDescription: tool.namespaceDescription } : {}),
  };
  functions.set(tool, serialized);
  return serialized;
}

function callersOf({ allowedCallers }: { allowedCallers?: ToolAllowedCallers }): { allowedCallers?: ToolAllowedCallers } {
  return allowedCallers ? { allowedCallers } : {};
}

function unknownTool(tool: never): UserError {
  const { type } = tool as { type?: unknown };
  return new UserError(
    `A tool of type '${String(type)}' cannot be sent to a model. Make tools with tool(), computerTool(), shellTool(), applyPatchTool() or hostedMcpTool().`,
  );
}

/** Tools are objects that an app may change between turns. */
function isCurrent(known: SerializedFunctionTool, tool: FunctionTool<any, any, any>): boolean {
  return (
    known.name === tool.name &&
    known.description === tool.description &&
    known.parameters === tool.parameters &&
    known.strict === tool.strict &&
    known.deferLoading === tool.deferLoading &&
    known.providerData === tool.providerData &&
    known.outputSchema === tool.outputSchema &&
    known.namespace === tool.namespace
  );
}

function serializeComputer(tool: ComputerTool<any, any>, opened: Computer | undefined): SerializedComputerTool {
  const computer = opened ?? (isComputer(tool.computer) ? tool.computer : undefined);
  const { environment, dimensions } = computer ?? {};
  // Providers want both or neither.
  return { type: 'computer', name: tool.name, ...(environment && dimensions?.length === 2 ? { environment, dimensions } : {}) };
}
