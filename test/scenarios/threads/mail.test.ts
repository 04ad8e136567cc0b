/** M4 on threads: messages of subagents and hosts, which may wake a thread that is idle. */
import { Agent } from 'loopchart';
import { answersWith, calls, fails, hangs, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { playThread } from '../support/threadScenario.ts';
import { fates, words } from './support/words.ts';

const news = (content: string, more: { id?: string; triggerTurn?: boolean } = {}) => ({ from: 'helper', content, ...more });
const MAIL = 'user [Mail from helper]\n';

test('M4: mail to an idle thread waits, and does not wake it; the next run reads it, once', async () => {
  const { seen, value, requests } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('Done.'), says('Again.')) }));
    await thread.mail(news('Half way.', { id: 'm' }));
    await world.clock.settle();
    const before = [thread.state, thread.look.mailbox.length];
    await thread.run('Go.');
    await thread.run('On.');
    return [before, fates(thread.told, 'm'), thread.look.mailbox];
  });
  expect(value).toEqual([['idle', 1], ['delivered run.1 turn 1'], []]);
  expect(requests.map(({ input }) => words(input).filter((line) => line.startsWith(MAIL)).length)).toEqual([1, 1]);
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from command: completed']);
});

test('M4: mail that wakes begins a run of its own, with all mail that waits, which passes as mail', async () => {
  const { seen, value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('Read.')) }));
    await thread.mail(news('Half way.'));
    await thread.mail(news('Done.', { id: 'done', triggerTurn: true }));
    await thread.until('run.settled');
    const begun = thread.told.find((event) => event.type === 'input.accepted');
    return begun?.type === 'input.accepted' && [begun.source?.kind, begun.ids.length, begun.origin];
  });
  expect(value).toEqual(['mail', 2, 'mail']);
  expect([seen.runs, words(seen.history)]).toEqual([['run.1 from mail: completed'], [`${MAIL}Half way.`, `${MAIL}Done.`, 'assistant Read.']]);
});

test('M4: before the final message is complete mail is delivered at a safe point, and reopens the loop', async () => {
  const { seen, value } = await playThread(async (world) => {
    const [asked, go] = [latch(), latch()];
    const thread = world.thread(new Agent({ name: 'A', model: world.model(answersWith(async () => (asked.open(), await go.promise, says('First.'))), says('Read.')) }));
    const run = thread.run('Go.');
    await asked.promise;
    await thread.mail(news('Half way.', { id: 'm' }));
    go.open();
    return [(await run).finalOutput, fates(thread.told, 'm')];
  });
  expect(value).toEqual(['Read.', ['delivered run.1 turn 2']]);
  expect(seen.mailbox).toEqual([]);
});

test.each([false, true])('M4: mail that comes when the final message is there waits for a later run (it wakes one: %s)', async (triggerTurn) => {
  const { seen, value } = await playThread(async (world) => {
    const [asked, go] = [latch(), latch()];
    const hook = { name: 'slow', execute: async ({ output }: { output: unknown }) => void (output === 'First.' && (asked.open(), await go.promise)) };
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('First.'), says('Read.')) }), { stopHooks: [hook] });
    const run = thread.run('Go.');
    await asked.promise;
    await thread.mail(news('Half way.', { id: 'm', triggerTurn }));
    go.open();
    const { finalOutput, undelivered } = await run;
    await world.clock.settle();
    return [finalOutput, undelivered, fates(thread.told, 'm')];
  });
  expect(value).toEqual(['First.', [], []]);
  expect([seen.runs, seen.mailbox]).toEqual(triggerTurn
    ? [['run.1 from command: completed', 'run.2 from mail: completed'], []]
    : [['run.1 from command: completed'], ['helper: Half way.']]);
});

test.each([['failed', fails({ status: 400 })], ['interrupted', hangs()]] as const)('M4: after a run that %s not even waking mail begins anything until the thread is told to go on', async (status, step) => {
  const { seen, value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(step, says('Read.')) }));
    const ended = thread.run('Go.').result.catch(() => undefined);
    await thread.until('turn.started');
    await world.clock.settle();
    if (status === 'interrupted') await thread.interrupt();
    await ended;
    await thread.mail(news('Done.', { triggerTurn: true }));
    await world.clock.settle();
    const held = [thread.state, thread.look.mailbox.length, thread.look.runs.length];
    await thread.queue.resume();
    await thread.until((event) => event.type === 'run.settled' && event.path.endsWith('run.2'));
    return held;
  });
  expect(value).toEqual(['paused', 1, 1]);
  expect(seen.runs).toEqual([`run.1 from command: ${status}`, 'run.2 from mail: completed']);
});

test('M4: mail that a run was given and did not read is back in the mailbox, with an event', async () => {
  const { seen, value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('deaf')), tools: [counted('deaf', () => new Promise(() => undefined)).tool] }));
    void thread.run('Go.');
    await thread.until('tool.started');
    await thread.mail(news('Half way.', { id: 'm' }));
    const during = thread.look.mailbox.length;
    const stopped = thread.interrupt();
    await world.clock.runAll();
    await stopped;
    return [during, fates(thread.told, 'm'), thread.told.flatMap((event) => (event.type === 'mailbox.changed' ? [event.mailbox.length] : []))];
  });
  expect(value).toEqual([0, [], [1]]);
  expect(seen.mailbox).toEqual(['helper: Half way.']);
});

test('M4: waking mail comes before the queue', async () => {
  const { seen } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('refund', { order: 1 }), says('Read.'), says('Queued.')), tools: [refund] }));
    void thread.run('Go.');
    await thread.until('run.awaitingApproval');
    const queued = thread.queue.add('Later.');
    await queued.receipt;
    await thread.interrupt();
    await thread.mail(news('Done.', { triggerTurn: true }));
    await thread.queue.resume();
    await queued;
  });
  expect(seen.runs).toEqual(['run.1 from command: interrupted', 'run.2 from mail: completed', 'run.3 from queue: completed']);
});
