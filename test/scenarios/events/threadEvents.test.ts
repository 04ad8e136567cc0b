/** I1, I4–I6 of threads: their events are those of one log, however often its process changes. */
import { Agent, MemoryJournal, type RunEvent, readEvents } from 'loopchart';
import { createThread, openThread } from 'loopchart/thread';
import { type SingleStep, calls, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';

const desk = (...steps: SingleStep[]) => {
  const model = scriptedModel(...steps);
  return { model, agent: new Agent({ name: 'Desk', model, tools: [refund, counted('tick').tool] }) };
};
const isLasting = ({ number }: RunEvent) => typeof number === 'number';

async function all(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const read: RunEvent[] = [];
  for await (const event of events) read.push(event);
  return read;
}

test.each([
  ['from the first entry', 256, false], ['from the first entry, while a call waits', 256, true],
  ['from a checkpoint', 1, false], ['from a checkpoint, while a call waits', 1, true],
])('I1, I6: opened %s, a thread counts on, and its journal tells the same', async (_what, checkpointEvery, waits) => {
  const clock = virtualClock();
  const journal = new MemoryJournal();
  const told = new Map<unknown, RunEvent>();
  const hear = { onEvent: (event: RunEvent) => void (isLasting(event) && told.set(event.number, event)) };
  const first = createThread(desk(says('One.'), says('One more.'), calls('refund', { order: 7 })).agent, { journal, clock, threadId: 'thread_1', checkpointEvery, ...hear });
  await first.run('first');
  await first.run('another');
  if (waits) void first.run('second');
  await clock.settle();
  await first.release();
  const before = told.size;
  const { agent } = desk(says('Two.'));
  const again = await openThread('thread_1', { journal, clock, agents: agent, checkpointEvery, ...hear });
  expect(told.size).toBe(before);
  if (waits) {
    for await (const event of again.events({ from: 1 })) {
      expect(event).toEqual(told.get(event.number));
      if (event.number === before) break;
    }
    await again.approve(again.interruptions[0]!);
    await again.activeRun;
  } else await again.run('second');
  await clock.settle();
  const numbers = [...told.keys()];
  expect(numbers).toEqual(numbers.map((_, at) => at + 1));
  expect(await all(readEvents('thread_1', { journal, agents: agent }))).toEqual([...told.values()]);
  await again.release();
});

test('I5: a thread does not run ahead of who reads it, be it the whole thread or one run', async () => {
  for (const what of ['thread', 'run'] as const) {
    const clock = virtualClock();
    const { agent, model } = desk(calls('tick'), says('Done.'));
    const thread = createThread(agent, { clock });
    const events = thread.events();
    const run = thread.run('go');
    const gate = latch();
    const reading = (async () => {
      for await (const event of what === 'run' ? run : events) {
        if (event.type === 'turn.settled' && event.next === 'again') await gate.promise;
        if (event.type === 'run.settled') break;
      }
    })();
    await clock.settle();
    expect([what, model.requests.length]).toEqual([what, 1]);
    gate.open();
    await reading;
    expect([what, model.requests.length, (await run).finalOutput]).toEqual([what, 2, 'Done.']);
  }
});

test('I4: thread.stream() is cold; who leaves it interrupts its run, who leaves the events of the thread does not', async () => {
  const clock = virtualClock();
  const { agent, model } = desk(says('One.'), calls('tick'), says('never'), says('Three.'));
  const thread = createThread(agent, { clock });
  const cold = thread.stream('go');
  await clock.settle();
  expect([model.requests.length, thread.state]).toEqual([0, 'idle']);
  expect((await cold).finalOutput).toBe('One.');
  for await (const event of thread.stream('again')) if (event.type === 'item.completed') break;
  expect([thread.state, thread.look.runs.at(-1)!.status, model.requests.length]).toEqual(['paused', 'interrupted', 2]);
});

test('I4: who leaves the events of a thread, or of a run that was begun at once, only unsubscribes', async () => {
  const clock = virtualClock();
  const { agent } = desk(calls('tick'), says('Done.'));
  const thread = createThread(agent, { clock });
  const reading = (async () => { for await (const event of thread.events()) if (event.type === 'turn.started') break; })();
  const run = thread.run('go');
  for await (const event of run) if (event.type === 'turn.started') break;
  await reading;
  expect((await run).finalOutput).toBe('Done.');
});

test('I6: a run that is read late tells all that lasts, from its begin; so does the thread, by number', async () => {
  const clock = virtualClock();
  const { agent } = desk(calls('tick'), calls('refund', { order: 7 }), says('Done.'));
  const told: RunEvent[] = [];
  const thread = createThread(agent, { clock, onEvent: (event) => void (isLasting(event) && told.push(event)) });
  const run = thread.run('go');
  await clock.settle();
  const ofRun = all(run);
  const from = told.findIndex(({ type }) => type === 'tool.started');
  const some = all(thread.events({ from: told[from]!.number as number }));
  await thread.approve(thread.interruptions[0]!);
  await run;
  expect((await ofRun).filter(isLasting)).toEqual(told.filter(({ path }) => path.includes('/run.1')));
  await thread.close();
  expect((await some).filter(isLasting)).toEqual(told.slice(from));
});
