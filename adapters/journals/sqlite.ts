/** `loopchart/sqlite`: any number of runs in one SQLite database, by what Node brings along. */
import { type Journal, type JournalClaim, JournalConflict, JournalDamage, type RunSummary, isPrunable, summaryAfter } from '../../actors/journal.ts';
import { entryFromText, entryToText } from '../../actors/journalText.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';
import { DEFAULT_LEASE_MS, Heartbeat, type KeptClaim, type LeaseOptions, durationOf, isHeld, whyHeld } from './lease.ts';
import { type Owner, newOwner } from './owner.ts';
import { Followers, Pulse } from './pulse.ts';
import { type RunRow, SqliteStore } from './sqliteStore.ts';
import { told } from './sqliteTrouble.ts';
import { lookingOnly } from './storeError.ts';

export { JournalStoreError } from './storeError.ts';
export type { LeaseOptions } from './lease.ts';

export interface SqliteJournalOptions extends LeaseOptions {
  /** How often `tail` looks for what other processes wrote, in ms. Default 100. */
  pollMs?: number;
  /** How long to wait for other processes that are writing, in ms. Default 5,000. Everything else in this process waits too. */
  busyTimeoutMs?: number;
  /** For looking only: nothing is made, changed or locked, and what would write is refused. Default false. */
  readOnly?: boolean;
}

interface Held { number: number; epoch: number; owner: string; summary: RunSummary | undefined; length: number }

/**
 * A journal in a SQLite database, made with its folder where there is none; `':memory:'` for one that ends with the process. Node
 * 22.13 or newer. Every append is one transaction that is on the disk when it returns (WAL, `synchronous=FULL`); all calls are
 * synchronous, so that an entry is applied in the step in which it was written. The file must be on a disk of this machine.
 *
 * @example
 * ```ts
 * import { SqliteJournal } from 'loopchart/sqlite';
 *
 * const journal = new SqliteJournal(':memory:', { leaseMs: 10_000 });
 * console.log(journal.open('run_1'), journal.list()); // { epoch: 1, length: 0 } []
 * journal.close();
 * ```
 */
export class SqliteJournal implements Journal {
  readonly #path: string;
  readonly #leaseMs: number;
  readonly #pollMs: number;
  readonly #busyTimeoutMs: number;
  readonly #readOnly: boolean;
  readonly #heartbeat: Heartbeat;
  readonly #held = new Map<string, Held>();
  readonly #followers = new Followers();
  #closing = new AbortController();
  #opened: SqliteStore | undefined;

  constructor(path: string, { leaseMs, pollMs, busyTimeoutMs, readOnly = false }: SqliteJournalOptions = {}) {
    this.#path = path;
    this.#leaseMs = durationOf('leaseMs', leaseMs, DEFAULT_LEASE_MS);
    this.#pollMs = durationOf('pollMs', pollMs, 100);
    this.#busyTimeoutMs = durationOf('busyTimeoutMs', busyTimeoutMs, 5_000);
    this.#readOnly = readOnly;
    this.#heartbeat = new Heartbeat(this.#leaseMs, () => this.#beat());
    this.#told(() => this.#store);
  }

  open(runId: string): JournalClaim {
    const owner = JSON.stringify(newOwner());
    const held = this.#inTransaction((store): Held => {
      const row = this.#row(runId);
      const claim = row && claimOf(row);
      if (claim && isHeld(claim)) throw new JournalConflict(runId, whyHeld(claim));
      if (row) store.run('claim', owner, this.#leaseMs, Date.now(), row.number);
      else store.run('create', keyOf(runId), owner, this.#leaseMs, Date.now());
      const { number, epoch, length } = this.#row(runId)!; // it was just written
      return { number, epoch, owner, length, summary: row && row.length > 0 ? summaryOf(row) : undefined };
    });
    this.#held.set(runId, held);
    this.#heartbeat.start();
    return { epoch: held.epoch, length: held.length };
  }

