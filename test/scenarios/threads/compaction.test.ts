/** N1-N3 on threads: between runs, during one, and over many. */
import { Agent, CompactionError, type AgentInputItem } from 'loopchart';
import { answersWith, calls, delays, fails, hangs, says, user, type Step } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { summary, used, window } from '../compaction/support.ts';
import { counted, latch, refund } from '../support/cast.ts';
import { type PlayedThread, type ThreadWorld, playThread } from '../support/threadScenario.ts';

const readerOf = (world: ThreadWorld, ...steps: Step[]) => new Agent({ name: 'Reader', model: world.model(...steps) });
const kindsOf = (items: readonly AgentInputItem[]) => items.map((item) => ('role' in item ? item.role : item.type));
const compactions = ({ told }: PlayedThread) => told.flatMap((event) => (event.type.startsWith('compaction.') ? [`${event.type} ${event.path}`] : []));
const accepted = async (thread: PlayedThread) => {
  const receipt = await thread.compact();
  return receipt.status === 'accepted' ? receipt.compaction : receipt;
};

test('N1, N3: an idle thread sums up what it holds; later runs begin with that', async () => {
  const { seen, requests, value } = await playThread(async (world) => {
    const thread = world.thread(readerOf(world, says('One.'), says('They count.'), says('Two.')));
    await thread.run('Count.');
    const compacting = thread.compact();
    const phase = (await thread.until((event) => event.type === 'thread.changed' && event.phase === 'compacting')).type;
    const receipt = await compacting;
    const ended = receipt.status === 'accepted' && (await receipt.compaction);
    const between = [kindsOf(thread.look.history), thread.state, thread.look.runs];
    await thread.run('On.');
    return [phase, ended, between, compactions(thread), thread.look.runs.map(({ from, to }) => [from, to])];
  });
  expect(value).toEqual([
    'thread.changed', { status: 'completed', before: expect.any(Number), after: expect.any(Number), dropped: 0 },
    [['compaction'], 'idle', [expect.objectContaining({ from: null, to: null })]],
    ['compaction.started thread_test', 'compaction.completed thread_test'], [[null, null], [1, 3]],
  ]);
  expect(requests[2]!.input).toEqual([user('Count.'), user(summary('They count.')), user('On.')]);
  expect([kindsOf(seen.history), seen.usage.requests]).toEqual([['compaction', 'user', 'assistant'], 3]);
});

test('N1: where there is nothing to sum up, nothing is done', async () => {
  const { value, requests } = await playThread(async (world) => {
    const thread = world.thread(readerOf(world, says('One.'), says('They count.')));
    const empty = await thread.compact();
    await thread.inject([user('A note that nobody has read.')]);
    const unanswered = await thread.compact();
    await thread.run('Count.');
    await accepted(thread);
    return [empty.status, unanswered.status, (await thread.compact()).status];
  });
  expect([value, requests.length]).toEqual([['noEffect', 'noEffect', 'noEffect'], 2]);
});

test('N1, N2: during a run it comes at the next safe point; what was not answered yet stands behind it', async () => {
  const { seen, requests, value } = await playThread(async (world) => {
    const gate = latch();
    const look = counted('look', async () => (await gate.promise, 'seen'));
    const agent = new Agent({ name: 'Reader', model: world.model(says('Hello.'), calls('look'), says('They look.'), says('Done.'), says('Again.')), tools: [look.tool] });
    const thread = world.thread(agent);
    await thread.run('Hi.');
    const going = thread.run('Look.');
    await thread.until('tool.started');
    const ended = accepted(thread);
    await thread.steer('Hurry.');
    gate.open();
    await going;
    await thread.run('More.');
    return [await ended, compactions(thread)];
  });
  expect(value).toEqual([expect.objectContaining({ status: 'completed' }), ['compaction.started thread_test/run.2/agent.1', 'compaction.completed thread_test/run.2/agent.1']]);
  expect(requests[3]!.input).toEqual([user('Hi.'), user('Look.'), user(summary('They look.')), user('Hurry.')]);
  expect(requests[4]!.input.slice(0, 4)).toEqual(requests[3]!.input);
  expect(kindsOf(seen.history)).toEqual(['compaction', 'user', 'assistant', 'user', 'assistant']);
});

