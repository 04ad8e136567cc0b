/** MCP servers as agents see them. The shapes are the peer's, so that its transports plug in; their tools become function tools. */
import type { Agent } from './agent.ts';
import type { RunContext } from './runContext.ts';
import type { UnknownContext } from './schemaTypes.ts';
import type { ToolInputGuardrailDefinition, ToolOutputGuardrailDefinition } from './toolGuardrail.ts';
import type { ToolOutputCustomDataExtractor } from './toolTypes.ts';

export { getAllMcpTools, invalidateServerToolsCache, mcpToFunctionTool, defaultMCPToolCacheKey } from './mcpTools.ts';
export type { GetAllMcpToolsOptions, MCPFunctionToolConversionOptions, MCPToolCacheKeyGenerator } from './mcpTools.ts';
export { MCPServers, connectMcpServers, type MCPServersOptions, type MCPServersReconnectOptions } from './mcpServers.ts';

/** A tool as a server lists it. */
export interface MCPTool {
  name: string;
  description?: string;
  inputSchema: { type: 'object'; properties: Record<string, any>; required: string[]; additionalProperties: boolean };
}

export interface CallToolResult {
  content: { type: string; [key: string]: unknown }[];
  _meta?: Record<string, unknown>;
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}
export type CallToolResultMetadata = Pick<CallToolResult, '_meta' | 'structuredContent' | 'isError'>;
export type CallToolResultContent = CallToolResult['content'] & CallToolResultMetadata;
export interface MCPCallToolOptions { signal?: AbortSignal }

/** Words a failed call for the model. */
export type MCPToolErrorFunction = (args: { context: RunContext; error: Error | unknown }) => Promise<string> | string;

/** A server that offers tools. The app connects and closes it. */
export interface MCPServer {
  /** Whether the list of tools is asked for once, until the cache is invalidated. */
  cacheToolsList: boolean;
  toolFilter?: MCPToolFilterCallable | MCPToolFilterStatic;
  toolMetaResolver?: MCPToolMetaResolver;
  customDataExtractor?: MCPToolCustomDataExtractor;
  toolInputGuardrails?: ToolInputGuardrailDefinition<any>[];
  toolOutputGuardrails?: ToolOutputGuardrailDefinition<any>[];
  /** Show the model `structuredContent`, where there is some, instead of `content`. */
  useStructuredContent?: boolean;
  /** Comes before the agent's; `null`: failures fail the run. */
  errorFunction?: MCPToolErrorFunction | null;
  readonly name: string;
  connect(): Promise<void>;
  close(): Promise<void>;
  listTools(): Promise<MCPTool[]>;
  callTool(
    toolName: string,
    args: Record<string, unknown> | null,
    meta?: Record<string, unknown> | null,
    options?: MCPCallToolOptions,
  ): Promise<CallToolResultContent>;
  callToolResult?(
    toolName: string,
    args: Record<string, unknown> | null,
    meta?: Record<string, unknown> | null,
    options?: MCPCallToolOptions,
  ): Promise<CallToolResult>;
  invalidateToolsCache(): Promise<void>;
}

// -- filters, metadata, custom data -----------------------------------------------------------------------------------

export interface MCPToolFilterContext<TContext = UnknownContext> {
  runContext: RunContext<TContext>;
  agent: Agent<TContext, any>;
  serverName: string;
}
export type MCPToolFilterCallable<TContext = UnknownContext> = (context: MCPToolFilterContext<TContext>, tool: MCPTool) => Promise<boolean>;
export interface MCPToolFilterStatic { allowedToolNames?: string[]; blockedToolNames?: string[] }

/** A filter by name; blocked names win. `undefined` when it would let everything through. */
export function createMCPToolStaticFilter(options?: { allowed?: string[]; blocked?: string[] }): MCPToolFilterStatic | undefined {
  const { allowed, blocked } = options ?? {};
  if (!allowed && !blocked) return undefined;
  return { ...(allowed ? { allowedToolNames: allowed } : {}), ...(blocked ? { blockedToolNames: blocked } : {}) };
}

export interface MCPToolMetaContext<TContext = UnknownContext> {
  runContext: RunContext<TContext>;
  serverName: string;
  toolName: string;
  arguments: Record<string, unknown> | null;
}
/** Makes the `_meta` that is sent with a call. */
export type MCPToolMetaResolver<TContext = UnknownContext> = (
  context: MCPToolMetaContext<TContext>,
) => Promise<Record<string, unknown> | null | undefined> | Record<string, unknown> | null | undefined;

export interface MCPToolCustomDataContext<TContext = UnknownContext> {
  runContext: RunContext<TContext>;
  serverName: string;
  /** As the server calls it. */
  toolName: string;
  /** As the model calls it. */
  toolDisplayName: string;
  arguments: Record<string, unknown> | null;
  resultMeta?: Record<string, unknown>;
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
  /** What the model sees. */
  toolOutput: unknown;
}
export type MCPToolCustomDataExtractor<TContext = UnknownContext> = ToolOutputCustomDataExtractor<MCPToolCustomDataContext<TContext>>;

// -- resources --------------------------------------------------------------------------------------------------------

export interface MCPListResourcesParams { cursor?: string; [key: string]: unknown }
export interface MCPResource {
  uri: string;
  name?: string;
  title?: string;
  description?: string;
  mimeType?: string;
  size?: number;
  annotations?: Record<string, unknown>;
  [key: string]: unknown;
}
export interface MCPResourceTemplate {
  uriTemplate: string;
  name?: string;
  title?: string;
  description?: string;
  mimeType?: string;
  annotations?: Record<string, unknown>;
  [key: string]: unknown;
}
export interface MCPTextResourceContent { uri: string; mimeType?: string; text: string; [key: string]: unknown }
export interface MCPBlobResourceContent { uri: string; mimeType?: string; blob: string; [key: string]: unknown }
export type MCPResourceContent = MCPTextResourceContent | MCPBlobResourceContent;
export interface MCPListResourcesResult { resources: MCPResource[]; nextCursor?: string; [key: string]: unknown }
export interface MCPListResourceTemplatesResult { resourceTemplates: MCPResourceTemplate[]; nextCursor?: string; [key: string]: unknown }
export interface MCPReadResourceResult { contents: MCPResourceContent[]; [key: string]: unknown }
/** A server that offers resources too. */
export interface MCPServerWithResources extends MCPServer {
  listResources(params?: MCPListResourcesParams): Promise<MCPListResourcesResult>;
  listResourceTemplates(params?: MCPListResourcesParams): Promise<MCPListResourceTemplatesResult>;
  readResource(uri: string): Promise<MCPReadResourceResult>;
}
