/** Names of MCP tools that say which server they belong to, unique among all that a model is offered. */
import { UserError } from './errors.ts';
import { toFunctionToolName } from './toolNames.ts';

/** Providers accept no longer function names. */
const MAX_LENGTH = 64;

/** A server's name for logs and models: what a URL in it says beyond host and path (credentials, query) is left out. */
export function publicServerName(name: string): string {
  const [, prefix = '', address = ''] = /^((?:sse|streamable-http): )?(.*)$/s.exec(name) ?? [];
  if (!/^https?:/i.test(address)) return prefix === '' ? name : `${prefix}<unreadable address>`;
  try {
    const { protocol, host, pathname, username, password, search, hash } = new URL(address);
    return username || password || search || hash ? `${prefix}${protocol}//${host}${pathname}` : name;
  } catch {
    return `${prefix}<unreadable address>`;
  }
}

/**
 * Prefixed names for the tools of several servers, in the order given. The same servers and tools get the same names in
 * whatever order they are listed: what collides, or is too long, gets a hash of both names.
 * @throws UserError when two servers cannot be told apart by their public names.
 */
export function prefixedToolNames(servers: { name: string; tools: string[] }[], reserved: ReadonlySet<string>): string[][] {
  const candidates = servers.flatMap((server, serverIndex) =>
    server.tools.map((toolName, toolIndex) => ({ ...candidate(server.name, toolName), serverName: server.name, serverIndex, toolIndex })),
  );
  refuseTwins(candidates);
  const counts = new Map<string, number>();
  for (const { base } of candidates) counts.set(base, (counts.get(base) ?? 0) + 1);
  const used = new Set(reserved);
  const names: string[][] = servers.map(() => []);
  for (const { base, seed, serverIndex, toolIndex } of [...candidates].sort(bySeed)) {
    let name = counts.get(base) === 1 && base.length <= MAX_LENGTH ? base : withHash(base, seed);
    for (let attempt = 1; used.has(name); attempt += 1) name = withHash(base, `${seed}\0${attempt}`);
    used.add(name);
    names[serverIndex]![toolIndex] = name; // A list was made for each server just above.
  }
  return names;
}

function candidate(serverName: string, toolName: string): { base: string; seed: string } {
  const server = publicServerName(serverName);
  return { base: toFunctionToolName(`mcp_${namePart(server, 'server')}__${namePart(toolName, 'tool')}`), seed: `${server}\0${toolName}` };
}

function namePart(text: string, fallback: string): string {
  return text.replace(/[^A-Za-z0-9]/g, '_').replace(/^_+|_+$/g, '') || fallback;
}

function refuseTwins(candidates: { seed: string; serverName: string }[]): void {
  const servers = new Map<string, string>();
  for (const { seed, serverName } of candidates) {
    const other = servers.get(seed) ?? serverName;
    if (other !== serverName) {
      const shared = publicServerName(serverName);
      throw new UserError(
        `Two MCP servers are both '${shared}' once credentials and query are left out. Give them names of their own, or turn includeServerInToolNames off.`,
      );
    }
    servers.set(seed, serverName);
  }
}

interface Position { seed: string; serverIndex: number; toolIndex: number }

function bySeed(left: Position, right: Position): number {
  if (left.seed !== right.seed) return left.seed < right.seed ? -1 : 1;
  return left.serverIndex - right.serverIndex || left.toolIndex - right.toolIndex;
}

function withHash(base: string, seed: string): string {
  const suffix = `_${fnv1a(seed)}`;
  return `${base.slice(0, MAX_LENGTH - suffix.length).replace(/_+$/, '')}${suffix}`;
}

/** 32 bits are enough to tell a handful of names apart, and a collision is counted up above. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
