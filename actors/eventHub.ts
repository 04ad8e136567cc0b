/** Events of a run or a thread for whoever wants them: listeners at once, readers at their own pace; and the brake for a run that runs ahead of them. */
import { type EventKinds, EventReader, type ReaderOptions } from './eventReader.ts';
import type { RunEvent } from './runEvents.ts';

export interface EventObserver<Event> {
  next(event: Event): void;
  /** There are no more. */
  complete?(): void;
  /** There are no more, because of this. */
  error?(error: unknown): void;
}

export interface ReadOptions<Event> extends ReaderOptions<Event> {
  /** Lifecycle events from this number on, as far as they are kept. Default: those that come after the reader was made. */
  from?: number;
  /** Everything that comes is kept for it, deltas too, also before it begins to read. Default: it hears deltas once it reads. */
  isEager?: boolean;
  /** Ends the reading. */
  signal?: AbortSignal;
}

export interface HubKinds<Event> extends EventKinds<Event> {
  /** Of a lifecycle event: by it the event can be read again (I6). Nothing is kept without. */
  numberOf?(event: Event): number;
  /** What begins or ends with the event: as long as something lives, its events are kept. */
  spanOf?(event: Event): { id: string; edge: 'begin' | 'end' } | undefined;
}

export class EventHub<Event> {
  readonly #kinds: HubKinds<Event>;
  readonly #observers = new Set<EventObserver<Event>>();
  readonly #readers = new Set<EventReader<Event>>();
  /** Readers that have not begun: what they are to read is kept while somebody has them in hand. */
  #expected: { reader: WeakRef<EventReader<Event>>; from: number; until?: (event: Event) => boolean }[] = [];
  /** Lifecycle events of what lives. */
  #kept: { number: number; event: Event }[] = [];
  /** Number of the first event of what lives, by its id. */
  readonly #spans = new Map<string, number>();
  #last = 0;
  /** Of readers that have left. */
  #before = { highWater: 0, dropped: 0 };
  #hasPaced = false;
  #isUnblocked = false;
  #ending: { error?: unknown } | undefined;

  constructor(kinds: HubKinds<Event>) {
    this.#kinds = kinds;
  }

