/** Events for one reader who may be slower, or come later, than the run. */

interface Reader<Event> { next(): Promise<IteratorResult<Event>>; stop(): void }

export class EventQueue<Event> {
  #events: Event[] = [];
  /** Read up to here; the array is cut now and then, not at every event. */
  #at = 0;
  #ending: { error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  #isStopped = false;

  push(event: Event): void {
    if (this.#isStopped || this.#ending) return;
    this.#events.push(event);
    this.#rouse();
  }

  end(): void {
    this.#ending ??= {};
    this.#rouse();
  }

  fail(error: unknown): void {
    this.#ending ??= { error };
    this.#rouse();
  }

  read(): Reader<Event> {
    return {
      next: () => this.#next(),
      stop: () => {
        this.#isStopped = true;
        this.#events = [];
        this.#at = 0;
      },
    };
  }

  async #next(): Promise<IteratorResult<Event>> {
    while (this.#at >= this.#events.length) {
      this.#events.length = 0;
      this.#at = 0;
      if (this.#ending) {
        if ('error' in this.#ending) throw this.#ending.error;
        return { done: true, value: undefined };
      }
      if (this.#isStopped) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const value = this.#events[this.#at]!;
    this.#at += 1;
    return { done: false, value };
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
