/** O1, K5: resume() and stateFromJournal(), of runs in every state they can be left in. */
import { Agent, MemoryJournal, type RunEvent, Runner, handoff, resume, run, stateFromJournal } from 'loopchart';
import { calls, fails, hangs, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import { counted } from '../support/cast.ts';
import { brief, mortal, recorded } from '../support/mortal.ts';
import { play } from '../support/scenario.ts';

const RUN = { runId: 'run_1', threadId: 'thread_1' };
const thrown = (running: Promise<unknown>): Promise<any> => running.then((value) => { throw new Error(`It did not fail: ${String(value)}`); }, (error: unknown) => error); // `any`: errors of every kind

/** A desk that looks, and pays with leave; each process has its own. */
function desk(...steps: Parameters<typeof scriptedModel>) {
  const model = scriptedModel(...steps);
  const [look, pay] = [counted('look', 'seen'), counted('pay', 'paid', { needsApproval: true })];
  return { agent: new Agent({ name: 'Desk', model, tools: [look.tool, pay.tool] }), done: () => ({ asked: model.requests.length, looked: look.runs, paid: pay.runs }) };
}
const IDLE = { asked: 0, looked: 0, paid: 0 };

/** A journal with a run that ended so. */
async function journalOf(...steps: Parameters<typeof scriptedModel>): Promise<MemoryJournal> {
  const journal = new MemoryJournal();
  await run(desk(...steps).agent, 'go', { ...RUN, journal, clock: virtualClock() }).catch(() => undefined);
  return journal;
}

describe.each([['plain', false], ['streamed', true]] as const)('%s', (_mode, stream) => {
  /** Resumes and reads to the end; the result, or what was thrown. */
  async function resumed(journal: MemoryJournal, agent: Agent<any, any>): Promise<any> { // `any`: a result of either kind
    const options = { journal, agents: agent, clock: virtualClock() };
    if (!stream) return resume('run_1', options);
    const result = await resume('run_1', { ...options, stream: true });
    for await (const _ of result);
    await result.completed;
    return result;
  }

  test('O1: a run whose process died goes on after its last entry, under its own id and in its thread', async () => {
    const first = mortal((entry) => (entry.type === 'effect.done' && entry.id.includes('execute') ? 'after' : undefined));
    void run(desk(calls('look'), says('Done.')).agent, 'go', { ...RUN, journal: first.journal, clock: virtualClock() });
    await first.dead;
    const journal = first.left('run_1');
    expect(journal.list({ threadId: 'thread_1' })).toMatchObject([{ runId: 'run_1', agent: 'Desk', state: 'running', length: 4 }]);
    const { agent, done } = desk(says('Done.'));
    const result = await resumed(journal, agent);
    expect([result.finalOutput, result.state.runId, done()]).toEqual(['Done.', 'run_1', { asked: 1, looked: 0, paid: 0 }]);
    expect(journal.list({ threadId: 'thread_1' })).toMatchObject([{ runId: 'run_1', state: 'settled', status: 'completed' }]);
  });

  test('D6: a run that waits is given back as it waits, and not a body runs', async () => {
    const journal = await journalOf(calls('pay'));
    const log = brief(journal, 'run_1');
    const { agent, done } = desk();
    const result = await resumed(journal, agent);
    expect([result.interruptions?.map(({ name }: { name: string }) => name), done(), brief(journal, 'run_1')]).toEqual([['pay'], IDLE, log]);
  });

  test('K6: a run that is over is given back: completed, with its output and nothing asked', async () => {
    const journal = await journalOf(calls('look'), says('Done.'));
    const { agent, done } = desk();
    const result = await resumed(journal, agent);
    expect([result.finalOutput, result.newItems.length, done()]).toEqual(['Done.', 3, IDLE]);
  });

  test('K3, K6: failed, with its error and a state to go on from', async () => {
    const journal = await journalOf(calls('look'), fails({ status: 500, message: 'down' }));
    const { agent, done } = desk(says('Done.'));
    const error = await thrown(resumed(journal, agent));
    expect([error.name, error.message, done()]).toEqual(['ModelError', 'down', IDLE]);
    const again = await run(agent, error.state, { clock: virtualClock() });
    expect([again.finalOutput, done(), again.newItems.length]).toEqual(['Done.', { asked: 1, looked: 0, paid: 0 }, 3]);
    expect(journal.list({ threadId: 'thread_1' }).map(({ status }) => status)).toEqual(['failed', 'completed']);
  });

  test('J3, K6: interrupted, as an interrupted one ends, with a state to go on from', async () => {
    const journal = new MemoryJournal();
    const clock = virtualClock();
    const going = await run(desk(hangs()).agent, 'go', { ...RUN, journal, clock, stream: true });
    await clock.settle();
    await going.cancel();
    const { agent, done } = desk(says('Done.'));
    const ended = stream ? await resumed(journal, agent) : await thrown(resumed(journal, agent)); // a stream that was cancelled ends without an error
    expect([stream ? ended.cancelled : ended.name, done()]).toEqual([stream ? true : 'AbortError', IDLE]);
    expect((await run(agent, ended.state, { clock })).finalOutput).toBe('Done.');
  });

  test('K4: broken by a bug, with the error as far as it was kept', async () => {
    const journal = new MemoryJournal();
    const bug = new TypeError('x is not a function');
    const broken = scriptedModel(says('never'));
    broken.getResponse = () => Promise.reject(bug);
    const handler = handoff(new Agent({ name: 'Other' }), { onHandoff: () => undefined, isEnabled: () => { throw bug; } });
    const agent = new Agent({ name: 'Desk', model: broken, handoffs: [handler] });
    const first = await thrown(run(agent, 'go', { ...RUN, journal, clock: virtualClock() }));
    const error = await thrown(resumed(journal, agent));
    expect([error.name, error.message]).toEqual([first.name, first.message]);
    expect(journal.list()).toMatchObject([{ state: 'settled', status: 'failed' }]);
  });

  test('J1: stopped, as it was stopped; its state goes on', async () => {
    const journal = new MemoryJournal();
    await run(desk(calls('look')).agent, 'go', { ...RUN, journal, clock: virtualClock(), stopSignal: AbortSignal.abort() });
    const { agent, done } = desk(says('Done.'));
    const result = await resumed(journal, agent);
    expect([result.finalOutput, done()]).toEqual([undefined, IDLE]);
    expect((await run(agent, result.state, { clock: virtualClock() })).finalOutput).toBe('Done.');
  });
});

test('O1: whichever entry was the last, the resumed run ends as the whole one, asks for nothing that is recorded, and tells the same events', async () => {
  const events: RunEvent[] = [];
  const journal = new MemoryJournal();
  const clock = virtualClock();
  const script = [calls(['look'], ['look']), calls('look', {}, { callId: 'call_3' }), says('Done.')];
  const whole = await run(desk(...script).agent, 'go', { ...RUN, journal, clock, onEvent: (event) => void (typeof event.number === 'number' && events.push(event)) });
  const entries = journal.read('run_1');
  for (let died = 1; died <= entries.length; died += 1) {
    const left = entries.slice(0, died);
    const answered = left.filter((entry) => entry.type === 'effect.done' && entry.id.includes('/model#')).length;
    const { agent, done } = desk(...script.slice(answered));
    const uncertain = left.filter((entry) => entry.type === 'effect.started' && !left.some((other) => other.type === 'effect.done' && other.id === entry.id)).length;
    const told: RunEvent[] = [];
    let result = await resume('run_1', { journal: recorded('run_1', left), agents: agent, clock, onEvent: (event) => void (typeof event.number === 'number' && told.push(event)) });
    expect(result.interruptions?.map((call) => call.uncertain)).toEqual(Array(uncertain).fill(true));
    for (const call of result.interruptions ?? []) result.state.useResult(call, 'seen');
    if (uncertain > 0) result = await run(agent, result.state, { clock });
    else expect(told).toEqual(answered < script.length ? events : []); // what is over is given back and not told again
    expect(result.finalOutput).toBe('Done.');
    expect(result.history).toEqual(whole.history);
    expect(result.state.usage).toEqual(whole.state.usage);
    expect(done().asked).toBe(script.length - answered);
  }
});

test('O1: of a run that was over when its process died before that was written, it is written when it is resumed', async () => {
  for (const [steps, status] of [[[calls('look'), says('Done.')], 'completed'], [[fails({ status: 500 })], 'failed']] as const) {
    const first = mortal((entry) => (entry.type === 'run.rest' ? 'before' : undefined));
    void run(desk(...steps).agent, 'go', { ...RUN, journal: first.journal, clock: virtualClock() });
    await first.dead;
    const journal = first.left('run_1');
    const { agent, done } = desk();
    expect(journal.list()).toMatchObject([{ state: 'running' }]);
    await resume('run_1', { journal, agents: agent, clock: virtualClock() }).catch(() => undefined);
    expect([journal.list()[0], done(), brief(journal, 'run_1').at(-1)]).toMatchObject([{ state: 'settled', status }, IDLE, 'run.rest']);
    expect(journal.open('run_1').length).toBe(journal.read('run_1').length);
  }
});

test('O1: stateFromJournal looks and does nothing: not to the run, not to the journal, not while another process is at work on it', async () => {
  const journal = new MemoryJournal();
  const clock = virtualClock();
  const going = await run(desk(calls('look'), hangs()).agent, 'go', { ...RUN, journal, clock, stream: true });
  await clock.settle();
  const { agent, done } = desk();
  const log = brief(journal, 'run_1');
  const state = await stateFromJournal('run_1', { journal, agents: agent });
  expect([state.runId, state.history.length, state.usage.requests, state.getInterruptions()]).toEqual(['run_1', 3, 1, []]);
  expect([done(), brief(journal, 'run_1')]).toEqual([IDLE, log]);
  await going.cancel();
});

test('D4: decided on a state from the journal, a call goes on in that journal; decided twice, the second is stale', async () => {
  const journal = await journalOf(calls('pay'), says('Done.'));
  const { agent, done } = desk(says('Done.'));
  const state = await stateFromJournal('run_1', { journal, agents: agent });
  const [pay] = state.getInterruptions();
  state.approve(pay!);
  const { finalOutput } = await run(agent, state, { clock: virtualClock() });
  expect([finalOutput, done()]).toEqual(['Done.', { asked: 1, looked: 0, paid: 1 }]);
  expect(brief(journal, 'run_1').slice(-5)).toEqual(['decide toolCall.1.0/approval#1', 'effect.started toolCall.1.0/execute#1', 'effect.done toolCall.1.0/execute#1', 'effect.done turn.2/model#1', 'run.rest']);
  expect(() => state.reject(pay!)).toThrow('does not wait any more');
  const later = await stateFromJournal('run_1', { journal, agents: agent });
  expect(() => later.approve(pay!)).toThrow('does not wait any more');
});

test('D5: of several calls that wait, one is decided in each of several processes', async () => {
  const journal = await journalOf(calls(['pay'], ['pay']));
  const waits: (number | undefined)[] = [];
  for (let nth = 0; nth < 2; nth += 1) {
    const { agent } = desk(says('Done.'));
    const state = await stateFromJournal('run_1', { journal, agents: agent });
    waits.push(state.getInterruptions().length);
    state.approve(state.getInterruptions()[0]!);
    const { finalOutput } = await run(agent, state, { clock: virtualClock() });
    expect(finalOutput).toBe(nth === 0 ? undefined : 'Done.');
  }
  expect(waits).toEqual([2, 1]);
});

test('D6: a decision that was written before its process died is carried out once by the next; one that was not is asked for again', async () => {
  for (const [fate, paid] of [['before', 0], ['after', 1]] as const) {
    const waiting = await journalOf(calls('pay'));
    const second = mortal((entry) => (entry.type === 'decide' ? fate : undefined));
    const { agent } = desk();
    const state = await stateFromJournal('run_1', { journal: waiting, agents: agent });
    state.approve(state.getInterruptions()[0]!);
    void run(agent, state, { clock: virtualClock(), journal: second.journal });
    await second.dead;
    const third = desk(says('Done.'));
    const result = await resume('run_1', { journal: second.left('run_1'), agents: third.agent, clock: virtualClock() });
    expect([result.interruptions?.length, third.done().paid]).toEqual([1 - paid, paid]);
  }
});

test('D2, D6: what was decided for always holds in the next process, for that agent and that tool alone', async () => {
  const journal = await journalOf(calls('pay'), calls('pay'), says('Done.'));
  const second = desk();
  const state = await stateFromJournal('run_1', { journal, agents: second.agent });
  state.approve(state.getInterruptions()[0]!, { alwaysApprove: true });
  const dying = mortal((entry) => (entry.type === 'effect.done' && entry.id.includes('execute') ? 'after' : undefined));
  void run(second.agent, state, { clock: virtualClock(), journal: dying.journal });
  await dying.dead;
  const third = desk(calls('pay', {}, { callId: 'call_2' }), says('Done.'));
  const { finalOutput } = await resume('run_1', { journal: dying.left('run_1'), agents: third.agent, clock: virtualClock() });
  expect([finalOutput, third.done().paid]).toEqual(['Done.', 1]);
});

test('H3, A9: hooks of the runner that resumes hear what is new, and its model answers', async () => {
  const first = mortal((entry) => (entry.type === 'effect.done' && entry.id.includes('execute') ? 'after' : undefined));
  void run(desk(calls('look')).agent, 'go', { ...RUN, journal: first.journal, clock: virtualClock() });
  await first.dead;
  const { agent } = desk();
  const runner = new Runner({ model: scriptedModel(says('never')) });
  const heard: string[] = [];
  for (const hook of ['agent_start', 'agent_tool_start', 'agent_tool_end', 'agent_end'] as const) runner.on(hook, () => void heard.push(hook));
  const { finalOutput } = await resume('run_1', { journal: first.left('run_1'), agents: agent, runner, model: scriptedModel(says('Done.')), clock: virtualClock(), context: undefined });
  expect([finalOutput, heard]).toEqual(['Done.', ['agent_end']]);
});

test('O1: the context of the app is given anew', async () => {
  const { value } = await play(async (world) => {
    const seen: unknown[] = [];
    const agent = new Agent<{ user: string }>({ name: 'Desk', model: world.model(calls('look'), says('Done.')), instructions: ({ context }) => `${seen.push(context.user)}`, tools: [counted('look').tool] });
    const first = mortal((entry) => (entry.type === 'effect.started' ? 'before' : undefined));
    world.begin(agent, 'go', { context: { user: 'Ada' }, journal: first.journal });
    await first.dead;
    await world.resume('run_test', { journal: first.left('run_test'), agents: agent, context: { user: 'Bob' } });
    return seen;
  });
  expect(value).toEqual(['Ada', 'Bob']);
});
