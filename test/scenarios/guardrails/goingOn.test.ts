/** E1, K5: an input that guardrails have not passed is looked at by whoever goes on; one that they have passed is not looked at again. */
import { Agent, type InputGuardrail } from 'loopchart';
import { calls, fails, hangs, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

/** A guardrail that counts how often it looked. */
function guard(name: string, verdict: () => boolean | Promise<boolean>, options: { runInParallel?: boolean } = {}): InputGuardrail & { looks: number } {
  const made = {
    name, ...options, looks: 0,
    execute: async () => {
      made.looks += 1;
      return { tripwireTriggered: await verdict(), outputInfo: name };
    },
  };
  return made;
}

/** A run that trips, and the run that goes on from it. */
const trippedTwice = (runInParallel: boolean) =>
  play(async (world) => {
    const strict = guard('strict', () => true, { runInParallel });
    const agent = new Agent({ name: 'A', model: world.model(...(runInParallel ? [hangs(), hangs()] : [])), inputGuardrails: [strict] });
    const tripped = await world.run(agent, 'bad words');
    const again = await world.run(agent, tripped.state);
    return [tripped.error?.name, again.error?.name, strict.looks];
  });

test('E1, K5: gone on from after it tripped, a blocking guardrail looks again before the model is asked', async () => {
  const { value, requests } = await trippedTwice(false);
  expect([value, requests.length]).toEqual([['InputGuardrailTripwireTriggered', 'InputGuardrailTripwireTriggered', 2], 0]);
});

test('E1, K5: gone on from after it tripped, a parallel guardrail looks again beside the model', async () => {
  const { value, requests } = await trippedTwice(true);
  expect([value, requests.length]).toEqual([['InputGuardrailTripwireTriggered', 'InputGuardrailTripwireTriggered', 2], 2]);
});

test('E1, K5: interrupted before the guardrails had looked, the run that goes on starts no tool before they have', async () => {
  const tick = counted('tick');
  const { value } = await play(async (world) => {
    tick.runs = 0;
    const looking = latch<boolean>();
    let nth = 0;
    const slow = guard('slow', () => ((nth += 1) === 1 ? looking.promise : true));
    const agent = new Agent({ name: 'A', model: world.model(calls('tick'), calls('tick')), tools: [tick.tool], inputGuardrails: [slow] });
    const going = world.begin(agent, 'go');
    await world.clock.settle();
    going.interrupt();
    looking.open(false);
    const interrupted = await going.settled;
    const again = await world.run(agent, interrupted.state);
    return [interrupted.outcome, again.error?.name, slow.looks, tick.runs];
  });
  expect(value).toEqual(['interrupted', 'InputGuardrailTripwireTriggered', 2, 0]);
});

test('E1, K5: an input that was passed is not looked at again, however often the run is gone on from', async () => {
  const { value } = await play(async (world) => {
    const calm = guard('calm', () => false);
    const agent = new Agent({ name: 'A', model: world.model(fails({ status: 500 }), fails({ status: 500 }), says('There.')), inputGuardrails: [calm] });
    const first = await world.run(agent, 'go');
    const second = await world.run(agent, first.state);
    const third = await world.run(agent, second.state);
    return [third.finalOutput, calm.looks];
  });
  expect(value).toEqual(['There.', 1]);
});
