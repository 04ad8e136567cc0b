/** K5: after a failure or a stop the run continues after the last recorded effect. */
import { Agent, RunState, tool } from 'loopchart';
import { answered, asked, calls, fails, hangs, inputOf, repeat, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { MAY_HAVE_COMPLETED, add, counted, latch, refund } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

test('K5: after a provider failure the finished turns stand and only the failed request is sent again', async () => {
  const { runs, requests, value } = await play(async (world) => {
    const tick = counted('tick');
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick'), fails({ status: 500 }), says('Done.')), tools: [tick.tool] });
    const failed = await world.run(agent, 'go');
    await world.run(agent, failed.state);
    return tick.runs;
  });
  expect(runs.map(({ outcome, finalOutput }) => [outcome, finalOutput])).toEqual([['failed', undefined], ['completed', 'Done.']]);
  expect(requests.slice(1).map(({ input }) => input)).toEqual(Array(2).fill(inputOf('go', asked('tick', {}, 'call_1'), answered('call_1', 'done'))));
  expect(value).toBe(1);
});

test('K5: a failure of the first request keeps the input', async () => {
  const { seen, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(fails({ status: 500 }), says('Done.')) });
    return world.run(agent, (await world.run(agent, 'go')).state);
  });
  expect([seen.finalOutput, requests[1]!.input]).toEqual(['Done.', inputOf('go')]);
});

test('K5: when one tool fails the run, the results of its finished siblings are kept and not produced again', async () => {
  const { runs, value } = await play(async (world) => {
    const tick = counted('tick');
    let works = false;
    const strict = tool({ name: 'strict', description: 'Fails hard, once.', parameters: z.object({}), errorFunction: null, execute: () => { if (works) return 'ok'; throw new Error('broken'); } });
    const agent = new Agent({ name: 'Worker', model: world.model(calls(['tick', {}], ['strict', {}]), says('Done.')), tools: [tick.tool, strict] });
    const failed = await world.run(agent, 'go');
    works = true;
    await world.run(agent, failed.state);
    return tick.runs;
  });
  expect(runs.map(({ outcome, error }) => [outcome, error?.name])).toEqual([['failed', 'ToolCallError'], ['completed', undefined]]);
  expect(runs[1]!.story).toEqual(['Worker: calls tick {}', 'Worker: calls strict {}', 'Worker: gets tick "done"', 'Worker: gets strict "ok"', 'Worker: says "Done."']);
  expect(value).toBe(1);
});

test('K5: from the text of a failed state it goes on as from the object', async () => {
  const { runs } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(calls('add', { a: 1, b: 2 }), fails({ status: 500 }), says('3')), tools: [add] });
    const failed = await world.run(agent, 'go');
    return world.run(agent, await RunState.fromString<undefined, Agent<any, any>>(agent, failed.state.toString()));
  });
  expect(runs.map(({ outcome, finalOutput, turns }) => [outcome, finalOutput, turns])).toEqual([['failed', undefined, 2], ['completed', '3', 3]]);
  expect(runs[1]!.story).toEqual(['Worker: calls add {"a":1,"b":2}', 'Worker: gets add "3"', 'Worker: says "3"']);
});

test('K5, G1: a session gets every item once, however often the run fails on its way', async () => {
  const { sessions } = await play(async (world) => {
    const session = world.session();
    const agent = new Agent({ name: 'Worker', model: world.model(fails({ status: 500 }), calls('add', { a: 1, b: 2 }), fails({ status: 500 }), says('3')), tools: [add] });
    let seen = await world.run(agent, 'go', { session });
    while (seen.outcome === 'failed') seen = await world.run(agent, seen.state, { session });
    return seen;
  });
  expect(sessions[0]!.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'function_call', 'function_call_result', 'assistant']);
});

