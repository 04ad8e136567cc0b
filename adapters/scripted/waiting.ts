/** Waiting that an abort ends at once, on whatever clock. */
import type { Clock } from '../../actors/ports.ts';
import { abortError } from './failures.ts';

/** Resolves after `ms` on `clock`; rejects with an `AbortError` when `signal` aborts first. Leaves no timer and no listener. */
export function wait(ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortError(signal));
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', giveUp);
      resolve();
    }, ms);
    function giveUp() {
      clock.clearTimeout(timer);
      reject(abortError(signal));
    }
    signal?.addEventListener('abort', giveUp, { once: true });
  });
}
