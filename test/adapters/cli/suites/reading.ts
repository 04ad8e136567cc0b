import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { Agent, type JournalEntry, run, tool } from 'loopchart';
import { FileJournal } from 'loopchart/file';
import { calls, says, scriptedModel } from 'loopchart/testing';
import { z } from 'zod';
import { FILE_FORMAT, claimBody, lineText } from '../../../../adapters/journals/fileLines.ts';
import { newOwner } from '../../../../adapters/journals/owner.ts';
import { newFolder } from '../support/agentFiles.ts';
import { loopchart, start } from '../support/commandLine.ts';
import { CONTINUES, chatAtWork, openIn, openShop, runsIn } from '../support/shop.ts';

const add = tool({ name: 'add', description: 'Adds.', parameters: z.object({ a: z.number(), b: z.number() }), execute: ({ a, b }) => a + b });

/** A journal with a run for each message, as an app writes it. */
async function journalOf(messages: string[], kind = ''): Promise<string> {
  const where = join(newFolder(), kind);
  const journal = openIn(where);
  for (const message of messages) {
    const agent = new Agent({ name: 'Adder', model: scriptedModel(calls('add', { a: 1, b: 2 }), says('It is three.')), tools: [add] });
    await run(agent, message, { journal, threadId: 'sums' });
  }
  journal.close();
  return where;
}

/** The run once more, under another id and with something changed; its sums hold. */
function forge(where: string, runId: string, change: (entries: JournalEntry[]) => JournalEntry[]): void {
  const journal = new FileJournal(where);
  const [{ runId: real } = { runId: '' }] = journal.list();
  const entries = JSON.parse(JSON.stringify(journal.read(real)).replaceAll(real, runId)) as JournalEntry[];
  const { epoch } = journal.open(runId);
  journal.append(runId, { epoch, position: 0 }, change(entries));
  journal.close();
}

const sumsIn = (folder: string) => readdirSync(folder).sort().filter((name) => !name.endsWith('-shm')).map((name) => [name, createHash('sha256').update(readFileSync(join(folder, name))).digest('hex')]); // what readers share with each other is theirs

