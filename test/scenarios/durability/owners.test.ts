/** O4, P3, K6: of several who would go on with one run exactly one does; the others hear of it before any effect. */
import { Agent, JournalConflict, MemoryJournal, RunState, UserError, resume, run, stateFromJournal } from 'loopchart';
import { calls, hangs, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch } from '../support/cast.ts';
import { brief, mortal, recorded } from '../support/mortal.ts';

/** A process of its own: the model answers by what it is shown, the world counts what was done to it. */
function birth(...steps: Parameters<typeof scriptedModel>) {
  const model = scriptedModel(...steps);
  const pay = counted('pay', 'paid', { needsApproval: true });
  const look = counted('look', 'seen');
  const agent = new Agent({ name: 'Desk', model, tools: [pay.tool, look.tool] });
  return { agent, model, done: () => ({ asked: model.requests.length, paid: pay.runs, looked: look.runs }), options: { clock: virtualClock() } };
}
const nothing = { asked: 0, paid: 0, looked: 0 };
/** What was thrown; that it was not is a failure of the test. */
const refused = (running: Promise<unknown>): Promise<Error> => running.then(() => { throw new Error('It was not refused.'); }, (error: Error) => error);

test('O4: while one process is at work on a run, another hears of the conflict before it asks a model or runs a body', async () => {
  const journal = new MemoryJournal();
  const [first, second] = [birth(hangs()), birth(says('mine'))];
  const going = run(first.agent, 'go', { ...first.options, journal, runId: 'run_1', stream: true });
  await first.options.clock.settle();
  const before = brief(journal, 'run_1');
  const error = await refused(resume('run_1', { ...second.options, journal, agents: second.agent }));
  expect([error, second.done(), brief(journal, 'run_1')]).toEqual([expect.any(JournalConflict), nothing, before]);
  await (await going).cancel();
});

test('O4: of two that resume at once exactly one goes on', async () => {
  const first = birth(calls('look'));
  const mine = mortal((entry) => (entry.type === 'effect.done' ? 'after' : undefined));
  void run(first.agent, 'go', { ...first.options, journal: mine.journal, runId: 'run_1' });
  await mine.dead;
  const journal = mine.left('run_1');
  const rivals = [birth(says('Done.')), birth(says('Done.'))];
  const ends = await Promise.allSettled(rivals.map(({ agent, options }) => resume('run_1', { ...options, journal, agents: agent })));
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const loser = ends.findIndex(({ status }) => status === 'rejected');
  expect([(ends[loser] as PromiseRejectedResult).reason, rivals[loser]!.done(), rivals[1 - loser]!.done()]).toEqual([expect.any(JournalConflict), nothing, { asked: 1, paid: 0, looked: 1 }]);
});

test('O4: one that was frozen, and whose run another has gone on with, begins no body when it wakes up', async () => {
  const journal = new MemoryJournal();
  const wakes = latch();
  const [frozen, other] = [birth(calls('look')), birth(says('Done.'))];
  const { getResponse } = frozen.model;
  frozen.model.getResponse = async (request) => (await wakes.promise, getResponse.call(frozen.model, request));
  const running = refused(run(frozen.agent, 'go', { ...frozen.options, journal, runId: 'run_1' }));
  await frozen.options.clock.settle();
  journal.close(); // its lease is over
  const { finalOutput } = await resume('run_1', { ...other.options, journal, agents: other.agent });
  const log = brief(journal, 'run_1');
  wakes.open();
  expect([finalOutput, await running, frozen.done()]).toEqual(['Done.', expect.any(JournalConflict), { asked: 1, paid: 0, looked: 0 }]);
  expect(brief(journal, 'run_1')).toEqual(log);
});

test('O4, K6: a state that another process has gone on with is refused, and nothing is done', async () => {
  const journal = new MemoryJournal();
  const first = birth(calls('pay'), says('Done.'));
  const waiting = await run(first.agent, 'go', { ...first.options, journal, runId: 'run_1' });
  const token = waiting.state.toString();
  waiting.state.approve(waiting.interruptions[0]!);
  await run(first.agent, waiting.state, first.options);
  const second = birth(says('mine'));
  const stale = await RunState.fromString<undefined, Agent<any, any>>(second.agent, token);
  stale.approve(stale.getInterruptions()[0]!);
  const before = brief(journal, 'run_1');
  const error = await refused(run(second.agent, stale, { ...second.options, journal }));
  expect([error, second.done(), brief(journal, 'run_1')]).toEqual([expect.any(JournalConflict), nothing, before]);
  expect(error.message).toContain('entries by now');
});

