/** P1–P4: how a run can end, what is announced, what a caller gets, and what is left. */
import { Agent, MaxTurnsExceededError, RunState, Runner } from 'loopchart';
import { calls, fails, hangs, inputOf, repeat, said, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { MAY_HAVE_COMPLETED, counted, latch, refund } from '../support/cast.ts';
import { play, type Seen } from '../support/scenario.ts';

const lastOf = ({ events }: Seen) => events.at(-1)!;

test('P1: completed, answered: resolves with the output', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Greeter', model: world.model(says('Hello.')) }), 'go'));
  expect(seen).toEqual({
    outcome: 'completed',
    finalOutput: 'Hello.',
    story: ['Greeter: says "Hello."'],
    newItems: [{ type: 'message_output_item', rawItem: said('Hello.'), agent: { name: 'Greeter' } }],
    history: inputOf('go', said('Hello.')),
    usage: { requests: 1, inputTokens: 10, outputTokens: 5, totalTokens: 15 },
    lastAgent: 'Greeter',
    interruptions: [],
    turns: 1,
    guardrails: [],
  });
  expect(lastOf(seen)).toMatchObject({ type: 'run.settled', outcome: { status: 'completed', how: 'answered' } });
});

test('P1: completed by a tool, and by a handler, say so', async () => {
  const { runs } = await play(async (world) => {
    await world.run(new Agent({ name: 'Worker', model: world.model(calls('tick')), tools: [counted('tick').tool], toolUseBehavior: 'stop_on_first_tool' }), 'go');
    await world.run(new Agent({ name: 'Worker', model: world.model() }), 'go', { maxTurns: 0, errorHandlers: { maxTurns: () => ({ finalOutput: 'handled' }) } });
  });
  expect(runs.map(lastOf)).toEqual([
    expect.objectContaining({ type: 'run.settled', outcome: expect.objectContaining({ status: 'completed', how: 'terminalTool', output: 'done' }) }),
    expect.objectContaining({ type: 'run.settled', outcome: expect.objectContaining({ status: 'completed', how: 'handler', output: 'handled' }) }),
  ]);
});

test('P1: failed: rejects with an error that says why and carries the state', async () => {
  const { seen, value } = await play(async (world) => {
    const { thrown } = await world.run(new Agent({ name: 'Worker', model: world.model(repeat(2, calls('tick'))), tools: [counted('tick').tool] }), 'go', { maxTurns: 1 });
    return thrown instanceof MaxTurnsExceededError && thrown.state instanceof RunState;
  });
  expect([seen.outcome, value]).toEqual(['failed', true]);
  expect(lastOf(seen)).toMatchObject({ type: 'run.settled', outcome: { status: 'failed', failure: { code: 'maxTurns' } } });
});

test('P1: stopped: resolves, without an output, and can be gone on from', async () => {
  const { runs } = await play(async (world) => {
    const atWork = latch();
    const model = world.model(calls('tick'), says('Done.'));
    const agent = new Agent({ name: 'Worker', model, tools: [counted('tick', () => atWork.promise.then(() => 'tock')).tool] });
    const going = world.begin(agent, 'go');
    await going.until('tool.started');
    going.softStop();
    atWork.open();
    const stopped = await going.settled;
    return world.run(agent, stopped.state);
  });
  expect(runs.map(({ outcome, finalOutput, error }) => [outcome, finalOutput, error])).toEqual([['stopped', undefined, undefined], ['completed', 'Done.', undefined]]);
  expect(lastOf(runs[0]!)).toMatchObject({ type: 'run.settled', outcome: { status: 'stopped' } });
});

test('P1: interrupted: rejects with an AbortError that carries the state', async () => {
  const { seen } = await play(async (world) => {
    const going = world.begin(new Agent({ name: 'Slow', model: world.model(hangs()) }), 'go');
    await going.until('turn.started');
    await world.clock.settle();
    going.interrupt();
    return going.settled;
  });
  expect([seen.outcome, seen.error]).toEqual(['interrupted', { name: 'AbortError', message: 'The run was interrupted.' }]);
  expect(lastOf(seen)).toMatchObject({ type: 'run.settled', outcome: { status: 'interrupted' } });
});

test('P1: waiting for approval: resolves, announces that it waits, and has not settled', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 7 })), tools: [refund] }), 'go'));
  expect([seen.outcome, seen.error, seen.interruptions]).toEqual(['waiting', undefined, [
    { id: 'run_test/agent.1/turn.1/toolCall.1.0/approval#1', name: 'refund', arguments: '{"order":7}', path: ['run_test/agent.1/turn.1/toolCall.1.0'] },
  ]]);
  expect(lastOf(seen).type).toBe('run.awaitingApproval');
});

test('P1: a provider error is thrown as it is, with the state', async () => {
  const { seen, value } = await play(async (world) => {
    const { thrown } = await world.run(new Agent({ name: 'Lonely', model: world.model(fails({ status: 503, message: 'down' })) }), 'go');
    return (thrown as { state?: unknown }).state instanceof RunState;
  });
  expect([seen.error, value]).toEqual([{ name: 'ScriptedModelError', message: 'down' }, true]);
});

