/** M9 on threads: items that are put into the history, and the end of a conversation. */
import { Agent, MemoryJournal } from 'loopchart';
import { calls, fails, hangs, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { createThread, openThread } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { playThread } from '../support/threadScenario.ts';
import { fates, states, words } from './support/words.ts';

const said = (content: string) => ({ type: 'message' as const, role: 'user' as const, content });
const refused = (what: Promise<unknown>) => what.then((value) => value, (error: Error) => `${error.name}: ${error.message}`);

// -- inject -----------------------------------------------------------------------------------------------------------

test('M9: injected into an idle thread, items are in the history and no run begins; the next one reads them', async () => {
  const { seen, value, requests } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('Done.')) }));
    const { status } = await thread.inject([said('$ ls'), said('a.txt')]);
    await world.clock.settle();
    const after = [thread.state, words(thread.look.history)];
    await thread.run('Go.');
    return [status, ...after];
  });
  expect(value).toEqual(['accepted', 'idle', ['user $ ls', 'user a.txt']]);
  expect(words(requests[0]!.input)).toEqual(['user $ ls', 'user a.txt', 'user Go.']);
  expect(seen.runs).toEqual(['run.1 from command: completed']);
});

test('M9: injected while a run is going, they join at its next safe point, in their order', async () => {
  const { requests } = await playThread(async (world) => {
    const gate = latch();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('Done.')), tools: [counted('look', async () => (await gate.promise, 'seen')).tool] }));
    const run = thread.run('Go.');
    await thread.until('tool.started');
    await thread.inject([said('$ ls'), said('a.txt')]);
    gate.open();
    await run;
  });
  expect(words(requests[1]!.input)).toEqual(['user Go.', 'look()', '= seen', 'user $ ls', 'user a.txt']);
});

test.each([['interrupted', hangs()], ['failed', fails({ status: 400 })]] as const)('M9: what a run that %s had not read stands in the history behind it, once, and is not called dropped', async (status, step) => {
  const { seen, value } = await playThread(async (world) => {
    const gate = latch();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), step), tools: [counted('look', async () => (await gate.promise, 'seen')).tool] }), { maxTurns: status === 'failed' ? 1 : 9, interruptNotice: false });
    const ended = refused(thread.run('Go.').result);
    await thread.until('tool.started');
    await thread.inject([said('$ ls')]);
    const isThere = words(thread.look.history).includes('user $ ls');
    if (status === 'interrupted') {
      const stopped = thread.interrupt();
      await world.clock.runAll();
      await stopped;
    } else gate.open();
    await ended;
    return [isThere, thread.told.some((event) => event.type === 'input.dropped'), thread.told.flatMap((event) => (event.type === 'history.injected' ? [words(event.items)] : []))];
  });
  expect(value).toEqual([false, false, [['user $ ls']]]);
  expect(words(seen.history).filter((line) => line === 'user $ ls').length).toBe(1);
  expect(words(seen.history).at(-1)).toBe('user $ ls');
});

test('M9, P2: what a stopped run had not read of it waits with its other input for the next one', async () => {
  const { requests, value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('refund', { order: 1 }), says('Done.')), tools: [refund] }));
    const run = thread.run('Go.');
    await thread.until('run.awaitingApproval');
    await thread.steer('Hurry.', { id: 'hurry' });
    await thread.inject([said('$ ls')]);
    await thread.stopAfterTurn();
    const { undelivered } = await run;
    const next = thread.run('On.');
    await thread.until((event) => event.type === 'approval.requested' && event.path.includes('/run.2/'));
    await thread.approve(thread.interruptions[0]!);
    await next;
    return [words(undelivered), fates(thread.told, 'hurry')];
  });
  expect(value).toEqual([['user Hurry.'], ['delivered run.2 turn 1']]);
  expect(words(requests[1]!.input).slice(-3)).toEqual(['user Hurry.', 'user $ ls', 'user On.']);
});

// -- close ------------------------------------------------------------------------------------------------------------

