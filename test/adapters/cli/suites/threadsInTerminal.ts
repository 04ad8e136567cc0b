import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newFolder, newGate, scriptedAgentFile } from '../support/agentFiles.ts';
import { KEYS, type TerminalSession, inTerminal } from '../support/commandLine.ts';
import { INSTANT, killedChat, openShop, runsIn } from '../support/shop.ts';

const PAY = "calls('pay', { to: 'Ada', amount: 5 })";
const PROMPT = '[y]es, [n]o, n <reason>, [a]lways, [e]dit?';

/** A chat with an agent that plays this script. */
function chat(steps: string, { env = {}, args = [], agent = '' }: { env?: Record<string, string>; args?: string[]; agent?: string } = {}) {
  const session = inTerminal(['chat', scriptedAgentFile(steps, agent), ...args], { env: { NO_COLOR: '1', ...env } });
  return { ...session, say: (line: string) => session.type(`${line}${KEYS.enter}`) };
}

/** One that has begun, and then been told this. */
async function opened(steps: string, options: Parameters<typeof chat>[1] = {}, first?: string) {
  const it = chat(steps, options);
  await it.until('Tester');
  if (first !== undefined) it.say(first);
  return it;
}

const leave = async ({ type, finished }: Pick<TerminalSession, 'type' | 'finished'>) => {
  type(KEYS.end);
  return finished;
};

