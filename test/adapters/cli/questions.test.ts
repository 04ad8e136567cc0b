import { expect, test } from 'vitest';
import { Agent, type Question, RunToolApprovalItem } from 'loopchart';
import { AbsentPerson } from '../../../adapters/cli/piped.ts';
import { askAboutCall } from '../../../adapters/cli/terminal/approvals.ts';
import { answerIn, askQuestions } from '../../../adapters/cli/terminal/questions.ts';
import { requestText } from '../../../adapters/cli/wording.ts';

const call = { type: 'function_call', callId: 'c', name: 'choose', arguments: '{}', status: 'completed' } as const;
const desk = new Agent({ name: 'Desk' });
const SEAT: Question = { id: 'seat', text: 'Which seat?', schema: { type: 'string', enum: ['1A', '1B'] }, options: [{ label: '1A', description: 'window' }, { label: '1B' }] };
const BAGS: Question = { id: 'bags', text: 'How many bags?', schema: { type: 'integer' } };
const asking = (...questions: Question[]) => new RunToolApprovalItem(call, desk, undefined, { questions });

/** A person who says this; undefined is Ctrl-C. */
async function told(item: RunToolApprovalItem, ...lines: (string | undefined)[]) {
  const shown: string[] = [];
  const verdict = await (item.questions ? askQuestions : askAboutCall)(item, async (input) => (input.includes('13') ? 'No 13.' : undefined), {
    tell: (text) => shown.push(text),
    ask: async ({ text, isSecret }) => {
      shown.push(isSecret ? `${text}(secret)` : text);
      if (lines.length === 0) throw new Error('There was one question too many.');
      return lines.shift();
    },
  });
  return { verdict, shown };
}

test('D8: each question is asked until its answer fits; an option can be chosen by its number', async () => {
  expect(await told(asking(SEAT, BAGS), '9Z', '', '2', 'many', '3')).toEqual({
    verdict: { decision: 'answer', answers: { seat: '1B', bags: 3 } },
    shown: [
      '? Desk asks (/decline, and why, to refuse):', 'Which seat?', '  1. 1A: window', '  2. 1B', 'answer: ',
      'The answer to "seat" (Which seat?) does not fit: expected one of "1A", "1B".', 'answer: ', 'answer: ',
      'How many bags?', 'answer: ', 'The answer to "bags" (How many bags?) does not fit: expected integer, got string.', 'answer: ',
    ],
  });
});

test('D8: what the tool itself finds wrong is said, and all is asked again', async () => {
  const { verdict, shown } = await told(asking(BAGS), '13', '12');
  expect(verdict).toEqual({ decision: 'answer', answers: { bags: 12 } });
  expect(shown.filter((line) => line === 'No 13.').length).toBe(1);
});

test('D8: a question is declined in clear words only; Ctrl-C cancels the run', async () => {
  expect((await told(asking(BAGS), '/decline')).verdict).toEqual({ decision: 'reject', message: 'The person did not want to answer.' });
  expect((await told(asking(SEAT, BAGS), '1A', '/decline none of your business')).verdict).toEqual({ decision: 'reject', message: 'none of your business' });
  expect((await told(asking(SEAT), undefined)).verdict).toEqual({ decision: 'cancel' });
  expect((await told(asking({ id: 'code', text: 'Code?', schema: { type: 'string' }, secret: true }), 'x1')).shown.at(-1)).toBe('answer: (secret)');
});

test('D8: what is typed becomes the value that is asked for', () => {
  const open = { options: undefined, multiple: undefined };
  expect(answerIn('7', { ...open, schema: { type: 'string' } })).toBe('7');
  expect(answerIn('7', { ...open, schema: { type: 'number' } })).toBe(7);
  expect(['y', 'No', 'true'].map((text) => answerIn(text, { ...open, schema: { type: 'boolean' } }))).toEqual([true, false, true]);
  expect(answerIn('{"a":1}', { ...open, schema: { type: 'object' } })).toEqual({ a: 1 });
  expect(answerIn('1, Rome,', { schema: {}, options: [{ label: 'Oslo' }, { label: 'Rome' }], multiple: true })).toEqual(['Oslo', 'Rome']);
  expect(answerIn('Paris', { schema: {}, options: [{ label: 'Oslo' }], multiple: undefined })).toBe('Paris');
});

test('D9: why a body asks is shown, and it is decided about this one time', async () => {
  const item = new RunToolApprovalItem(call, desk, undefined, { reason: 'it costs 500' });
  expect(await told(item, 'a', 'y')).toEqual({
    verdict: { decision: 'approve' },
    shown: [
      '? Desk wants to call choose, which asks first: it costs 500', '[y]es, [n]o, n <reason>, [e]dit? ',
      '"a" is no answer here: y, n, n and a reason, or e to change the arguments.', '[y]es, [n]o, n <reason>, [e]dit? ',
    ],
  });
  expect(requestText(item)).toBe('Desk wants to call choose (it costs 500)');
});

test('D8: with nobody there a question waits where it can, and is declined where it cannot; --approve all answers nothing', () => {
  const ruled = (approve: 'all' | 'none' | undefined, canWait: boolean) => {
    const person = new AbsentPerson({ approve, canWait });
    const { ruling, verdict } = person.rule(asking(SEAT));
    return [ruling.decision, ruling.by, 'message' in verdict ? verdict.message : undefined, person.wasMissed];
  };
  expect(ruled(undefined, true)).toEqual(['leave', 'nobody', undefined, true]);
  expect(ruled('all', true)).toEqual(['leave', 'nobody', undefined, true]);
  expect(ruled(undefined, false)).toEqual(['reject', 'nobody', 'Nobody was there to answer.', true]);
  expect(ruled('all', false)).toEqual(['reject', 'nobody', 'Nobody was there to answer.', true]);
  expect(ruled('none', true)).toEqual(['reject', 'option', 'Calls that need approval are rejected here.', false]);
  expect(requestText(asking(SEAT, BAGS))).toBe('Desk asks: Which seat? How many bags?');
});
