/** F1–F4: how a conversation passes from one agent to another, and what the next one reads. */
import { Agent, Runner, handoff, nestHandoffHistory, removeAllTools, type HandoffInputData } from 'loopchart';
import { answered, asked, calls, fails, inputOf, said, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { add, counted, latch } from '../support/cast.ts';
import { play, type World } from '../support/scenario.ts';

const transfer = (name: string, callId: string) => asked(`transfer_to_${name}`, {}, callId);
const transferred = (name: string, callId: string) => answered(callId, `{"assistant":"${name}"}`, `transfer_to_${name}`);
const textOf = (item: object) => ('content' in item && Array.isArray(item.content) ? String((item.content[0] as { text?: string }).text) : '');

test('F1: the first handoff of a response wins; the others leave no item and no event', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls(['transfer_to_Billing', {}], ['transfer_to_Sales', {}]), says('Paid.'));
    return world.run(new Agent({ name: 'Desk', model, handoffs: [new Agent({ name: 'Billing', model }), new Agent({ name: 'Sales', model })] }), 'go');
  });
  expect(seen.story).toEqual(['Desk: calls transfer_to_Billing {}', 'Desk → Billing: hands off', 'Billing: says "Paid."']);
  expect(JSON.stringify(seen.events)).not.toContain('Sales');
  expect(seen.history).toEqual(inputOf('go', transfer('Billing', 'call_1'), transferred('Billing', 'call_1'), said('Paid.')));
});

test('F1: function calls beside a handoff finish first', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(calls(['transfer_to_Billing', {}], ['tick', {}]), says('Paid.'));
    const atWork = latch();
    const tick = counted('tick', () => atWork.promise.then(() => 'done'));
    const going = world.begin(new Agent({ name: 'Desk', model, tools: [tick.tool], handoffs: [new Agent({ name: 'Billing', model })] }), 'go');
    await going.until('tool.started');
    await world.clock.settle();
    expect(going.events.some(({ type }) => type === 'handoff.occurred')).toBe(false);
    atWork.open();
    return going.settled;
  });
  expect(seen.story).toEqual(['Desk: calls transfer_to_Billing {}', 'Desk: calls tick {}', 'Desk: gets tick "done"', 'Desk → Billing: hands off', 'Billing: says "Paid."']);
  expect(requests[1]!.input).toEqual(inputOf('go', transfer('Billing', 'call_1'), asked('tick', {}, 'call_2'), answered('call_2', 'done'), transferred('Billing', 'call_1')));
});

test('F2: validation, onHandoff, the output item, hooks, filter: in this order', async () => {
  const { value } = await play(async (world) => {
    const order: string[] = [];
    const model = world.model(calls('transfer_to_Billing', { reason: 'refund' }), says('Paid.'));
    const billing = new Agent({ name: 'Billing', model });
    const toBilling = handoff(billing, {
      inputType: z.object({ reason: z.string() }).transform((input) => { order.push('validate'); return input; }),
      onHandoff: (_context, input) => void order.push(`onHandoff ${JSON.stringify(input)}`),
      inputFilter: (passed) => { order.push(`filter, ${passed.newItems.length} new items`); return passed; },
    });
    const desk = new Agent({ name: 'Desk', model, handoffs: [toBilling], hooks: { handoff: (_context, next) => void order.push(`agent hook: ${next.name}`) } });
    await world.run(desk, 'go', { runner: new Runner({ hooks: { handoff: (_context, from, to) => void order.push(`runner hook: ${from.name} to ${to.name}`) } }) });
    return order;
  });
  expect(value).toEqual(['validate', 'onHandoff {"reason":"refund"}', 'agent hook: Billing', 'runner hook: Desk to Billing', 'filter, 2 new items']);
});

test.each([
  ['no JSON', '{"reason":'],
  ['of another form', { reason: 7 }],
])('F2: handoff input that is %s is a ModelBehaviorError, and onHandoff is not called', async (_what, args) => {
  const { seen, value } = await play(async (world) => {
    let isCalled = false;
    const model = world.model(calls('transfer_to_Billing', args));
    const toBilling = handoff(new Agent({ name: 'Billing', model }), { inputType: z.object({ reason: z.string() }), onHandoff: () => { isCalled = true; } });
    await world.run(new Agent({ name: 'Desk', model, handoffs: [toBilling] }), 'go');
    return isCalled;
  });
  expect([seen.outcome, seen.error?.name, value]).toEqual(['failed', 'ModelBehaviorError', false]);
});

test('F2, K4: an onHandoff that throws fails the run with its own error', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls('transfer_to_Billing'));
    const toBilling = handoff(new Agent({ name: 'Billing', model }), { onHandoff: () => { throw new RangeError('closed'); } });
    return world.run(new Agent({ name: 'Desk', model, handoffs: [toBilling] }), 'go');
  });
  expect([seen.outcome, seen.error]).toEqual(['failed', { name: 'RangeError', message: 'closed' }]);
});

