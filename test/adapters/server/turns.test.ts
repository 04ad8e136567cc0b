/** Turns: begun, steered, interrupted; each outcome that clients of the protocol know. */
import { tool } from 'loopchart';
import { answersWith, calls, fails, hangs, loop, responds, says, thinks } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { latch, refund } from '../../scenarios/support/cast.ts';
import { RpcFailure, textInput } from './support/client.ts';
import { serving } from './support/serving.ts';
import { shown } from './support/shown.ts';

test('a turn, from its start to its end', async () => {
  const { client } = await serving({ tools: [echo] }, responds(says('Let me see.'), calls('echo', { text: 'hi' })), says('It says hi.'));
  const from = client.traffic.length;
  const threadId = await client.thread();
  await client.turn(threadId, 'go', { clientUserMessageId: 'mine' });
  await client.until(({ method, params }) => method === 'thread/status/changed' && params.status.type === 'idle');
  await expect(shown(client, from).join('\n')).toMatchFileSnapshot('logs/turn.txt');
});

const echo = tool({ name: 'echo', description: 'Says it again.', parameters: z.object({ text: z.string() }), execute: ({ text }) => text });

/** A tool that is at work until the test lets it end. */
function slow() {
  const gate = latch<string>();
  const begun = latch();
  return { begun: begun.promise, open: gate.open, tool: tool({ name: 'slow', description: 'Takes its time.', parameters: z.object({}), execute: () => (begun.open(), gate.promise) }) };
}

describe('turn/start', () => {
  test('on a busy thread steers: the id of the active turn is the answer, and its model waits for the next turn', async () => {
    const work = slow();
    const { client, model } = await serving({ tools: [work.tool] }, calls('slow', {}), says('done'), says('again'));
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    await work.begun;
    expect(await client.turn(threadId, 'and more', { effort: 'high' })).toBe(turnId);
    work.open('ok');
    await client.until('turn/completed');
    expect(client.methods().filter((method) => method === 'turn/started')).toHaveLength(1);
    expect(model.requests[1]!.input).toMatchObject([{ content: 'go' }, { type: 'function_call' }, { type: 'function_call_result' }, { content: 'and more' }]);
    expect(model.requests.map(({ modelSettings }) => modelSettings.reasoning?.effort)).toEqual([undefined, undefined]);
    await client.turn(threadId, 'once more');
    await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id !== turnId);
    expect(model.requests[2]!.modelSettings.reasoning?.effort).toBe('high');
  });

  test('with whenBusy a client chooses: queue, replace, reject', async () => {
    const work = slow();
    const { client } = await serving({ tools: [work.tool] }, calls('slow', {}), says('replaced'), says('queued'));
    const threadId = await client.thread();
    const first = await client.turn(threadId, 'go');
    await work.begun;
    const { queuedSubmission } = await client.request('turn/start', { threadId, input: textInput('later'), whenBusy: 'queue', clientUserMessageId: 'q' });
    expect(queuedSubmission).toMatchObject({ input: textInput('later'), clientUserMessageId: 'q' });
    await expect(client.request('turn/start', { threadId, input: textInput('no'), whenBusy: 'reject' })).rejects.toMatchObject({ code: -32600 });
    const second = await client.turn(threadId, 'instead', { whenBusy: 'replace' });
    expect(second).not.toBe(first);
    await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id === second);
    expect(client.messages.filter(({ method }) => method === 'turn/completed').map(({ params }) => [params.turn.id, params.turn.status])).toEqual([[first, 'interrupted'], [second, 'completed']]);
  });

  test('with no input samples the history as it is', async () => {
    const { client, model } = await serving({}, says('from nothing'));
    const threadId = await client.thread();
    await client.request('thread/inject_items', { threadId, items: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'known' }] }] });
    await client.request('turn/start', { threadId, input: [] });
    await client.until('turn/completed');
    expect(model.requests[0]!.input).toMatchObject([{ role: 'user', content: [{ type: 'input_text', text: 'known' }] }]);
  });

  test('a turn that fails says why, and the thread says systemError until the next', async () => {
    const { client } = await serving({}, fails({ status: 400, message: 'no such model' }), says('better'));
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    const { params } = await client.until('turn/completed');
    expect(params.turn).toMatchObject({ id: turnId, status: 'failed', error: { codexErrorInfo: 'badRequest' } });
    expect(await client.until('error')).toMatchObject({ params: { willRetry: false, threadId, turnId } });
    await client.until(({ method, params: { status } = {} }) => method === 'thread/status/changed' && status.type === 'systemError');
    await client.turn(threadId, 'again');
    const statuses = () => client.messages.filter(({ method }) => method === 'thread/status/changed').map((message) => message.params.status.type);
    await client.until(({ method, params: { status } = {} }) => method === 'thread/status/changed' && status.type === 'idle');
    expect(statuses()).toEqual(['active', 'systemError', 'active', 'idle']);
  });
});

