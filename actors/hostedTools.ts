/** Tools that the provider carries out. The loop passes them through; only approvals and client-side tool search come back here. */
import type { ToolSearchCallItem } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import { UserError } from './errors.ts';
import type { RunToolApprovalItem } from './items.ts';
import { isRecord } from './jsonSchema.ts';
import type { RunContext } from './runContext.ts';
import type { UnknownContext } from './schemaTypes.ts';
import { toAllowedCallers } from './toolNames.ts';
import type { Tool, ToolAllowedCaller, ToolAllowedCallers } from './toolTypes.ts';

/** Any tool of the provider; `providerData` is sent as it is. */
export type HostedTool = {
  type: 'hosted_tool';
  name: string;
  providerData?: Record<string, any>;
};

// -- MCP servers that the provider talks to ---------------------------------------------------------------------------

export type HostedMCPApprovalFunction<Context = UnknownContext> = (
  context: RunContext<Context>,
  request: RunToolApprovalItem,
) => Promise<{ approve: boolean; reason?: string }>;

type ApprovalFilter = { tool_names?: string[]; read_only?: boolean };
type RequireApprovalRule = 'never' | 'always' | { never?: ApprovalFilter; always?: ApprovalFilter };
/** The tool as the Responses API knows it, and the function that answers its approval requests. */
export type HostedMCPToolDefinition<Context = UnknownContext> = {
  type: 'mcp';
  server_label: string;
  server_url?: string;
  connector_id?: string;
  authorization?: string;
  headers?: Record<string, string>;
  allowed_callers?: ToolAllowedCaller[];
  allowed_tools?: string[] | { tool_names: string[] };
  defer_loading?: boolean;
  server_description?: string;
  require_approval?: RequireApprovalRule;
  on_approval?: HostedMCPApprovalFunction<Context>;
};
export type HostedMCPTool<Context = UnknownContext> = HostedTool & { name: 'hosted_mcp'; providerData: HostedMCPToolDefinition<Context> };

type ApprovalFilterOption = { toolNames?: string[]; readOnly?: boolean };
export type HostedMCPToolOptions<Context = UnknownContext> = {
  allowedTools?: string[] | { toolNames?: string[] };
  allowedCallers?: ToolAllowedCallers;
  deferLoading?: boolean;
  serverDescription?: string;
} & (
  | { serverLabel: string; serverUrl?: string; authorization?: string; headers?: Record<string, string> }
  | { serverLabel: string; connectorId: string; authorization?: string; headers?: Record<string, string> }
) & (
    | { requireApproval?: never }
    | { requireApproval: 'never' }
    | {
        requireApproval: 'always' | { never?: ApprovalFilterOption; always?: ApprovalFilterOption };
        /** Decides at once; without it, the run waits for a person. */
        onApproval?: HostedMCPApprovalFunction<Context>;
      }
  );

/**
 * Lets a model use a remote MCP server, or a connector of the provider, without a round trip through this process.
 * @throws UserError for an approval rule that names nothing, names a tool twice, or has keys that do not exist.
 *
 * @example
 * ```ts
 * import { hostedMcpTool } from 'loopchart';
 *
 * hostedMcpTool({ serverLabel: 'docs', serverUrl: 'https://example.com/mcp', requireApproval: { never: { readOnly: true } } });
 * ```
 */
export function hostedMcpTool<Context = UnknownContext>(options: HostedMCPToolOptions<Context>): HostedMCPTool<Context> {
  const { serverLabel, serverUrl, connectorId, authorization, headers, onApproval } = options as HostedMCPToolOptions<Context> & {
    serverUrl?: string;
    connectorId?: string;
    onApproval?: HostedMCPApprovalFunction<Context>;
  };
  const allowedCallers = toAllowedCallers(options.allowedCallers, serverLabel);
  const requireApproval = toRequireApproval(options.requireApproval, serverLabel);
  const target = serverUrl !== undefined ? { server_url: serverUrl } : connectorId !== undefined ? { connector_id: connectorId } : {};
  const providerData: HostedMCPToolDefinition<Context> = {
    type: 'mcp',
    server_label: serverLabel,
    ...target,
    authorization,
    headers,
    allowed_tools: toAllowedTools(options.allowedTools),
    allowed_callers: allowedCallers ? [...allowedCallers] : undefined,
    defer_loading: options.deferLoading,
    server_description: options.serverDescription,
    require_approval: requireApproval,
    ...(requireApproval === 'never' ? {} : { on_approval: onApproval }),
  };
  return { type: 'hosted_tool', name: 'hosted_mcp', providerData };
}

/** Whether a tool is an MCP server that the provider itself calls. */
export function isHostedMcpTool(tool: Tool<any>): tool is HostedMCPTool<any> {
  return tool.type === 'hosted_tool' && tool.providerData?.type === 'mcp';
}

// -- tool search that this process answers ----------------------------------------------------------------------------