test('J1, K5: stopped while a call waits for approval, the run keeps the request and goes on with the decision', async () => {
  const { runs } = await play(async (world) => {
    const forever = latch();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['refund', { order: 7 }], ['tick', {}]), says('Refunded.')), tools: [refund, counted('tick', () => forever.promise.then(() => 'tock')).tool] });
    const going = world.begin(agent, 'go');
    await going.until('tool.started');
    going.softStop();
    forever.open();
    const stopped = await going.settled;
    const waiting = await world.run(agent, stopped.state);
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    return world.run(agent, waiting.state);
  });
  expect(runs.map(({ outcome, finalOutput }) => [outcome, finalOutput])).toEqual([['stopped', undefined], ['waiting', undefined], ['completed', 'Refunded.']]);
  expect(runs[2]!.story).toEqual([
    'Desk: calls refund {"order":7}', 'Desk: calls tick {}', 'Desk: gets refund "refunded 7"', 'Desk: gets tick "tock"', 'Desk: says "Refunded."',
  ]);
});

test('K5: after an interrupt the model reads what was aborted, and the run goes on', async () => {
  const { runs, requests } = await play(async (world) => {
    const forever = latch();
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick'), says('I see.')), tools: [counted('tick', () => forever.promise).tool] });
    const going = world.begin(agent, 'go');
    await going.until('tool.started');
    going.interrupt();
    await world.clock.runAll();
    const cut = await going.settled;
    return world.run(agent, cut.state);
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['interrupted', 'completed']);
  expect(requests[1]!.input.slice(2)).toEqual([
    { type: 'function_call_result', name: 'tick', callId: 'call_1', status: 'incomplete', output: { type: 'text', text: `aborted by user after 0.0s. ${MAY_HAVE_COMPLETED}` } },
    expect.objectContaining({ role: 'user', content: expect.stringContaining('interrupted on purpose') }),
  ]);
});

test('K5: an interrupted request is sent again when the run goes on', async () => {
  const { seen, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Slow', model: world.model(hangs(), says('There.')) });
    const going = world.begin(agent, 'go', { interruptNotice: false });
    await going.until('turn.started');
    await world.clock.settle();
    going.interrupt();
    return world.run(agent, (await going.settled).state);
  });
  expect([seen.outcome, requests.map(({ input }) => input)]).toEqual(['completed', [inputOf('go'), inputOf('go')]]);
});

test('K5: a completed run can be continued with more input', async () => {
  const { runs, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Talker', model: world.model(says('Hello.'), says('Fine.')) });
    const first = await world.run(agent, 'go');
    first.state.addInput('How are you?');
    return world.run(agent, first.state);
  });
  expect(runs.map(({ finalOutput }) => finalOutput)).toEqual(['Hello.', 'Fine.']);
  expect(requests[1]!.input.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'assistant', 'user']);
});

test('K5: a run that has its answer is not asked again: its state brings the same result', async () => {
  const { runs, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Talker', model: world.model(says('Hello.')) });
    const first = await world.run(agent, 'go');
    return world.run(agent, first.state);
  });
  expect({ ...runs[1]! }).toEqual({ ...runs[0]! });
  expect(requests.length).toBe(1);
});

test('B1, K5: going on, the limit of the failed run stands', async () => {
  const { runs } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(repeat(12, calls('tick')), fails({ status: 500 }), says('Done.')), tools: [counted('tick').tool] });
    const failed = await world.run(agent, 'go', { maxTurns: 20 });
    return world.run(agent, failed.state);
  });
  expect(runs.map(({ outcome, turns }) => [outcome, turns])).toEqual([['failed', 13], ['completed', 14]]);
});

test('K5: a state of a run that is going is refused', async () => {
  const { value } = await play(async (world) => {
    const agent = new Agent({ name: 'Slow', model: world.model(hangs()) });
    const going = world.begin(agent, 'go');
    await going.until('turn.started');
    const refused = await world.run(agent, await going.state);
    going.interrupt();
    await going.settled;
    return refused.error?.name;
  }, { only: 'streamed' });
  expect(value).toBe('StaleStateError');
});
