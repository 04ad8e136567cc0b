/** Threads as a whole: listed, read, resumed, forked, reverted, given up. */
import { Agent, MemoryJournal, run, tool } from 'loopchart';
import { calls, loop, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { latch, refund } from '../../scenarios/support/cast.ts';
import { type Client, connect, textInput } from './support/client.ts';
import { serverWith, serving } from './support/serving.ts';

async function done(client: Client, threadId: string, text: string): Promise<string> {
  const turnId = await client.turn(threadId, text);
  await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id === turnId);
  return turnId;
}

const texts = (turns: { items: any[] }[]) => turns.map(({ items }) => items.map((item) => item.text ?? item.content?.[0]?.text ?? item.type)); // `any`: items of all kinds
const slowTool = () => {
  const gate = latch();
  return { open: () => gate.open(), tool: tool({ name: 'slow', description: 'Waits.', parameters: z.object({}), execute: () => gate.promise.then(() => 'ok') }) };
};

test('a thread that is started says what holds for it, and that it was asked in vain for what agents decide', async () => {
  const { client } = await serving({ models: ['fast', 'good'] });
  const answer = await client.request('thread/start', { model: 'good', approvalPolicy: 'never', sandbox: 'read-only', cwd: '/elsewhere' });
  expect(answer).toMatchObject({ model: 'good', modelProvider: 'loopchart', cwd: '/project', approvalPolicy: 'on-request', sandbox: { type: 'dangerFullAccess' } });
  expect(answer.thread).toMatchObject({ ephemeral: true, historyMode: 'paginated', status: { type: 'idle' }, turns: [], preview: '', source: 'appServer' });
  expect((await client.until('thread/started')).params.thread.id).toBe(answer.thread.id);
  expect((await client.until('warning')).params).toEqual({ threadId: answer.thread.id, message: 'Not changed, since agents and tools decide about it here: approvalPolicy, sandbox, cwd.' });
});

test('settings of a thread hold for its turns; instructions of a developer stand in the history', async () => {
  const { client, model } = await serving({}, says('yes'));
  const threadId = await client.thread({ baseInstructions: 'Be brief.', developerInstructions: 'Say yes.' });
  await done(client, threadId, 'go');
  expect(model.requests[0]).toMatchObject({ systemInstructions: 'Be brief.', input: [{ role: 'system', content: 'Say yes.' }, { role: 'user', content: 'go' }] });
});

describe('over a restart', () => {
  test('threads are listed, read and gone on with', async () => {
    const journal = new MemoryJournal();
    let now = 0;
    const clock = { ...virtualClock(), now: () => (now += 1) };
    const before = serverWith({ journal, options: { clock } }, scriptedModel(loop(says('yes'))));
    const client = connect(before);
    await client.initialize();
    const ids = [await client.thread(), await client.thread(), await client.thread()];
    const turnIds = [await done(client, ids[0]!, 'one'), await done(client, ids[0]!, 'two')];
    const live = (await client.request('thread/read', { threadId: ids[0], includeTurns: true })).thread;
    await before.close();
    expect(client.isClosed).toBe(true);

    const { client: later, model } = await serving({ journal }, says('and on'));
    const { data, nextCursor } = await later.request('thread/list', { limit: 2, sortDirection: 'asc' });
    expect(data.map((thread: { id: string; preview: string; status: object }) => [thread.id, thread.preview, thread.status])).toEqual([[ids[0], 'one', { type: 'notLoaded' }], [ids[1], '', { type: 'notLoaded' }]]);
    expect((await later.request('thread/list', { cursor: nextCursor, sortDirection: 'asc' })).data.map(({ id }: { id: string }) => id)).toEqual([ids[2]]);
    expect((await later.request('thread/list', { searchTerm: 'ONE' })).data.map(({ id }: { id: string }) => id)).toEqual([ids[0]]);
    const read = (await later.request('thread/read', { threadId: ids[0], includeTurns: true })).thread;
    expect(read.turns).toEqual(live.turns);
    expect(read.turns.map(({ id }: { id: string }) => id)).toEqual(turnIds);
    await expect(later.request('turn/start', { threadId: ids[0], input: textInput('x') })).rejects.toMatchObject({ message: `thread not found: ${ids[0]}` });
    const resumed = await later.request('thread/resume', { threadId: ids[0] });
    expect(resumed.thread.turns).toEqual(read.turns);
    await done(later, ids[0]!, 'three');
    expect(model.requests[0]!.input).toMatchObject([{ content: 'one' }, {}, { content: 'two' }, {}, { content: 'three' }]);
  });

  test('a call that waited is asked about again, and its turn goes on', async () => {
    const journal = new MemoryJournal();
    const before = serverWith({ journal, tools: [refund] }, scriptedModel(calls('refund', { order: 1 })));
    const client = connect(before);
    await client.initialize();
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    const asked = await client.until('item/commandExecution/requestApproval');
    await before.close();

    const { client: later } = await serving({ journal, tools: [refund] }, says('done'));
    const resumed = await later.request('thread/resume', { threadId });
    expect(resumed.thread).toMatchObject({ status: { type: 'active', activeFlags: ['waitingOnApproval'] }, turns: [{ id: turnId, status: 'inProgress', items: [{ type: 'userMessage' }, { type: 'mcpToolCall', status: 'inProgress' }] }] });
    const again = await later.until('item/commandExecution/requestApproval');
    expect(again.params).toMatchObject({ itemId: asked.params.itemId, turnId, command: asked.params.command });
    later.respond(again.id, { decision: 'accept' });
    expect((await later.until('turn/completed')).params.turn).toMatchObject({ id: turnId, status: 'completed', items: [{ text: 'done' }] });
  });

  test('nowhere is said to be nowhere', async () => {
    const { client } = await serving({});
    for (const method of ['thread/read', 'thread/resume', 'thread/fork', 'thread/turns/list']) await expect(client.request(method, { threadId: 'x' })).rejects.toMatchObject({ code: -32600, message: 'thread not found: x' });
    expect(await client.request('thread/unsubscribe', { threadId: 'x' })).toEqual({ status: 'notLoaded' });
  });
});

