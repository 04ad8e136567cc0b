/** D1, D3, D5, D6: what waits for a person, what does not, and what the caller is told of it. */
import { Agent, RunState, handoff, tool } from 'loopchart';
import { answered, asked, calls, inputOf, responds, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch, refund } from '../support/cast.ts';
import { play, type Seen } from '../support/scenario.ts';

const types = ({ events }: Seen) => events.map(({ type }) => type);

test('D1: a call that needs approval waits, the others run; the request is announced before they end', async () => {
  const { seen, value } = await play(async (world) => {
    const slow = latch<string>();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['refund', { order: 7 }], ['slow'])), tools: [refund, counted('slow', () => slow.promise).tool] });
    const going = world.begin(agent, 'go');
    await going.until('approval.requested');
    const early = going.events.every(({ type }) => type !== 'run.awaitingApproval');
    slow.open('there');
    await going.settled;
    return early;
  });
  expect([seen.outcome, value]).toEqual(['waiting', true]);
  expect(seen.story).toEqual(['Desk: calls refund {"order":7}', 'Desk: calls slow {}', 'Desk: gets slow "there"', 'Desk: asks for refund']);
  expect(seen.interruptions).toEqual([
    { id: 'run_test/agent.1/turn.1/toolCall.1.0/approval#1', name: 'refund', arguments: '{"order":7}', path: ['run_test/agent.1/turn.1/toolCall.1.0'] },
  ]);
  expect(types(seen).slice(-2)).toEqual(['item.completed', 'run.awaitingApproval']);
});

test('D1: a call of a nested agent waits on the outer run, with the way that leads to it', async () => {
  const { seen, runs, value } = await play(async (world) => {
    const inner = new Agent({ name: 'Clerk', model: world.model(calls('refund', { order: 7 }), says('Refunded.')), tools: [refund] });
    const outer = new Agent({ name: 'Desk', model: world.model(calls('Clerk', { input: 'refund 7' }), says('Done.')), tools: [inner.asTool({})] });
    const waiting = await world.run(outer, 'go');
    const agents = waiting.state.getInterruptions().map((item) => item.agent.name);
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    await world.run(outer, waiting.state);
    return agents;
  });
  expect(runs[0]!.interruptions.map(({ name, path }) => [name, path])).toEqual([['refund', ['run_test/agent.1/turn.1/toolCall.1.0', 'agent.1/turn.1/toolCall.1.0']]]);
  expect([value, seen.finalOutput]).toEqual([['Clerk'], 'Done.']);
});

test('D1: the policy of a tool sees the parsed arguments and the context; only where it says so does the call wait', async () => {
  const { seen, value } = await play(async (world) => {
    const asks: unknown[] = [];
    const pay = tool({
      name: 'pay',
      description: 'Pays.',
      parameters: z.object({ sum: z.number() }),
      needsApproval: async (runContext, { sum }, callId) => {
        asks.push([runContext.context, sum, callId]);
        return sum > 100;
      },
      execute: ({ sum }) => `paid ${sum}`,
    });
    await world.run(new Agent({ name: 'Desk', model: world.model(calls(['pay', { sum: 5 }], ['pay', { sum: 500 }])), tools: [pay] }), 'go', { context: { user: 'u1' } });
    return asks;
  });
  expect(value).toEqual([[{ user: 'u1' }, 5, 'call_1'], [{ user: 'u1' }, 500, 'call_2']]);
  expect(seen.interruptions.map(({ arguments: args }) => args)).toEqual(['{"sum":500}']);
});

test('D3: malformed arguments never reach the policy: the model reads of them', async () => {
  const { seen, value } = await play(async (world) => {
    let asked = 0;
    const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({ sum: z.number() }), needsApproval: async () => (asked += 1, true), execute: () => '' });
    await world.run(new Agent({ name: 'Desk', model: world.model(calls(['pay', { sum: 'much' }], ['pay', '{']), says('I see.')), tools: [pay] }), 'go');
    return asked;
  });
  expect([seen.outcome, value]).toEqual(['completed', 0]);
});

