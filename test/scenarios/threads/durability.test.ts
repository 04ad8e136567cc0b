/** O1-O5, A8 on threads: what another process makes of them, and when it must not. */
import { Agent, type Journal, JournalConflict, MemoryJournal, UserError, checkReplay, run, tool } from 'loopchart';
import { answersWith, calls, hangs, says, scriptedModel, virtualClock, type Step } from 'loopchart/testing';
import { type Thread, type ThreadEvent, type ThreadOptions, createThread, openThread } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { used } from '../compaction/support.ts';
import { counted, latch, refund } from '../support/cast.ts';

const ID = 'thread_1';
type Options = Omit<ThreadOptions<any>, 'journal' | 'threadId'>;
const begun = (agent: Agent<any, any>, journal: Journal, options: Options = {}) => createThread(agent, { ...options, journal, threadId: ID });
const opened = (agents: Agent<any, any> | Agent<any, any>[], journal: Journal, options: Options = {}) => openThread(ID, { ...options, journal, agents });
const deskOf = (...steps: Step[]) => new Agent({ name: 'Desk', model: scriptedModel(...steps), tools: [refund] });
const seen = (thread: Thread) => JSON.parse(JSON.stringify({ ...thread.look, interruptions: thread.interruptions.map(({ id }) => id) })) as Thread['look'] & { interruptions: string[] };
const messageOf = (promise: PromiseLike<unknown>) => Promise.resolve(promise).then(() => 'resolved', (error: Error) => `${error.constructor.name}: ${error.message}`);

// -- checkpoints ------------------------------------------------------------------------------------------------------

/** Lead asks Clerk, who pays, and Helper, who works in the background; whatever they are shown decides what comes next. */
function office(helperDoes: Step, ...clerkDoes: Step[]) {
  const helper = new Agent({ name: 'Helper', model: scriptedModel(helperDoes) });
  const clerk = new Agent({ name: 'Clerk', model: scriptedModel(...clerkDoes), tools: [refund] });
  const next = answersWith(({ input }) => {
    const last = (input.at(-1) as { content?: string }).content;
    if (last === 'Hello.') return says('Hi.', used(100));
    if (last === 'Pay and ask.') return calls(['Clerk', { input: 'Pay.' }, { callId: 'a' }], ['helper', { input: 'What?' }, { callId: 'b' }]);
    return says(String(last).startsWith('[Mail') ? 'Heard.' : 'Done.', used(50));
  });
  return new Agent({ name: 'Lead', model: scriptedModel(next, next, next, next, next, next), tools: [clerk.asTool({}), helper.asTool({ toolName: 'helper', background: true })] });
}

test.each([1, Infinity])('O1: with a checkpoint every %s entries, a thread with a nested call that waits and an agent in the background is opened as it was', async (checkpointEvery) => {
  const journal = new MemoryJournal();
  const clock = virtualClock();
  const thread = begun(office(hangs(), calls('refund', { order: 7 }, used(25))), journal, { checkpointEvery, clock, budget: { tokens: 100_000 } });
  await thread.run('Hello.');
  void thread.run('Pay and ask.');
  await clock.settle();
  const before = seen(thread);
  expect([before.phase, before.interruptions.length, before.background.length, before.usage.requests]).toEqual(['awaitingApproval', 1, 1, 3]);
  await thread.release();
  expect(journal.readCheckpoint(ID) !== undefined).toBe(checkpointEvery === 1);
  const again = await opened(office(says('42.', used(10)), says('Paid.', used(30))), journal, { checkpointEvery, clock, budget: { tokens: 100_000 } });
  expect(seen(again)).toEqual(before);
  await again.approve(again.interruptions[0]!);
  await clock.settle();
  expect(again.look.runs.map(({ status }) => status)).toEqual(['completed', 'completed']);
  expect([again.look.history.at(-1), again.state]).toEqual([expect.objectContaining({ content: [expect.objectContaining({ text: 'Heard.' })] }), 'idle']);
  expect(again.look.usage.totalTokens).toBe(100 + 15 + 25 + 10 + 30 + 50); // a step that does not say costs 15
  await again.release();
});

