/** F5: an agent as a tool: a run of its own, whose approvals, usage, events and end belong to the run around it. */
import { Agent, RunState, Runner, tool, type AgentToolStreamEvent } from 'loopchart';
import { calls, fails, hangs, inputOf, repeat, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch, refund } from '../support/cast.ts';
import { play, type Seen, type World } from '../support/scenario.ts';

/** Outer calls Middle, Middle calls Inner, Inner pays back: each of them once. */
function threeDeep(world: World, before: Parameters<World['model']> = []) {
  const inner = new Agent({ name: 'Inner', model: world.model(...before, calls('refund', { order: 7 }), says('inner done')), tools: [refund] });
  const middle = new Agent({ name: 'Middle', model: world.model(calls('Inner', { input: 'to inner' }), says('middle done')), tools: [inner.asTool({})] });
  return new Agent({ name: 'Outer', model: world.model(calls('Middle', { input: 'to middle' }), says('outer done')), tools: [middle.asTool({})] });
}
const settled = ({ events }: Seen, path: string) => events.find((event) => event.type === 'run.settled' && event.path === path);

test('F5: the call is a nested run, its final output the result', async () => {
  const { seen, requests } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', instructions: 'Translate.', model: world.model(says('Hallo.')) });
    return world.run(new Agent({ name: 'Outer', model: world.model(calls('translate', { input: 'hello' }), says('It is Hallo.')), tools: [inner.asTool({ toolName: 'translate', toolDescription: 'Translates.' })] }), 'go');
  });
  expect(seen.story).toEqual(['Outer: calls translate {"input":"hello"}', 'Outer: gets translate "Hallo."', 'Outer: says "It is Hallo."']);
  expect(requests[1]).toMatchObject({ systemInstructions: 'Translate.', input: inputOf('hello') });
  expect(requests[0]!.tools).toEqual([expect.objectContaining({ type: 'function', name: 'translate', description: 'Translates.' })]);
});

test('F5: at any depth', async () => {
  const { seen } = await play(async (world) => {
    const waiting = await world.run(threeDeep(world), 'go');
    expect(waiting.outcome).toBe('waiting');
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    return world.run(waiting.state.currentAgent, waiting.state);
  });
  expect([seen.outcome, seen.finalOutput, seen.story]).toEqual(['completed', 'outer done', [
    'Outer: calls Middle {"input":"to middle"}', 'Outer: gets Middle "middle done"', 'Outer: says "outer done"',
  ]]);
});

test('D1, F5: an approval at depth three shows on the outer run, with its path', async () => {
  const { seen } = await play(async (world) => world.run(threeDeep(world), 'go'));
  expect(seen.interruptions).toEqual([{
    id: 'run_test/agent.1/turn.1/toolCall.1.0/run/agent.1/turn.1/toolCall.1.0/run/agent.1/turn.1/toolCall.1.0/approval#1',
    name: 'refund',
    arguments: '{"order":7}',
    path: ['run_test/agent.1/turn.1/toolCall.1.0', 'agent.1/turn.1/toolCall.1.0', 'agent.1/turn.1/toolCall.1.0'],
  }]);
});

test('D6, F5: rejected at depth three, the body does not run and the message reaches the model that asked', async () => {
  const { seen, requests } = await play(async (world) => {
    const waiting = await world.run(threeDeep(world), 'go');
    waiting.state.reject(waiting.state.getInterruptions()[0]!, { message: 'Not today.' });
    return world.run(waiting.state.currentAgent, waiting.state);
  });
  expect(seen.outcome).toBe('completed');
  expect(requests.find(({ input }) => JSON.stringify(input).includes('Not today.'))!.input.at(-1)).toMatchObject({ callId: 'call_1', output: { text: 'Not today.' } });
});

test('F5: a state that waits at depth three survives its text', async () => {
  const { seen, requests } = await play(async (world) => {
    const outer = threeDeep(world);
    const waiting = await world.run(outer, 'go');
    const state = await RunState.fromString<undefined, Agent<any, any>>(outer, waiting.state.toString());
    state.approve(state.getInterruptions()[0]!);
    return world.run(outer, state);
  });
  expect([seen.outcome, seen.finalOutput, requests.length]).toEqual(['completed', 'outer done', 6]);
});

