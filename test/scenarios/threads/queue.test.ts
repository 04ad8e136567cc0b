/** M1–M3 on threads: one run at a time, and input that waits to be one. */
import { Agent } from 'loopchart';
import { calls, fails, hangs, says } from 'loopchart/testing';
import type { ThreadRun, WhenBusy } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { type PlayedThread, playThread } from '../support/threadScenario.ts';
import { fates, lines, states, words } from './support/words.ts';

const failure = (run: ThreadRun) => run.result.then(() => undefined, (error: Error) => `${error.name}: ${error.message}`);
/** A tool that is at work until the script lets it end, and takes no notice when it is told to stop. */
function held(name = 'look') {
  const gate = latch();
  const tool = counted(name, async () => (await gate.promise, 'seen'));
  return { ...tool, end: () => gate.open() };
}
const entries = ({ queue }: PlayedThread) => queue.list().map(({ input }) => words(input)[0]);

test('M1, M2: a run that is asked for while another is going waits in the queue, and is one of its own, in order', async () => {
  const { seen, value, requests } = await playThread(async (world) => {
    const look = held();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('One.'), says('Two.'), says('Three.')), tools: [look.tool] }));
    const runs = [thread.run('First.'), thread.run('Second.'), thread.queue.add('Third.')];
    await thread.until('tool.started');
    const waiting = entries(thread);
    look.end();
    return [waiting, (await Promise.all(runs)).map(({ finalOutput, runId }) => `${runId.split('/')[1]}: ${finalOutput as string}`)];
  });
  expect(value).toEqual([['user Second.', 'user Third.'], ['run.1: One.', 'run.2: Two.', 'run.3: Three.']]);
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from queue: completed', 'run.3 from queue: completed']);
  expect(words(requests[3]!.input)).toEqual(['user First.', 'look()', '= seen', 'assistant One.', 'user Second.', 'assistant Two.', 'user Third.']);
});

test('M2: entries of the queue are edited, moved and removed; what is removed never runs, and says so', async () => {
  const { seen, value } = await playThread(async (world) => {
    const look = held();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('One.'), says('Two.'), says('Three.')), tools: [look.tool] }));
    void thread.run('First.');
    await thread.until('tool.started');
    const [a, b, c] = ['a', 'b', 'c'].map((id) => thread.queue.add(`${id}.`, { id }));
    const gone = failure(c!);
    await c!.receipt;
    const receipts = [await thread.queue.edit('a', { input: 'A, edited.' }), await thread.queue.move('b', 0), await thread.queue.remove('c'), await thread.queue.remove('c')];
    const waiting = entries(thread);
    look.end();
    await Promise.all([a, b]);
    return [receipts.map((receipt) => ('reason' in receipt ? receipt.reason : receipt.status)), waiting, await gone];
  });
  expect(value).toEqual([['accepted', 'accepted', 'accepted', 'unknownEntry'], ['user b.', 'user A, edited.'], 'UserError: The run c left the queue before it began.']);
  expect(words(seen.history).filter((line) => line.startsWith('user'))).toEqual(['user First.', 'user b.', 'user A, edited.']);
});

test('M2: the handle of a run that waits takes it out of the queue', async () => {
  const { seen, value } = await playThread(async (world) => {
    const look = held();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('One.')), tools: [look.tool] }));
    const first = thread.run('First.');
    await thread.until('tool.started');
    const second = thread.run('Second.');
    const gone = failure(second);
    const { status } = await second.interrupt();
    look.end();
    await first;
    return [status, await gone];
  });
  expect(value).toEqual(['accepted', expect.stringContaining('left the queue')]);
  expect([seen.runs, seen.queue]).toEqual([['run.1 from command: completed'], []]);
});

test('M2: pending input, queue, mailbox and notices are never mixed up', async () => {
  const { seen, requests } = await playThread(async (world) => {
    const look = held();
    const hook = { name: 'tests', execute: ({ output }: { output: unknown }) => (output === 'One.' ? { objection: 'Run the tests.' } : undefined) };
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('One.'), says('Tested.'), says('Two.')), tools: [look.tool] }), { stopHooks: [hook] });
    void thread.run('First.');
    await thread.until('tool.started');
    const queued = thread.queue.add('Queued.');
    await thread.steer('Steered.');
    await thread.mail({ from: 'helper', content: 'Mailed.' });
    look.end();
    await queued;
  });
  expect(requests.map(({ input }) => words(input).slice(1))).toEqual([
    [],
    ['look()', '= seen', 'user Steered.', 'user [Mail from helper]\nMailed.'],
    ['look()', '= seen', 'user Steered.', 'user [Mail from helper]\nMailed.', 'assistant One.', 'user Run the tests.'],
    ['look()', '= seen', 'user Steered.', 'user [Mail from helper]\nMailed.', 'assistant One.', 'user Run the tests.', 'assistant Tested.', 'user Queued.'],
  ]);
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from queue: completed']);
});

