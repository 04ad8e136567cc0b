/** N2: what does not fit, what fails, and what comes in between. */
import { Agent, CompactionError, ContextWindowError, MemoryJournal, type RunEvent, resume, run } from 'loopchart';
import { answered, asked, calls, delays, fails, hangs, inputOf, responds, said, says, scriptedModel, thinks, user, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted } from '../support/cast.ts';
import { mortal } from '../support/mortal.ts';
import { play } from '../support/scenario.ts';
import { summary, used, window } from './support.ts';

const TOO_LONG = fails({ status: 400, code: 'context_length_exceeded', message: 'too long' });

test('N2: a request that does not fit fails the run by name, where nothing shortens it', async () => {
  const { seen, value } = await play(async (world) => {
    const { thrown, state } = await world.run(new Agent({ name: 'Reader', model: world.model(TOO_LONG) }), 'go');
    const error = thrown as ContextWindowError;
    return [error instanceof ContextWindowError, error.code, (error.cause as Error).message, state.source.outcome?.failure?.code];
  });
  expect([seen.outcome, seen.turns]).toEqual(['failed', 1]);
  expect(value).toEqual([true, 'context_length_exceeded', 'too long', 'contextWindow']);
});

test('N2: as other servers put it', async () => {
  const { value } = await play(async (world) => {
    const { thrown } = await world.run(new Agent({ name: 'Reader', model: world.model(fails({ status: 400, message: "This model's maximum context length is 4096 tokens." })) }), 'go');
    const other = await world.run(new Agent({ name: 'Reader', model: world.model(fails({ status: 400, message: 'No such parameter.' })) }), 'go');
    return [(thrown as Error).name, (other.thrown as Error).name];
  });
  expect(value).toEqual(['ContextWindowError', 'ScriptedModelError']);
});

test('N2, K3: read back in another process the error is of the same class', async () => {
  const { runs } = await play(async (world) => {
    const journal = new MemoryJournal();
    const agent = new Agent({ name: 'Reader', model: world.model(TOO_LONG, calls('look', {}, used(950)), fails({ status: 503, message: 'down' })), tools: [counted('look').tool] });
    await world.run(agent, 'go', { journal });
    await world.resume('run_test', { journal, agents: agent });
    await world.run(agent, 'go', { journal, runId: 'run_2', ...window(1_000) });
    return world.resume('run_2', { journal, agents: agent });
  });
  const compaction = { name: 'CompactionError', message: 'The conversation could not be shortened: down' };
  expect(runs.map(({ error }) => error)).toEqual([{ name: 'ContextWindowError', message: 'too long' }, { name: 'ContextWindowError', message: 'too long' }, compaction, compaction]);
});

test('B1, N2: a request that did not fit is sent once more after a compaction, as the same turn', async () => {
  const { seen, requests, value } = await play(async (world) => {
    const model = world.model(calls('look'), TOO_LONG, says('They looked.'), says('Done.'));
    const { events } = await world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', { maxTurns: 2, ...window(1_000_000) });
    return events.flatMap((event) => (event.type === 'turn.started' || event.type === 'turn.settled' ? [`${event.type} ${event.turn}`] : []));
  });
  expect([seen.finalOutput, seen.turns]).toEqual(['Done.', 2]);
  expect(requests[3]!.input).toEqual(inputOf('go', user(summary('They looked.'))));
  expect(value).toEqual(['turn.started 1', 'turn.settled 1', 'turn.started 2', 'turn.settled 2', 'turn.started 2', 'turn.settled 2']);
});

test('N2: when it still does not fit the run fails, and goes on from there', async () => {
  const { runs } = await play(async (world) => {
    const model = world.model(calls('look'), TOO_LONG, says('They looked.'), TOO_LONG, says('Done.'));
    const agent = new Agent({ name: 'Reader', model, tools: [counted('look').tool] });
    const { state } = await world.run(agent, 'go', window(1_000_000));
    return world.run(agent, state);
  });
  expect(runs.map(({ outcome, error, finalOutput }) => [outcome, error?.name, finalOutput])).toEqual([['failed', 'ContextWindowError', undefined], ['completed', undefined, 'Done.']]);
});

