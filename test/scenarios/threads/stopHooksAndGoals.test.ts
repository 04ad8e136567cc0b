/** M5, M9 on threads: hooks that object to an answer, and goals that lead to further runs. */
import { Agent, type StopHook } from 'loopchart';
import { answersWith, calls, fails, says } from 'loopchart/testing';
import type { GoalCheck } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { latch, refund } from '../support/cast.ts';
import { type PlayedThread, type ThreadWorld, playThread } from '../support/threadScenario.ts';
import { words } from './support/words.ts';

const objector = (...texts: string[]): StopHook => ({ name: 'objector', execute: ({ turn }) => (texts[turn - 1] ? { objection: texts[turn - 1]! } : undefined) });
const saying = (world: ThreadWorld, ...answers: string[]) => new Agent({ name: 'A', model: world.model(...answers.map((answer) => says(answer))) });
const changes = ({ told }: PlayedThread) => told.flatMap((event) => (event.type === 'goal.changed' ? [`${event.why} ${event.goal?.runs ?? '-'}`] : []));

test('M5: stop hooks object, several times if need be; each objection is a notice and the run goes on', async () => {
  const { seen, value } = await playThread(async (world) => {
    const thread = world.thread(saying(world, 'Done.', 'Tested.', 'Linted.'), { stopHooks: [objector('Run the tests.', 'Run the linter.')] });
    const { finalOutput, newItems } = await thread.run('Go.');
    return [finalOutput, newItems.flatMap((item) => (item.type === 'input_item' && 'origin' in item ? [item.origin] : []))];
  });
  expect(value).toEqual(['Linted.', [{ runtime: 'stopHook' }, { runtime: 'stopHook' }]]);
  expect(words(seen.history)).toEqual(['user Go.', 'assistant Done.', 'user Run the tests.', 'assistant Tested.', 'user Run the linter.', 'assistant Linted.']);
});

test.each(['a limit', 'an interrupt', 'a tripwire'])('M5: an objection never overrides %s', async (what) => {
  const { value } = await playThread(async (world) => {
    const [asked, go] = [latch(), latch()];
    const hook: StopHook = { name: 'slow', execute: async () => (asked.open(), await go.promise, { objection: 'Not yet.' }) };
    const guardrail = { name: 'no', runInParallel: true, execute: async () => ({ tripwireTriggered: what === 'a tripwire', outputInfo: null }) };
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('Done.')), inputGuardrails: what === 'a tripwire' ? [guardrail] : [] }), { stopHooks: [hook], maxTurns: what === 'a limit' ? 1 : 5 });
    const ended = thread.run('Go.').result.then(({ finalOutput }) => finalOutput, (error: Error) => error.name);
    if (what !== 'a tripwire') await asked.promise;
    if (what === 'an interrupt') {
      const stopped = thread.interrupt();
      await world.clock.runAll();
      await stopped;
    }
    go.open();
    return ended;
  });
  expect(value).toBe({ 'a limit': 'Done.', 'an interrupt': 'AbortError', 'a tripwire': 'InputGuardrailTripwireTriggered' }[what]);
});

// -- goals ------------------------------------------------------------------------------------------------------------

test('M9: a goal starts further runs until it is reached, and is gone then', async () => {
  const judged: unknown[] = [];
  const isGoalReached: GoalCheck = ({ goal, history }) => (judged.push([goal.message, goal.runs, history.length]), history.length >= 6);
  const { seen, value } = await playThread(async (world) => {
    const thread = world.thread(saying(world, 'One.', 'Two.', 'Three.'), { isGoalReached });
    await thread.setGoal({ message: 'Go on until it is done.' });
    await thread.run('Go.');
    await thread.until((event) => event.type === 'goal.changed' && event.why === 'done');
    return [changes(thread), thread.look.goal];
  }, { immortal: 'it counts what the app is asked, which is at least once' });
  expect(value).toEqual([['set 0', 'goesOn 1', 'goesOn 2', 'done -'], null]);
  expect(judged).toEqual([['Go on until it is done.', 0, 2], ['Go on until it is done.', 1, 4], ['Go on until it is done.', 2, 6]]);
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from goal: completed', 'run.3 from goal: completed']);
  expect(words(seen.history)).toEqual(['user Go.', 'assistant One.', 'user Go on until it is done.', 'assistant Two.', 'user Go on until it is done.', 'assistant Three.']);
});

test('M9: a goal starts at most as many runs as it says; what it says may change from run to run', async () => {
  const { seen, value } = await playThread(async (world) => {
    const isGoalReached: GoalCheck = ({ goal }) => ({ done: false, message: `Try ${goal.runs + 2}.` });
    const thread = world.thread(saying(world, 'One.', 'Two.', 'Three.'), { isGoalReached });
    await thread.setGoal({ message: 'Try.', maxRuns: 2 });
    await thread.run('Go.');
    await thread.until((event) => event.type === 'goal.changed' && event.why === 'exhausted');
    return changes(thread);
  });
  expect(value).toEqual(['set 0', 'goesOn 1', 'goesOn 2', 'exhausted -']);
  expect(words(seen.history).filter((line) => line.startsWith('user'))).toEqual(['user Go.', 'user Try 2.', 'user Try 3.']);
});

