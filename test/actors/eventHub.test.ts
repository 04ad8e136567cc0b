/** I5, I6: events for several readers, each at its own pace. The events are plain: a number for what is lifecycle, a text for a delta. */
import { describe, expect, test } from 'vitest';
import { EventHub, runEventHub } from '../../actors/eventHub.ts';
import type { EventReader } from '../../actors/eventReader.ts';
import type { RunEvent } from '../../actors/runEvents.ts';

type Event = number | string;
const hubOf = () => new EventHub<Event>({ isDelta: (event) => typeof event === 'string', numberOf: (event) => event as number, gap: (first, dropped) => `${dropped} from ${first}` });
const publish = (hub: EventHub<Event>, ...events: Event[]) => events.forEach((event) => hub.publish(event));

async function rest<Value>(reader: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const event of reader) all.push(event);
  return all;
}
async function take<Value>(reader: EventReader<Value>, count: number): Promise<Value[]> {
  const all: Value[] = [];
  for (let at = 0; at < count; at += 1) all.push((await reader.next()).value);
  return all;
}
/** Whether a promise has settled by the time that everything else has. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  return (await Promise.race([promise, new Promise((resolve) => setImmediate(resolve, pending))])) !== pending;
}

describe('I5: readers', () => {
  test('each gets all, whatever the others do', async () => {
    const hub = hubOf();
    const [one, other] = [hub.read(), hub.read()];
    const reading = rest(one);
    expect((await Promise.all([other.next(), publish(hub, 1, 'a', 2)]))[0].value).toBe(1);
    await other.return();
    publish(hub, 3);
    hub.end();
    expect([await reading, await rest(other)]).toEqual([[1, 'a', 2, 3], []]);
  });

  test('an error comes after what was published before it, once; then there is nothing', async () => {
    const hub = hubOf();
    const reader = hub.read({ isEager: true });
    publish(hub, 1);
    hub.fail(new Error('broken'));
    publish(hub, 2);
    expect((await reader.next()).value).toBe(1);
    await expect(reader.next()).rejects.toThrow('broken');
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    await expect(hub.read().next()).rejects.toThrow('broken');
  });

  test('with dropDeltas those are left out that find the buffer full, and a word tells how many; lifecycle events never are', async () => {
    const hub = hubOf();
    const reader = hub.read({ isEager: true, backPressure: 'dropDeltas', buffer: 3 });
    publish(hub, 1, 'a', 'b', 'c', 'd', 2, 'e', 3);
    expect([reader.unread, reader.dropped, hub.dropped]).toEqual([7, 3, 3]);
    expect(await take(reader, 7)).toEqual([1, 'a', 'b', '2 from c', 2, '1 from e', 3]);
    publish(hub, 'f', 'g', 'h', 'i');
    expect(await take(reader, 4)).toEqual(['f', 'g', 'h', '1 from i']);
    hub.end();
    expect([await rest(reader), hub.dropped, hub.highWater]).toEqual([[], 4, 7]);
  });

  test('the high water is the most that has waited, also of readers that have left', async () => {
    const hub = hubOf();
    const reader = hub.read({ isEager: true });
    publish(hub, 1, 2, 3);
    await take(reader, 3);
    publish(hub, 4);
    expect([reader.highWater, reader.unread]).toEqual([3, 1]);
    await reader.return();
    expect(hub.highWater).toBe(3);
  });

  test('only what is wanted, until what is wanted last', async () => {
    const hub = hubOf();
    const reader = hub.read({ isEager: true, only: (event) => typeof event === 'number', until: (event) => event === 3 });
    publish(hub, 1, 'a', 2, 3, 4);
    expect(await rest(reader)).toEqual([1, 2, 3]);
  });

  test('a signal ends the reading, before it begins and while it waits', async () => {
    const hub = hubOf();
    expect(await rest(hub.read({ signal: AbortSignal.abort() }))).toEqual([]);
    const stop = new AbortController();
    const reading = rest(hub.read({ signal: stop.signal }));
    publish(hub, 1);
    await isSettled(reading);
    stop.abort();
    expect(await reading).toEqual([1]);
  });
});

describe('I5: the pace', () => {
  /** Nobody is a turn behind before the first. */
  const afterFirstTurn = () => {
    const hub = hubOf();
    hub.pace();
    return hub;
  };

  test('the first turn waits for nobody', async () => {
    const hub = hubOf();
    const reader = hub.read();
    publish(hub, 1, 2);
    await take(reader, 1);
    expect(hub.pace()).toBe(undefined);
    expect(hub.pace()).toBeInstanceOf(Promise);
  });

  test('a turn waits until all who read are done with what came before it, and no longer', async () => {
    const hub = afterFirstTurn();
    const [one, other] = [hub.read({ from: 1 }), hub.read({ from: 1 })];
    publish(hub, 1, 2);
    await Promise.all([take(one, 1), take(other, 2)]);
    const pace = hub.pace()!;
    publish(hub, 3);
    await Promise.all([take(one, 1), take(other, 1)]);
    expect(await isSettled(pace)).toBe(false); // one has the second in hand
    await take(one, 1);
    expect(await isSettled(pace)).toBe(true);
    const next = hub.pace()!; // both have the third in hand
    void one.next();
    expect(await isSettled(next)).toBe(false);
    void other.next();
    expect([await isSettled(next), hub.pace()]).toEqual([true, undefined]);
  });

  test('nobody waits for a reader that has not begun, drops deltas, or has left', async () => {
    const hub = afterFirstTurn();
    hub.read({ isEager: true });
    const dropping = hub.read({ from: 1, backPressure: 'dropDeltas' });
    const leaving = hub.read({ from: 1 });
    publish(hub, 1, 2);
    await Promise.all([take(dropping, 1), take(leaving, 1)]);
    const pace = hub.pace()!;
    await leaving.return();
    expect(await isSettled(pace)).toBe(true);
    expect(hub.pace()).toBe(undefined);
  });

  test.each(['the signal fires', 'the hub ends', 'the hub fails', 'somebody waits for the end instead'])('J4: it is over when %s', async (what) => {
    const hub = afterFirstTurn();
    const reader = hub.read({ from: 1 });
    publish(hub, 1, 2);
    await take(reader, 1);
    const stop = new AbortController();
    const pace = hub.pace(stop.signal)!;
    expect(await isSettled(pace)).toBe(false);
    ({ 'the signal fires': () => stop.abort(), 'the hub ends': () => hub.end(), 'the hub fails': () => hub.fail(new Error('broken')), 'somebody waits for the end instead': () => hub.unblock() })[what]!();
    expect(await isSettled(pace)).toBe(true);
    if (what !== 'the signal fires') expect(hub.pace()).toBe(undefined);
    else expect(hub.pace(stop.signal)).toBe(undefined);
  });
});