test('P2: after a stop a session has input, finished items and results', async () => {
  const { sessions } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick')), tools: [counted('tick').tool] });
    const going = world.begin(agent, 'go', { session: world.session() });
    await going.until('tool.started');
    going.softStop();
    return going.settled;
  });
  expect(sessions[0]!.map(({ type }) => type)).toEqual(['message', 'function_call', 'function_call_result']);
});

test('P2: after an interrupt a session has input, finished items and aborted results', async () => {
  const { sessions } = await play(async (world) => {
    const forever = latch();
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick')), tools: [counted('tick', () => forever.promise).tool] });
    const going = world.begin(agent, 'go', { session: world.session(), interruptNotice: false });
    await going.until('tool.started');
    going.interrupt();
    await world.clock.runAll();
    return going.settled;
  });
  expect(sessions[0]).toEqual([
    user('go'),
    { type: 'function_call', callId: 'call_1', name: 'tick', status: 'completed', arguments: '{}' },
    { type: 'function_call_result', name: 'tick', callId: 'call_1', status: 'incomplete', output: { type: 'text', text: `aborted by user after 0.0s. ${MAY_HAVE_COMPLETED}` } },
  ]);
});

test('P2: after a failure a session has what was there before it', async () => {
  const { sessions } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick'), fails({ status: 500 })), tools: [counted('tick').tool] });
    return world.run(agent, 'go', { session: world.session() });
  });
  expect(sessions[0]!.map(({ type }) => type)).toEqual(['message', 'function_call', 'function_call_result']);
});

test('P3: a run id is unique in the world unless the app gives one', async () => {
  const agent = () => new Agent({ name: 'Greeter', model: { getResponse: async () => ({ usage: { requests: 1, inputTokens: 0, outputTokens: 0, totalTokens: 0 } as never, output: [said('Hello.')] }), getStreamedResponse: async function* () {} } });
  const [first, second, given] = await Promise.all([new Runner().run(agent(), 'go'), new Runner().run(agent(), 'go'), new Runner().run(agent(), 'go', { runId: 'mine' })]);
  expect(first.state.runId).not.toBe(second.state.runId);
  expect(first.state.runId).toMatch(/^run_[0-9a-f-]{36}$/);
  expect(given.state.runId).toBe('mine');
});

test('P3: effect ids start with the run id and end in #n; n rises only with a new attempt, never on resume', async () => {
  const { value } = await play(async (world) => {
    const model = world.model(fails({ network: true }), calls('refund', { order: 7 }), says('Done.'));
    const agent = new Agent({ name: 'Desk', model, tools: [refund], modelSettings: { retry: { maxRetries: 1, policy: () => ({ retry: true, delayMs: 0 }) } } });
    const going = world.begin(agent, 'go');
    await world.clock.runAll();
    const waiting = await going.settled;
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    const { state } = await world.run(agent, waiting.state);
    return state.source.entries.flatMap((entry) => ('id' in entry && entry.type !== 'effect.item' ? [`${entry.type} ${entry.id}`] : []));
  });
  expect(value).toEqual([
    'effect.done run_test/agent.1/turn.1/model#1',
    'effect.done run_test/agent.1/turn.1/backoff#1',
    'effect.done run_test/agent.1/turn.1/model#2',
    'decide run_test/agent.1/turn.1/toolCall.2.0/approval#1',
    'effect.started run_test/agent.1/turn.1/toolCall.2.0/execute#1',
    'effect.done run_test/agent.1/turn.1/toolCall.2.0/execute#1',
    'effect.done run_test/agent.1/turn.2/model#1',
  ]);
});

test('P3: going on from an outcome is a new run with an id of its own', async () => {
  const { value } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(fails({ status: 500 }), says('Done.')) });
    const failed = await world.run(agent, 'go');
    const before = failed.state.runId;
    return [before, (await world.run(agent, failed.state)).state.runId];
  });
  expect(value).toEqual(['run_test', 'run_test_2']);
});

test('P5, J3: commands of a handle whose run is over change nothing', async () => {
  const { seen } = await play(async (world) => {
    const going = world.begin(new Agent({ name: 'Greeter', model: world.model(says('Hello.')) }), 'go');
    const seen = await going.settled;
    going.softStop();
    going.interrupt();
    await world.clock.settle();
    expect(seen.state.source.outcome?.status).toBe('completed');
    return seen;
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Hello.']);
});

test('P4: what the runtime wrote is marked as its own, what a person steered in is not', async () => {
  const { seen } = await play(async (world) => {
    const forever = latch();
    const agent = new Agent({ name: 'Worker', model: world.model(says('First.'), calls('tick')), tools: [counted('tick', () => forever.promise).tool] });
    const going = world.begin(agent, 'go');
    await going.until('turn.started');
    (await going.state).addInput('More.');
    await going.until('tool.started');
    going.interrupt();
    await world.clock.runAll();
    return going.settled;
  }, { only: 'streamed' });
  const origins = seen.newItems.map((item) => { const { type, origin } = item as { type: string; origin?: unknown }; return [type, origin]; });
  expect(origins).toEqual([
    ['message_output_item', undefined],
    ['input_item', undefined],
    ['tool_call_item', undefined],
    ['tool_call_output_item', undefined],
    ['input_item', { runtime: 'interrupted' }],
  ]);
});
