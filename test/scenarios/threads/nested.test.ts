/** F5 on threads: agents as tools, several deep: what waits there, what reaches them, and what they leave. */
import { Agent, type Tool, askUser } from 'loopchart';
import { answered, calls, hangs, says, user } from 'loopchart/testing';
import type { ThreadRunResult } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { type PlayedThread, type ThreadWorld, playThread } from '../support/threadScenario.ts';

/** Outer asks Middle, Middle asks Inner, and Inner does what it is told with its own tools. */
function threeDeep(world: ThreadWorld, inner: { steps: Parameters<ThreadWorld['model']>; tools: Tool<any>[] }) {
  const deepest = new Agent({ name: 'Inner', model: world.model(...inner.steps), tools: inner.tools });
  const middle = new Agent({ name: 'Middle', model: world.model(calls('Inner', { input: 'to inner' }), says('middle done')), tools: [deepest.asTool({})] });
  return new Agent({ name: 'Outer', model: world.model(calls('Middle', { input: 'to middle' }), says('outer done'), says('second run')), tools: [middle.asTool({})] });
}
const MIDDLE = 'thread_test/run.1/agent.1/turn.1/toolCall.1.0/run';
const INNER = `${MIDDLE}/agent.1/turn.1/toolCall.1.0/run`;
const waits = (thread: PlayedThread) => thread.until('approval.requested');
const statusesOf = ({ told }: PlayedThread) => told.flatMap((event) => (event.type === 'run.settled' ? [`${event.path.split('/').length} ${event.outcome.status}`] : []));

test.each([1, 2, 3])('F5, D1, D6: an approval at depth three shows its path, and waits on in process %s', async (processes) => {
  const { seen, value } = await playThread(async (world) => {
    const agent = threeDeep(world, { steps: [calls('refund', { order: 7 }), says('inner done')], tools: [refund] });
    let thread = world.thread(agent);
    thread.run('go');
    await waits(thread);
    for (let process = 1; process < processes; process += 1) thread = await world.reopen(thread);
    const [waiting] = thread.interruptions;
    const found = [waiting!.id, waiting!.path, thread.look.phase];
    await thread.approve(waiting!);
    await thread.until('run.settled');
    const { finalOutput } = (await thread.until((event) => event.type === 'run.settled' && event.path === 'thread_test/run.1')) as never as { finalOutput: unknown };
    return [...found, finalOutput];
  });
  expect(value.slice(0, 3)).toEqual([
    `${INNER}/agent.1/turn.1/toolCall.1.0/approval#1`,
    ['thread_test/run.1/agent.1/turn.1/toolCall.1.0', 'agent.1/turn.1/toolCall.1.0', 'agent.1/turn.1/toolCall.1.0'],
    'awaitingApproval',
  ]);
  expect(seen.history.map((item) => ('output' in item ? item.output : 'content' in item ? item.content : item.type))).toEqual([
    'go', 'function_call', { type: 'text', text: 'middle done' }, [{ type: 'output_text', text: 'outer done' }],
  ]);
  expect(seen.usage.requests).toBe(6);
});

test('F5, D8: a question of a tool at depth three is answered on the thread', async () => {
  const { requests } = await playThread(async (world) => {
    const thread = world.thread(threeDeep(world, { steps: [calls('ask_user', { questions: [{ question: 'Which colour?' }] }), says('inner done')], tools: [askUser] }));
    const run = thread.run('go');
    await waits(thread);
    await thread.answer(thread.interruptions[0]!, { question_1: 'blue' });
    await run;
  });
  expect(JSON.stringify(requests.find(({ input }) => JSON.stringify(input).includes('blue'))!.input.at(-1))).toContain('call_1');
});

test('L7: a steer by path is read at that depth alone', async () => {
  const { requests, value } = await playThread(async (world) => {
    const gate = latch();
    const look = counted('look', async () => (await gate.promise, 'seen'));
    const thread = world.thread(threeDeep(world, { steps: [calls('look'), says('inner done')], tools: [look.tool] }));
    const run = thread.run('go');
    await thread.until((event) => event.type === 'tool.started' && event.path.startsWith(INNER));
    const receipts = [await thread.steer('For inner.', { path: INNER }), await thread.steer('For middle.', { path: MIDDLE }), await thread.steer('For outer.'), await thread.steer('For nobody.', { path: `${INNER}/agent.7` })];
    gate.open();
    await run;
    return Promise.all(receipts.map(async (receipt) => (receipt.status === 'accepted' ? receipt.delivery : receipt)));
  });
  const readers = (text: string) => requests.filter(({ input }) => JSON.stringify(input.at(-1)).includes(text)).map(({ input }) => (input[0] as { content: string }).content);
  expect([readers('For inner.'), readers('For middle.'), readers('For outer.')]).toEqual([['to inner'], ['to middle'], ['go']]);
  expect(value).toEqual([
    { status: 'delivered', runId: 'thread_test/run.1', turn: 2 }, { status: 'delivered', runId: 'thread_test/run.1', turn: 2 },
    { status: 'delivered', runId: 'thread_test/run.1', turn: 2 }, { status: 'dropped', reason: 'path' },
  ]);
});