describe('turn/steer', () => {
  test('what is wrong with it is said', async () => {
    const work = slow();
    const { client } = await serving({ tools: [work.tool] }, calls('slow', {}), says('done'));
    const threadId = await client.thread();
    const steer = (expectedTurnId: string, input: object[] = textInput('left')) => client.request('turn/steer', { threadId, input, expectedTurnId });
    await expect(steer('x')).rejects.toEqual(new RpcFailure({ code: -32600, message: 'no active turn to steer' }));
    const turnId = await client.turn(threadId, 'go');
    await expect(steer('')).rejects.toMatchObject({ code: -32600, message: 'expectedTurnId must not be empty' });
    await expect(steer(turnId, [])).rejects.toMatchObject({ code: -32600, message: 'input must not be empty' });
    await expect(steer('x')).rejects.toMatchObject({ code: -32600, message: `expected active turn id \`x\` but found \`${turnId}\`` });
    work.open('ok');
    await client.until('turn/completed');
    await expect(steer(turnId)).rejects.toMatchObject({ message: 'no active turn to steer' });
  });

  test('while tools run it is read after their results, and shown when it is read', async () => {
    const work = slow();
    const { client, model } = await serving({ tools: [work.tool] }, calls('slow', {}), says('done'));
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    await work.begun;
    const steer = (text: string) => client.request('turn/steer', { threadId, input: textInput(text), expectedTurnId: turnId, clientUserMessageId: text });
    expect(await steer('one')).toEqual({ turnId });
    expect(await steer('two')).toEqual({ turnId });
    const from = client.messages.length;
    work.open('ok');
    await client.until('turn/completed');
    expect(model.requests[1]!.input).toMatchObject([{ content: 'go' }, { type: 'function_call' }, { type: 'function_call_result' }, { content: 'one' }, { content: 'two' }]);
    const completed = client.messages.slice(from).filter(({ method }) => method === 'item/completed').map(({ params }) => params.item.clientId ?? params.item.type);
    expect(completed).toEqual(['mcpToolCall', 'one', 'two', 'agentMessage']);
  });
});

describe('a steer is never lost', () => {
  test('while the model answers, the answer stands, and the steer is read in the next request of the same turn', async () => {
    const gate = latch();
    const { client, model } = await serving({}, answersWith(() => gate.promise.then(() => says('first'))), says('second'));
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    await client.request('turn/steer', { threadId, expectedTurnId: turnId, input: textInput('and') });
    gate.open();
    expect((await client.until('turn/completed')).params.turn).toMatchObject({ id: turnId, items: [{ text: 'second' }] });
    expect(model.requests[1]!.input).toMatchObject([{ content: 'go' }, { role: 'assistant' }, { content: 'and' }]);
  });

  test('sent at any moment, it is read in the turn that accepted it, or refused', async () => {
    const { client, model } = await serving({}, loop(says('a few words')));
    const threadId = await client.thread();
    const accepted: string[] = [];
    for (let moment = 0; moment < 25; moment += 1) {
      const turnId = await client.turn(threadId, `turn ${moment}`);
      for (let tick = 0; tick < moment; tick += 1) await Promise.resolve();
      const asked = client.request('turn/steer', { threadId, expectedTurnId: turnId, input: textInput(`steer ${moment}`) });
      await asked.then(() => accepted.push(`steer ${moment}`), (error: RpcFailure) => expect(error.message).toBe('no active turn to steer'));
      await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id === turnId);
    }
    const read = JSON.stringify(model.requests.at(-1)!.input);
    const shownSteers = client.messages.flatMap(({ method, params }) => (method === 'item/completed' && params.item.type === 'userMessage' ? [params.item.content[0].text] : [])).filter((text) => text.startsWith('steer'));
    expect(shownSteers).toEqual(accepted);
    expect(accepted.filter((text) => !read.includes(`"${text}"`))).toEqual([]);
    expect(accepted.length).toBeGreaterThan(0);
  });
});

