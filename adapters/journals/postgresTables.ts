/** The tables of a journal, and how they come into a database. */
import type { PostgresClient, PostgresConnections } from './postgresConnections.ts';
import { quoted } from './postgresStatements.ts';
import { JournalStoreError } from './storeError.ts';

/** Format of the tables below. One that is newer is refused. */
const TABLES_FORMAT = 1;

/**
 * Makes the tables where they are missing. Many processes may do so at once: they queue behind one lock.
 * @throws {JournalStoreError} for tables of a newer format, or a database that does not keep every text.
 */
export async function ensureTables(connections: PostgresConnections, schema: string): Promise<void> {
  if (!(await areThere(connections, schema))) await connections.transaction((client) => create(client, schema));
  await checkFormat(connections, schema);
}

/**
 * Makes nothing.
 * @throws {JournalStoreError} where there are no tables, or those of a newer format.
 */
export async function checkTables(connections: PostgresConnections, schema: string): Promise<void> {
  if (!(await areThere(connections, schema))) throw new JournalStoreError(`There is no journal in schema "${schema}" of this database: nothing was ever written to it.`);
  await checkFormat(connections, schema);
}

const versionIn = (schema: string) => `${quoted(schema)}.loopchart_version`;

async function areThere(connections: PostgresConnections, schema: string): Promise<boolean> {
  const { rows } = await connections.query<{ version: string | null }>({ text: 'SELECT to_regclass($1)::text AS version' }, [versionIn(schema)]);
  return rows[0]?.version != null;
}

async function checkFormat(connections: PostgresConnections, schema: string): Promise<void> {
  const [row] = (await connections.query<{ format: number }>({ text: `SELECT format FROM ${versionIn(schema)}` })).rows;
  if (row && row.format > TABLES_FORMAT) {
    throw new JournalStoreError(`The journal in schema "${schema}" is of format ${row.format}, which a newer loopchart made; this one knows ${TABLES_FORMAT}. Update loopchart.`);
  }
}

async function create(client: PostgresClient, schema: string): Promise<void> {
  await client.query({ text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`loopchart ${schema}`] });
  const { rows } = await client.query({ text: `SELECT current_setting('server_encoding') AS encoding, to_regnamespace($1) IS NOT NULL AS exists`, values: [quoted(schema)] });
  const [found] = rows as [{ encoding: string; exists: boolean }]; // columns of the statement above
  if (found.encoding !== 'UTF8') throw new JournalStoreError(`The database is encoded in ${found.encoding}, which cannot keep every text. Create one with: createdb --encoding=UTF8 --template=template0`);
  if (!found.exists) await client.query({ text: `CREATE SCHEMA ${quoted(schema)}` }); // asks for a right that an existing schema does not need
  await client.query({ text: tables(quoted(schema)) });
}

/**
 * Every append changes the row of its run, so rows of runs keep free space beside them: the new version then stays on the page and
 * in no need of index entries. There is no foreign key: what is kept of a run is removed with it by `remove`, and the check at
 * each append would cost more than it tells. Epochs come from one sequence, so that not even a removed run gets one again.
 */
const tables = (schema: string): string => `
  CREATE TABLE IF NOT EXISTS ${schema}.loopchart_runs (
    run_id text PRIMARY KEY,
    thread_id text,
    agent text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'running',
    status text,
    length integer NOT NULL DEFAULT 0,
    started_at double precision NOT NULL DEFAULT 0,
    updated_at double precision NOT NULL DEFAULT 0,
    epoch bigint NOT NULL,
    owner bigint,
    lease_until timestamptz,
    followed_until timestamptz
  ) WITH (fillfactor = 70);
  CREATE INDEX IF NOT EXISTS loopchart_runs_thread ON ${schema}.loopchart_runs (thread_id) WHERE thread_id IS NOT NULL;
  CREATE TABLE IF NOT EXISTS ${schema}.loopchart_entries (
    run_id text NOT NULL,
    position integer NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (run_id, position)
  );
  CREATE TABLE IF NOT EXISTS ${schema}.loopchart_checkpoints (run_id text PRIMARY KEY, text text NOT NULL);
  CREATE SEQUENCE IF NOT EXISTS ${schema}.loopchart_epochs;
  CREATE TABLE IF NOT EXISTS ${schema}.loopchart_version (format integer NOT NULL);
  INSERT INTO ${schema}.loopchart_version SELECT ${TABLES_FORMAT} WHERE NOT EXISTS (SELECT FROM ${schema}.loopchart_version);
  COMMENT ON COLUMN ${schema}.loopchart_runs.started_at IS 'ms since the epoch, by the clock of the run';
  COMMENT ON COLUMN ${schema}.loopchart_runs.updated_at IS 'ms since the epoch, by the clock of the run';
  COMMENT ON COLUMN ${schema}.loopchart_runs.owner IS 'advisory lock that the process at work on the run holds while it lives';
  COMMENT ON COLUMN ${schema}.loopchart_runs.followed_until IS 'until then, appends are announced by NOTIFY';
`;
