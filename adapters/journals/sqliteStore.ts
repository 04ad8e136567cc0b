/** The database of a journal: opened, with its tables and the statements that are used on them. */
import { dirname } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { makeFolder } from './folder.ts';
import { isBusy } from './sqliteTrouble.ts';
import { JournalStoreError } from './storeError.ts';

const SCHEMA_VERSION = 1;
/** "loop": says that a database is ours. */
const APPLICATION_ID = 0x6c6f6f70;

/**
 * What is listed of a run stands beside its claim, and changes in the transaction that changes its entries. Entries are of some KB: an
 * ordinary table keeps them in its leaves, where one without row ids would spread them over its inner pages.
 */
const SCHEMA = `
  CREATE TABLE runs (
    number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE,
    epoch INTEGER NOT NULL, owner TEXT, lease_ms REAL NOT NULL, seen_at REAL NOT NULL,
    length INTEGER NOT NULL, thread_id TEXT, agent TEXT NOT NULL, state TEXT NOT NULL, status TEXT, started_at REAL NOT NULL, updated_at REAL NOT NULL
  ) STRICT;
  CREATE INDEX runs_by_thread ON runs (thread_id, updated_at);
  CREATE TABLE entries (run INTEGER NOT NULL, position INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (run, position)) STRICT;
  CREATE TABLE checkpoints (run INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

const STATEMENTS = {
  begin: 'BEGIN IMMEDIATE',
  beginReading: 'BEGIN',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  run: 'SELECT * FROM runs WHERE run_id = ?',
  create: `INSERT INTO runs (run_id, epoch, owner, lease_ms, seen_at, length, agent, state, started_at, updated_at) VALUES (?, 1, ?, ?, ?, 0, '', 'running', 0, 0)`,
  claim: 'UPDATE runs SET epoch = epoch + 1, owner = ?, lease_ms = ?, seen_at = ? WHERE number = ?',
  append: `UPDATE runs SET length = ?, thread_id = ?, agent = ?, state = ?, status = ?, started_at = ?, updated_at = ?, seen_at = ?
    WHERE number = ? AND epoch = ? AND owner = ? AND length = ?`,
  insert: 'INSERT INTO entries (run, position, text) VALUES (?, ?, ?)',
  touch: 'UPDATE runs SET seen_at = ? WHERE number = ? AND epoch = ? AND owner = ?',
  release: 'UPDATE runs SET owner = NULL WHERE number = ? AND epoch = ? AND owner = ?',
  entries: 'SELECT position, text FROM entries WHERE run = ? AND position >= ? ORDER BY position',
  keepCheckpoint: 'INSERT OR REPLACE INTO checkpoints (run, text) SELECT number, ? FROM runs WHERE number = ? AND epoch = ? AND owner = ?',
  checkpoint: 'SELECT text FROM checkpoints WHERE run = (SELECT number FROM runs WHERE run_id = ?)',
  list: 'SELECT * FROM runs WHERE length > 0 ORDER BY updated_at, number',
  listThread: 'SELECT * FROM runs WHERE length > 0 AND thread_id = ? ORDER BY updated_at, number',
  removeEntries: 'DELETE FROM entries WHERE run = ?',
  removeCheckpoint: 'DELETE FROM checkpoints WHERE run = ?',
  removeRun: 'DELETE FROM runs WHERE number = ?',
  version: 'PRAGMA data_version',
} as const;

export interface RunRow {
  number: number; run_id: string;
  epoch: number; owner: string | null; lease_ms: number; seen_at: number;
  length: number; thread_id: string | null; agent: string; state: string; status: string | null; started_at: number; updated_at: number;
}

export class SqliteStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string, { busyTimeoutMs, readOnly }: { busyTimeoutMs: number; readOnly: boolean }) {
    const { DatabaseSync } = sqlite();
    if (path !== ':memory:' && !readOnly) makeFolder(dirname(path));
    this.#database = new DatabaseSync(path, { readOnly });
    try {
      this.#database.exec(`PRAGMA busy_timeout = ${Math.ceil(busyTimeoutMs)}`);
      const version = checkVersion(this.#database, path); // before anything is written to a file that is not ours
      if (readOnly && version === 0) throw new JournalStoreError(`There is no journal in ${path}: nothing was ever written to it.`);
      if (readOnly) return;
      patiently(busyTimeoutMs, () => this.#database.exec('PRAGMA journal_mode = WAL'));
      this.#database.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON');
      this.transaction(() => {
        if (checkVersion(this.#database, path) === 0) this.#database.exec(SCHEMA);
      });
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Rows of a statement. */
  all<Row>(name: keyof typeof STATEMENTS, ...values: SQLInputValue[]): Row[] {
    return this.#statement(name).all(...values) as Row[]; // columns are declared strictly, and named in the type
  }

  get<Row>(name: keyof typeof STATEMENTS, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(name).get(...values) as Row | undefined; // as above
  }

  /** @returns how many rows were changed. */
  run(name: keyof typeof STATEMENTS, ...values: SQLInputValue[]): number {
    return Number(this.#statement(name).run(...values).changes);
  }

  /** Written whole and durable, or not at all. */
  transaction<Result>(act: () => Result, begin: 'begin' | 'beginReading' = 'begin'): Result {
    this.run(begin);
    try {
      const result = act();
      this.run('commit');
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }

  #rollBack(): void {
    try {
      this.run('rollback');
    } catch {
      // Expected where SQLite has rolled back already, as it does when the disk is full.
    }
  }

  #statement(name: keyof typeof STATEMENTS): StatementSync {
    const known = this.#statements.get(name);
    if (known) return known;
    const prepared = this.#database.prepare(STATEMENTS[name]);
    this.#statements.set(name, prepared);
    return prepared;
  }
}

/** Asked for when it is needed, so that a Node that has none can say so. */
function sqlite(): typeof import('node:sqlite') {
  const found = process.getBuiltinModule('node:sqlite') as typeof import('node:sqlite') | undefined; // older versions have none
  if (found) return found;
  throw new JournalStoreError(`Node ${process.versions.node} has no node:sqlite. Use Node 22.13 or newer, or the FileJournal of loopchart/file.`);
}

/** @returns 0 for a database in which there is nothing yet. */
function checkVersion(database: DatabaseSync, path: string): number {
  const numberOf = (sql: string) => Number(Object.values(database.prepare(sql).get()!)[0]);
  const version = numberOf('PRAGMA user_version');
  const isOurs = numberOf('PRAGMA application_id') === APPLICATION_ID;
  if (!isOurs && (version !== 0 || numberOf('SELECT count(*) FROM sqlite_schema') > 0)) throw new JournalStoreError(`${path} is the database of something else. Choose another file for the journal.`);
  if (version > SCHEMA_VERSION) throw new JournalStoreError(`The journal ${path} is kept in format ${version}, this version reads ${SCHEMA_VERSION}: update loopchart.`);
  return version;
}

/** Several processes that open a new database at once exclude each other; for this, SQLite does not wait by itself. */
function patiently(forMs: number, act: () => void): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (const end = performance.now() + forMs; ; Atomics.wait(clock, 0, 0, 5)) {
    try {
      return act();
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error; // Expected: tried again.
    }
  }
}
