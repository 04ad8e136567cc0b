/** Clients that ask for too much, or read too slowly: memory is bounded, and lifecycle messages are not dropped. */
import { Agent, MemoryJournal, tool } from 'loopchart';
import { calls, loop, says, scriptedModel } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import { Outbox, type Weight } from '../../../adapters/server/outbox.ts';
import { Client, textInput } from './support/client.ts';
import { latch, refund } from '../../scenarios/support/cast.ts';
import { serverWith, serving } from './support/serving.ts';
import { z } from 'zod';

test('requests beyond those that may be under way are answered: overloaded, and the rest goes on', async () => {
  const gate = latch();
  const slow = tool({ name: 'slow', description: 'Waits.', parameters: z.object({}), execute: () => gate.promise.then(() => 'ok') });
  const { client } = await serving({ tools: [slow], server: { limits: { requests: 2 } } }, calls('slow', {}), says('done'));
  const threadId = await client.thread();
  const turnId = await client.turn(threadId, 'go');
  const asked = [1, 2, 3, 4].map(() => client.ask('thread/read', { threadId, includeTurns: true }));
  const answers = await Promise.all(asked.map((id) => client.until((message) => message.id === id && message.method === undefined)));
  expect(answers.map(({ error }) => error && [error.code, error.message])).toEqual([undefined, undefined, [-32001, 'Server overloaded; retry later.'], [-32001, 'Server overloaded; retry later.']]);
  gate.open();
  expect((await client.until('turn/completed')).params.turn).toMatchObject({ id: turnId, status: 'completed' });
  expect(await client.request('thread/loaded/list')).toEqual({ data: [threadId], nextCursor: null });
});

describe('the outbox', () => {
  /** A wire that takes so many characters, and no more until it is read. */
  function box(limits = { messages: 100, characters: 10_000 }) {
    const sent: { text: string; written: () => void }[] = [];
    let closed = 0;
    const outbox: Outbox = new Outbox({ send: (text, written) => void sent.push({ text, written }), close: () => undefined }, limits, () => {
      closed += 1;
      outbox.close();
    });
    const wide = 'w'.repeat(300 * 1024); // fills the window of the wire
    outbox.put(wide, { kind: 'whole' });
    const drain = () => sent.splice(0).map(({ text, written }) => (written(), text === wide ? 'wide' : text));
    return { outbox, drain, put: (text: string, weight: Weight = { kind: 'whole' }) => outbox.put(text, weight), closedTimes: () => closed };
  }

  test('keeps the order while the client reads', () => {
    const { put, drain } = box();
    put('a');
    put('b', { kind: 'part', of: 'x' });
    put('c');
    expect([drain(), drain()]).toEqual([['wide'], ['a', 'b', 'c']]);
  });

  test('drops parts of items first, from one on to the end of the item; the end and all else arrives', () => {
    const { put, drain, outbox } = box();
    for (let at = 0; at < 70; at += 1) put(`x${at}`, { kind: 'part', of: 'x' });
    expect(outbox.waiting).toBeLessThanOrEqual(50);
    put('more of x', { kind: 'part', of: 'x' });
    put('end of x', { kind: 'end', of: 'x' });
    put('y0', { kind: 'part', of: 'y' });
    put('whole');
    drain();
    expect(drain()).toEqual(['end of x', 'y0', 'whole']);
  });

  test('what a client has of a text is its beginning', () => {
    const { put, drain } = box({ messages: 20, characters: 10_000 });
    drain();
    put('x0', { kind: 'part', of: 'x' });
    const before = drain();
    put('w'.repeat(300 * 1024));
    for (let at = 1; at < 30; at += 1) put(`x${at}`, { kind: 'part', of: 'x' });
    drain();
    put('x30', { kind: 'part', of: 'x' });
    expect([before, drain()]).toEqual([['x0'], []]);
  });

  test('a client that does not even read what cannot be dropped is disconnected, once', () => {
    const { put, closedTimes, outbox } = box();
    for (let at = 0; at < 200; at += 1) put(`whole ${at}`);
    expect([closedTimes(), outbox.waiting]).toEqual([1, 0]);
  });

  test('so is one for whom too many characters wait', () => {
    const { put, closedTimes } = box();
    put('x'.repeat(10_001));
    expect(closedTimes()).toBe(1);
  });
});

test('a client that stops reading is told of no more than fits, asked to retry, and is right in the end', async () => {
  const long = 'word '.repeat(2_000);
  const server = serverWith({}, scriptedModel(loop(says(long))));
  let isReading = true;
  const kept: (() => void)[] = [];
  const client = new Client((made) => {
    const connection = server.connect({
      send: (text, written) => {
        const arrive = () => (made.received(text), written());
        if (isReading) arrive();
        else kept.push(arrive);
      },
      close: () => made.closed(),
    });
    return { send: (text) => connection.receive(text), close: () => connection.close('done') };
  });
  await client.initialize();
  const threadId = await client.thread();
  isReading = false;
  client.ask('turn/start', { threadId, input: textInput('go') });
  while (kept.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, 200));
  isReading = true;
  for (const arrive of kept.splice(0)) arrive();
  const { params } = await client.until('turn/completed');
  expect(params.turn.items[0].text).toBe(long);
  await server.close();
});

test('several agents of one server, chosen by name', async () => {
  const second = new Agent({ name: 'second', model: scriptedModel(says('second here')), tools: [refund] });
  const { client } = await serving({ agents: [second] }, says('first here'));
  const threadId = await client.thread({ agent: 'second' });
  await client.turn(threadId, 'go');
  expect((await client.until('turn/completed')).params.turn.items[0].text).toBe('second here');
});

test('a journal that cannot be written any more: the turn fails, the thread is closed, and the server goes on', async () => {
  const journal = new MemoryJournal();
  let isBroken = false;
  const append = journal.append.bind(journal);
  journal.append = (...args) => {
    if (isBroken) throw new Error('disk full');
    append(...args);
  };
  const { client } = await serving({ journal, tools: [refund] }, calls('refund', { order: 1 }), says('later'));
  const threadId = await client.thread();
  const turnId = await client.turn(threadId, 'go');
  const asked = await client.until('item/commandExecution/requestApproval');
  isBroken = true;
  client.respond(asked.id, { decision: 'accept' });
  expect((await client.until('turn/completed')).params.turn).toMatchObject({ id: turnId, status: 'failed', error: { message: expect.stringContaining('disk full') } });
  await client.until('thread/closed');
  isBroken = false;
  expect((await client.request('thread/resume', { threadId })).thread.turns).toMatchObject([{ id: turnId, status: 'inProgress' }]);
  const again = await client.until('item/commandExecution/requestApproval', client.messages.findIndex(({ method }) => method === 'thread/closed'));
  client.respond(again.id, { decision: 'accept' });
  expect((await client.until(({ method, params }) => method === 'turn/completed' && params.turn.status === 'completed')).params.turn.items[0].text).toBe('later');
});
