import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newFolder } from '../support/agentFiles.ts';
import { loopchart, start } from '../support/commandLine.ts';
import { CONTINUES, INSTANT, killedRun, openShop, runsIn } from '../support/shop.ts';

const LOOK = { message: 'call look', says: 'looking' };

export function killed(): void {
  describe.concurrent('a run that is killed', { timeout: 60_000 }, () => {
    for (const [kind, approve] of [['runs', 'all'], ['runs.db', undefined]] as const) {
      test(`O3: a call that may have had its effect is left waiting where nobody can say${approve ? ', --approve all or not' : ''} (${kind})`, async () => {
        const shop = openShop();
        const where = join(newFolder(), kind);
        const runId = await killedRun(shop, where);
        expect(runsIn(where, 'running')).toMatchObject([{ runId, agent: 'Shop', threadId: 'shop' }]);
        const { out, errors, code } = await loopchart(['resume', runId, shop.file, '--journal', where, ...(approve ? ['--approve', approve] : [])], { env: INSTANT });
        expect(out).toContain('> call charge {"amount": 5}\n  ? Shop called charge {"amount": 5}. The call has begun before, was cut short, and may have had its effect: left waiting, because only a person can say\n');
        expect(out).toContain(`  It waits for a person: loopchart resume ${runId} ${shop.file} --journal ${where}\n`);
        expect({ errors, code }).toEqual({ errors: '', code: 3 });
        expect(runsIn(where, 'awaitingApproval')).toMatchObject([{ runId }]);
        expect(shop.charges()).toBe(1);
      });
    }

    test('O1, O2: what was recorded is not asked again, a harmless call runs again, and only what is new is shown', async () => {
      const shop = openShop();
      const where = newFolder();
      const runId = await killedRun(shop, where, LOOK);
      const { out, errors, code } = await loopchart(['resume', runId.slice(0, 12), shop.file, '--journal', where], { env: INSTANT });
      expect(out.replace(/\(begun.*\)|\[Shop: .*\]/g, '…')).toBe(`Run ${runId} of agent Shop, thread shop: running …\n\n> call look\nlooking\n  ✓ look: all is well\nlook answered: all is well\n  …\n\n`);
      expect({ errors, code }).toEqual({ errors: '', code: 0 });
      const { out: entries } = await loopchart(['runs', runId, '--journal', where]);
      expect(entries.match(/effect\.done +agent\.1\/turn\.1\/model#1/g)?.length).toBe(1);
      expect(await loopchart(['resume', runId, shop.file, '--journal', where])).toMatchObject({ code: 0, out: expect.stringContaining(': settled, completed (') });
    });

    test('I1: --json goes on with the numbers where they ended', async () => {
      const shop = openShop();
      const where = newFolder();
      const runId = await killedRun(shop, where, LOOK);
      const { out } = await loopchart(['resume', runId, shop.file, '--json', '--journal', where], { env: INSTANT });
      const lines = out.trim().split('\n').map((line) => JSON.parse(line) as { type: string; number?: number | string });
      const numbers = lines.map(({ number }) => number).filter((number) => typeof number === 'number');
      expect(numbers).toEqual(numbers.map((_, at) => numbers[0]! + at));
      expect([numbers[0]! > 1, lines.some(({ type }) => type === 'run.started'), lines.at(-1)?.type]).toEqual([true, false, 'final']);
    });

    test('O4: two go on at once: one does, the other is told who has it, in one paragraph', async () => {
      const shop = openShop();
      const where = join(newFolder(), 'runs.db');
      const runId = await killedRun(shop, where, LOOK);
      const args = ['resume', runId, shop.file, '--journal', where];
      const first = start(args);
      await first.until('\nlooking\n');
      const second = await loopchart(args, { env: INSTANT });
      expect(second.errors).toMatch(new RegExp(`^Error: Run ${runId} is continued elsewhere: process ${first.child.pid} on \\S+ is at work on it, .*\\n$`));
      expect([second.code, second.out.includes('Go on with it')]).toEqual([1, false]);
      first.child.kill(CONTINUES);
      expect(await first.finished).toMatchObject({ code: 0, errors: '', out: expect.stringContaining('look answered: all is well') });
    });

    test('SIGTERM says how to go on, and interrupts nothing', async () => {
      const shop = openShop();
      const where = newFolder();
      const runId = await killedRun(shop, where, LOOK);
      const resumed = start(['resume', runId, shop.file, '--journal', where]);
      await resumed.until('\nlooking\n');
      resumed.child.kill('SIGTERM');
      const { code, errors } = await resumed.finished;
      expect({ code, errors, state: runsIn(where)[0]?.state }).toEqual({ code: 143, errors: `loopchart: Go on with it: loopchart resume ${runId} ${shop.file} --journal ${where}\n`, state: 'running' });
    });

    test('J3: Ctrl-C interrupts a run that is gone on with; --again goes on from there', async () => {
      const shop = openShop();
      const where = newFolder();
      const runId = await killedRun(shop, where, LOOK);
      const resumed = start(['resume', runId, shop.file, '--journal', where]);
      await resumed.until('\nlooking\n');
      resumed.child.kill('SIGINT');
      expect(await resumed.finished).toMatchObject({ code: 130, errors: '', out: expect.stringMatching(/ {2}interrupted\n {2}Go on with it: loopchart resume \S+ \S+ --journal \S+ --again\n/) });
      expect(await loopchart(['resume', runId, shop.file, '--journal', where, '--again'], { env: INSTANT })).toMatchObject({ code: 0, errors: '' });
    });

    test('the agent that is missing is named', async () => {
      const shop = openShop();
      const where = newFolder();
      const runId = await killedRun(shop, where, LOOK);
      expect(await loopchart(['resume', runId, '--journal', where])).toMatchObject({ code: 1, out: '', errors: `loopchart: Run ${runId} was started with agent "Shop", which the built-in support desk does not have. Name the file that has it: loopchart resume ${runId} AGENT_FILE\n` });
    });
  });
}
