/** Histories that are summed up: as a turn of their own, or inside of one. */
import { answersWith, loop, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { latch } from '../../scenarios/support/cast.ts';
import { textInput } from './support/client.ts';
import { serving } from './support/serving.ts';
import { shown } from './support/shown.ts';

async function compacting() {
  const gate = latch();
  const made = await serving({}, says('1'), answersWith(() => gate.promise.then(() => says('It was about one.'))), loop(says('2')));
  const threadId = await made.client.thread();
  await made.client.turn(threadId, 'one');
  await made.client.until('turn/completed');
  const from = made.client.traffic.length;
  expect(await made.client.request('thread/compact/start', { threadId })).toEqual({});
  const compaction = await made.client.until(({ method, params }) => method === 'item/started' && params.item.type === 'contextCompaction');
  return { ...made, threadId, from, turnId: compaction.params.turnId as string, open: () => gate.open() };
}

test('asked for while nothing goes on, it is a turn of its own', async () => {
  const { client, model, threadId, from, turnId, open } = await compacting();
  open();
  await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id === turnId);
  await client.until(({ method, params }) => method === 'thread/status/changed' && params.status.type === 'idle', client.messages.length - 1);
  await expect(shown(client, from).join('\n')).toMatchFileSnapshot('logs/compaction.txt');
  const next = await client.turn(threadId, 'two');
  await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id === next);
  expect(JSON.stringify(model.requests.at(-1)!.input)).toContain('It was about one.');
});

test('it cannot be steered, and no turn begins beside it', async () => {
  const { client, threadId, turnId, open } = await compacting();
  const data = { codexErrorInfo: { activeTurnNotSteerable: { turnKind: 'compact' } } };
  await expect(client.request('turn/steer', { threadId, expectedTurnId: turnId, input: textInput('left') })).rejects.toMatchObject({ code: -32600, message: 'cannot steer a compact turn', data });
  await expect(client.request('turn/start', { threadId, input: textInput('left') })).rejects.toMatchObject({ code: -32603, message: expect.stringMatching(/^failed to submit turn input: ActiveTurnNotSteerable/), data });
  const { queuedSubmission } = await client.request('turn/start', { threadId, input: textInput('after it'), whenBusy: 'queue' });
  expect(queuedSubmission.input).toEqual(textInput('after it'));
  open();
  expect((await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id.endsWith('run.2'))).params.turn.items[0].text).toBe('2');
});

test('it can be interrupted', async () => {
  const { client, threadId, turnId, open } = await compacting();
  expect(await client.request('turn/interrupt', { threadId, turnId })).toEqual({});
  expect((await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id === turnId)).params.turn.status).toBe('interrupted');
  open();
});

test('inside of a turn it is an item of that turn', async () => {
  const { client } = await serving({ options: { compaction: { contextWindow: 2_000, keepUserTokens: 10 } } }, says('x'.repeat(8_000), { usage: { inputTokens: 10, outputTokens: 2_000 } }), says('short'), loop(says('go on')));
  const threadId = await client.thread();
  await client.turn(threadId, 'one');
  await client.until('turn/completed');
  const next = await client.turn(threadId, 'two');
  await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id === next);
  const items = client.messages.flatMap(({ method, params }) => (method === 'item/completed' && params.turnId === next ? [params.item.type] : []));
  expect(items).toEqual(['userMessage', 'contextCompaction', 'agentMessage']);
});