test('J2, J4, F5: an interrupt reaches every depth: approvals resolved, items ended, runs settled from the inside, thread at rest', async () => {
  const { value, seen } = await playThread(async (world) => {
    const gate = latch();
    const look = counted('look', () => gate.promise);
    const thread = world.thread(threeDeep(world, { steps: [calls(['look', {}], ['refund', { order: 7 }])], tools: [look.tool, refund] }));
    const run = thread.run('go');
    await waits(thread);
    await thread.until((event) => event.type === 'tool.started' && event.path.startsWith(INNER));
    const at = thread.told.length;
    const interrupting = thread.interrupt();
    await world.clock.advance(200);
    const receipt = await interrupting;
    await expect(run.result).rejects.toMatchObject({ name: 'AbortError' });
    return [receipt.status, thread.state, thread.interruptions.length, thread.told.slice(at).map(({ type, path }) => `${type} ${path.split('/').length}`)];
  });
  expect(value).toEqual(['accepted', 'paused', 0, [
    'command.answered 1', 'thread.changed 1', 'approval.resolved 13', 'item.completed 13', 'item.completed 13', 'turn.settled 12', 'run.settled 10',
    'item.completed 9', 'turn.settled 8', 'run.settled 6', 'item.completed 5', 'turn.settled 4', 'run.settled 2', 'thread.changed 1',
  ]]);
  expect(seen.runs).toEqual(['run.1 from command: interrupted']);
});

test('F5: an interrupt by the path of a nested run is refused: it would leave its caller without an answer', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(threeDeep(world, { steps: [calls('refund', { order: 7 }), says('inner done')], tools: [refund] }));
    thread.run('go');
    await waits(thread);
    return thread.interrupt({ path: INNER });
  });
  expect(value).toMatchObject({ status: 'rejected', reason: 'unknownPath' });
});

test('J1, F5: a soft stop lets nested agents finish', async () => {
  const { value, seen } = await playThread(async (world) => {
    const gate = latch();
    const look = counted('look', async () => (await gate.promise, 'seen'));
    const thread = world.thread(threeDeep(world, { steps: [calls('look'), says('inner done')], tools: [look.tool] }));
    const run = thread.run('go');
    await thread.until((event) => event.type === 'tool.started' && event.path.startsWith(INNER));
    await thread.stopAfterTurn();
    gate.open();
    const stopped: ThreadRunResult = await run;
    const goingOn = await thread.run('');
    return [stopped.status, stopped.newItems.length, goingOn.finalOutput, statusesOf(thread)];
  });
  expect(value).toEqual(['stopped', 2, 'outer done', ['10 completed', '6 completed', '2 stopped', '2 completed']]);
  expect(seen.runs).toEqual(['run.1 from command: stopped', 'run.2 from command: completed']);
});

test('J1, K5, F5: a soft stop while a nested call waits keeps the approval; the next run goes on there', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(threeDeep(world, { steps: [calls('refund', { order: 7 }), says('inner done')], tools: [refund] }));
    const run = thread.run('go');
    await waits(thread);
    await thread.stopAfterTurn();
    const stopped = await run;
    const next = thread.run('');
    await thread.until((event) => event.type === 'approval.requested' && event.path.startsWith('thread_test/run.2'));
    const again = await world.reopen(thread);
    await again.approve(again.interruptions[0]!);
    const settled = await again.until((event) => event.type === 'run.settled' && event.path === 'thread_test/run.2');
    void next;
    return [stopped.status, settled.type === 'run.settled' && settled.outcome.output];
  });
  expect(value).toEqual(['stopped', 'outer done']);
  expect(seen.usage.requests).toBe(6);
});

test('A8, B2: usage and budget are those of the run around all', async () => {
  const used = { usage: { inputTokens: 400, outputTokens: 50 } };
  const { value, seen } = await playThread(async (world) => {
    const deepest = new Agent({ name: 'Inner', model: world.model(says('inner done', used)) });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'i' }, used), says('never')), tools: [deepest.asTool({})] });
    const thread = world.thread(outer, { budget: { tokens: 2_200 } });
    const failed = await thread.run('go').result.catch((error: unknown) => error);
    return failed;
  });
  expect(value).toMatchObject({ name: 'BudgetExceededError', kind: 'tokens', limit: 2_200, spent: 900 });
  expect(seen.usage).toEqual({ requests: 2, totalTokens: 900 });
});

test('C6, B3: what threads do for long work, nested agents do too', async () => {
  const { requests, seen } = await playThread(async (world) => {
    const look = counted('look', () => 'x'.repeat(900));
    const deepest = new Agent({ name: 'Inner', model: world.model(calls('look'), calls('look'), calls('look'), calls('look'), says('I stop.')), tools: [look.tool] });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'i' }), says('outer done')), tools: [deepest.asTool({})] });
    return world.thread(outer, { maxToolOutputBytes: 200 }).run('go');
  });
  const inner = requests.filter(({ input }) => JSON.stringify(input[0]).includes('"i"'));
  const outputs = inner.at(-1)!.input.flatMap((item) => ('output' in item ? [JSON.stringify(item.output).length] : []));
  expect(outputs.every((bytes) => bytes < 300)).toBe(true);
  expect(inner.at(-1)!.input.at(-1)).toMatchObject({ role: 'user', content: expect.stringContaining('same') });
  expect(seen.runs).toEqual(['run.1 from command: completed']);
});

test('O1, O2: killed while a nested model streams, only that request is made again', async () => {
  const { seen, requests } = await playThread(async (world) => {
    const deepest = new Agent({ name: 'Inner', model: world.model(hangs(), says('inner done')) });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'i' }), says('outer done')), tools: [deepest.asTool({})] });
    const thread = world.thread(outer);
    thread.run('go');
    await thread.until((event) => event.type === 'turn.started' && event.path.startsWith(MIDDLE));
    await world.clock.settle();
    const again = await world.reopen(thread);
    await again.until((event) => event.type === 'run.settled' && event.path === 'thread_test/run.1');
  });
  expect(requests.map(({ input }) => input.length)).toEqual([1, 1, 1, 3]);
  expect(requests.at(-1)!.input.slice(1)).toEqual([expect.objectContaining({ name: 'Inner' }), answered('call_1', 'inner done', 'Inner')]);
  expect(seen.history[0]).toEqual(user('go'));
});
