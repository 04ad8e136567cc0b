/** M5, A3: the app may object to a final output; a limit, an interrupt and a tripwire are not overridden. */
import { Agent, type OutputGuardrail, type RunState, type StopHook, type StopHookArgs, tool } from 'loopchart';
import { answersWith, calls, inputOf, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { latch, refund } from '../support/cast.ts';
import { mortal } from '../support/mortal.ts';
import { receipts } from '../support/receipts.ts';
import { play } from '../support/scenario.ts';

/** Objects to the answer of each turn for which there is an objection. */
function objector(...objections: string[]): StopHook & { asked: StopHookArgs[] } {
  const asked: StopHookArgs[] = [];
  return { name: 'objector', asked, execute: (args) => (asked.push(args), !objections[args.turn - 1] ? undefined : { objection: objections[args.turn - 1]! }) };
}

test('M5: an objection is a notice, and the loop goes on; hooks may object several times', async () => {
  const { seen, requests, sessions } = await play(async (world) => {
    const agent = new Agent({ name: 'Builder', model: world.model(says('Done.'), says('Tested.'), says('Linted.')) });
    return world.run(agent, 'go', { stopHooks: [objector('Run the tests.', 'Run the linter.')], session: world.session() });
  });
  expect([seen.outcome, seen.finalOutput, seen.turns]).toEqual(['completed', 'Linted.', 3]);
  expect(seen.story).toEqual(['Builder: says "Done."', 'Builder: reads "Run the tests."', 'Builder: says "Tested."', 'Builder: reads "Run the linter."', 'Builder: says "Linted."']);
  expect(seen.newItems[1]).toMatchObject({ type: 'input_item', origin: { runtime: 'stopHook' } });
  expect(requests[1]!.input).toEqual(inputOf('go', says('Done.').parts[0]!.item, user('Run the tests.')));
  expect(sessions[0]!.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'assistant', 'user', 'assistant', 'user', 'assistant']);
});

test('M5: all hooks are asked about one output, in order, and each objection is a message of its own', async () => {
  const { seen } = await play(async (world) => {
    const named = (name: string, objects: boolean): StopHook => ({ name, execute: async ({ turn }) => (objects && turn === 1 ? { objection: `${name} says no` } : null) });
    const agent = new Agent({ name: 'Builder', model: world.model(says('Done.'), says('Really.')) });
    return world.run(agent, 'go', { stopHooks: [named('one', true), named('two', false), named('three', true)] });
  });
  expect(seen.story).toEqual(['Builder: says "Done."', 'Builder: reads "one says no"', 'Builder: reads "three says no"', 'Builder: says "Really."']);
  expect(seen.events.filter(({ type }) => type === 'stopHook.objected')).toMatchObject([{ turn: 1, objections: [{ hook: 'one' }, { hook: 'three' }] }]);
});

test('M5: a hook is shown output, agent, context, turn and conversation, and the id of its effect', async () => {
  const { value } = await play(async (world) => {
    const hook = objector();
    const agent = new Agent({ name: 'Adder', model: world.model(says('{"sum":3}')), outputType: z.object({ sum: z.number() }) });
    await world.run(agent, 'go', { stopHooks: [hook], context: { user: 'Ada' } });
    const [{ output, agent: shown, context, turn, history, signal, effectId }] = hook.asked as [StopHookArgs<any>];
    return { output, agent: shown.name, user: context.context.user, turn, history: history.length, aborted: signal.aborted, effectId };
  });
  expect(value).toEqual({ output: { sum: 3 }, agent: 'Adder', user: 'Ada', turn: 1, history: 2, aborted: false, effectId: 'run_test/agent.1/stopHook.1#1' });
});

