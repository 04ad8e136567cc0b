/** B1, B4: the limit of turns, what counts as one, and that a final output is never lost to it. */
import { Agent, MaxTurnsExceededError, RunState } from 'loopchart';
import { calls, fails, repeat, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, refund } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

test('B1: the error is raised when turn N+1 would start, after the tools of turn N have run', async () => {
  const { seen, requests, value } = await play(async (world) => {
    const tick = counted('tick');
    const { thrown } = await world.run(new Agent({ name: 'Worker', model: world.model(calls('tick'), calls('tick')), tools: [tick.tool] }), 'go', { maxTurns: 1 });
    return { runs: tick.runs, isClass: thrown instanceof MaxTurnsExceededError };
  });
  expect([seen.outcome, seen.error, requests.length]).toEqual(['failed', { name: 'MaxTurnsExceededError', message: 'Max turns (1) exceeded' }, 1]);
  expect(value).toEqual({ runs: 1, isClass: true });
  expect(seen.story).toEqual(['Worker: calls tick {}', 'Worker: gets tick "done"']);
});

test('B1: without a word of the caller a run has ten turns', async () => {
  const { seen, requests } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model(repeat(11, calls('tick'))), tools: [counted('tick').tool] }), 'go'));
  expect([seen.error?.message, seen.turns, requests.length]).toEqual(['Max turns (10) exceeded', 10, 10]);
});

test('B1: null is no limit', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model(repeat(15, calls('tick')), says('Done.')), tools: [counted('tick').tool] }), 'go', { maxTurns: null }));
  expect([seen.outcome, seen.turns]).toEqual(['completed', 16]);
});

test('B1: zero is immediate: nothing is sent', async () => {
  const { seen, requests } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model(says('Never.')) }), 'go', { maxTurns: 0 }));
  expect([seen.error?.message, seen.turns, requests.length]).toEqual(['Max turns (0) exceeded', 0, 0]);
});

test('B1: exactly as many turns as are allowed is no excess', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model(calls('tick'), says('Done.')), tools: [counted('tick').tool] }), 'go', { maxTurns: 2 }));
  expect([seen.outcome, seen.turns]).toEqual(['completed', 2]);
});

test('B4: an answer in the last turn that is allowed completes the run', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model(says('Done.')) }), 'go', { maxTurns: 1 }));
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Done.']);
});

test('B4: a tool that ends the run in the last turn completes it too', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model(calls('tick')), tools: [counted('tick').tool], toolUseBehavior: 'stop_on_first_tool' }), 'go', { maxTurns: 1 }));
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'done']);
});

test('B1: a retried request is one turn', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(fails({ network: true }), fails({ network: true }), says('There.'));
    const retry = { maxRetries: 2, policy: () => ({ retry: true, delayMs: 0 }) };
    const going = world.begin(new Agent({ name: 'Patient', model, modelSettings: { retry } }), 'go', { maxTurns: 1 });
    await world.clock.runAll();
    return going.settled;
  });
  expect([seen.outcome, seen.turns, requests.length]).toEqual(['completed', 1, 3]);
});

test('B1: a turn whose request was never sent does not count, one that was sent and failed does', async () => {
  const { runs } = await play(async (world) => {
    const broken = new Agent({ name: 'Broken', model: world.model(says('Never.')), instructions: () => { throw new Error('no instructions'); } });
    await world.run(broken, 'go');
    await world.run(new Agent({ name: 'Lonely', model: world.model(fails({ network: true })) }), 'go');
  });
  expect(runs.map(({ outcome, turns }) => [outcome, turns])).toEqual([['failed', 0], ['failed', 1]]);
});

test('B1: a nested run counts for itself', async () => {
  const { seen } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(repeat(3, calls('tick')), says('inner')), tools: [counted('tick').tool] });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'count' }), says('outer')), tools: [inner.asTool({})] });
    return world.run(outer, 'go', { maxTurns: 2 });
  });
  expect([seen.outcome, seen.turns]).toEqual(['completed', 2]);
});

test('B1: turns are counted over handoffs', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls('transfer_to_Second'), calls('tick'), says('Never.'));
    const second = new Agent({ name: 'Second', model, tools: [counted('tick').tool] });
    return world.run(new Agent({ name: 'First', model, handoffs: [second] }), 'go', { maxTurns: 2 });
  });
  expect([seen.outcome, seen.error?.name, seen.turns, seen.lastAgent]).toEqual(['failed', 'MaxTurnsExceededError', 2, 'Second']);
});

test('B1: on resume counting goes on', async () => {
  const { runs } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 7 }), calls('refund', { order: 8 }), says('Never.')), tools: [refund] });
    const first = await world.run(agent, 'go', { maxTurns: 2 });
    first.state.approve(first.state.getInterruptions()[0]!);
    const second = await world.run(agent, first.state);
    second.state.approve(second.state.getInterruptions()[0]!);
    return world.run(agent, second.state);
  });
  expect(runs.map(({ outcome, turns, error }) => [outcome, turns, error?.message])).toEqual([['waiting', 1, undefined], ['waiting', 2, undefined], ['failed', 2, 'Max turns (2) exceeded']]);
});

test('B1: a limit given on resume replaces the stored one', async () => {
  const { runs } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 7 }), says('Refunded.')), tools: [refund] });
    const first = await world.run(agent, 'go', { maxTurns: 1 });
    first.state.approve(first.state.getInterruptions()[0]!);
    return world.run(agent, first.state, { maxTurns: 3 });
  });
  expect(runs.map(({ outcome, finalOutput }) => [outcome, finalOutput])).toEqual([['waiting', undefined], ['completed', 'Refunded.']]);
});

test('B1, K5: with a higher limit the run goes on from the error, and repeats no tool', async () => {
  const { runs, value } = await play(async (world) => {
    const tick = counted('tick');
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick'), says('Done.')), tools: [tick.tool] });
    const failed = await world.run(agent, 'go', { maxTurns: 1 });
    await world.run(agent, (failed.thrown as MaxTurnsExceededError).state as RunState<any, any>, { maxTurns: 2 });
    return tick.runs;
  });
  expect(runs.map(({ outcome, turns }) => [outcome, turns])).toEqual([['failed', 1], ['completed', 2]]);
  expect(value).toBe(1);
});

test.each([-1, 1.5, Number.NaN])('B1: %s is no limit that means anything', async (maxTurns) => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model() }), 'go', { maxTurns }));
  expect([seen.outcome, seen.error?.name]).toEqual(['refused', 'UserError']);
});
