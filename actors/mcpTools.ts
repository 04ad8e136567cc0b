/** From the tools that MCP servers list to function tools, and the caches between. */
import type { Agent } from './agent.ts';
import { UserError } from './errors.ts';
import { MAX_SCHEMA_DEPTH, isRecord, joinPath } from './jsonSchema.ts';
import type { CallToolResult, MCPServer, MCPTool, MCPToolCustomDataContext, MCPToolErrorFunction, MCPToolFilterStatic } from './mcp.ts';
import { prefixedToolNames, publicServerName } from './mcpNames.ts';
import type { RunContext } from './runContext.ts';
import type { JsonObjectSchemaNonStrict, JsonObjectSchemaStrict, UnknownContext } from './schemaTypes.ts';
import { tool } from './tool.ts';
import { extractCustomData } from './toolOutput.ts';
import type { FunctionTool, FunctionToolCustomDataExtractor, Tool, ToolCallDetails, ToolErrorFunction } from './toolTypes.ts';

/** Under which key a server's list is cached. */
export type MCPToolCacheKeyGenerator = (params: { server: MCPServer; agent?: Agent<any, any>; runContext?: RunContext<any> }) => string;
/** By server, and by agent where a filter may depend on it. */
export const defaultMCPToolCacheKey: MCPToolCacheKeyGenerator = ({ server, agent }) =>
  typeof server.toolFilter === 'function' && agent ? `${server.name}:${agent.name}` : server.name;

export type GetAllMcpToolsOptions<TContext> = {
  mcpServers: MCPServer[];
  convertSchemasToStrict?: boolean;
  runContext?: RunContext<TContext>;
  agent?: Agent<TContext, any>;
  generateMCPToolCacheKey?: MCPToolCacheKeyGenerator;
  errorFunction?: MCPToolErrorFunction | null;
  includeServerInToolNames?: boolean;
  /** Names that are taken already; only read with `includeServerInToolNames`. */
  reservedToolNames?: Set<string>;
};
export type MCPFunctionToolConversionOptions = { toolNameOverride?: string; errorFunction?: MCPToolErrorFunction | null };

/**
 * The tools of several servers as function tools, in the servers' order. Callable filters are asked when both a run context and an
 * agent are given.
 * @throws UserError when two tools would have the same name; what a server throws when it cannot list its tools.
 */
export async function getAllMcpTools<TContext = UnknownContext>(
  serversOrOptions: MCPServer[] | GetAllMcpToolsOptions<TContext>,
  runContext?: RunContext<TContext>,
  agent?: Agent<TContext, any>,
  convertSchemasToStrict: boolean = false,
): Promise<Tool<TContext>[]> {
  const options = Array.isArray(serversOrOptions) ? { mcpServers: serversOrOptions, runContext, agent, convertSchemasToStrict } : serversOrOptions;
  const { errorFunction, convertSchemasToStrict: isStrict = false } = options;
  const offers = await Promise.all(options.mcpServers.map(async (server) => ({ server, tools: await listOffered(server, options) })));
  const names = options.includeServerInToolNames ? publicNames(offers, options.reservedToolNames) : undefined;
  const converted = offers.flatMap(({ server, tools }, serverIndex) =>
    tools.map((listed, toolIndex) => convertOnce(listed, server, isStrict, { toolNameOverride: names?.[serverIndex]?.[toolIndex], errorFunction })),
  );
  const seen = new Set<string>();
  const twice = new Set(converted.map(({ name }) => name).filter((name) => seen.size === seen.add(name).size));
  if (twice.size > 0) {
    throw new UserError(`Several MCP tools are called ${[...twice].sort().join(', ')}. Set mcpConfig.includeServerInToolNames, or filter them with toolFilter.`);
  }
  return converted;
}

/** Forgets the cached lists of the servers of this name; the next turn asks again. */
export async function invalidateServerToolsCache(serverName: string): Promise<void> {
  lists.delete(serverName);
  generations.set(serverName, (generations.get(serverName) ?? 0) + 1);
}