  append(runId: string, { epoch, position }: { epoch: number; position: number }, entries: readonly JournalEntry[]): void {
    const held = this.#held.get(runId);
    if (held?.epoch !== epoch) throw new JournalConflict(runId, `this process does not hold it under epoch ${epoch}, or not any more`);
    const texts = entries.map((entry, index) => entryToText(entry, { runId, position: position + index }));
    const summary = entries.length > 0 ? summaryAfter(held.summary, runId, entries) : undefined;
    this.#inTransaction((store) => {
      if (!summary) return this.#check(runId, held, position);
      const columns = [summary.length, textOrNull(summary.threadId), summary.agent, summary.state, summary.status ?? null, summary.startedAt, summary.updatedAt, Date.now()];
      if (store.run('append', ...columns, held.number, epoch, held.owner, position) === 0) this.#check(runId, held, position);
      texts.forEach((text, index) => store.run('insert', held.number, position + index, text));
    });
    if (!summary) return;
    held.summary = summary;
    this.#followers.wake(runId);
  }

  release(runId: string, epoch: number): void {
    const held = this.#held.get(runId);
    if (held?.epoch !== epoch) return;
    this.#drop(runId);
    this.#told(() => this.#store.run('release', held.number, epoch, held.owner));
  }

  read(runId: string, from = 0): readonly JournalEntry[] {
    return this.#inTransaction((store) => {
      const row = this.#row(runId);
      return row ? entriesOf(runId, row.length, from, store.all('entries', row.number, from)) : [];
    }, 'beginReading');
  }

  keepCheckpoint(runId: string, { epoch }: { epoch: number; position: number }, text: string): void {
    const held = this.#held.get(runId);
    if (held?.epoch === epoch) this.#told(() => this.#store.run('keepCheckpoint', text, held.number, epoch, held.owner));
  }

  readCheckpoint(runId: string): string | undefined {
    return this.#told(() => this.#store.get<{ text: string }>('checkpoint', keyOf(runId)))?.text;
  }

  list({ threadId }: { threadId?: string } = {}): readonly RunSummary[] {
    const rows = this.#told(() => (threadId === undefined ? this.#store.all<RunRow>('list') : this.#store.all<RunRow>('listThread', keyOf(threadId))));
    return rows.map(summaryOf);
  }

  async *tail(runId: string, from: number, signal: AbortSignal): AsyncGenerator<JournalEntry> {
    const ending = AbortSignal.any([signal, this.#closing.signal]);
    const pulse = new Pulse(this.#pollMs, ending);
    const news = { isHere: true, version: -1 };
    const follower = { beat: () => { news.isHere = true; pulse.beat(); } };
    this.#followers.add(runId, follower);
    try {
      for (let next = from; !ending.aborted; await pulse.next()) {
        for (const entry of this.#hasNews(news) ? this.read(runId, next) : []) {
          next += 1;
          yield entry;
          if (ending.aborted) return;
        }
      }
    } finally {
      this.#followers.delete(runId, follower);
      pulse.stop();
    }
  }

  remove(runId: string): void {
    this.#inTransaction(() => {
      const row = this.#row(runId);
      const claim = row && claimOf(row);
      if (claim && isHeld(claim)) throw new JournalConflict(runId, `${whyHeld(claim)}, so it cannot be removed`);
      if (row) this.#forget(row);
    });
  }

  prune(retention: { settledBefore: number }): number {
    return this.#inTransaction((store) => {
      const old = store.all<RunRow>('list').filter((row) => {
        const claim = claimOf(row);
        return isPrunable(summaryOf(row), retention) && !(claim && isHeld(claim));
      });
      for (const row of old) this.#forget(row);
      return old.length;
    });
  }

  close(): void {
    this.#closing.abort();
    this.#closing = new AbortController();
    try {
      for (const [runId, { epoch }] of [...this.#held]) this.release(runId, epoch);
    } finally {
      for (const runId of [...this.#held.keys()]) this.#drop(runId);
      this.#opened?.close();
      this.#opened = undefined;
    }
  }

  /** Opened again when the journal is used after it was closed. */
  get #store(): SqliteStore {
    return (this.#opened ??= new SqliteStore(this.#path, { busyTimeoutMs: this.#busyTimeoutMs, readOnly: this.#readOnly }));
  }

  #told<Result>(act: () => Result): Result {
    return told(this.#path, act);
  }

  #inTransaction<Result>(act: (store: SqliteStore) => Result, begin: 'begin' | 'beginReading' = 'begin'): Result {
    if (this.#readOnly && begin === 'begin') throw lookingOnly();
    return this.#told(() => this.#store.transaction(() => act(this.#store), begin));
  }

  #row(runId: string): RunRow | undefined {
    return this.#store.get<RunRow>('run', keyOf(runId));
  }

  /** @throws JournalConflict when the claim or the position is not the newest. */
  #check(runId: string, { number, epoch, owner }: Held, position: number): void {
    const row = this.#row(runId);
    if (row?.number !== number || row.epoch !== epoch || row.owner !== owner) throw new JournalConflict(runId, `epoch ${epoch} is over${row ? `, the newest is ${row.epoch}` : ', the run was removed'}`);
    if (row.length !== position) throw new JournalConflict(runId, `expected ${position} entries, found ${row.length}`);
  }

  #forget({ number }: RunRow): void {
    this.#store.run('removeEntries', number);
    this.#store.run('removeCheckpoint', number);
    this.#store.run('removeRun', number);
  }

  #drop(runId: string): void {
    this.#held.delete(runId);
    if (this.#held.size === 0) this.#heartbeat.stop();
  }

  /** Others have written since the last time, or this journal has. */
  #hasNews(news: { isHere: boolean; version: number }): boolean {
    const version = this.#told(() => this.#store.get<{ data_version: number }>('version')!.data_version); // a pragma always answers
    const isNew = news.isHere || version !== news.version;
    Object.assign(news, { isHere: false, version });
    return isNew;
  }

  #beat(): void {
    try {
      this.#inTransaction((store) => {
        for (const { number, epoch, owner } of this.#held.values()) store.run('touch', Date.now(), number, epoch, owner);
      });
    } catch {
      // Expected when the disk is full or somebody else writes for long: without a sign of life the claim runs out, and the next append says why.
    }
  }
}