test('A3, M5: when a limit forbids the further turn, the run completes with the output it has, and the objection is announced', async () => {
  const { seen, requests } = await play(async (world) =>
    world.run(new Agent({ name: 'Builder', model: world.model(says('Done.')) }), 'go', { maxTurns: 1, stopHooks: [objector('Run the tests.')] }));
  expect([seen.outcome, seen.finalOutput, requests.length]).toEqual(['completed', 'Done.', 1]);
  expect(seen.events.filter(({ type }) => type === 'stopHook.objected')).toMatchObject([{ overruled: true, objections: [{ hook: 'objector', text: 'Run the tests.' }] }]);
  expect(seen.story).toEqual(['Builder: says "Done."']);
});

test('J1, M5: after a soft stop an objection is overruled', async () => {
  const { seen } = await play(async (world) => {
    const asked = latch();
    const answer = latch<{ objection: string }>();
    const going = world.begin(new Agent({ name: 'Builder', model: world.model(says('Done.')) }), 'go', { stopHooks: [{ name: 'slow', execute: () => (asked.open(), answer.promise) }] });
    await asked.promise;
    going.softStop();
    answer.open({ objection: 'Not yet.' });
    return going.settled;
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Done.']);
  expect(seen.events.filter(({ type }) => type === 'stopHook.objected')).toMatchObject([{ overruled: true }]);
});

test('M5: an interrupt while hooks are asked is not overridden; their signal fires', async () => {
  const { seen, value } = await play(async (world) => {
    const asked = latch<AbortSignal>();
    const going = world.begin(new Agent({ name: 'Builder', model: world.model(says('Done.')) }), 'go', {
      stopHooks: [{ name: 'slow', execute: ({ signal }) => new Promise<void>((resolve) => (asked.open(signal), signal.addEventListener('abort', () => resolve()))) }],
    });
    const signal = await asked.promise;
    going.interrupt();
    await going.settled;
    return signal.aborted;
  });
  expect([seen.outcome, seen.finalOutput, value]).toEqual(['interrupted', undefined, true]);
});

test('M5, E3: hooks are asked before output guardrails, which see only what no hook objects to; a trip stands', async () => {
  const { seen, value } = await play(async (world) => {
    const order: string[] = [];
    const hook: StopHook = { name: 'objector', execute: ({ output }) => (order.push(`hook ${output}`), output === 'Draft.' ? { objection: 'Finish it.' } : undefined) };
    const guardrail: OutputGuardrail = { name: 'polite', execute: async ({ agentOutput }) => (order.push(`guardrail ${agentOutput}`), { tripwireTriggered: true, outputInfo: 'rude' }) };
    const agent = new Agent({ name: 'Writer', model: world.model(says('Draft.'), says('Rude.')), outputGuardrails: [guardrail] });
    await world.run(agent, 'go', { stopHooks: [hook] });
    return order;
  });
  expect(value).toEqual(['hook Draft.', 'hook Rude.', 'guardrail Rude.']);
  expect([seen.outcome, seen.error?.name]).toEqual(['failed', 'OutputGuardrailTripwireTriggered']);
});

test('M5: a hook that throws fails the run with its own error, and so does one that answers with no objection', async () => {
  const { runs } = await play(async (world) => {
    const answers: StopHook['execute'][] = [() => { throw new RangeError('no disk'); }, () => ({}) as never];
    for (const execute of answers) await world.run(new Agent({ name: 'Builder', model: world.model(says('Done.')) }), 'go', { stopHooks: [{ name: 'broken', execute }] });
  });
  expect(runs.map(({ outcome, error }) => [outcome, error])).toEqual([
    ['failed', { name: 'RangeError', message: 'no disk' }],
    ['failed', { name: 'UserError', message: 'The stop hook "broken" must return nothing, or { objection: "what is missing" }.' }],
  ]);
});

test('L3: a steer that arrives while hooks are asked reopens the loop', async () => {
  const { seen, requests } = await play(async (world) => {
    const asked = latch();
    const go = latch();
    const hook: StopHook = { name: 'slow', execute: () => (asked.open(), go.promise) };
    const going = world.begin(new Agent({ name: 'Builder', model: world.model(says('Done.'), says('Hurried.')) }), 'go', { stopHooks: [hook] });
    await asked.promise;
    (await going.state).addInput('and hurry');
    go.open();
    return going.settled;
  }, { only: 'streamed' });
  expect([seen.finalOutput, requests.length]).toEqual(['Hurried.', 2]);
  expect(receipts(seen.events)).toEqual(['accepted and hurry', 'delivered and hurry to Builder in turn 2']);
});

test('M5: a tool that ends the run is a final output too', async () => {
  const { seen } = await play(async (world) => {
    const finish = tool({ name: 'finish', description: 'Ends.', parameters: z.object({}), terminal: 'completed', execute: () => 'finished' });
    const agent = new Agent({ name: 'Builder', model: world.model(calls('finish'), says('After all.')), tools: [finish] });
    return world.run(agent, 'go', { stopHooks: [objector('Not yet.')] });
  });
  expect([seen.finalOutput, seen.story.slice(-2)]).toEqual(['After all.', ['Builder: reads "Not yet."', 'Builder: says "After all."']]);
});

test('O8, M5: a hook whose process died is asked again, under the same id; one that had answered is not', async () => {
  const { seen, value } = await play(async (world) => {
    const ids: string[] = [];
    const model = world.model(says('Done.'), says('Tested.'));
    const stuck: StopHook = { name: 'tests pass', execute: ({ effectId }) => (ids.push(effectId), ids.length === 2 ? new Promise<never>(() => undefined) : ids.length === 1 ? { objection: 'Run the tests.' } : undefined) };
    const agent = new Agent({ name: 'Builder', model });
    const first = mortal();
    world.begin(agent, 'go', { journal: first.journal, stopHooks: [stuck] });
    while (ids.length < 2) await world.clock.settle();
    first.die();
    await world.resume('run_test', { journal: first.left('run_test'), agents: agent, stopHooks: [stuck] });
    return ids;
  });
  expect([seen.finalOutput, value]).toEqual(['Tested.', ['run_test/agent.1/stopHook.1#1', 'run_test/agent.1/stopHook.2#1', 'run_test/agent.1/stopHook.2#1']]);
});

test('B1, B3, M5: what is asked for only when a waiting run is gone on with, counts from then on', async () => {
  const { runs } = await play(async (world) => {
    const model = world.model(calls('refund', { order: 7 }), says('Done.'), calls('refund', { order: 8 }), says('Out of turns.'));
    const agent = new Agent({ name: 'Desk', model, tools: [refund] });
    const first = await world.run(agent, 'go', { maxTurns: 3 });
    first.state.approve(first.state.getInterruptions()[0]!);
    const second = await world.run(agent, first.state, { stopHooks: [objector('', 'Refund the other one too.')] });
    second.state.approve(second.state.getInterruptions()[0]!);
    return world.run(agent, second.state, { finalTurn: true, stuckDetection: true, stopHooks: [] });
  });
  expect(runs.map(({ outcome, finalOutput }) => [outcome, finalOutput])).toEqual([['waiting', undefined], ['waiting', undefined], ['completed', 'Out of turns.']]);
  expect(runs[1]!.story.slice(-4)).toEqual(['Desk: says "Done."', 'Desk: reads "Refund the other one too."', 'Desk: calls refund {"order":8}', 'Desk: asks for refund']);
});

test('M5: a paused run that is gone on with asks its hooks', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(answersWith(() => says('Done.')), says('Tested.'), says('More.'));
    const agent = new Agent({ name: 'Builder', model });
    const completed = await world.run(agent, 'go');
    completed.state.addInput('again');
    return world.run(agent, completed.state as RunState<any, any>, { stopHooks: [objector('', 'Run the tests.')] });
  });
  expect(seen.story).toEqual(['Builder: says "Done."', 'Builder: reads "again"', 'Builder: says "Tested."', 'Builder: reads "Run the tests."', 'Builder: says "More."']);
});