test('K6: to resume twice is safe: what waits waits, what is over is given back, and nothing is done again', async () => {
  const journal = new MemoryJournal();
  const first = birth(calls('pay'), says('Done.'));
  await run(first.agent, 'go', { ...first.options, journal, runId: 'run_1' });
  const again = birth();
  for (let nth = 0; nth < 2; nth += 1) {
    const waiting = await resume('run_1', { ...again.options, journal, agents: again.agent });
    expect(waiting.interruptions.map(({ name }) => name)).toEqual(['pay']);
  }
  const state = await stateFromJournal('run_1', { journal, agents: first.agent });
  state.approve(state.getInterruptions()[0]!);
  await run(first.agent, state, first.options);
  const log = brief(journal, 'run_1');
  for (let nth = 0; nth < 2; nth += 1) expect((await resume('run_1', { ...again.options, journal, agents: again.agent })).finalOutput).toBe('Done.');
  expect([again.done(), brief(journal, 'run_1')]).toEqual([nothing, log]);
});

test('O4: a state that was saved goes on in a journal that has never heard of it', async () => {
  const first = birth(calls('pay'));
  const { state } = await run(first.agent, 'go', { ...first.options, runId: 'run_1' });
  const second = birth(says('Done.'));
  const revived = await RunState.fromString<undefined, Agent<any, any>>(second.agent, state.toString());
  revived.approve(revived.getInterruptions()[0]!);
  const journal = new MemoryJournal();
  await run(second.agent, revived, { ...second.options, journal });
  expect(brief(journal, 'run_1')).toEqual(['run.start', 'effect.done turn.1/model#1', 'run.rest', 'decide toolCall.1.0/approval#1', 'effect.started toolCall.1.0/execute#1', 'effect.done toolCall.1.0/execute#1', 'effect.done turn.2/model#1', 'run.rest']);
});

test('P3: an id that another run of the journal has is refused before any effect, and that run stays as it is', async () => {
  const journal = new MemoryJournal();
  const first = birth(says('First.'));
  await run(first.agent, 'go', { ...first.options, journal, runId: 'run_1' });
  const log = brief(journal, 'run_1');
  const second = birth(says('Second.'));
  const error = await refused(run(second.agent, 'go', { ...second.options, journal, runId: 'run_1' }));
  expect([error, error.message, second.done()]).toEqual([expect.any(UserError), expect.stringContaining('There is a run run_1'), nothing]);
  expect(brief(journal, 'run_1')).toEqual(log);
  expect(journal.open('run_1').length).toBe(log.length);
});

test('P3: a run that goes on from a settled one has an id of its own and its own log, beside the other', async () => {
  const journal = new MemoryJournal();
  const { agent, options } = birth(says('Hello.'), says('Fine.'));
  const first = await run(agent, 'go', { ...options, journal, runId: 'run_1', threadId: 'thread_1' });
  first.state.addInput('How are you?');
  const second = await run(agent, first.state, options);
  expect(journal.list({ threadId: 'thread_1' }).map(({ runId, state, status }) => [runId, state, status])).toEqual([['run_1', 'settled', 'completed'], [second.state.runId, 'settled', 'completed']]);
  expect(second.state.runId).not.toBe('run_1');
  expect(journal.read(second.state.runId).filter((entry) => 'id' in entry && !entry.id.startsWith(`${second.state.runId}/`))).toEqual([]);
});

test('O4: what could not be written has not happened: the body does not begin, and the run fails with the error of the journal', async () => {
  const full = mortal();
  const broken = new Error('the disk is full');
  const journal = { ...full.journal, append: (...[runId, at, entries]: Parameters<MemoryJournal['append']>) => {
    if (entries.some(({ type }) => type === 'effect.started')) throw broken;
    return full.journal.append(runId, at, entries);
  } };
  const look = counted('look');
  const agent = new Agent({ name: 'Desk', model: scriptedModel(calls('look')), tools: [look.tool] });
  const error = await refused(run(agent, 'go', { clock: virtualClock(), journal, runId: 'run_1' }));
  expect([error, look.runs, brief(full.left('run_1'), 'run_1')]).toEqual([broken, 0, ['run.start', 'effect.done turn.1/model#1']]);
  const again = await resume('run_1', { journal: recorded('run_1', full.left('run_1').read('run_1')), agents: new Agent({ name: 'Desk', model: scriptedModel(says('Done.')), tools: [look.tool] }), clock: virtualClock() });
  expect([again.finalOutput, look.runs]).toEqual(['Done.', 1]);
});