describe('thread/fork', () => {
  test('up to a turn; the source is not disturbed', async () => {
    const { client, model } = await serving({}, says('1'), says('2'), says('forked'));
    const threadId = await client.thread();
    const first = await done(client, threadId, 'one');
    await done(client, threadId, 'two');
    const fork = await client.request('thread/fork', { threadId, lastTurnId: first });
    expect(fork.thread).toMatchObject({ forkedFromId: threadId, preview: 'one' });
    expect(texts(fork.thread.turns)).toEqual([['one', '1']]);
    await done(client, fork.thread.id, 'other');
    expect(model.requests[2]!.input).toMatchObject([{ content: 'one' }, {}, { content: 'other' }]);
    expect((await client.request('thread/read', { threadId, includeTurns: true })).thread.turns).toHaveLength(2);
    expect((await client.request('thread/loaded/list')).data).toEqual([threadId, fork.thread.id]);
  });

  test('while a turn runs shows it as cut short, and cannot be taken at that turn', async () => {
    const work = slowTool();
    const { client } = await serving({ tools: [work.tool] }, calls('slow', {}), says('source goes on'));
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    await client.until(({ method, params }) => method === 'item/started' && params.item.type === 'mcpToolCall');
    await expect(client.request('thread/fork', { threadId, lastTurnId: turnId })).rejects.toMatchObject({ code: -32600, message: `lastTurnId '${turnId}' identifies an in-progress turn` });
    await expect(client.request('thread/fork', { threadId, lastTurnId: 'x' })).rejects.toMatchObject({ message: 'turn not found: x' });
    const { thread } = await client.request('thread/fork', { threadId });
    expect(thread.status).toEqual({ type: 'idle' });
    expect(thread.turns[0].items).toMatchObject([{ type: 'userMessage' }, { type: 'mcpToolCall', status: 'failed' }, { type: 'hookPrompt', fragments: [{ hookRunId: 'interrupted' }] }]);
    work.open();
    expect((await client.until('turn/completed')).params).toMatchObject({ threadId, turn: { status: 'completed' } });
  });
});

