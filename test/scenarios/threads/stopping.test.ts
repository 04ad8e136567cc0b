/** J1–J4 on threads: the end of the turn, or now. */
import { Agent, type RunInterruptedError, retryPolicies } from 'loopchart';
import { calls, delays, fails, hangs, says, user } from 'loopchart/testing';
import type { ThreadRun } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { type PlayedThread, type ThreadWorld, playThread } from '../support/threadScenario.ts';
import { lines, states, words } from './support/words.ts';

const failure = (run: ThreadRun) => run.result.then(() => undefined, (error: Error) => error);
/** A tool that takes no notice when it is told to stop. */
const deaf = () => counted('deaf', () => new Promise(() => undefined));

// -- soft stop --------------------------------------------------------------------------------------------------------

const PHASES: [phase: string, turns: number, again: 'accepted' | 'noEffect', reach: (world: ThreadWorld) => Promise<[PlayedThread, ThreadRun, () => void | Promise<void>]>][] = [
  ['while the model is asked', 1, 'accepted', async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(delays(10, calls('look'), world.clock)), tools: [counted('look').tool] }));
    const run = thread.run('Go.');
    await thread.until('turn.started');
    return [thread, run, () => world.clock.advance(10)];
  }],
  ['while a tool is at work', 1, 'accepted', async (world) => {
    const gate = latch();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look')), tools: [counted('look', async () => (await gate.promise, 'seen')).tool] }));
    const run = thread.run('Go.');
    await thread.until('tool.started');
    return [thread, run, () => gate.open()];
  }],
  ['while a request is put off', 0, 'noEffect', async (world) => {
    const retry = { maxRetries: 2, policy: retryPolicies.httpStatus([503]), backoff: { initialDelayMs: 1_000, jitter: false } };
    const thread = world.thread(new Agent({ name: 'A', model: world.model(fails({ status: 503 })), modelSettings: { retry } }));
    const run = thread.run('Go.');
    await thread.until('turn.retrying');
    return [thread, run, () => undefined];
  }],
  ['while a call waits for a person', 1, 'noEffect', async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('refund', { order: 1 })), tools: [refund] }));
    const run = thread.run('Go.');
    await thread.until('run.awaitingApproval');
    return [thread, run, () => undefined];
  }],
];
test.each(PHASES)('J1: stopped %s, the run settles as stopped, and the thread waits to be told', async (_phase, turns, again, reach) => {
  const { seen, value } = await playThread(async (world) => {
    const [thread, run, goOn] = await reach(world);
    const receipts = [await thread.stopAfterTurn(), await thread.stopAfterTurn()].map(({ status }) => status);
    await goOn();
    const { status, finalOutput } = await run;
    const settled = thread.told.find((event) => event.type === 'run.settled');
    return [receipts, status, finalOutput, settled?.type === 'run.settled' && settled.outcome.turns];
  });
  expect(value).toEqual([['accepted', again], 'stopped', undefined, turns]);
  expect([seen.runs, seen.state]).toEqual([['run.1 from command: stopped'], 'paused']);
});

test('J1: a final answer in that turn is the end: completed', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(delays(10, says('Done.'), world.clock)) }));
    const run = thread.run('Go.');
    await thread.until('turn.started');
    await thread.stopAfterTurn();
    await world.clock.advance(10);
    const { status, finalOutput } = await run;
    return [status, finalOutput, thread.state];
  });
  expect(value).toEqual(['completed', 'Done.', 'idle']);
});

test('J1, D6: stopped while calls wait, the run settles at once; the next one asks for them again, and says what comes of them', async () => {
  const { seen, value, requests } = await playThread(async (world) => {
    let thread: PlayedThread = world.thread(new Agent({ name: 'A', model: world.model(calls(['refund', { order: 1 }], ['look', {}]), says('Done.')), tools: [refund, counted('look', 'seen').tool] }));
    const first = thread.run('Go.');
    await thread.until('run.awaitingApproval');
    await thread.stopAfterTurn();
    await first;
    const between = [thread.interruptions.length, thread.state];
    thread = await world.reopen(thread);
    const second = thread.run('On.');
    await thread.until((event) => event.type === 'approval.requested' && event.path.includes('/run.2/'));
    const asked = thread.interruptions.map(({ id }) => id);
    await thread.approve(thread.interruptions[0]!);
    await second;
    return [between, asked];
  });
  expect(value).toEqual([[0, 'paused'], ['thread_test/run.2/agent.1/turn.0/toolCall.1.0/approval#1']]);
  expect(words(requests[1]!.input)).toEqual(['user Go.', 'refund()', 'look()', '= refunded 1', '= seen', 'user On.']);
  expect([seen.runs, requests.length]).toEqual([['run.1 from command: stopped', 'run.2 from command: completed'], 2]);
});

