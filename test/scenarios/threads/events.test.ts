/** I1, I4–I6 on threads: what a thread tells, to whom, and how long. */
import { Agent, MemoryJournal, type RunEvent, readEvents } from 'loopchart';
import { calls, fails, hangs, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { type ThreadEvent, createThread, openThread } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { playThread } from '../support/threadScenario.ts';
import { lines } from './support/words.ts';

const isLasting = ({ number }: ThreadEvent) => typeof number === 'number';

async function all<Event>(events: AsyncIterable<Event>): Promise<Event[]> {
  const read: Event[] = [];
  for await (const event of events) read.push(event);
  return read;
}

/** Some of many: as many as are asked for. */
async function first<Event>(events: AsyncIterable<Event>, count: number): Promise<Event[]> {
  const read: Event[] = [];
  for await (const event of events) {
    read.push(event);
    if (read.length === count) break;
  }
  return read;
}

test('I4: thread.run() starts at once, whether it is read or not; thread.stream() starts when it is read or awaited', async () => {
  const { value, seen } = await playThread(async (world) => {
    const model = world.model(says('Hot.'), says('Cold.'));
    const thread = world.thread(new Agent({ name: 'A', model }));
    void thread.run('First.');
    await thread.until('run.settled');
    const cold = thread.stream('Second.');
    await world.clock.settle();
    const before = [model.requests.length, thread.state];
    const { finalOutput } = await cold;
    return [before, finalOutput];
  });
  expect(value).toEqual([[1, 'idle'], 'Cold.']);
  expect(seen.runs.length).toBe(2);
});

test('I4: whoever leaves a cold stream interrupts its run; whoever leaves a run or the thread only unsubscribes', async () => {
  const { seen, value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('Hot.'), hangs(2, says('Cold and long.'))) }));
    const run = thread.run('First.');
    await first(run, 1);
    await first(thread.events(), 1);
    const { finalOutput } = await run;
    const iteration = (async () => { for await (const event of thread.stream('Second.')) if (event.type === 'turn.started') break; })();
    await world.clock.runAll();
    await iteration;
    return finalOutput;
  }, { immortal: 'how much has streamed when it leaves is a matter of promises' });
  expect(value).toBe('Hot.');
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from command: interrupted']);
});

test('I4: a cold stream that nobody reads asks for nothing; one that is refused says why, and ends', async () => {
  const { value, seen } = await playThread(async (world) => {
    const gate = latch();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('Done.')), tools: [counted('look', async () => (await gate.promise, 'seen')).tool] }));
    const run = thread.run('First.');
    await thread.until('tool.started');
    thread.stream('Never.');
    const refused = thread.stream('Second.', { whenBusy: 'reject' });
    const read = await all(refused).catch((error: unknown) => error);
    const why = await refused.result.catch((error: Error) => error.message);
    gate.open();
    await run;
    return [read, why];
  });
  expect(value).toEqual([[], expect.stringContaining('A run is going')]);
  expect([seen.runs, seen.queue]).toEqual([['run.1 from command: completed'], []]);
});

test('I4, I6: a run tells its own events, from its begin to its end, also to who reads it late; then its stream ends', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('One.'), says('Two.')), tools: [counted('look').tool] }));
    const [one, two] = [thread.run('First.'), thread.run('Second.')];
    await two;
    const ofTwo = (await all(two)).filter(isLasting);
    return [(await all(one)).filter(isLasting).every(({ path }) => path.includes('/run.1')), lines(ofTwo, 'input.accepted', 'run.started', 'run.settled'), ofTwo.at(-1)!.type];
  });
  expect(value).toEqual([true, ['input.accepted run.2', 'run.started run.2', 'run.settled run.2'], 'run.settled']);
});

test('I2: every stream ends: of a run that fails, of one that is interrupted, and of the thread when it is closed', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(fails({ status: 400 }), calls('refund', { order: 1 })), tools: [refund] }));
    const ofThread = all(thread.events());
    const failed = thread.run('First.');
    const one = (await all(failed)).at(-1)!.type;
    const interrupted = thread.run('Second.');
    const two = all(interrupted);
    await thread.until('run.awaitingApproval');
    await thread.interrupt();
    const ends = [one, (await two).at(-1)!.type];
    await Promise.allSettled([failed, interrupted]);
    await thread.close();
    return [...ends, (await ofThread).at(-1)!.type];
  });
  expect(value).toEqual(['run.settled', 'run.settled', 'thread.changed']);
});