/**
 * One tool of a server as a function tool. Its schema goes out in strict mode if asked for and possible, otherwise as listed.
 * @throws UserError for a schema that is nested too deeply to be made strict.
 */
export function mcpToFunctionTool(
  listed: MCPTool,
  server: MCPServer,
  convertSchemasToStrict: boolean,
  options: MCPFunctionToolConversionOptions = {},
): FunctionTool<unknown, JsonObjectSchemaStrict<any>, string> | FunctionTool<unknown, JsonObjectSchemaNonStrict<any>, string> {
  const results = new WeakMap<RunContext<any>, Map<string, MCPToolCustomDataContext>>();
  const name = options.toolNameOverride ?? listed.name;
  const common = {
    name,
    description: listed.description ?? '',
    execute: makeExecute(listed, server, name, results),
    errorFunction: toErrorFunction(server.errorFunction === undefined ? options.errorFunction : server.errorFunction),
    inputGuardrails: server.toolInputGuardrails && [...server.toolInputGuardrails],
    outputGuardrails: server.toolOutputGuardrails && [...server.toolOutputGuardrails],
    customDataExtractor: server.customDataExtractor && makeExtractor(server, results),
  };
  const declared: Record<string, unknown> = isRecord(listed.inputSchema) ? listed.inputSchema : {};
  const schema = { ...declared, type: 'object' as const, properties: listed.inputSchema?.properties ?? {}, required: listed.inputSchema?.required ?? [] };
  if (convertSchemasToStrict) {
    const closed = Object.keys(declared).length === 0 ? { ...schema, additionalProperties: false } : schema;
    const strict = attemptStrict(closed, publicServerName(server.name), (parameters) => tool({ ...common, parameters, strict: true }));
    if (strict) return strict as FunctionTool<unknown, JsonObjectSchemaStrict<any>, string>;
  }
  const keepsOpenness = convertSchemasToStrict && 'additionalProperties' in declared;
  const parameters = { ...schema, additionalProperties: keepsOpenness ? declared.additionalProperties : true } as JsonObjectSchemaNonStrict<any>;
  return tool({ ...common, parameters, strict: false }) as FunctionTool<unknown, JsonObjectSchemaNonStrict<any>, string>;
}

function publicNames(offers: { server: MCPServer; tools: MCPTool[] }[], reserved: Set<string> = new Set()): string[][] {
  return prefixedToolNames(offers.map(({ server, tools }) => ({ name: server.name, tools: tools.map(({ name }) => name) })), reserved);
}

// -- lists ------------------------------------------------------------------------------------------------------------

interface CachedList { server: MCPServer; tools: MCPTool[] }
/** By server name, which is what the cache is invalidated by, and then by key. */
const lists = new Map<string, Map<string, CachedList>>();
/** Counted up by an invalidation, so that a listing begun before it is not cached after it. */
const generations = new Map<string, number>();

async function listOffered(server: MCPServer, options: GetAllMcpToolsOptions<any>): Promise<MCPTool[]> {
  const listed = await listTools(server, options);
  const { toolFilter } = server;
  if (!toolFilter) return listed;
  if (typeof toolFilter !== 'function') return listed.filter(({ name }) => passesStaticFilter(name, toolFilter));
  const { runContext, agent } = options;
  if (!runContext || !agent) return listed;
  const offered: MCPTool[] = [];
  for (const candidate of listed) {
    // A filter gets a copy: what it does to it must not reach the cache.
    if (await toolFilter({ runContext, agent, serverName: server.name }, structuredClone(candidate))) offered.push(candidate);
  }
  return offered;
}