/** Ids are kept as JSON writes them: SQLite would cut a text at its first null, and knows no halves of surrogate pairs. */
const keyOf = (id: string): string => JSON.stringify(id).slice(1, -1);
/** As written by keyOf; a key that somebody has changed stands for itself, and must not hide the others. */
function idOf(key: string): string {
  try {
    return JSON.parse(`"${key}"`) as string; // a literal of a text
  } catch {
    return key;
  }
}
const textOrNull = (id: string | undefined) => (id === undefined ? null : keyOf(id));

/** @throws JournalDamage for one that was changed: whether somebody lives who holds it, nobody can tell. */
function claimOf({ run_id: key, length, owner, lease_ms: leaseMs, seen_at: seenAt }: RunRow): KeptClaim | undefined {
  if (owner === null) return undefined;
  try {
    return { owner: JSON.parse(owner) as Owner, leaseMs, seenAt }; // as written by open
  } catch {
    throw new JournalDamage(idOf(key), length, 'its claim was changed');
  }
}

const summaryOf = ({ run_id: key, thread_id: threadKey, agent, state, status, length, started_at: startedAt, updated_at: updatedAt }: RunRow): RunSummary => ({
  runId: idOf(key),
  ...(threadKey !== null && { threadId: idOf(threadKey) }),
  agent,
  state: state as RunSummary['state'], // as written by append
  ...(status !== null && { status: status as RunSummary['status'] }), // as above
  length, startedAt, updatedAt,
});

/** @throws JournalDamage where one is missing. */
function entriesOf(runId: string, length: number, from: number, rows: readonly { position: number; text: string }[]): JournalEntry[] {
  if (rows.length > Math.max(0, length - from)) throw new JournalDamage(runId, length, 'there are more entries than were written');
  for (let position = from; position < length; position += 1) {
    if (rows[position - from]?.position !== position) throw new JournalDamage(runId, position, 'it is missing');
  }
  return rows.map(({ position, text }) => entryFromText(text, { runId, position }));
}