test('O1: opened from a checkpoint and again from its entries alone, a thread is the same', async () => {
  const journal = new MemoryJournal();
  const model = () => scriptedModel(says('One.', used(10)), says('Two.', used(20)), says('Three.', used(30)));
  const thread = begun(new Agent({ name: 'Desk', model: model() }), journal, { checkpointEvery: 1 });
  for (const word of ['Un.', 'Deux.', 'Trois.']) await thread.run(word);
  await thread.addRule({ id: 'rule', tool: 'refund', decision: 'ask' });
  await thread.mail({ id: 'mail', from: 'host', content: 'News.' });
  const before = seen(thread);
  await thread.release();
  const withText = await opened(deskOf(), journal);
  const first = seen(withText);
  await withText.release();
  const { readCheckpoint: _none, ...bare } = { append: journal.append.bind(journal), open: journal.open.bind(journal), release: journal.release.bind(journal), read: journal.read.bind(journal), list: journal.list.bind(journal), tail: journal.tail.bind(journal), remove: journal.remove.bind(journal), prune: journal.prune.bind(journal), close: journal.close.bind(journal), readCheckpoint: undefined };
  const without = await opened(deskOf(), bare as Journal);
  expect([first, seen(without)]).toEqual([before, before]);
  await without.release();
});

test('A8: usage of a thread over many runs, nested ones, a compaction, retries and processes is exact', async () => {
  const journal = new MemoryJournal();
  const inner = () => new Agent({ name: 'Inner', model: scriptedModel(says('Found.', used(7))) });
  const lead = (...steps: Step[]) => new Agent({ name: 'Lead', model: scriptedModel(...steps), tools: [inner().asTool({})] });
  let total = 0;
  for (let process = 0; process < 4; process += 1) {
    const agent = lead(calls('Inner', { input: 'i' }, used(100 + process)), says('Done.', used(10)), says('A summary.', used(3)));
    const thread = process === 0 ? begun(agent, journal, { checkpointEvery: process }) : await opened(agent, journal, { checkpointEvery: 1 });
    const { usage } = await thread.run('go');
    expect([usage.requests, usage.totalTokens]).toEqual([3, 117 + process]);
    const receipt = await thread.compact();
    if (receipt.status === 'accepted') await receipt.compaction;
    total += 120 + process;
    expect([thread.look.usage.totalTokens, thread.look.usage.requests]).toEqual([total, 4 * (process + 1)]);
    await thread.release();
  }
});

// -- what is missing --------------------------------------------------------------------------------------------------

test('O5: an agent or a tool that is missing is named; nothing is recorded, and the journal is free for the next', async () => {
  const journal = new MemoryJournal();
  const look = counted('look', () => new Promise(() => undefined));
  const clock = virtualClock();
  const thread = begun(new Agent({ name: 'Desk', model: scriptedModel(calls('look')), tools: [look.tool] }), journal, { clock });
  void thread.run('go').result.catch(() => undefined);
  await clock.settle();
  const released = thread.release();
  await clock.advance(100); // the grace of the body
  await released;
  const { length } = journal.read(ID);
  expect(await messageOf(opened(new Agent({ name: 'Other' }), journal))).toBe('UserError: Thread thread_1 belongs to agent "Desk", which is not among those given. Pass the agent that the thread was made with.');
  expect(await messageOf(opened(new Agent({ name: 'Desk', model: scriptedModel() }), journal))).toMatch(/^UserError: .* cannot go on: Agent "Desk" no longer has the tool "look"/);
  expect(await messageOf(openThread('thread_2', { journal, agents: deskOf() }))).toBe('UserError: There is no thread thread_2 in this journal. journal.list() tells which there are.');
  expect(journal.read(ID).length).toBe(length);
  const again = await opened(new Agent({ name: 'Desk', model: scriptedModel(says('Seen.')), tools: [counted('look', 'seen').tool] }), journal, { clock });
  expect(again.look.phase).toBe('awaitingApproval'); // nobody knows what became of the body
  await again.release();
});