/** A desk with an addition and a filter, whose billing answers. */
function deskWith(world: World, inputFilter: ((passed: HandoffInputData) => HandoffInputData | Promise<HandoffInputData>) | undefined) {
  const model = world.model(calls('add', { a: 1, b: 2 }), calls('transfer_to_Billing'), says('Paid.'));
  return new Agent({ name: 'Desk', model, tools: [add], handoffs: [handoff(new Agent({ name: 'Billing', model }), { inputFilter })] });
}

test('F2: a filter shapes what the next model reads; newItems and the session keep everything', async () => {
  const { seen, requests, sessions } = await play(async (world) => world.run(deskWith(world, removeAllTools), 'go', { session: world.session() }));
  expect(requests[2]!.input).toEqual(inputOf('go'));
  expect(seen.story).toEqual([
    'Desk: calls add {"a":1,"b":2}', 'Desk: gets add "3"', 'Desk: calls transfer_to_Billing {}', 'Desk → Billing: hands off', 'Billing: says "Paid."',
  ]);
  expect(sessions[0]).toEqual(inputOf('go', asked('add', { a: 1, b: 2 }, 'call_1'), answered('call_1', '3'), transfer('Billing', 'call_2'), transferred('Billing', 'call_2'), said('Paid.')));
});

test('F2: a filter sees the input, what came before the turn, and what the turn brought', async () => {
  const { value } = await play(async (world) => {
    let given: unknown;
    await world.run(deskWith(world, (passed) => {
      given = { history: passed.inputHistory, before: passed.preHandoffItems.map(({ type }) => type), fresh: passed.newItems.map(({ type }) => type), context: passed.runContext?.context };
      return passed;
    }), 'go', { context: { user: 'Ada' } });
    return given;
  });
  expect(value).toEqual({ history: inputOf('go'), before: ['tool_call_item', 'tool_call_output_item'], fresh: ['handoff_call_item', 'handoff_output_item'], context: { user: 'Ada' } });
});

test('F2: a filter may be asynchronous', async () => {
  const { requests } = await play(async (world) => world.run(deskWith(world, async (passed) => ({ ...passed, inputHistory: 'summary', preHandoffItems: [], newItems: [] })), 'go'));
  expect(requests[2]!.input).toEqual([user('summary')]);
});

test("F2: the handoff's own filter comes before the runner's", async () => {
  const { requests } = await play(async (world) => {
    const runner = new Runner({ handoffInputFilter: (passed) => ({ ...passed, inputHistory: 'by the runner', preHandoffItems: [], newItems: [] }) });
    await world.run(deskWith(world, undefined), 'go', { runner });
    return world.run(deskWith(world, (passed) => ({ ...passed, inputHistory: 'by the handoff', preHandoffItems: [], newItems: [] })), 'go', { runner });
  });
  expect([requests[2]!.input, requests[5]!.input]).toEqual([[user('by the runner')], [user('by the handoff')]]);
});

test('F2: a filter that returns something else is the mistake of the app', async () => {
  const { seen } = await play(async (world) => world.run(deskWith(world, () => ({}) as HandoffInputData), 'go'));
  expect([seen.outcome, seen.error?.name]).toEqual(['failed', 'UserError']);
});

test('G3: a filter that drops a result leaves no call without one', async () => {
  const { requests } = await play(async (world) =>
    world.run(deskWith(world, (passed) => ({ ...passed, preHandoffItems: passed.preHandoffItems.filter(({ type }) => type !== 'tool_call_output_item') })), 'go'));
  expect(requests[2]!.input.find((item) => item.type === 'function_call_result' && item.callId === 'call_1')).toMatchObject({ status: 'incomplete', output: 'aborted' });
});

test('F3: nested history is one assistant message between markers; off by default', async () => {
  const { requests } = await play(async (world) => {
    await world.run(deskWith(world, undefined), 'go');
    return world.run(deskWith(world, undefined), 'go', { nestHandoffHistory: { markers: { start: '<before>', end: '</before>' } } });
  });
  expect(requests[2]!.input.length).toBe(5);
  expect(requests[5]!.input.length).toBe(1);
  const lines = textOf(requests[5]!.input[0]!).split('\n');
  expect([lines[1], lines[2], lines.at(-1)]).toEqual(['<before>', '1. user: go', '</before>']);
});

test('F3: it applies only where there is no input filter', async () => {
  const { requests } = await play(async (world) => world.run(deskWith(world, (passed) => passed), 'go', { nestHandoffHistory: true }));
  expect(requests[2]!.input.length).toBe(5);
});

test('F3: a handoff decides for itself before the runner does', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(calls('transfer_to_Billing'), says('Paid.'), calls('transfer_to_Billing'), says('Paid.'));
    const desk = (nest: boolean) => new Agent({ name: 'Desk', model, handoffs: [handoff(new Agent({ name: 'Billing', model }), { nestHandoffHistory: nest })] });
    await world.run(desk(false), 'go', { nestHandoffHistory: true });
    return world.run(desk(true), 'go');
  });
  expect([requests[1]!.input.length, requests[3]!.input.length]).toEqual([3, 1]);
});

