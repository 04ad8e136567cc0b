import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newFolder } from '../support/agentFiles.ts';
import { COLUMNS, KEYS, inTerminal, loopchart } from '../support/commandLine.ts';
import { INSTANT, appRun, killedRun, openShop, runsIn } from '../support/shop.ts';

const PROMPT = '[y]es, [n]o, n <reason>, [a]lways, [e]dit?';
const UNCERTAIN = '[r]un again, [t]his is the result, it [f]ailed?';

export function recordedInTerminal(): void {
  describe.concurrent('a recorded run in a terminal', { timeout: 60_000 }, () => {
    for (const [kind, answer, shown, charges] of [
      ['runs', 'r', '✓ charge: charged 5', 2],
      ['runs.db', 't charged by hand', '✓ charge: charged by hand', 1],
      ['runs', 'f the card was declined', '✗ charge: the card was declined', 1],
    ] as const) {
      test(`O3: a call that may have had its effect asks in plain words; "${answer}" (${kind})`, async () => {
        const shop = openShop();
        const where = join(newFolder(), kind);
        const runId = await killedRun(shop, where);
        const { type, until, rows, finished } = inTerminal(['resume', runId, shop.file, '--journal', where], { env: INSTANT });
        await until(UNCERTAIN);
        expect(rows().join(' ').replace(/\s+/g, ' ')).toContain('Shop called charge {"amount": 5}. The call has begun before, was cut short, and may have had its effect. Look, and say what became of it.');
        type(`y${KEYS.enter}`);
        await until('"y" is no answer here');
        type(`${answer}${KEYS.enter}`);
        expect(await finished).toBe(0);
        expect(rows().join('\n')).toContain(shown);
        expect([shop.charges(), runsIn(where)[0]?.status]).toEqual([charges, 'completed']);
      });
    }

    test('--approve all in a terminal does not approve it either', async () => {
      const shop = openShop();
      const where = newFolder();
      const runId = await killedRun(shop, where);
      const { rows, finished } = inTerminal(['resume', runId, shop.file, '--journal', where, '--approve', 'all'], { env: INSTANT });
      expect([await finished, shop.charges(), rows().join(' ').includes('left waiting')]).toEqual([3, 1, true]);
    });

    test('D1, D6: Ctrl-D at a question leaves it waiting; another process is asked, and one without a person leaves it too', async () => {
      const shop = openShop();
      const where = newFolder();
      const chat = inTerminal(['chat', shop.file, '--journal', where], { env: INSTANT });
      await chat.until('Should this be killed');
      chat.type(`call pay {"amount": 5}${KEYS.enter}`);
      await chat.until(PROMPT);
      chat.type(KEYS.end);
      expect(await chat.finished).toBe(3);
      const [{ runId, state } = { runId: '', state: '' }] = runsIn(where);
      const unpainted = chat.written().replace(/\u001b\[[0-9;]*m/g, '');
      const commands = [`It waits for a person: loopchart resume ${runId} ${shop.file} --journal ${where}\r\n`, `  loopchart chat ${shop.file} --journal ${where} --thread ${runId}\r\n`]; // longer than a row, and to be copied whole
      expect([state, commands.map((command) => unpainted.includes(command))]).toEqual(['awaitingApproval', [true, true]]);
      const alone = await loopchart(['resume', runId, shop.file, '--journal', where]);
      expect([alone.code, alone.out.includes('left waiting, because nobody is there to approve it (see --approve)')]).toEqual([3, true]);
      const { type, until, rows, finished } = inTerminal(['resume', runId, shop.file, '--journal', where]);
      await until(PROMPT);
      type(`y${KEYS.enter}`);
      await until('Shop: 2 requests');
      type(KEYS.end);
      expect(await finished).toBe(0);
      expect(rows().join('\n')).toMatch(/> call pay \{"amount": 5\}\n {2}\? Shop wants to call pay[^]*✓ pay: paid 5\npay answered: paid 5\n/);
    });

    test('Ctrl-C interrupts, and the way on is told', async () => {
      const shop = openShop();
      const where = newFolder();
      const runId = await killedRun(shop, where, { message: 'call look', says: 'looking' });
      const { type, until, rows, finished } = inTerminal(['resume', runId, shop.file, '--journal', where]);
      await until(/running look/);
      type(`hello${KEYS.enter}`);
      await until('Messages are taken by loopchart chat, when this run is over.');
      type(KEYS.interrupt);
      expect(await finished).toBe(130);
      expect(rows().join('')).toMatch(/interrupted.*Go on with it: loopchart resume/);
    });

    test('the list fits: ids are as short as they can be, and times are told as people do', async () => {
      const where = newFolder();
      await loopchart(['chat', '--journal', where, '--thread', 'a-thread-with-quite-a-long-name'], { input: 'Hello\nThank you\n' });
      await appRun(openShop(), where);
      const { rows, finished } = inTerminal(['runs', '--journal', where], { env: { NO_COLOR: '1' } });
      expect(await finished).toBe(0);
      const shown = rows().filter((row) => row !== '');
      expect(Math.max(...shown.map((row) => row.length))).toBeLessThan(COLUMNS);
      expect(shown).toEqual([expect.stringMatching(/^RUN +THREAD +AGENT +STATE +ENTRIES +WRITTEN$/), expect.stringMatching(/^a-thread-wit +\(itself\) +Triage +idle +\d+ +(just now|\d+ s ago)$/), expect.stringMatching(/^run_\w{8} +shop +Shop +settled, completed +\d+ +(just now|\d+ s ago)$/)]);
    });
  });
}
