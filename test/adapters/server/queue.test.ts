/** What waits to be a turn of its own. */
import { tool } from 'loopchart';
import { calls, loop, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { latch } from '../../scenarios/support/cast.ts';
import { type Client, textInput } from './support/client.ts';
import { serving } from './support/serving.ts';

/** A thread at work on a first turn until the gate opens. */
async function busy() {
  const gate = latch();
  const slow = tool({ name: 'slow', description: 'Waits.', parameters: z.object({}), execute: () => gate.promise.then(() => 'ok') });
  const { client } = await serving({ tools: [slow] }, calls('slow', {}), loop(says('yes')));
  const threadId = await client.thread();
  const turnId = await client.turn(threadId, 'first');
  const add = async (text: string) => (await client.request('thread/queue/add', { threadId, input: textInput(text), clientUserMessageId: text })).queuedSubmission.id as string;
  const list = async () => (await client.request('thread/queue/list', { threadId })).data.map(({ clientUserMessageId }: { clientUserMessageId: string }) => clientUserMessageId);
  return { client, threadId, turnId, add, list, open: () => gate.open() };
}

const userMessages = (client: Client) => client.messages.flatMap(({ method, params }) => (method === 'item/started' && params.item.type === 'userMessage' ? [params.item.clientId ?? params.item.content[0].text] : []));
const idle = (client: Client) => client.until(({ method, params }) => method === 'thread/status/changed' && params.status.type === 'idle' && client.methods().filter((one) => one === 'turn/started').length > 1);

test('entries run in their order, each a turn of its own, with the ids of the client', async () => {
  const { client, add, list, open, threadId } = await busy();
  await add('a');
  await add('b');
  expect(await list()).toEqual(['a', 'b']);
  open();
  await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id.endsWith('run.3'));
  expect(userMessages(client)).toEqual(['first', 'a', 'b']);
  expect(client.messages.filter(({ method, params }) => method === 'thread/queue/changed' && params.threadId === threadId).length).toBeGreaterThanOrEqual(4);
});

test('they can be changed, moved and removed', async () => {
  const { client, add, list, open, threadId } = await busy();
  const [a, b, c] = [await add('a'), await add('b'), await add('c')];
  expect((await client.request('thread/queue/update', { threadId, queuedSubmissionId: b, input: textInput('B') })).queuedSubmission).toMatchObject({ id: b, input: textInput('B'), clientUserMessageId: 'b' });
  expect(await client.request('thread/queue/reorder', { threadId, queuedSubmissionIds: [c, b, a] })).toEqual({});
  expect(await list()).toEqual(['c', 'b', 'a']);
  await expect(client.request('thread/queue/reorder', { threadId, queuedSubmissionIds: [c, b] })).rejects.toMatchObject({ code: -32600 });
  expect(await client.request('thread/queue/delete', { threadId, queuedSubmissionId: c })).toEqual({ deleted: true });
  expect(await client.request('thread/queue/delete', { threadId, queuedSubmissionId: c })).toEqual({ deleted: false });
  await expect(client.request('thread/queue/update', { threadId, queuedSubmissionId: c, input: textInput('x') })).rejects.toMatchObject({ message: `queued submission not found: ${c}` });
  const page = await client.request('thread/queue/list', { threadId, limit: 1 });
  expect([page.data.length, page.nextCursor]).toEqual([1, '1']);
  open();
  await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id.endsWith('run.3'));
  expect(client.messages.flatMap(({ method, params }) => (method === 'item/started' && params.item.type === 'userMessage' ? [params.item.content[0].text] : []))).toEqual(['first', 'B', 'a']);
});

test('an interrupt pauses the queue; thread/queue/start goes on with it', async () => {
  const { client, add, list, open, threadId, turnId } = await busy();
  await add('a');
  const b = await add('b');
  await expect(client.request('thread/queue/start', { threadId })).rejects.toMatchObject({ code: -32600, message: 'thread already has an active or pending turn' });
  await client.request('turn/interrupt', { threadId, turnId });
  expect(await list()).toEqual(['a', 'b']);
  await expect(client.request('thread/queue/start', { threadId, queuedSubmissionId: 'x' })).rejects.toMatchObject({ message: 'queued submission not found: x' });
  const from = client.messages.length;
  const { turn } = await client.request('thread/queue/start', { threadId, queuedSubmissionId: b });
  expect(turn).toMatchObject({ status: 'inProgress', items: [] });
  expect(client.lines(from)[0]).toMatch(/^reply/); // and what is told of it after
  await idle(client);
  await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id.endsWith('run.3'));
  expect(userMessages(client)).toEqual(['first', 'b', 'a']);
  await expect(client.request('thread/queue/start', { threadId })).rejects.toMatchObject({ message: 'the queue is empty' });
  open();
});
