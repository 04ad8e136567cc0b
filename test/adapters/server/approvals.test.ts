/** Calls that wait for a person: what clients are asked, and what each answer means. */
import { type Editor, type FunctionTool, type Shell, Agent, applyPatchTool, shellTool, tool } from 'loopchart';
import { calls, responds, says, scriptedModel } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { refund } from '../../scenarios/support/cast.ts';
import type { Client, Message } from './support/client.ts';
import { serving } from './support/serving.ts';
import { shown } from './support/shown.ts';

const ASKED = 'item/commandExecution/requestApproval';
const completedCalls = (client: Client) => client.messages.flatMap(({ method, params }) => (method === 'item/completed' && params.item.type === 'mcpToolCall' ? [params.item] : []));
const ended = ({ method, params }: Message) => method === 'thread/status/changed' && params.status.type === 'idle';

async function waiting(...script: Parameters<typeof serving>[1][]) {
  const made = await serving({ tools: [refund] }, ...script);
  const threadId = await made.client.thread();
  const turnId = await made.client.turn(threadId, 'go');
  return { ...made, threadId, turnId, asked: await made.client.until(ASKED) };
}

test('accept: the order of what is told', async () => {
  const { client } = await serving({ tools: [refund] }, calls('refund', { order: 1 }), says('done'));
  const threadId = await client.thread();
  const from = client.traffic.length;
  await client.turn(threadId, 'go');
  const asked = await client.until(ASKED);
  client.respond(asked.id, { decision: 'accept' });
  await client.until(ended);
  await expect(shown(client, from).join('\n')).toMatchFileSnapshot('logs/approval.txt');
});

test('acceptForSession: the same tool is not asked about again', async () => {
  const { client, asked } = await waiting(calls('refund', { order: 1 }), calls('refund', { order: 2 }), says('done'));
  client.respond(asked.id, { decision: 'acceptForSession' });
  await client.until(ended);
  expect(client.methods().filter((method) => method === ASKED)).toHaveLength(1);
  expect(completedCalls(client).map(({ status, result }) => [status, result.content[0].text])).toEqual([['completed', 'refunded 1'], ['completed', 'refunded 2']]);
});

test('decline: the model reads that it was refused, and the turn goes on', async () => {
  const { client, asked, model } = await waiting(calls('refund', { order: 1 }), says('then not'));
  client.respond(asked.id, { decision: 'decline' });
  expect((await client.until('turn/completed')).params.turn).toMatchObject({ status: 'completed', items: [{ text: 'then not' }] });
  expect(completedCalls(client)).toMatchObject([{ status: 'failed', error: { message: 'Tool execution was not approved.' } }]);
  expect(model.requests).toHaveLength(2);
});

test('cancel: nothing runs, siblings neither, and the turn is interrupted', async () => {
  const { client, model } = await serving({ tools: [refund] }, calls(['refund', { order: 1 }], ['refund', { order: 2 }]));
  const threadId = await client.thread();
  await client.turn(threadId, 'go');
  const first = await client.until(ASKED);
  await client.until(({ method, id }) => method === ASKED && id !== first.id);
  const from = client.traffic.length;
  client.respond(first.id, { decision: 'cancel' });
  await client.until(ended);
  await expect(shown(client, from).join('\n')).toMatchFileSnapshot('logs/cancel.txt');
  expect(model.requests).toHaveLength(1);
});

describe('what is no answer approves nothing: the call fails, and the turn goes on', () => {
  const answers: [name: string, answer: (client: Client, id: Message['id']) => void][] = [
    ['an unknown decision', (client, id) => client.respond(id, { decision: 'maybe' })],
    ['a decision that was not offered', (client, id) => client.respond(id, { decision: { acceptWithExecpolicyAmendment: { execpolicy_amendment: [] } } })],
    ['nothing', (client, id) => client.respond(id, null)],
    ['an error', (client, id) => client.send({ id: id!, error: { code: -32601, message: 'unknown method' } })],
  ];
  for (const [name, answer] of answers) {
    test(name, async () => {
      const { client, asked } = await waiting(calls('refund', { order: 1 }), says('well'));
      answer(client, asked.id);
      expect((await client.until('turn/completed')).params.turn.status).toBe('completed');
      expect(completedCalls(client)).toMatchObject([{ status: 'failed', error: { message: 'approval request failed' } }]);
    });
  }
});