test('D1: a policy that throws fails the run with its own error, and nothing runs', async () => {
  const { seen, value } = await play(async (world) => {
    const tick = counted('tick');
    const boom = new Error('no policy today');
    const guarded = { ...tick.tool, needsApproval: async () => { throw boom; } };
    const { thrown } = await world.run(new Agent({ name: 'Desk', model: world.model(calls('tick')), tools: [guarded] }), 'go');
    return [thrown === boom, tick.runs];
  });
  expect([seen.outcome, value]).toEqual(['failed', [true, 0]]);
});

test('D5: deciding some leaves the rest waiting, with their ids', async () => {
  const { runs } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['refund', { order: 1 }], ['refund', { order: 2 }], ['refund', { order: 3 }]), says('All done.')), tools: [refund] });
    let seen = await world.run(agent, 'go');
    seen.state.approve(seen.state.getInterruptions()[1]!);
    seen = await world.run(agent, seen.state);
    seen.state.reject(seen.state.getInterruptions()[1]!, { message: 'Not this one.' });
    seen = await world.run(agent, seen.state);
    seen.state.approve(seen.state.getInterruptions()[0]!);
    return world.run(agent, seen.state);
  });
  expect(runs.map(({ interruptions }) => interruptions.map(({ id }) => id.split('/').at(-2)))).toEqual([
    ['toolCall.1.0', 'toolCall.1.1', 'toolCall.1.2'], ['toolCall.1.0', 'toolCall.1.2'], ['toolCall.1.0'], [],
  ]);
  expect(runs[3]!.story.slice(3)).toEqual(['Desk: gets refund "refunded 1"', 'Desk: gets refund "refunded 2"', 'Desk: gets refund "Not this one."', 'Desk: says "All done."']);
});

test('D5: a pending approval beats a handoff of the same response; neither is lost, onHandoff runs after', async () => {
  const { runs, value } = await play(async (world) => {
    const log: string[] = [];
    const model = world.model(responds(calls('refund', { order: 7 }), calls('transfer_to_Other')), says('Other here.'));
    const other = new Agent({ name: 'Other', model });
    const paying = { ...refund, execute: async () => (log.push('refund'), 'ok') };
    const agent = new Agent({ name: 'Desk', model, tools: [paying], handoffs: [handoff(other, { onHandoff: () => void log.push('handoff') })] });
    const waiting = await world.run(agent, 'go');
    const before = [...log];
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    await world.run(agent, waiting.state);
    return { before, log };
  });
  expect(runs.map(({ outcome, lastAgent }) => [outcome, lastAgent])).toEqual([['waiting', 'Desk'], ['completed', 'Other']]);
  expect(value).toEqual({ before: [], log: ['refund', 'handoff'] });
});

test('D6: no resume without a decision runs the call, from the object or from its text, at any depth', async () => {
  const { value, runs } = await play(async (world) => {
    const pay = counted('pay', 'paid', { needsApproval: true });
    const inner = new Agent({ name: 'Clerk', model: world.model(calls('pay')), tools: [pay.tool] });
    const outer = new Agent({ name: 'Desk', model: world.model(calls(['Clerk', { input: 'pay' }], ['pay'])), tools: [inner.asTool({}), pay.tool] });
    let seen = await world.run(outer, 'go');
    seen = await world.run(outer, seen.state);
    seen = await world.run(outer, await RunState.fromString<undefined, Agent<any, any>>(outer, seen.state.toString()));
    return pay.runs;
  });
  expect(value).toBe(0);
  expect(runs.map(({ outcome, interruptions }) => [outcome, interruptions.length])).toEqual([['waiting', 2], ['waiting', 2], ['waiting', 2]]);
});

test('D6: approval of one call is none of another with the same tool', async () => {
  const { requests, runs } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 1 }), calls('refund', { order: 2 })), tools: [refund] });
    const waiting = await world.run(agent, 'go');
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    return world.run(agent, waiting.state);
  });
  expect(runs[1]!.interruptions.map(({ arguments: args }) => args)).toEqual(['{"order":2}']);
  expect(requests[1]!.input).toEqual(inputOf('go', asked('refund', { order: 1 }, 'call_1'), answered('call_1', 'refunded 1')));
});
