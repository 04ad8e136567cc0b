/** Signals of the app that a run listens to while it goes, and its deadline; and not a moment longer. */
import type { Clock } from './ports.ts';

export class Signals {
  #stops: (() => void)[] = [];

  on(signal: AbortSignal | undefined, react: () => void): void {
    if (!signal) return;
    const listener = () => react();
    signal.addEventListener('abort', listener, { once: true });
    this.#stops.push(() => signal.removeEventListener('abort', listener));
  }

  /** @param ms nothing for what never comes. */
  after(clock: Clock, ms: number | undefined, react: () => void): void {
    if (ms === undefined) return;
    const timer = clock.setTimeout(react, Math.max(0, ms));
    this.#stops.push(() => clock.clearTimeout(timer));
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}
