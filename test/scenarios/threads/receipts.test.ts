/** L1, L5, P5 on threads: what is accepted is recorded, what is refused has not happened, and each says which. */
import { Agent, type Journal, MemoryJournal } from 'loopchart';
import { answersWith, calls, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { type Thread, type ThreadRun, createThread, openThread } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { latch, refund } from '../support/cast.ts';
import { recorded } from '../support/mortal.ts';
import { playThread } from '../support/threadScenario.ts';
import { words } from './support/words.ts';

const said = (content: string) => ({ type: 'message' as const, role: 'user' as const, content });
const refused = (what: PromiseLike<unknown>) => Promise.resolve(what).then((value) => value, (error: Error) => `${error.name}: ${error.message}`);
const reasonOf = (receipt: object) => ('reason' in receipt ? receipt.reason : 'status' in receipt ? receipt.status : undefined);

/** Each kind of thing that a thread takes, by what it is called. */
const TELLINGS: [what: string, tell: (thread: Thread) => PromiseLike<unknown>][] = [
  ['a run that waits', (thread) => thread.run('Later.').receipt],
  ['a queued run', (thread) => thread.queue.add('Later.').receipt],
  ['a steer', (thread) => thread.steer('Hurry.')],
  ['mail', (thread) => thread.mail({ from: 'host', content: 'News.' })],
  ['injected items', (thread) => thread.inject([said('$ ls')])],
  ['a goal', (thread) => thread.setGoal({ message: 'Go on.' })],
  ['a rule', (thread) => thread.addRule({ tool: 'pay', decision: 'allow' })],
  ['an approval', (thread) => thread.approve(thread.interruptions[0]!)],
  ['a rejection', (thread) => thread.reject(thread.interruptions[0]!)],
  ['a stop', (thread) => thread.stopAfterTurn()],
  ['an interrupt', (thread) => thread.interrupt()],
  ['a way back', (thread) => thread.revert({ runId: null })],
];

/** A journal on a disk that may be full. */
function disk() {
  const kept = new MemoryJournal();
  const state = { isFull: false, delayMs: 0 };
  const journal: Journal = {
    append: async (...entries) => {
      await Promise.resolve();
      if (state.isFull) throw new Error('The disk is full.');
      return kept.append(...entries);
    },
    open: (id) => kept.open(id), release: (id, epoch) => kept.release(id, epoch), read: (id, from) => kept.read(id, from), list: (filter) => kept.list(filter),
    tail: (id, from, signal) => kept.tail(id, from, signal), remove: (id) => kept.remove(id), prune: (retention) => kept.prune(retention), close: () => kept.close(),
  };
  return { journal, kept, state };
}

async function waitingThread(journal: Journal) {
  const clock = virtualClock();
  const thread = createThread(new Agent({ name: 'A', model: scriptedModel(calls('refund', { order: 1 })), tools: [refund] }), { journal, clock, threadId: 'thread_test' });
  const run = thread.run('Go.');
  run.result.catch(() => undefined);
  await clock.settle();
  return { thread, clock, run };
}

test.each(TELLINGS)('L1: %s that cannot be written is answered with the error, and has not happened', async (_what, tell) => {
  const { journal, kept, state } = disk();
  const { thread, run } = await waitingThread(journal);
  const before = kept.read('thread_test').length;
  state.isFull = true;
  expect(await refused(tell(thread))).toBe('Error: The disk is full.');
  expect(await refused(run)).toBe('Error: The disk is full.');
  expect(await refused(thread.steer('More?'))).toBe('Error: The disk is full.');
  expect(kept.read('thread_test').length).toBe(before);
  const again = await openThread('thread_test', { journal: recorded('thread_test', kept.read('thread_test')), clock: virtualClock(), agents: new Agent({ name: 'A', model: scriptedModel(), tools: [refund] }) });
  const { queue, mailbox, goal, rules, phase, history } = again.look;
  expect([queue, mailbox, goal, rules, phase, history, again.interruptions.length]).toEqual([[], [], null, [], 'awaitingApproval', [], 1]);
  await again.release();
});

test.each(TELLINGS)('L1: %s is durable when it is answered, not before', async (_what, tell) => {
  const { journal, kept } = disk();
  const { thread } = await waitingThread(journal);
  const before = kept.read('thread_test').length;
  const answer = tell(thread);
  expect(kept.read('thread_test').length).toBe(before);
  await answer;
  expect(kept.read('thread_test').length).toBeGreaterThan(before);
  await thread.release();
});

test('L1: what is accepted names the run that it is for, and is delivered once, in a turn of it', async () => {
  const { value } = await playThread(async (world) => {
    const [asked, go] = [latch(), latch()];
    const thread = world.thread(new Agent({ name: 'A', model: world.model(answersWith(async () => (asked.open(), await go.promise, says('First.'))), says('Second.')) }));
    const run = thread.run('Go.', { id: 'go' });
    const begun = await run.receipt;
    await asked.promise;
    const { delivery, ...steered } = (await thread.steer('More.', { id: 'more' })) as { delivery: Promise<unknown> };
    go.open();
    await run;
    return [begun, steered, await delivery];
  });
  expect(value).toEqual([
    { status: 'accepted', id: 'go', runId: 'thread_test/run.1' },
    { status: 'accepted', id: 'more', runId: 'thread_test/run.1' },
    { status: 'delivered', runId: 'thread_test/run.1', turn: 2 },
  ]);
});

const REFUSED: [reason: string, message: RegExp, tell: (thread: Thread) => PromiseLike<object>][] = [
  ['busy', /A run is going.* whenBusy/, (thread) => thread.run('More.', { whenBusy: 'reject' }).receipt],
  ['stale', /expectedRunId.* thread\.activeRun/, (thread) => thread.interrupt({ expectedRunId: 'thread_test/run.9' })],
  ['stale', /expectedRunId/, (thread) => thread.stopAfterTurn({ expectedRunId: 'thread_test/run.9' })],
  ['stale', /expectedRunId/, (thread) => thread.run('More.', { whenBusy: 'steer', expectedRunId: 'thread_test/run.9' }).receipt],
  ['stale', /expectedRunId/, (thread) => thread.run('More.', { whenBusy: 'replace', expectedRunId: 'thread_test/run.9' }).receipt],
  ['unknownPath', /Nothing is at work at this path/, (thread) => thread.interrupt({ path: 'thread_test/background.1' })],
  ['unknownEntry', /no such entry in the queue.* thread\.queue\.list\(\)/, (thread) => thread.queue.edit('none', { input: 'x' })],
  ['unknownEntry', /no such entry/, (thread) => thread.queue.move('none', 0)],
  ['unknownEntry', /no such entry/, (thread) => thread.queue.remove('none')],
  ['unknownPoint', /no such run.* thread\.look\.runs/, (thread) => thread.revert({ runId: 'thread_test/run.9' })],
  ['unknownRule', /no such rule.* thread\.look\.rules/, (thread) => thread.removeRule('none')],
  ['empty', /needs text or items/, (thread) => thread.steer([])],
];
test.each(REFUSED)('L1, L5: refused as %s, a command has changed nothing, and its message says what to do (%#)', async (reason, message, tell) => {
  const { thread } = await waitingThread(new MemoryJournal());
  const before = JSON.stringify(thread.look);
  const receipt = (await tell(thread)) as { status: string; reason?: string; message?: string };
  expect([receipt.status, receipt.reason]).toEqual(['rejected', reason]);
  expect(receipt.message).toMatch(message);
  expect(JSON.stringify(thread.look)).toBe(before);
  await thread.release();
});

test('P5: the commands of a run handle are for that run alone', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('One.'), calls('refund', { order: 1 }), says('Two.')), tools: [refund] }));
    const first = thread.run('First.');
    await first;
    const second = thread.run('Second.');
    await thread.until('run.awaitingApproval');
    const receipts = [await first.steer('Hurry.'), await first.interrupt(), await first.stopAfterTurn()].map(reasonOf);
    const { status } = await second.steer('Hurry.');
    await thread.approve(thread.interruptions[0]!);
    await second;
    return [receipts, status];
  });
  expect(value).toEqual([['stale', 'stale', 'stale'], 'accepted']);
  expect(words(seen.history).filter((line) => line === 'user Hurry.').length).toBe(1);
});

