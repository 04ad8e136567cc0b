/** The view of a live thread: what it begins with, how it follows, and that it shows what the events alone show. */
import { Agent, MemoryJournal, type RunEvent, readEvents } from 'loopchart';
import { createThread, openThread } from 'loopchart/thread';
import { calls, hangs, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { type ThreadView, type ThreadViewStore, threadView, viewOf, viewStore } from 'loopchart/view';
import { expect, test } from 'vitest';
import { counted, refund } from '../../scenarios/support/cast.ts';
import { line } from './line.ts';

const viewed = (store: ThreadViewStore): ThreadView => store.getSnapshot().context;
const lines = (view: ThreadView) => view.transcript.map(line);

async function recordedView(threadId: string, journal: MemoryJournal, agents: Agent<any, any>): Promise<ThreadView> {
  const events: RunEvent[] = [];
  for await (const event of readEvents(threadId, { journal, agents })) events.push(event);
  return viewOf(events);
}

test('a thread is shown as it goes: input, text as it streams, calls, what waits, queue, usage, actors', async () => {
  const clock = virtualClock();
  const journal = new MemoryJournal();
  const model = scriptedModel(calls('refund', { order: 7 }), says('It is refunded.'), says('You are welcome.'));
  const agent = new Agent({ name: 'Desk', model, tools: [refund] });
  const thread = createThread(agent, { journal, clock });
  const view = threadView(thread);
  const run = thread.run('Refund order 7.');
  await clock.settle();
  expect([viewed(view).state, viewed(view).phase, lines(viewed(view))]).toEqual(['active', 'awaitingApproval', ['user: Refund order 7.', 'refund awaitingApproval']]);
  expect(viewed(view).pending).toEqual([expect.objectContaining({ id: thread.interruptions[0]!.id, tool: 'refund', kind: 'approval' })]);
  expect(viewed(view).actors.map(({ kind, word }) => `${kind} ${word}`)).toEqual(['run', 'agent', 'turn', 'toolCall'].map((kind) => `${kind} awaitingApproval`));
  void thread.queue.add('Thank you.');
  await clock.settle();
  expect(viewed(view).queue.length).toBe(1);
  await thread.approve(viewed(view).pending[0]!.id);
  await run;
  await clock.settle();
  expect([viewed(view).state, viewed(view).pending, viewed(view).queue, lines(viewed(view))]).toEqual([
    'idle', [], [], ['user: Refund order 7.', 'refund completed: refunded 7', 'Desk: It is refunded.', 'user: Thank you.', 'Desk: You are welcome.'],
  ]);
  expect(viewed(view).usage).toEqual({ requests: 3, inputTokens: thread.look.usage.inputTokens, outputTokens: thread.look.usage.outputTokens, totalTokens: thread.look.usage.totalTokens });
  expect({ ...(await recordedView(thread.id, journal, agent)), usage: viewed(view).usage }).toEqual(viewed(view));
  await thread.close();
  await clock.settle();
  expect(viewed(view).state).toBe('closed');
});

test('who begins to look later sees what was, and the run that is going from its begin', async () => {
  const clock = virtualClock();
  const journal = new MemoryJournal();
  const agent = new Agent({ name: 'Desk', model: scriptedModel(says('One.'), calls(['tick'], ['refund', { order: 7 }]), says('Two.')), tools: [refund, counted('tick').tool] });
  const thread = createThread(agent, { journal, clock });
  await thread.run('first');
  const run = thread.run('second');
  await clock.settle();
  const view = threadView(thread);
  expect([viewed(view).phase, lines(viewed(view)), viewed(view).pending.length]).toEqual(['awaitingApproval', ['user: first', 'Desk: One.'], 1]);
  await clock.settle();
  expect(lines(viewed(view))).toEqual(['user: first', 'Desk: One.', 'user: second', 'tick completed: done', 'refund awaitingApproval']);
  expect(viewed(view).pending.length).toBe(1);
  await thread.reject(viewed(view).pending[0]!.id, { message: 'No.' });
  await run;
  await clock.settle();
  expect(lines(viewed(view))).toEqual(['user: first', 'Desk: One.', 'user: second', 'tick completed: done', 'refund declined: No.', 'Desk: Two.']);
  expect(lines(await recordedView(thread.id, journal, agent))).toEqual(lines(viewed(view)));
});

test('O1: a thread that is opened in another process shows the run that waits there, from its begin', async () => {
  const clock = virtualClock();
  const journal = new MemoryJournal();
  const make = (...steps: Parameters<typeof scriptedModel>) => new Agent({ name: 'Desk', model: scriptedModel(...steps), tools: [refund] });
  const first = createThread(make(says('One.'), calls('refund', { order: 7 })), { journal, clock, threadId: 'thread_1' });
  await first.run('first');
  void first.run('second');
  await clock.settle();
  await first.release();
  const again = await openThread('thread_1', { journal, clock, agents: make(says('Two.')) });
  const view = threadView(again);
  await clock.settle();
  expect(lines(viewed(view))).toEqual(['user: first', 'Desk: One.', 'user: second', 'refund awaitingApproval']);
  await again.approve(viewed(view).pending[0]!.id);
  await again.activeRun;
  await clock.settle();
  expect(lines(viewed(view)).slice(-2)).toEqual(['refund completed: refunded 7', 'Desk: Two.']);
});

test('J2: an interrupt keeps what had streamed, and says so', async () => {
  const clock = virtualClock();
  const thread = createThread(new Agent({ name: 'Desk', model: scriptedModel(hangs(3, says('one two three'))) }), { clock });
  const view = threadView(thread);
  thread.run('go');
  await clock.settle();
  expect(lines(viewed(view))).toEqual(['user: go', 'Desk streaming: one two ']);
  await thread.interrupt();
  await clock.settle();
  expect([lines(viewed(view)), viewed(view).state]).toEqual([['user: go', 'Desk incomplete: one two ', 'interrupted: The run was interrupted.'], 'paused']);
});

test('what comes in one tick is one update, and the text of a turn is told as one', async () => {
  const clock = virtualClock();
  const text = 'word '.repeat(500);
  const frames: (() => void)[] = [];
  const thread = createThread(new Agent({ name: 'Desk', model: scriptedModel(hangs(501, says(`${text}end`))) }), { clock });
  const [eager, framed] = [threadView(thread), threadView(thread, { schedule: (show) => frames.push(show) })];
  const updates = { eager: 0, framed: 0 };
  eager.subscribe(() => void (updates.eager += 1));
  framed.subscribe(() => void (updates.framed += 1));
  thread.run('go');
  await clock.settle();
  expect([updates.framed, frames.length]).toEqual([0, 1]);
  frames[0]!();
  expect([updates.framed, lines(viewed(framed))]).toEqual([1, lines(viewed(eager))]);
  expect(updates.eager).toBeLessThanOrEqual(520);
  await thread.interrupt();
});

test('a signal ends the following, and the store keeps what it has', async () => {
  const clock = virtualClock();
  const stop = new AbortController();
  const thread = createThread(new Agent({ name: 'Desk', model: scriptedModel(says('One.'), says('Two.')) }), { clock });
  const view = threadView(thread, { signal: stop.signal });
  await thread.run('first');
  await clock.settle();
  stop.abort();
  await thread.run('second');
  await clock.settle();
  expect(lines(viewed(view))).toEqual(['user: first', 'Desk: One.']);
});

test('a store is told events by hand', () => {
  const view = viewStore({ keepEntries: 1 });
  const told = (number: number, text: string) => ({ number, type: 'input.delivered', at: 0, cause: '', agent: 'Desk', path: 'run_1', ids: [text], items: [{ type: 'message', role: 'user', content: text }], turn: 1 }) as RunEvent; // whole
  view.trigger.told({ events: [told(1, 'a'), told(2, 'b')] });
  expect(lines(viewed(view))).toEqual(['user: b']);
});
