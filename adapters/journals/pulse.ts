/** When to look again: somebody said that something came, or some time has passed. */

/**
 * A beat that comes while nobody waits is not lost. Keeps no process alive.
 */
export class Pulse {
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal;
  #isDue = false;
  #wake: (() => void) | undefined;

  constructor(everyMs: number, signal: AbortSignal) {
    this.#timer = setInterval(this.beat, everyMs).unref();
    this.#signal = signal;
    signal.addEventListener('abort', this.beat);
  }

  readonly beat = (): void => {
    this.#isDue = true;
    this.#wake?.();
  };

  async next(): Promise<void> {
    if (!this.#isDue && !this.#signal.aborted) await new Promise<void>((resolve) => { this.#wake = resolve; });
    this.#wake = undefined;
    this.#isDue = false;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#signal.removeEventListener('abort', this.beat);
  }
}

interface Follower { beat: () => void }

/** The tails of a journal, by the run that they follow. */
export class Followers {
  readonly #byRun = new Map<string, Set<Follower>>();

  add(runId: string, follower: Follower): void {
    this.#byRun.set(runId, (this.#byRun.get(runId) ?? new Set()).add(follower));
  }

  delete(runId: string, follower: Follower): void {
    const followers = this.#byRun.get(runId);
    followers?.delete(follower);
    if (followers?.size === 0) this.#byRun.delete(runId);
  }

  /** Something came, here: they need not wait until they look again. */
  wake(runId: string): void {
    for (const follower of this.#byRun.get(runId) ?? []) follower.beat();
  }
}