test('thread/revert goes back to before a turn; one that is going is interrupted first', async () => {
  const work = slowTool();
  const { client, model } = await serving({ tools: [work.tool] }, says('1'), says('2'), calls('slow', {}), says('again'));
  const threadId = await client.thread();
  await done(client, threadId, 'one');
  const second = await done(client, threadId, 'two');
  const third = await client.turn(threadId, 'three');
  await client.until(({ method, params }) => method === 'item/started' && params.item.type === 'mcpToolCall');
  await expect(client.request('thread/revert', { threadId, beforeTurnId: 'x' })).rejects.toMatchObject({ message: 'turn not found: x' });
  expect((await client.request('thread/revert', { threadId, beforeTurnId: second })).thread).toMatchObject({ id: threadId, turns: [], status: { type: 'idle' } });
  expect((await client.until('turn/completed', client.messages.findIndex(({ method, params }) => method === 'turn/started' && params.turn.id === third))).params.turn.status).toBe('interrupted');
  expect(client.methods()).toContain('thread/reverted');
  expect(texts((await client.request('thread/read', { threadId, includeTurns: true })).thread.turns)).toEqual([['one', '1']]);
  await done(client, threadId, 'anew');
  expect(model.requests.at(-1)!.input).toMatchObject([{ content: 'one' }, {}, { content: 'anew' }]);
  work.open();
});

test('turns and items are listed page by page', async () => {
  const { client } = await serving({}, loop(says('yes')));
  const threadId = await client.thread();
  const ids = [await done(client, threadId, 'a'), await done(client, threadId, 'b'), await done(client, threadId, 'c')];
  const first = await client.request('thread/turns/list', { threadId, limit: 2 });
  expect([first.data.map(({ id }: { id: string }) => id), first.nextCursor]).toEqual([[ids[2], ids[1]], '2']);
  expect((await client.request('thread/turns/list', { threadId, cursor: '2', itemsView: 'notLoaded' })).data).toMatchObject([{ id: ids[0], items: [], itemsView: 'notLoaded' }]);
  expect((await client.request('thread/items/list', { threadId, turnId: ids[1] })).data.map(({ item }: { item: { type: string } }) => item.type)).toEqual(['userMessage', 'agentMessage']);
  await expect(client.request('thread/items/list', { threadId, turnId: 'x' })).rejects.toMatchObject({ message: 'turn not found: x' });
  await expect(client.request('thread/turns/list', { threadId, cursor: 'x' })).rejects.toMatchObject({ code: -32600, message: 'invalid cursor: x' });
});

describe('thread/inject_items', () => {
  test('items in the spelling of the Responses API, and in ours', async () => {
    const { client, model } = await serving({}, says('yes'));
    const threadId = await client.thread();
    const items = [
      { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'rules' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'said' }] },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'out' },
      { role: 'user', content: 'plain' },
    ];
    expect(await client.request('thread/inject_items', { threadId, items })).toEqual({});
    await done(client, threadId, 'go');
    expect(model.requests[0]!.input).toMatchObject([{ role: 'system', content: 'rules' }, { role: 'assistant', status: 'completed' }, { type: 'function_call', callId: 'c' }, { type: 'function_call_result', callId: 'c' }, { content: 'plain' }, { content: 'go' }]);
  });

  test('what is no item is refused, and nothing is kept of the rest', async () => {
    const { client } = await serving({});
    const threadId = await client.thread();
    await expect(client.request('thread/inject_items', { threadId, items: [{ role: 'user', content: 'a' }, { type: 'song' }] })).rejects.toMatchObject({ code: -32600, message: expect.stringContaining('items[1] is no item') });
    expect((await client.request('thread/read', { threadId, includeTurns: true })).thread.turns).toEqual([]);
  });
});

test('a goal is set, shown, told of, and cleared', async () => {
  const { client } = await serving({}, loop(says('working')));
  const threadId = await client.thread();
  expect(await client.request('thread/goal/get', { threadId })).toEqual({ goal: null });
  await expect(client.request('thread/goal/set', { threadId })).rejects.toMatchObject({ message: 'Invalid request: missing field `objective`' });
  const { goal } = await client.request('thread/goal/set', { threadId, objective: 'Finish.', maxRuns: 2 });
  expect(goal).toMatchObject({ threadId, objective: 'Finish.', status: 'active', tokenBudget: null });
  await client.turn(threadId, 'go');
  await client.until(({ method, params }) => method === 'thread/goal/updated' && params.goal.status === 'budgetLimited');
  expect(client.methods().filter((method) => method === 'turn/completed')).toHaveLength(3);
  await client.request('thread/goal/set', { threadId, objective: 'Another.' });
  expect(await client.request('thread/goal/clear', { threadId })).toEqual({ cleared: true });
  expect(await client.request('thread/goal/clear', { threadId })).toEqual({ cleared: false });
  expect((await client.until('thread/goal/cleared')).params).toEqual({ threadId });
});

