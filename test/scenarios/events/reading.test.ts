/** I6: what was told can be told again, from the journal alone. */
import { Agent, MemoryJournal, type RunEvent, type RunState, readEvents, run } from 'loopchart';
import { calls, fails, hangs, responds, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, refund } from '../support/cast.ts';

async function all(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const read: RunEvent[] = [];
  for await (const event of events) read.push(event);
  return read;
}

test.each([false, true])('I6: lifecycle events are read again from the journal, with their numbers, times and causes; nothing is run or written (streamed: %s)', async (isStreamed) => {
  const journal = new MemoryJournal();
  const tick = counted('tick');
  const model = scriptedModel(responds(says('One moment.'), calls(['tick'], ['Inner', { input: 'hi' }], ['refund', { order: 7 }])), calls('transfer_to_Last'), says('Done.'));
  const inner = new Agent({ name: 'Inner', model: scriptedModel(says('inner')) });
  const agent = new Agent({ name: 'First', model, tools: [tick.tool, refund, inner.asTool({})], handoffs: [new Agent({ name: 'Last', model })] });
  const go = async (input: string | RunState<undefined, Agent<any, any>>) => {
    const events: RunEvent[] = [];
    const result = await run(agent, input, { journal, clock: virtualClock(), stream: isStreamed as true, onEvent: (event) => void (typeof event.number === 'number' && events.push(event)) });
    await result.completed; // undefined without a stream
    return { events, state: result.state as RunState<undefined, Agent<any, any>> };
  };
  const waiting = await go('go');
  const { runId } = waiting.state;
  expect(await all(readEvents(runId, { journal, agents: agent }))).toEqual(waiting.events);
  waiting.state.approve(waiting.state.getInterruptions()[0]!);
  const { events } = await go(waiting.state);
  const before = { runs: tick.runs, length: journal.read(runId).length };
  expect(events.length).toBeGreaterThan(30);
  expect(await all(readEvents(runId, { journal, agents: [agent] }))).toEqual(events);
  expect(await all(readEvents(runId, { journal, agents: [agent], from: 10 }))).toEqual(events.slice(9));
  expect({ runs: tick.runs, length: journal.read(runId).length }).toEqual(before);
});

test.each([
  ['failed', () => fails({ status: 500 })],
  ['was interrupted', () => hangs(2, says('one two'))],
])('I6: so are those of a run that %s', async (_what, step) => {
  const clock = virtualClock();
  const journal = new MemoryJournal();
  const events: RunEvent[] = [];
  const agent = new Agent({ name: 'Desk', model: scriptedModel(calls('tick'), step()), tools: [counted('tick').tool] });
  const stream = await run(agent, 'go', { stream: true, clock, journal, onEvent: (event) => void (typeof event.number === 'number' && events.push(event)) });
  await clock.settle();
  await stream.cancel();
  expect(await all(readEvents(stream.state.runId, { journal, agents: agent }))).toEqual(events);
});

test('I6: events that were held back until the output was guarded have the numbers from then', async () => {
  const journal = new MemoryJournal();
  const events: RunEvent[] = [];
  const agent = new Agent({ name: 'Desk', model: scriptedModel(says('Done.')), outputGuardrails: [{ name: 'calm', execute: async () => ({ tripwireTriggered: false, outputInfo: {} }) }] });
  const stream = await run(agent, 'go', { stream: true, journal, bufferUntilGuarded: true, onEvent: (event) => void (typeof event.number === 'number' && events.push(event)) });
  await stream.completed;
  expect(await all(readEvents(stream.state.runId, { journal, agents: agent, bufferUntilGuarded: true }))).toEqual(events);
});

test('I6: of a run that is going, what was told up to now', async () => {
  const clock = virtualClock();
  const journal = new MemoryJournal();
  const events: RunEvent[] = [];
  const agent = new Agent({ name: 'Desk', model: scriptedModel(calls('tick'), hangs(1, says('one two'))), tools: [counted('tick').tool] });
  const stream = await run(agent, 'go', { stream: true, clock, journal, onEvent: (event) => void (typeof event.number === 'number' && events.push(event)) });
  await clock.settle();
  const read = await all(readEvents(stream.state.runId, { journal, agents: agent }));
  expect([read, read.at(-1)!.type]).toEqual([events, 'turn.started']);
  await stream.cancel();
});

test('I6: a run that is not there, and agents that are not those of the run, are named', async () => {
  const journal = new MemoryJournal();
  const agent = new Agent({ name: 'Desk', model: scriptedModel(says('Done.')) });
  const { state } = await run(agent, 'go', { journal });
  await expect(all(readEvents('run_2', { journal, agents: agent }))).rejects.toThrow('There is no run or thread run_2');
  await expect(all(readEvents(state.runId, { journal, agents: new Agent({ name: 'Other' }) }))).rejects.toThrow('belongs to agent "Desk"');
});