test('D5, F5: two nested runs wait side by side; deciding one leaves the other waiting', async () => {
  const { runs } = await play(async (world) => {
    const desk = (name: string, order: number) => new Agent({ name, model: world.model(calls('refund', { order }), says(`${name} done`)), tools: [refund] });
    const outer = new Agent({ name: 'Outer', model: world.model(calls(['Left', { input: 'l' }], ['Right', { input: 'r' }]), says('Both.')), tools: [desk('Left', 1).asTool({}), desk('Right', 2).asTool({})] });
    const both = await world.run(outer, 'go');
    both.state.approve(both.state.getInterruptions()[1]!);
    const one = await world.run(outer, both.state);
    one.state.approve(one.state.getInterruptions()[0]!);
    return world.run(outer, one.state);
  });
  expect(runs.map(({ outcome, interruptions }) => [outcome, interruptions.map((call) => call.arguments)])).toEqual([
    ['waiting', ['{"order":1}', '{"order":2}']], ['waiting', ['{"order":1}']], ['completed', []],
  ]);
  expect(runs[2]!.story.slice(2, 4)).toEqual(['Outer: gets Left "Left done"', 'Outer: gets Right "Right done"']);
});

test('D1, F5: the tool of an agent may itself need approval, before anything nested is sent', async () => {
  const { runs, requests } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(says('inner done')) });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'x' }), says('Done.')), tools: [inner.asTool({ needsApproval: true })] });
    const waiting = await world.run(outer, 'go');
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    return world.run(outer, waiting.state);
  });
  expect(runs.map(({ outcome, usage }) => [outcome, usage.requests])).toEqual([['waiting', 1], ['completed', 3]]);
  expect(requests.length).toBe(3);
});

test('D2, F5: nested agents do not inherit a decision for always', async () => {
  const { runs } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(calls('refund', { order: 2 }), says('inner done')), tools: [refund] });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('refund', { order: 1 }), calls('Inner', { input: 'x' }), says('Done.')), tools: [refund, inner.asTool({})] });
    const first = await world.run(outer, 'go');
    first.state.approve(first.state.getInterruptions()[0]!, { alwaysApprove: true });
    return world.run(outer, first.state);
  });
  expect(runs.map(({ outcome, interruptions }) => [outcome, interruptions.map((call) => call.arguments)])).toEqual([['waiting', ['{"order":1}']], ['waiting', ['{"order":2}']]]);
});

test('A8, F5: usage of nested runs is usage of the run around', async () => {
  const { seen } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(says('inner', { usage: { inputTokens: 1000, outputTokens: 100 } })) });
    return world.run(new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'x' }), says('outer')), tools: [inner.asTool({})] }), 'go');
  });
  expect(seen.usage).toEqual({ requests: 3, inputTokens: 1020, outputTokens: 110, totalTokens: 1130 });
});

test('F5: context is shared; what a nested tool does to it is seen outside', async () => {
  const { value } = await play(async (world) => {
    const note = tool({ name: 'note', description: 'Notes.', parameters: z.object({}), execute: (_input, context) => { (context!.context as { notes: string[] }).notes.push('nested'); return 'noted'; } });
    const inner = new Agent({ name: 'Inner', model: world.model(calls('note'), says('inner')), tools: [note] });
    const context = { notes: [] as string[] };
    await world.run(new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'x' }), says('outer')), tools: [inner.asTool({})] }), 'go', { context });
    return context.notes;
  });
  expect(value).toEqual(['nested']);
});

test('F5: structured input is validated, and the builder makes the nested input of it', async () => {
  const { seen, requests } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(says('3 in Oslo')) });
    const outer = new Agent({
      name: 'Outer',
      model: world.model(calls('weather', { city: 7 }), calls('weather', { city: 'Oslo' }), says('Cold.')),
      tools: [inner.asTool({ toolName: 'weather', parameters: z.object({ city: z.string() }), inputBuilder: ({ params }) => [user(`Weather in ${params.city}?`)] })],
    });
    return world.run(outer, 'go');
  });
  expect(seen.outcome).toBe('completed');
  expect(requests[2]!.input).toEqual([user('Weather in Oslo?')]);
  expect(seen.story[1]).toMatch(/^Outer: gets weather "/);
});