test.each([['failed', fails({ status: 400 })], ['interrupted', hangs()], ['stopped', calls('look')]] as const)('M3: a run that was %s holds the queue until it is told to go on', async (status, step) => {
  const { seen, value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(step, says('Two.')), tools: [counted('look').tool] }));
    const first = thread.run('First.');
    const ended = failure(first);
    await thread.until('turn.started');
    const second = thread.queue.add('Second.');
    await second.receipt;
    if (status === 'interrupted') await thread.interrupt();
    if (status === 'stopped') await thread.stopAfterTurn();
    await ended;
    await world.clock.settle();
    const held = [thread.state, entries(thread)];
    const { status: answer } = await thread.queue.resume();
    return [held, answer, (await second).finalOutput, (await thread.queue.resume()).status];
  });
  expect(value).toEqual([['paused', ['user Second.']], 'accepted', 'Two.', 'noEffect']);
  expect(seen.runs).toEqual([`run.1 from command: ${status}`, 'run.2 from queue: completed']);
});

test('M3: a run that is asked for on a paused thread is a word to go on: the queue follows it', async () => {
  const { seen } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(fails({ status: 400 }), says('Told.'), says('Queued.')) }));
    await failure(thread.run('First.'));
    const queued = thread.queue.add('Second.');
    await queued.receipt;
    await thread.run('Third.');
    await queued;
  });
  expect(seen.runs).toEqual(['run.1 from command: failed', 'run.2 from command: completed', 'run.3 from queue: completed']);
});

// -- whenBusy ---------------------------------------------------------------------------------------------------------

test('M1: whenBusy steer joins the run that is going, and its handle is that run; on an idle thread it is a run', async () => {
  const { seen, value, requests } = await playThread(async (world) => {
    const look = held();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('Done.')), tools: [look.tool] }), { whenBusy: 'steer' });
    const first = thread.run('First.');
    await thread.until('tool.started');
    const second = thread.run('Second.', { id: 'second' });
    await second.started;
    look.end();
    return [(await first).runId, (await second).runId, (await second).finalOutput, fates(thread.told, 'second')];
  });
  expect(value).toEqual(['thread_test/run.1', 'thread_test/run.1', 'Done.', ['delivered run.1 turn 2']]);
  expect([seen.runs, words(requests[1]!.input).at(-1)]).toEqual([['run.1 from command: completed'], 'user Second.']);
});

test('M1: whenBusy reject says so, in receipt and error, and nothing has happened', async () => {
  const { seen, value } = await playThread(async (world) => {
    const look = held();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('Done.')), tools: [look.tool] }));
    const first = thread.run('First.');
    await thread.until('tool.started');
    const second = thread.run('Second.', { whenBusy: 'reject' });
    const receipt = await second.receipt;
    const said = await failure(second);
    look.end();
    await first;
    return [receipt, said];
  });
  expect(value).toEqual([expect.objectContaining({ status: 'rejected', reason: 'busy' }), expect.stringMatching(/^UserError: A run is going.*Await it, or pass whenBusy/)]);
  expect(words(seen.history)).not.toContain('user Second.');
});

test('M1, J2: whenBusy replace interrupts, with its reason, and begins when the bodies of the other run have had their grace', async () => {
  const { seen, value } = await playThread(async (world) => {
    const look = held();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls(['look', {}], ['refund', { order: 7 }]), says('Second.')), tools: [look.tool, refund] }));
    const first = thread.run('First.');
    const ended = failure(first);
    await thread.until('approval.requested');
    await world.clock.settle();
    const second = thread.run('Second, at once.', { whenBusy: 'replace' });
    const { runId } = (await second.receipt) as { runId?: string };
    await ended;
    await world.clock.settle();
    const inGrace = [thread.told.some(({ type, path }) => type === 'turn.started' && path.includes('/run.2/')), world.clock.pending.map(({ at }) => at - world.clock.now())];
    await world.clock.advance(100);
    return [runId, await ended, inGrace, (await second).finalOutput, thread.look.runs.map(({ reason }) => reason)];
  });
  expect(value).toEqual(['thread_test/run.1', 'AbortError: The run was interrupted: another took its place (whenBusy: "replace").', [false, [100]], 'Second.', ['replaced', undefined]]);
  expect(seen.runs).toEqual(['run.1 from command: interrupted', 'run.2 from command: completed']);
  expect(words(seen.history)).toEqual(['user First.', 'look()', 'refund()', expect.stringMatching(/^= aborted by user after/), expect.stringMatching(/^= aborted by user/), expect.stringContaining('interrupted on purpose'), 'user Second, at once.', 'assistant Second.']);
});

test('M1, J2: where a run is replaced, its approvals resolve and its items end before it settles, and the next begins then', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('refund', { order: 7 }), says('Second.')), tools: [refund] }));
    const ended = failure(thread.run('First.'));
    await thread.until('approval.requested');
    const told = thread.told.length;
    await thread.run('Second, at once.', { whenBusy: 'replace' });
    await ended;
    return [lines(thread.told.slice(told), 'approval.resolved', 'item.completed', 'run.settled', 'input.accepted', 'run.started').slice(0, 5), states(thread.told)];
  });
  expect(value[0]).toEqual([
    'approval.resolved run.1/agent.1/turn.1/toolCall.1.0',
    'item.completed run.1/agent.1/turn.1/toolCall.1.0',
    'run.settled run.1',
    'input.accepted run.2',
    'run.started run.2',
  ]);
  expect(value[1]).toEqual(['idle', 'running', 'awaitingApproval', 'stopping', 'running', 'idle']);
});

test.each<WhenBusy>(['queue', 'steer', 'replace', 'reject'])('M1: on an idle thread whenBusy %s begins a run at once', async (whenBusy) => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('Done.')) }));
    return (await thread.run('Go.', { whenBusy })).finalOutput;
  });
  expect(value).toBe('Done.');
});
