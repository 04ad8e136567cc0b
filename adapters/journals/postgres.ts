/** `loopchart/postgres`: runs of many processes, kept in one PostgreSQL database. */
import { type Journal, type JournalClaim, JournalConflict, JournalDamage, type RunSummary, summaryAfter } from '../../actors/journal.ts';
import { entryToText } from '../../actors/journalText.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';
import { DEFAULT_LEASE_MS, durationOf } from './lease.ts';
import { type PostgresConfig, PostgresConnections, type PostgresPool, loadPg } from './postgresConnections.ts';
import { PostgresPresence } from './postgresPresence.ts';
import { type EntryRow, type SummaryRow, entriesOf, stored, summaryOf } from './postgresRows.ts';
import { type PostgresStatements, statementsFor } from './postgresStatements.ts';
import { checkTables, ensureTables } from './postgresTables.ts';
import { isReadOnly, isTaken } from './postgresTrouble.ts';
import { Pulse } from './pulse.ts';
import { JournalStoreError, lookingOnly } from './storeError.ts';

export type { PostgresClient, PostgresConfig, PostgresPool, PostgresStatement } from './postgresConnections.ts';
export { JournalStoreError } from './storeError.ts';

export interface PostgresJournalOptions {
  /** Schema of the tables; made if it is not there. Default `public`. */
  schema?: string;
  /**
   * Milliseconds, by the clock of the server, after which others may take over the runs of a process that lives and does not move.
   * Default 30,000; a process renews it after a third of that. One that was killed frees its runs at once.
   */
  leaseMs?: number;
  /** Milliseconds after which `tail` looks for new entries that were not announced. Default 1,000. */
  pollMs?: number;
  /** For looking only: nothing is made, changed or locked, nobody is asked to announce anything, and what would write is refused. Default false. */
  readOnly?: boolean;
}

interface Claim { epoch: number; summary: RunSummary }
interface Opened { connections: PostgresConnections; presence: PostgresPresence }

/** Runs that are pruned in one transaction. */
const PRUNED_AT_ONCE = 500;

/**
 * A journal in PostgreSQL 12 or newer, for runs of many processes and machines. Needs the package `pg`: of the drivers it is the one
 * with the longest upkeep. Connects on first use and makes its tables then, however many processes do so at the same time.
 *
 * An append is one statement, written whole or not at all, and fenced by epoch and position. It is durable as far as the server is
 * told: with `synchronous_commit = on`, its default, the entries are on disk before `append` resolves.
 *
 * While it holds or follows runs, one connection of its own says that this process lives: it needs a session, so connect to the
 * server itself or to a pooler in session mode. When that connection ends, others may take the runs over.
 *
 * @example
 * ```ts
 * import { PostgresJournal } from 'loopchart/postgres';
 *
 * const journal = new PostgresJournal('postgres://app:secret@localhost:5432/app', { schema: 'agents' });
 * await journal.close(); // gives back what it holds, and closes its connections
 * ```
 */
export class PostgresJournal implements Journal {
  readonly #connection: string | PostgresConfig | PostgresPool;
  readonly #schema: string;
  readonly #leaseMs: number;
  readonly #pollMs: number;
  readonly #readOnly: boolean;
  readonly #statements: PostgresStatements;
  readonly #claims = new Map<string, Claim>();
  readonly #opening = new Set<string>();
  readonly #closing = new AbortController();
  #opened: Promise<Opened> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * @param connection `postgres://…`, options of `pg`, or a pool of `pg`, which `close` leaves open.
   * @throws RangeError for a duration that is none.
   */
  constructor(connection: string | PostgresConfig | PostgresPool, { schema = 'public', leaseMs, pollMs, readOnly = false }: PostgresJournalOptions = {}) {
    this.#connection = connection;
    this.#schema = schema;
    this.#leaseMs = durationOf('leaseMs', leaseMs, DEFAULT_LEASE_MS);
    this.#pollMs = durationOf('pollMs', pollMs, 1_000);
    this.#readOnly = readOnly;
    this.#statements = statementsFor(schema);
  }

