/** J1: a soft stop lets the turn in progress finish, and nothing more. */
import { Agent, handoff, run } from 'loopchart';
import { answersWith, calls, fails, says, scriptedModel } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

test('J1: the turn in progress finishes, its tools and its save included; then the run is stopped, and can be gone on from', async () => {
  const { runs, sessions, requests } = await play(async (world) => {
    const atWork = latch<string>();
    const agent = new Agent({ name: 'Worker', model: world.model(calls(['tick'], ['slow']), says('Done.')), tools: [counted('tick').tool, counted('slow', () => atWork.promise).tool] });
    const session = world.session();
    const going = world.begin(agent, 'go', { session });
    await going.until((event) => event.type === 'tool.started' && event.call.name === 'slow');
    going.softStop();
    atWork.open('slow');
    const stopped = await going.settled;
    return world.run(agent, stopped.state, { session });
  });
  expect(runs.map(({ outcome, finalOutput }) => [outcome, finalOutput])).toEqual([['stopped', undefined], ['completed', 'Done.']]);
  expect(runs[0]!.story).toEqual(['Worker: calls tick {}', 'Worker: calls slow {}', 'Worker: gets tick "done"', 'Worker: gets slow "slow"']);
  expect(sessions[0]!.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'function_call', 'function_call', 'function_call_result', 'function_call_result', 'assistant']);
  expect(requests.length).toBe(2);
});

test('J1: asked while the model answers, a final output completes the run', async () => {
  const { seen } = await play(async (world) => {
    const answer = latch<ReturnType<typeof says>>();
    const going = world.begin(new Agent({ name: 'Worker', model: world.model(answersWith(() => answer.promise)) }), 'go');
    await going.until('turn.started');
    going.softStop();
    answer.open(says('Done.'));
    return going.settled;
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Done.']);
});

test('J1: checked before the first turn: a signal that had fired lets nothing be sent', async () => {
  const { seen, requests } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model() }), 'go', { stopSignal: AbortSignal.abort() }));
  expect([seen.outcome, seen.turns, requests.length]).toEqual(['stopped', 0, 0]);
});

test('J1: checked after a handoff: the new agent is announced, and not started', async () => {
  const { runs, requests } = await play(async (world) => {
    const taken = latch();
    const model = world.model(calls('transfer_to_Other'), says('Other here.'));
    const other = new Agent({ name: 'Other', model });
    const agent = new Agent({ name: 'Desk', model, handoffs: [handoff(other, { onHandoff: () => taken.promise })] });
    const going = world.begin(agent, 'go');
    await going.until('handoff.requested');
    going.softStop();
    taken.open();
    const stopped = await going.settled;
    return world.run(agent, stopped.state);
  });
  expect(runs.map(({ outcome, lastAgent }) => [outcome, lastAgent])).toEqual([['stopped', 'Other'], ['completed', 'Other']]);
  expect(runs[0]!.events.filter(({ type, agent }) => type === 'handoff.occurred' || (type === 'agent.started' && agent === 'Other')).map(({ type }) => type)).toEqual(['handoff.occurred']);
  expect(requests.length).toBe(2);
});

test('J1: a backoff ends at once', async () => {
  const { seen, value } = await play(async (world) => {
    const retry = { maxRetries: 3, policy: () => ({ retry: true, delayMs: 60_000 }) };
    const going = world.begin(new Agent({ name: 'Patient', model: world.model(fails({ status: 503 })), modelSettings: { retry } }), 'go');
    await going.until('turn.retrying');
    going.softStop();
    await going.settled;
    return world.clock.now() - Date.UTC(2026, 0, 1);
  });
  expect([seen.outcome, value]).toEqual(['stopped', 0]);
});

test('J1: when only calls are left that wait for a person, it settles at once; gone on from, they wait again, and nothing is run twice', async () => {
  const { runs, value } = await play(async (world) => {
    const slow = latch<string>();
    const tick = counted('tick', () => slow.promise);
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['refund', { order: 7 }], ['tick']), says('Done.')), tools: [refund, tick.tool] });
    const going = world.begin(agent, 'go');
    await going.until('approval.requested');
    going.softStop();
    slow.open('tock');
    const stopped = await going.settled;
    const waiting = await world.run(agent, stopped.state);
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    await world.run(agent, waiting.state);
    return tick.runs;
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['stopped', 'waiting', 'completed']);
  expect(value).toBe(1);
});

test('J1: asked twice it is asked once, and an interrupt still escalates', async () => {
  const { seen, value } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(calls('slow')), tools: [counted('slow', () => new Promise(() => undefined)).tool] });
    const going = world.begin(agent, 'go');
    await going.until('tool.started');
    going.softStop();
    going.softStop();
    await world.clock.settle();
    going.interrupt();
    await world.clock.runAll();
    const { state } = await going.settled;
    return state.source.entries.flatMap((entry) => (entry.type === 'command' ? [entry.command.type] : []));
  });
  expect([seen.outcome, value]).toEqual(['interrupted', ['softStop', 'interrupt']]);
});

test("J1: cancel({ mode: 'afterTurn' }) is a soft stop, and resolves when the run has settled", async () => {
  const atWork = latch<string>();
  const model = scriptedModel(calls('slow'), says('Never.'));
  const stream = await run(new Agent({ name: 'Worker', model, tools: [counted('slow', () => atWork.promise).tool] }), 'go', { stream: true });
  for await (const event of stream) {
    if (event.type !== 'run_item_stream_event' || event.name !== 'tool_called') continue;
    const cancelled = stream.cancel({ mode: 'afterTurn' });
    atWork.open('slow');
    await cancelled;
  }
  expect([stream.cancelled, stream.finalOutput, stream.currentTurn, model.requests.length]).toEqual([false, undefined, 1, 1]);
});
