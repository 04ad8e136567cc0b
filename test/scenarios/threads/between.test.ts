/** Between two runs of a thread: what is meant for a run that is over reaches nothing else. */
import { Agent } from 'loopchart';
import { delays, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { latch } from '../support/cast.ts';
import { playThread } from '../support/threadScenario.ts';

test('J3, P5: the handle of a run that has completed interrupts neither a summary nor the check of a goal', async () => {
  const { value, seen } = await playThread(async (world) => {
    const agent = new Agent({ name: 'A', model: world.model(says('First.'), delays(1_000, says('The summary.'), world.clock)) });
    const thread = world.thread(agent);
    const run = thread.run('Go.');
    await run;
    await thread.compact();
    const { status } = await run.interrupt();
    await world.clock.runAll();
    return status;
  });
  expect([value, seen.state, seen.history.map(({ type }) => type)]).toEqual(['noEffect', 'idle', ['compaction']]);
});

test('M9: a goal that is set while the last one is judged is judged itself', async () => {
  const { value, seen } = await playThread(async (world) => {
    const gate = latch();
    const judged: string[] = [];
    const agent = new Agent({ name: 'A', model: world.model(says('First.'), says('Second.')) });
    const thread = world.thread(agent, { isGoalReached: async ({ goal }) => (judged.push(goal.message), await gate.promise, goal.runs > 0) });
    await thread.setGoal({ message: 'Old.' });
    await thread.run('Go.');
    await thread.until((event) => event.type === 'thread.changed' && event.phase === 'judging');
    await thread.setGoal({ message: 'New.' });
    gate.open();
    await thread.until((event) => event.type === 'goal.changed' && event.why === 'done');
    return judged;
  });
  expect([value, seen.runs]).toEqual([['Old.', 'New.', 'New.'], ['run.1 from command: completed', 'run.2 from goal: completed']]);
});

test('M9: a goal that is taken back while it is judged leads to no further run', async () => {
  const { value, seen } = await playThread(async (world) => {
    const gate = latch();
    const agent = new Agent({ name: 'A', model: world.model(says('First.')) });
    const thread = world.thread(agent, { isGoalReached: async () => (await gate.promise, false) });
    await thread.setGoal({ message: 'More.' });
    await thread.run('Go.');
    await thread.until((event) => event.type === 'thread.changed' && event.phase === 'judging');
    await thread.setGoal(null);
    gate.open();
    await world.clock.settle();
    return thread.told.flatMap((event) => (event.type === 'goal.changed' ? [event.why] : []));
  });
  expect([value, seen.state, seen.runs]).toEqual([['set', 'removed'], 'idle', ['run.1 from command: completed']]);
});

test('M9, L1: a thread that is closed answers that it is', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model() }));
    await thread.close();
    const { status, ...why } = await thread.steer('Hello?');
    return [status, 'reason' in why && why.reason, thread.state];
  });
  expect(value).toEqual(['rejected', 'closed', 'closed']);
});

test('J4: nothing is left on the signal of a run that is over', async () => {
  const { value } = await playThread(async (world) => {
    const { signal } = new AbortController();
    const heard = { added: 0, removed: 0 };
    signal.addEventListener = () => void (heard.added += 1);
    signal.removeEventListener = () => void (heard.removed += 1);
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('One.'), says('Two.')) }));
    await thread.run('Go.', { signal });
    await thread.run('On.', { signal });
    await world.clock.settle();
    return heard;
  });
  expect(value).toEqual({ added: 2, removed: 2 });
});

test('L1: whoever waits for the delivery of a steer hears when the thread is given back', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(delays(1_000, says('One.'), world.clock)) }));
    thread.run('Go.');
    await thread.until('turn.started');
    const receipt = await thread.steer('Hurry.');
    await thread.release();
    return receipt.status === 'accepted' && receipt.delivery;
  });
  expect(value).toEqual({ status: 'dropped', reason: 'released' });
});
