import fc from 'fast-check';
import { expect, test } from 'vitest';
import { virtualClock } from 'loopchart/testing';

test('time stands still until it is moved, and starts where it is told', async () => {
  const clock = virtualClock(1_000);
  expect(clock.now()).toBe(1_000);
  await clock.advance(250);
  expect(clock.now()).toBe(1_250);
});

test('timers fire in order of time, then of insertion, each seeing its own time', async () => {
  const clock = virtualClock();
  const fired: [string, number][] = [];
  const arm = (name: string, ms: number) => clock.setTimeout(() => fired.push([name, clock.now()]), ms);
  arm('late', 30);
  arm('a', 10);
  arm('b', 10);
  arm('now', 0);
  arm('past', -5);
  arm('not a number', Number.NaN);
  expect(clock.pending.map(({ at }) => at)).toEqual([0, 0, 0, 10, 10, 30]);
  await clock.advance(29);
  expect(fired).toEqual([['now', 0], ['past', 0], ['not a number', 0], ['a', 10], ['b', 10]]);
  await clock.advance(1);
  expect(fired.at(-1)).toEqual(['late', 30]);
});

test('a cleared timer never fires, and an unknown handle clears nothing', async () => {
  const clock = virtualClock();
  const fired: string[] = [];
  const timer = clock.setTimeout(() => fired.push('cleared'), 5);
  clock.setTimeout(() => fired.push('kept'), 5);
  clock.clearTimeout(timer);
  clock.clearTimeout(undefined);
  await clock.runAll();
  expect(fired).toEqual(['kept']);
});

test('promises settle before the first timer and after each one, so that chains of waits fit into one advance', async () => {
  const clock = virtualClock();
  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.setTimeout(resolve, ms));
  const times: number[] = [];
  const chain = (async () => {
    for (let hop = 0; hop < 50; hop += 1) await Promise.resolve();
    for (let wait = 0; wait < 4; wait += 1) {
      await sleep(10);
      times.push(clock.now());
    }
  })();
  await clock.advance(35);
  expect(times).toEqual([10, 20, 30]);
  expect(clock.pending).toEqual([{ id: 4, at: 40 }]);
  await clock.next();
  await chain;
  expect(clock.now()).toBe(40);
});

test('next fires exactly one timer and says whether there was one', async () => {
  const clock = virtualClock();
  const fired: string[] = [];
  clock.setTimeout(() => fired.push('a'), 5);
  clock.setTimeout(() => fired.push('b'), 5);
  expect(await clock.next()).toBe(true);
  expect([fired, clock.now()]).toEqual([['a'], 5]);
  expect(await clock.next()).toBe(true);
  expect(await clock.next()).toBe(false);
  expect(clock.now()).toBe(5);
});

test('runAll fires what timers arm, and refuses to go on for ever', async () => {
  const clock = virtualClock();
  let rounds = 0;
  const again = () => {
    rounds += 1;
    if (rounds < 3) clock.setTimeout(again, 10);
  };
  clock.setTimeout(again, 10);
  await clock.runAll();
  expect([rounds, clock.now()]).toEqual([3, 30]);

  const endless = () => void clock.setTimeout(endless, 1);
  endless();
  await expect(clock.runAll({ limit: 5 })).rejects.toThrow('runAll() fired 5 timers and 1 still wait. A timer probably arms itself again; use advance().');
});

test('moves that overlap run one after the other', async () => {
  const clock = virtualClock();
  const seen: number[] = [];
  clock.setTimeout(() => seen.push(clock.now()), 15);
  await Promise.all([clock.advance(10), clock.advance(10)]);
  expect([clock.now(), seen]).toEqual([20, [15]]);
});

test('a timer that throws rejects the move that fired it, and the clock goes on', async () => {
  const clock = virtualClock();
  const fired: string[] = [];
  clock.setTimeout(() => { throw new Error('broken timer'); }, 1);
  clock.setTimeout(() => fired.push('next'), 2);
  await expect(clock.advance(5)).rejects.toThrow('broken timer');
  await clock.advance(5);
  expect(fired).toEqual(['next']);
});

test('settle lets promises settle and moves no time', async () => {
  const clock = virtualClock();
  let settled = false;
  void (async () => {
    for (let hop = 0; hop < 100; hop += 1) await undefined;
    settled = true;
  })();
  await clock.settle();
  expect([settled, clock.now()]).toEqual([true, 0]);
});

test('for any timers and any moves: every timer fires once, at its time, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 12 }), fc.array(fc.nat(20), { maxLength: 6 }), async (delays, moves) => {
      const clock = virtualClock();
      const fired: { index: number; at: number; now: number }[] = [];
      delays.forEach((at, index) => clock.setTimeout(() => fired.push({ index, at, now: clock.now() }), at));
      for (const move of moves) await clock.advance(move);
      const due = moves.reduce((sum, move) => sum + move, 0);
      const order = delays.map((at, index) => ({ index, at, now: at })).sort((a, b) => a.at - b.at || a.index - b.index);
      // Without a move nothing fires, not even a timer of 0 ms.
      expect(fired).toEqual(moves.length === 0 ? [] : order.filter(({ at }) => at <= due));
      await clock.runAll();
      expect(fired).toEqual(order);
    }),
    { seed: 5, numRuns: 60 },
  );
});
