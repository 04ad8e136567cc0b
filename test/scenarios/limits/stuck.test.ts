/** B3: an agent that goes in circles is told once; when it goes on, the run fails. */
import { Agent, ModelBehaviorError, tool } from 'loopchart';
import { answersWith, calls, repeat, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch } from '../support/cast.ts';
import { play, type Seen } from '../support/scenario.ts';

const notices = ({ newItems }: Seen) => (newItems as { origin?: { runtime?: string } }[]).filter(({ origin }) => origin?.runtime === 'nudge').length;
const codeOf = ({ state }: Seen) => state.source.outcome?.failure?.code;
/** Each call fails; the model may write other arguments. */
const broken = tool({ name: 'broken', description: 'Fails.', parameters: z.object({ n: z.number() }), execute: () => { throw new Error(`no ${Math.PI}`); } });
/** Two tools that bring the same each time. */
const pingPong = () => [counted('ping').tool, counted('pong').tool];

test('B3: the fourth same call with the same result brings a notice, the fifth fails the run', async () => {
  const { seen, requests, value } = await play(async (world) => {
    const tick = counted('tick');
    const { thrown } = await world.run(new Agent({ name: 'Worker', model: world.model(repeat(6, calls('tick'))), tools: [tick.tool] }), 'go', { stuckDetection: true });
    return { runs: tick.runs, isClass: thrown instanceof ModelBehaviorError };
  });
  expect([seen.outcome, codeOf(seen), requests.length, value, notices(seen)]).toEqual(['failed', 'stuck.repetition', 5, { runs: 5, isClass: true }, 1]);
  expect(requests[4]!.input.at(-1)).toMatchObject({ content: 'You are going in circles: the same call brought the same result again and again. Try something else, or answer with what you have and say what keeps you from going on.' });
  expect(seen.error?.message).toBe('The agent is stuck: the same call brought the same result again and again, and went on after it was told.');
});

test('B3: an agent that listens to the notice goes on; a new streak has a notice of its own', async () => {
  const { seen } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(repeat(4, calls('ping')), calls('pong'), repeat(4, calls('ping')), says('Done.')), tools: pingPong() });
    return world.run(agent, 'go', { stuckDetection: true, maxTurns: 20 });
  });
  expect([seen.outcome, notices(seen)]).toEqual(['completed', 2]);
});

test('B3: the same call failing three times, whatever it says, is a streak', async () => {
  const { seen, requests } = await play(async (world) =>
    world.run(new Agent({ name: 'Worker', model: world.model(repeat(5, calls('broken', { n: 1 }))), tools: [broken] }), 'go', { stuckDetection: true }));
  expect([codeOf(seen), requests.length, notices(seen)]).toEqual(['stuck.failing', 4, 1]);
});

test('B3: the same message three times with no tool between is a streak; a limit that hooks do not override', async () => {
  const { seen, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(repeat(5, says('Done.'))) });
    return world.run(agent, 'go', { stuckDetection: true, stopHooks: [{ name: 'never', execute: () => ({ objection: 'Not yet.' }) }] });
  });
  // Told after the third; at the fourth the objection is overruled, and the answer stands (A3, B4).
  expect([seen.outcome, seen.finalOutput, requests.length, notices(seen)]).toEqual(['completed', 'Done.', 4, 1]);
  expect(seen.events.filter(({ type }) => type === 'stopHook.objected').map((event) => 'overruled' in event)).toEqual([false, false, false, true]);
});

test('B3: two calls by turns, three times each, are a streak', async () => {
  const { seen, requests } = await play(async (world) =>
    world.run(new Agent({ name: 'Worker', model: world.model(repeat(4, calls('ping'), calls('pong'))), tools: pingPong() }), 'go', { stuckDetection: true }));
  expect([codeOf(seen), requests.length, notices(seen)]).toEqual(['stuck.alternating', 7, 1]);
});