test('O5, F5: the agent tool of work in the background is missing: while it works, opening is refused; when it is over, nothing needs it', async () => {
  const journal = new MemoryJournal();
  const clock = virtualClock();
  const helper = new Agent({ name: 'Helper', model: scriptedModel(hangs()) });
  const withTool = (...steps: Step[]) => new Agent({ name: 'Desk', model: scriptedModel(...steps), tools: [helper.asTool({ toolName: 'helper', background: true })] });
  const thread = begun(withTool(calls('helper', { input: 'i' }), says('Asked.')), journal, { clock });
  await thread.run('go');
  await clock.settle();
  await thread.release();
  expect(await messageOf(opened(deskOf(), journal, { clock }))).toBe('UserError: Agent "Desk" has no agent tool "helper" that could work in the background. Give it a tool of this name again.');
  const again = await opened(withTool(), journal, { clock });
  await again.interrupt({ path: `${ID}/background.1` });
  await again.release();
  const over = await opened(deskOf(), journal, { clock });
  expect([over.look.background, over.look.mailbox.length]).toEqual([[], 1]);
  await over.release();
});

test('M7, O5: a queued run whose agent is missing in this process fails, and the thread goes on', async () => {
  const journal = new MemoryJournal();
  const clock = virtualClock();
  const billing = new Agent({ name: 'Billing', model: scriptedModel() });
  const thread = begun(deskOf(hangs()), journal, { clock, agents: [billing] });
  void thread.run('go').result.catch(() => undefined);
  void thread.queue.add('Bill it.', { agent: 'Billing' }).result.catch(() => undefined);
  await clock.settle();
  await thread.release();
  const again = await opened(deskOf(says('Done.'), says('Still here.')), journal, { clock });
  await clock.settle();
  expect([again.look.runs.map(({ status }) => status), again.state]).toEqual([['completed', 'failed'], 'paused']);
  expect((await again.run('Are you there?', { agent: 'Desk' })).finalOutput).toBe('Still here.');
  await again.release();
});

test('P3: the id of another thread or run is refused, and that one is not disturbed', async () => {
  const journal = new MemoryJournal();
  const first = begun(deskOf(says('One.')), journal);
  await first.run('go');
  await first.release();
  const { length } = journal.read(ID);
  const second = begun(deskOf(says('Never.')), journal);
  expect(await messageOf(second.run('go').result)).toBe('UserError: The id thread_1 is in use in this journal. Go on with a thread through openThread("thread_1", …), or give the new one another id.');
  await run(deskOf(says('A run.')), 'go', { journal, runId: 'run_1' });
  expect(await messageOf(createThread(deskOf(), { journal, threadId: 'run_1' }).run('go').result)).toMatch(/^UserError: The id run_1 is in use/);
  expect(await messageOf(openThread('run_1', { journal, agents: deskOf() }))).toMatch(/^UserError: run_1 is a run, not a thread/);
  expect(await messageOf(run(deskOf(says('Never.')), 'go', { journal, runId: ID }))).toMatch(/^UserError: There is a run thread_1 in this journal/);
  expect(journal.read(ID).length).toBe(length);
  const again = await opened(deskOf(says('Two.')), journal);
  expect((await again.run('more')).finalOutput).toBe('Two.');
  await again.release();
});

test.each(['session', 'sessionInputCallback', 'signal', 'stopSignal', 'runId', 'autoResume', 'previousResponseId', 'conversationId'])('M1: the option %s is not one of threads', async (option) => {
  const options = { [option]: 'x', journal: new MemoryJournal() } as never;
  expect(() => createThread(deskOf(), options)).toThrow(UserError);
  expect(() => createThread(deskOf(), options)).toThrow(`A thread cannot have the option \`${option}\``);
  await expect(openThread(ID, { ...(options as object), agents: deskOf() } as never)).rejects.toThrow(`\`${option}\``);
});

