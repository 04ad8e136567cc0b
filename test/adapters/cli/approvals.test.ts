import { expect, test } from 'vitest';
import { Agent, RunToolApprovalItem } from 'loopchart';
import { askAboutCall, verdictIn } from '../../../adapters/cli/terminal/approvals.ts';

const item = new RunToolApprovalItem({ type: 'function_call', callId: 'c', name: 'pay', arguments: '{"amount":5}', status: 'completed' }, new Agent({ name: 'Billing' }));

/** A person who gives these answers; undefined is Ctrl-C. */
async function askedOf(...answers: (string | undefined)[]) {
  const shown: string[] = [];
  const complaintAbout = async (input: string) => (input.includes('-') ? 'amount: too small' : undefined);
  const verdict = await askAboutCall(item, complaintAbout, {
    tell: (text) => shown.push(text),
    ask: async ({ text: prompt, prefilled }) => {
      shown.push(prefilled === undefined ? prompt : `${prompt}${prefilled}`);
      if (answers.length === 0) throw new Error('There was one question too many.');
      return answers.shift();
    },
  });
  return { verdict, shown };
}

const QUESTION = '[y]es, [n]o, n <reason>, [a]lways, [e]dit? ';
const CALL = '? Billing wants to call pay {"amount":5}';

test('only clear answers decide', () => {
  expect(['y', ' YES ', 'a', 'n', 'No, too much', 'no: later'].map(verdictIn)).toEqual([
    { decision: 'approve' },
    { decision: 'approve' },
    { decision: 'approve', always: true },
    { decision: 'reject' },
    { decision: 'reject', message: 'too much' },
    { decision: 'reject', message: 'later' },
  ]);
  expect(['', 'yep', 'now', 'nothing', 'y n', 'all', 'e'].map(verdictIn)).toEqual(Array(7).fill(undefined));
});

test('what is no answer is asked again, an empty line without a word', async () => {
  expect(await askedOf('', 'hm', 'y')).toEqual({
    verdict: { decision: 'approve' },
    shown: [CALL, QUESTION, QUESTION, '"hm" is no answer here: y, n, n and a reason, a, or e to change the arguments.', QUESTION],
  });
});

test('D2: arguments are edited until they fit', async () => {
  expect(await askedOf('e', '{"amount":-1}', '{"amount":1}')).toEqual({
    verdict: { decision: 'approve', arguments: '{"amount":1}' },
    shown: [CALL, QUESTION, 'arguments (empty to go back): {"amount":5}', 'amount: too small', 'arguments (empty to go back): {"amount":-1}'],
  });
});

test('leaving the arguments empty goes back to the question, and Ctrl-C there cancels', async () => {
  expect((await askedOf('e', '', undefined)).verdict).toEqual({ decision: 'cancel' });
});
