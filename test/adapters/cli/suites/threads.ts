import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Agent, MemorySession, run } from 'loopchart';
import { FileJournal } from 'loopchart/file';
import { says, scriptedModel } from 'loopchart/testing';
import { createThread } from 'loopchart/thread';
import { newFolder } from '../support/agentFiles.ts';
import { chatServer, streams } from '../support/chatServer.ts';
import { loopchart, start } from '../support/commandLine.ts';
import { CONTINUES, INSTANT, chatAtWork, killedChat, openShop, runsIn } from '../support/shop.ts';

const LOOK = { message: 'call look', says: 'looking' };
const linesOf = (out: string) => out.trim().split('\n').map((line) => JSON.parse(line) as { type: string; number?: number | string; [field: string]: unknown });

/** A thread with these answers, as an app writes it. */
async function threadOf(answers: string[], { close = false } = {}): Promise<string> {
  const where = newFolder();
  const thread = createThread(new Agent({ name: 'Sage', model: scriptedModel(...answers.map((answer) => says(answer))) }), { threadId: 'talk', journal: new FileJournal(where) });
  for (const answer of answers) await thread.run(`Say ${answer}`);
  await (close ? thread.close() : thread.release());
  return where;
}

export function threads(): void {
  describe.concurrent('a thread that is killed', { timeout: 60_000 }, () => {
    for (const kind of ['threads', 'threads.db']) {
      test(`O1, O2: resume goes on with what was under way, asks nothing again, and shows what is new (${kind})`, async () => {
        const shop = openShop();
        const where = join(newFolder(), kind);
        await killedChat(shop, where, LOOK);
        expect(runsIn(where, 'running')).toMatchObject([{ runId: 'shop', threadId: 'shop', agent: 'Shop' }]);
        const { out, errors, code } = await loopchart(['resume', 'shop', shop.file, '--journal', where], { env: INSTANT });
        expect(out.replace(/\(begun.*\)|\[Shop: .*\]/g, '…')).toBe('Thread shop of agent Shop: running …\n\n> call look\nlooking\n  ✓ look: all is well\nlook answered: all is well\n  …\n\n');
        expect({ errors, code }).toEqual({ errors: '', code: 0 });
        const { out: entries } = await loopchart(['runs', 'shop', '--journal', where]);
        expect(entries.match(/effect\.done +run\.1\/agent\.1\/turn\.1\/model#1/g)?.length).toBe(1);
        expect(await loopchart(['migrate', '--check', where])).toMatchObject({ code: 0, out: expect.stringContaining('same     shop\n') });
      });
    }

    test('a chat goes on with it too, and then takes what is said', async () => {
      const shop = openShop();
      const where = newFolder();
      await killedChat(shop, where, LOOK);
      const { out, code } = await loopchart(['chat', shop.file, '--journal', where, '--thread', 'shop'], { env: INSTANT, input: 'call look\n' });
      expect(out).toMatch(/, thread shop, which goes on\. [^]*> call look\nlooking\n {2}✓ look: all is well\nlook answered: all is well\n[^]*\n> call look\n {2}→ look\n/);
      expect([code, runsIn(where)]).toMatchObject([0, [{ runId: 'shop', state: 'idle' }]]);
    });

    test('O3: a call that may have had its effect waits where nobody can say; what is said meanwhile is queued behind it', async () => {
      const shop = openShop();
      const where = newFolder();
      await killedChat(shop, where);
      const { out, code } = await loopchart(['chat', shop.file, '--journal', where, '--thread', 'shop', '--approve', 'all'], { env: INSTANT, input: 'call look\n' });
      expect(out).toMatch(/may have had its effect: left waiting, because only a person can say\n {2}It waits for a person: loopchart resume shop [^]*\n> call look\n/);
      expect([code, shop.charges(), runsIn(where)]).toMatchObject([3, 1, [{ state: 'awaitingApproval' }]]);
      expect(await loopchart(['resume', 'shop', shop.file, '--journal', where], { env: INSTANT })).toMatchObject({ code: 3, out: expect.stringContaining('It waits for a person') });
    });

    test('I1: --json goes on with the numbers where they ended', async () => {
      const shop = openShop();
      const where = newFolder();
      await killedChat(shop, where, LOOK);
      const lines = linesOf((await loopchart(['resume', 'shop', shop.file, '--json', '--journal', where], { env: INSTANT })).out);
      const numbers = lines.map(({ number }) => number).filter((number) => typeof number === 'number');
      expect(numbers).toEqual(numbers.map((_, at) => numbers[0]! + at));
      expect([lines[0]?.type, numbers[0]! > 1, lines.some(({ type }) => type === 'run.started'), lines.at(-1)]).toMatchObject(['resume', true, false, { type: 'final', status: 'completed', runId: 'shop/run.1' }]);
    });

    test('O4: two chats on one thread: the second is told who has it, in one paragraph', async () => {
      const shop = openShop();
      const where = newFolder();
      const first = await chatAtWork(shop, where, LOOK);
      const second = await loopchart(['chat', shop.file, '--journal', where, '--thread', 'shop'], { env: INSTANT, input: 'call look\n' });
      expect(second).toMatchObject({ code: 1, out: '', errors: expect.stringMatching(new RegExp(`^loopchart: Run shop is continued elsewhere: process ${first.child.pid} on \\S+ is at work on it, .*\\n$`)) });
      first.child.kill(CONTINUES);
      first.child.stdin!.end();
      expect(await first.finished).toMatchObject({ code: 0, errors: '' });
    });

    test('SIGTERM says how to go on, and interrupts nothing', async () => {
      const shop = openShop();
      const where = newFolder();
      const { child, finished } = await chatAtWork(shop, where, LOOK);
      child.kill('SIGTERM');
      const { code, errors } = await finished;
      expect({ code, errors, state: runsIn(where)[0]?.state }).toEqual({ code: 143, errors: `loopchart: Go on with it: loopchart resume shop ${shop.file} --journal ${where}\n`, state: 'running' });
    });

    test('K5: Ctrl-C interrupts; what waits in the queue is held, and --again goes on from there', async () => {
      const shop = openShop();
      const where = newFolder();
      await killedChat(shop, where, LOOK);
      const resumed = start(['resume', 'shop', shop.file, '--journal', where]);
      await resumed.until('\nlooking\n');
      resumed.child.kill('SIGINT');
      expect(await resumed.finished).toMatchObject({ code: 130, errors: '', out: expect.stringMatching(/ {2}interrupted\n {2}Go on with it: loopchart resume shop \S+ --journal \S+ --again\n/) });
      expect(runsIn(where)).toMatchObject([{ state: 'paused' }]);
      expect(await loopchart(['resume', 'shop', shop.file, '--journal', where, '--again'], { env: INSTANT })).toMatchObject({ code: 0, errors: '' });
    });

    test('the agent that is missing is named', async () => {
      const shop = openShop();
      const where = newFolder();
      await killedChat(shop, where, LOOK);
      expect(await loopchart(['chat', '--journal', where, '--thread', 'shop'], { input: '' })).toMatchObject({ code: 1, out: '', errors: 'loopchart: Thread shop belongs to agent "Shop", and here are "Triage", "Billing". Name the file that has it.\n' });
    });
  });

  describe.concurrent('a thread in a journal', { timeout: 60_000 }, () => {
    test('is listed by its own state, shows its entries in words, and is forgotten when it is closed', async () => {
      const where = await threadOf(['one', 'two']);
      expect((await loopchart(['runs', '--journal', where])).out).toMatch(/\ntalk +\(itself\) +Sage +idle +\d+ /);
      expect((await loopchart(['runs', '--journal', where, '--state', 'paused'])).out).toContain('There are no runs in state paused');
      expect((await loopchart(['runs', 'talk', '--journal', where])).out).toMatch(/command +Say one\n[^]*effect\.done +run\.1\/agent\.1\/turn\.1\/model#1 one\n[^]*run\.rest +idle\n/);
      expect((await loopchart(['prune', '--before', '0s', '--journal', where])).out).toMatch(/^0 runs removed .* 1 run left\.\n$/);
      const closed = await threadOf(['one'], { close: true });
      expect(await loopchart(['resume', 'talk', '--journal', closed, '--again'])).toMatchObject({ code: 1, errors: expect.stringMatching(/^loopchart: Thread talk is closed\. Fork it, in a chat: .*\n$/) });
      expect((await loopchart(['prune', '--before', '0s', '--journal', closed])).out).toMatch(/^1 run removed .* 0 runs left\.\n$/);
    });

    test('of an earlier version, whose runs were recorded one by one, is gone on with as one', async () => {
      await using server = await chatServer(streams('You are Ada.'));
      const where = newFolder();
      const journal = new FileJournal(where);
      await run(new Agent({ name: 'Triage', model: scriptedModel(says('Nice to meet you.')) }), 'I am Ada.', { journal, threadId: 'ada', session: new MemorySession() });
      journal.close();
      const chat = (input: string) => loopchart(['chat', '--journal', where, '--thread', 'ada'], { input, env: server.env });
      expect((await chat('Who am I?')).out).toContain('\nYou are Ada.\n');
      await chat('Sure?');
      const said = server.requests.map(({ body }) => body.messages.slice(1).map(({ content }) => content));
      expect(said.at(-1)).toEqual(['I am Ada.', 'Nice to meet you.', 'Who am I?', 'You are Ada.', 'Sure?']);
    });
  });
}
