/** Connections to one database: a pool for statements, and single ones for what must last. */
import { type PostgresAddress, codeOf, explained, isCollision, isLost, isUnreachable } from './postgresTrouble.ts';
import { JournalStoreError } from './storeError.ts';

/** A statement; with a name, a connection prepares it only once. */
export interface PostgresStatement { text: string; name?: string }
interface Asked extends PostgresStatement { values?: unknown[] }
interface Answered { rows: unknown[] }

/** What is used of a `Client` of `pg`. It is described here so that the types of this package need no other. */
export interface PostgresClient {
  query(asked: Asked): Promise<Answered>;
}
type OnError = (error: Error) => void;
interface PooledClient extends PostgresClient {
  release(isBroken?: boolean): void;
  on(event: 'error', listener: OnError): unknown;
  off(event: 'error', listener: OnError): unknown;
}
export interface LastingClient extends PostgresClient {
  host: string;
  port: number;
  database?: string | undefined;
  user?: string | undefined;
  connect(): Promise<unknown>;
  end(): Promise<void>;
  ref(): void;
  unref(): void;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'error', listener: OnError): unknown;
  on(event: 'notification', listener: (message: { payload?: string | undefined }) => void): unknown;
}

/** What is used of a `Pool` of `pg`. */
export interface PostgresPool extends PostgresClient {
  readonly options: object;
  connect(): Promise<PooledClient>;
  end(): Promise<void>;
  on(event: 'error', listener: OnError): unknown;
  off(event: 'error', listener: OnError): unknown;
}

/** What `pg` takes: these are the most common options, all others are passed on. What is left out comes from PGHOST, PGUSER and so on. */
export interface PostgresConfig {
  /** `postgres://user:password@host:port/database`. */
  connectionString?: string;
  /** Name or address, or the folder of a socket. */
  host?: string;
  port?: number;
  database?: string;
  user?: string;
  password?: string | (() => string | Promise<string>);
  ssl?: boolean | object;
  /** Most connections at a time for statements; default 10. One more is used while runs are held or followed. */
  max?: number;
  /** Milliseconds after which a connection that nobody uses is closed; default 10,000. */
  idleTimeoutMillis?: number | null;
  /** Milliseconds to wait for a connection; default 10,000. */
  connectionTimeoutMillis?: number;
}

interface Pg { Pool: new (options: object) => PostgresPool; Client: new (options: object) => LastingClient }

/** Milliseconds to wait before a statement is tried again whose connection broke: a server that restarts is back in about a second. */
const PATIENCE_MS = [0, 100, 500, 2_000];

/** @throws {JournalStoreError} when the package is not installed. */
export async function loadPg(load: () => Promise<unknown> = () => import('pg')): Promise<Pg> {
  try {
    return (await load()) as Pg; // the part of it that is used, as described above
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new JournalStoreError('PostgresJournal needs the package pg. Install it with: npm install pg', { cause: error });
  }
}

export class PostgresConnections {
  readonly #pg: Pg;
  readonly #pool: PostgresPool;
  readonly #isOurs: boolean;
  readonly #address: PostgresAddress;

  constructor(pg: Pg, connection: string | PostgresConfig | PostgresPool) {
    this.#pg = pg;
    this.#isOurs = !isPool(connection);
    this.#pool = isPool(connection) ? connection : new pg.Pool({ ...DEFAULTS, ...(typeof connection === 'string' ? { connectionString: connection } : connection) });
    const { host, port, database, user } = this.#client();
    this.#address = { host, port, database, user };
    this.#pool.on('error', ignoreBroken);
  }

  /** Milliseconds after which the pool closes what nobody uses; the same is right for single connections. */
  get idleMs(): number {
    return (this.#pool.options as { idleTimeoutMillis?: number | null }).idleTimeoutMillis || 10_000; // an option of every pool of `pg`; it may say never
  }

  /**
   * One round trip. A statement whose connection broke is asked again: `attempts` above 1 says that it may have been done before.
   * @throws {JournalStoreError} when that does not help.
   */
  query<Row>(statement: PostgresStatement, values: unknown[] = []): Promise<{ rows: Row[]; attempts: number }> {
    return this.#persist(async (attempts) => ({ rows: (await this.#pool.query({ ...statement, values })).rows as Row[], attempts })); // columns are those the statement names
  }

  /** For what is of no use later: asked once, whatever comes of it. */
  async attempt(statement: PostgresStatement, values: unknown[]): Promise<void> {
    await this.#pool.query({ ...statement, values }).catch(() => undefined);
  }

  /** All of it or nothing. `act` may be called again after its connection broke. */
  transaction<Result>(act: (client: PostgresClient) => Promise<Result>): Promise<Result> {
    return this.#persist(async () => {
      const client = await this.#pool.connect();
      client.on('error', ignoreBroken);
      let isDone = false;
      try {
        await client.query({ text: 'BEGIN' });
        const result = await act(client);
        await client.query({ text: 'COMMIT' });
        isDone = true;
        return result;
      } finally {
        client.off('error', ignoreBroken);
        client.release(!isDone); // the server rolls back what a connection leaves behind
      }
    });
  }

  /** A connection of its own, outside of the pool, on which `first` has been said; for who asks, to end. `onEnd` tells that it has. */
  dedicated({ first, onEnd }: { first: Asked[]; onEnd: () => void }): Promise<LastingClient> {
    return this.#persist(async () => {
      const client = this.#client();
      client.on('error', ignoreBroken);
      try {
        await client.connect();
        for (const asked of first) await client.query(asked);
      } catch (error) {
        void client.end();
        throw error;
      }
      client.on('end', onEnd);
      return client;
    });
  }

  /** A pool that was given stays open. */
  async close(): Promise<void> {
    if (this.#isOurs) await this.#pool.end(); // connections may break until the server has read that they end, which is later
    else this.#pool.off('error', ignoreBroken);
  }

  async #persist<Result>(act: (attempts: number) => Promise<Result>): Promise<Result> {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await act(attempts);
      } catch (error) {
        const mayHelp = isLost(error) || isCollision(error) || (attempts > 1 && isUnreachable(error));
        const delay = PATIENCE_MS[attempts - 1];
        if (!mayHelp || delay === undefined) throw explained(error, this.#address);
        if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
  }

  #client(): LastingClient {
    const { options } = this.#pool as { options: { password?: unknown } }; // hidden from enumeration by `pg`, so a copy must name it
    try {
      return new this.#pg.Client({ ...options, password: options.password, keepAlive: true });
    } catch {
      // The error of an address that cannot be read holds the address, and so the password.
      throw new JournalStoreError('The connection string cannot be read. It has the form postgres://user:password@host:port/database, with special characters percent-encoded.');
    }
  }
}

const DEFAULTS = { connectionTimeoutMillis: 10_000, keepAlive: true, allowExitOnIdle: true, fallback_application_name: 'loopchart' };

/** What was asked of a connection that broke fails by itself, and the pool replaces it; without a listener its error would end the process. */
const ignoreBroken = () => undefined;

const isPool = (connection: string | PostgresConfig | PostgresPool): connection is PostgresPool =>
  typeof connection === 'object' && 'query' in connection && typeof connection.query === 'function';