const UNREADABLE: [what: string, tell: (thread: Thread) => PromiseLike<unknown>][] = [
  ['input that is none', (thread) => thread.run(5 as never).receipt],
  ['items that are none', (thread) => thread.steer(['Hurry.'] as never)],
  ['input that is no JSON', (thread) => thread.run([{ ...said('x'), providerData: { big: 1n } }] as never).receipt],
  ['mail from nobody', (thread) => thread.mail({ content: 'News.' } as never)],
  ['mail without words', (thread) => thread.mail({ from: 'host' } as never)],
  ['nothing to inject', (thread) => thread.inject([])],
  ['a goal without words', (thread) => thread.setGoal({ message: '' })],
  ['a goal without runs', (thread) => thread.setGoal({ message: 'Go on.', maxRuns: 0 })],
  ['a place that is none', (thread) => thread.queue.move('none', -1)],
  ['a turn before the first', (thread) => thread.revert({ runId: 'thread_test/run.1', turn: 0 })],
  ['a point that is none', (thread) => thread.revert({} as never)],
  ['a fork at no point', (thread) => thread.fork({ at: { runId: 'thread_test/run.1', turn: 0.5 } })],
  ['a fork by a name that paths are built with', (thread) => thread.fork({ threadId: 'a/b' })],
];
test.each(UNREADABLE)('L1: %s is refused before it is recorded, so that the journal can be read again', async (_what, tell) => {
  const journal = new MemoryJournal();
  const { thread, clock } = await waitingThread(journal);
  const before = journal.read('thread_test').length;
  expect(await refused(tell(thread))).toMatch(/^UserError: /);
  expect([journal.read('thread_test').length, journal.list().length]).toEqual([before, 1]);
  await thread.release();
  const again = await openThread('thread_test', { journal, clock, agents: new Agent({ name: 'A', model: scriptedModel(says('Done.')), tools: [refund] }) });
  await again.approve(again.interruptions[0]!);
  expect((await again.activeRun!).finalOutput).toBe('Done.');
  await again.close();
});