async function listTools(server: MCPServer, options: GetAllMcpToolsOptions<any>): Promise<MCPTool[]> {
  if (!server.cacheToolsList) return server.listTools();
  const { runContext, agent, generateMCPToolCacheKey = defaultMCPToolCacheKey } = options;
  const key = generateMCPToolCacheKey({ server, agent, runContext });
  const known = lists.get(server.name)?.get(key);
  if (known?.server === server) return known.tools;
  const generation = generations.get(server.name);
  const tools = structuredClone(await server.listTools());
  if (generations.get(server.name) === generation) {
    const ofServer = lists.get(server.name) ?? new Map<string, CachedList>();
    lists.set(server.name, ofServer.set(key, { server, tools }));
  }
  return tools;
}

function passesStaticFilter(name: string, { allowedToolNames: allowed = [], blockedToolNames: blocked = [] }: MCPToolFilterStatic): boolean {
  return (allowed.length === 0 || allowed.includes(name)) && !blocked.includes(name);
}

// -- conversion -------------------------------------------------------------------------------------------------------

interface Conversion { signature: string; tool: FunctionTool<any, any, any>; errorFunction: unknown }
const conversions = new WeakMap<MCPServer, Map<string, Conversion>>();

/** Servers are asked every turn, and mostly answer the same; a tool is converted again only when it changed. */
function convertOnce(
  listed: MCPTool,
  server: MCPServer,
  isStrict: boolean,
  options: MCPFunctionToolConversionOptions,
): FunctionTool<any, any, any> {
  const ofServer = conversions.get(server) ?? new Map<string, Conversion>();
  conversions.set(server, ofServer);
  const key = `${options.toolNameOverride ?? ''}\0${listed.name}\0${isStrict}`;
  const signature = JSON.stringify([listed, server.useStructuredContent]);
  const errorFunction = server.errorFunction === undefined ? options.errorFunction : server.errorFunction;
  const known = ofServer.get(key);
  if (known?.signature === signature && known.errorFunction === errorFunction && hasSameGuardrails(known.tool, server)) return known.tool;
  const made = mcpToFunctionTool(listed, server, isStrict, options);
  ofServer.set(key, { signature, tool: made, errorFunction });
  return made;
}

function hasSameGuardrails(converted: FunctionTool<any, any, any>, server: MCPServer): boolean {
  return isSameList(converted.inputGuardrails, server.toolInputGuardrails) && isSameList(converted.outputGuardrails, server.toolOutputGuardrails);
}

interface Check { name: string; run: unknown }

function isSameList(left: readonly Check[] = [], right: readonly Check[] = []): boolean {
  return left.length === right.length && left.every((entry, index) => entry.name === right[index]?.name && entry.run === right[index]?.run);
}

function attemptStrict<T>(
  schema: Record<string, unknown>,
  serverName: string,
  make: (parameters: JsonObjectSchemaStrict<any>) => T,
): T | undefined {
  const open = findOpenObject(schema);
  let reason = open === undefined ? undefined : `it accepts any properties${open === '' ? '' : ` at ${open}`}`;
  if (reason === undefined) {
    try {
      return make(schema as unknown as JsonObjectSchemaStrict<any>); // tool() checks the schema itself.
    } catch (error) {
      if (!(error instanceof UserError) || error.message.includes('levels deep')) throw error;
      reason = error.message;
    }
  }
  console.warn(`A tool schema of MCP server '${serverName}' is sent without strict mode: ${reason}`);
  return undefined;
}

