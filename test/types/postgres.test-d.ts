/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import type { Pool, PoolConfig } from 'pg';
import type { Journal } from '../../actors/journal.ts';
import { PostgresJournal } from '../../adapters/journals/postgres.ts';

declare const pool: Pool;
declare const config: PoolConfig;

const journals: Journal[] = [
  new PostgresJournal('postgres://localhost/app'),
  new PostgresJournal({ host: 'localhost', password: async () => 'secret', ssl: true, max: 4 }, { schema: 'agents', leaseMs: 10_000, pollMs: 500 }),
  new PostgresJournal(config),
  new PostgresJournal(pool),
];
void journals;

// @ts-expect-error A port is a number.
new PostgresJournal({ port: '5432' });
// @ts-expect-error There is no such option.
new PostgresJournal('postgres://localhost/app', { lease: 10 });
// @ts-expect-error Somewhere to connect to is needed.
new PostgresJournal();