export type ClientToolSearchLoadDefaultFunction<Context = UnknownContext> = (paths: string[]) => Tool<Context>[];
export type ClientToolSearchExecutorArgs<Context = UnknownContext> = {
  agent: Agent<Context, any>;
  availableTools: Tool<Context>[];
  loadDefault: ClientToolSearchLoadDefaultFunction<Context>;
  runContext: RunContext<Context>;
  toolCall: ToolSearchCallItem;
};
export type ClientToolSearchExecutorResult<Context = UnknownContext> = Tool<Context> | Tool<Context>[] | null | undefined;
export type ClientToolSearchExecutor<Context = UnknownContext> = (
  args: ClientToolSearchExecutorArgs<Context>,
) => ClientToolSearchExecutorResult<Context> | Promise<ClientToolSearchExecutorResult<Context>>;

/** A property and not a map, so that a copy of the tool made with descriptors keeps it; not enumerable, so that no request does. */
const EXECUTOR = Symbol('clientToolSearchExecutor');

/** Makes this process answer the searches of a tool search tool. Returns the same tool. */
export function attachClientToolSearchExecutor<Context = UnknownContext>(tool: HostedTool, executor: ClientToolSearchExecutor<Context>): HostedTool {
  return Object.defineProperty(tool, EXECUTOR, { value: executor, enumerable: false, configurable: true });
}

/** What `attachClientToolSearchExecutor()` put there; `undefined` for every other tool. */
export function getClientToolSearchExecutor<Context = UnknownContext>(tool: Tool<Context>): ClientToolSearchExecutor<Context> | undefined {
  if (tool.type !== 'hosted_tool') return undefined;
  return (tool as HostedTool & { [EXECUTOR]?: ClientToolSearchExecutor<Context> })[EXECUTOR];
}

/** Names a tool as a search result does: `name`, `namespace.name`, or `mcp:label`; `undefined` for what a search cannot load. */
export function getToolSearchRuntimeToolKey<Context = UnknownContext>(tool: Tool<Context>): string | undefined {
  if (tool.type === 'function') return tool.namespace && tool.namespace !== tool.name ? `${tool.namespace}.${tool.name}` : tool.name;
  const label: unknown = isHostedMcpTool(tool) ? tool.providerData.server_label : undefined;
  return typeof label === 'string' && label !== '' ? `mcp:${label}` : undefined;
}

function toAllowedTools(allowed: HostedMCPToolOptions['allowedTools']): { tool_names: string[] } | undefined {
  if (allowed === undefined) return undefined;
  return { tool_names: Array.isArray(allowed) ? allowed : (allowed.toolNames ?? []) };
}

function toRequireApproval(option: unknown, label: string): RequireApprovalRule {
  const refuse = (reason: string) => new UserError(`requireApproval of the hosted MCP tool '${label}' ${reason}.`);
  if (option === undefined || option === 'never') return 'never';
  if (option === 'always') return 'always';
  if (!isRecord(option)) throw refuse("must be 'always', 'never' or {always, never}");
  const stranger = Object.keys(option).find((key) => key !== 'always' && key !== 'never');
  if (stranger !== undefined) throw refuse(`has the key "${stranger}"; only always and never exist`);
  const rule: Exclude<RequireApprovalRule, string> = {};
  for (const key of ['always', 'never'] as const) {
    if (option[key] !== undefined) rule[key] = toFilter(option[key], (reason) => refuse(`: ${key} ${reason}`));
  }
  if (!rule.always && !rule.never) throw refuse('must say always or never for something');
  const both = rule.always?.tool_names?.find((name) => rule.never?.tool_names?.includes(name));
  if (both !== undefined) throw refuse(`lists the tool "${both}" under both always and never`);
  return rule;
}

function toFilter(option: unknown, refuse: (reason: string) => UserError): ApprovalFilter {
  if (!isRecord(option)) throw refuse('must be an object with toolNames or readOnly');
  // Both spellings are read, since rules are often copied from the provider's own documentation.
  const stranger = Object.keys(option).find((key) => !['toolNames', 'tool_names', 'readOnly', 'read_only'].includes(key));
  if (stranger !== undefined) throw refuse(`has the key "${stranger}"; only toolNames and readOnly exist`);
  const names = option.toolNames ?? option.tool_names;
  const readOnly = option.readOnly ?? option.read_only;
  if (names === undefined && readOnly === undefined) throw refuse('must have toolNames or readOnly');
  if (names !== undefined && !(Array.isArray(names) && names.every((name) => typeof name === 'string' && name !== ''))) {
    throw refuse('must have toolNames as a list of names');
  }
  if (readOnly !== undefined && typeof readOnly !== 'boolean') throw refuse('must have readOnly as true or false');
  return { ...(names === undefined ? {} : { tool_names: [...names] as string[] }), ...(readOnly === undefined ? {} : { read_only: readOnly }) };
}