test('I2, I4: who reads a run that is over, or subscribes to it, is not kept waiting; nor is who subscribes to one that never begins', async () => {
  const { value } = await playThread(async (world) => {
    const gate = latch();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('Done.')), tools: [counted('look', async () => (await gate.promise, 'seen')).tool] }));
    const run = thread.run('First.');
    await thread.until('tool.started');
    const ends: string[] = [];
    thread.run('Second.', { whenBusy: 'reject' }).events$.subscribe({ complete: () => void ends.push('refused') });
    gate.open();
    await run;
    run.events$.subscribe({ complete: () => void ends.push('over') });
    const read = [(await all(run)).at(-1)?.type, await all(run)];
    return [ends, read];
  });
  expect(value).toEqual([['refused', 'over'], ['run.settled', []]]);
});

test('I6: events are read again by number: those of runs that are over come from the journal, and then it goes on', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('One.'), says('Two.'), says('Three.')) }));
    await thread.run('First.');
    await thread.run('Second.');
    await world.clock.settle();
    const before = thread.told.length;
    const some = first(thread.events({ from: 3 }), before + 4);
    await thread.run('Third.');
    const read = (await some).filter(isLasting);
    const lasting = thread.told.filter(isLasting);
    return [read[0]!.number, JSON.stringify(read) === JSON.stringify(lasting.slice(2, 2 + read.length)), read.length > before - 2];
  });
  expect(value).toEqual([3, true, true]);
});

test('I6, O1: in the next process the events have the numbers that they had', async () => {
  const { value } = await playThread(async (world) => {
    const agent = new Agent({ name: 'A', model: world.model(says('One.'), calls('refund', { order: 1 }), says('Two.')), tools: [refund] });
    let thread = world.thread(agent);
    await thread.run('First.');
    void thread.run('Second.');
    await thread.until('run.awaitingApproval');
    const before = [...thread.told];
    thread = await world.reopen(thread);
    const read = await first(thread.events({ from: 1 }), before.filter(isLasting).length);
    await thread.approve(thread.interruptions[0]!);
    await thread.until((event) => event.type === 'run.settled' && event.path.endsWith('run.2'));
    return JSON.stringify(read) === JSON.stringify(before.filter(isLasting));
  });
  expect(value).toBe(true);
});

test('I6: readEvents() tells a thread from its journal, be it at work, at rest or closed', async () => {
  const [journal, clock] = [new MemoryJournal(), virtualClock()];
  const agent = new Agent({ name: 'A', model: scriptedModel(says('One.'), calls('refund', { order: 1 })), tools: [refund] });
  const told: RunEvent[] = [];
  const thread = createThread(agent, { journal, clock, threadId: 'thread_test', onEvent: (event) => void (isLasting(event) && told.push(event)) });
  const read = (from?: number) => all(readEvents('thread_test', { journal, agents: agent, ...(from !== undefined && { from }) }));
  await thread.run('First.');
  expect(await read()).toEqual(told);
  void thread.run('Second.').result.catch(() => undefined);
  await clock.settle();
  expect(await read()).toEqual(told);
  expect(await read(10)).toEqual(told.slice(9));
  await thread.close();
  expect(await read()).toEqual(told);
  const closed = await openThread('thread_test', { journal, clock, agents: agent });
  expect(await all(closed.events({ from: 2, signal: AbortSignal.abort() }))).toEqual([]);
  await closed.release();
});

test('I6: who reads from an early number may leave before, while and after the journal is read', async () => {
  const [journal, clock] = [new MemoryJournal(), virtualClock()];
  const thread = createThread(new Agent({ name: 'A', model: scriptedModel(says('One.'), says('Two.')) }), { journal, clock, threadId: 'thread_test' });
  await thread.run('First.');
  await thread.run('Second.');
  const [aborted, late] = [new AbortController(), new AbortController()];
  const events = thread.events({ from: 1, signal: aborted.signal });
  aborted.abort();
  expect(await all(events)).toEqual([]);
  const reading = all(thread.events({ from: 1, signal: late.signal }));
  await clock.settle();
  late.abort();
  expect((await reading).map(({ number }) => number).slice(0, 3)).toEqual([1, 2, 3]);
  await thread.close();
});

test('I5: a thread does not run ahead of who reads it; who only subscribes holds nothing up', async () => {
  const { value } = await playThread(async (world) => {
    const model = world.model(calls('look'), says('Done.'));
    const thread = world.thread(new Agent({ name: 'A', model, tools: [counted('look').tool] }));
    const heard: string[] = [];
    const subscription = thread.events$.subscribe((event) => void heard.push(event.type));
    const run = thread.run('Go.');
    const gate = latch();
    const reading = (async () => {
      for await (const event of run) if (event.type === 'turn.settled' && event.next === 'again') await gate.promise;
    })();
    await world.clock.settle();
    const held = model.requests.length;
    gate.open();
    await reading;
    subscription.unsubscribe();
    return [held, model.requests.length, heard.includes('run.settled')];
  });
  expect(value).toEqual([1, 2, true]);
});
