/** D9: a body finds out that a person has to agree first: it has done nothing, waits, and runs again as another execution. */
import { Agent, type AgentInputItem, RunContext, RunState, RunToolApprovalItem, type ToolApproval, type ToolCallDetails, type ToolOptions, UserError, approvalNeeded, tool } from 'loopchart';
import { answered, asked, calls, inputOf, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { MAY_HAVE_COMPLETED, latch } from '../support/cast.ts';
import { brief, mortal } from '../support/mortal.ts';
import { type Seen, type World, play } from '../support/scenario.ts';

type Options = Partial<ToolOptions<z.ZodObject<{ price: z.ZodNumber }>>>;
interface Execution { effectId: string | undefined; key: string | undefined; price: number; approval: ToolApproval | undefined; ofContext: ToolApproval | undefined }

/** Buys what costs at most 100; of anything else it says what it costs before it is told to go on, once or several times. */
function shop(options: Options = {}, asks = 1) {
  const executions: Execution[] = [];
  const buy = tool({
    name: 'buy', description: 'Buys.', parameters: z.object({ price: z.number() }), ...options,
    execute: (input, runContext, details?: ToolCallDetails) => {
      const { price } = input as { price: number }; // as its parameters say
      const { approval } = details ?? {};
      executions.push({ effectId: details?.effectId?.split('/').at(-1), key: details?.idempotencyKey?.split('/').at(-1), price, approval, ofContext: runContext?.approval });
      const said = approval ? approval.reason.split('really ').length : 0;
      if (price > 100 && said < asks) throw approvalNeeded(`it ${'really '.repeat(said)}costs ${price}`);
      return `bought for ${price}`;
    },
  } as ToolOptions<z.ZodObject<{ price: z.ZodNumber }>>);
  return { buy, executions };
}
const desk = (world: World, buy: ReturnType<typeof shop>['buy'], ...steps: Parameters<World['model']>) => new Agent({ name: 'Desk', model: world.model(...steps), tools: [buy] });
const onlyOne = (state: RunState<any, any>) => state.getInterruptions()[0]!;
const requestsIn = ({ events }: Seen) => events.flatMap((event) => (event.type === 'approval.requested' ? [[event.id.split('/').at(-1), event.reason]] : event.type === 'approval.resolved' ? [[event.id.split('/').at(-1), event.decision]] : []));
const complaintOf = (attempt: () => void): unknown => {
  try {
    attempt();
    return 'accepted';
  } catch (error) {
    return error;
  }
};

test('D9: the call waits with the reason; approved, the body runs again as #2 and knows what was said', async () => {
  const { runs, requests, value } = await play(async (world) => {
    const { buy, executions } = shop();
    const agent = desk(world, buy, calls('buy', { price: 500 }), says('Done.'));
    const waiting = await world.run(agent, 'go');
    const item = onlyOne(waiting.state);
    waiting.state.approve(item, { reason: 'It is for the office.' });
    await world.run(agent, waiting.state);
    return { reason: item.reason, id: item.id.split('/').at(-1), executions };
  });
  const approval = { reason: 'it costs 500', comment: 'It is for the office.' };
  expect(value).toEqual({
    reason: 'it costs 500',
    id: 'approval#2',
    executions: [
      { effectId: 'execute#1', key: 'execute', price: 500, approval: undefined, ofContext: undefined },
      { effectId: 'execute#2', key: 'execute', price: 500, approval, ofContext: approval },
    ],
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['waiting', 'completed']);
  expect(requests[1]!.input).toEqual(inputOf('go', asked('buy', { price: 500 }, 'call_1'), answered('call_1', 'bought for 500')));
  expect(requestsIn(runs[1]!)).toEqual([['approval#2', 'it costs 500'], ['approval#2', 'approve']]);
});

test('D9: rejected, the model reads so, and the body does not run again', async () => {
  const { requests, value } = await play(async (world) => {
    const { buy, executions } = shop();
    const agent = desk(world, buy, calls('buy', { price: 500 }), says('I see.'));
    const { state } = await world.run(agent, 'go');
    state.reject(onlyOne(state), { message: 'Too much.' });
    await world.run(agent, state);
    return executions.length;
  });
  expect([value, requests[1]!.input.at(-1)]).toEqual([1, answered('call_1', 'Too much.', 'buy')]);
});

test('D9: a body may ask again, and each time is decided by itself', async () => {
  const { runs, value } = await play(async (world) => {
    const { buy, executions } = shop({}, 2);
    const agent = desk(world, buy, calls('buy', { price: 500 }), says('Done.'));
    let seen = await world.run(agent, 'go');
    for (let nth = 0; nth < 2; nth += 1) {
      seen.state.approve(onlyOne(seen.state));
      seen = await world.run(agent, seen.state);
    }
    return executions.map(({ effectId }) => effectId);
  });
  expect(value).toEqual(['execute#1', 'execute#2', 'execute#3']);
  expect(runs.map(({ interruptions }) => interruptions.map(({ id }) => id.split('/').at(-1)))).toEqual([['approval#2'], ['approval#3'], []]);
});

test('D9, D2: approved with other arguments, they are checked, guarded, carried out and told to the body', async () => {
  const { value, requests } = await play(async (world) => {
    const guarded: string[] = [];
    const { buy, executions } = shop({ inputGuardrails: [{ name: 'look', run: async ({ toolCall }) => (guarded.push(toolCall.arguments), { behavior: { type: 'allow' } }) }] });
    const agent = desk(world, buy, calls('buy', { price: 500 }), says('Done.'));
    const { state } = await world.run(agent, 'go');
    state.approve(onlyOne(state), { arguments: { price: 90 } });
    await world.run(agent, state);
    return { guarded, last: executions.at(-1) };
  });
  const approval = { reason: 'it costs 500', approvedArguments: '{"price":90}' };
  expect(value).toEqual({ guarded: ['{"price":500}', '{"price":90}'], last: { effectId: 'execute#2', key: 'execute', price: 90, approval, ofContext: approval } });
  expect(requests[1]!.input.at(-1)).toEqual(answered('call_1', 'bought for 90\n\nA person changed the arguments of this call before it ran: {"price":90}', 'buy'));
});

test('D9: a tool that is approved beforehand may still ask: neither that approval nor always nor a policy answers it', async () => {
  const { runs, value } = await play(async (world) => {
    const { buy, executions } = shop({ needsApproval: true });
    const agent = desk(world, buy, calls('buy', { price: 500 }), calls('buy', { price: 600 }), says('Done.'));
    const approvalPolicy = { rules: [{ tool: 'other', decision: 'allow' as const }] };
    let seen = await world.run(agent, 'go', { approvalPolicy });
    seen.state.approve(onlyOne(seen.state), { alwaysApprove: true });
    seen = await world.run(agent, seen.state, { approvalPolicy: { rules: [{ tool: 'buy', decision: 'allow' }] } });
    const complaints = [complaintOf(() => seen.state.approve(onlyOne(seen.state), { alwaysApprove: true })), complaintOf(() => seen.state.reject(onlyOne(seen.state), { alwaysReject: true }))];
    const ids: string[] = [];
    while (seen.interruptions.length > 0) {
      ids.push(onlyOne(seen.state).id.split('/').slice(-3).join('/'));
      seen.state.approve(onlyOne(seen.state));
      seen = await world.run(agent, seen.state, { approvalPolicy });
    }
    return { ids, runs: executions.length, complaints: complaints.map((error) => error instanceof UserError && error.message.endsWith('asks about this one time (it costs 500): decide without always.')) };
  });
  expect(runs[0]!.interruptions.map(({ id }) => id.split('/').at(-1))).toEqual(['approval#1']);
  expect(value).toEqual({ ids: ['turn.1/toolCall.1.0/approval#2', 'turn.2/toolCall.1.0/approval#2'], runs: 4, complaints: [true, true] });
});

test('D9, D4: what a body may yet ask cannot be approved before it asks', async () => {
  const { value } = await play(async (world) => {
    const held = latch();
    const slow = tool({ name: 'slow', description: 'Slow.', parameters: z.object({}), execute: async () => (await held.promise, Promise.reject(approvalNeeded('now I know'))) });
    const agent = new Agent({ name: 'Desk', model: world.model(calls('slow')), tools: [slow] });
    const going = world.begin(agent, 'go');
    const started = await going.until('tool.started') as { id: string; call: { item: AgentInputItem } };
    const state = await going.state;
    const early = new RunToolApprovalItem(started.call.item as never, agent, undefined, { id: `${started.id}/approval#2` });
    const refused = complaintOf(() => state.approve(early)) instanceof UserError;
    held.open();
    const seen = await going.settled;
    return { refused, waits: seen.interruptions.length };
  }, { only: 'streamed' });
  expect(value).toEqual({ refused: true, waits: 1 });
});

test('D9, J2: interrupted while it waits, a harmful call is known to have done nothing', async () => {
  const { seen } = await play(async (world) => {
    const { buy } = shop();
    const stuck = tool({ name: 'stuck', description: 'Stuck.', parameters: z.object({}), effect: 'pure', execute: () => new Promise<never>(() => undefined) });
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['buy', { price: 500 }], ['stuck'])), tools: [buy, stuck] });
    const going = world.begin(agent, 'go', { interruptNotice: false });
    await going.until('approval.requested');
    going.interrupt();
    await world.clock.runAll();
    return going.settled;
  });
  expect(seen.story.slice(2)).toEqual(['Desk: gets buy "aborted by user after 0.0s"', 'Desk: gets stuck "aborted by user after 0.0s"']);
  expect(requestsIn(seen)).toEqual([['approval#2', 'it costs 500'], ['approval#2', 'withdrawn']]);
});

