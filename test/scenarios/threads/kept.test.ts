/** P2, L1: what a stopped run had not read is read by the next one, and its receipt says so; nothing is called dropped that is not. */
import { Agent } from 'loopchart';
import { calls, delays, says } from 'loopchart/testing';
import type { PlayedThread } from '../support/threadScenario.ts';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { playThread } from '../support/threadScenario.ts';

const fates = (thread: PlayedThread, id: string) =>
  thread.told.flatMap((event) => ((event.type === 'input.delivered' || event.type === 'input.dropped') && event.ids.includes(id) ? [`${event.type} ${event.path.split('/').slice(1).join('/')}`] : []));

test('P2, L1: a steer that a stopped run had not read is delivered by the run that finishes its turn, once', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('refund', { order: 1 }), says('Done.')), tools: [refund] }));
    thread.run('Go.');
    await thread.until('run.awaitingApproval');
    const receipt = await thread.steer('Hurry.', { id: 'hurry' });
    await thread.stopAfterTurn();
    const next = thread.run('On.');
    await thread.until((event) => event.type === 'approval.requested' && event.path.includes('/run.2/'));
    await thread.approve(thread.interruptions[0]!);
    await next;
    return [fates(thread, 'hurry'), receipt.status === 'accepted' && (await receipt.delivery)];
  });
  expect(value).toEqual([['input.delivered run.2/agent.1'], { status: 'delivered', runId: 'thread_test/run.2', turn: 1 }]);
  expect(seen.runs).toEqual(['run.1 from command: stopped', 'run.2 from command: completed']);
});

test('P2, L1: with no turn to be finished, it stands before the input of the next run', async () => {
  const { value, requests } = await playThread(async (world) => {
    const gate = latch();
    const look = counted('look', async () => (await gate.promise, 'seen'));
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('Done.')), tools: [look.tool] }));
    const first = thread.run('Go.');
    await thread.until('tool.started');
    await thread.stopAfterTurn();
    await thread.steer('Hurry.', { id: 'hurry' });
    gate.open();
    await first;
    await thread.run('On.');
    return fates(thread, 'hurry');
  });
  expect(value).toEqual(['input.delivered run.2/agent.1']);
  expect(requests[1]!.input.slice(-2)).toMatchObject([{ content: 'Hurry.' }, { content: 'On.' }]);
});

test('M4, L1: mail that comes too late for a run is in the mailbox, and not called dropped', async () => {
  const { value } = await playThread(async (world) => {
    const hook = { name: 'look', execute: () => new Promise<undefined>((resolve) => world.clock.setTimeout(() => resolve(undefined), 100)) };
    const thread = world.thread(new Agent({ name: 'A', model: world.model(delays(10, says('Done.'), world.clock)) }), { stopHooks: [hook] });
    const run = thread.run('Go.');
    await world.clock.advance(20);
    await thread.mail({ id: 'news', from: 'host', content: 'News.' });
    await world.clock.runAll();
    await run;
    return [fates(thread, 'news'), thread.look.mailbox.map(({ id }) => id)];
  });
  expect(value).toEqual([[], ['news']]);
});