test('N1: by itself, over many runs; no message of a person is lost that was not answered', async () => {
  const { seen, requests } = await playThread(async (world) => {
    const model = world.model(says('One.', used(400)), says('Two.', used(950)), says('They count.', used(960)), says('Three.', used(100)), says('Four.'));
    const thread = world.thread(new Agent({ name: 'Reader', model }), window(1_000, { keepUserTokens: 0 }));
    for (const word of ['Un.', 'Deux.', 'Trois.', 'Quatre.']) await thread.run(word);
  });
  expect(requests.map(({ input }) => input.length)).toEqual([1, 3, 5, 2, 4]);
  expect(requests[3]!.input).toEqual([user(summary('They count.')), user('Trois.')]);
  expect(requests[4]!.input.slice(0, 2)).toEqual(requests[3]!.input);
  expect(kindsOf(seen.history)).toEqual(['compaction', 'user', 'assistant', 'user', 'assistant']);
});

test('N1: asked for when the last answer is on its way, it comes after the run; a goal is judged behind it', async () => {
  const { value, seen } = await playThread(async (world) => {
    const gate = latch();
    const model = world.model(answersWith(async () => (await gate.promise, says('One.'))), says('They count.'));
    const thread = world.thread(new Agent({ name: 'Reader', model }), { isGoalReached: ({ history }) => history[0]!.type === 'compaction' });
    await thread.setGoal({ message: 'Go on.' });
    const going = thread.run('Count.');
    await thread.until('turn.started');
    const ended = accepted(thread);
    gate.open();
    await going;
    await ended;
    await thread.until((event) => event.type === 'goal.changed' && event.why === 'done');
    return [(await ended).status, thread.told.flatMap((event) => (event.type === 'thread.changed' && event.phase ? [event.phase] : []))];
  });
  expect(value).toEqual(['completed', ['running', 'compacting', 'judging']]);
  expect(kindsOf(seen.history)).toEqual(['compaction']);
});

test('N1: while a call waits for a person it waits too', async () => {
  const { value } = await playThread(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(says('Hello.'), calls('refund', { order: 7 }), says('They pay.'), says('Paid.')), tools: [refund] });
    const thread = world.thread(agent);
    await thread.run('Hi.');
    const going = thread.run('Pay.');
    await thread.until('run.awaitingApproval');
    const ended = accepted(thread);
    await world.clock.settle();
    const waiting = compactions(thread).length;
    await thread.approve(thread.interruptions[0]!);
    await going;
    return [waiting, (await ended).status];
  });
  expect(value).toEqual([0, 'completed']);
});

test('L5, M2: meanwhile a steer is refused; what is injected stays behind it; queue and mail wait', async () => {
  const { value, seen, requests } = await playThread(async (world) => {
    const gate = latch();
    const thread = world.thread(readerOf(world, says('One.'), answersWith(async () => (await gate.promise, says('They count.'))), says('Mail.'), says('Two.')));
    await thread.run('Count.');
    const ended = accepted(thread);
    const steer = await thread.steer('Hurry.');
    await thread.inject([user('A note.')]);
    const queued = thread.run('On.');
    await queued.receipt;
    await thread.mail({ from: 'host', content: 'News.', triggerTurn: true });
    const waiting = [thread.look.queue.length, thread.look.mailbox.length, thread.look.runs.length];
    gate.open();
    await queued;
    return [steer, waiting, await ended];
  });
  expect(value).toEqual([expect.objectContaining({ status: 'rejected', reason: 'compacting' }), [1, 1, 1], expect.objectContaining({ status: 'completed' })]);
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from mail: completed', 'run.3 from queue: completed']);
  expect(requests[2]!.input.slice(1, 3)).toEqual([user(summary('They count.')), user('A note.')]);
});

