/** E1, E2, E5: checks of what goes in, before the model and beside it. */
import { Agent, GuardrailExecutionError, type InputGuardrail, InputGuardrailTripwireTriggered, Runner } from 'loopchart';
import { calls, fails, hangs, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

const verdict = (trips: boolean, outputInfo: unknown = null) => async () => ({ tripwireTriggered: trips, outputInfo });
const check = (name: string, execute: InputGuardrail['execute'], runInParallel = true): InputGuardrail => ({ name, execute, runInParallel });

test('E1: guardrails of the runner and of the first agent look at the merged input, on the first turn only', async () => {
  const { value, seen } = await play(async (world) => {
    const looks: unknown[] = [];
    const look = (name: string, runInParallel: boolean) => check(name, async ({ input, agent, context }) => {
      looks.push([name, typeof input === 'string' ? input : input.map((item) => ('content' in item ? item.content : item.type)), agent.name, context.context]);
      return { tripwireTriggered: false, outputInfo: null };
    }, runInParallel);
    const runner = new Runner({ inputGuardrails: [look('runner', true)] });
    const session = world.session([{ type: 'message', role: 'user', content: 'earlier' }]);
    const agent = new Agent({ name: 'Desk', model: world.model(calls('tick'), says('Done.')), tools: [counted('tick').tool], inputGuardrails: [look('agent', false)] });
    await world.run(agent, 'go', { runner, session, context: { user: 'u1' } });
    return looks;
  });
  expect(value).toEqual([['agent', ['earlier', 'go'], 'Desk', { user: 'u1' }], ['runner', ['earlier', 'go'], 'Desk', { user: 'u1' }]]);
  expect(seen.guardrails).toEqual(['agent', 'runner']);
});

test('E1: blocking guardrails look together, before agentStart; parallel ones after them, beside the model', async () => {
  const { value } = await play(async (world) => {
    const log: string[] = [];
    const [one, two] = [latch(), latch()];
    const meets = (name: string, mine: typeof one, other: typeof one) => check(name, async () => {
      log.push(name);
      mine.open();
      await other.promise; // each ends only when the other has begun
      return { tripwireTriggered: false, outputInfo: null };
    }, false);
    const beside = check('beside', async () => (log.push('beside'), { tripwireTriggered: false, outputInfo: null }));
    const agent = new Agent({ name: 'Desk', model: world.model(says('Done.')), inputGuardrails: [beside, meets('one', one, two), meets('two', two, one)] });
    agent.on('agent_start', () => log.push('agentStart'));
    await world.run(agent, 'go');
    return log;
  });
  expect(value.slice(0, 2)).toEqual(['one', 'two']);
  expect([...value.slice(2)].sort()).toEqual(['agentStart', 'beside']);
});

test('E1: a blocking trip: the model is never asked, no hook is called, and the error has the result', async () => {
  const { seen, requests, value } = await play(async (world) => {
    const hooks: string[] = [];
    const agent = new Agent({ name: 'Desk', model: world.model(), inputGuardrails: [check('strict', verdict(true, 'rude'), false)] });
    agent.on('agent_start', () => hooks.push('start'));
    const { thrown } = await world.run(agent, 'go');
    const { result } = thrown as InputGuardrailTripwireTriggered;
    return { hooks, isClass: thrown instanceof InputGuardrailTripwireTriggered, result };
  });
  expect(value).toEqual({ hooks: [], isClass: true, result: { guardrail: { type: 'input', name: 'strict' }, output: { tripwireTriggered: true, outputInfo: 'rude' } } });
  expect([seen.outcome, requests.length, seen.error?.message]).toEqual(['failed', 0, 'Input guardrail triggered: "rude"']);
});

test('E1: a trip beside the model aborts its call at once, and no tool starts', async () => {
  const { seen, value } = await play(async (world) => {
    const trip = latch();
    const model = world.model(hangs());
    const agent = new Agent({ name: 'Desk', model, inputGuardrails: [check('slow', async () => (await trip.promise, { tripwireTriggered: true, outputInfo: null }))] });
    const going = world.begin(agent, 'go');
    await going.until('turn.started');
    await world.clock.settle();
    trip.open();
    await going.settled;
    return model.calls.map(({ signal }) => signal?.aborted);
  });
  expect(value).toEqual([true]);
  expect([seen.error?.name, seen.story]).toEqual(['InputGuardrailTripwireTriggered', []]);
});

test('E1, C4: while a guardrail looks, an answer with calls is held: nothing starts and nobody is asked, until it passes', async () => {
  const { seen, value } = await play(async (world) => {
    const pass = latch();
    const [tick, pay] = [counted('tick'), counted('pay', 'paid', { needsApproval: true })];
    const agent = new Agent({
      name: 'Desk', model: world.model(calls(['tick'], ['pay'])), tools: [tick.tool, pay.tool],
      inputGuardrails: [check('slow', async () => (await pass.promise, { tripwireTriggered: false, outputInfo: null }))],
    });
    const going = world.begin(agent, 'go');
    await going.until((event) => event.type === 'item.started' && event.id.endsWith('1.1'));
    await world.clock.settle();
    const before = [tick.runs, going.events.some(({ type }) => type === 'approval.requested' || type === 'tool.started')];
    pass.open();
    await going.settled;
    return { before, runs: tick.runs };
  });
  expect(value).toEqual({ before: [0, false], runs: 1 });
  expect([seen.outcome, seen.interruptions.length]).toEqual(['waiting', 1]);
});

test('E1: a trip after the answer came, before anything was done with it: no tool has run, nothing is kept', async () => {
  const { seen, value, sessions } = await play(async (world) => {
    const trip = latch();
    const tick = counted('tick');
    const agent = new Agent({ name: 'Desk', model: world.model(calls('tick')), tools: [tick.tool], inputGuardrails: [check('slow', async () => (await trip.promise, { tripwireTriggered: true, outputInfo: null }))] });
    const going = world.begin(agent, 'go', { session: world.session() });
    await going.until('item.started');
    trip.open();
    await going.settled;
    return tick.runs;
  });
  expect([seen.error?.name, value, sessions[0]]).toEqual(['InputGuardrailTripwireTriggered', 0, []]);
});

test('E1, E5: all guardrails come to their end before the run settles; the error is the first trip, all results are kept', async () => {
  const { seen, value } = await play(async (world) => {
    const late = latch();
    const agent = new Agent({
      name: 'Desk', model: world.model(),
      inputGuardrails: [check('late', async () => (await late.promise, { tripwireTriggered: false, outputInfo: 'fine' }), false), check('strict', verdict(true, 'rude'), false)],
    });
    const going = world.begin(agent, 'go');
    await going.until('guardrail.tripped');
    await world.clock.settle();
    const settledBefore = going.events.some(({ type }) => type === 'run.settled');
    late.open();
    await going.settled;
    return settledBefore;
  });
  expect([value, seen.guardrails]).toEqual([false, ['late', 'strict']]);
});

test('E1: a trip wins over a model that failed before it', async () => {
  const { seen } = await play(async (world) => {
    const trip = latch();
    const agent = new Agent({ name: 'Desk', model: world.model(fails({ status: 400 })), inputGuardrails: [check('slow', async () => (await trip.promise, { tripwireTriggered: true, outputInfo: null }))] });
    const going = world.begin(agent, 'go');
    await going.until('turn.settled');
    trip.open();
    return going.settled;
  });
  expect(seen.error?.name).toBe('InputGuardrailTripwireTriggered');
});

test('E2: a run whose initial input trips saves nothing, not even the input', async () => {
  for (const blocking of [true, false]) {
    const { sessions } = await play(async (world) => {
      const agent = new Agent({ name: 'Desk', model: world.model(...(blocking ? [] : [says('Never.')])), inputGuardrails: [check('strict', verdict(true), !blocking)] });
      return world.run(agent, 'go', { session: world.session() });
    });
    expect(sessions).toEqual([[]]);
  }
});

test('E5: a guardrail that throws, or answers with no verdict, fails the run with GuardrailExecutionError after its siblings ended', async () => {
  const boom = new Error('no classifier');
  for (const [execute, message] of [
    [async () => { throw boom; }, 'Input guardrail "broken" failed to complete: Error: no classifier'],
    [async () => ({}) as never, 'Input guardrail "broken" failed to complete: UserError: it must return { tripwireTriggered: true | false, outputInfo }.'],
  ] as const) {
    const { seen, value } = await play(async (world) => {
      const late = latch();
      const agent = new Agent({ name: 'Desk', model: world.model(), inputGuardrails: [check('broken', execute, false), check('late', async () => (await late.promise, { tripwireTriggered: false, outputInfo: null }), false)] });
      const going = world.begin(agent, 'go');
      await world.clock.settle();
      const settledBefore = going.events.some(({ type }) => type === 'run.settled');
      late.open();
      const { thrown } = await going.settled;
      return { settledBefore, isClass: thrown instanceof GuardrailExecutionError };
    });
    expect(value).toEqual({ settledBefore: false, isClass: true });
    expect(seen.error).toEqual({ name: 'GuardrailExecutionError', message });
    expect(seen.guardrails).toEqual(['late']);
  }
});
