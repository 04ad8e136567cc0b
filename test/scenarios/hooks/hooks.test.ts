/** H1–H3: hooks of runner and agent, their order, and that none is called twice. */
import { Agent, MemorySession, RunState, Runner, handoff, tool } from 'loopchart';
import { calls, fails, inputOf, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted } from '../support/cast.ts';
import { type World, play } from '../support/scenario.ts';

const EVENTS = ['agent_start', 'agent_end', 'agent_handoff', 'agent_tool_start', 'agent_tool_end', 'agent_llm_start', 'agent_llm_end', 'agent_turn_start', 'agent_turn_end', 'agent_error'] as const;
type Emitter = { on(event: (typeof EVENTS)[number], listener: (...args: any[]) => unknown): unknown }; // agents and runners have the same events with other arguments

/** Every hook, asynchronous: that they are awaited shows in the order. */
function listen(emitter: Emitter, log: string[], who = ''): void {
  for (const event of EVENTS) emitter.on(event, async () => {
    await Promise.resolve();
    log.push(`${who}${event.replace('agent_', '')}`);
  });
}

test('H2: hooks, guardrails and saves come in the order of the rule', async () => {
  const { value } = await play(async (world) => {
    const log: string[] = [];
    const session = new MemorySession();
    const { addItems } = session;
    session.addItems = (items) => (log.push('save'), addItems.call(session, items));
    const agent = new Agent({
      name: 'Desk', model: world.model(calls('tick'), says('Done.')), tools: [counted('tick', () => (log.push('body'), '')).tool],
      inputGuardrails: [{ name: 'in', runInParallel: false, execute: async () => (log.push('input guardrail'), { tripwireTriggered: false, outputInfo: null }) }],
      outputGuardrails: [{ name: 'out', execute: async () => (log.push('output guardrail'), { tripwireTriggered: false, outputInfo: null }) }],
    });
    listen(agent as Emitter, log);
    await world.run(agent, 'go', { session });
    return log;
  });
  expect(value).toEqual([
    'input guardrail', 'start', 'turn_start', 'llm_start', 'llm_end', 'tool_start', 'body', 'tool_end', 'turn_end', 'save',
    'turn_start', 'llm_start', 'llm_end', 'turn_end', 'output guardrail', 'save', 'end',
  ]);
});

test('H1: runner and agent both hear; the agent first', async () => {
  const { value } = await play(async (world) => {
    const log: string[] = [];
    const runner = new Runner();
    const agent = new Agent({ name: 'Desk', model: world.model(calls('tick'), says('Done.')), tools: [counted('tick').tool] });
    listen(agent as Emitter, log, 'agent ');
    listen(runner as unknown as Emitter, log, 'runner ');
    await world.run(agent, 'go', { runner });
    return log;
  });
  const heard = ['start', 'turn_start', 'llm_start', 'llm_end', 'tool_start', 'tool_end', 'turn_end', 'turn_start', 'llm_start', 'llm_end', 'turn_end', 'end'];
  expect(value).toEqual(heard.flatMap((event) => [`agent ${event}`, `runner ${event}`]));
});

test('H1: what each hook is given', async () => {
  const { value } = await play(async (world) => {
    const given: Record<string, unknown> = {};
    const agent = new Agent({ name: 'Desk', instructions: 'Be brief.', model: world.model(calls('tick', {}), says('Done.')), tools: [counted('tick').tool] });
    agent.on('agent_start', (context, self, input) => void (given['start'] = [context.context, self.name, input]));
    agent.on('agent_turn_start', (_, turn) => void (given['turns'] = [...((given['turns'] as number[]) ?? []), turn]));
    agent.on('agent_llm_start', (_, request) => void (given['llmStart'] ??= [request.systemInstructions, request.input]));
    agent.on('agent_llm_end', (_, response) => void (given['llmEnd'] ??= response.output.map(({ type }) => type)));
    agent.on('agent_tool_start', (_, used, { toolCall }) => void (given['toolStart'] = [used.name, 'callId' in toolCall && toolCall.callId]));
    agent.on('agent_tool_end', (_, used, result) => void (given['toolEnd'] = [used.name, result]));
    agent.on('agent_end', (_, output) => void (given['end'] = output));
    await world.run(agent, 'go', { context: { user: 'u1' }, callModelInputFilter: ({ modelData }) => ({ ...modelData, instructions: 'Be briefer.' }) });
    return given;
  });
  expect(value).toEqual({
    start: [{ user: 'u1' }, 'Desk', inputOf('go')], turns: [1, 2], llmStart: ['Be briefer.', inputOf('go')], llmEnd: ['function_call'],
    toolStart: ['tick', 'call_1'], toolEnd: ['tick', 'done'], end: 'Done.',
  });
});