test('B2, N1: limits that mean nothing are refused', () => {
  expect(() => createThread(deskOf(), { budget: { tokens: -1 } })).toThrow('The option `budget` cannot be used');
  expect(() => createThread(deskOf(), { compaction: { contextWindow: 1_000 }, autoPreviousResponseId: true })).toThrow('Compaction cannot be used with');
});

// -- one writer -------------------------------------------------------------------------------------------------------

test('O4: a thread that is open in one process is not opened in another; given back, it is', async () => {
  const journal = new MemoryJournal();
  const thread = begun(deskOf(says('One.')), journal);
  await thread.run('go');
  const model = scriptedModel(says('Two.'));
  await expect(opened(new Agent({ name: 'Desk', model }), journal)).rejects.toThrow(JournalConflict);
  await thread.release();
  expect(await messageOf(thread.run('more').result)).toBe('UserError: Thread thread_1 was given back. Open it again with openThread().');
  const again = await opened(new Agent({ name: 'Desk', model }), journal);
  expect((await again.run('more')).finalOutput).toBe('Two.');
  await again.release();
});

/** Refuses from the entry of that number on. */
function breaking(at: number): { journal: MemoryJournal; fails: Error } {
  const fails = new Error('The disk is full.');
  const journal = new MemoryJournal();
  const append = journal.append.bind(journal);
  let written = 0;
  journal.append = (runId, position, entries) => {
    written += entries.length;
    if (written >= at) throw fails;
    append(runId, position, entries);
  };
  return { journal, fails };
}

test.each([2, 3, 4, 5, 6, 7, 8])('O4, K4: a journal that fails at entry %i ends the thread with that error: receipts, handles, events; nothing runs on', async (at) => {
  const { journal, fails } = breaking(at);
  const clock = virtualClock();
  const gate = latch();
  const paid: string[] = [];
  const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), execute: async () => (await gate.promise, paid.push('paid'), 'paid') });
  const model = scriptedModel(calls('pay'), says('Done.'), says('More.'));
  const thread = begun(new Agent({ name: 'Desk', model, tools: [pay] }), journal, { clock, budget: { wallTimeMs: 60_000, hardDeadline: true } });
  const iterated = messageOf((async () => { for await (const _event of thread.events()) ; })());
  const observed = messageOf(new Promise((_resolve, reject) => thread.events$.subscribe({ error: reject })));
  const first = thread.run('go');
  const queued = thread.run('more');
  const steer = messageOf(thread.steer('Hurry.'));
  await clock.settle();
  gate.open();
  await clock.settle();
  await clock.runAll();
  expect(await Promise.all([messageOf(first.result), messageOf(queued.result), iterated, observed])).toEqual(Array(4).fill('Error: The disk is full.'));
  expect(await steer).toMatch(/^(resolved|Error: The disk is full\.)$/);
  expect(await messageOf(thread.mail({ from: 'host', content: 'x' }))).toBe('Error: The disk is full.');
  const asked = model.requests.length;
  await clock.runAll();
  expect([model.requests.length, clock.pending.length, fails.message]).toEqual([asked, 0, 'The disk is full.']);
  await thread.release();
});

// -- what is listed ---------------------------------------------------------------------------------------------------