  async open(runId: string): Promise<JournalClaim> {
    if (this.#claims.has(runId) || this.#opening.has(runId)) throw new JournalConflict(runId, 'it is at work in this process');
    this.#opening.add(runId);
    try {
      const { presence } = await this.#open('write');
      const key = await presence.join();
      const claim = await this.#claim(runId, key).catch((error: unknown) => {
        presence.leave();
        throw error;
      });
      this.#claims.set(runId, claim);
      await presence.claimed(key);
      return { epoch: claim.epoch, length: claim.summary.length };
    } finally {
      this.#opening.delete(runId);
    }
  }

  async append(runId: string, at: { epoch: number; position: number }, entries: readonly JournalEntry[]): Promise<void> {
    await this.#open('write');
    const claim = this.#claims.get(runId);
    const isKnown = claim?.epoch === at.epoch && claim.summary.length === at.position;
    const before = isKnown ? claim.summary : await this.#standing(runId, at);
    if (entries.length === 0) return;
    const after = summaryAfter(before.length > 0 ? before : undefined, runId, entries);
    const texts = entries.map((entry, index) => entryToText(entry, { runId, position: at.position + index }));
    await this.#write(after, at, texts);
    if (claim?.epoch === at.epoch) claim.summary = after;
  }

  async release(runId: string, epoch: number): Promise<void> {
    if (!(await this.#forget(runId, epoch))) return;
    const { connections } = await this.#open();
    await connections.query(this.#statements.release, [stored(runId), epoch]);
  }

  async read(runId: string, from = 0): Promise<readonly JournalEntry[]> {
    const { connections } = await this.#open();
    const { rows } = await connections.query<EntryRow>(this.#statements.read, [stored(runId), from]);
    return entriesOf(runId, from, rows);
  }

  async keepCheckpoint(runId: string, { epoch }: { epoch: number; position: number }, text: string): Promise<void> {
    const { connections } = await this.#open('write');
    await connections.query(this.#statements.keepCheckpoint, [stored(runId), epoch, text]);
  }

  async readCheckpoint(runId: string): Promise<string | undefined> {
    const { connections } = await this.#open();
    const { rows } = await connections.query<{ text: string }>(this.#statements.readCheckpoint, [stored(runId)]);
    return rows[0]?.text;
  }

  async list({ threadId }: { threadId?: string } = {}): Promise<readonly RunSummary[]> {
    const { connections } = await this.#open();
    const { rows } = await connections.query<SummaryRow>(this.#statements.list, [threadId === undefined ? null : stored(threadId)]);
    return rows.map(summaryOf);
  }

  async *tail(runId: string, from: number, signal: AbortSignal): AsyncGenerator<JournalEntry> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    if (stop.aborted) return;
    const { presence } = await this.#open();
    const news = new Pulse(this.#pollMs, stop);
    const unfollow = this.#readOnly ? () => undefined : presence.follow(stored(runId), news.beat);
    try {
      for (let next = from; !stop.aborted; await news.next()) {
        if (!this.#readOnly) await this.#announce(runId); // before they are read, so that nothing falls between
        for (const entry of await this.read(runId, next)) {
          if (stop.aborted) return;
          next += 1;
          yield entry;
        }
      }
    } catch (error) {
      if (!stop.aborted) throw error; // a journal that closes takes the connections away
    } finally {
      news.stop();
      unfollow();
    }
  }

  async remove(runId: string): Promise<void> {
    const { connections } = await this.#open('write');
    const { removeRun, removeContents, standing } = this.#statements;
    const isGone = await connections.transaction(async (client) => {
      const removed = await client.query({ ...removeRun, values: [stored(runId)] });
      if (removed.rows.length === 0) return (await client.query({ ...standing, values: [stored(runId)] })).rows.length === 0;
      await client.query({ ...removeContents, values: [[stored(runId)]] });
      return true;
    });
    if (!isGone) throw new JournalConflict(runId, 'it is at work and cannot be removed');
  }

  async prune({ settledBefore }: { settledBefore: number }): Promise<number> {
    const { connections } = await this.#open('write');
    const { pruneRuns, removeContents } = this.#statements;
    for (let total = 0; ; ) {
      const count = await connections.transaction(async (client) => {
        const { rows } = await client.query({ ...pruneRuns, values: [settledBefore, PRUNED_AT_ONCE] });
        await client.query({ ...removeContents, values: [rows.map((row) => (row as { runId: string }).runId)] }); // what the statement returns
        return rows.length;
      });
      total += count;
      if (count < PRUNED_AT_ONCE) return total;
    }
  }

  /** Gives back every claim, ends every `tail`, and closes every connection but those of a pool that was given. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#closing.abort();
    const opened = await this.#opened?.catch(() => undefined); // what never came about needs no end
    if (!opened) return;
    const { connections, presence } = opened;
    const claims = [...this.#claims];
    this.#claims.clear();
    await Promise.all(claims.map(([runId, { epoch }]) => connections.attempt(this.#statements.release, [stored(runId), epoch])));
    await presence.close(); // what could not be given back is free with its lock
    await connections.close();
  }

  #open(purpose?: 'write'): Promise<Opened> {
    if (purpose === 'write' && this.#readOnly) return Promise.reject(lookingOnly());
    if (this.#closing.signal.aborted) return Promise.reject(new JournalStoreError('This journal is closed. Make a new one to go on.'));
    if (this.#opened) return this.#opened;
    const opened = this.#start();
    this.#opened = opened;
    opened.catch(() => (this.#opened = undefined)); // the next use tries again
    return opened;
  }

  async #start(): Promise<Opened> {
    const connections = new PostgresConnections(await loadPg(), this.#connection);
    try {
      await (this.#readOnly ? checkTables : ensureTables)(connections, this.#schema);
    } catch (error) {
      await connections.close();
      throw error;
    }
    return { connections, presence: new PostgresPresence({ connections, statements: this.#statements, leaseMs: this.#leaseMs, claims: this.#claims }) };
  }

  async #claim(runId: string, key: string): Promise<Claim> {
    const { connections } = await this.#open();
    const { rows } = await connections.query<SummaryRow & { epoch: number }>(this.#statements.open, [stored(runId), key, this.#leaseMs]);
    if (!rows[0]) throw new JournalConflict(runId, 'another process is at work on it');
    const { epoch, ...summary } = rows[0];
    return { epoch, summary: summaryOf(summary) };
  }

  /** @throws {JournalConflict} when the fence holds it off. */
  async #write(after: RunSummary, at: { epoch: number; position: number }, texts: readonly string[]): Promise<void> {
    const { runId, threadId, agent, state, status, startedAt, updatedAt } = after;
    const { connections } = await this.#open();
    const values = [stored(runId), at.epoch, at.position, texts, this.#leaseMs, threadId === undefined ? null : stored(threadId), stored(agent), state, status, startedAt, updatedAt];
    const { rows, attempts } = await connections.query(this.#statements.append, values).catch((error: unknown) => {
      if (!isTaken(error)) throw error;
      throw new JournalDamage(runId, at.position, 'a row stands where the next entry belongs');
    });
    if (rows.length === 1 || (attempts > 1 && (await this.#isWritten(runId, at, texts)))) return;
    await this.#standing(runId, at);
    throw new JournalConflict(runId, 'others wrote to it');
  }

  /** Whether an append was done whose answer was lost. Only the owner of the epoch can have written these texts there. */
  async #isWritten(runId: string, { epoch, position }: { epoch: number; position: number }, texts: readonly string[]): Promise<boolean> {
    const { connections } = await this.#open();
    await this.#standing(runId, { epoch, position: position + texts.length });
    const { rows } = await connections.query<EntryRow>(this.#statements.read, [stored(runId), position]);
    return rows.every(({ text }, index) => text === texts[index]);
  }

  /** @returns whether it was held. */
  async #forget(runId: string, epoch: number): Promise<boolean> {
    if (this.#claims.get(runId)?.epoch !== epoch) return false;
    this.#claims.delete(runId);
    (await this.#open()).presence.leave();
    return true;
  }

  /**
   * What stands in the database. A claim that turns out to be over is forgotten.
   * @throws {JournalConflict} when nothing may be written there under this epoch and at this position.
   */
  async #standing(runId: string, { epoch, position }: { epoch: number; position: number }): Promise<RunSummary> {
    const { connections } = await this.#open();
    const { rows } = await connections.query<SummaryRow & { epoch: number; held: boolean; length: number }>(this.#statements.standing, [stored(runId)]);
    const [row] = rows;
    if (!row) throw new JournalConflict(runId, 'it was never opened, or removed');
    if (row.epoch !== epoch || !row.held) {
      await this.#forget(runId, epoch);
      throw new JournalConflict(runId, `epoch ${epoch} is over, the newest is ${row.epoch}`);
    }
    if (row.length !== position) throw new JournalConflict(runId, `expected ${position} entries, found ${row.length}`);
    return summaryOf(row);
  }

  /** Asks writers to announce what they append. Whoever may not write does without. */
  async #announce(runId: string): Promise<void> {
    const { connections } = await this.#open();
    await connections.query(this.#statements.follow, [stored(runId)]).catch((error: unknown) => {
      if (!isReadOnly(error)) throw error;
    });
  }
}