test('M9, P4: the message of a goal is a notice: no input guardrail looks at it', async () => {
  const looked: string[] = [];
  const { seen } = await playThread(async (world) => {
    const guardrail = { name: 'look', execute: async ({ input }: { input: unknown }) => (looked.push(JSON.stringify(input)), { tripwireTriggered: false, outputInfo: null }) };
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('One.'), says('Two.')), inputGuardrails: [guardrail] }));
    await thread.setGoal({ message: 'Go on.', maxRuns: 1 });
    await thread.run('Go.');
    await thread.until((event) => event.type === 'goal.changed' && event.why === 'exhausted');
  }, { immortal: 'it counts what the app is asked, which is at least once' });
  expect(looked.length).toBe(1);
  expect(seen.runs.length).toBe(2);
});

test('M9, M3: what waits in the queue comes before the goal, which is judged when it is empty', async () => {
  let judged = 0;
  const { seen } = await playThread(async (world) => {
    const thread = world.thread(saying(world, 'One.', 'Two.'), { isGoalReached: () => (judged += 1) > 0 });
    await thread.setGoal({ message: 'Go on.' });
    void thread.run('Go.');
    await thread.run('Then.');
    await thread.until((event) => event.type === 'goal.changed' && event.why === 'done');
  }, { immortal: 'it counts what the app is asked, which is at least once' });
  expect([judged, seen.runs]).toEqual([1, ['run.1 from command: completed', 'run.2 from queue: completed']]);
});

test('M9: interrupted while it is judged, a goal starts nothing; it stands, and the next completed run is judged', async () => {
  const { seen, value } = await playThread(async (world) => {
    const [asked, go] = [latch(), latch<boolean>()];
    let times = 0;
    const thread = world.thread(saying(world, 'One.', 'Two.'), { isGoalReached: () => ((times += 1) === 1 ? (asked.open(), go.promise) : true) });
    await thread.setGoal({ message: 'Go on.' });
    await thread.run('Go.');
    await asked.promise;
    const stopped = thread.interrupt();
    await world.clock.runAll();
    const receipt = await stopped;
    go.open(false);
    await world.clock.settle();
    const after = [receipt.status, thread.state, thread.look.goal?.message, thread.look.runs.length];
    await thread.run('On.');
    await thread.until((event) => event.type === 'goal.changed' && event.why === 'done');
    return after;
  });
  expect(value).toEqual(['accepted', 'paused', 'Go on.', 1]);
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from command: completed']);
});

test('M9: a goal whose check fails ends, and pauses the thread; a run that did not complete is not judged', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(fails({ status: 400 }), says('Two.')) }), { isGoalReached: () => { throw new Error('The check is broken.'); } });
    await thread.setGoal({ message: 'Go on.' });
    await thread.run('Go.').result.catch(() => undefined);
    await world.clock.settle();
    const unjudged = [thread.state, changes(thread)];
    await thread.run('Go.');
    await thread.until((event) => event.type === 'goal.changed' && event.why === 'failed');
    return [unjudged, thread.state, thread.look.goal];
  });
  expect(value).toEqual([['paused', ['set 0']], 'paused', null]);
});

test('M9, J1: a run that a goal has started is stopped like any other, and no further one follows until the thread is told', async () => {
  const { seen } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('One.'), calls('refund', { order: 1 })), tools: [refund] }));
    await thread.setGoal({ message: 'Go on.' });
    await thread.run('Go.');
    await thread.until('run.awaitingApproval');
    await thread.stopAfterTurn();
    await world.clock.settle();
  });
  expect([seen.runs, seen.state]).toEqual([['run.1 from command: completed', 'run.2 from goal: stopped'], 'paused']);
});

test('M9: a goal that is set while a run is going is judged when that has completed; taken back, it is not', async () => {
  for (const isTakenBack of [false, true]) {
    let judged = 0;
    await playThread(async (world) => {
      const [asked, go] = [latch(), latch()];
      const thread = world.thread(new Agent({ name: 'A', model: world.model(answersWith(async () => (asked.open(), await go.promise, says('One.')))) }), { isGoalReached: () => (judged += 1) > 0 });
      const run = thread.run('Go.');
      await asked.promise;
      await thread.setGoal({ message: 'Go on.' });
      if (isTakenBack) await thread.setGoal(null);
      go.open();
      await run;
      await world.clock.settle();
    }, { immortal: 'it counts what the app is asked, which is at least once' });
    expect(judged).toBe(isTakenBack ? 0 : 1);
  }
});