test('D9: hooks hear of every execution, with its beginning and its end', async () => {
  const { value } = await play(async (world) => {
    const heard: string[] = [];
    const { buy } = shop();
    const agent = desk(world, buy, calls('buy', { price: 500 }), says('Done.'));
    agent.on('agent_tool_start', (_context, _tool, { effectId }) => void heard.push(`start ${effectId?.split('/').at(-1)}`));
    agent.on('agent_tool_end', (_context, _tool, result, { effectId }) => void heard.push(`end ${effectId?.split('/').at(-1)}: ${result}`));
    const { state } = await world.run(agent, 'go');
    state.approve(onlyOne(state));
    await world.run(agent, state);
    return heard;
  });
  expect(value).toEqual(['start execute#1', 'end execute#1: ApprovalNeeded: Approval is needed: it costs 500', 'start execute#2', 'end execute#2: bought for 500']);
});

test('D9: outside of a run the request is an error like any other of its caller', async () => {
  const { buy } = shop();
  await expect(buy.invoke(new RunContext(), '{"price":500}')).rejects.toMatchObject({ name: 'ApprovalNeeded', reason: 'it costs 500' });
  expect(() => approvalNeeded(' ')).toThrow(UserError);
});

const DEATHS = [
  ['before effect.started', 'effect.started toolCall.1.0/execute#1', 'before', ['approval#2'], ['execute#1', 'execute#2']],
  ['after effect.started', 'effect.started toolCall.1.0/execute#1', 'after', ['uncertain#1', 'approval#2'], ['execute#2', 'execute#3']],
  ['before the request is written', 'effect.done toolCall.1.0/execute#1', 'before', ['uncertain#1', 'approval#2'], ['execute#1', 'execute#2', 'execute#3']],
  ['after the request is written', 'effect.done toolCall.1.0/execute#1', 'after', ['approval#2'], ['execute#1', 'execute#2']],
  ['after the approval is written', 'decide toolCall.1.0/approval#2', 'after', [], ['execute#1', 'execute#2']],
  ['after the second beginning is written', 'effect.started toolCall.1.0/execute#2', 'after', ['uncertain#2'], ['execute#1', 'execute#3']],
  ['before the result is written', 'effect.done toolCall.1.0/execute#2', 'before', ['uncertain#2'], ['execute#1', 'execute#2', 'execute#3']],
] as const;