test('L1: two inputs, or two commands, of the same id are told apart: the second is refused', async () => {
  const { journal } = disk();
  const { thread } = await waitingThread(journal);
  const queued: ThreadRun[] = [thread.queue.add('One.', { id: 'mine' }), thread.queue.add('Two.', { id: 'mine' })];
  expect([reasonOf((await queued[0]!.receipt)), await refused(queued[1]!.receipt)]).toEqual(['accepted', expect.stringMatching(/There is an input mine already/)]);
  const steers = await Promise.all([refused(thread.steer('One.', { id: 'same' })), refused(thread.steer('Two.', { id: 'same' }))]);
  expect(steers.map((one) => (typeof one === 'string' ? one : reasonOf(one as object)))).toEqual(['accepted', expect.stringMatching(/same was told already/)]);
  expect(words(thread.look.queue.flatMap(({ input }) => input))).toEqual(['user One.']);
  await thread.release();
});

test('L1: input that cannot be told so leaves its id to the next attempt', async () => {
  const thread = createThread(new Agent({ name: 'A', model: scriptedModel(says('Done.')) }));
  const wrong = [thread.run('Go.', { id: 'mine', agent: 'Nobody' }), thread.queue.add('Go.', { id: 'other', maxTurns: -1 })];
  expect(await Promise.all(wrong.map(({ receipt }) => refused(receipt)))).toEqual(Array(2).fill(expect.stringMatching(/^UserError: The run cannot be told so/)));
  const right = [thread.run('Go.', { id: 'mine' }), thread.queue.add('Go.', { id: 'other' })];
  expect((await Promise.all(right.map(({ receipt }) => receipt))).map(({ id, status }) => [id, status])).toEqual([['mine', 'accepted'], ['other', 'accepted']]);
  await thread.close();
});

test('L1: what an app does to its own objects after it gave them changes nothing', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('refund', { order: 1 }), says('Done.')), tools: [refund] }));
    const items = [said('As given.')];
    const run = thread.run(items);
    items[0]!.content = 'Changed.';
    items.push(said('Added.'));
    await thread.until('run.awaitingApproval');
    await thread.approve(thread.interruptions[0]!);
    await run;
    return words(thread.look.history)[0];
  });
  expect(value).toBe('user As given.');
});
