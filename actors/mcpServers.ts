/** Opens and closes several MCP servers together, and knows which of them are usable. */
import type { MCPServer } from './mcp.ts';
import { publicServerName } from './mcpNames.ts';

export type MCPServersOptions = {
  /** Milliseconds for one server to connect; default 10,000, `null` for no limit. */
  connectTimeoutMs?: number | null;
  /** Milliseconds for one server to close; default 10,000, `null` for no limit. */
  closeTimeoutMs?: number | null;
  /** Leave servers that failed out of `active`. Default `true`. */
  dropFailed?: boolean;
  /** Reject when a server fails, and close the others. Default `false`. */
  strict?: boolean;
  /** Treat an AbortError like any failure instead of rejecting with it. Default `true`. */
  suppressAbortError?: boolean;
  /** Default `false`: one after the other, in the order given. */
  connectInParallel?: boolean;
};
export type MCPServersReconnectOptions = {
  /** Default `true`. `false` closes and opens all. */
  failedOnly?: boolean;
};

/**
 * Connects several servers.
 *
 * @example
 * ```ts
 * import { Agent, connectMcpServers, type MCPServer } from 'loopchart';
 *
 * const docs: MCPServer = {
 *   name: 'docs', cacheToolsList: true,
 *   connect: async () => undefined, close: async () => undefined, invalidateToolsCache: async () => undefined,
 *   listTools: async () => [], callTool: async () => [],
 * };
 * const servers = await connectMcpServers([docs]);
 * const agent = new Agent({ name: 'Support', mcpServers: servers.active });
 * await servers.close();
 * ```
 */
export async function connectMcpServers(servers: MCPServer[], options?: MCPServersOptions): Promise<MCPServers> {
  return MCPServers.open(servers, options);
}

/** Several MCP servers that are opened and closed together; `active` are those that are connected. Opened by `connectMcpServers()`. */
export class MCPServers {
  readonly #servers: MCPServer[];
  readonly #options: Required<MCPServersOptions>;
  readonly #connected = new Set<MCPServer>();
  readonly #errors = new Map<MCPServer, Error>();
  /** Opening and closing never overlap: each waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(servers: MCPServer[], options: MCPServersOptions = {}) {
    this.#servers = [...new Set(servers)];
    this.#options = {
      connectTimeoutMs: options.connectTimeoutMs === undefined ? 10_000 : options.connectTimeoutMs,
      closeTimeoutMs: options.closeTimeoutMs === undefined ? 10_000 : options.closeTimeoutMs,
      dropFailed: options.dropFailed ?? true,
      strict: options.strict ?? false,
      suppressAbortError: options.suppressAbortError ?? true,
      connectInParallel: options.connectInParallel ?? false,
    };
  }

  /** Connects the servers. @throws The failure of a server, with `strict`; everything is closed again then. */
  static async open(servers: MCPServer[], options?: MCPServersOptions): Promise<MCPServers> {
    const opened = new MCPServers(servers, options);
    await opened.#inTurn(() => opened.#connectOrClose(opened.#servers));
    return opened;
  }

  get all(): MCPServer[] {
    return [...this.#servers];
  }

  /** What to give to an agent. */
  get active(): MCPServer[] {
    return this.#options.dropFailed ? this.#servers.filter((server) => this.#connected.has(server)) : this.all;
  }

  get failed(): MCPServer[] {
    return this.#servers.filter((server) => this.#errors.has(server));
  }

  get errors(): ReadonlyMap<MCPServer, Error> {
    return new Map(this.#errors);
  }

  /** Closes and opens the servers that failed, or all. Returns the active ones. */
  async reconnect({ failedOnly = true }: MCPServersReconnectOptions = {}): Promise<MCPServer[]> {
    return this.#inTurn(async () => {
      const targets = failedOnly ? this.failed : this.all;
      const closed: MCPServer[] = [];
      // One that does not close is not opened over itself.
      for (const server of targets) if (await this.#close(server)) closed.push(server);
      await this.#connect(closed);
      return this.active;
    });
  }

  /** Closes all servers, the last one first. One that fails to close is in `errors`; the others are closed all the same. */
  async close(): Promise<void> {
    await this.#inTurn(async () => {
      for (const server of this.#servers.toReversed()) await this.#close(server);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #connectOrClose(servers: MCPServer[]): Promise<void> {
    try {
      await this.#connect(servers);
    } catch (error) {
      for (const server of servers.toReversed()) if (this.#connected.has(server) || this.#errors.has(server)) await this.#close(server);
      throw error;
    }
  }

  async #connect(servers: MCPServer[]): Promise<void> {
    if (!this.#options.connectInParallel) {
      for (const server of servers) await this.#connectOne(server);
      return;
    }
    const outcomes = await Promise.allSettled(servers.map((server) => this.#connectOne(server)));
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
  }

  async #connectOne(server: MCPServer): Promise<void> {
    try {
      await within(this.#options.connectTimeoutMs, () => server.connect(), `MCP server '${publicServerName(server.name)}' did not connect`);
      this.#connected.add(server);
      this.#errors.delete(server);
    } catch (error) {
      const failure = toError(error);
      this.#errors.set(server, failure);
      const mustReject = isAbort(failure) ? !this.#options.suppressAbortError : this.#options.strict;
      if (mustReject) throw failure;
    }
  }

  async #close(server: MCPServer): Promise<boolean> {
    this.#connected.delete(server);
    try {
      await within(this.#options.closeTimeoutMs, () => server.close(), `MCP server '${publicServerName(server.name)}' did not close`);
      return true;
    } catch (error) {
      const failure = toError(error);
      this.#errors.set(server, failure);
      if (isAbort(failure) && !this.#options.suppressAbortError) throw failure;
      return false;
    }
  }
}

async function within(ms: number | null, work: () => Promise<void>, complaint: string): Promise<void> {
  if (ms === null) return work();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint} within ${ms} ms.`)), ms);
  });
  try {
    await Promise.race([work(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function isAbort(error: Error): boolean {
  return error.name === 'AbortError' || ('code' in error && error.code === 'ABORT_ERR');
}