test('J1: a stopped run is gone on with by an empty run; an interrupt escalates a stop', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('Done.'), hangs()), tools: [counted('look', 'seen').tool] }));
    const first = thread.run('Go.');
    await thread.until('turn.started');
    await thread.stopAfterTurn();
    await first;
    const { finalOutput } = await thread.run([]);
    const last = thread.run('Again.');
    const ended = failure(last);
    await thread.until((event) => event.type === 'turn.started' && event.path.includes('/run.3/'));
    await world.clock.settle();
    await thread.stopAfterTurn();
    await thread.interrupt();
    return [finalOutput, (await ended)?.name];
  });
  expect(value).toEqual(['Done.', 'AbortError']);
});

// -- interrupt --------------------------------------------------------------------------------------------------------

test('J2: approvals resolve, items end, the run settles, the thread is at rest, bodies have had their grace, and then interrupt() resolves', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls(['deaf', {}], ['refund', { order: 1 }])), tools: [deaf().tool, refund] }));
    const ended = failure(thread.run('Go.'));
    await thread.until('approval.requested');
    await world.clock.settle();
    const told = thread.told.length;
    let isAnswered = false;
    const answer = thread.interrupt().then((receipt) => ((isAnswered = true), receipt));
    const error = (await ended)!;
    await world.clock.settle();
    const inGrace = [isAnswered, thread.state];
    await world.clock.advance(100);
    const { status } = await answer;
    return [lines(thread.told.slice(told), 'approval.resolved', 'item.completed', 'run.settled', 'thread.changed').map((line) => line.replace(/run\.1\/agent\.1\/turn\.1\//, '')), error.name, inGrace, status, states(thread.told).slice(-2)];
  });
  expect(value).toEqual([
    ['thread.changed', 'approval.resolved toolCall.1.1', 'item.completed toolCall.1.0', 'item.completed toolCall.1.1', 'run.settled run.1', 'thread.changed'],
    'AbortError',
    [false, 'paused'],
    'accepted',
    ['stopping', 'paused'],
  ]);
  expect(words(seen.history)).toEqual(['user Go.', 'deaf()', 'refund()', expect.stringMatching(/^= aborted by user after/), expect.stringMatching(/^= aborted/), expect.stringContaining('interrupted on purpose')]);
});

test('J2: what had streamed stays, marked as incomplete, and a notice tells the model; both can be turned off', async () => {
  for (const isKept of [true, false]) {
    const { seen } = await playThread(async (world) => {
      const thread = world.thread(new Agent({ name: 'A', model: world.model(hangs(2, says('Half a sentence.', { deltas: ['Half', ' a sentence.'] }))) }), isKept ? {} : { keepPartial: false, interruptNotice: false });
      const ended = failure(thread.run('Go.'));
      await thread.until('turn.started');
      await world.clock.settle();
      await thread.interrupt();
      await ended;
    });
    expect(words(seen.history)).toEqual(isKept ? ['user Go.', 'assistant Half', expect.stringContaining('interrupted on purpose')] : ['user Go.']);
  }
});

test('J3: an interrupt of an idle thread, of a run that is over, and a second one are answered and have no effect', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('Done.'), hangs()) }));
    const idle = await thread.interrupt();
    const run = thread.run('Go.');
    await run;
    const over = await run.interrupt();
    const second = thread.run('Again.');
    const ended = failure(second);
    await thread.until((event) => event.type === 'turn.started' && event.path.includes('/run.2/'));
    await world.clock.settle();
    const both = await Promise.all([thread.interrupt(), thread.interrupt()]);
    await ended;
    const stopped = await thread.stopAfterTurn();
    return [idle, over, ...both, stopped].map(({ status }) => status);
  });
  expect(value).toEqual(['noEffect', 'noEffect', 'accepted', 'noEffect', 'noEffect']);
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from command: interrupted']);
});