test('F5: a structured agent answers with JSON; an extractor words the result', async () => {
  const { seen } = await play(async (world) => {
    const outputType = z.object({ city: z.string() });
    const inner = (name: string) => new Agent({ name, model: world.model(says('{"city":"Oslo"}')), outputType });
    const tools = [inner('Plain').asTool({}), inner('Worded').asTool({ customOutputExtractor: (result) => `It is ${result.finalOutput.city}, asked by ${result.agentToolInvocation.toolName}.` })];
    return world.run(new Agent({ name: 'Outer', model: world.model(calls(['Plain', { input: 'x' }], ['Worded', { input: 'x' }]), says('Done.')), tools }), 'go');
  });
  expect(seen.story.slice(2, 4)).toEqual(['Outer: gets Plain "{\\"city\\":\\"Oslo\\"}"', 'Outer: gets Worded "It is Oslo, asked by Worded."']);
});

test('F5: a nested failure is a tool result, and the run goes on', async () => {
  const { seen } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(fails({ status: 500, message: 'down' })) });
    return world.run(new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'x' }), says('It is down.')), tools: [inner.asTool({})] }), 'go');
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'It is down.']);
  expect(settled(seen, 'run_test/agent.1/turn.1/toolCall.1.0/run')).toMatchObject({ outcome: { status: 'failed', failure: { code: 'model', message: 'down' } } });
});

test('F5: unless told otherwise', async () => {
  const { seen } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(fails({ status: 500, message: 'down' })) });
    return world.run(new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'x' })), tools: [inner.asTool({ failureAsResult: false })] }), 'go');
  });
  expect([seen.outcome, seen.error?.name, seen.error?.message]).toEqual(['failed', 'ToolCallError', expect.stringContaining('down')]);
});

test('B1, F5: a nested run out of turns is a tool result', async () => {
  const { seen } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(repeat(3, calls('tick'))), tools: [counted('tick').tool] });
    return world.run(new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'x' }), says('Too long.')), tools: [inner.asTool({ runOptions: { maxTurns: 2 } })] }), 'go');
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Too long.']);
  expect(settled(seen, 'run_test/agent.1/turn.1/toolCall.1.0/run')).toMatchObject({ outcome: { failure: { code: 'maxTurns' }, turns: 2 } });
});

test('E1, F5: guardrails of a nested agent look at what it is told', async () => {
  const { seen, value } = await play(async (world) => {
    let shown: unknown;
    const inner = new Agent({ name: 'Inner', model: world.model(says('never read')), inputGuardrails: [{ name: 'no', runInParallel: false, execute: async ({ input }) => { shown = input; return { tripwireTriggered: true, outputInfo: null }; } }] });
    await world.run(new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'forbidden' }), says('Not allowed.')), tools: [inner.asTool({})] }), 'go');
    return shown;
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Not allowed.']);
  expect(JSON.stringify(value)).toContain('forbidden');
});

test('F5, J2: an interrupt reaches a model call at depth three, and everything on the way ends', async () => {
  const { seen, value } = await play(async (world) => {
    const outer = threeDeep(world, [hangs()]);
    const going = world.begin(outer, 'go');
    await going.until((event) => event.type === 'turn.started' && event.path.split('/run/').length === 3);
    await world.clock.settle();
    going.interrupt();
    const { events } = await going.settled;
    return events.filter(({ type }) => type === 'run.settled').map((event) => [event.path.split('/run').length, event.type === 'run.settled' && event.outcome.status]);
  });
  expect([seen.outcome, seen.story[1]]).toEqual(['interrupted', 'Outer: gets Middle "aborted by user after 0.0s"']);
  expect(value).toEqual([[3, 'interrupted'], [2, 'interrupted'], [1, 'interrupted']]);
});

test('F5, J2: interrupted while a call at depth three waits, the request is withdrawn', async () => {
  const { seen } = await play(async (world) => {
    const forever = latch();
    const tick = counted('tick', () => forever.promise);
    const inner = new Agent({ name: 'Inner', model: world.model(calls('refund', { order: 7 })), tools: [refund] });
    const middle = new Agent({ name: 'Middle', model: world.model(calls('Inner', { input: 'i' })), tools: [inner.asTool({})] });
    const outer = new Agent({ name: 'Outer', model: world.model(calls(['Middle', { input: 'm' }], ['tick', {}])), tools: [middle.asTool({}), tick.tool] });
    const going = world.begin(outer, 'go');
    await going.until('approval.requested');
    going.interrupt();
    await world.clock.runAll();
    return going.settled;
  });
  expect([seen.outcome, seen.interruptions]).toEqual(['interrupted', []]);
  expect(seen.events.find(({ type }) => type === 'approval.resolved')).toMatchObject({ decision: 'withdrawn' });
});