test('a thread that nobody follows is given back after a while, and can be resumed', async () => {
  const clock = virtualClock();
  const { client, another } = await serving({ journal: new MemoryJournal(), server: { clock, unloadAfterMs: 1_000 } }, says('yes'));
  const threadId = await client.thread();
  await client.request('thread/unsubscribe', { threadId });
  const other = await another();
  await clock.advance(999);
  expect((await other.request('thread/loaded/list')).data).toEqual([threadId]);
  await clock.advance(1_500);
  await other.until('thread/closed');
  expect((await other.request('thread/loaded/list')).data).toEqual([]);
  expect((await other.request('thread/resume', { threadId })).thread.status).toEqual({ type: 'idle' });
});

test('model/list knows what a client may choose from', async () => {
  const { client } = await serving({ models: ['fast', 'good'] });
  const { data, nextCursor } = await client.request('model/list');
  expect([data.map(({ id, isDefault }: { id: string; isDefault: boolean }) => [id, isDefault]), nextCursor]).toEqual([[['fast', true], ['good', false]], null]);
});

test('of models there is always one to choose; who names the one that was answered leaves the agents theirs', async () => {
  const { client, model } = await serving({}, says('one'), says('two'));
  const { thread, model: named } = await client.request('thread/start', { model: 'default' });
  expect((await client.request('model/list')).data.map(({ id, isDefault }: { id: string; isDefault: boolean }) => [id, isDefault])).toEqual([[named, true]]);
  await client.turn(thread.id, 'go', { model: named });
  await client.until('turn/completed');
  expect(model.requests).toHaveLength(1); // a provider would have been asked for a model of that name
});

test('what a thread answered is no wish when it is sent back', async () => {
  const { client } = await serving({}, says('yes'));
  const { thread, cwd, approvalPolicy } = await client.request('thread/start', { dynamicTools: [] });
  await client.turn(thread.id, 'go', { cwd, approvalPolicy });
  await client.until('turn/completed');
  expect(client.methods()).not.toContain('warning');
});

test('ids of threads are bare UUIDs, of forks too', async () => {
  const { client } = await serving({});
  const threadId = await client.thread();
  const fork = await client.request('thread/fork', { threadId });
  const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
  expect([threadId, fork.thread.id]).toEqual([expect.stringMatching(UUID), expect.stringMatching(UUID)]);
});

test('threads are in no sections, and have no titles that an agent would be asked for', async () => {
  const { client } = await serving({});
  const threadId = await client.thread();
  const idsOf = async (params: object) => (await client.request('thread/list', params)).data.map(({ id }: { id: string }) => id);
  expect([await idsOf({ sortKey: 'section_position' }), await idsOf({ sortKey: 'section_position', sectionId: 'pinned' })]).toEqual([[threadId], []]);
  await expect(client.request('thread/start', { threadSource: 'thread_title', ephemeral: true })).rejects.toMatchObject({ code: -32600, message: 'threads have no titles here' });
});

test('runs of the same journal are no threads: not listed, not opened', async () => {
  const journal = new MemoryJournal();
  const speaker = new Agent({ name: 'assistant', model: scriptedModel(says('alone')) });
  await run(speaker, 'go', { journal, runId: 'run_alone' });
  const { client } = await serving({ journal });
  expect((await client.request('thread/list')).data).toEqual([]);
  for (const method of ['thread/read', 'thread/resume', 'thread/turns/list']) await expect(client.request(method, { threadId: 'run_alone' })).rejects.toMatchObject({ message: 'thread not found: run_alone' });
});

test('a thread that another process has is not taken from it', async () => {
  const journal = new MemoryJournal();
  const { client } = await serving({ journal }, says('yes'));
  const threadId = await client.thread();
  const { client: other } = await serving({ journal });
  await expect(other.request('thread/resume', { threadId })).rejects.toMatchObject({ code: -32603, message: expect.stringContaining('is continued elsewhere') });
  expect((await other.request('thread/read', { threadId })).thread.status).toEqual({ type: 'notLoaded' });
});