  /** The most events that have waited for one reader. */
  get highWater(): number {
    return Math.max(this.#before.highWater, ...[...this.#readers].map((reader) => reader.highWater));
  }

  /** Deltas that were left out for readers, over all of them. */
  get dropped(): number {
    return this.#before.dropped + [...this.#readers].reduce((sum, reader) => sum + reader.dropped, 0);
  }

  /** Number of the first lifecycle event that can be read again here; older ones are in the journal. */
  get oldest(): number {
    return this.#kept[0]?.number ?? this.#last + 1;
  }

  publish(event: Event): void {
    if (this.#ending) return;
    if (this.#kinds.numberOf && !this.#kinds.isDelta(event)) this.#keep(event, this.#kinds.numberOf(event));
    for (const observer of this.#observers) observer.next(event);
    for (const reader of this.#readers) reader.push(event);
  }

  /** Hears everything from now on, at once. @returns unsubscribes; the run takes no notice. */
  subscribe(observer: EventObserver<Event>): () => void {
    if (this.#ending) tellEnd(observer, this.#ending);
    else this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  /** A consumer of its own: what it does with its events is no matter to the others. */
  read({ from = this.#last + 1, isEager = false, signal, ...options }: ReadOptions<Event> = {}): EventReader<Event> {
    const begin = (reader: EventReader<Event>) => {
      this.#expectNoMore(reader);
      for (const { number, event } of this.#kept) if (number >= from) reader.push(event);
      this.#join(reader);
    };
    const leave = () => void reader.return();
    const reader = new EventReader<Event>(this.#kinds, options, {
      begun: (one) => void (isEager || begin(one)),
      left: (one) => {
        this.#leave(one);
        signal?.removeEventListener('abort', leave);
      },
    });
    if (isEager) begin(reader);
    else this.#expected.push({ reader: new WeakRef(reader), from, until: options.until });
    if (signal?.aborted) leave();
    else signal?.addEventListener('abort', leave, { once: true });
    return reader;
  }

  /** All that the reader will read is there, and is its own from now on: nothing is kept for it any more. */
  give(reader: EventReader<Event>): void {
    const expected = this.#expected.find((one) => one.reader.deref() === reader);
    if (!expected) return; // it has begun to read
    for (const { number, event } of this.#kept) if (number >= expected.from) reader.push(event);
    this.#expectNoMore(reader);
    this.#forget();
  }

  /**
   * Asked before each turn: nothing when it may begin, else resolves when all who read are done with what came before it, or when the
   * signal fires (J4). The first turn waits for nobody: no reader can be a turn behind.
   */
  pace(signal?: AbortSignal): Promise<void> | undefined {
    const isFirst = !this.#hasPaced;
    this.#hasPaced = true;
    if (isFirst || this.#isUnblocked || signal?.aborted) return undefined;
    const behind = [...this.#readers].filter((reader) => reader.isBehind);
    if (behind.length === 0) return undefined;
    return new Promise((resolve) => {
      const go = () => {
        signal?.removeEventListener('abort', go);
        resolve();
      };
      signal?.addEventListener('abort', go, { once: true });
      void Promise.all(behind.map((reader) => reader.caughtUp())).then(go);
    });
  }

  /** From now on nothing waits for readers: somebody waits for the end instead. */
  unblock(): void {
    if (this.#isUnblocked) return;
    this.#isUnblocked = true;
    for (const reader of this.#readers) reader.letGo();
  }

  end(): void {
    this.#finish({});
  }

  fail(error: unknown): void {
    this.#finish({ error });
  }

  #join(reader: EventReader<Event>): void {
    this.#readers.add(reader);
    if (this.#ending) reader.end(this.#ending);
  }

  #leave(reader: EventReader<Event>): void {
    this.#expectNoMore(reader);
    if (!this.#readers.delete(reader)) return;
    const { highWater, dropped } = this.#before;
    this.#before = { highWater: Math.max(highWater, reader.highWater), dropped: dropped + reader.dropped };
  }

  #expectNoMore(reader: EventReader<Event>): void {
    this.#expected = this.#expected.filter((one) => one.reader.deref() !== reader);
  }

  #finish(ending: { error?: unknown }): void {
    if (this.#ending) return;
    this.#ending = ending;
    for (const reader of this.#readers) reader.end(ending);
    for (const observer of this.#observers) tellEnd(observer, ending);
    this.#observers.clear();
  }

  #keep(event: Event, number: number): void {
    this.#last = number;
    this.#kept.push({ number, event });
    const span = this.#kinds.spanOf?.(event);
    if (span?.edge === 'begin' && !this.#spans.has(span.id)) this.#spans.set(span.id, number);
    if (span?.edge !== 'end' || !this.#spans.delete(span.id)) return;
    this.#handOver(event);
    this.#forget();
  }

  /** Whoever has not begun to read, and has its last event now, gets all that it is to read: nothing is kept for it any more. */
  #handOver(last: Event): void {
    for (const { reader, from, until } of this.#expected) {
      if (!until?.(last)) continue;
      for (const { number, event } of this.#kept) if (number >= from) reader.deref()?.push(event);
    }
    this.#expected = this.#expected.filter(({ until }) => !until?.(last));
  }

  /** What neither lives nor is waited for is read from the journal from now on. */
  #forget(): void {
    this.#expected = this.#expected.filter(({ reader }) => reader.deref());
    const first = Math.min(this.#last + 1, ...this.#spans.values(), ...this.#expected.map(({ from }) => from));
    this.#kept = this.#kept.filter(({ number }) => number >= first);
  }
}

function tellEnd<Event>(observer: EventObserver<Event>, ending: { error?: unknown }): void {
  if ('error' in ending) observer.error?.(ending.error);
  else observer.complete?.();
}

/** For the numbered events of runs and threads. */
export const runEventHub = (): EventHub<RunEvent> =>
  new EventHub<RunEvent>({
    isDelta: ({ number }) => typeof number === 'string',
    numberOf: ({ number }) => number as number, // only deltas have another
    gap: ({ number, at, cause, path, agent }, dropped) => ({ number, at, cause, type: 'deltas.dropped', path, agent, dropped }),
    spanOf: ({ type, path }) => {
      if (path.includes('/agent.')) return undefined; // a nested run lives no longer than the one around it
      if (type === 'input.accepted' || type === 'run.started') return { id: path, edge: 'begin' };
      return type === 'run.settled' ? { id: path, edge: 'end' } : undefined;
    },
  });