/** Strict mode would close an open object, and the server would no longer get what it accepts. */
function findOpenObject(node: unknown, path = '', depth = 0): string | undefined {
  if (!isRecord(node) || depth > MAX_SCHEMA_DEPTH) return undefined;
  const types = Array.isArray(node.type) ? node.type : [node.type];
  const declaresSome = isRecord(node.properties) && Object.keys(node.properties).length > 0;
  if (types.includes('object') && node.additionalProperties !== false && (!declaresSome || 'additionalProperties' in node)) return path;
  const children: [string, unknown][] = [
    ...Object.entries(isRecord(node.properties) ? node.properties : {}),
    ...Object.entries(isRecord(node.$defs) ? node.$defs : {}),
    ...(Array.isArray(node.anyOf) ? node.anyOf : []).map((branch, index): [string, unknown] => [`anyOf.${index}`, branch]),
    ...(Array.isArray(node.items) ? node.items : [node.items]).map((entry): [string, unknown] => ['[]', entry]),
  ];
  for (const [key, child] of children) {
    const found = findOpenObject(child, joinPath(path, key), depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function toErrorFunction(errorFunction: MCPToolErrorFunction | null | undefined): ToolErrorFunction<unknown, string> | null | undefined {
  return errorFunction ? (context, error) => errorFunction({ context, error }) : errorFunction;
}

// -- calls ------------------------------------------------------------------------------------------------------------

type Results = WeakMap<RunContext<any>, Map<string, MCPToolCustomDataContext>>;

function makeExecute(listed: MCPTool, server: MCPServer, displayName: string, results: Results) {
  return async (input: unknown, runContext?: RunContext<any>, details?: ToolCallDetails): Promise<unknown> => {
    const args = isRecord(input) ? input : {};
    const meta = runContext && (await resolveMeta(server, runContext, listed.name, args));
    const result = await callServer(server, listed.name, args, meta, details?.signal);
    const toolOutput = toOutput(result, server.useStructuredContent === true);
    const callId = details?.callId ?? details?.toolCall?.callId;
    if (server.customDataExtractor && runContext && callId !== undefined) {
      const ofRun = results.get(runContext) ?? new Map<string, MCPToolCustomDataContext>();
      const { _meta: resultMeta, structuredContent, isError } = result;
      const names = { serverName: server.name, toolName: listed.name, toolDisplayName: displayName };
      results.set(runContext, ofRun.set(callId, { runContext, ...names, arguments: args, resultMeta, structuredContent, isError, toolOutput }));
    }
    return toolOutput;
  };
}

function makeExtractor(server: MCPServer, results: Results): FunctionToolCustomDataExtractor<any, any, any> {
  return async ({ runContext, toolCall, output }) => {
    const ofRun = results.get(runContext);
    const context = ofRun?.get(toolCall.callId);
    ofRun?.delete(toolCall.callId);
    return context && extractCustomData(server.customDataExtractor, structuredCloneOf({ ...context, toolOutput: output }));
  };
}

/** The app may do with the data what it likes; the run context is the run's own. */
function structuredCloneOf({ runContext, ...rest }: MCPToolCustomDataContext): MCPToolCustomDataContext {
  return { runContext, ...structuredClone(rest) };
}

type Json = Record<string, unknown>;

async function resolveMeta(server: MCPServer, runContext: RunContext<any>, toolName: string, args: Json): Promise<Json | undefined> {
  const meta: unknown = await server.toolMetaResolver?.({ runContext, serverName: server.name, toolName, arguments: args });
  if (meta === undefined || meta === null) return undefined;
  if (!isRecord(meta)) throw new UserError(`The toolMetaResolver of MCP server '${publicServerName(server.name)}' must return an object or null.`);
  return meta;
}

async function callServer(
  server: MCPServer,
  toolName: string,
  args: Json,
  meta: Json | undefined,
  signal: AbortSignal | undefined,
): Promise<CallToolResult> {
  // Some servers look at how many arguments they get: nothing is passed that does not have to be.
  const extra: [Json?, { signal: AbortSignal }?] = signal ? [meta, { signal }] : meta ? [meta] : [];
  if ((server.useStructuredContent || server.customDataExtractor) && server.callToolResult) return server.callToolResult(toolName, args, ...extra);
  const content = await server.callTool(toolName, args, ...extra);
  const { _meta, structuredContent, isError } = content;
  return { content, _meta, structuredContent, isError };
}

function toOutput({ content, structuredContent, isError }: CallToolResult, useStructuredContent: boolean): unknown {
  if (useStructuredContent && isError !== true && structuredContent !== undefined) return JSON.stringify(structuredContent);
  return content.length === 1 ? content[0] : content;
}
