import { expect, test } from 'vitest';
import { answerOfStandIn, answerOfSupportDesk } from '../../../adapters/cli/demo/script.ts';

const TRIAGE = ['look_up_order', 'check_policy', 'transfer_to_Billing'];
const BILLING = ['issue_refund', 'transfer_to_Triage'];
const ask = (text: string, tools: string[], results: { name: string; text: string }[] = []) => answerOfSupportDesk({ text, tools, results });
const namesOf = ({ calls = [] }: ReturnType<typeof ask>) => calls.map(({ name }) => name);

test('a question about an order looks two things up at once, then answers from both', () => {
  expect(ask('Where is my order 1002?', TRIAGE).calls).toEqual([{ name: 'look_up_order', input: '{"order":"1002"}' }, { name: 'check_policy', input: '{"topic":"delivery"}' }]);
  const results = [{ name: 'look_up_order', text: 'It is late.' }, { name: 'check_policy', text: 'Late is free.' }];
  expect(ask('Where is my order 1002?', TRIAGE, results).content).toMatch(/^It is late\. Late is free\./);
});

test('each agent hands over what is the other one\'s', () => {
  expect(namesOf(ask('I want my money back', TRIAGE))).toEqual(['transfer_to_Billing']);
  expect(namesOf(ask('I want my money back', BILLING, [{ name: 'transfer_to_Billing', text: '{}' }]))).toEqual(['issue_refund']);
  expect(namesOf(ask('Where is my parcel?', BILLING))).toEqual(['transfer_to_Triage']);
});

test('a refund that did not happen is not claimed', () => {
  expect(ask('refund', BILLING, [{ name: 'issue_refund', text: 'Refunded 49.90 EUR for order 1001.' }]).content).toMatch(/^Done\./);
  expect(ask('refund', BILLING, [{ name: 'issue_refund', text: 'Too much.' }]).content).toBe('I have not refunded order 1001: Too much. Nothing was charged or paid out.');
});

test('a question that nobody scripted gets help', () => {
  expect(ask('What is love?', TRIAGE).content).toContain('Try "Where is my order 1001?"');
});

test('the stand-in calls the tools of a user\'s agent, and only those', () => {
  expect(answerOfStandIn({ text: 'call add {"a":1}', results: [], tools: ['add'] })).toEqual({ calls: [{ name: 'add', input: '{"a":1}' }] });
  expect(answerOfStandIn({ text: 'call add', results: [], tools: ['add'] })).toEqual({ calls: [{ name: 'add', input: '{}' }] });
  expect(answerOfStandIn({ text: 'call sub {}', results: [], tools: ['add'] }).content).toContain('It has add.');
  expect(answerOfStandIn({ text: 'call add', results: [{ name: 'add', text: '3' }], tools: ['add'] })).toEqual({ content: 'add answered: 3' });
});
