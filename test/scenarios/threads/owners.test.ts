/** O4 on threads: of several who would go on with one exactly one does; the others hear of it before any effect, and whoever has lost it changes nothing. */
import { Agent, type Journal, JournalConflict, MemoryJournal, checkReplay } from 'loopchart';
import { type Step, answersWith, calls, hangs, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { type Thread, type ThreadRun, createThread, openThread } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { counted, latch } from '../support/cast.ts';
import { brief, mortal } from '../support/mortal.ts';
import { words } from './support/words.ts';

const ID = 'thread_1';
const CALL = `${ID}/run.1/agent.1/turn.1/toolCall.1.0/approval#1`;

/** A process of its own: the model answers by what it is shown, the world counts what was done to it. */
function birth(journal: Journal, ...steps: Step[]) {
  const model = scriptedModel(...steps);
  const pay = counted('pay', 'paid', { needsApproval: true });
  const look = counted('look', 'seen');
  const agent = new Agent({ name: 'Desk', model, tools: [pay.tool, look.tool] });
  const clock = virtualClock();
  return {
    clock,
    make: () => createThread(agent, { journal, clock, threadId: ID }),
    open: () => openThread(ID, { journal, clock, agents: agent }),
    done: () => ({ asked: model.requests.length, paid: pay.runs, looked: look.runs }),
    shown: () => model.requests.map(({ input }) => words(input as object[]).at(-1)),
  };
}
const nothing = { asked: 0, paid: 0, looked: 0 };
const quiet = ({ receipt, result }: ThreadRun) => (result.catch(() => undefined), receipt);
const answers = (saying: PromiseLike<unknown>): Promise<unknown> => Promise.resolve(saying).then(() => 'taken', (error: unknown) => error);

test('O4: while one process is at work on a thread, another that opens it hears of the conflict before it asks a model or runs a body', async () => {
  const journal = new MemoryJournal();
  const [first, second] = [birth(journal, hangs()), birth(journal, says('mine'))];
  const thread = first.make();
  void quiet(thread.run('go'));
  await first.clock.settle();
  const log = brief(journal, ID);
  expect([await answers(second.open()), second.done(), brief(journal, ID)]).toEqual([expect.any(JournalConflict), nothing, log]);
  await thread.steer('Hurry.');
  expect(brief(journal, ID)).toEqual([...log, 'thread.steer']); // the first has not noticed
  await thread.release();
});

test('O4, L1: of two that open a thread at once exactly one has it, and carries out once what was accepted before', async () => {
  const mine = mortal((entry) => (entry.type === 'effect.done' && entry.id.endsWith('/model#1') ? 'after' : undefined));
  const answer = latch();
  const first = birth(mine.journal, answersWith(async () => (await answer.promise, calls('look'))));
  const left = first.make();
  void quiet(left.run('go'));
  void quiet(left.queue.add('next', { id: 'queued' }));
  await first.clock.settle();
  expect(await left.steer('Hurry.')).toMatchObject({ status: 'accepted' });
  answer.open();
  await mine.dead;
  const journal = mine.left(ID);
  const rivals = [birth(journal, says('Done.'), says('Next.')), birth(journal, says('Done.'), says('Next.'))];
  const ends = await Promise.allSettled(rivals.map(({ open }) => open()));
  const winner = ends.findIndex(({ status }) => status === 'fulfilled');
  const thread = (ends[winner] as PromiseFulfilledResult<Thread>).value;
  await rivals[winner]!.clock.settle();
  expect([(ends[1 - winner] as PromiseRejectedResult).reason, rivals[1 - winner]!.done()]).toEqual([expect.any(JournalConflict), nothing]);
  expect([rivals[winner]!.done(), words(thread.look.history)]).toEqual([{ asked: 2, paid: 0, looked: 1 }, ['user go', 'look()', '= seen', 'user Hurry.', 'assistant Done.', 'user next', 'assistant Next.']]);
  await thread.release();
});

test('O4: one that was frozen, and whose thread another has gone on with, begins no body when it wakes up', async () => {
  const journal = new MemoryJournal();
  const wakes = latch();
  const [frozen, heir] = [birth(journal, answersWith(async () => (await wakes.promise, calls('look')))), birth(journal, says('Done.'))];
  const ended = answers(frozen.make().run('go').result);
  await frozen.clock.settle();
  journal.close(); // its lease is over
  const thread = await heir.open();
  await heir.clock.settle();
  const log = brief(journal, ID);
  wakes.open();
  expect([await ended, frozen.done(), thread.state, brief(journal, ID)]).toEqual([expect.any(JournalConflict), { asked: 1, paid: 0, looked: 0 }, 'idle', log]);
  await thread.release();
});

/** All that can be told to a thread and would change it. */
const TELLING: [what: string, tell: (thread: Thread) => PromiseLike<unknown>][] = [
  ['run', (thread) => quiet(thread.run('Said.'))],
  ['run, whenBusy replace', (thread) => quiet(thread.run('Said.', { whenBusy: 'replace' }))],
  ['steer', (thread) => thread.steer('Said.')],
  ['mail', (thread) => thread.mail({ from: 'host', content: 'Said.', triggerTurn: true })],
  ['interrupt', (thread) => thread.interrupt()],
  ['stopAfterTurn', (thread) => thread.stopAfterTurn()],
  ['queue.add', (thread) => quiet(thread.queue.add('Said.'))],
  ['queue.edit', (thread) => thread.queue.edit('queued', { input: 'Said.' })],
  ['queue.move', (thread) => thread.queue.move('queued', 0)],
  ['queue.remove', (thread) => thread.queue.remove('queued')],
  ['queue.resume', (thread) => thread.queue.resume()],
  ['approve', (thread) => thread.approve(CALL)],
  ['approve, always', (thread) => thread.approve(CALL, { always: true })],
  ['reject', (thread) => thread.reject(CALL)],
  ['reject, interrupt', (thread) => thread.reject(CALL, { interrupt: true })],
  ['compact', (thread) => thread.compact()],
  ['inject', (thread) => thread.inject([{ type: 'message', role: 'user', content: 'Said.' }])],
  ['revert', (thread) => thread.revert({ runId: null })],
  ['setGoal', (thread) => thread.setGoal({ message: 'Go on.', maxRuns: 1 })],
  ['addRule', (thread) => thread.addRule({ tool: 'pay', decision: 'allow' })],
  ['removeRule', (thread) => thread.removeRule('none')],
  ['close', (thread) => thread.close()],
];

/** A thread whose run waits for a person, with an entry in its queue; its process stands still, and another has gone on with both runs. */
async function takenOver() {
  const journal = new MemoryJournal();
  const [frozen, heir] = [birth(journal, calls('pay')), birth(journal, says('Paid.'), says('Next.'))];
  const lost = frozen.make();
  const going = answers(lost.run('go').result);
  void quiet(lost.queue.add('next', { id: 'queued' }));
  await frozen.clock.settle();
  journal.close(); // its lease is over
  const thread = await heir.open();
  await thread.approve(CALL);
  await heir.clock.settle();
  expect([heir.shown(), thread.state]).toEqual([['= paid', 'user next'], 'idle']);
  return { journal, frozen, lost, going, heir, thread, log: brief(journal, ID) };
}

test.each(TELLING)('O4: one that stood still while another went on with its thread is refused when it is told: %s', async (_, tell) => {
  const { journal, frozen, lost, going, thread, log } = await takenOver();
  const first = answers(tell(lost));
  expect([await first, await answers(tell(lost)), await going]).toEqual(Array(3).fill(expect.any(JournalConflict)));
  for (const [, other] of TELLING) expect(await answers(other(lost))).toEqual(expect.any(JournalConflict));
  await frozen.clock.runAll();
  await lost.release();
  expect([frozen.done(), brief(journal, ID)]).toEqual([{ asked: 1, paid: 0, looked: 0 }, log]);
  expect(await checkReplay(ID, () => journal.read(ID))).toEqual({ verdict: 'same' });
  await thread.release();
});

test.each(TELLING)('O4: nor is it answered otherwise at any moment of being refused: %s', async (_, tell) => {
  for (let moment = 0; moment < 12; moment += 1) {
    const { journal, lost, thread, log } = await takenOver();
    const first = answers(lost.steer('Hurry.'));
    for (let turn = 0; turn < moment; turn += 1) await Promise.resolve();
    expect([moment, await answers(tell(lost)), await first]).toEqual([moment, expect.any(JournalConflict), expect.any(JournalConflict)]);
    expect(brief(journal, ID)).toEqual(log);
    await thread.release();
  }
});