test('N2: one that fails is announced and changes nothing; the thread goes on', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(readerOf(world, says('One.'), fails({ status: 400, message: 'No.' }), says('Two.')));
    await thread.run('Count.');
    const ended = await accepted(thread);
    await thread.run('On.');
    return [ended, compactions(thread)];
  });
  expect(value).toEqual([{ status: 'failed', error: expect.any(CompactionError) }, ['compaction.started thread_test', 'compaction.failed thread_test']]);
  expect(kindsOf(seen.history)).toEqual(['user', 'assistant', 'user', 'assistant']);
});

test('M3: after one that fails, or that is through, a paused thread is still paused', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(readerOf(world, says('One.'), hangs(), fails({ status: 400 }), says('They count.')));
    await thread.run('Count.');
    const going = thread.run('On.');
    await thread.until((event) => event.type === 'turn.started' && event.path.includes('run.2'));
    await world.clock.settle();
    await thread.interrupt();
    await going.result.catch(() => undefined);
    const states = [(await accepted(thread)).status, thread.state];
    return [...states, (await accepted(thread)).status, thread.state];
  });
  expect(value).toEqual(['failed', 'paused', 'completed', 'paused']);
});

test('J2: an interrupt ends it, and nothing has changed', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(readerOf(world, says('One.'), hangs(), says('Two.')));
    await thread.run('Count.');
    const ended = accepted(thread);
    await thread.until('compaction.started');
    await world.clock.settle();
    const receipt = await thread.interrupt();
    const state = thread.state;
    await thread.run('On.');
    return [receipt.status, state, await ended];
  });
  expect(value).toEqual(['accepted', 'paused', { status: 'dropped' }]);
  expect(kindsOf(seen.history)).toEqual(['user', 'assistant', 'user', 'assistant']);
});

test('M9: close ends it', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(readerOf(world, says('One.'), hangs()));
    await thread.run('Count.');
    const ended = accepted(thread);
    await thread.until('compaction.started');
    await thread.close();
    return ended;
  });
  expect([value, seen.state]).toEqual([{ status: 'dropped' }, 'closed']);
});

test('O1: killed during it, another process makes it', async () => {
  const { seen, requests } = await playThread(async (world) => {
    const thread = world.thread(readerOf(world, says('One.'), hangs(), says('They count.'), says('Two.')));
    await thread.run('Count.');
    void accepted(thread);
    await thread.until('compaction.started');
    await world.clock.settle();
    const again = await world.reopen(thread);
    await again.until('compaction.completed');
    await again.run('On.');
  });
  expect([requests.length, kindsOf(seen.history)]).toEqual([4, ['compaction', 'user', 'assistant']]);
});

test('N3, M6: history before a compaction is in the journal: fork and revert lead back to it', async () => {
  const { value, threads } = await playThread(async (world) => {
    const thread = world.thread(readerOf(world, says('One.'), says('Two.'), says('They count.'), says('Three.'), says('Back.')));
    await thread.run('Un.');
    const [first] = thread.look.runs;
    await thread.run('Deux.');
    await accepted(thread);
    await thread.run('Trois.');
    const fork = await thread.fork({ at: { runId: first!.runId }, threadId: 'thread_fork' });
    const forked = kindsOf(fork.look.history);
    await fork.release();
    const receipt = await thread.revert({ runId: first!.runId });
    await thread.run('Again.');
    return [forked, receipt.status];
  });
  expect(value).toEqual([['user', 'assistant'], 'accepted']);
  expect(threads[0]!.history.map((item) => ('content' in item && typeof item.content === 'string' ? item.content : item.type))).toEqual(['Un.', 'message', 'Again.', 'message']);
});

test('N1: with a time limit on the summary, the thread says that it was too slow', async () => {
  const { value } = await playThread(async (world) => {
    const model = world.model(says('One.'), delays(5_000, says('They count.'), world.clock));
    const thread = world.thread(new Agent({ name: 'Reader', model }), { compaction: { modelSettings: { timeoutMs: 1_000 } } });
    await thread.run('Count.');
    const ended = accepted(thread);
    await thread.until('compaction.started');
    await world.clock.advance(1_000);
    return ended;
  });
  expect(value).toMatchObject({ status: 'failed' });
});
