/** One consumer of events, at its own pace: what it has not read yet waits here, within bounds (I5). */

export interface StreamOptions {
  /**
   * What becomes of a run whose reader is slow (I5): `block`, the default, lets the next turn wait while the reader is a turn behind;
   * `dropDeltas` drops what is not replayed once so many events wait. Lifecycle events are never dropped.
   */
  backPressure?: 'block' | 'dropDeltas';
  /** Events that may wait before deltas are dropped. Default 1,024. */
  buffer?: number;
}

/** What of events can be left out, and what is told in its place. */
export interface EventKinds<Event> {
  /** Told once and not read again: a delta, or how far a body has come. */
  isDelta(event: Event): boolean;
  /** Tells a reader how many deltas were left out for it, the first of which is given. */
  gap?(first: Event, dropped: number): Event;
}

export interface ReaderOptions<Event> extends StreamOptions {
  /** Events that this consumer has a use for. Default: all. */
  only?: (event: Event) => boolean;
  /** The last event that it has a use for. */
  until?: (event: Event) => boolean;
}

type Ending = { error?: unknown };

/**
 * Iterate it once. To leave the iteration unsubscribes: nothing waits for it any more. Until its first `next()` it has not begun, and nothing
 * waits for it either.
 */
export class EventReader<Event> implements AsyncIterableIterator<Event> {
  readonly #kinds: EventKinds<Event>;
  readonly #options: ReaderOptions<Event>;
  readonly #owner: { begun(reader: EventReader<Event>): void; left(reader: EventReader<Event>): void };
  #events: Event[] = [];
  /** Read up to here; the array is cut now and then, not at every event. */
  #at = 0;
  #taken = 0;
  #dropped = 0;
  /** What was left out since the last event that was kept. */
  #gap: { first: Event; count: number } | undefined;
  #highWater = 0;
  #isBegun = false;
  #ending: Ending | undefined;
  #wake: (() => void) | undefined;
  #waiting: { until: number; go: () => void }[] = [];

  /** @internal Made by an `EventHub`. */
  constructor(kinds: EventKinds<Event>, options: ReaderOptions<Event>, owner: { begun(reader: EventReader<Event>): void; left(reader: EventReader<Event>): void }) {
    this.#kinds = kinds;
    this.#options = options;
    this.#owner = owner;
  }

  /** Deltas that were left out because the buffer was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Events that wait to be read. */
  get unread(): number {
    return this.#events.length - this.#at;
  }

  /** The most that have ever waited. */
  get highWater(): number {
    return this.#highWater;
  }

  /** @internal It is to be waited for: it reads, and has not asked for more since the last event that it was given. */
  get isBehind(): boolean {
    return this.#isBegun && !this.#wake && this.#options.backPressure !== 'dropDeltas' && !this.#ending;
  }

  /** @internal */
  push(event: Event): void {
    const { only, until, backPressure, buffer = 1_024 } = this.#options;
    if (this.#ending || (only && !only(event))) return;
    if (backPressure === 'dropDeltas' && this.unread >= buffer && this.#kinds.isDelta(event)) return this.#drop(event);
    this.#tellGap();
    this.#events.push(event);
    this.#highWater = Math.max(this.#highWater, this.unread);
    if (until?.(event)) this.end({});
    this.#rouse();
  }

  /** @internal What waits is read before the end. */
  end(ending: Ending): void {
    this.#ending ??= ending;
    this.letGo();
    this.#rouse();
  }

  /** @internal Whoever waits for it waits no longer. */
  letGo(): void {
    for (const { go } of this.#waiting.splice(0)) go();
  }

  /** @internal Resolves when it is done with all that waits now, or never will be. */
  caughtUp(): Promise<void> {
    return new Promise((go) => this.#waiting.push({ until: this.#taken + this.unread, go }));
  }

  async next(): Promise<IteratorResult<Event>> {
    if (!this.#isBegun) {
      this.#isBegun = true;
      if (!this.#ending) this.#owner.begun(this);
    }
    while (this.#waiting.length > 0 && this.#waiting[0]!.until <= this.#taken) this.#waiting.shift()!.go();
    while (this.unread === 0) {
      if (this.#gap) this.#tellGap();
      else if (this.#ending) return this.#over(this.#ending);
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return { done: false, value: this.#take() };
  }

  async return(): Promise<IteratorResult<Event>> {
    this.#clear();
    this.#gap = undefined;
    this.end({});
    this.#owner.left(this);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): Event {
    const value = this.#events[this.#at]!;
    this.#at += 1;
    this.#taken += 1;
    if (this.unread === 0) this.#clear();
    return value;
  }

  /** An error is thrown once; after it there is nothing. */
  #over(ending: Ending): IteratorResult<Event> {
    this.#owner.left(this);
    if (!('error' in ending)) return { done: true, value: undefined };
    this.#ending = {};
    throw ending.error;
  }

  #drop(event: Event): void {
    this.#dropped += 1;
    this.#gap ??= { first: event, count: 0 };
    this.#gap.count += 1;
  }

  #tellGap(): void {
    const gap = this.#gap;
    this.#gap = undefined;
    const told = gap && this.#kinds.gap?.(gap.first, gap.count);
    if (told) this.#events.push(told);
  }

  #clear(): void {
    this.#events.length = 0;
    this.#at = 0;
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
