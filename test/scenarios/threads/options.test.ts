/** E3, G2, H1, J2, K3 on threads: what an app may say of a run, it may say of all runs of a thread. */
import { Agent, type RunErrorData, Runner, type AgentInputItem } from 'loopchart';
import { answered, calls, hangs, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { type PlayedThread, playThread } from '../support/threadScenario.ts';

const deltasIn = (events: readonly unknown[]) => events.filter((event) => (event as { type: string }).type === 'delta').length;
const asked = async (thread: PlayedThread, settle: () => Promise<void>) => (await thread.until('turn.started'), settle());
const briefly = (item: AgentInputItem) => ('role' in item ? item.role : item.type);

test('K3: an error handler is shown the run as that of run() is: its input, items, history, responses and agent', async () => {
  const seen: RunErrorData<any, any>[] = [];
  const { value, seen: thread } = await playThread(async (world) => {
    const look = counted('look', 'seen');
    const agent = new Agent({ name: 'Worker', model: world.model(says('Hi.'), calls('look', {}, { responseId: 'resp_1' })), tools: [look.tool] });
    const made = world.thread(agent, { maxTurns: 1, errorHandlers: { maxTurns: ({ runData }) => (seen.push(runData), { finalOutput: 'As far as I came.' }) } });
    await made.run('Hello.');
    const { how, finalOutput } = await made.run('Look.');
    return [how, finalOutput];
  });
  expect(value).toEqual(['handler', 'As far as I came.']);
  const [data] = seen;
  expect([data!.input, data!.newItems.map(({ type }) => type), data!.history.map(briefly), data!.output.map(({ type }) => type), data!.rawResponses.map(({ responseId }) => responseId), data!.lastAgent?.name]).toEqual([
    [user('Look.')], ['tool_call_item', 'tool_call_output_item'], ['user', 'assistant', 'user', 'function_call', 'function_call_result'], ['function_call', 'function_call_result'], ['resp_1'], 'Worker',
  ]);
  expect(thread.history.at(-1)).toMatchObject({ role: 'assistant', content: [{ text: 'As far as I came.' }] });
});

test('K3, F5: the error handler of an agent that is used as a tool is shown its run', async () => {
  const seen: RunErrorData<any, any>[] = [];
  await playThread(async (world) => {
    const look = counted('look', 'seen');
    const inner = new Agent({ name: 'Inner', model: world.model(calls('look')), tools: [look.tool] });
    const tool = inner.asTool({ runOptions: { maxTurns: 1, errorHandlers: { maxTurns: ({ runData }) => (seen.push(runData), { finalOutput: 'inner' }) } } });
    return world.thread(new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'i' }), says('outer')), tools: [tool] })).run('go');
  }, { immortal: 'it counts what the app hears, which is at least once' });
  expect(seen.map(({ input, newItems, lastAgent }) => [input, newItems.length, lastAgent?.name])).toEqual([[[user('i')], 2, 'Inner']]);
});

test('H1, H2: hooks of the runner and of agents hear of every run, and not again of what was recorded', async () => {
  const heard: string[] = [];
  await playThread(async (world) => {
    const runner = new Runner({ hooks: { agentStart: (_context, agent) => void heard.push(`${agent.name} starts`), toolEnd: (_context, _agent, tool) => void heard.push(`${tool.name} ends`) } });
    const agent = new Agent({ name: 'Desk', model: world.model(says('Hi.'), calls('refund', { order: 7 }), says('Paid.')), tools: [refund] });
    agent.on('agent_end', (_context, output) => void heard.push(`says ${output}`));
    const thread = world.thread(agent, { runner });
    await thread.run('Hello.');
    void thread.run('Pay.');
    await thread.until('run.awaitingApproval');
    const again = await world.reopen(thread);
    await again.approve(again.interruptions[0]!);
    await again.until((event) => event.type === 'run.settled' && event.path.endsWith('run.2'));
  }, { immortal: 'it counts what the app is asked, which is at least once' });
  expect(heard).toEqual(['Desk starts', 'says Hi.', 'Desk starts', 'refund ends', 'says Paid.']);
});

test('E3: with bufferUntilGuarded no text streams before the output guardrails have passed it', async () => {
  const events: { type: string }[] = [];
  const { value } = await playThread(async (world) => {
    const gate = latch();
    let trips = false;
    const guardrail = { name: 'calm', execute: async () => (await gate.promise, { tripwireTriggered: trips, outputInfo: null }) };
    const agent = new Agent({ name: 'Speaker', model: world.model(says('One two three.'), says('Secret words.')), outputGuardrails: [guardrail] });
    const thread = world.thread(agent, { bufferUntilGuarded: true, onEvent: (event) => void events.push(event) });
    const going = thread.run('Speak.');
    await asked(thread, () => world.clock.settle());
    const held = deltasIn(events);
    gate.open();
    await going;
    const told = deltasIn(events);
    trips = true;
    const error = await thread.run('Tell.').result.catch((thrown: Error) => thrown.name);
    return [held, told > 0, deltasIn(events) - told, error];
  });
  expect(value).toEqual([0, true, 0, 'OutputGuardrailTripwireTriggered']);
});

