/** Codex's own terminal program is a client of ours: with `CODEX_BIN` naming it, a person uses a thread by it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, MemoryJournal, tool } from 'loopchart';
import { calls, hangs, says, scriptedModel } from 'loopchart/testing';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { type ThreadServer, type ThreadSource, listenForWebSockets, recordedThreads } from '../../../adapters/server/index.ts';
import type { ThreadEvent } from '../../../actors/thread/types.ts';
import { latch, refund } from '../../scenarios/support/cast.ts';
import { KEYS, type TerminalSession, endAll, programInTerminal } from '../cli/support/commandLine.ts';
import { fullScreenOf } from './support/fullScreen.ts';
import { serverWith } from './support/serving.ts';

const { CODEX_BIN } = process.env;
if (CODEX_BIN === undefined) console.log('Skipped, because CODEX_BIN is not set: name the program of @openai/codex to have it drive a server of ours.');
const codexTest = test.skipIf(CODEX_BIN === undefined);
afterAll(endAll);

const TOKEN = 'sesame-sesame-sesame';
const ESCAPE = '\u001b';
/** What moves on the screen, or keeps keys back for a while, is off. */
const STILL = ['tui.animations=false', 'disable_paste_burst=true', 'check_for_update_on_startup=false'].flatMap((setting) => ['-c', setting]);

interface Person extends TerminalSession { says(text: string): Promise<void>; /** Its server does. */ ends(): Promise<void> }

/** A person at the program, which is ready for a message. */
async function personAt(server: ThreadServer, ...args: string[]): Promise<Person> {
  const listener = await listenForWebSockets(server, { port: 0, token: TOKEN });
  const ends = async () => {
    await listener.close(); // first: the program connects again, and would go on with its thread
    await server.close();
  };
  onTestFinished(ends);
  const home = mkdtempSync(join(tmpdir(), 'loopchart-codex-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const words = [CODEX_BIN!, ...args, ...STILL, '--remote', listener.url, '--remote-auth-token-env', 'TOKEN'];
  const terminal = programInTerminal(words, { cwd: home, env: { CODEX_HOME: home, HOME: home, TOKEN }, lines: 40, columns: 110, screenOf: fullScreenOf });
  await terminal.until('/project'); // where the server is: there is a thread
  const says = async (text: string) => {
    terminal.type(text);
    await terminal.until(`› ${text}`);
    terminal.type(KEYS.enter);
  };
  return { ...terminal, says, ends };
}

codexTest('an answer streams, and escape interrupts it', async () => {
  const person = await personAt(serverWith({}, scriptedModel(hangs(3, says('one two three')), says('All is well.'))));
  await person.says('count');
  await person.until('one two');
  person.type(ESCAPE);
  await person.until('Conversation interrupted');
  await person.says('and now?');
  await person.until('• All is well.');
});

codexTest('a call waits for the person, who accepts one and declines another', async () => {
  const model = scriptedModel(calls('refund', { order: 1 }), says('It is paid.'), calls('refund', { order: 2 }), says('It is not.'));
  const person = await personAt(serverWith({ tools: [refund] }, model));
  await person.says('pay');
  await person.until(`$ refund '{"order":1}'`);
  person.type('y');
  await person.until('└ refunded 1');
  await person.until('• It is paid.');
  await person.says('again');
  await person.until(`$ refund '{"order":2}'`);
  person.type('d');
  await person.until('• It is not.');
  expect(person.rows().join('\n')).toContain('Failed assistant.refund');
});

codexTest('what is said while a tool works is read after it', async () => {
  const { promise, open } = latch<string>();
  const work = tool({ name: 'work', description: 'Works.', parameters: z.object({}), execute: () => promise });
  const model = scriptedModel(calls('work', {}), says('Both are done.'));
  const steered = latch();
  const threads = recordedThreads({ agent: new Agent({ name: 'assistant', model, tools: [work] }) });
  const onEvent = (event: ThreadEvent) => event.type === 'input.accepted' && !event.source && steered.open();
  const start: ThreadSource['start'] = (options) => threads.start({ ...options, onEvent: (event) => (onEvent(event), options.onEvent(event)) });
  const person = await personAt(serverWith({ server: { threads: { ...threads, start } } }, model));
  await person.says('begin');
  await person.until('Calling assistant.work');
  await person.says('this too');
  await person.until('Messages to be submitted after next tool call');
  await steered.promise;
  open('worked');
  await person.until('• Both are done.');
  expect(model.requests[1]!.input).toMatchObject([{ content: 'begin' }, { type: 'function_call' }, { type: 'function_call_result' }, { content: 'this too' }]);
});

codexTest('a thread is gone on with after the server was, and forked', async () => {
  const journal = new MemoryJournal();
  const model = scriptedModel(says('Yes, I am.'), says('Still here.'), says('Here as well.'));
  const before = await personAt(serverWith({ journal }, model));
  await before.says('are you there?');
  await before.until('• Yes, I am.');
  await before.ends();
  const [thread] = await journal.list();
  const person = await personAt(serverWith({ journal }, model), 'resume', thread!.runId);
  await person.until('• Yes, I am.');
  await person.says('and now?');
  await person.until('• Still here.');
  await person.says('/fork');
  await person.until('Fork created.');
  await person.says('in the fork?');
  await person.until('• Here as well.');
  expect((await journal.list()).filter(({ runId, threadId }) => runId === threadId)).toHaveLength(2);
});