test('F3: the mapper gets the flat transcript and returns the input', async () => {
  const { requests, value } = await play(async (world) => {
    let flat: unknown;
    await world.run(deskWith(world, undefined), 'go', { nestHandoffHistory: { mapper: (transcript) => { flat = transcript.map((item) => item.type ?? 'message'); return [user('mapped')]; } } });
    return flat;
  });
  expect(requests[2]!.input).toEqual([user('mapped')]);
  expect(value).toEqual(['message', 'function_call', 'function_call_result', 'function_call', 'function_call_result']);
});

test('F3: over several handoffs nothing appears twice', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(calls('transfer_to_Second'), calls('transfer_to_Third'), says('Done.'));
    const third = new Agent({ name: 'Third', model });
    const second = new Agent({ name: 'Second', model, handoffs: [third] });
    return world.run(new Agent({ name: 'First', model, handoffs: [second] }), 'remember the milk', { nestHandoffHistory: true });
  });
  const text = textOf(requests[2]!.input[0]!);
  expect(requests[2]!.input.length).toBe(1);
  expect([text.split('remember the milk').length - 1, text.split('transfer_to_Second').length > 1, text.split('CONVERSATION HISTORY').length - 1]).toEqual([1, true, 2]);
});

test('F3: as an input filter nestHandoffHistory does the same', async () => {
  const { requests } = await play(async (world) => {
    await world.run(deskWith(world, nestHandoffHistory), 'go');
    return world.run(deskWith(world, undefined), 'go', { nestHandoffHistory: true });
  });
  expect(requests[2]!.input).toEqual(requests[5]!.input);
});

test("F4: input guardrails are the first agent's and run once; output guardrails are the last agent's", async () => {
  const { value } = await play(async (world) => {
    const ran: string[] = [];
    const guard = (name: string) => ({ name, execute: async () => { ran.push(name); return { tripwireTriggered: false, outputInfo: null }; } });
    const model = world.model(calls('transfer_to_Billing'), says('Paid.'));
    const billing = new Agent({ name: 'Billing', model, inputGuardrails: [guard('input of Billing')], outputGuardrails: [guard('output of Billing')] });
    await world.run(new Agent({ name: 'Desk', model, handoffs: [billing], inputGuardrails: [guard('input of Desk')], outputGuardrails: [guard('output of Desk')] }), 'go');
    return ran;
  });
  expect(value).toEqual(['input of Desk', 'output of Billing']);
});

test('F1: agents may hand back, and the run knows where it is', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(calls('transfer_to_Billing'), calls('transfer_to_Desk'), says('Back here.'));
    const desk: Agent<any, any> = new Agent({ name: 'Desk', model, instructions: 'Desk.' });
    const billing = new Agent({ name: 'Billing', model, instructions: 'Billing.', handoffs: [desk] });
    desk.handoffs.push(billing);
    return world.run(desk, 'go');
  });
  expect([seen.lastAgent, seen.turns]).toEqual(['Desk', 3]);
  expect(requests.map(({ systemInstructions }) => systemInstructions)).toEqual(['Desk.', 'Billing.', 'Desk.']);
});

test('F2, K5: when the agent after a handoff fails, going on begins with that agent and does not hand off again', async () => {
  const { runs, value } = await play(async (world) => {
    let handed = 0;
    const model = world.model(calls('transfer_to_Billing'), fails({ status: 500 }), says('Paid.'));
    const desk = new Agent({ name: 'Desk', model, handoffs: [handoff(new Agent({ name: 'Billing', model }), { onHandoff: () => { handed += 1; } })] });
    const failed = await world.run(desk, 'go');
    await world.run(desk, failed.state);
    return handed;
  });
  expect(runs.map(({ outcome, lastAgent }) => [outcome, lastAgent])).toEqual([['failed', 'Billing'], ['completed', 'Billing']]);
  expect(value).toBe(1);
});

test('J1: stopped in the turn that hands off, the new agent is announced and not started', async () => {
  const { runs } = await play(async (world) => {
    const atWork = latch();
    const model = world.model(calls(['transfer_to_Billing', {}], ['tick', {}]), says('Paid.'));
    const desk = new Agent({ name: 'Desk', model, tools: [counted('tick', () => atWork.promise.then(() => 'done')).tool], handoffs: [new Agent({ name: 'Billing', model })] });
    const going = world.begin(desk, 'go');
    await going.until('tool.started');
    going.softStop();
    atWork.open();
    const stopped = await going.settled;
    expect(stopped.events.filter(({ type }) => type === 'handoff.occurred' || type === 'agent.started').length).toBe(2);
    return world.run(desk, stopped.state);
  });
  expect(runs.map(({ outcome, lastAgent, finalOutput }) => [outcome, lastAgent, finalOutput])).toEqual([['stopped', 'Billing', undefined], ['completed', 'Billing', 'Paid.']]);
});

test('A4: the final output has the form of the agent that gives it', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls('transfer_to_Weather'), says('{"city":"Oslo"}'));
    const weather = new Agent({ name: 'Weather', model, outputType: z.object({ city: z.string() }) });
    return world.run(Agent.create({ name: 'Desk', model, handoffs: [weather] }), 'go');
  });
  expect(seen.finalOutput).toEqual({ city: 'Oslo' });
});
