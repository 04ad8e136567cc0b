/**
 * How other processes see that this one lives: one connection of its own that holds a lock. When the process ends, however it ends,
 * its connection closes and the server drops the lock. Whoever lives and does not move is told by its lease, which this renews.
 *
 * The lock is chosen over the entry of the connection in `pg_stat_activity`, because process numbers there are used again, times of
 * other users are hidden, and a lock can be asked for in the statement that claims a run.
 */
import type { LastingClient, PostgresConnections } from './postgresConnections.ts';
import { stored } from './postgresRows.ts';
import { CHANNEL, type PostgresStatements } from './postgresStatements.ts';
import { JournalStoreError } from './storeError.ts';

export interface PresenceOptions {
  connections: PostgresConnections;
  statements: PostgresStatements;
  leaseMs: number;
  /** What is held now, by run. */
  claims: ReadonlyMap<string, { epoch: number }>;
}

interface Session { client: LastingClient; key: string }

/** Milliseconds between attempts to connect again: quickly at first, for a server that restarts. */
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;

export class PostgresPresence {
  readonly #options: PresenceOptions;
  readonly #followers = new Map<string, Set<() => void>>();
  /** Claims and followers that need the connection. */
  #users = 0;
  #session: Promise<Session> | undefined;
  /** Renewals come one after the other: a connection has one statement at a time. */
  #renewed: Promise<void> = Promise.resolve();
  #isClosed = false;
  #delayMs = FIRST_DELAY_MS;
  readonly #timers: { beat?: NodeJS.Timeout | undefined; linger?: NodeJS.Timeout | undefined; reconnect?: NodeJS.Timeout | undefined } = {};

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** One more who needs to be seen. @returns the key of the lock that is held. */
  async join(): Promise<string> {
    this.#users += 1;
    clearTimeout(this.#timers.linger);
    try {
      return (await this.#connected()).key;
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  /** Call when what was claimed under a key is among the claims: renews it at once, if the connection has been lost meanwhile. */
  async claimed(key: string): Promise<void> {
    this.#schedule();
    const session = await this.#session?.catch(() => undefined); // without one, the next renews what is claimed
    if (session && session.key !== key) await this.#renew();
  }

  /** One less. The last one's connection is kept as long as the pool keeps an idle one. */
  leave(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    clearTimeout(this.#timers.linger);
    this.#timers.linger = setTimeout(() => void this.#disconnect(), this.#options.connections.idleMs).unref();
  }

  /** Calls `wake` when something may have been written to a run. A hint: some are missed. @returns how to stop. */
  follow(runId: string, wake: () => void): () => void {
    const followers = this.#followers.get(runId) ?? new Set();
    this.#followers.set(runId, followers.add(wake));
    const joined = this.join().then(() => true, () => false); // without the connection, the follower looks by itself
    return () => {
      followers.delete(wake);
      if (followers.size === 0) this.#followers.delete(runId);
      void joined.then((isJoined) => isJoined && this.leave());
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const followers of this.#followers.values()) for (const wake of followers) wake();
    await this.#disconnect();
  }

  #connected(): Promise<Session> {
    if (this.#isClosed) return Promise.reject(new JournalStoreError('This journal is closed. Make a new one to go on.'));
    if (this.#session) return this.#session;
    clearTimeout(this.#timers.reconnect);
    const session = this.#connect(() => this.#lost(session));
    this.#session = session;
    session.catch(() => this.#lost(session));
    return session;
  }

  async #connect(onEnd: () => void): Promise<Session> {
    const key = crypto.getRandomValues(new BigInt64Array(1))[0]!.toString();
    const lock = { text: 'SELECT pg_advisory_lock($1::bigint)', values: [key] }; // free: nobody else knows the number
    const client = await this.#options.connections.dedicated({ first: [lock, { text: `LISTEN ${CHANNEL}` }], onEnd });
    client.on('notification', ({ payload }) => this.#followers.get(payload ?? '')?.forEach((wake) => wake()));
    client.unref(); // it must not keep a process alive that has nothing else to do
    this.#delayMs = FIRST_DELAY_MS;
    return { client, key };
  }

  #lost(session: Promise<Session>): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    if (this.#isClosed || this.#users === 0) return;
    this.#timers.reconnect = setTimeout(() => void (this.#users > 0 && this.#renew()), this.#delayMs).unref();
    this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_DELAY_MS);
  }

  #schedule(): void {
    this.#timers.beat ??= setTimeout(() => void this.#beat(), this.#options.leaseMs / 3).unref();
  }

  async #beat(): Promise<void> {
    await this.#renew();
    this.#timers.beat = undefined;
    if (this.#options.claims.size > 0 && !this.#isClosed) this.#schedule();
  }

  #renew(): Promise<void> {
    this.#renewed = this.#renewed.then(() => this.#renewOnce());
    return this.#renewed;
  }

  /** Connects if need be. A connection that does not answer in time is given up; its end leads to the next one. */
  async #renewOnce(): Promise<void> {
    const { claims, statements, leaseMs } = this.#options;
    const session = this.#isClosed ? undefined : await this.#connected().catch(() => undefined); // tried again by #lost
    if (!session || claims.size === 0) return;
    const values = [session.key, leaseMs, [...claims.keys()].map(stored), [...claims.values()].map(({ epoch }) => epoch)];
    const overdue = setTimeout(() => void session.client.end(), leaseMs / 3).unref();
    await session.client.query({ text: statements.renew.text, values }).catch(() => undefined); // it broke, which #lost repairs, or the next one renews
    clearTimeout(overdue);
  }

  async #disconnect(): Promise<void> {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers.beat = undefined;
    const session = this.#session;
    this.#session = undefined;
    const client = await session?.then((connected) => connected.client, () => undefined); // what never came about needs no end
    client?.ref(); // whoever waits for the end must not be left waiting by an exit
    await client?.end();
  }
}
