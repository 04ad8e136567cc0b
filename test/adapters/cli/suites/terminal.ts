import { describe, expect, test } from 'vitest';
import { newGate, scriptedAgentFile, writeAgentFile } from '../support/agentFiles.ts';
import { COLUMNS, KEYS, inTerminal } from '../support/commandLine.ts';

const PAY = `calls('pay', { to: 'Ada', amount: 5 })`;
const PROMPT = '[y]es, [n]o, n <reason>, [a]lways, [e]dit?';

const askingAgentFile = writeAgentFile(`
import { Agent, questionTool } from 'loopchart';
import { calls, says, scriptedModel } from 'loopchart/testing';
import { z } from 'zod';
const choose = questionTool({
  name: 'choose', description: 'Asks.', parameters: z.object({}),
  questions: () => [{ id: 'seat', text: 'Which seat?', options: ['1A', '1B'] }, { id: 'code', text: 'Your code?', secret: true }],
  result: ({ seat }) => 'seat ' + seat,
});
export default new Agent({ name: 'Asker', model: scriptedModel(calls('choose'), says('You sit on 1B.')), tools: [choose] });`);

export function terminal(): void {
  describe.concurrent('in a terminal', { timeout: 60_000 }, () => {
    test('the demo at human speed: progress, tools side by side, a line that steers, a queued one, an approval', async () => {
      const { type, until, rows, finished } = inTerminal(['chat']);
      await until('a guardrail');
      type(`Where is my order 1001?${KEYS.enter}`);
      await until(/⠋|⠙|⠹ Triage is thinking · 0 s · Ctrl-C interrupts/);
      type(`/queue refund order 1001${KEYS.enter}`);
      await until('  queued 1: refund order 1001');
      await until('running look_up_order, check_policy');
      type(`and 1002?${KEYS.enter}`);
      await until('  waiting: and 1002?');
      await until(PROMPT);
      type(`y${KEYS.enter}`);
      await until(/Billing: 3 requests/);
      type(KEYS.end);
      expect(await finished).toBe(0);
      const text = rows().join('\n');
      expect(text).toContain('> and 1002?\nThat one as well.\n  → look_up_order {"order":"1002"}\n');
      expect(text).toContain('  ⇒ Triage hands over to Billing\nI can refund order 1001. A colleague has to approve it first.\n');
      expect(text).toContain('  ✓ issue_refund: Refunded 49.90 EUR for order 1001.\nDone. Refunded 49.90 EUR');
      expect(text).not.toContain('Ctrl-C interrupts');
      expect(Math.max(...rows().map((row) => row.length))).toBeLessThan(COLUMNS);
    });

    test('an approval takes only clear answers; a reason reaches the model, and the arrow keys bring back messages only', async () => {
      const { type, until, finished } = inTerminal(['chat', scriptedAgentFile(`${PAY}, says('So be it.')`)]);
      await until('Tester');
      type(`go${KEYS.enter}`);
      await until(PROMPT);
      type(`maybe${KEYS.enter}`);
      await until('"maybe" is no answer here');
      type(`n too much money${KEYS.enter}`);
      await until('✗ pay: too much money\nSo be it.');
      await until(/\n>$/);
      type(KEYS.up);
      await until(/\n> go$/);
      type(`${KEYS.interrupt}${KEYS.end}`);
      expect(await finished).toBe(0);
    });

    test('D8: a question is asked until its answer fits, and the answer reaches the model; what is secret is not shown', async () => {
      const { type, until, rows, finished } = inTerminal(['chat', askingAgentFile]);
      await until('Asker');
      type(`go${KEYS.enter}`);
      await until('Which seat?\n    1. 1A\n    2. 1B');
      type(`9Z${KEYS.enter}`);
      await until('does not fit: expected one of');
      type(`2${KEYS.enter}`);
      await until('Your code?');
      type('hush');
      await until('answer: ****');
      type(KEYS.enter);
      await until('You sit on 1B.');
      type(KEYS.end);
      expect(await finished).toBe(0);
      expect(rows().join('\n')).not.toContain('hush');
    });

    test('D2: always holds for the conversation, in later runs too', async () => {
      const { type, until, rows, finished } = inTerminal(['chat', scriptedAgentFile(`${PAY}, says('one'), ${PAY}, says('two')`)]);
      await until('Tester');
      type(`go${KEYS.enter}`);
      await until(PROMPT);
      type(`a${KEYS.enter}`);
      await until('\none\n');
      type(`again${KEYS.enter}`);
      await until('\ntwo\n');
      type(`/quit${KEYS.enter}`);
      expect(await finished).toBe(0);
      expect(rows().filter((row) => row.includes(PROMPT)).length).toBe(1);
    });

    test('D2: always covers the calls of the same response that wait beside it', async () => {
      const both = "calls(['pay', { to: 'Ada', amount: 5 }], ['pay', { to: 'Bob', amount: 6 }])";
      const { type, until, rows, finished } = inTerminal(['chat', scriptedAgentFile(`${both}, says('Both paid.')`)]);
      await until('Tester');
      type(`go${KEYS.enter}`);
      await until(PROMPT);
      type(`a${KEYS.enter}`);
      await until('\nBoth paid.\n');
      type(KEYS.end);
      expect(await finished).toBe(0);
      expect(rows().filter((row) => row.includes(PROMPT)).length).toBe(1);
    });

    test('D2: edited arguments are checked against JSON and schema before they are taken', async () => {
      const { type, until, finished } = inTerminal(['chat', scriptedAgentFile(`${PAY}, says('Thanks.')`)]);
      await until('Tester');
      type(`go${KEYS.enter}`);
      await until(PROMPT);
      type(`e${KEYS.enter}`);
      await until('(empty to go back): {"to":"Ada","amount":5}');
      type(`${KEYS.backspace}${KEYS.enter}`);
      await until('This is no JSON');
      type(`${KEYS.backspace}-7}${KEYS.enter}`);
      await until(/Too small.*\n.*"amount":-7}$/);
      type(`${KEYS.left}${KEYS.backspace}${KEYS.backspace}9${KEYS.enter}`);
      await until('✓ pay: paid 9 to Ada');
      type(KEYS.end);
      expect(await finished).toBe(0);
    });

    test('what is being typed when a question comes is finished first: the end of a line is never taken for an answer', async () => {
      const gate = newGate();
      const { type, until, rows, finished } = inTerminal(['chat', scriptedAgentFile(`calls('gate'), ${PAY}, says('Done.')`)], { env: gate.env });
      await until('Tester');
      type(`go${KEYS.enter}`);
      await until('running gate');
      type('look at the agend');
      await until('> look at the agend');
      gate.open();
      await until('A question waits for you');
      expect(rows().at(-1)).toBe('> look at the agend');
      type(`a${KEYS.enter}`);
      await until(`waiting: look at the agenda\n${PROMPT}`);
      type(`y${KEYS.enter}`);
      await until(/✓ pay: paid 5 to Ada\n> look at the agenda\nDone\.\n/);
      type(`${KEYS.interrupt}${KEYS.end}`);
      expect(await finished).toBe(0);
    });

    test('J3: Ctrl-C interrupts the run and the conversation goes on; twice with nothing running leaves', async () => {
      const { type, until, rows, finished } = inTerminal(['chat', scriptedAgentFile("calls('hang'), says('Still here.')")]);
      await until('Tester');
      type(`go${KEYS.enter}`);
      await until('running hang');
      type(`later${KEYS.enter}`);
      await until('waiting: later');
      type(KEYS.interrupt);
      await until(/✗ hang: .*\n(.*\n)? *not delivered, because the run was interrupted: later\n *interrupted\n[^]*\n> later$/);
      type(KEYS.enter);
      await until('Still here.');
      type(KEYS.interrupt);
      await until('Press Ctrl-C again to leave.');
      type(KEYS.interrupt);
      expect(await finished).toBe(130);
      expect(rows().filter((row) => row !== '').at(-1)).toMatch(/Tester: 1 request/);
    });

    test('D2: Ctrl-C at an approval refuses the call and interrupts the run', async () => {
      const { type, until, rows, finished } = inTerminal(['chat', scriptedAgentFile(`${PAY}, says('What now?')`)]);
      await until('Tester');
      type(`go${KEYS.enter}`);
      await until(PROMPT);
      type(KEYS.interrupt);
      await until('  interrupted\n');
      type(`hello?${KEYS.enter}`);
      await until('What now?');
      type(KEYS.end);
      expect(await finished).toBe(0);
      expect(rows().join('\n')).not.toContain('→ pay');
    });

    test('P2: after a failure the lines that waited are offered back, one after the other', async () => {
      const gate = newGate();
      const { type, until, rows, finished } = inTerminal(['chat', scriptedAgentFile("fails({ message: 'The model is out.' }), says('Back.'), says('Still.')", 'instructions: opened')], { env: gate.env });
      await until('Tester');
      type(`go${KEYS.enter}`);
      await until('is thinking');
      type(`one${KEYS.enter}two${KEYS.enter}`);
      await until('waiting: two');
      gate.open();
      await until(/not delivered, because the run failed: one\n {2}not delivered[^\n]*: two\nError: .*The model is out\.[^]*1 more not delivered[^\n]*\n> one$/);
      expect(rows().join('\n')).not.toContain('Back.');
      type(KEYS.enter);
      await until(/\n> one\nBack\.\n[^]*\n> two$/);
      type(KEYS.enter);
      await until(/\n> two\nStill\.\n[^]*\n>$/);
      type(KEYS.end);
      expect(await finished).toBe(0);
    });

    test('/help, /usage and a command that is none', async () => {
      const { type, until, finished } = inTerminal(['chat', scriptedAgentFile("says('x', { usage: { inputTokens: 7, outputTokens: 3 } })")]);
      await until('Tester');
      type(`/help${KEYS.enter}/usgae${KEYS.enter}hi${KEYS.enter}`);
      await until('There is no command /usgae. Did you mean /usage?');
      await until('Tester: 1 request');
      type(`/usage${KEYS.enter}`);
      await until(/0\.\d s\n\n {2}1 request, 7 tokens in, 3 out\n/);
      type(`/quit${KEYS.enter}`);
      expect(await finished).toBe(0);
    });

    test('what tools print stands above the input', async () => {
      const { type, until, finished } = inTerminal(['chat', scriptedAgentFile("calls('chatter'), says('ok')")]);
      await until('Tester');
      type(`go${KEYS.enter}`);
      await until('  → chatter\nfrom the tool\n  ✓ chatter: printed\nok\n');
      type(KEYS.end);
      expect(await finished).toBe(0);
    });

    test('colours by default, none with NO_COLOR', async () => {
      const file = scriptedAgentFile("says('hi')");
      for (const [env, coloured] of [[{}, true], [{ NO_COLOR: '1' }, false]] as const) {
        const { type, until, written, finished } = inTerminal(['chat', file], { env });
        await until('Tester');
        type(`go${KEYS.enter}`);
        await until('Tester: 1 request');
        type(KEYS.end);
        expect(await finished).toBe(0);
        expect(/\u001b\[\d+m/.test(written())).toBe(coloured);
      }
    });
  });
}
