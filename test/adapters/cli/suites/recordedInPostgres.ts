import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunSummary } from 'loopchart';
import { type PostgresServer, startPostgres } from '../../../support/postgresServer.ts';
import { type Finished, loopchart, start } from '../support/commandLine.ts';
import { INSTANT, appRun, chatAtWork, openShop } from '../support/shop.ts';

const LOOK = { message: 'call look', says: 'looking' };
const jsonOf = <Line>({ out }: Finished) => out.trim().split('\n').map((line) => JSON.parse(line) as Line);

export function recordedInPostgres(): void {
  describe('a chat that is recorded in PostgreSQL', { timeout: 60_000 }, () => {
    let server: PostgresServer | string;
    let admin: Client | undefined;
    beforeAll(async () => {
      server = await startPostgres();
      if (typeof server === 'string') return;
      admin = new Client(server.config);
      await admin.connect();
    }, 60_000);
    afterAll(async () => {
      await admin?.end();
      if (typeof server !== 'string') await server.stop();
    });
    /** The claim against a journal of its own; without a server it says why it is skipped. */
    const against = (name: string, claim: (where: string, admin: Client) => Promise<void>) =>
      test(name, async ({ skip }) => {
        if (typeof server === 'string') return skip(`There is no PostgreSQL server: ${server}`);
        await claim(`${server.url}?schema=${name.replace(/\W+/g, '_').slice(0, 20).toLowerCase()}`, admin!);
      });

    against('is followed, held, killed and gone on with', async (where) => {
      const shop = openShop();
      const chat = await chatAtWork(shop, where, LOOK);
      const [{ runId, state } = { runId: '', state: '' }] = jsonOf<RunSummary>(await loopchart(['runs', '--journal', where, '--json']));
      const following = start(['runs', runId, '--follow', '--journal', where]);
      await following.until('→ look');
      const args = ['resume', runId, shop.file, '--journal', where];
      const second = await loopchart(args, { env: INSTANT });
      expect({ state, code: second.code, errors: second.errors }).toEqual({ state: 'running', code: 1, errors: expect.stringMatching(/^loopchart: Run \S+ is continued elsewhere: another process is at work on it\..*\n$/) });
      chat.child.kill('SIGKILL');
      const shown = where.replace(/:[^:@/]+@/, ':***@');
      expect((await chat.finished).out).toContain(`\n  loopchart chat ${shop.file} --journal '${shown}' --thread shop\n`);
      expect(await loopchart(args, { env: INSTANT })).toEqual({ code: 0, errors: '', out: expect.stringContaining('\nlook answered: all is well\n') });
      await following.until('look answered: all is well');
      following.child.kill('SIGINT');
      expect(await following.finished).toMatchObject({ code: 130, errors: '' });
    });

    against('is checked and pruned', async (where, admin) => {
      const shop = openShop();
      await loopchart(['chat', shop.file, '--journal', where], { input: 'call look\n', env: INSTANT });
      for (const message of ['call look', 'Hello']) await appRun(shop, where, message);
      expect((await loopchart(['migrate', '--check', where])).out).toContain('\nAll 3 runs go the same way with this version.\n');
      const schema = new URL(where).searchParams.get('schema');
      await admin.query(`UPDATE ${schema}.loopchart_entries SET text = replace(text, 'Hello', 'Hullo')`);
      expect(await loopchart(['migrate', '--check', where])).toMatchObject({ code: 1, errors: '', out: expect.stringMatching(/\ncannot {3}run_\S+ {2}The journal of run run_\S+ is damaged at entry 0: its sum does not hold/) });
      expect((await loopchart(['prune', '--before', '0s', '--dry-run', '--journal', where])).out).toContain('\n2 runs in ');
      expect((await loopchart(['prune', '--before', '0s', '--journal', where])).out).toMatch(/^2 runs removed from .* 1 run left\.\n$/);
    });

    against('leaves nothing where others only look', async (where, admin) => {
      const schema = new URL(where).searchParams.get('schema')!;
      for (const args of [['runs'], ['migrate', '--check'], ['prune', '--before', '1d'], ['resume', 'run_1']]) {
        expect(await loopchart([...args, '--journal', where])).toEqual({ code: 1, out: '', errors: `loopchart: There is no journal in schema "${schema}" of this database: nothing was ever written to it.\n` });
      }
      expect((await admin.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])).rows).toEqual([]);
    });
  });
}
