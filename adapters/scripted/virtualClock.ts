/** Time that stands still until a test moves it. Uses no timer of the platform. */
import { loadsUnderWay } from '../../actors/lazily.ts';
import type { Clock } from '../../actors/ports.ts';

export interface PendingTimer {
  readonly id: number;
  /** When it is due, in milliseconds on this clock. */
  readonly at: number;
}
export interface VirtualClock extends Clock {
  /** Timers that wait, in the order in which they will fire: by time, then by insertion. */
  readonly pending: readonly PendingTimer[];
  /**
   * Moves time forward by `ms`, firing what falls due on the way. Before the first timer and after each one, promises
   * settle, so that what a timer sets going may arm further timers inside the same span. Calls run one after the other.
   */
  advance(ms: number): Promise<void>;
  /** Moves time to the next timer and fires it. Answers whether there was one. */
  next(): Promise<boolean>;
  /**
   * Fires timers until none is left.
   * @throws Error after `limit` timers (10,000 by default), since a timer that arms itself again would never end.
   */
  runAll(options?: { limit?: number }): Promise<void>;
  /** Lets promises settle, and waits for modules that a first run loads; time does not move. */
  settle(): Promise<void>;
}

/**
 * A clock for tests. `start` is its first time in milliseconds since the epoch.
 *
 * @example
 * const clock = virtualClock();
 * let rang = false;
 * clock.setTimeout(() => { rang = true; }, 60_000);
 * await clock.advance(59_999); // rang === false
 * await clock.advance(1);      // rang === true, clock.now() === 60_000
 */
export function virtualClock(start = 0): VirtualClock {
  const timers = new Map<number, PendingTimer & { callback: () => void }>();
  let time = start;
  let lastId = 0;
  /** Moves are serialised: two overlapping ones would each fire the other's timers at their own time. */
  let moving: Promise<unknown> = Promise.resolve();

  const inOrder = () => [...timers.values()].sort((a, b) => a.at - b.at || a.id - b.id);
  const serialised = <T>(move: () => Promise<T>): Promise<T> => {
    const moved = moving.then(move);
    moving = moved.catch(() => undefined); // The caller of this move sees the failure; the next move must still start.
    return moved;
  };
  const fireNext = async (until = Infinity): Promise<boolean> => {
    const timer = inOrder()[0];
    if (!timer || timer.at > until) return false;
    timers.delete(timer.id);
    time = Math.max(time, timer.at);
    timer.callback();
    await settlePromises();
    return true;
  };

  return {
    now: () => time,
    setTimeout(callback, ms) {
      lastId += 1;
      timers.set(lastId, { id: lastId, at: time + (ms > 0 ? ms : 0), callback });
      return lastId;
    },
    clearTimeout(timer) {
      timers.delete(timer as number); // A handle is what setTimeout gave; an unknown one deletes nothing.
    },
    get pending() {
      return inOrder().map(({ id, at }) => ({ id, at }));
    },
    settle: settlePromises,
    advance: (ms) =>
      serialised(async () => {
        const target = time + ms;
        await settlePromises();
        while (await fireNext(target));
        time = Math.max(time, target);
      }),
    next: () =>
      serialised(async () => {
        await settlePromises();
        return fireNext();
      }),
    runAll: ({ limit = 10_000 } = {}) =>
      serialised(async () => {
        await settlePromises();
        for (let fired = 0; await fireNext(); ) {
          fired += 1;
          if (fired >= limit && timers.size > 0) {
            throw new Error(`runAll() fired ${limit} timers and ${timers.size} still wait. A timer probably arms itself again; use advance().`);
          }
        }
      }),
  };
}

/** What is being loaded counts as what can settle. */
async function settlePromises(): Promise<void> {
  await messageDelivered();
  while (loadsUnderWay.size > 0) {
    await Promise.allSettled(loadsUnderWay);
    await messageDelivered();
  }
}

/** All promises that can settle do so before the platform delivers a message, however long their chains are. */
function messageDelivered(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port2.onmessage = () => {
      port1.close();
      resolve();
    };
    port1.postMessage(null);
  });
}
