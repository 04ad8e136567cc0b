import { describe, expect, test } from 'vitest';
import { type Finished, loopchart, start } from '../support/commandLine.ts';
import { scriptedAgentFile, writeAgentFile } from '../support/agentFiles.ts';

const CONVERSATION = 'Where is my order 1001?\n\nI want a refund for order 1001\nMy card is 4111 1111 1111 1111\nThank you\n';
/** Without what differs from run to run. */
const steady = (out: string) => out.replace(/\[(\w+): .*?\]/g, '[$1]').replace(/loopchart [\d.]+/, 'loopchart X');
const linesOf = ({ out }: Finished) => out.trim().split('\n').map((line) => JSON.parse(line) as Record<string, any>); // any: events of all kinds

export function pipes(): void {
  describe.concurrent('over pipes', { timeout: 60_000 }, () => {
    for (const api of ['responses', 'chat']) {
      test(`the whole demo over ${api}: two tools at once, an approval, a handoff, a guardrail, and on`, async () => {
        const { out, errors, code } = await loopchart(['chat', '--approve', 'all', '--api', api], { input: CONVERSATION });
        expect(steady(out)).toBe(DEMO);
        expect(errors).toBe('Error: Stopped by the guardrail "no secrets": the message holds a card number or a secret. The message was not kept; put it another way.\n');
        expect(code).toBe(1);
      });
    }

    test('exit code 0 says that every message was answered', async () => {
      expect((await loopchart(['chat'], { input: 'Hello\nWhere is order 1002?' })).code).toBe(0);
      expect((await loopchart(['chat'], { input: '' })).code).toBe(0);
    });

    test('a call that needs approval is rejected when nobody is there, and the exit code says so', async () => {
      const { out, code } = await loopchart(['chat'], { input: 'refund order 1002' });
      expect(out).toContain('? Billing wants to call issue_refund {"order":"1002","amount":86}: rejected, because nobody is there to approve it (see --approve)\n  ✗ issue_refund: Nobody was there to approve this call.\nI have not refunded order 1002');
      expect(code).toBe(3);
    });

    test('--approve none rejects on purpose: the conversation is complete', async () => {
      const { out, code } = await loopchart(['chat', '--approve', 'none'], { input: 'refund order 1002' });
      expect(out).toContain('rejected by --approve\n  ✗ issue_refund: Calls that need approval are rejected here.');
      expect(code).toBe(0);
    });

    test('/quit ends the input', async () => {
      const { out, code } = await loopchart(['chat'], { input: 'Hello\n/quit\nHello again\n' });
      expect([out.includes('Hello again'), code]).toEqual([false, 0]);
    });

    test('an output that no message carried is printed', async () => {
      const file = scriptedAgentFile("calls('add', { a: 2, b: 3 })", "toolUseBehavior: 'stop_on_first_tool'");
      const { out, code } = await loopchart(['chat', file], { input: 'add' });
      expect(steady(out).split('\n').slice(3)).toEqual(['> add', '  → add {"a":2,"b":3}', '  ✓ add: 5', '5', '  [Tester]', '', '']);
      expect(code).toBe(0);
    });

    test('F5: the calls of an agent that is used as a tool stand inside of its call; its words are not the answer', async () => {
      const inner = "new Agent({ name: 'Inner', model: scriptedModel(calls('add', { a: 2, b: 3 }), says('five')), tools: [add] }).asTool({ toolName: 'ask', toolDescription: 'Asks.' })";
      const { out } = await loopchart(['chat', scriptedAgentFile("calls('ask', { input: '2+3' }), says('It is 5.')", `handoffs: [], tools: [${inner}]`)], { input: 'go' });
      expect(steady(out).split('\n').slice(3)).toEqual(['> go', '  → ask {"input":"2+3"}', '    → add {"a":2,"b":3}', '    ✓ add: 5', '  ✓ ask: five', 'It is 5.', '  [Tester]', '', '']);
    });

    test('E3: text that an output guardrail withholds is never shown', async () => {
      const file = scriptedAgentFile("says('The code is 1234.')", "outputGuardrails: [{ name: 'no codes', execute: async ({ agentOutput }) => ({ tripwireTriggered: /\\d{4}/.test(String(agentOutput)), outputInfo: 'a code' }) }]");
      const { out, errors, code } = await loopchart(['chat', file], { input: 'What is it?' });
      expect(out).not.toContain('1234');
      expect({ errors, code }).toEqual({ errors: 'Error: The answer was withheld by the guardrail "no codes": a code. Ask in another way.\n', code: 1 });
    });

    test('D8: a question over pipes says what is asked and that nobody was there; the exit code does too', async () => {
      const file = writeAgentFile(`import { Agent, askUser } from 'loopchart';
        import { calls, says, scriptedModel } from 'loopchart/testing';
        export default new Agent({ name: 'Asker', model: scriptedModel(calls('ask_user', { questions: [{ question: 'Which city?' }] }), says('Never mind.')), tools: [askUser] });`);
      const { out, code } = await loopchart(['chat', file, '--approve', 'all'], { input: 'go' });
      expect(out).toContain('  ? Asker asks: Which city?: rejected, because nobody is there to answer\n  ✗ ask_user: Nobody was there to answer.\nNever mind.');
      expect(code).toBe(3);
    });

    test('sequences that would drive the terminal do not reach it', async () => {
      const { out } = await loopchart(['chat', scriptedAgentFile("says('\\u001b[2Jred\\u0007 \\u009bx')")], { input: 'hi' });
      expect(out).toContain('[2Jred x\n');
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    });

    test('a reader that has heard enough ends it quietly', async () => {
      const { child, finished, until } = start(['chat']);
      await until('loopchart');
      child.stdout!.destroy();
      child.stdin!.end('Hello\nHello\nHello\n');
      expect(await finished).toMatchObject({ code: 141, errors: '' });
    });
  });

  describe.concurrent('--json', { timeout: 60_000 }, () => {
    test('every line is JSON: inputs, events of runs in order, approvals, errors and final outputs', async () => {
      const finished = await loopchart(['chat', '--json', '--approve', 'all'], { input: CONVERSATION });
      const lines = linesOf(finished);
      expect(finished.errors).toBe('');
      expect(finished.code).toBe(1);
      const between = lines.filter((line) => line.number === undefined).map(({ ms: _, usage: _usage, id: _id, ...line }) => line);
      expect(between).toEqual([
        { type: 'input', text: 'Where is my order 1001?' },
        { type: 'final', status: 'completed', agent: 'Triage', output: expect.stringContaining('blue teapot') },
        { type: 'input', text: 'I want a refund for order 1001' },
        { type: 'approval', agent: 'Billing', name: 'issue_refund', arguments: '{"order":"1001","amount":49.9}', decision: 'approve', by: 'option' },
        { type: 'final', status: 'completed', agent: 'Billing', output: expect.stringContaining('Refunded 49.90 EUR') },
        { type: 'input', text: 'My card is 4111 1111 1111 1111' },
        { type: 'error', name: 'InputGuardrailTripwireTriggered', agent: 'Billing', message: expect.stringContaining('no secrets') },
        { type: 'input', text: 'Thank you' },
        { type: 'final', status: 'completed', agent: 'Billing', output: 'You are welcome. Is there anything else?' },
      ]);
    });

    test('I1: a run that waited for approval is told once, its numbers rise from 1 without a gap', async () => {
      const lines = linesOf(await loopchart(['chat', '--json', '--approve', 'all'], { input: 'refund order 1001' }));
      const numbers = lines.map(({ number }) => number).filter((number) => typeof number === 'number');
      expect(numbers).toEqual(numbers.map((_, at) => at + 1));
      expect(lines.filter(({ type }) => type === 'run.started').length).toBe(1);
      expect(lines.map(({ type }) => type)).toEqual(expect.arrayContaining(['handoff.occurred', 'approval.requested', 'run.awaitingApproval', 'approval', 'approval.resolved', 'tool.started', 'run.settled', 'final']));
      expect(lines.filter(({ type }) => type === 'delta').map(({ data }) => (data.type === 'output_text_delta' ? data.delta : '')).join('')).toContain('Done. Refunded 49.90 EUR');
    });

    test('what tools print goes to the standard error', async () => {
      const finished = await loopchart(['chat', '--json', scriptedAgentFile("calls('chatter'), says('ok')")], { input: 'go' });
      expect(linesOf(finished).at(-1)).toMatchObject({ type: 'final', output: 'ok' });
      expect(finished.errors).toBe('from the tool\n');
    });
  });
}

