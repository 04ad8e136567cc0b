/** I1–I4: what watchers are told, in which order, and that every stream comes to its end. */
import { Agent, MemorySession, type Model, RunState, type RunEvent, type RunStreamEvent, run } from 'loopchart';
import { calls, hangs, responds, says, scriptedModel, thinks, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { type Seen, play } from '../support/scenario.ts';

/** @example 'run_item_stream_event tool_called' */
const told = (event: RunStreamEvent): string => {
  if (event.type === 'raw_model_stream_event') return `raw ${event.data.type}`;
  return event.type === 'agent_updated_stream_event' ? `agent ${event.agent.name}` : event.name;
};
const types = ({ events }: Seen) => events.map(({ type }) => type);

test("I1, I3: the Agents SDK's events, the starting agent first; raw events at once, a call before its tool runs", async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(responds(thinks('Hm.'), says('One moment.'), calls('tick')), calls('transfer_to_Last'), says('Done.'));
    const last = new Agent({ name: 'Last', model });
    return world.run(new Agent({ name: 'First', model, tools: [counted('tick').tool], handoffs: [last] }), 'go');
  }, { only: 'streamed' });
  expect(seen.stream.map(told)).toEqual([
    'agent First',
    'raw response_started', 'raw model', 'raw output_text_delta', 'raw output_text_delta', 'raw model', 'raw model', 'raw response_done',
    'reasoning_item_created', 'message_output_created', 'tool_called', 'tool_output',
    'raw response_started', 'raw model', 'raw response_done', 'handoff_requested', 'handoff_occurred', 'agent Last',
    'raw response_started', 'raw output_text_delta', 'raw model', 'raw response_done', 'message_output_created',
  ]);
});

test('I3: a raw event is forwarded before the next one comes', async () => {
  const { value } = await play(async (world) => {
    const going = world.begin(new Agent({ name: 'Slow', model: world.model(hangs(2, says('one two'))) }), 'go');
    await world.clock.settle();
    const before = going.stream.map(told);
    going.interrupt();
    await going.settled;
    return before;
  }, { only: 'streamed' });
  expect(value).toEqual(['agent Slow', 'raw response_started', 'raw output_text_delta']);
});

test('I1: lifecycle events have a number, a time of the journal and a cause', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Desk', model: world.model(calls('tick'), says('Done.')), tools: [counted('tick').tool] }), 'go'));
  expect(seen.events.map(({ number, type, cause }) => [number, type, cause])).toEqual([
    [1, 'run.started', 'run.start'], [2, 'agent.started', 'run.start'], [3, 'turn.started', 'run.start'],
    [4, 'item.started', 'run_test/agent.1/turn.1/model#1'], [5, 'tool.started', 'run_test/agent.1/turn.1/model#1'],
    [6, 'item.completed', 'run_test/agent.1/turn.1/toolCall.1.0/execute#1'], [7, 'turn.settled', 'run_test/agent.1/turn.1/toolCall.1.0/execute#1'],
    [8, 'turn.started', 'run_test/agent.1/turn.1/toolCall.1.0/execute#1'],
    [9, 'item.started', 'run_test/agent.1/turn.2/model#1'], [10, 'item.completed', 'run_test/agent.1/turn.2/model#1'],
    [11, 'turn.settled', 'run_test/agent.1/turn.2/model#1'], [12, 'run.settled', 'run_test/agent.1/turn.2/model#1'],
  ]);
  expect(new Set(seen.events.map(({ at }) => at))).toEqual(new Set([Date.UTC(2026, 0, 1)]));
});

test('I1: turn.settled says what comes next and which guard decided it', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Desk', model: world.model(calls('tick'), says('Done.')), tools: [counted('tick').tool] }), 'go'));
  expect(seen.events.flatMap((event) => (event.type === 'turn.settled' ? [[event.next, event.guard]] : []))).toEqual([['again', 'callsNeedAnswer'], ['final', 'isFinalOutput']]);
});

test('I1: deltas are numbered n.k under their turn', async () => {
  const { value } = await play(async (world) => {
    const deltas: RunEvent[] = [];
    await world.run(new Agent({ name: 'Desk', model: world.model(says('one two three')) }), 'go', { onEvent: (event) => void (event.type === 'delta' && deltas.push(event)) });
    return deltas.map(({ number }) => number);
  }, { only: 'streamed' });
  expect(value).toEqual(['3.1', '3.2', '3.3', '3.4', '3.5', '3.6']);
});

test('I1: a run that is resumed from its text tells the same events with the same numbers, and goes on from there', async () => {
  const { runs, value } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['refund', { order: 7 }], ['tick']), says('Done.')), tools: [refund, counted('tick').tool] });
    const { state, events } = await world.run(agent, 'go');
    const again = await RunState.fromString<undefined, Agent<any, any>>(agent, state.toString());
    again.approve(again.getInterruptions()[0]!);
    const resumed = await world.run(agent, again);
    return resumed.events.slice(0, events.length).map(({ number, type, at, cause }) => [number, type, at, cause].join()).join() === events.map(({ number, type, at, cause }) => [number, type, at, cause].join()).join();
  });
  expect(value).toBe(true);
  expect(types(runs[1]!).slice(runs[0]!.events.length)).toEqual([
    'approval.resolved', 'run.resumed', 'tool.started', 'item.completed', 'turn.settled', 'turn.started', 'item.started', 'item.completed', 'turn.settled', 'run.settled',
  ]);
});