test('H1: handoffs are heard by the source and the runner; agentStart comes once per activation', async () => {
  const { value } = await play(async (world) => {
    const log: string[] = [];
    const model = world.model(calls('transfer_to_Second'), calls('tick'), says('Done.'));
    const second = new Agent({ name: 'Second', model, tools: [counted('tick').tool] });
    const first = new Agent({ name: 'First', model, handoffs: [handoff(second, { onHandoff: () => void log.push('onHandoff') })] });
    const runner = new Runner();
    for (const agent of [first, second]) agent.on('agent_start', () => void log.push(`${agent.name} starts`));
    first.on('agent_handoff', (_, next) => void log.push(`First hands off to ${next.name}`));
    runner.on('agent_handoff', (_, from, to) => void log.push(`${from.name} to ${to.name}`));
    await world.run(first, 'go', { runner });
    return log;
  });
  expect(value).toEqual(['First starts', 'onHandoff', 'First hands off to Second', 'First to Second', 'Second starts']);
});

test('H1: the error hook hears what the run fails with', async () => {
  const { value } = await play(async (world) => {
    const heard: unknown[] = [];
    const agent = new Agent({ name: 'Desk', model: world.model(fails({ status: 400 })) });
    agent.on('agent_error', (_, error) => void heard.push(error));
    const { thrown } = await world.run(agent, 'go');
    return heard.map((error) => error === thrown);
  });
  expect(value).toEqual([true]);
});

const THROWING = EVENTS.filter((event) => event !== 'agent_error');
test.each(THROWING)('H1: %s that throws fails the run with its own error', async (event) => {
  const { seen, value } = await play(async (world) => {
    const boom = new Error('hook');
    const model = world.model(calls('tick'), calls('transfer_to_Other'), says('Done.'));
    const other = new Agent({ name: 'Other', model });
    const agent = new Agent({ name: 'Desk', model, tools: [counted('tick').tool], handoffs: [other] });
    (event === 'agent_end' ? other : agent as unknown as Emitter & typeof other).on(event as 'agent_end', async () => { throw boom; });
    const { thrown } = await world.run(agent, 'go');
    return thrown === boom;
  });
  expect([seen.outcome, value]).toEqual(['failed', true]);
});

test('H1: an error hook that throws changes nothing about the failure', async () => {
  const { seen } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(fails({ status: 400, message: 'refused' })) });
    agent.on('agent_error', () => { throw new Error('hook'); });
    return world.run(agent, 'go');
  });
  expect(seen.error).toEqual({ name: 'ScriptedModelError', message: 'refused' });
});

test('H3: on resume, hooks of effects that are recorded are not called again', async () => {
  const { value } = await play(async (world: World) => {
    const log: string[] = [];
    const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), needsApproval: true, execute: () => 'paid' });
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['pay'], ['tick']), says('Done.')), tools: [pay, counted('tick').tool] });
    listen(agent as Emitter, log);
    const { state } = await world.run(agent, 'go');
    const before = log.splice(0);
    const again = await RunState.fromString<undefined, Agent<any, any>>(agent, state.toString());
    again.approve(again.getInterruptions()[0]!);
    await world.run(agent, again);
    return { before, after: log };
  });
  expect(value).toEqual({
    before: ['start', 'turn_start', 'llm_start', 'llm_end', 'tool_start', 'tool_end'],
    after: ['tool_start', 'tool_end', 'turn_end', 'turn_start', 'llm_start', 'llm_end', 'turn_end', 'end'],
  });
});
