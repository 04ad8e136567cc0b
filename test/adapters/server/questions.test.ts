/** What a tool asks the person, and what the runtime says to the model. */
import { MemoryJournal, questionTool, tool } from 'loopchart';
import { calls, fails, hangs, says } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { latch, seatTool } from '../../scenarios/support/cast.ts';
import { textInput } from './support/client.ts';
import { serving } from './support/serving.ts';
import { shown } from './support/shown.ts';

const seat = seatTool({ id: 'meals', text: 'Which meals?', options: ['fish', 'rice'], multiple: true });
const ASKED = 'item/tool/requestUserInput';
const answer = (values: Record<string, string[]>) => ({ answers: Object.fromEntries(Object.entries(values).map(([id, answers]) => [id, { answers }])) });

async function asking() {
  const made = await serving({ tools: [seat], journal: new MemoryJournal() }, calls('choose_seat', { free: ['12A', '12B'] }), says('Enjoy your flight.'));
  const threadId = await made.client.thread();
  const from = made.client.traffic.length;
  await made.client.turn(threadId, 'go');
  return { ...made, threadId, from, asked: await made.client.until(ASKED) };
}

describe('questions', () => {
  test('are asked and answered; meanwhile the thread waits on user input', async () => {
    const { client, asked, from, model } = await asking();
    client.respond(asked.id, answer({ seat: ['12B'], bags: ['2'], meals: ['fish', 'rice'] }));
    await client.until(({ method, params }) => method === 'thread/status/changed' && params.status.type === 'idle');
    await expect(shown(client, from).join('\n')).toMatchFileSnapshot('logs/questions.txt');
    expect(model.requests[1]!.input).toMatchObject([{}, {}, { output: { text: '{"seat":"12B","bags":2,"meals":["fish","rice"]}' } }]);
  });

  test('that are answered with what does not fit fail, with the reason', async () => {
    const { client, asked } = await asking();
    client.respond(asked.id, answer({ seat: ['99Z'], bags: ['many'] }));
    expect((await client.until('turn/completed')).params.turn.status).toBe('completed');
    const call = client.messages.find(({ method, params }) => method === 'item/completed' && params.item.type === 'mcpToolCall')!.params.item;
    expect([call.status, call.error.message.startsWith('approval request failed: ')]).toEqual(['failed', true]);
  });

  test('are no approvals: a decision is no answer', async () => {
    const { client, asked } = await asking();
    client.respond(asked.id, { decision: 'accept' });
    await client.until('turn/completed');
    expect(client.messages.find(({ method, params }) => method === 'item/completed' && params.item.type === 'mcpToolCall')!.params.item).toMatchObject({ status: 'failed', error: { message: 'approval request failed' } });
  });

  test('are asked again of who joins', async () => {
    const { another, asked, threadId } = await asking();
    const other = await another();
    expect((await other.request('thread/resume', { threadId })).thread.status).toEqual({ type: 'active', activeFlags: ['waitingOnUserInput'] });
    const again = await other.until(ASKED);
    expect([again.id, again.params]).toEqual([asked.id, asked.params]);
  });
});

describe('what is taken back, or said by the runtime', () => {
  test('an objection of a stop hook is a hookPrompt, and the same turn goes on', async () => {
    const stopHooks = [{ name: 'not yet', execute: ({ turn }: { turn: number }) => (turn === 1 ? { objection: 'Check it first.' } : undefined) }];
    const { client } = await serving({ options: { stopHooks } }, says('done?'), says('done.'));
    const threadId = await client.thread();
    await client.turn(threadId, 'go');
    await client.until('turn/completed');
    const items = client.messages.flatMap(({ method, params }) => (method === 'item/completed' ? [params.item] : []));
    expect(items.map(({ type }) => type)).toEqual(['userMessage', 'agentMessage', 'hookPrompt', 'agentMessage']);
    expect(items[2].fragments).toEqual([{ text: 'Check it first.', hookRunId: 'stopHook' }]);
  });

  test('a steer that no request showed, because the turn was interrupted, is told of', async () => {
    const { client } = await serving({}, hangs(2, says('first half and more')), says('never'));
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    await client.until('item/agentMessage/delta');
    await client.request('turn/steer', { threadId, expectedTurnId: turnId, input: textInput('too late') });
    await client.request('turn/interrupt', { threadId, turnId });
    expect((await client.until('warning')).params.message).toBe('Input was not shown to the model: interrupted.');
  });

  test('instantly steered, what had streamed and does not stand ends empty', async () => {
    const { client } = await serving({ options: { steerMode: 'instant' } }, hangs(2, says('first half and more')), says('with the steer'));
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    await client.until('item/agentMessage/delta');
    await client.request('turn/steer', { threadId, expectedTurnId: turnId, input: textInput('quick') });
    await client.until('turn/completed');
    const items = client.messages.flatMap(({ method, params }) => (method === 'item/completed' ? [params.item.text ?? params.item.content[0].text] : []));
    expect(items).toEqual(['go', '', 'quick', 'with the steer']);
    expect((await client.request('thread/read', { threadId, includeTurns: true })).thread.turns[0].items).toHaveLength(3);
  });

  test('a request that is tried again is an error that will be retried', async () => {
    const { client } = await serving({ options: { modelSettings: { retry: { maxRetries: 2, backoff: { initialDelayMs: 1 }, policy: () => true } } } }, fails({ status: 503 }), says('there'));
    const threadId = await client.thread();
    await client.turn(threadId, 'go');
    expect((await client.until('error')).params).toMatchObject({ willRetry: true, threadId, error: { codexErrorInfo: 'serverOverloaded' } });
    expect((await client.until('turn/completed')).params.turn.status).toBe('completed');
  });
});

test('a call left behind by an interrupt says so when it ends', async () => {
  const gate = latch<string>();
  const begun = latch();
  const slow = tool({ name: 'slow', description: 'Waits.', parameters: z.object({}), execute: () => (begun.open(), gate.promise) });
  const { client } = await serving({ tools: [slow] }, calls('slow', {}));
  const threadId = await client.thread();
  const turnId = await client.turn(threadId, 'go');
  await begun.promise;
  await client.request('turn/interrupt', { threadId, turnId });
  gate.open('late');
  expect((await client.until('warning')).params.message).toMatch(/^A call that was left behind has ended: /);
});
