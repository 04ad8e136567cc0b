import { Agent, RunState, run, tool } from 'loopchart';
import { calls, fails, says, scriptedModel } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';

describe.each(['object', 'text'] as const)('gone on with from the %s of the state', (form) => {
  test('J1, F5: a soft stop while a nested call waits keeps what the nested runs had paid for, at any depth', async () => {
    const desk = threeDeep();
    const stopped = await run(desk.agent, 'go', { stopSignal: desk.stop.signal });
    expect([stopped.finalOutput, stopped.interruptions]).toEqual([undefined, []]);

    const waiting = await run(desk.agent, form === 'object' ? stopped.state : await RunState.fromString(desk.agent, stopped.state.toString()));
    expect(waiting.interruptions.map(({ name }) => name)).toEqual(['pay']);
    waiting.state.approve(waiting.interruptions[0]!);
    const { finalOutput, state } = await run(desk.agent, waiting.state);

    expect(finalOutput).toBe('all done');
    expect(desk.paid).toEqual([7]);
    expect(desk.models.map(({ requests }) => requests.length)).toEqual([2, 2, 2]);
    expect(state.usage.requests).toBe(6);
  });
});

test('C2, K5: when a sibling fails the run while a nested call waits, going on asks the nested model nothing twice', async () => {
  const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), needsApproval: true, execute: () => 'paid' });
  let attempts = 0;
  const shaky = tool({
    name: 'shaky',
    description: 'Fails once.',
    parameters: z.object({}),
    errorFunction: null,
    execute: () => {
      attempts += 1;
      if (attempts === 1) throw new Error('no luck');
      return 'luck';
    },
  });
  const clerkModel = scriptedModel(calls('pay', {}), says('clerk done'));
  const clerk = new Agent({ name: 'Clerk', tools: [pay], model: clerkModel });
  const model = scriptedModel(calls(['ask_clerk', { input: 'pay' }], ['shaky', {}]), says('done'));
  const agent = new Agent({ name: 'Desk', tools: [clerk.asTool({ toolName: 'ask_clerk', toolDescription: 'Asks the clerk.' }), shaky], model });

  const failed = await run(agent, 'go').then(() => { throw new Error('it should have failed'); }, (error: unknown) => error as { state: RunState<undefined, typeof agent> });
  const waiting = await run(agent, failed.state);
  waiting.state.approve(waiting.interruptions[0]!);
  expect((await run(agent, waiting.state)).finalOutput).toBe('done');
  expect([clerkModel.requests.length, attempts]).toEqual([2, 2]);
});

test('J1: a soft stop lets a nested run finish that is at work', async () => {
  const stop = new AbortController();
  const look = tool({ name: 'look', description: 'Looks.', parameters: z.object({}), execute: () => { stop.abort(); return 'seen'; } });
  const helper = new Agent({ name: 'Helper', tools: [look], model: scriptedModel(calls('look', {}), says('helped')) });
  const model = scriptedModel(calls('help', { input: 'look' }), fails({ status: 500 }));
  const agent = new Agent({ name: 'Desk', tools: [helper.asTool({ toolName: 'help', toolDescription: 'Helps.' })], model });
  const stopped = await run(agent, 'go', { stopSignal: stop.signal });
  expect([stopped.newItems.map(({ type }) => type), model.requests.length]).toEqual([['tool_call_item', 'tool_call_output_item'], 1]);
});

/** Desk asks the clerk, the clerk asks the cashier, the cashier wants to pay; whoever has to approve stops everything instead. */
function threeDeep() {
  const stop = new AbortController();
  const paid: number[] = [];
  const pay = tool({
    name: 'pay',
    description: 'Pays.',
    parameters: z.object({ amount: z.number() }),
    needsApproval: async () => {
      stop.abort();
      return true;
    },
    execute: ({ amount }) => {
      paid.push(amount);
      return 'paid';
    },
  });
  const cashierModel = scriptedModel(calls('pay', { amount: 7 }), says('cashier done'));
  const cashier = new Agent({ name: 'Cashier', tools: [pay], model: cashierModel });
  const clerkModel = scriptedModel(calls('ask_cashier', { input: 'pay 7' }), says('clerk done'));
  const clerk = new Agent({ name: 'Clerk', tools: [cashier.asTool({ toolName: 'ask_cashier', toolDescription: 'Asks the cashier.' })], model: clerkModel });
  const deskModel = scriptedModel(calls('ask_clerk', { input: 'pay 7' }), says('all done'));
  const agent = new Agent({ name: 'Desk', tools: [clerk.asTool({ toolName: 'ask_clerk', toolDescription: 'Asks the clerk.' })], model: deskModel });
  return { agent, stop, paid, models: [deskModel, clerkModel, cashierModel] };
}
