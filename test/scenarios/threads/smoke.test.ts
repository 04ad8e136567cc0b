import { Agent, MemoryJournal, tool } from 'loopchart';
import { calls, says, scriptedModel } from 'loopchart/testing';
import { createThread, openThread } from 'loopchart/thread';
import { expect, test } from 'vitest';
import * as z from 'zod';

test('smoke', async () => {
  const model = scriptedModel(says('Hello.'), says('Second.'));
  const events: any[] = [];
  const thread = createThread(new Agent({ name: 'A', model }), { threadId: 'thread_1', onEvent: (event) => events.push(event) });
  const one = thread.run('Hi');
  const two = thread.run('More');
  expect((await one).finalOutput).toBe('Hello.');
  expect((await two).finalOutput).toBe('Second.');
  console.log(events.map((e) => `${e.number} ${e.type} ${e.path} ${e.state ?? ''} ${e.phase ?? ''}`).join('\n'));
  expect(thread.look.history.length).toBe(4);
  await thread.close();
  expect(thread.state).toBe('closed');
});

test('approve and reopen', async () => {
  const journal = new MemoryJournal();
  const pay = tool({ name: 'pay', description: '', parameters: z.object({}), needsApproval: true, execute: () => 'paid' });
  const agent = new Agent({ name: 'A', model: scriptedModel(calls('pay', {})), tools: [pay] });
  const thread = createThread(agent, { threadId: 'thread_1', journal });
  const run = thread.run('Pay');
  await run.started;
  await new Promise((r) => setTimeout(r, 20));
  expect(thread.look.phase).toBe('awaitingApproval');
  const queued = thread.queue.add('Later');
  await queued.receipt;
  await thread.steer('Note');
  await thread.release();
  const again = await openThread('thread_1', { journal, agents: new Agent({ name: 'A', model: scriptedModel(says('Done.'), says('Later done.')), tools: [pay] }) });
  expect(again.look.phase).toBe('awaitingApproval');
  expect(again.look.queue.length).toBe(1);
  await again.approve(again.interruptions[0]!);
  await new Promise((r) => setTimeout(r, 50));
  console.log(JSON.stringify(again.look.history.map((i: any) => i.content ?? i.output ?? i.name)), again.state);
  await again.close();
});

test('background', async () => {
  const helper = new Agent({ name: 'Helper', model: scriptedModel(says('42.')) });
  const agent = new Agent({ name: 'A', model: scriptedModel(calls('ask_helper', { input: 'What?' }), says('Asked.'), says('It is 42.')), tools: [helper.asTool({ toolName: 'ask_helper', toolDescription: '', background: true })] });
  const events: any[] = [];
  const thread = createThread(agent, { threadId: 'thread_1', onEvent: (event) => events.push(event) });
  await thread.run('go');
  await new Promise((r) => setTimeout(r, 50));
  console.log(events.filter((e) => typeof e.number === 'number').map((e) => `${e.number} ${e.type} ${e.path} ${e.state ?? ''} ${e.phase ?? ''} ${e.mailbox ? JSON.stringify(e.mailbox) : ''}`).join('\n'));
  console.log(JSON.stringify(thread.look.history.map((i: any) => i.content ?? i.output ?? i.name)));
  await thread.close();
});