for (const [when, written, moment, waits, bodies] of DEATHS) {
  test(`D9, O1, O3: the process dies ${when}: what is not known is asked about`, async () => {
    const { value, runs } = await play(async (world) => {
      const { buy, executions } = shop();
      const agent = desk(world, buy, calls('buy', { price: 500 }), says('Done.'));
      const first = mortal((entry) => ('id' in entry && `${entry.type} ${entry.id.split('/').slice(-2).join('/')}` === written ? moment : undefined));
      const going = world.begin(agent, 'go', { journal: first.journal });
      const waiting = await Promise.race([going.settled, first.dead]);
      if (waiting) {
        waiting.state.approve(onlyOne(waiting.state));
        world.begin(agent, waiting.state, { journal: first.journal });
        await first.dead;
      }
      const journal = first.left('run_test');
      let seen = await world.resume('run_test', { journal, agents: agent });
      const asks: string[] = [];
      while (seen.interruptions.length > 0) {
        asks.push(onlyOne(seen.state).id.split('/').at(-1)!);
        seen.state.approve(onlyOne(seen.state));
        seen = await world.run(agent, seen.state, { journal });
      }
      return { asks, bodies: executions.map(({ effectId }) => effectId), approved: executions.filter(({ approval }) => approval).length > 0, entries: brief(journal, 'run_test').length > 0 };
    });
    expect(runs.at(-1)!.finalOutput).toBe('Done.');
    expect(value).toMatchObject({ asks: waits, bodies, entries: true });
  });
}

test('D9, C8: a body that asks when it is too late for it, because it was left behind, brings nothing', async () => {
  const { seen } = await play(async (world) => {
    const late = latch();
    const slow = tool({ name: 'slow', description: 'Slow.', parameters: z.object({}), execute: async () => (await late.promise, Promise.reject(approvalNeeded('too late'))) });
    const going = world.begin(new Agent({ name: 'Desk', model: world.model(calls('slow')), tools: [slow] }), 'go', { interruptNotice: false });
    await going.until('tool.started');
    going.interrupt();
    await world.clock.runAll();
    const seen = await going.settled;
    late.open();
    await world.clock.settle();
    return seen;
  });
  expect(seen.story[1]).toBe(`Desk: gets slow "aborted by user after 0.0s. ${MAY_HAVE_COMPLETED}"`);
  expect(seen.events.some(({ type }) => type === 'tool.late' || type === 'approval.requested')).toBe(false);
});
