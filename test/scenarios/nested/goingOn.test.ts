/** F5 with K5, O2: what a nested run had done when the run around it ended is not done again. */
import { Agent, RunState, tool } from 'loopchart';
import { answersWith, calls, fails, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type Counted, counted, latch, refund } from '../support/cast.ts';
import { play, type World } from '../support/scenario.ts';

/** Inner ticks, then pays back, then answers: whatever it is shown decides what comes next, as with a real model. */
function innerWith(world: World, tick: Counted): Agent<any, any> {
  const steps = [calls('tick', {}, { callId: 'c1' }), calls('refund', { order: 7 }, { callId: 'c2' }), says('inner')];
  const next = answersWith(({ input }) => steps[(input.length - 1) / 2]!);
  return new Agent({ name: 'Inner', model: world.model(next, next, next), tools: [tick.tool, refund] });
}
const approve = (state: RunState<any, any>) => state.approve(state.getInterruptions()[0]!);

test.each(['object', 'text'])('J1, O2: stopped while a nested call waits, going on from the %s repeats nothing', async (from) => {
  const { runs, value } = await play(async (world) => {
    const [tick, atWork] = [counted('tick'), latch()];
    const slow = counted('slow', () => atWork.promise.then(() => 'slow'));
    const outer = new Agent({ name: 'Outer', model: world.model(calls(['Inner', { input: 'i' }], ['slow', {}]), says('outer')), tools: [innerWith(world, tick).asTool({}), slow.tool] });
    const going = world.begin(outer, 'go');
    await going.until('approval.requested');
    going.softStop();
    atWork.open();
    const stopped = await going.settled;
    const state = from === 'object' ? stopped.state : await RunState.fromString<undefined, Agent<any, any>>(outer, stopped.state.toString());
    const waiting = await world.run(outer, state);
    approve(waiting.state);
    await world.run(outer, waiting.state);
    return [tick.runs, slow.runs];
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['stopped', 'waiting', 'completed']);
  expect(value).toEqual([1, 1]);
});

test('K5, O2: failed by a sibling while a nested call waits, going on repeats nothing', async () => {
  const { runs, value } = await play(async (world) => {
    const tick = counted('tick');
    let works = false;
    const asked = latch();
    const strict = tool({ name: 'strict', description: 'Fails hard, once.', parameters: z.object({}), errorFunction: null, execute: async () => { await asked.promise; if (works) return 'ok'; throw new Error('broken'); } });
    const outer = new Agent({ name: 'Outer', model: world.model(calls(['Inner', { input: 'i' }], ['strict', {}]), says('outer')), tools: [innerWith(world, tick).asTool({}), strict] });
    const going = world.begin(outer, 'go');
    await going.until('approval.requested');
    asked.open();
    const failed = await going.settled;
    works = true;
    const waiting = await world.run(outer, failed.state);
    approve(waiting.state);
    await world.run(outer, waiting.state);
    return tick.runs;
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['failed', 'waiting', 'completed']);
  expect(value).toBe(1);
});

test('K5, O2: when the nested run itself fails, its call has failed; the outer run goes on without it', async () => {
  const { runs, requests } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(fails({ status: 500 })) });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'i' }), fails({ status: 500 }), says('outer')), tools: [inner.asTool({})] });
    return world.run(outer, (await world.run(outer, 'go')).state);
  });
  expect([runs.map(({ outcome }) => outcome), requests.length]).toEqual([['failed', 'completed'], 4]);
});