test('B3: arguments are compared in one form, and call ids do not count', async () => {
  const { seen } = await play(async (world) => {
    const add = tool({ name: 'add', description: 'Adds.', parameters: z.object({ a: z.number(), b: z.number() }), execute: () => '3' });
    const ways = ['{"a":1,"b":2}', '{ "b": 2, "a": 1 }', '{"a":1.0,"b":2}', '{"a":1,"b":2}', '{"b":2,"a":1}'];
    return world.run(new Agent({ name: 'Adder', model: world.model(...ways.map((args) => calls('add', args))), tools: [add] }), 'go', { stuckDetection: true });
  });
  expect(codeOf(seen)).toBe('stuck.repetition');
});

test('B3: other results, other arguments and repeatable tools are no streak', async () => {
  const { runs } = await play(async (world) => {
    let polls = 0;
    const poll = tool({ name: 'poll', description: 'Polls.', parameters: z.object({}), repeatable: true, execute: () => 'not yet' });
    const count = tool({ name: 'count', description: 'Counts.', parameters: z.object({}), execute: () => String((polls += 1)) });
    const look = tool({ name: 'look', description: 'Looks.', parameters: z.object({ at: z.number() }), execute: () => 'nothing' });
    for (const turns of [repeat(8, calls('poll')), repeat(8, calls('count')), repeat(8, answersWith((_, at) => calls('look', { at })))]) {
      await world.run(new Agent({ name: 'Worker', model: world.model(turns, says('Done.')), tools: [poll, count, look] }), 'go', { stuckDetection: true });
    }
  });
  expect(runs.map((seen) => [seen.outcome, notices(seen)])).toEqual([['completed', 0], ['completed', 0], ['completed', 0]]);
});

test('B3: only what came after the last input of the user counts', async () => {
  const { seen } = await play(async (world) => {
    const slow = latch<string>();
    const tick = counted('tick', () => (tick.runs === 3 ? slow.promise : 'done'));
    const going = world.begin(new Agent({ name: 'Worker', model: world.model(repeat(6, calls('tick')), says('Done.')), tools: [tick.tool] }), 'go', { stuckDetection: true });
    await going.until((event) => event.type === 'tool.started' && event.path.includes('/turn.3/'));
    (await going.state).addInput('go on');
    slow.open('done');
    return going.settled;
  }, { only: 'streamed' });
  expect([seen.outcome, notices(seen)]).toEqual(['completed', 0]);
});

test('B3: off unless it is asked for', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model(repeat(8, calls('tick')), says('Done.')), tools: [counted('tick').tool] }), 'go'));
  expect([seen.outcome, notices(seen)]).toEqual(['completed', 0]);
});

test('B3: thresholds may be set, and are checked', async () => {
  const { runs } = await play(async (world) => {
    const agent = () => new Agent({ name: 'Worker', model: world.model(repeat(3, calls('tick'))), tools: [counted('tick').tool] });
    await world.run(agent(), 'go', { stuckDetection: { repetition: 2 } });
    await world.run(agent(), 'go', { stuckDetection: { failing: 1 } });
  });
  expect(runs.map(({ turns, error }) => [turns, error?.message])).toEqual([
    [3, 'The agent is stuck: the same call brought the same result again and again, and went on after it was told.'],
    [0, 'stuckDetection.failing must be a whole number of at least 2; got 1.'],
  ]);
});

test('B3, F5: a nested agent is watched too: its run fails, and the outer agent reads that', async () => {
  const { seen } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(repeat(5, calls('tick'))), tools: [counted('tick').tool] });
    return world.run(new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'go' }), says('Too bad.')), tools: [inner.asTool({})] }), 'go', { stuckDetection: true });
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Too bad.']);
  expect(seen.events.find((event) => event.type === 'run.settled' && event.agent === 'Inner')).toMatchObject({ outcome: { failure: { code: 'stuck.repetition' } } });
});

test('B4: an answer that repeats itself is an answer', async () => {
  const { seen } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(repeat(4, calls('tick')), says('Done.')), tools: [counted('tick').tool] });
    return world.run(agent, 'go', { stuckDetection: { repetition: 4, monologue: 2 } });
  });
  expect([seen.outcome, notices(seen)]).toEqual(['completed', 1]);
});