test('M9, J2: close interrupts what is going, in the order of every interrupt, and keeps the queue where it can be read', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls(['deaf', {}], ['refund', { order: 1 }])), tools: [counted('deaf', () => new Promise(() => undefined)).tool, refund] }));
    const ended = refused(thread.run('Go.').result);
    const waiting = thread.queue.add('Later.');
    const left = refused(waiting.result);
    await thread.until('approval.requested');
    await world.clock.settle();
    const closed = thread.close();
    await world.clock.runAll();
    const { status } = await closed;
    return [status, await ended, await left, thread.queue.list().map(({ input }) => words(input)), states(thread.told).slice(-2)];
  });
  expect(value).toEqual([
    'accepted',
    'AbortError: The run was interrupted.',
    expect.stringMatching(/^UserError: Thread thread_test is closed/),
    [['user Later.']],
    ['closing', 'closed'],
  ]);
  expect([seen.state, seen.runs, seen.queue]).toEqual(['closed', ['run.1 from command: interrupted'], ['Later.']]);
});

test('M9: a thread that is closed refuses every command, and says what can be done; what is there can be read and forked', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('Done.'), says('Elsewhere.')) }));
    await thread.run('Go.');
    await thread.close();
    const receipts = [
      await thread.run('More.').receipt, await thread.steer('More.'), await thread.queue.add('More.').receipt, await thread.queue.resume(), await thread.mail({ from: 'host', content: 'News.' }), await thread.interrupt(),
      await thread.stopAfterTurn(), await thread.compact(), await thread.inject([said('x')]), await thread.revert({ runId: null }), await thread.setGoal({ message: 'Go.' }), await thread.addRule({ tool: '*', decision: 'allow' }), await thread.removeRule('x'), await thread.close(),
    ];
    const answers = [...new Set(receipts.map((receipt) => ('reason' in receipt ? `${receipt.reason}: ${receipt.message}` : receipt.status)))];
    const fork = await thread.fork();
    const { finalOutput } = await fork.run('Here?');
    return [answers, words(thread.look.history), finalOutput, await refused(thread.approve('x'))];
  });
  expect(value).toEqual([['closed: The thread is closed. Fork it, or make a new one.'], ['user Go.', 'assistant Done.'], 'Elsewhere.', expect.stringMatching(/^UserError|^StaleStateError/)]);
});

test('M9, O1: a closed thread is closed in every process, with its queue', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(fails({ status: 400 })) }));
    await refused(thread.run('Go.').result);
    await thread.queue.add('Later.').receipt;
    await thread.close();
    const again = await world.reopen(thread);
    const { status, ...why } = await again.steer('Hello?');
    return [again.state, again.queue.list().length, status, 'reason' in why && why.reason];
  });
  expect(value).toEqual(['closed', 1, 'rejected', 'closed']);
});

test('M9: close waits for what it has interrupted beside the runs', async () => {
  const { value } = await playThread(async (world) => {
    const helper = new Agent({ name: 'Helper', model: world.model(calls('refund', { order: 1 })), tools: [refund] });
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('helper', { input: 'Refund.' }), says('Asked.')), tools: [helper.asTool({ toolName: 'helper', toolDescription: 'Helps.', background: true })] }));
    await thread.run('Go.');
    await thread.until((event) => event.type === 'approval.requested');
    await thread.close();
    return [thread.state, thread.told.flatMap((event) => (event.type === 'run.settled' ? [`${event.path.split('/')[1]} ${event.outcome.status}`] : []))];
  });
  expect(value).toEqual(['closed', ['run.1 completed', 'background.1 interrupted']]);
});

// -- release ----------------------------------------------------------------------------------------------------------

test('a thread that is given back ends nothing: another process goes on with the run, and whoever waited here is told', async () => {
  const [journal, clock] = [new MemoryJournal(), virtualClock()];
  const agent = (...steps: Parameters<typeof scriptedModel>) => new Agent({ name: 'A', model: scriptedModel(...steps), tools: [refund] });
  const thread = createThread(agent(calls('refund', { order: 1 })), { journal, clock, threadId: 'thread_test' });
  const run = thread.run('Go.');
  await clock.settle();
  const receipt = await thread.steer('Hurry.');
  await thread.release();
  expect(await refused(run.result)).toMatch(/given back before the run had ended; it goes on where the thread is opened again/);
  expect(receipt.status === 'accepted' && (await receipt.delivery)).toEqual({ status: 'dropped', reason: 'released' });
  expect(await refused(thread.steer('More.'))).toMatch(/was given back\. Open it again with openThread/);
  const again = await openThread('thread_test', { journal, clock, agents: agent(says('Done.')) });
  await again.approve(again.interruptions[0]!);
  expect((await again.activeRun!).finalOutput).toBe('Done.');
  expect(words(again.look.history)).toEqual(['user Go.', 'refund()', '= refunded 1', 'user Hurry.', 'assistant Done.']);
  await again.close();
});