test('F5, J1: a soft stop lets the nested run finish', async () => {
  const { seen } = await play(async (world) => {
    const atWork = latch();
    const inner = new Agent({ name: 'Inner', model: world.model(calls('tick'), says('inner done')), tools: [counted('tick', () => atWork.promise.then(() => 'done')).tool] });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'i' })), tools: [inner.asTool({})] });
    const going = world.begin(outer, 'go');
    await going.until((event) => event.type === 'tool.started' && event.path.includes('/run/'));
    going.softStop();
    atWork.open();
    return going.settled;
  });
  expect([seen.outcome, seen.story]).toEqual(['stopped', ['Outer: calls Inner {"input":"i"}', 'Outer: gets Inner "inner done"']]);
});

test('F5, I1: lifecycle events of the nested run stand within those of its call', async () => {
  const { seen } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(says('inner')) });
    return world.run(new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'i' }), says('outer')), tools: [inner.asTool({})] }), 'go');
  });
  const depth = (path: string) => path.split('/run').length;
  expect(seen.events.map(({ type, path }) => `${'  '.repeat(depth(path) - 1)}${type}`)).toEqual([
    'run.started', 'agent.started', 'turn.started', 'item.started', 'tool.started',
    '  run.started', '  agent.started', '  turn.started', '  item.started', '  item.completed', '  turn.settled', '  run.settled',
    'item.completed', 'turn.settled', 'turn.started', 'item.started', 'item.completed', 'turn.settled', 'run.settled',
  ]);
});

test('F5: onStream hears the events of the nested run, whether or not the outer run streams', async () => {
  const { value } = await play(async (world) => {
    const heard: string[] = [];
    const onStream = ({ event, agent, toolCall }: AgentToolStreamEvent<any>) => {
      if (event.type === 'run_item_stream_event') heard.push(`${agent.name} for ${toolCall?.name}: ${event.name}`);
    };
    const inner = new Agent({ name: 'Inner', model: world.model(calls('tick'), says('inner')), tools: [counted('tick').tool] });
    await world.run(new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'i' }), says('outer')), tools: [inner.asTool({ onStream })] }), 'go');
    return heard;
  });
  expect(value).toEqual(['Inner for Inner: tool_called', 'Inner for Inner: tool_output', 'Inner for Inner: message_output_created']);
});

test('F5: the nested run has the runner of the outer one, unless its tool brings a configuration', async () => {
  const { requests } = await play(async (world) => {
    const inner = (name: string) => new Agent({ name, model: world.model(says(name)) });
    const tools = [inner('Heir').asTool({}), inner('Own').asTool({ runConfig: { modelSettings: { temperature: 0.9 } } })];
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Heir', { input: 'i' }), calls('Own', { input: 'i' }), says('Done.')), tools });
    return world.run(outer, 'go', { runner: new Runner({ modelSettings: { temperature: 0.1 } }) });
  });
  expect(requests.map(({ modelSettings }) => modelSettings.temperature)).toEqual([0.1, 0.1, 0.1, 0.9, 0.1]);
});

test('F5: a nested agent may hand off within its own run', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls('transfer_to_Second'), says('second'));
    const inner = new Agent({ name: 'First', model, handoffs: [new Agent({ name: 'Second', model })] });
    return world.run(new Agent({ name: 'Outer', model: world.model(calls('First', { input: 'i' }), says('outer')), tools: [inner.asTool({})] }), 'go');
  });
  expect([seen.lastAgent, seen.story[1]]).toEqual(['Outer', 'Outer: gets First "second"']);
});

test('F5, K5: when the outer run fails after a nested one has finished, going on does not run it again', async () => {
  const { runs, requests } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(says('inner')) });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'i' }), fails({ status: 500 }), says('outer')), tools: [inner.asTool({})] });
    return world.run(outer, (await world.run(outer, 'go')).state);
  });
  expect([runs.map(({ outcome }) => outcome), requests.length]).toEqual([['failed', 'completed'], 4]);
});