test('O5: journals list threads with their state; only closed ones may be forgotten', async () => {
  const journal = new MemoryJournal();
  const clock = virtualClock();
  const make = (threadId: string, ...steps: Step[]) => createThread(deskOf(...steps), { journal, threadId, clock });
  const [fresh, paused, waiting, running, closed] = [make('fresh', says('Hi.')), make('paused', hangs()), make('waiting', calls('refund', { order: 7 })), make('running', hangs()), make('closed', says('Bye.'))];
  await Promise.all([fresh!.run('go'), closed!.run('go')]);
  for (const thread of [paused!, waiting!, running!]) thread.run('go').result.catch(() => undefined);
  await clock.settle();
  await paused!.interrupt();
  await closed!.close();
  for (const thread of [fresh!, paused!, waiting!, running!]) await thread.release();
  expect(Object.fromEntries(journal.list().map(({ runId, state, agent, status }) => [runId, [state, agent, status]]))).toEqual({
    fresh: ['idle', 'Desk', undefined], paused: ['paused', 'Desk', undefined], waiting: ['awaitingApproval', 'Desk', undefined], running: ['running', 'Desk', undefined], closed: ['closed', 'Desk', undefined],
  });
  for (const { runId } of journal.list()) expect([runId, await checkReplay(runId, () => journal.read(runId))]).toEqual([runId, { verdict: 'same' }]);
  expect([journal.prune({ settledBefore: Infinity }), journal.list().map(({ runId }) => runId).sort()]).toEqual([1, ['fresh', 'paused', 'running', 'waiting']]);
});

test('O5: a thread whose entries do not follow from one another is said to differ', async () => {
  const journal = new MemoryJournal();
  const thread = begun(deskOf(says('One.')), journal);
  await thread.run('go');
  await thread.release();
  const entries = journal.read(ID).map((entry) => (entry.type === 'run.rest' ? { ...entry, mark: 'another' } : entry));
  expect(await checkReplay(ID, () => entries)).toMatchObject({ verdict: 'differs' });
});

// -- late results -----------------------------------------------------------------------------------------------------

/** A payment that ignores its signal until it ends, in a thread that hears what it tells. */
function paying(journal: Journal) {
  const gate = latch();
  const told: ThreadEvent[] = [];
  const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), effect: 'irreversible', execute: async () => (await gate.promise, 'paid after all') });
  const clock = virtualClock();
  const agent = new Agent({ name: 'Desk', model: scriptedModel(calls('pay'), hangs()), tools: [pay] });
  const thread = begun(agent, journal, { clock, onEvent: (event) => void told.push(event) });
  thread.run('Pay.').result.catch(() => undefined);
  return { thread, told, clock, agent, pay: async () => (gate.open(), clock.settle()) };
}
const numbered = (told: readonly ThreadEvent[]) => told.filter(({ number }) => typeof number === 'number');
const lateIn = (told: readonly ThreadEvent[]) => told.flatMap(({ type, number, cause }) => (type === 'tool.late' ? [{ number, cause }] : []));

test('C8, I1: what a body brings when its thread was given back is told when it is written, and is told so again', async () => {
  const journal = new MemoryJournal();
  const { thread, told, clock, agent, pay } = paying(journal);
  await clock.settle();
  await Promise.all([thread.release(), clock.runAll()]);
  await pay();
  const again: ThreadEvent[] = [];
  const next = await opened(agent, journal, { clock, onEvent: (event) => void again.push(event) });
  expect(lateIn(told)).toEqual([{ number: 11, cause: `${ID}/run.1/agent.1/turn.1/toolCall.1.0/execute#1` }]);
  expect(numbered(again).slice(0, 11)).toEqual(numbered(told));
  await next.release();
});

test('C8, I1: where others have the thread by then, it is told and has no number of its own', async () => {
  const journal = new MemoryJournal();
  const { thread, told, clock, agent, pay } = paying(journal);
  await clock.settle();
  await Promise.all([thread.release(), clock.runAll()]);
  const again: ThreadEvent[] = [];
  const next = await opened(agent, journal, { clock, onEvent: (event) => void again.push(event) });
  await pay();
  expect(lateIn(told)).toEqual([{ number: '10.1', cause: `${ID}/run.1/agent.1/turn.1/toolCall.1.0/execute#1` }]);
  expect(again.slice(0, 10)).toEqual(numbered(told));
  await next.release();
});
