/** A run that is only described: it begins when somebody wants its events or its result (I4). */
import { RunInterruptedError, UserError } from './errors.ts';

/** What a cold run is made of once it has begun. */
export interface BegunRun<Event, Result> {
  events: AsyncIterator<Event>;
  /** As `run()`: rejects when the run fails or is interrupted. */
  result(): PromiseLike<Result>;
  /** Resolves when nothing of the run is at work any more. */
  interrupt(): Promise<unknown>;
}

/**
 * Await it for its result, or iterate it, once, for its events. Nothing happens before the first `next()` or `await`; to leave the iteration
 * interrupts the run, and resolves when nothing of it is left.
 */
export class ColdRun<Event, Result> implements PromiseLike<Result>, AsyncIterable<Event> {
  readonly #begin: () => BegunRun<Event, Result> | Promise<BegunRun<Event, Result>>;
  #begun: Promise<BegunRun<Event, Result>> | undefined;
  #isRead = false;
  #isGivenUp = false;

  /** @internal Made by `stream()`. */
  constructor(begin: () => BegunRun<Event, Result> | Promise<BegunRun<Event, Result>>) {
    this.#begin = begin;
  }

  then<Then = Result, Catch = never>(
    onFulfilled?: ((result: Result) => Then | PromiseLike<Then>) | null,
    onRejected?: ((reason: unknown) => Catch | PromiseLike<Catch>) | null,
  ): Promise<Then | Catch> {
    return this.#go().then((begun) => begun.result()).then(onFulfilled, onRejected);
  }

  /** @throws UserError when somebody has it already: the run is going, and a second reader would not see it whole. */
  [Symbol.asyncIterator](): AsyncIterator<Event> {
    if (this.#isRead) throw new UserError('A cold stream is read once. Iterate it in one place, or start the run with run(…, { stream: true }).');
    this.#isRead = true;
    return {
      next: async () => {
        if (this.#isGivenUp) return { done: true, value: undefined };
        const { events } = await this.#go();
        return events.next();
      },
      return: async () => {
        await this.#giveUp();
        return { done: true, value: undefined };
      },
    };
  }

  #go(): Promise<BegunRun<Event, Result>> {
    if (!this.#begun && this.#isGivenUp) return Promise.reject(new RunInterruptedError());
    return (this.#begun ??= (async () => this.#begin())());
  }

  async #giveUp(): Promise<void> {
    this.#isGivenUp = true;
    const begun = await this.#begun?.catch(() => undefined); // it never began; whoever asked for the next event has heard why
    if (!begun) return;
    const over = begun.interrupt();
    await begun.events.return?.();
    await over;
  }
}
