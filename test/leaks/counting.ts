/** What a process that counts leftovers has of its own: timers, listeners and a heap, counted apart from the code that is weighed. */
import type { Clock } from '../../index.ts';

export const timers = new Set<unknown>();

/** The time of day, with every timer that is set and neither cleared nor over in `timers`. */
export const clock: Clock = {
  now: () => Date.now(),
  setTimeout(callback, ms) {
    const timer = setTimeout(() => {
      timers.delete(timer);
      callback();
    }, ms);
    timers.add(timer);
    return timer;
  },
  clearTimeout(timer) {
    timers.delete(timer);
    clearTimeout(timer as NodeJS.Timeout);
  },
};

/** A signal of the app that outlives all runs; counts who listens to it. */
export function sharedSignal(): { signal: AbortSignal; listeners: () => number } {
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => ((listeners += 1), addEventListener.apply(signal, args));
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => ((listeners -= 1), removeEventListener.apply(signal, args));
  return { signal, listeners: () => listeners };
}

/** @returns bytes, once all that can go is gone. */
export async function weigh(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 20)); // what has ended lets go of its timers
  for (let round = 0; round < 4; round += 1) globalThis.gc!();
  return process.memoryUsage().heapUsed;
}

/** Timers that keep this process alive. */
export const platformTimers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