test.each([[{}, ['user', 'assistant', 'user'], 3], [{ keepPartial: false }, ['user', 'user'], 2], [{ interruptNotice: false }, ['user', 'assistant'], 2]])('J2: an interrupt keeps what had streamed and tells the model of it; with %j', async (options, kinds, length) => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'Speaker', model: world.model(hangs(3, says('One two three.'))) }), options);
    const going = thread.run('Speak.');
    await asked(thread, () => world.clock.settle());
    await thread.interrupt();
    await going.result.catch(() => undefined);
    return thread.look.history.length;
  });
  expect([seen.history.map(briefly), value]).toEqual([kinds, length]);
});

test('C8, J2: graceMs is how long an interrupt waits for a body, and the next run with it; one that was left behind is waited for once', async () => {
  const { value } = await playThread(async (world) => {
    const deaf = counted('deaf', () => new Promise(() => undefined));
    const thread = world.thread(new Agent({ name: 'Worker', model: world.model(calls('deaf'), says('Two.'), says('Three.')), tools: [deaf.tool] }), { graceMs: 5_000 });
    thread.run('go').result.catch(() => undefined);
    await thread.until('tool.started');
    await world.clock.settle();
    const times: number[] = [];
    const start = world.clock.now();
    const interrupting = thread.interrupt().then(() => times.push(world.clock.now() - start));
    const next = thread.run('more').result.then(() => times.push(world.clock.now() - start));
    await world.clock.advance(4_999);
    const before = times.length;
    await world.clock.advance(1);
    await Promise.all([interrupting, next]);
    await thread.run('again');
    times.push(world.clock.now() - start);
    return [before, times];
  });
  expect(value).toEqual([0, [5_000, 5_000, 5_000]]);
});

test('J2, J3: a run that is interrupted before it could begin ends like any other', async () => {
  const { value, seen, requests } = await playThread(async (world) => {
    const deaf = counted('deaf', () => new Promise(() => undefined));
    const thread = world.thread(new Agent({ name: 'Worker', model: world.model(calls('deaf'), says('Never.')), tools: [deaf.tool] }), { graceMs: 5_000 });
    thread.run('go').result.catch(() => undefined);
    await thread.until('tool.started');
    await world.clock.settle();
    const first = thread.interrupt();
    const next = thread.run('more');
    await next.started;
    const second = thread.interrupt();
    const error = await next.result.then(() => undefined, (thrown: Error) => thrown.name);
    await world.clock.advance(5_000);
    return [error, (await first).status, (await second).status];
  }, { immortal: 'in another process nothing of the run before is at work' });
  expect(value).toEqual(['AbortError', 'accepted', 'accepted']);
  expect([seen.runs, requests.length]).toEqual([['run.1 from command: interrupted', 'run.2 from command: interrupted'], 1]);
});

test('G2: with autoPreviousResponseId the provider keeps the conversation, over runs and processes: only what is new is sent', async () => {
  const { requests, seen } = await playThread(async (world) => {
    const look = counted('look', 'seen');
    const model = world.model(calls('look', {}, { responseId: 'resp_1' }), says('One.', { responseId: 'resp_2' }), says('Two.', { responseId: 'resp_3' }), says('Three.', { responseId: 'resp_4' }), says('Four.', { responseId: 'resp_5' }));
    const thread = world.thread(new Agent({ name: 'Worker', model, tools: [look.tool] }), { autoPreviousResponseId: true });
    await thread.run('Un.');
    await thread.run('Deux.');
    const again = await world.reopen(thread);
    await again.inject([user('By the way.')]);
    await again.run('Trois.');
    expect(await again.compact()).toMatchObject({ status: 'noEffect' }); // the provider keeps all of it
    await again.run('Quatre.');
  });
  expect(requests.map(({ previousResponseId, input }) => [previousResponseId, input])).toEqual([
    [undefined, [user('Un.')]], ['resp_1', [answered('call_1', 'seen', 'look')]], ['resp_2', [user('Deux.')]], ['resp_3', [user('By the way.'), user('Trois.')]], ['resp_4', [user('Quatre.')]],
  ]);
  expect(seen.history.length).toBe(11);
});

test('G2, J2: after an interrupt the results that the provider lacks are sent with the next run; after a revert everything is', async () => {
  const { requests } = await playThread(async (world) => {
    const slow = counted('slow', () => new Promise(() => undefined));
    const model = world.model(says('One.', { responseId: 'resp_1' }), calls('slow', {}, { responseId: 'resp_2' }), says('Two.', { responseId: 'resp_3' }), says('Three.', { responseId: 'resp_4' }));
    const thread = world.thread(new Agent({ name: 'Worker', model, tools: [slow.tool] }), { autoPreviousResponseId: true });
    await thread.run('Un.');
    const [first] = thread.look.runs;
    thread.run('Deux.').result.catch(() => undefined);
    await thread.until('tool.started');
    const interrupting = thread.interrupt();
    await world.clock.advance(100);
    await interrupting;
    await thread.run('Trois.');
    await thread.revert({ runId: first!.runId });
    await thread.run('Quatre.');
  });
  expect(requests.map(({ previousResponseId, input }) => [previousResponseId, input.map((item) => briefly(item as AgentInputItem))])).toEqual([
    [undefined, ['user']], ['resp_1', ['user']], ['resp_2', ['function_call_result', 'user', 'user']], [undefined, ['user', 'assistant', 'user']],
  ]);
});