test('a steer while a call waits is read after it', async () => {
  const { client, asked, model, threadId, turnId } = await waiting(calls('refund', { order: 1 }), says('done'));
  await client.request('turn/steer', { threadId, input: [{ type: 'text', text: 'hm' }], expectedTurnId: turnId });
  expect(client.methods()).not.toContain('serverRequest/resolved');
  client.respond(asked.id, { decision: 'accept' });
  await client.until('turn/completed');
  expect(model.requests[1]!.input).toMatchObject([{ content: 'go' }, { type: 'function_call' }, { output: { text: 'refunded 1' } }, { content: 'hm' }]);
});

describe('several clients on one thread', () => {
  test('all are asked under one id; the first answer counts, and all hear that it is resolved', async () => {
    const { client, another, asked, threadId } = await waiting(calls('refund', { order: 1 }), says('done'));
    const other = await another();
    const rejoined = await other.request('thread/resume', { threadId });
    expect(rejoined.thread).toMatchObject({ status: { type: 'active', activeFlags: ['waitingOnApproval'] }, turns: [{ status: 'inProgress', items: [{ type: 'userMessage' }, { type: 'mcpToolCall', status: 'inProgress' }] }] });
    const again = await other.until(ASKED);
    expect([again.id, again.params]).toEqual([asked.id, asked.params]);
    other.respond(again.id, { decision: 'decline' });
    client.respond(asked.id, { decision: 'accept' });
    for (const one of [client, other]) {
      expect((await one.until('serverRequest/resolved')).params).toEqual({ threadId, requestId: asked.id });
      await one.until('turn/completed');
    }
    expect(completedCalls(client)).toMatchObject([{ status: 'failed' }]);
    expect(completedCalls(other)).toEqual(completedCalls(client));
  });

  test('one that has left is not asked and hears nothing of the turn', async () => {
    const { client, another, asked, threadId } = await waiting(calls('refund', { order: 1 }), says('done'));
    const other = await another();
    await other.request('thread/resume', { threadId });
    expect(await other.request('thread/unsubscribe', { threadId })).toEqual({ status: 'unsubscribed' });
    expect(await other.request('thread/unsubscribe', { threadId })).toEqual({ status: 'notSubscribed' });
    const from = other.messages.length;
    client.respond(asked.id, { decision: 'accept' });
    await client.until(ended);
    expect(other.methods(from)).toEqual(['thread/status/changed', 'thread/status/changed']);
  });

  test('a client that has gone leaves the call waiting for the next', async () => {
    const { client, another, asked, threadId } = await waiting(calls('refund', { order: 1 }), says('done'));
    client.close();
    const other = await another();
    await other.request('thread/resume', { threadId });
    expect((await other.until(ASKED)).id).toBe(asked.id);
    other.respond(asked.id, { decision: 'accept' });
    await other.until('turn/completed');
  });
});