test('N2: nothing but what was just asked cannot be summed up: the run fails', async () => {
  const { seen, requests } = await play(async (world) => world.run(new Agent({ name: 'Reader', model: world.model(TOO_LONG) }), 'go', window(1_000_000)));
  expect([seen.error?.name, requests.length]).toEqual(['ContextWindowError', 1]);
});

/** One effect sends several requests here, each of them shorter: a world in which an effect sends one is no place for it. */
test.each([false, true])('N2: a compaction that does not fit leaves out the oldest item and tries again, calls with their results (streamed: %s)', async (stream) => {
  const model = scriptedModel(calls('look'), responds(thinks('Hm.'), calls('look', {}, used(950))), TOO_LONG, TOO_LONG, says('The rest.'), says('Done.'));
  const dropped: number[] = [];
  const onEvent = (event: RunEvent) => void (event.type === 'compaction.completed' && dropped.push(event.dropped));
  const options = { ...window(1_000), clock: virtualClock(), onEvent };
  const agent = new Agent({ name: 'Reader', model, tools: [counted('look').tool] });
  const result = stream ? await run(agent, 'go', { ...options, stream: true }) : await run(agent, 'go', options);
  if ('completed' in result) await result.completed;
  const shown = (at: number) => (model.requests[at]!.input as { type: string; callId?: string }[]).slice(0, -1).map(({ type, callId }) => callId ?? type);
  expect([shown(2), shown(3), shown(4)]).toEqual([
    ['message', 'call_1', 'call_1', 'reasoning', 'call_2', 'call_2'],
    ['call_1', 'call_1', 'reasoning', 'call_2', 'call_2'],
    ['reasoning', 'call_2', 'call_2'],
  ]);
  expect([result.finalOutput, dropped]).toEqual(['Done.', [3]]);
  expect(model.requests[5]!.input).toEqual(inputOf('go', user(summary('The rest.')))); // what was left out of the prompt is not left out of what stays
  expect(result.state.usage.requests).toBe(4); // what a provider refuses costs nothing
});

test('N2: where not even the newest item fits, the run fails', async () => {
  const model = scriptedModel(calls('look', {}, used(950)), ...[TOO_LONG, TOO_LONG, TOO_LONG]);
  await expect(run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', { ...window(1_000), clock: virtualClock() })).rejects.toThrow(CompactionError);
  expect(model.requests.length).toBe(3); // the question and the call with its result, then the call alone
});

test('N2: a summary of nothing says so', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(950)), says(''), says('Done.'));
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', window(1_000));
  });
  expect(requests[2]!.input).toEqual(inputOf('go', user(summary('(There is no summary: the model that was asked for one wrote nothing.)'))));
});

test('N2: what stays never has a call without its result, or a result without its call', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(calls(['look'], ['look']), calls('look', {}, used(950)), says('A summary.'), says('Done.'));
    const keep = (items: any[]) => items.filter((item) => item.callId !== 'call_1' || item.type === 'function_call_result').filter((item) => item.callId !== 'call_3' || item.type === 'function_call'); // `any`: items of every kind
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', window(1_000, { keep }));
  });
  expect(requests[3]!.input).toEqual(inputOf('go', asked('look', {}, 'call_2'), answered('call_2', 'done', 'look'), user(summary('A summary.'))));
});

test('L2, N2: a steer never enters what is summed up; it enters the first request after it', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(950)), says('Done.'));
    const slow = world.model(delays(1_000, says('Slowly.'), world.clock));
    const going = world.begin(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', window(1_000, { model: slow }));
    await going.until('compaction.started');
    (await going.state).addInput('in blue');
    await world.clock.advance(1_000);
    return going.settled;
  }, { only: 'streamed' });
  expect(JSON.stringify(requests[1])).not.toContain('in blue');
  expect(requests[2]!.input).toEqual(inputOf('go', user(summary('Slowly.')), 'in blue'));
});

