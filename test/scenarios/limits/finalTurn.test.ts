/** B1: `finalTurn: true` allows one turn more, without tools, when all others are used up. */
import { Agent, handoff, Runner } from 'loopchart';
import { calls, inputOf, refuses, repeat, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch } from '../support/cast.ts';
import { mortal } from '../support/mortal.ts';
import { receipts } from '../support/receipts.ts';
import { play } from '../support/scenario.ts';

const NOTICE = 'This is your last turn, and no tools are available in it. Answer now with what you have.';

test('B1, P1: the last turn offers no tools and no handoffs, tells the model so, and its text is the final output', async () => {
  const { seen, requests, sessions } = await play(async (world) => {
    const other = new Agent({ name: 'Other', model: world.model() });
    const agent = new Agent({
      name: 'Worker', model: world.model(calls('tick'), says('As far as I came.')), tools: [counted('tick').tool], handoffs: [handoff(other)], modelSettings: { toolChoice: 'required', parallelToolCalls: true }, resetToolChoice: false,
    });
    return world.run(agent, 'go', { maxTurns: 1, finalTurn: true, session: world.session() });
  });
  expect([seen.outcome, seen.finalOutput, seen.turns, seen.state.source.outcome!.how]).toEqual(['completed', 'As far as I came.', 2, 'lastTurn']);
  const [first, last] = requests;
  expect([first!.tools.length, first!.handoffs.length]).toEqual([1, 1]);
  expect([last!.tools, last!.handoffs, last!.modelSettings.toolChoice, last!.modelSettings.parallelToolCalls]).toEqual([[], [], undefined, undefined]);
  expect(last!.input.at(-1)).toMatchObject({ role: 'user', content: NOTICE });
  expect(seen.newItems.at(-2)).toMatchObject({ type: 'input_item', origin: { runtime: 'finalTurn' } });
  expect(sessions[0]!.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'function_call', 'function_call_result', 'user', 'assistant']);
});

test('B1: a model that asks for tools all the same fails the run at its limit, and none of them runs', async () => {
  const { seen, value } = await play(async (world) => {
    const tick = counted('tick');
    const agent = new Agent({ name: 'Worker', model: world.model(repeat(2, calls('tick'))), tools: [tick.tool], toolUseBehavior: 'run_llm_again' });
    await world.run(agent, 'go', { maxTurns: 1, finalTurn: true });
    return tick.runs;
  });
  expect([seen.outcome, seen.error?.message, value]).toEqual(['failed', 'Max turns (1) exceeded', 1]);
  expect(seen.story.slice(-2)).toEqual(['Worker: calls tick {}', 'Worker: gets tick "Not run: no tools are available in the last turn."']);
});

test('B1: what was not run makes no final output, whatever the tool-use behavior', async () => {
  const { runs } = await play(async (world) => {
    for (const toolUseBehavior of ['stop_on_first_tool', () => ({ isFinalOutput: true as const, isInterrupted: undefined, finalOutput: 'chosen' })] as const) {
      await world.run(new Agent({ name: 'Worker', model: world.model(calls('tick')), tools: [counted('tick').tool], toolUseBehavior }), 'go', { maxTurns: 0, finalTurn: true });
    }
  });
  expect(runs.map(({ outcome, error }) => [outcome, error?.name])).toEqual([['failed', 'MaxTurnsExceededError'], ['failed', 'MaxTurnsExceededError']]);
});

test('B1: the last turn comes first, and the maxTurns handler if that brings no answer', async () => {
  const { runs } = await play(async (world) => {
    for (const last of [says('Answered.'), calls('tick')]) {
      const agent = new Agent({ name: 'Worker', model: world.model(calls('tick'), last), tools: [counted('tick').tool] });
      await world.run(agent, 'go', { maxTurns: 1, finalTurn: true, errorHandlers: { maxTurns: () => ({ finalOutput: 'Handled.' }) } });
    }
  });
  expect(runs.map(({ finalOutput, state }) => [finalOutput, state.source.outcome!.how])).toEqual([['Answered.', 'lastTurn'], ['Handled.', 'handler']]);
});

test('B1, A4: a structured answer is held to its schema there too, and a refusal is one', async () => {
  const { runs } = await play(async (world) => {
    for (const last of [says('{"sum":3}'), says('three'), refuses('No.')]) {
      await world.run(new Agent({ name: 'Adder', model: world.model(last), outputType: z.object({ sum: z.number() }) }), 'go', { maxTurns: 0, finalTurn: true });
    }
  });
  expect(runs.map(({ finalOutput, error }) => error?.name ?? finalOutput)).toEqual([{ sum: 3 }, 'ModelBehaviorError', 'ModelRefusalError']);
});

test('B1: with zero turns the last one is the only one; a runner may allow it for all its runs', async () => {
  const { seen, requests } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model(says('At once.')) }), 'go', { maxTurns: 0, runner: new Runner({ finalTurn: true }) }));
  expect([seen.finalOutput, seen.turns, requests.length]).toEqual(['At once.', 1, 1]);
  expect(requests[0]!.input).toEqual(inputOf('go', NOTICE));
});

test('B1, L2: input that waits joins the last turn', async () => {
  const { seen } = await play(async (world) => {
    const slow = latch<string>();
    const agent = new Agent({ name: 'Worker', model: world.model(calls('slow'), says('Hurried.')), tools: [counted('slow', () => slow.promise).tool] });
    const going = world.begin(agent, 'go', { maxTurns: 1, finalTurn: true });
    await going.until('tool.started');
    (await going.state).addInput('and hurry');
    slow.open('slow');
    return going.settled;
  }, { only: 'streamed' });
  expect([seen.finalOutput, receipts(seen.events)]).toEqual(['Hurried.', ['accepted and hurry', `delivered and hurry | ${NOTICE} to Worker in turn 2`]]);
});

test('J1: after a soft stop there is no last turn', async () => {
  const { seen, requests } = await play(async (world) => {
    const slow = latch<string>();
    const agent = new Agent({ name: 'Worker', model: world.model(calls('slow')), tools: [counted('slow', () => slow.promise).tool] });
    const going = world.begin(agent, 'go', { maxTurns: 1, finalTurn: true });
    await going.until('tool.started');
    going.softStop();
    slow.open('slow');
    return going.settled;
  });
  expect([seen.outcome, requests.length]).toEqual(['stopped', 1]);
});

test('O1, B1: killed in its last turn, a run has it once more and not two of them', async () => {
  const { seen, value } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick'), calls('tick')), tools: [counted('tick').tool] });
    const first = mortal((entry) => (entry.type === 'effect.done' && entry.id.endsWith('turn.2/model#1') ? 'after' : undefined));
    world.begin(agent, 'go', { journal: first.journal, maxTurns: 1, finalTurn: true });
    await first.dead;
    return (await world.resume('run_test', { journal: first.left('run_test'), agents: agent })).turns;
  });
  expect([seen.outcome, seen.error?.name, value]).toEqual(['failed', 'MaxTurnsExceededError', 2]);
});
