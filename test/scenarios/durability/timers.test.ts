/** O6: time that passed while no process was there has passed: what is left of a timer is waited for, one that is overdue fires at once. */
import { Agent, MemoryJournal, tool } from 'loopchart';
import { answered, calls, fails, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { MAY_HAVE_COMPLETED } from '../support/cast.ts';
import { brief, mortal } from '../support/mortal.ts';
import { type World, play } from '../support/scenario.ts';

/** How long no process was there, in ms, of a timer of 5 s; and after how many the timer of the next one fires. */
const GAPS = [[0, 3_000], [1_000, 2_000], [2_999, 1], [3_000, 0], [3_600_000, 0]] as const;

/** A process that dies 2 s after it began. */
async function twoSeconds(world: World, agent: Agent<any, any>): Promise<MemoryJournal> {
  const first = mortal();
  world.begin(agent, 'go', { journal: first.journal });
  await world.clock.advance(2_000);
  first.die();
  return first.left('run_test');
}

test.each(GAPS)('O6: a pause before a retry, with the process gone for %i ms: the request is sent after %i ms more', async (gap, left) => {
  const { seen, value } = await play(async (world) => {
    const model = world.model(fails({ status: 503 }), says('There.'));
    const agent = new Agent({ name: 'Patient', model, modelSettings: { retry: { maxRetries: 1, policy: () => true, backoff: { initialDelayMs: 5_000, jitter: false } } } });
    const journal = await twoSeconds(world, agent);
    await world.clock.advance(gap);
    const going = world.goOn('run_test', { journal, agents: agent });
    await world.clock.advance(Math.max(0, left - 1));
    const early = model.requests.length;
    await world.clock.advance(left === 0 ? 0 : 1);
    await going.settled;
    return [early, model.requests.length, journal.read('run_test').find((entry) => 'id' in entry && entry.id.includes('/backoff#'))!.at - journal.read('run_test')[0]!.at];
  });
  expect(seen.finalOutput).toBe('There.');
  expect(value).toEqual([left === 0 ? 2 : 1, 2, 2_000 + gap + left]);
});

/** A tool that would take for ever; counts its bodies. */
function endless(effect: 'pure' | 'idempotent') {
  const made = { runs: 0, tool: tool({ name: 'wait', description: 'Waits.', parameters: z.object({}), effect, timeoutMs: 5_000, execute: () => { made.runs += 1; return new Promise<never>(() => undefined); } }) };
  return made;
}

test.each(GAPS)('O6: the time limit of a tool that is run again, with the process gone for %i ms: it is over after %i ms more', async (gap, left) => {
  const { seen, requests, value } = await play(async (world) => {
    const wait = endless('idempotent');
    const agent = new Agent({ name: 'A', model: world.model(calls('wait'), says('I see.')), tools: [wait.tool] });
    const journal = await twoSeconds(world, agent);
    await world.clock.advance(gap);
    const going = world.goOn('run_test', { journal, agents: agent });
    await world.clock.advance(Math.max(0, left - 1));
    const early = brief(journal, 'run_test').includes('effect.done toolCall.1.0/execute#1');
    await world.clock.advance(left === 0 ? 0 : 1);
    await going.settled;
    return { early, runs: wait.runs };
  });
  expect([seen.finalOutput, requests[1]!.input.at(-1)]).toEqual(['I see.', answered('call_1', "Tool 'wait' timed out after 5000ms.", 'wait')]);
  // One whose time is over is not even begun again.
  expect(value).toEqual({ early: left === 0, runs: left === 0 ? 1 : 2 });
});

test('O6: a body that runs again because a person says so has its whole time', async () => {
  const { requests, value } = await play(async (world) => {
    const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), timeoutMs: 5_000, execute: () => new Promise<never>(() => undefined) });
    const agent = new Agent({ name: 'A', model: world.model(calls('pay'), says('I see.')), tools: [pay] });
    const journal = await twoSeconds(world, agent);
    await world.clock.advance(3_600_000);
    const waiting = await world.resume('run_test', { journal, agents: agent });
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    const going = world.begin(agent, waiting.state);
    await world.clock.advance(4_999);
    const before = brief(journal, 'run_test').at(-1);
    await world.clock.advance(1);
    await going.settled;
    return before;
  });
  expect(value).toBe('effect.started toolCall.1.0/execute#2');
  expect(requests[1]!.input.at(-1)).toEqual(answered('call_1', `Tool 'pay' timed out after 5000ms. ${MAY_HAVE_COMPLETED}`, 'pay'));
});

test('O6, J4: a timer that was waited for is put away with its run', async () => {
  const { seen } = await play(async (world) => {
    const agent = new Agent({ name: 'Patient', model: world.model(fails({ status: 503 })), modelSettings: { retry: { maxRetries: 1, policy: () => true, backoff: { initialDelayMs: 5_000, jitter: false } } } });
    const going = world.goOn('run_test', { journal: await twoSeconds(world, agent), agents: agent });
    await world.clock.settle();
    going.interrupt();
    await world.clock.runAll();
    return going.settled; // the play holds that no timer is left
  });
  expect(seen.outcome).toBe('interrupted');
});
