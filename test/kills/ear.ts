/** Hears a thread, and waits until something has happened to it. */
import type { RunEvent } from '../../index.ts';
import type { Thread } from '../../actors/thread/index.ts';

type Listener = (event: RunEvent) => void;

export class Ear {
  #listeners: Listener[] = [];
  #wake: ((event: RunEvent | undefined) => void) | undefined;
  #failure: { error: unknown } | undefined;

  constructor(thread: Thread, listener: Listener) {
    this.#listeners.push(listener);
    thread.events$.subscribe({
      next: (event) => {
        for (const one of this.#listeners) one(event);
        this.#wake?.(event);
      },
      error: (error: unknown) => {
        this.#failure = { error };
        this.#wake?.(undefined);
      },
      complete: () => this.#wake?.(undefined),
    });
  }

  onEvent(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Asked at once, at each event, and when what came with it has been applied. */
  async until(isThere: (event?: RunEvent) => boolean): Promise<void> {
    for (let isMet = isThere(); !isMet;) {
      const event = await new Promise<RunEvent | undefined>((resolve) => (this.#wake = resolve));
      if (this.#failure) throw this.#failure.error as Error; // whatever broke the thread
      isMet = isThere(event);
      if (isMet) return;
      await new Promise((resolve) => setImmediate(resolve));
      isMet = isThere();
    }
  }
}