describe('I6: read again by number', () => {
  const event = (number: number | string, type: string, path = 'run_1'): RunEvent => ({ number, type, path, at: 0, cause: '', agent: 'Desk' }) as RunEvent; // of no other shape than its kind needs here
  const numbers = async (events: AsyncIterable<RunEvent>) => (await rest(events)).map(({ number }) => number);

  test('any lifecycle event of a run that lives, then what comes; deltas are not told twice', async () => {
    const hub = runEventHub();
    for (const one of [event(1, 'run.started'), event(2, 'turn.started'), event('2.1', 'delta'), event(3, 'item.started')]) hub.publish(one);
    const [all, some, next] = [hub.read({ from: 1 }), hub.read({ from: 3 }), hub.read()].map((reader) => numbers(reader));
    for (const one of [event('2.2', 'delta'), event(4, 'item.completed')]) hub.publish(one);
    hub.end();
    expect(await Promise.all([all, some, next])).toEqual([[1, 2, 3, '2.2', 4], [3, '2.2', 4], ['2.2', 4]]);
    expect([await numbers(hub.read({ from: 2 })), hub.oldest]).toEqual([[2, 3, 4], 1]);
  });

  test('events of runs that have settled are given up, those of others are kept; nested runs end with the run around them', async () => {
    const hub = runEventHub();
    hub.publish(event(1, 'input.accepted', 'thread_1/run.1'));
    hub.publish(event(2, 'run.started', 'thread_1/run.1'));
    hub.publish(event(3, 'run.started', 'thread_1/run.1/agent.1/turn.1/toolCall.1.0/run'));
    hub.publish(event(4, 'run.settled', 'thread_1/run.1/agent.1/turn.1/toolCall.1.0/run'));
    expect(hub.oldest).toBe(1);
    hub.publish(event(5, 'run.started', 'thread_1/background.1'));
    hub.publish(event(6, 'run.settled', 'thread_1/run.1'));
    expect(hub.oldest).toBe(5);
    hub.publish(event(7, 'run.settled', 'thread_1/background.1'));
    expect([hub.oldest, await Promise.race([hub.read({ from: 1 }).next(), Promise.resolve('waits')])]).toEqual([8, 'waits']);
  });

  test('a reader that was made and begins later has missed nothing but deltas, however much has settled meanwhile', async () => {
    const hub = runEventHub();
    const late = hub.read();
    for (const one of [event(1, 'run.started'), event('1.1', 'delta'), event(2, 'run.settled')]) hub.publish(one);
    hub.end();
    expect(await numbers(late)).toEqual([1, 2]);
  });

  test('the word for deltas that were left out has the number of the first', async () => {
    const hub = runEventHub();
    const reader = hub.read({ isEager: true, backPressure: 'dropDeltas', buffer: 1 });
    for (const one of [event(1, 'turn.started'), event('1.1', 'delta'), event('1.2', 'delta'), event(2, 'turn.settled')]) hub.publish(one);
    hub.end();
    expect((await rest(reader)).map(({ number, type, ...more }) => [number, type, 'dropped' in more ? more.dropped : 0])).toEqual([[1, 'turn.started', 0], ['1.1', 'deltas.dropped', 2], [2, 'turn.settled', 0]]);
  });
});

test('observers hear everything at once, and the end of it; one that has unsubscribed hears nothing', () => {
  const hub = hubOf();
  const heard: unknown[] = [];
  const stop = hub.subscribe({ next: (event) => heard.push(event), complete: () => heard.push('complete') });
  hub.subscribe({ next: () => undefined });
  const other = hub.subscribe({ next: (event) => heard.push(`other ${event}`), error: (error) => heard.push(`other ${error}`) });
  publish(hub, 1);
  stop();
  publish(hub, 'a');
  hub.fail('broken');
  hub.subscribe({ next: () => undefined, error: (error) => heard.push(`late ${error}`) });
  other();
  expect(heard).toEqual([1, 'other 1', 'other a', 'other broken', 'late broken']);
});

test('I6: when the last event of a reader that has not begun has come, it has all that it is to read, and nothing is kept for it any more', async () => {
  const hub = new EventHub<Event>({ isDelta: () => false, numberOf: (event) => event as number, spanOf: (event) => ({ id: String(Math.ceil((event as number) / 2)), edge: (event as number) % 2 === 1 ? 'begin' : 'end' }) });
  const reader = hub.read({ until: (event) => event === 2 });
  publish(hub, 1, 2, 3, 4);
  expect(hub.oldest).toBe(5);
  expect(await rest(reader)).toEqual([1, 2]);
});
