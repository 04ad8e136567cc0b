/** G2: the provider keeps the conversation: send only what it has neither sent nor received. */
import { Agent, RunState, handoff, type HandoffInputData } from 'loopchart';
import { answered, asked, calls, fails, inputOf, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { add, counted, latch, refund } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

const sentOf = (requests: { input: unknown; conversationId?: string; previousResponseId?: string }[]) =>
  requests.map(({ input, conversationId, previousResponseId }) => ({ input, conversationId, previousResponseId }));
const answer = (callId: string, output: string) => inputOf(asked('add', {}, callId), answered(callId, output))[1]!;

test('G2: with a conversation id each request carries only what is new', async () => {
  const { requests, seen } = await play(async (world) => {
    const agent = new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), says('3')), tools: [add] });
    return world.run(agent, 'go', { conversationId: 'conv_1' });
  });
  expect(sentOf(requests)).toEqual([
    { input: inputOf('go'), conversationId: 'conv_1', previousResponseId: undefined },
    { input: [answer('call_1', '3')], conversationId: 'conv_1', previousResponseId: undefined },
  ]);
  expect(seen.history.length).toBe(4);
});

test('G2: with a previous response id each request names the response before it', async () => {
  const { requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), says('3')), tools: [add] });
    return world.run(agent, 'go', { previousResponseId: 'resp_0' });
  });
  expect(sentOf(requests)).toEqual([
    { input: inputOf('go'), conversationId: undefined, previousResponseId: 'resp_0' },
    { input: [answer('call_1', '3')], conversationId: undefined, previousResponseId: 'resp_1' },
  ]);
});

test('G2: autoPreviousResponseId begins the chain with the first response', async () => {
  const { requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), says('3')), tools: [add] });
    return world.run(agent, 'go', { autoPreviousResponseId: true });
  });
  expect(sentOf(requests)).toEqual([
    { input: inputOf('go'), conversationId: undefined, previousResponseId: undefined },
    { input: [answer('call_1', '3')], conversationId: undefined, previousResponseId: 'resp_1' },
  ]);
});

test.each(['object', 'text'])('G2: after a resume from %s nothing is sent again', async (from) => {
  const { requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 7 }), says('Done.')), tools: [refund] });
    const options = { conversationId: 'conv_1' };
    const waiting = await world.run(agent, 'go', options);
    const state = from === 'object' ? waiting.state : await RunState.fromString<undefined, Agent<any, any>>(agent, waiting.state.toString());
    state.approve(state.getInterruptions()[0]!);
    return world.run(agent, state, options);
  });
  expect(requests.map(({ input }) => input)).toEqual([inputOf('go'), [expect.objectContaining({ type: 'function_call_result', callId: 'call_1' })]]);
});

test('G2, K5: after a failed request what it carried is sent again, and nothing before it', async () => {
  const { requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), fails({ status: 500 }), says('3')), tools: [add] });
    const options = { conversationId: 'conv_1' };
    const failed = await world.run(agent, 'go', options);
    return world.run(agent, failed.state, options);
  });
  expect(requests.map(({ input }) => input)).toEqual([inputOf('go'), [answer('call_1', '3')], [answer('call_1', '3')]]);
});

test('G2: a handoff goes on in the same conversation', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(calls('transfer_to_Billing'), says('Paid.'));
    return world.run(new Agent({ name: 'Desk', model, handoffs: [new Agent({ name: 'Billing', model })] }), 'go', { conversationId: 'conv_1' });
  });
  expect(requests.map(({ input, conversationId }) => [input.length, conversationId])).toEqual([[1, 'conv_1'], [1, 'conv_1']]);
  expect(requests[1]!.input[0]).toMatchObject({ type: 'function_call_result', name: 'transfer_to_Billing' });
});

test('G2, F1: handoffs that lost are answered, for the provider waits for them', async () => {
  const { requests, seen } = await play(async (world) => {
    const model = world.model(calls(['transfer_to_Billing', {}], ['transfer_to_Sales', {}]), says('Paid.'));
    const agent = new Agent({ name: 'Desk', model, handoffs: [new Agent({ name: 'Billing', model }), new Agent({ name: 'Sales', model })] });
    return world.run(agent, 'go', { conversationId: 'conv_1' });
  });
  expect(seen.lastAgent).toBe('Billing');
  expect(requests[1]!.input).toEqual(expect.arrayContaining([
    expect.objectContaining({ type: 'function_call_result', callId: 'call_1' }),
    expect.objectContaining({ type: 'function_call_result', callId: 'call_2', output: { type: 'text', text: 'Multiple handoffs detected, ignoring this one.' } }),
  ]));
});

test.each([
  ['a handoff', {}, { inputFilter: (given: HandoffInputData) => given }],
  ['the runner', { nestHandoffHistory: true }, {}],
])('G2: a filter of %s together with server-managed state is the mistake of the app', async (_whose, options, config) => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls('transfer_to_Billing'), says('Paid.'));
    return world.run(new Agent({ name: 'Desk', model, handoffs: [handoff(new Agent({ name: 'Billing', model }), config)] }), 'go', { conversationId: 'conv_1', ...options });
  });
  expect([seen.outcome, seen.error?.name]).toEqual(['failed', 'UserError']);
});

test('G2: a local session beside it is read, never written, and warned about once', async () => {
  const warnings: unknown[] = [];
  const { warn } = console;
  console.warn = (words: unknown) => void warnings.push(words);
  try {
    const { requests, sessions } = await play(async (world) => {
      const agent = new Agent({ name: 'Greeter', model: world.model(says('Hello.'), says('Again.')) });
      const session = world.session([user('earlier')]);
      await world.run(agent, 'go', { session, conversationId: 'conv_1' });
      return world.run(agent, 'once more', { session, conversationId: 'conv_1' });
    });
    expect(requests[0]!.input).toEqual(inputOf('earlier', 'go'));
    expect(sessions).toEqual([[user('earlier')]]);
  } finally {
    console.warn = warn;
  }
  expect(warnings, 'one for each session').toEqual(Array(2).fill(expect.stringContaining('The session is read but not written')));
});

test('G2: after an interrupt the next request brings the aborted results that the provider still waits for', async () => {
  const { requests } = await play(async (world) => {
    const forever = latch();
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick'), says('I see.')), tools: [counted('tick', () => forever.promise).tool] });
    const options = { conversationId: 'conv_1', interruptNotice: false };
    const going = world.begin(agent, 'go', options);
    await going.until('tool.started');
    going.interrupt();
    await world.clock.runAll();
    return world.run(agent, (await going.settled).state, options);
  });
  expect(requests[1]!.input).toEqual([expect.objectContaining({ type: 'function_call_result', callId: 'call_1', status: 'incomplete' })]);
});