describe('turn/interrupt', () => {
  test('what is wrong with it is said', async () => {
    const { client } = await serving({}, says('hello'));
    const threadId = await client.thread();
    await expect(client.request('turn/interrupt', { threadId, turnId: 'x' })).rejects.toMatchObject({ code: -32600, message: 'no active turn to interrupt' });
    const turnId = await client.turn(threadId, 'go');
    await client.until('turn/completed');
    await expect(client.request('turn/interrupt', { threadId, turnId })).rejects.toMatchObject({ code: -32600, message: 'no active turn to interrupt' });
  });

  test('of another turn changes nothing', async () => {
    const work = slow();
    const { client } = await serving({ tools: [work.tool] }, calls('slow', {}), says('done'));
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    await expect(client.request('turn/interrupt', { threadId, turnId: 'x' })).rejects.toMatchObject({ code: -32600, message: `expected active turn id x but found ${turnId}` });
    work.open('ok');
    expect((await client.until('turn/completed')).params.turn.status).toBe('completed');
  });

  test('during the stream of the model: items, turn, status, and then the answer', async () => {
    const { client } = await serving({}, hangs(3, says('one two three')));
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    await client.until('item/agentMessage/delta');
    const from = client.traffic.length;
    await client.request('turn/interrupt', { threadId, turnId });
    await expect(shown(client, from).join('\n')).toMatchFileSnapshot('logs/interruptDuringStream.txt');
  });

  test('during a tool, twice: the call ends as failed, and both are answered', async () => {
    const work = slow();
    const { client } = await serving({ tools: [work.tool] }, calls('slow', {}));
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    await work.begun;
    const from = client.traffic.length;
    await Promise.all([client.request('turn/interrupt', { threadId, turnId }), client.request('turn/interrupt', { threadId, turnId })]);
    await expect(shown(client, from).join('\n')).toMatchFileSnapshot('logs/interruptDuringTool.txt');
    work.open('late');
  });

  test('during an approval: the request is resolved first, and a late accept runs nothing', async () => {
    const { client } = await serving({ tools: [refund] }, calls('refund', { order: 1 }));
    const threadId = await client.thread();
    const turnId = await client.turn(threadId, 'go');
    const asked = await client.until('item/commandExecution/requestApproval');
    const from = client.traffic.length;
    await client.request('turn/interrupt', { threadId, turnId });
    client.respond(asked.id, { decision: 'accept' });
    await client.request('thread/loaded/list');
    await expect(shown(client, from).join('\n')).toMatchFileSnapshot('logs/interruptDuringApproval.txt');
  });

  test('a turn that is asked for right after it comes after it', async () => {
    const work = slow();
    const { client } = await serving({ tools: [work.tool] }, calls('slow', {}), says('second'));
    const threadId = await client.thread();
    const first = await client.turn(threadId, 'go');
    await work.begun;
    client.ask('turn/interrupt', { threadId, turnId: first });
    const second = await client.turn(threadId, 'now this');
    expect(second).not.toBe(first);
    await client.until(({ method, params }) => method === 'turn/completed' && params.turn.id === second);
    expect(client.messages.flatMap(({ method, params }) => (method === 'turn/started' || method === 'turn/completed' ? [`${method} ${params.turn.id === first ? 'first' : 'second'}`] : []))).toEqual([
      'turn/started first', 'turn/completed first', 'turn/started second', 'turn/completed second',
    ]);
  });
});

test('reasoning is an item of its own, and a search of the provider too', async () => {
  const search = { type: 'hosted_tool_call', name: 'web_search', status: 'completed', arguments: '{"query":"loops"}' } as const;
  const { client } = await serving({}, responds(thinks('Hm.'), search, says('So.')));
  const threadId = await client.thread();
  await client.turn(threadId, 'go');
  await client.until('turn/completed');
  expect(client.messages.flatMap(({ method, params }) => (method === 'item/completed' ? [params.item] : []))).toMatchObject([
    { type: 'userMessage' }, { type: 'reasoning', summary: ['Hm.'], content: [] }, { type: 'webSearch', query: 'loops' }, { type: 'agentMessage', text: 'So.' },
  ]);
});