describe('commands and patches ask in their own words', () => {
  const shell: Shell = { run: async ({ commands }) => ({ output: commands.map((command) => ({ stdout: `${command} done\n`, stderr: '', outcome: { type: 'exit', exitCode: 0 } })) }) };
  const editor: Editor = { createFile: async () => ({ status: 'completed' }), updateFile: async () => ({ status: 'completed' }), deleteFile: async () => ({ status: 'completed' }) };

  async function handing(item: object, tools: object[]) {
    const model = scriptedModel(responds(item as never), says('done')); // wire items exactly as they are
    const agent = new Agent({ name: 'assistant', model, tools: tools as FunctionTool<any, any, any>[] }); // `any`: hands of all kinds
    const { client } = await serving({ agent });
    const threadId = await client.thread();
    await client.turn(threadId, 'go');
    return client;
  }

  test('a command of the shell', async () => {
    const client = await handing({ type: 'shell_call', callId: 'c', action: { commands: ['ls', 'pwd'] } }, [shellTool({ shell, needsApproval: true })]);
    const asked = await client.until(ASKED);
    expect(asked.params).toMatchObject({ kind: 'command', command: `sh -c 'ls\npwd'`, commandActions: [{ type: 'unknown', command: 'ls\npwd' }], cwd: '/project', availableDecisions: ['accept', 'acceptForSession', 'decline', 'cancel'] });
    client.respond(asked.id, { decision: 'accept' });
    await client.until('turn/completed');
    expect(client.messages.find(({ method, params }) => method === 'item/completed' && params.item.type === 'commandExecution')!.params.item).toMatchObject({ id: asked.params.itemId, status: 'completed', aggregatedOutput: 'ls done\npwd done\n', exitCode: 0 });
  });

  test('a patch, declined', async () => {
    const client = await handing({ type: 'apply_patch_call', callId: 'c', status: 'completed', operation: { type: 'create_file', path: 'a.txt', diff: '+a' } }, [applyPatchTool({ editor, needsApproval: true })]);
    const asked = await client.until('item/fileChange/requestApproval');
    client.respond(asked.id, { decision: 'decline' });
    await client.until('turn/completed');
    expect(client.messages.find(({ method, params }) => method === 'item/completed' && params.item.type === 'fileChange')!.params.item).toEqual({
      type: 'fileChange', id: asked.params.itemId, status: 'declined', changes: [{ path: 'a.txt', kind: { type: 'add' }, diff: 'a' }],
    });
  });
});

test('a tool inside of an agent that is used as a tool asks too, and its words are commentary', async () => {
  const inner = new Agent({ name: 'inner', model: scriptedModel(calls('refund', { order: 7 }), says('inner done')), tools: [refund] });
  const outer = new Agent({ name: 'outer', model: scriptedModel(calls('inner', { input: 'do' }), says('all done')), tools: [inner.asTool({ toolName: 'inner', toolDescription: 'Does it.' })] });
  const { client } = await serving({ agent: outer });
  const threadId = await client.thread();
  const turnId = await client.turn(threadId, 'go');
  const asked = await client.until(ASKED);
  expect(asked.params).toMatchObject({ turnId, command: `refund '{"order":7}'` });
  client.respond(asked.id, { decision: 'accept' });
  expect((await client.until('turn/completed')).params.turn.items).toMatchObject([{ text: 'all done', phase: null }]);
  const messages = client.messages.flatMap(({ method, params }) => (method === 'item/completed' && params.item.type === 'agentMessage' ? [[params.item.text, params.item.phase]] : []));
  expect(messages).toEqual([['inner done', 'commentary'], ['all done', null]]);
});

test('progress of a tool is shown, and its trouble', async () => {
  const works = tool({ name: 'works', description: 'Works.', parameters: z.object({}), execute: async (_input, _context, details) => (details?.progress?.('half'), 'all') });
  const breaks = tool({ name: 'breaks', description: 'Breaks.', parameters: z.object({}), execute: () => { throw new Error('secret detail'); } });
  const { client } = await serving({ tools: [works, breaks] }, calls(['works', {}], ['breaks', {}]), says('done'));
  const threadId = await client.thread();
  await client.turn(threadId, 'go');
  await client.until('turn/completed');
  expect((await client.until('item/mcpToolCall/progress')).params).toMatchObject({ message: 'half' });
  expect(completedCalls(client).map(({ tool: name, status, error }) => [name, status, error?.message])).toContainEqual(['works', 'completed', undefined]);
  expect(completedCalls(client).find(({ tool: name }) => name === 'breaks')).toMatchObject({ status: 'failed' });
});