export function threadsInTerminal(): void {
  describe.concurrent('a thread in a terminal', { timeout: 60_000 }, () => {
    test('L2: a line typed while the agent works waits for the safe point, and stands where the model reads it', async () => {
      const gate = newGate();
      const it = await opened("calls('gate'), says('Understood.')", gate, 'go');
      await it.until('running gate');
      it.say('be brief');
      it.say('/steer and polite');
      await it.until('→ gate\n  waiting: be brief\n  waiting: and polite\n');
      gate.open();
      await it.until('  ✓ gate: open\n> be brief\n> and polite\nUnderstood.\n');
      expect(it.rows().join('\n')).not.toContain('waiting:');
      expect(await leave(it)).toBe(0);
    });

    test('M2, M3: the queue is listed, edited, moved and shortened while a run goes on, and then run in its order', async () => {
      const gate = newGate();
      const it = await opened("calls('gate'), says('Zero.'), says('One.'), says('Two.')", gate, 'go');
      await it.until('running gate');
      for (const text of ['first', 'second', 'third']) it.say(`/queue ${text}`);
      await it.until('queued 3: third');
      it.say('/queue edit 2 the second');
      it.say('/queue move 3 1');
      it.say('/queue remove 2');
      await it.until('  removed: first\n');
      await it.until('  queued 1: third\n  queued 2: the second\n');
      it.say('/queue remove 7');
      await it.until('There is no 7 in the queue; it has 2.');
      gate.open();
      await it.until(/Zero\.\n[^]*> third\nOne\.\n[^]*> the second\nTwo\.\n[^]*\n>$/);
      expect(await leave(it)).toBe(0);
    });

    test('J1, P2: /stop ends the run after its turn; what it was told and did not read begins the next one, and the queue is held until told', async () => {
      const gate = newGate();
      const it = await opened("calls('gate'), says('Now I have read it.'), says('Queued.')", gate, 'go');
      await it.until('running gate');
      it.say('/queue later');
      it.say('/stop');
      await it.until('It stops after this turn.');
      it.say('and this');
      await it.until('waiting: and this');
      gate.open();
      await it.until(/stopped after this turn\n[^]* {2}waiting: and this\n {2}queued 1: later\n {2}The queue is held; \/queue resume goes on with it\.\n>$/);
      it.say('/queue resume');
      await it.until(/> later\n> and this\nNow I have read it\.\n/);
      expect(await leave(it)).toBe(0);
    });

    test('D2, L1: at an approval a line that is no answer is refused; commands are taken, and the run is told through /steer', async () => {
      const it = await opened(`${PAY}, says('Brief.'), says('Thanks.')`, {}, 'go');
      await it.until(PROMPT);
      it.say('be brief');
      await it.until('"be brief" is no answer here');
      it.say('/steer be brief');
      await it.until('waiting: be brief');
      it.say('/queue thank them');
      it.say('/etc/hosts');
      await it.until(/A call waits for an answer first\. \/steer TEXT tells the agent\s+something meanwhile\./);
      expect(it.rows().at(-1)).toBe(PROMPT);
      it.say('y');
      await it.until(/✓ pay: paid 5 to Ada\n> be brief\nBrief\.\n[^]*> thank them\nThanks\.\n/);
      expect(await leave(it)).toBe(0);
    });

    test('D1: an approval is asked while other calls of the response are at work; the interrupt takes the question back', async () => {
      const it = await opened("calls(['hang', {}], ['pay', { to: 'Ada', amount: 5 }]), says('What now?')", {}, 'go');
      await it.until(new RegExp(`running hang .*\\n.*${PROMPT.slice(0, 5).replace('[', '\\[')}`));
      it.type(KEYS.interrupt);
      await it.until(/interrupted\n[^]*\n>$/);
      it.say('hello?');
      await it.until('What now?');
      expect(it.rows().join('\n')).not.toContain('→ pay');
      expect(await leave(it)).toBe(0);
    });

    test('M8: what "always" has decided is listed, and can be taken back: then it is asked again', async () => {
      const it = await opened(`${PAY}, says('One.'), ${PAY}, says('Two.'), ${PAY}, says('Three.')`, {}, 'go');
      await it.until(PROMPT);
      it.say('a');
      await it.until('One.');
      it.say('again');
      await it.until('Two.');
      it.say('/rules');
      await it.until('  1  always run pay of Tester\n');
      it.say('/rules remove 2');
      await it.until('There is no rule 2; there is one.');
      it.say('/rules remove 1');
      await it.until('  no longer: always run pay of Tester\n');
      it.say('once more');
      await it.until(/> once more\n[^]*\? Tester wants to call pay/);
      it.say('n');
      await it.until('Three.');
      expect(await leave(it)).toBe(0);
    });

    test('M6: /fork goes on in a copy and leaves the source as it is; /threads lists both and goes back; /revert takes a run back', async () => {
      const it = await opened("says('One.'), says('Two.'), says('Forked.')");
      it.say('a');
      await it.until('One.');
      it.say('b');
      await it.until('Two.');
      it.say('/fork 7');
      await it.until('There is no run 7; there are 1, 2, and 0 is the beginning.');
      it.say('/fork 1');
      await it.until(/(chat_\S+) is left as it is; you go on in its fork\n? ?\s*(chat_\S+)\n\s+thread \2\n> a\nOne\.\n/);
      it.say('c');
      await it.until('Forked.');
      const [, source = '', fork = ''] = /(chat_\S+) is left as it is; you go on in its fork\s+(chat_\S+)/.exec(it.rows().join('\n'))!;
      it.say('/threads');
      await it.until(new RegExp(`\\n {4}${source}  idle, Tester, .*\\n {2}\\* ${fork}  idle, Tester, `));
      it.say(`/threads ${source}`);
      await it.until(/thread chat_\S+, 2 runs\n> b\nTwo\.\n/);
      it.say('/revert');
      await it.until('↶ the conversation is back at the end of run 1');
      it.say('/revert 0');
      await it.until('↶ the conversation is back at its beginning');
      it.say('/threads nowhere');
      await it.until('There is no thread nowhere. See /threads.');
      expect(await leave(it)).toBe(0);
    });

    test('M6: a thread that is left at work goes on; one that waits calls', async () => {
      const gate = newGate();
      const it = await opened(`calls('gate'), ${PAY}, says('Paid.')`, gate, 'go');
      await it.until('running gate');
      it.say('/fork 0');
      await it.until('you go on in its fork');
      gate.open();
      await it.until(/thread (chat_\S+) waits for you: \/threads\s+\1/);
      const [, source = ''] = /thread (chat_\S+) waits/.exec(it.rows().join('\n'))!;
      it.say(`/threads ${source}`);
      await it.until(PROMPT);
      it.say('y');
      await it.until('Paid.');
      expect(await leave(it)).toBe(0);
    });

    test('M9: /goal runs on until the agent says that it is reached', async () => {
      const it = await opened("says('Half.'), says('All of it.\\nGOAL REACHED')");
      it.say('/goal');
      await it.until('There is no goal. Set one with /goal TEXT.');
      it.say('/goal tidy up');
      await it.until(/◎ the goal: tidy up\n> tidy up\n[^]*Half\.\n[^]*◎ not reached yet; run 1 of at most 10 begins\n[^]*All of it\.\nGOAL REACHED\n[^]*◎ the goal is reached\n/);
      expect(await leave(it)).toBe(0);
    });

    test('N1: /compact sums up what was said, and the conversation goes on from the summary', async () => {
      const it = await opened("says('One.'), says('They said a.'), says('Two.')");
      it.say('/compact now');
      await it.until('/compact takes nothing after it.');
      it.say('a');
      await it.until('One.');
      it.say('/compact');
      await it.until(/  ≡ summed up, \d+ tokens are \d+ now: They said a\.\n/);
      it.say('b');
      await it.until('Two.');
      expect(await leave(it)).toBe(0);
    });

    test('what streams is not torn by what is typed and told meanwhile', async () => {
      const it = inTerminal(['chat'], { env: { NO_COLOR: '1' } });
      await it.until('Take stock');
      it.type(`What is love?${KEYS.enter}`);
      await it.until('I am only');
      it.type(`/rules${KEYS.enter}/queue${KEYS.enter}half a line`);
      await it.until('Triage: 1 request');
      expect(it.rows().filter((row) => !/There are no rules|conversation\.$|Nothing is queued/.test(row)).join(' ').replace(/\s+/g, ' ')).toContain('I am only a script, so this is beyond me. Try "Where is my order 1001?", "I want a refund for order 1001", or send a card number to see a guardrail.');
      await it.until(/\n> half a line$/);
      it.type(KEYS.interrupt);
      it.type(KEYS.end);
      expect(await it.finished).toBe(0);
    });

    for (const kind of ['threads', 'threads.db']) {
      test(`O1: killed at a question, and started again: question, queue and what was not delivered are there, and nothing ran twice (${kind})`, async () => {
        const gate = newGate();
        const where = join(newFolder(), kind);
        const file = scriptedAgentFile(`...(globalThis.process.env.AGAIN ? [] : [calls(['add', { a: 1, b: 2 }], ['pay', { to: 'Ada', amount: 5 }])]), says('Brief.'), says('Queued.')`);
        const args = ['chat', file, '--journal', where, '--thread', 't'];
        const first = inTerminal(args, { env: { NO_COLOR: '1', ...gate.env } });
        await first.until('Tester');
        first.type(`go${KEYS.enter}`);
        await first.until(PROMPT);
        first.type(`/steer be brief${KEYS.enter}/queue later${KEYS.enter}`);
        await first.until('waiting: be brief\n  queued 1: later\n');
        gate.kill();
        await first.finished;
        const again = inTerminal(args, { env: { NO_COLOR: '1', AGAIN: '1' } });
        await again.until(/, thread\s+t,\s+which\s+goes\s+on\.[^]*\n> go\n {2}\? Tester wants to call pay \{"to":"Ada","amount":5\}\n {2}waiting: be brief\n {2}queued 1: later\n.*\[e\]dit\?$/);
        again.type(`y${KEYS.enter}`);
        await again.until(/✓ pay: paid 5 to Ada\n> be brief\nBrief\.\n[^]*> later\nQueued\.\n[^]*\n>$/);
        expect(again.rows().join('\n')).not.toContain('add');
        again.type(KEYS.end);
        expect(await again.finished).toBe(0);
        expect(runsIn(where)).toMatchObject([{ runId: 't', threadId: 't', state: 'idle' }]);
      });
    }

    test('O3: killed in a call that may have had its effect, and started again: the chat asks what became of it', async () => {
      const shop = openShop();
      const where = newFolder();
      await killedChat(shop, where);
      const { type, until, finished } = inTerminal(['chat', shop.file, '--journal', where, '--thread', 'shop'], { env: INSTANT });
      await until('[r]un again, [t]his is the result, it [f]ailed?');
      type(`/steer be brief${KEYS.enter}`);
      await until('waiting: be brief');
      type(`t charged by hand${KEYS.enter}`);
      await until(/✓ charge: charged by hand\n[^]*> be brief\n/);
      type(KEYS.end);
      await finished;
      expect(shop.charges()).toBe(1);
    });

    test('L5: what cannot be taken is said in words, and nothing is lost', async () => {
      const it = await opened("says('One.')");
      it.say('/steer be brief');
      await it.until('No run is going. Say it without a command, and one begins.');
      it.say('/stop');
      await it.until('There is nothing to do: no run is going.');
      it.say('/queue resume');
      it.say('/revert');
      await it.until('There is no run yet.');
      it.say('/queue hello');
      await it.until(/> hello\nOne\.\n/);
      expect(await leave(it)).toBe(0);
    });

    test('D7: a call that nobody decides about in time is not asked about any more', async () => {
      const wire = "tool({ name: 'wire', description: 'Wires.', parameters: none, needsApproval: true, expiresAfterMs: 1_500, execute: () => 'wired' })";
      const it = await opened("calls('wire'), says('Too late.')", { agent: `tools: [${wire}]` }, 'go');
      await it.until('Tester wants to call wire');
      it.type('hm');
      await it.until(/\? wire: nobody decided in time\n[^]*Too late\.\n[^]*\n>$/);
      expect(it.rows().join('\n')).toContain('[e]dit? (cancelled)');
      expect(await leave(it)).toBe(0);
    });

    test('K5: resume --again talks on where the last run was interrupted', async () => {
      const where = newFolder();
      const args = ['--journal', where, '--thread', 't'];
      const it = await opened("calls('hang'), says('Here.')", { args }, 'go');
      await it.until('running hang');
      expect(await leave(it)).toBe(130);
      const again = inTerminal(['resume', 't', scriptedAgentFile("says('On with it.'), says('And this.')"), '--journal', where, '--again'], { env: { NO_COLOR: '1' } });
      await again.until(/thread t, 1 run\n> go\n[^]*On with it\.\n[^]*\n>$/);
      again.type(`more${KEYS.enter}`);
      await again.until('And this.');
      expect(await leave(again)).toBe(0);
    });

    test('J2: Ctrl-D while it works interrupts, and says how to go on; /close ends the thread for good, and then it may be forgotten', async () => {
      const where = newFolder();
      const it = await opened("calls('hang'), says('Here.')", { args: ['--journal', where, '--thread', 't'] }, 'go');
      await it.until('running hang');
      expect(await leave(it)).toBe(130);
      expect(it.rows().join('')).toMatch(/interrupted.*Go on with it: loopchart resume t .*--journal/);
      expect(runsIn(where)).toMatchObject([{ state: 'paused' }]);
      const again = chat("says('Here.')", { args: ['--journal', where, '--thread', 't'] });
      await again.until('thread t, 1 run');
      again.say('/close');
      await again.until('thread t is closed');
      expect([await again.finished, runsIn(where)]).toMatchObject([0, [{ state: 'closed' }]]);
      const closed = chat("says('Here.')", { args: ['--journal', where, '--thread', 't'] });
      await closed.until('thread t, 1 run');
      closed.say('hello?');
      await closed.until(/This thread is closed\. \/fork goes on in a copy of it\.[^]*\n> hello\?$/);
      closed.type(KEYS.interrupt);
      closed.say('/fork');
      await closed.until('you go on in its fork');
      closed.say('hello?');
      await closed.until(/> hello\?\nHere\.\n/);
      expect(await leave(closed)).toBe(0);
    });
  });
}