export function reading(): void {
  describe.concurrent('what a journal holds', { timeout: 60_000 }, () => {
    test('runs are listed newest last, whole where a program reads, as JSON lines with --json', async () => {
      const where = await journalOf(['One and two?', 'Again?']);
      const { out } = await loopchart(['runs', '--journal', where]);
      const [title, ...rows] = out.trimEnd().split('\n');
      expect(title).toMatch(/^RUN +THREAD +AGENT +STATE +ENTRIES +BEGUN +WRITTEN$/);
      const summaries = runsIn(where);
      expect(rows.map((row) => row.split(/ {2,}/).slice(0, 4))).toEqual(summaries.map(({ runId }) => [runId, 'sums', 'Adder', 'settled, completed']));
      expect(summaries[0]!.startedAt).toBeLessThanOrEqual(summaries[1]!.startedAt);
      expect((await loopchart(['runs', '--journal', where, '--json', '--state', 'settled', '--thread', 'sums'])).out).toBe(summaries.map((summary) => `${JSON.stringify(summary)}\n`).join(''));
      expect((await loopchart(['runs', '--journal', where, '--state', 'running'])).out).toBe(`There are no runs in state running in ${where}.\n`);
    });

    test('one run shows its entries, one a line, or whole', async () => {
      const where = await journalOf(['One and two?']);
      const [{ runId, length } = { runId: '', length: 0 }] = runsIn(where);
      const { out } = await loopchart(['runs', runId.slice(0, 10), '--journal', where]);
      const lines = out.trimEnd().split('\n');
      expect(lines.length).toBe(length);
      expect(lines[0]).toMatch(/^ {3}0 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}run\.start +Adder: One and two\?$/);
      expect(lines.join('\n')).toMatch(/effect\.done +agent\.1\/turn\.1\/toolCall\.1\.0\/execute#1 completed: 3\n/);
      expect(lines.at(-1)).toMatch(/run\.rest +settled, completed$/);
      const whole = (await loopchart(['runs', runId, '--json', '--journal', where])).out.trimEnd().split('\n').map((line) => JSON.parse(line) as JournalEntry);
      expect(whole).toEqual(new FileJournal(where).read(runId));
    });

    test('--follow shows entries as another process writes them, until Ctrl-C', async () => {
      const shop = openShop();
      const where = join(newFolder(), 'runs.db');
      const chat = await chatAtWork(shop, where, { message: 'call look', says: 'looking' });
      const [{ runId } = { runId: '' }] = runsIn(where);
      const follower = start(['runs', runId, '--follow', '--journal', where]);
      await follower.until('→ look');
      expect((await loopchart(['migrate', '--check', where])).code).toBe(0); // while it is at work
      chat.child.kill(CONTINUES);
      await follower.until('look answered: all is well');
      follower.child.kill('SIGINT');
      expect(await follower.finished).toMatchObject({ code: 130, errors: '' });
      chat.child.stdin!.end();
      expect(await chat.finished).toMatchObject({ code: 0 });
    });

    test('an empty journal says so, and is the same with every version', async () => {
      const where = newFolder();
      expect(await loopchart(['runs', '--journal', where])).toEqual({ code: 0, out: `There are no runs in ${where}.\n`, errors: '' });
      expect(await loopchart(['runs', '--json', '--journal', where])).toEqual({ code: 0, out: '', errors: '' });
      expect(await loopchart(['migrate', '--check', where])).toEqual({ code: 0, out: `There are no runs in ${where}.\n`, errors: '' });
    });

    test('O5: migrate --check says of each run whether it goes the same way, and which entry does not follow', async () => {
      const where = await journalOf(['One and two?']);
      const [{ runId } = { runId: '' }] = runsIn(where);
      expect(await loopchart(['migrate', '--check', where])).toEqual({ code: 0, out: `same     ${runId}\nThe run goes the same way with this version.\n`, errors: '' });
      forge(where, 'run_changed', (entries) => entries.filter((entry) => !('id' in entry && entry.type === 'effect.done' && entry.id.endsWith('/execute#1'))));
      forge(where, 'run_newer', ([first, ...rest]) => [{ ...first!, format: 99 } as JournalEntry, ...rest]);
      forge(where, 'run_torn', (entries) => entries);
      const torn = join(where, 'run_torn.jsonl');
      writeFileSync(torn, readFileSync(torn, 'utf8').replace('It is three', 'It is thirty'));
      const { out, code } = await loopchart(['migrate', '--check', where]);
      expect(out.split('\n').sort()).toEqual([
        '', '4 runs: 1 the same, 1 differs, 2 cannot be replayed. Finish the one that differs with the version that recorded it.',
        expect.stringMatching(/^cannot {3}run_newer {2}Run run_newer was recorded in format 99, this version reads up to 1\. Update loopchart\.$/),
        expect.stringMatching(/^cannot {3}run_torn {2}The journal of run run_torn is damaged at entry \d+: its sum does not hold/),
        expect.stringMatching(/^differs {2}run_changed {2}at entry \d+: effect\.done of run_changed\/agent\.1\/turn\.2\/model#1 is recorded, and it waits for /),
        `same     ${runId}`,
      ]);
      expect(code).toBe(1);
      const one = await loopchart(['migrate', '--check', where, 'run_ch', '--json']);
      expect(one.out.trimEnd().split('\n').map((line) => JSON.parse(line) as object)).toEqual([{ type: 'run', runId: 'run_changed', verdict: 'differs', position: expect.any(Number), why: expect.any(String) }, { type: 'summary', same: 0, differs: 1, cannot: 0 }]);
      expect((await loopchart(['migrate', '--check', join(where, `${runId}.jsonl`)])).out).toContain(`same     ${runId}\n`);
      expect((await loopchart(['runs', 'run_torn', '--journal', where])).errors).toMatch(/^loopchart: The journal of run run_torn is damaged at entry \d+: .*\n$/);
    });

    test('O5: what cannot even be listed is checked too: a newer store, a first line that nobody can read, a copy under another name', async () => {
      const where = await journalOf(['One and two?']);
      const [{ runId } = { runId: '' }] = runsIn(where);
      const put = (name: string, text: string) => writeFileSync(join(where, `${name}.jsonl`), text);
      const log = readFileSync(join(where, `${runId}.jsonl`), 'utf8');
      const { head } = claimBody('run_newer', { owner: newOwner(), leaseMs: 1 });
      put('run_newer', lineText('run_newer', { at: 0, torn: 0, epoch: 1, from: 0 }, { head: head.replace(`"loopchart":${FILE_FORMAT}`, '"loopchart":99') }));
      put('run_cut', log.slice(log.indexOf('\n') + 1));
      put('run_one_line', log.replaceAll('\n', ' '));
      put('run_copy', log);
      const told = [
        [/^run_copy$/, /^The journal of run run_copy is damaged at entry 0: its file begins as that of run run_/],
        [/^run_cut$/, /^The journal of run run_cut is damaged at entry 0: its file does not begin as that of a run/],
        [/^run_newer$/, /^The journal of run run_newer is kept in format 99, this version reads 1: update loopchart\.$/],
        [/^run_one_line$/, /^The journal of run run_one_line is damaged at entry 0: /],
      ].map(([id, why]) => ({ type: 'run', runId: expect.stringMatching(id!), verdict: 'cannot', why: expect.stringMatching(why!) }));
      const checked = await loopchart(['migrate', '--check', where, '--json']);
      const lines = checked.out.trimEnd().split('\n').map((line) => JSON.parse(line) as { runId?: string });
      expect(lines.sort((one, other) => String(one.runId).localeCompare(String(other.runId)))).toEqual(expect.arrayContaining([...told, { type: 'run', runId, verdict: 'same' }, { type: 'summary', same: 1, differs: 0, cannot: 4 }]));
      expect([lines.length, checked.code]).toEqual([6, 1]);
      expect((await loopchart(['migrate', '--check', where, 'run_newer'])).out).toMatch(/^cannot {3}run_newer {2}.*\n1 run: 0 the same, 1 cannot be replayed\.\n$/);
      for (const args of [['runs'], ['prune', '--before', '1d', '--dry-run']]) {
        const { errors, code } = await loopchart([...args, '--journal', where]);
        expect([errors.match(/ It is left out of the list\.\n/g)?.length, code]).toEqual([4, 0]);
      }
    });

    for (const kind of ['runs', 'runs.db']) {
      test(`reading changes nothing (${kind})`, async () => {
        const where = await journalOf(['One and two?'], kind);
        const folder = kind === 'runs' ? where : join(where, '..');
        await loopchart(['runs', '--journal', where]);
        const before = sumsIn(folder);
        for (const args of [['runs', '--journal', where], ['runs', 'run_', '--journal', where], ['migrate', '--check', where], ['prune', '--before', '0s', '--dry-run', '--journal', where]]) expect(await loopchart(args)).toMatchObject({ code: 0, errors: '' });
        expect(sumsIn(folder)).toEqual(before);
      });
    }

    test('prune forgets what ended before then, and says so before it does', async () => {
      const where = await journalOf(['One and two?', 'Again?']);
      const dry = await loopchart(['prune', '--before', '0s', '--dry-run', '--journal', where]);
      expect(dry.out).toContain(`\n2 runs in ${where} would be removed: ended, and last written to before `);
      expect((await loopchart(['prune', '--before', '1d', '--journal', where])).out).toMatch(/^0 runs removed from .* 2 runs left\.\n$/);
      expect((await loopchart(['prune', '--before', '0s', '--journal', where])).out).toMatch(/^2 runs removed from .* 0 runs left\.\n$/);
      expect(runsIn(where)).toEqual([]);
    });

    test('what is no journal is told in one paragraph, and none is made', async () => {
      const folder = newFolder();
      const [text, foreign, false_, empty] = ['notes.txt', 'app.db', 'false.db', 'empty.db'].map((name) => join(folder, name)) as [string, string, string, string];
      writeFileSync(text, 'Buy milk.\n');
      writeFileSync(false_, 'This is no database at all, however it is named. '.repeat(20));
      writeFileSync(empty, '');
      const database = new DatabaseSync(foreign);
      database.exec('CREATE TABLE cats (name TEXT)');
      database.close();
      const nowhere = join(folder, 'nowhere');
      for (const [where, said] of [
        [nowhere, `There is no journal at ${nowhere}.`],
        [`${nowhere}.db`, `There is no journal at ${nowhere}.db.`],
        [text, `${text} is a file and no journal: neither a SQLite database nor a folder of runs. Choose another --journal.`],
        [foreign, `${foreign} is the database of something else. Choose another file for the journal.`],
        [false_, `The journal ${false_} cannot be used: it is no SQLite database. Choose another file.`],
        [empty, `There is no journal in ${empty}: nothing was ever written to it.`],
      ] as const) expect(await loopchart(['runs', '--journal', where])).toEqual({ code: 1, out: '', errors: `loopchart: ${said}\n` });
      expect(await loopchart(['prune', '--before', '1d', '--journal', nowhere])).toMatchObject({ code: 1 });
      expect(await loopchart(['resume', 'run_1', '--journal', `${nowhere}.db`])).toMatchObject({ code: 1 });
      expect([existsSync(nowhere), existsSync(`${nowhere}.db`)]).toEqual([false, false]);
    });

    test('a run that is not there, and a beginning that several have', async () => {
      const where = await journalOf(['One and two?', 'Again?']);
      const ids = runsIn(where).map(({ runId }) => runId);
      expect(await loopchart(['resume', '', '--journal', await journalOf(['One and two?'])])).toMatchObject({ code: 1, errors: expect.stringContaining('There is no run ""') }); // of a variable that is not set
      expect((await loopchart(['resume', 'nobody', '--journal', where])).errors).toBe(`loopchart: There is no run "nobody" in ${where}. See which there are: loopchart runs --journal ${where}\n`);
      expect((await loopchart(['runs', 'run_', '--journal', where])).errors).toBe(`loopchart: "run_" is the beginning of 2 runs; give more of the one you mean:\n${ids.map((id) => `  ${id}  Adder, settled, completed\n`).join('')}`);
    });
  });
}
