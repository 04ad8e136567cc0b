/** The journal in PostgreSQL, against a server of its own: its connections, whether they break, wait or never come about. */
import { Pool } from 'pg';
import { describe, expect, test } from 'vitest';
import { JournalConflict } from 'loopchart';
import { JournalStoreError, PostgresJournal, type PostgresConfig } from 'loopchart/postgres';
import { loadPg } from '../../../adapters/journals/postgresConnections.ts';
import { OF_JOURNALS, errorOf, openWorld, steps, until } from './postgresWorld.ts';

const { config, url, isMissing, ask, connections, freshSchema, journalOn, lineToServer } = await openWorld();

describe.skipIf(isMissing)('connections of a journal in PostgreSQL', () => {
  describe('when connections break', () => {
    test('O1: connections that are terminated are replaced, and the run stays with its owner', async () => {
      const schema = freshSchema();
      const journal = journalOn(schema);
      const { epoch } = await journal.open('run_1');
      await journal.append('run_1', { epoch, position: 0 }, steps(0, 2));
      const owner = async () => (await ask<{ owner: string; lives: boolean }>(`SELECT owner::text, NOT pg_try_advisory_xact_lock_shared(owner) AS lives FROM ${schema}.loopchart_runs`))[0]!;
      const before = await owner();
      await ask(`SELECT pg_terminate_backend(pid) ${OF_JOURNALS}`);
      await journal.append('run_1', { epoch, position: 2 }, steps(2, 2));
      const after = await until(async () => {
        const found = await owner();
        expect([found.lives, found.owner === before.owner]).toEqual([true, false]);
        return found;
      });
      expect([before.lives, after.lives]).toEqual([true, true]);
      await expect(journalOn(schema).open('run_1')).rejects.toThrow(JournalConflict);
      expect(await journal.read('run_1')).toEqual(steps(0, 4));
    });

    for (const what of ['statement', 'answer'] as const) {
      test(`O1: an append whose ${what} is lost on the way is written once`, async () => {
        const line = await lineToServer();
        const journal = journalOn(freshSchema(), {}, { ...config, port: line.port });
        const { epoch } = await journal.open('run_1');
        await journal.append('run_1', { epoch, position: 0 }, steps(0, 1));
        line.cut(what);
        await journal.append('run_1', { epoch, position: 1 }, steps(1, 2));
        await journal.append('run_1', { epoch, position: 3 }, steps(3, 1));
        expect(await journal.read('run_1')).toEqual(steps(0, 4));
      });
    }

    test('O1: a removal whose answer is lost on the way is whole', async () => {
      const line = await lineToServer();
      const schema = freshSchema();
      const journal = journalOn(schema, {}, { ...config, port: line.port });
      const { epoch } = await journal.open('run_1');
      await journal.append('run_1', { epoch, position: 0 }, steps(0, 2));
      await journal.keepCheckpoint('run_1', { epoch, position: 2 }, '[]');
      await journal.release('run_1', epoch);
      line.cut('answer');
      await journal.remove('run_1');
      expect(await ask(`SELECT run_id FROM ${schema}.loopchart_runs UNION SELECT run_id FROM ${schema}.loopchart_entries UNION SELECT run_id FROM ${schema}.loopchart_checkpoints`)).toEqual([]);
    });

    test('O4: a claim whose answer is lost on the way is made once more', async () => {
      const line = await lineToServer();
      const journal = journalOn(freshSchema(), {}, { ...config, port: line.port });
      const first = await journal.open('run_1');
      line.cut('answer');
      const second = await journal.open('run_2');
      expect(second).toEqual({ epoch: expect.any(Number), length: 0 });
    expect(second.epoch).toBeGreaterThan(first.epoch);
      await journal.append('run_2', { epoch: second.epoch, position: 0 }, steps(0, 1));
    });

    test('a server that stays away ends an append with its cause, and nothing is half written', async () => {
      const line = await lineToServer();
      const schema = freshSchema();
      const journal = journalOn(schema, {}, { ...config, port: line.port });
      const { epoch } = await journal.open('run_1');
      line.close();
      const error = await errorOf(journal.append('run_1', { epoch, position: 0 }, steps(0, 3)));
      expect(error.message).toBe(`No PostgreSQL server answers at 127.0.0.1:${line.port} (ECONNREFUSED). Start it, or correct host and port of the connection.`);
      expect(await journalOn(schema).read('run_1')).toEqual([]);
    });
  });

  describe('follows a run', () => {
    test('what another writes is announced, not looked for', async () => {
      const schema = freshSchema();
      await until(async () => expect(await connections()).toBe(0)); // those of other tests have gone
      const [writer, reader] = [journalOn(schema), journalOn(schema, { pollMs: 60_000 })];
      const { epoch } = await writer.open('run_1');
      await writer.append('run_1', { epoch, position: 0 }, steps(0, 1));
      const leave = new AbortController();
      const tail = reader.tail('run_1', 0, leave.signal)[Symbol.asyncIterator]();
      expect(await tail.next()).toEqual({ value: steps(0, 1)[0], done: false });
      const waiting = tail.next();
      await until(async () => expect(await ask(`SELECT pid ${OF_JOURNALS} AND query LIKE 'LISTEN%'`)).toHaveLength(2));
      await writer.append('run_1', { epoch, position: 1 }, steps(1, 1));
      expect(await waiting).toEqual({ value: steps(1, 1)[0], done: false });
      const end = tail.next();
      leave.abort();
      expect(await end).toEqual({ value: undefined, done: true });
    });

    test('a reader that may not write, and one of a run that is not there yet, look by themselves', async () => {
      const schema = freshSchema();
      const writer = journalOn(schema);
      const { epoch } = await writer.open('run_1');
      const readOnly = `${url}?options=${encodeURIComponent('-c default_transaction_read_only=on')}`;
      const reader = journalOn(schema, { pollMs: 10 }, readOnly);
      const tail = reader.tail('run_1', 0, new AbortController().signal)[Symbol.asyncIterator]();
      const waiting = tail.next();
      await writer.append('run_1', { epoch, position: 0 }, steps(0, 1));
      expect(await waiting).toEqual({ value: steps(0, 1)[0], done: false });
      await expect(reader.open('run_2')).rejects.toThrow(/is read-only, as a standby is\. Connect to the primary server\.$/);
    });

    test('closing the journal ends it', async () => {
      await until(async () => expect(await connections()).toBe(0));
      const journal = journalOn(freshSchema(), { pollMs: 60_000 });
      const end = journal.tail('run_1', 0, new AbortController().signal)[Symbol.asyncIterator]().next();
      await until(async () => expect(await connections()).toBeGreaterThan(1));
      await journal.close();
      expect(await end).toEqual({ value: undefined, done: true });
    });
  });

  describe('holds no more than it needs', () => {
    test('nothing before it is used, nothing after it is closed', async () => {
      const journal = journalOn(freshSchema());
      await until(async () => expect(await connections()).toBe(0)); // those of other tests have gone
      await journal.open('run_1');
      expect(await connections()).toBe(2);
      await journal.close();
      await journal.close();
      await until(async () => expect(await connections()).toBe(0));
      await expect(journal.list()).rejects.toThrow('This journal is closed. Make a new one to go on.');
    });

    test('no connection when it has nothing to do', async () => {
      const journal = journalOn(freshSchema(), {}, { ...config, idleTimeoutMillis: 10 });
      const { epoch } = await journal.open('run_1');
      await journal.append('run_1', { epoch, position: 0 }, steps(0, 1));
      await journal.release('run_1', epoch);
      await until(async () => expect(await connections()).toBe(0));
      expect((await journal.open('run_1')).length).toBe(1);
    });

    test('a pool that was given is used and stays open', async () => {
      const pool = new Pool({ ...config, max: 1 });
      const journal = new PostgresJournal(pool, { schema: 'a "strange" one; --' });
      const { epoch } = await journal.open('run_1');
      await journal.append('run_1', { epoch, position: 0 }, steps(0, 1));
      await journal.close();
      expect((await pool.query('SELECT run_id, owner FROM "a ""strange"" one; --".loopchart_runs')).rows).toEqual([{ run_id: 'run_1', owner: null }]);
      await pool.end();
    });
  });

  describe('says what is wrong and what helps, and never the password', () => {
    const troubles: [what: string, connection: string | PostgresConfig, code: string | undefined, message: RegExp][] = [
      ['no server', { ...config, port: 1 }, 'ECONNREFUSED', /^No PostgreSQL server answers at 127\.0\.0\.1:1 \(ECONNREFUSED\)\. Start it, or correct host and port/],
      ['a wrong password', { ...config, password: 'secret-1' }, '28P01', /refused the password of user "loopchart"\. Correct user and password/],
      ['a user that is not there', { ...config, user: 'nobody-1', password: 'secret-1' }, '28P01', /refused the password of user "nobody-1"/],
      ['no database', { ...config, database: 'shop' }, '3D000', /has no database "shop"\. Create it \(createdb shop\)/],
      ['an address that cannot be read', 'postgres://user:secret-1@host:port/shop', undefined, /^The connection string cannot be read\. It has the form postgres:\/\/user:password@host/],
    ];
    for (const [what, connection, code, message] of troubles) {
      test(what, async () => {
        const error = await errorOf(journalOn('public', {}, connection).list());
        expect(error).toBeInstanceOf(JournalStoreError);
        expect([error.message, (error.cause as { code?: string } | undefined)?.code]).toEqual([expect.stringMatching(message), code]);
        const shown = JSON.stringify([error.message, error.stack, error.cause, Object.entries(error)]);
        expect(shown).not.toMatch(/secret-1|p@ss/);
      });
    }

    test('no password', async () => {
      const { password: _password, ...without } = { password: '', ...config };
      await expect(journalOn('public', {}, without).list()).rejects.toThrow(/asks user "loopchart" for a password, and none was given\. Put it into the connection, or into PGPASSWORD\.$/);
    });

    test('a right that is missing', async () => {
      await ask(`CREATE ROLE guest LOGIN PASSWORD 'guest-1'`);
      const journal = journalOn(freshSchema(), {}, { ...config, user: 'guest', password: 'guest-1' });
      await expect(journal.list()).rejects.toThrow(/^User "guest" lacks a right in database "postgres": permission denied for database postgres\. Grant it/);
    });

    test('a database that cannot keep every text', async () => {
      await ask(`CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`);
      await expect(journalOn('public', {}, { ...config, database: 'latin' }).list()).rejects.toThrow(/^The database is encoded in LATIN1, which cannot keep every text/);
    });

    test('a lease that is no duration', () => {
      expect(() => new PostgresJournal(config, { leaseMs: 0 })).toThrow('leaseMs is 0; it must be a number of milliseconds above 0 and below 25 days.');
    });

    test('no package pg', async () => {
      const missing = () => import('pg-that-is-not-installed' as string); // a name that the compiler does not look up
      await expect(loadPg(missing)).rejects.toThrow(/^PostgresJournal needs the package pg\. Install it with: npm install pg$/);
    });
  });
});