const DEMO = `loopchart X: Triage, a support desk
Provider: built in, on this machine. For a real model set OPENAI_API_KEY or OPENAI_BASE_URL.
This is the built-in demo: scripted answers; real loop, tools, HTTP and SSE. Try:
  Where is my order 1001?               two tools at once
  I want a refund for order 1001        a handoff, then your approval
  My card is 4111 1111 1111 1111        a guardrail
  Take stock of the shop                slow: type "and order 1002?"

> Where is my order 1001?
Let me look that up.
  → look_up_order {"order":"1001"}
  → check_policy {"topic":"delivery"}
  ✓ look_up_order: Order 1001, a blue teapot for 49.90 EUR, left the warehouse on Monday and should arrive tomorrow.
  ✓ check_policy: Late parcels are refunded after five working days.
Order 1001, a blue teapot for 49.90 EUR, left the warehouse on Monday and should arrive tomorrow. Late parcels are refunded after five working days. If it does not turn up, tell me and I will ask billing for a refund.
  [Triage]

> I want a refund for order 1001
  ⇒ Triage hands over to Billing
I can refund order 1001. A colleague has to approve it first.
  ? Billing wants to call issue_refund {"order":"1001","amount":49.9}: approved by --approve
  → issue_refund {"order":"1001","amount":49.9}
  ✓ issue_refund: Refunded 49.90 EUR for order 1001.
Done. Refunded 49.90 EUR for order 1001. It takes three to five working days to show on your statement.
  [Billing]

> My card is 4111 1111 1111 1111
  ■ a guardrail stopped the run
  [Billing]

> Thank you
You are welcome. Is there anything else?
  [Billing]

`;