test('I1: events of nested runs are told with their paths, and stay out of the stream of the run around them', async () => {
  const { seen } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(says('inner')) });
    return world.run(new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'hi' }), says('Done.')), tools: [inner.asTool({})] }), 'go');
  }, { only: 'streamed' });
  expect(seen.events.filter(({ path }) => path.includes('/run')).map(({ type }) => type)).toEqual([
    'run.started', 'agent.started', 'turn.started', 'item.started', 'item.completed', 'turn.settled', 'run.settled',
  ]);
  expect(seen.stream.map(told).filter((line) => line.startsWith('agent '))).toEqual(['agent Outer']);
});

test('I2: a stream ends, with the error, when the session cannot be loaded, a preparation throws or a save fails', async () => {
  const broken = (method: 'getItems' | 'addItems') => Object.assign(new MemorySession(), { [method]: () => Promise.reject(new Error(`${method} failed`)) });
  for (const [options, instructions, message] of [
    [{ session: broken('getItems') }, '', 'getItems failed'],
    [{}, () => { throw new Error('no instructions'); }, 'no instructions'],
    [{ session: broken('addItems') }, '', 'addItems failed'],
  ] as const) {
    const { seen } = await play(async (world) => world.run(new Agent({ name: 'Desk', instructions, model: world.model(...(message === 'addItems failed' ? [says('Done.')] : [])) }), 'go', options));
    expect([seen.outcome, seen.error?.message, seen.events.at(-1)!.type]).toEqual(['failed', message, 'run.settled']);
  }
});

test('I2: what a model sends after its time was up, deaf to its signal, is not heard', async () => {
  const clock = virtualClock();
  const late = latch();
  const deaf: Model = {
    getResponse: () => Promise.reject(new Error('This test streams.')),
    async *getStreamedResponse() {
      yield { type: 'output_text_delta', delta: 'in time' };
      await late.promise;
      yield { type: 'output_text_delta', delta: 'too late' };
    },
  };
  const heard: string[] = [];
  const agent = new Agent({ name: 'Desk', model: deaf, modelSettings: { timeoutMs: 1_000 } });
  const stream = await run(agent, 'go', { stream: true, clock, onEvent: (event) => void heard.push(event.type === 'delta' && event.data.type === 'output_text_delta' ? event.data.delta : event.type) });
  await clock.advance(1_000);
  await stream.completed.catch(() => undefined);
  late.open();
  await clock.settle();
  expect(heard).toEqual(['run.started', 'agent.started', 'turn.started', 'in time', 'turn.settled', 'run.settled']);
  expect([(stream.error as Error).name, clock.pending]).toEqual(['ModelTimeoutError', []]);
});

test('I4: run() starts at once, read or not; a consumer that comes late gets everything', async () => {
  const stream = await run(new Agent({ name: 'Desk', model: scriptedModel(says('Done.')) }), 'go', { stream: true });
  await stream.completed;
  const events: string[] = [];
  for await (const event of stream) events.push(told(event));
  expect([stream.finalOutput, events.at(0), events.at(-1)]).toEqual(['Done.', 'agent Desk', 'message_output_created']);
});

test('I4: leaving the iteration of a streamed result interrupts the run; nothing of it goes on', async () => {
  const clock = virtualClock();
  const tick = counted('tick');
  const stopped = latch<boolean>();
  const slow = { ...tick.tool, execute: async (_: unknown, __: unknown, details?: { signal?: AbortSignal }) => { details!.signal!.addEventListener('abort', () => stopped.open(true)); await stopped.promise; return ''; } };
  const model = scriptedModel(calls('tick'));
  const stream = await run(new Agent({ name: 'Desk', model, tools: [slow] }), 'go', { stream: true, clock });
  for await (const event of stream) {
    if (told(event) !== 'tool_called') continue;
    await clock.settle(); // the body is at work
    break;
  }
  expect(await stopped.promise).toBe(true);
  await stream.completed;
  expect([stream.cancelled, stream.error, model.requests.length, clock.pending]).toEqual([true, null, 1, []]);
});

test('I4: toTextStream gives the text as it streams; cancelling it interrupts', async () => {
  const whole = await run(new Agent({ name: 'Desk', model: scriptedModel(responds(says('Hm. '), calls('tick')), says('Done now.')), tools: [counted('tick').tool] }), 'go', { stream: true });
  const texts: string[] = [];
  for await (const text of whole.toTextStream()) texts.push(text);
  expect(texts.join('')).toBe('Hm. Done now.');
  const cut = await run(new Agent({ name: 'Desk', model: scriptedModel(hangs(2, says('one two'))) }), 'go', { stream: true });
  const reader = cut.toTextStream().getReader();
  expect((await reader.read()).value).toBe('one ');
  await reader.cancel();
  await cut.completed;
  expect(cut.cancelled).toBe(true);
});
