/** What a journal says to its tables. */
import { checksum } from '../../actors/checksum.ts';
import type { PostgresStatement } from './postgresConnections.ts';

export const quoted = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`;

/** Appends to a followed run are announced here; what is sent is the id of the run. */
export const CHANNEL = 'loopchart';

const SUMMARY = `run.run_id AS "runId", run.thread_id AS "threadId", run.agent, run.state, run.status, run.length, run.started_at AS "startedAt", run.updated_at AS "updatedAt"`;

/**
 * True for a run that nobody holds: it was given back, its lease is over by the clock of the server, or its owner has gone. A living
 * owner holds the lock of its key in a session of its own, and the server drops it with the session, however that ends.
 */
const FREE = `(run.owner IS NULL OR run.lease_until < clock_timestamp() OR pg_try_advisory_xact_lock_shared(run.owner))`;

/** Announcements may be lost; whoever follows also looks by itself now and then, and renews this well before it is over. */
const FOLLOWED_FOR = { seconds: 60, renewedAt: 30 };

const lease = (parameter: string) => `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;

export type PostgresStatements = ReturnType<typeof statementsFor>;

export function statementsFor(schemaName: string) {
  const schema = quoted(schemaName);
  const tables: Tables = { runs: `${schema}.loopchart_runs`, entries: `${schema}.loopchart_entries`, checkpoints: `${schema}.loopchart_checkpoints`, epochs: `'${schema.replaceAll("'", "''")}.loopchart_epochs'` };
  return { ...writing(tables), ...keeping(tables), ...reading(tables), ...removing(tables) };
}

interface Tables { runs: string; entries: string; checkpoints: string; epochs: string }

const writing = ({ runs, entries, epochs }: Tables) => ({
  /** $1 run, $2 key of the owner, $3 lease in ms. No row: it is held. A claim of the same owner is one whose answer was lost. */
  open: prepared(`
    INSERT INTO ${runs} AS run (run_id, epoch, owner, lease_until) VALUES ($1, nextval(${epochs}), $2::bigint, ${lease('$3')})
    ON CONFLICT (run_id) DO UPDATE SET epoch = nextval(${epochs}), owner = excluded.owner, lease_until = ${lease('$3')}
      WHERE run.owner = excluded.owner OR ${FREE}
    RETURNING run.epoch::float8 AS epoch, ${SUMMARY}`),

  /** $1 run, $2 epoch, $3 position, $4 texts, $5 lease in ms, $6… summary. No row: refused, and nothing was written. */
  append: prepared(`
    WITH fence AS (
      UPDATE ${runs} SET length = $3::integer + cardinality($4::text[]), lease_until = ${lease('$5')},
        thread_id = $6, agent = $7, state = $8, status = $9, started_at = $10, updated_at = $11
      WHERE run_id = $1 AND epoch = $2::bigint AND length = $3::integer AND owner IS NOT NULL
      RETURNING followed_until
    ), written AS (
      INSERT INTO ${entries} (run_id, position, text)
      SELECT $1, $3::integer + line.place::integer - 1, line.text FROM fence, unnest($4::text[]) WITH ORDINALITY AS line (text, place)
    )
    SELECT CASE WHEN followed_until > clock_timestamp() THEN pg_notify('${CHANNEL}', $1) END FROM fence`),

  /** $1 run, $2 epoch. A run that nothing was written to goes with its claim. */
  release: prepared(`
    WITH unwritten AS (DELETE FROM ${runs} WHERE run_id = $1 AND epoch = $2::bigint AND length = 0)
    UPDATE ${runs} SET owner = NULL, lease_until = NULL WHERE run_id = $1 AND epoch = $2::bigint AND length > 0`),

  /** $1 key of the owner, $2 lease in ms, $3 runs, $4 their epochs: one statement for all that a process holds. */
  renew: prepared(`
    UPDATE ${runs} AS run SET owner = $1::bigint, lease_until = ${lease('$2')}
    FROM unnest($3::text[], $4::bigint[]) AS held (run_id, epoch)
    WHERE run.run_id = held.run_id AND run.epoch = held.epoch AND run.owner IS NOT NULL`),
});

const keeping = ({ runs, checkpoints }: Tables) => ({
  /** $1 run, $2 epoch, $3 text. The lock holds off whoever would claim or remove the run meanwhile. A run without entries goes with its claim. */
  keepCheckpoint: prepared(`
    INSERT INTO ${checkpoints} AS checkpoint (run_id, text)
    SELECT run_id, $3::text FROM ${runs} WHERE run_id = $1 AND epoch = $2::bigint AND owner IS NOT NULL AND length > 0 FOR SHARE
    ON CONFLICT (run_id) DO UPDATE SET text = excluded.text`),

  /** $1 run. */
  readCheckpoint: prepared(`SELECT text FROM ${checkpoints} WHERE run_id = $1`),
});

const reading = ({ runs, entries }: Tables) => ({
  /** $1 run. */
  standing: prepared(`SELECT run.epoch::float8 AS epoch, run.owner IS NOT NULL AS held, ${SUMMARY} FROM ${runs} AS run WHERE run.run_id = $1`),

  /** $1 run, $2 first position. A row for each entry and its place, and at least one for a run that is there: all of one moment. */
  read: prepared(`
    SELECT run.length, entry.position, entry.text FROM ${runs} AS run
    LEFT JOIN ${entries} AS entry ON entry.run_id = run.run_id AND entry.position >= $2::integer
    WHERE run.run_id = $1 ORDER BY entry.position`),

  /** $1 thread, or null for all. */
  list: prepared(`
    SELECT ${SUMMARY} FROM ${runs} AS run
    WHERE run.length > 0 AND ($1::text IS NULL OR run.thread_id = $1) ORDER BY run.updated_at, run.run_id`),

  /** $1 run. Writes only when the last time is long ago. */
  follow: prepared(`
    UPDATE ${runs} SET followed_until = clock_timestamp() + interval '${FOLLOWED_FOR.seconds} s'
    WHERE run_id = $1 AND (followed_until IS NULL OR followed_until < clock_timestamp() + interval '${FOLLOWED_FOR.renewedAt} s')`),
});

const removing = ({ runs, entries, checkpoints }: Tables) => ({
  /** $1 run. */
  removeRun: prepared(`DELETE FROM ${runs} AS run WHERE run.run_id = $1 AND ${FREE} RETURNING run.run_id AS "runId"`),

  /** $1 ms since the epoch, $2 how many at most. */
  pruneRuns: prepared(`
    DELETE FROM ${runs} WHERE run_id IN (
      SELECT run.run_id FROM ${runs} AS run
      WHERE run.state IN ('settled', 'interrupted', 'closed') AND run.length > 0 AND run.updated_at < $1::float8 AND ${FREE}
      LIMIT $2::integer FOR UPDATE SKIP LOCKED
    ) RETURNING run_id AS "runId"`),

  /** $1 runs. A statement after the removal of its runs, so that it also sees what was written while the removal waited for it. */
  removeContents: prepared(`
    WITH cached AS (DELETE FROM ${checkpoints} WHERE run_id = ANY ($1::text[]))
    DELETE FROM ${entries} WHERE run_id = ANY ($1::text[])`),
});

const prepared = (text: string): Required<PostgresStatement> => ({ text, name: `loopchart_${checksum(text)}` });
