/** G1, G2 with K5: sessions and provider-kept conversations over failures, stops, handoffs and resumes. */
import { Agent, RunState, handoff, removeAllTools, tool } from 'loopchart';
import { answered, asked, calls, fails, inputOf, says, said } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { add, counted, latch, refund } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

const throughText = (agent: Agent<any, any>, state: RunState<any, any>) => RunState.fromString<undefined, Agent<any, any>>(agent, state.toString());
const approveAll = (state: RunState<any, any>) => { for (const call of state.getInterruptions()) state.approve(call); };

test.each(['object', 'text'])('G1, K5: a turn that a tool failed is saved once, its missing result when there is one (%s)', async (from) => {
  const { sessions } = await play(async (world) => {
    let works = false;
    const strict = tool({ name: 'strict', description: 'Fails hard, once.', parameters: z.object({}), errorFunction: null, execute: () => { if (works) return 'ok'; throw new Error('broken'); } });
    const agent = new Agent({ name: 'Worker', model: world.model(calls(['add', { a: 1, b: 2 }], ['strict', {}]), says('Done.')), tools: [add, strict] });
    const session = world.session();
    const failed = await world.run(agent, 'go', { session });
    works = true;
    return world.run(agent, from === 'object' ? failed.state : await throughText(agent, failed.state), { session });
  });
  expect(sessions[0]).toEqual(inputOf(
    'go', asked('add', { a: 1, b: 2 }, 'call_1'), asked('strict', {}, 'call_2'), answered('call_1', '3'), answered('call_2', 'ok'), said('Done.'),
  ));
});

test('G1, F2: after a filtered handoff and a resume from text the session has everything once', async () => {
  const { sessions, requests, seen } = await play(async (world) => {
    const model = world.model(calls('add', { a: 1, b: 2 }), calls('transfer_to_Billing'), calls('refund', { order: 7 }), says('Paid.'));
    const billing = new Agent({ name: 'Billing', model, tools: [refund] });
    const desk = new Agent({ name: 'Desk', model, tools: [add], handoffs: [handoff(billing, { inputFilter: removeAllTools })] });
    const session = world.session();
    const waiting = await world.run(desk, 'go', { session });
    const state = await throughText(desk, waiting.state);
    approveAll(state);
    return world.run(desk, state, { session });
  });
  expect([seen.outcome, seen.lastAgent, seen.story.length]).toEqual(['completed', 'Billing', 7]);
  expect(requests[3]!.input).toEqual(inputOf('go', asked('refund', { order: 7 }, 'call_3'), answered('call_3', 'refunded 7')));
  expect(sessions[0]!.map((item) => ('role' in item ? item.role : item.type))).toEqual([
    'user', 'function_call', 'function_call_result', 'function_call', 'function_call_result', 'function_call', 'function_call_result', 'assistant',
  ]);
});

test('G1: of two agents with one name, the state knows which is at work', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(calls('transfer_to_second'), calls('refund', { order: 7 }), says('Paid.'));
    const build = () => {
      const second = new Agent({ name: 'Twin', instructions: 'Second.', model, tools: [refund] });
      return new Agent({ name: 'Twin', instructions: 'First.', model, handoffs: [handoff(second, { toolNameOverride: 'transfer_to_second' })] });
    };
    const waiting = await world.run(build(), 'go');
    const first = build();
    const state = await throughText(first, waiting.state);
    approveAll(state);
    return world.run(first, state);
  });
  expect(seen.outcome).toBe('completed');
  expect(requests.map(({ systemInstructions }) => systemInstructions)).toEqual(['First.', 'Second.', 'Second.']);
});

test.each(['object', 'text'])('G2, K5: a chain of responses goes on after a failure with the last response that came (%s)', async (from) => {
  const { requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), fails({ status: 500 }), says('3')), tools: [add] });
    const failed = await world.run(agent, 'go', { autoPreviousResponseId: true });
    return world.run(agent, from === 'object' ? failed.state : await throughText(agent, failed.state), { autoPreviousResponseId: true });
  });
  expect(requests.map(({ input, previousResponseId }) => [input.length, previousResponseId])).toEqual([[1, undefined], [1, 'resp_1'], [1, 'resp_1']]);
});

test('G2, J1: after a stop the conversation at the provider goes on where it was', async () => {
  const { requests, seen } = await play(async (world) => {
    const atWork = latch();
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick'), says('Done.')), tools: [counted('tick', () => atWork.promise.then(() => 'tock')).tool] });
    const options = { conversationId: 'conv_1' };
    const going = world.begin(agent, 'go', options);
    await going.until('tool.started');
    going.softStop();
    atWork.open();
    return world.run(agent, (await going.settled).state, options);
  });
  expect([seen.outcome, requests.map(({ input }) => input.length)]).toEqual(['completed', [1, 1]]);
});

test('G2: input added to a waiting run follows the result at the provider', async () => {
  const { requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 7 }), says('Refunded.')), tools: [refund] });
    const waiting = await world.run(agent, 'go', { conversationId: 'conv_1' });
    approveAll(waiting.state);
    waiting.state.addInput('And hurry.');
    return world.run(agent, waiting.state, { conversationId: 'conv_1' });
  });
  expect(requests[1]!.input).toEqual([answered('call_1', 'refunded 7', 'refund'), ...inputOf('And hurry.')]);
});