test('J3, P5: an AbortSignal is an interrupt of its own run, be it going, waiting or aborted already', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('Done.')), tools: [counted('look', async () => (await gate.promise, 'seen')).tool] }));
    const gate = latch();
    const [ofFirst, ofSecond] = [new AbortController(), new AbortController()];
    const first = thread.run('First.', { signal: ofFirst.signal });
    await thread.until('tool.started');
    const second = thread.run('Second.', { signal: ofSecond.signal });
    const third = thread.run('Third.', { signal: AbortSignal.abort() });
    const gone = [failure(second), failure(third)];
    await second.receipt;
    ofSecond.abort();
    const left = (await Promise.all(gone)).map((error) => error?.name);
    gate.open();
    const { finalOutput } = await first;
    ofFirst.abort(); // it is over
    return [left, finalOutput];
  });
  expect(value).toEqual([['UserError', 'UserError'], 'Done.']);
  expect([seen.runs, seen.queue, seen.state]).toEqual([['run.1 from command: completed'], [], 'idle']);
});

test('J4: after the interrupt is acknowledged nothing begins at any depth, and nothing is left', async () => {
  const { value } = await playThread(async (world) => {
    const inner = counted('inner', 'never');
    const helper = new Agent({ name: 'Helper', model: world.model(delays(50, calls('inner'), world.clock)), tools: [inner.tool] });
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls(['Helper', { input: 'Help.' }], ['slow', {}])), tools: [helper.asTool({}), counted('slow', () => new Promise((resolve) => world.clock.setTimeout(() => resolve('late'), 60))).tool] }));
    const ended = failure(thread.run('Go.'));
    await thread.until((event) => event.type === 'turn.started' && event.path.includes('toolCall'));
    await world.clock.settle();
    const stopped = thread.interrupt();
    const told = thread.told.length;
    await world.clock.runAll();
    await stopped;
    await ended;
    await world.clock.runAll();
    return [inner.runs, thread.told.slice(told).filter(({ type }) => /started|requested/.test(type)).length, world.clock.pending.length, thread.interruptions.length];
  });
  expect(value).toEqual([0, 0, 0, 0]);
});

test('J2, P2: the error of an interrupt is an AbortError that has what was not read', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('refund', { order: 1 })), tools: [refund] }));
    const run = thread.run('Go.');
    const ended = failure(run);
    await thread.until('run.awaitingApproval');
    await run.steer('Hurry.');
    await run.interrupt();
    const { name, message, undelivered } = (await ended) as RunInterruptedError;
    return [name, message, words(undelivered!)];
  });
  expect(value).toEqual(['AbortError', 'The run was interrupted.', ['user Hurry.']]);
});

test('L3, P2, J2: a run that goes on with an unfinished turn and is interrupted before it could begin gives back what had waited, and the turn stands', async () => {
  const { value, seen, requests } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls(['refund', { order: 1 }], ['look', {}]), says('Done.')), tools: [refund, counted('look', 'seen').tool] }));
    const first = thread.run('Go.');
    await thread.until('run.awaitingApproval');
    await thread.steer('Hurry.');
    await thread.stopAfterTurn();
    await first;
    const ended = failure(thread.run('On.'));
    await thread.interrupt();
    const undelivered = ((await ended) as RunInterruptedError & { undelivered: unknown }).undelivered;
    const dropped = thread.told.flatMap((event) => (event.type === 'input.dropped' ? [event.reason, ...event.ids.map((id) => id.replace(/^[^/]{36}$/, 'the steer'))] : []));
    await thread.run('Again.');
    return [undelivered, dropped];
  }, { immortal: 'a run that another process opens has begun by then' });
  expect(value).toEqual([[user('Hurry.'), user('On.')], ['interrupted', 'the steer', 'thread_test/run.2/input.0']]);
  expect(words(requests[1]!.input)).toEqual(['user Go.', 'refund()', 'look()', '= seen', expect.stringMatching(/^= aborted/), 'user Again.']);
  expect(seen.runs).toEqual(['run.1 from command: stopped', 'run.2 from command: interrupted', 'run.3 from command: completed']);
});
