/** Signals of the app that a run listens to while it goes, and not a moment longer. */
export class Signals {
  #stops: (() => void)[] = [];

  on(signal: AbortSignal | undefined, react: () => void): void {
    if (!signal) return;
    const listener = () => react();
    signal.addEventListener('abort', listener, { once: true });
    this.#stops.push(() => signal.removeEventListener('abort', listener));
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}
