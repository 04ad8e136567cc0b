import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newFolder } from '../support/agentFiles.ts';
import { chatServer, refuses, streams } from '../support/chatServer.ts';
import { loopchart } from '../support/commandLine.ts';
import { runsIn } from '../support/shop.ts';

const linesOf = (out: string) => out.trim().split('\n').map((line) => JSON.parse(line) as Record<string, any>); // any: events of all kinds

export function recorded(): void {
  describe.concurrent('a recorded chat', { timeout: 60_000 }, () => {
    for (const kind of ['runs', 'runs.db']) {
      test(`a chat is one thread, in ${kind}; it says how to go on after a kill`, async () => {
        const where = join(newFolder(), kind);
        const { out, errors, code } = await loopchart(['chat', '--journal', where, '--approve', 'all'], { input: 'Where is my order 1001?\nrefund order 1001\n' });
        const [, thread = ''] = /thread (chat_\S+)\. Should this be killed/.exec(out) ?? [];
        expect(out).toContain(`\n  loopchart chat --journal ${where} --thread ${thread}\n`);
        expect({ errors, code }).toEqual({ errors: '', code: 0 });
        expect(runsIn(where).map(({ runId, threadId, agent, state }) => [runId, threadId, agent, state])).toEqual([[thread, thread, 'Triage', 'idle']]);
      });
    }

    test('a thread that is there is gone on with, by the agent that spoke last: the model reads what was said', async () => {
      await using server = await chatServer(streams('Nice to meet you, Ada.'));
      const where = newFolder();
      const chat = (input: string) => loopchart(['chat', '--journal', where, '--thread', 'ada'], { input, env: server.env });
      await chat('My name is Ada.');
      const { out } = await chat('Who am I?\nAnd who are you?');
      expect(out).toContain(', thread ada, which goes on.');
      const said = server.requests.map(({ body }) => body.messages.slice(1).map(({ content }) => content));
      expect(said.at(-1)).toEqual(['My name is Ada.', 'Nice to meet you, Ada.', 'Who am I?', 'Nice to meet you, Ada.', 'And who are you?']);
      await loopchart(['chat', '--journal', where, '--thread', 'refund', '--approve', 'none'], { input: 'refund order 1001' });
      expect((await loopchart(['chat', '--journal', where, '--thread', 'refund'], { input: '' })).out).toMatch(/^loopchart \S+ Billing, a support desk/);
    });

    test('LOOPCHART_JOURNAL names the journal of every command, which then need not say it', async () => {
      const env = { LOOPCHART_JOURNAL: newFolder() };
      const { out } = await loopchart(['chat', '--thread', 'here'], { input: 'Hello', env });
      expect(out).toContain('\n  loopchart chat --thread here\n');
      expect((await loopchart(['runs', '--thread', 'here'], { env })).out).toMatch(/\nhere +\(itself\) +Triage +idle /);
      expect((await loopchart(['runs', '--thread', 'there'], { env })).out).toBe(`There are no runs of thread there in ${env.LOOPCHART_JOURNAL}.\n`);
    });

    test('K5: after a failure the command to go on with is told; --again goes on from there', async () => {
      await using server = await chatServer(refuses(400, 'busy'), streams('Here I am.'));
      const where = newFolder();
      const { out, code } = await loopchart(['chat', '--journal', where], { input: 'Hello', env: server.env });
      const [{ runId } = { runId: '' }] = runsIn(where);
      expect([code, out.includes(`\n  Go on with it: loopchart resume ${runId} --journal ${where} --again\n`)]).toEqual([1, true]);
      const told = await loopchart(['resume', runId, '--journal', where]);
      expect([told.code, told.errors, told.out.includes(': paused (')]).toEqual([1, expect.stringContaining('busy'), true]);
      const again = await loopchart(['resume', runId, '--again', '--journal', where], { env: server.env });
      expect([again.code, again.out.includes('\nHere I am.\n')]).toEqual([0, true]);
      expect(runsIn(where).map((run) => [run.runId, run.state])).toEqual([[runId, 'idle']]);
      expect(await loopchart(['resume', runId, '--again', '--journal', where])).toMatchObject({ code: 1, errors: expect.stringMatching(/^loopchart: Thread \S+ has its answers: there is nothing to go on with\. Say something new: loopchart chat .*\n$/) });
    });

    test('what a guardrail has stopped is not gone on with', async () => {
      const where = newFolder();
      const { out } = await loopchart(['chat', '--journal', where], { input: 'My card is 4111 1111 1111 1111' });
      const [{ runId } = { runId: '' }] = runsIn(where);
      expect(out).not.toContain('Go on with it');
      expect(await loopchart(['resume', runId, '--again', '--journal', where])).toMatchObject({ code: 1, errors: `loopchart: The last run of thread ${runId} was stopped by a guardrail, which would not look again if it went on. Put the message another way: loopchart chat --journal ${where} --thread ${runId}\n` });
    });

    test('a journal that takes nothing is told, and no command for a run that is not there', async () => {
      const where = join(newFolder(), 'link');
      symlinkSync(join(where, '..', 'nowhere'), where); // to a disk that is not there, say
      const { out, errors, code } = await loopchart(['chat', '--journal', where], { input: 'Hello' });
      expect([errors, out.includes('Go on with it'), code]).toEqual([expect.stringMatching(/^Error: The journal at \S+ cannot be used: there is a file in place of the folder, or a link that leads nowhere\. Choose another folder\.\n$/), false, 1]);
    });

    test('--json says where and which: the first line the thread, each end its run', async () => {
      const where = newFolder();
      const lines = linesOf((await loopchart(['chat', '--json', '--journal', where, '--thread', 'j'], { input: 'Hello' })).out);
      expect([lines[0], lines.at(-1)]).toEqual([{ type: 'journal', where, threadId: 'j' }, expect.objectContaining({ type: 'final', status: 'completed', runId: 'j/run.1' })]);
      const again = linesOf((await loopchart(['resume', 'j', '--json', '--journal', where])).out);
      expect(again).toEqual([
        { type: 'resume', runId: 'j', threadId: 'j', agent: 'Triage', state: 'idle', length: expect.any(Number) },
        expect.objectContaining({ type: 'final', status: 'completed', agent: 'Triage', output: expect.stringContaining('Hello!'), runId: 'j' }),
      ]);
    });

    test('a password is neither shown nor part of a command', async () => {
      const { out, errors, code } = await loopchart(['runs', '--journal', 'postgres://app:s3cret@127.0.0.1:1/app']);
      expect([`${out}${errors}`.includes('s3cret'), code]).toEqual([false, 1]);
    });
  });
}