test('N2, K3, K5: a compaction that fails fails the run, which goes on with it from its state', async () => {
  const { runs, value, requests } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(950)), fails({ status: 503, message: 'down' }), says('They looked.'), says('Done.'));
    const agent = new Agent({ name: 'Reader', model, tools: [counted('look').tool] });
    const { thrown, state } = await world.run(agent, 'go', window(1_000));
    await world.run(agent, state, window(1_000));
    return [thrown instanceof CompactionError, ((thrown as Error).cause as Error).message];
  });
  expect(value).toEqual([true, 'down']);
  expect(runs.map(({ outcome, error, finalOutput }) => [outcome, error?.message, finalOutput])).toEqual([['failed', 'The conversation could not be shortened: down', undefined], ['completed', undefined, 'Done.']]);
  expect(requests[3]!.input).toEqual(inputOf('go', user(summary('They looked.'))));
});

test('K6, N2: one that may pass is gone on with by itself', async () => {
  const clock = virtualClock();
  const model = scriptedModel(calls('look', {}, used(950)), fails({ status: 503, message: 'down' }), says('They looked.'), says('Done.'));
  const going = run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', { ...window(1_000), clock, autoResume: { maxAttempts: 1 } });
  await clock.runAll();
  expect((await going).finalOutput).toBe('Done.');
});

test('K4, N2: what the app itself throws is not dressed as a failure of the model', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(950)), says('They looked.'));
    const keep = () => { throw new TypeError('not a function'); };
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', window(1_000, { keep }));
  });
  expect(seen.error).toEqual({ name: 'TypeError', message: 'not a function' });
});

test('J2, N2: an interrupt during a compaction ends the run at once, and nothing is lost', async () => {
  const { runs, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Reader', model: world.model(calls('look', {}, used(950)), hangs(), says('They looked.'), says('Done.')), tools: [counted('look').tool] });
    const going = world.begin(agent, 'go', { ...window(1_000), interruptNotice: false });
    await going.until('compaction.started');
    await world.clock.settle();
    going.interrupt();
    const { state } = await going.settled;
    return world.run(agent, state, window(1_000));
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['interrupted', 'completed']);
  expect(runs[0]!.history).toEqual(inputOf('go', asked('look', {}, 'call_1'), answered('call_1', 'done', 'look')));
  expect(requests[2]!.input.slice(0, -1)).toEqual(runs[0]!.history);
});

test('J1, N1: a soft stop during a compaction stops the run after it', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(950)), delays(1_000, says('They looked.'), world.clock));
    const going = world.begin(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', window(1_000));
    await going.until('compaction.started');
    going.softStop();
    await world.clock.advance(1_000);
    return going.settled;
  });
  expect([seen.outcome, seen.history.length]).toEqual(['stopped', 1]);
});

test('O1, O8, N1: a process that dies in a compaction asks again; one that is recorded is not paid for twice', async () => {
  const seen: unknown[] = [];
  for (const moment of ['before', 'after'] as const) {
    const model = scriptedModel(calls('look', {}, used(950)), says('They looked.'), ...(moment === 'before' ? [says('They looked again.')] : []), says('Done.'));
    const agent = new Agent({ name: 'Reader', model, tools: [counted('look').tool] });
    const first = mortal((entry) => (entry.type === 'effect.done' && entry.id.includes('/compactor.1#1') ? moment : undefined));
    void run(agent, 'go', { journal: first.journal, runId: 'run_1', clock: virtualClock(), ...window(1_000) });
    await first.dead;
    const { finalOutput, history, state } = await resume('run_1', { journal: first.left('run_1'), agents: agent, clock: virtualClock() });
    seen.push([finalOutput, history[0], state.usage.requests]);
  }
  const short = (encrypted_content: string) => ({ type: 'compaction', encrypted_content, created_by: 'loopchart', providerData: { kept: inputOf('go') } });
  expect(seen).toEqual([['Done.', short('They looked again.'), 3], ['Done.', short('They looked.'), 3]]);
});

test('N1: a run that is gone on with knows the size of its conversation', async () => {
  const { requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Reader', model: world.model(says('One.', used(950)), says('A summary.'), says('Two.')) });
    const { state } = await world.run(agent, 'go', window(1_000));
    state.addInput('more');
    return world.run(agent, state, window(1_000));
  });
  expect(requests.length).toBe(3);
  expect(requests[1]!.input.slice(0, 2)).toEqual(inputOf('go', said('One.')));
  expect(requests[2]!.input).toEqual(inputOf('go', user(summary('A summary.')), 'more'));
});
