/** I5: a run does not run ahead of who reads it, and waits for nobody else. */
import { Agent, type RunStreamEvent, type StreamedRunResult, type StreamOptions, run } from 'loopchart';
import { calls, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch } from '../support/cast.ts';

/** Two turns: a call, then an answer. */
async function twoTurns(options: StreamOptions & { signal?: AbortSignal } = {}) {
  const clock = virtualClock();
  const model = scriptedModel(calls('tick'), says('All done now.'));
  const stream = await run(new Agent({ name: 'Desk', model, tools: [counted('tick').tool] }), 'go', { stream: true, clock, ...options });
  return { clock, model, stream };
}
const named = (event: RunStreamEvent) => (event.type === 'run_item_stream_event' ? event.name : event.type);

/** Reads to the end, and stands still for as long as the gate is closed when it comes to the event. */
async function readSlowly(stream: StreamedRunResult<any, any>, at: string, gate: Promise<void>): Promise<string[]> {
  const read: string[] = [];
  for await (const event of stream) {
    read.push(named(event));
    if (read.at(-1) === at) await gate;
  }
  return read;
}

test('I5: the next turn does not start while the reader is a turn behind', async () => {
  const { clock, model, stream } = await twoTurns();
  const gate = latch();
  const reading = readSlowly(stream, 'tool_called', gate.promise);
  await clock.settle();
  expect([model.requests.length, stream.currentTurn]).toEqual([1, 2]);
  gate.open();
  expect((await reading).filter((name) => name !== 'raw_model_stream_event')).toEqual(['agent_updated_stream_event', 'tool_called', 'tool_output', 'message_output_created']);
  expect([model.requests.length, stream.finalOutput]).toEqual([2, 'All done now.']);
});

test('I5: nothing waits for a reader that has not begun, not even for streams that were made of it', async () => {
  const { model, stream } = await twoTurns();
  stream.toTextStream();
  stream.toStream();
  stream[Symbol.asyncIterator]();
  await stream.completed;
  expect([model.requests.length, stream.finalOutput]).toEqual([2, 'All done now.']);
});

test('I5: who reads a little and then awaits the end gets it', async () => {
  const { model, stream } = await twoTurns();
  const reader = stream.toStream().getReader();
  for (let read = 0; read < 3; read += 1) await reader.read();
  await stream.completed;
  expect(model.requests.length).toBe(2);
});

test('I5, J1: a soft stop from inside the loop finishes the turn, though its reader stands still', async () => {
  const { model, stream } = await twoTurns();
  for await (const event of stream) if (named(event) === 'tool_called') await stream.cancel({ mode: 'afterTurn' });
  expect([model.requests.length, stream.state.source.outcome?.status]).toEqual([1, 'stopped']);
});

test.each([
  ['the reader leaves', async (_: AbortController, leave: () => void) => leave()],
  ['a signal fires', async (interrupt: AbortController) => interrupt.abort()],
])('I5, J4: %s while a turn waits: it never starts, and nothing is left', async (_what, end) => {
  const interrupt = new AbortController();
  const { clock, model, stream } = await twoTurns({ signal: interrupt.signal });
  const left = latch();
  const reading = (async () => {
    for await (const event of stream) {
      if (named(event) !== 'tool_output') continue;
      await left.promise;
      break;
    }
  })();
  await clock.settle();
  await end(interrupt, left.open);
  await clock.settle();
  left.open();
  await reading;
  await stream.completed;
  expect([model.requests.length, stream.cancelled, stream.state.source.outcome?.status, clock.pending]).toEqual([1, true, 'interrupted', []]);
});

test('I5: dropDeltas lets the run go on, and leaves out deltas alone', async () => {
  const { clock, model, stream } = await twoTurns({ backPressure: 'dropDeltas', buffer: 2 });
  const gate = latch();
  const reading = readSlowly(stream, 'agent_updated_stream_event', gate.promise);
  await clock.settle();
  expect([model.requests.length, stream.finalOutput]).toEqual([2, 'All done now.']);
  gate.open();
  const read = await reading;
  const raw = read.filter((name) => name === 'raw_model_stream_event').length;
  expect(read.filter((name) => name !== 'raw_model_stream_event')).toEqual(['agent_updated_stream_event', 'tool_called', 'tool_output', 'message_output_created']);
  expect([raw, stream.dropped > 0]).toEqual([2, true]);
});

test('I5: turns of nested agents wait as well', async () => {
  const clock = virtualClock();
  const inner = scriptedModel(says('Inner.'));
  const outer = scriptedModel(calls('Inner', { input: 'hi' }), says('Done.'));
  const nested = new Agent({ name: 'Inner', model: inner }).asTool({});
  const stream = await run(new Agent({ name: 'Outer', model: outer, tools: [nested] }), 'go', { stream: true, clock });
  const gate = latch();
  const reading = readSlowly(stream, 'agent_updated_stream_event', gate.promise);
  await clock.settle();
  expect([outer.requests.length, inner.requests.length]).toEqual([1, 0]);
  gate.open();
  await reading;
  expect([outer.requests.length, inner.requests.length, stream.finalOutput]).toEqual([2, 1, 'Done.']);
});

test('I5: two who read at once are waited for both, and each gets what comes after it has begun', async () => {
  const { clock, model, stream } = await twoTurns();
  const [one, other] = [latch(), latch()];
  const reading = [readSlowly(stream, 'tool_called', one.promise), readSlowly(stream, 'tool_called', other.promise)];
  await clock.settle();
  one.open();
  await clock.settle();
  expect(model.requests.length).toBe(1);
  other.open();
  const [first, second] = await Promise.all(reading);
  expect(model.requests.length).toBe(2);
  expect(first!.slice(-second!.length)).toEqual(second);
});
