/** A clock that knows how many of its timers are armed: a run has to leave none. */
import type { Clock } from 'loopchart';

export interface WatchedClock extends Clock {
  readonly armed: number;
}

export function watchedClock(clock: Clock): WatchedClock {
  const armed = new Set<unknown>();
  return {
    now: () => clock.now(),
    setTimeout(callback, ms) {
      const timer = clock.setTimeout(() => {
        armed.delete(timer);
        callback();
      }, ms);
      armed.add(timer);
      return timer;
    },
    clearTimeout(timer) {
      armed.delete(timer);
      clock.clearTimeout(timer);
    },
    get armed() {
      return armed.size;
    },
  };
}
