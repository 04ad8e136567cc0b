/** What a thread has told, in whichever process, for those who read it: once, in order, from now on or from a number on. */
import type { ThreadEvent } from 'loopchart/thread';
import type { EventObserver } from '../../../actors/eventHub.ts';
import { EventList } from '../../scenarios/support/scenario.ts';

export class ToldEvents extends EventList {
  readonly #observers = new Set<EventObserver<ThreadEvent>>();
  #isOver = false;
  #end: () => void = () => undefined;
  readonly ended = new Promise<void>((resolve) => { this.#end = resolve; });

  override push(event: ThreadEvent): void {
    super.push(event);
    for (const observer of [...this.#observers]) observer.next(event);
  }

  /** There are no more. */
  end(): void {
    this.#isOver = true;
    this.#end();
    for (const observer of [...this.#observers]) observer.complete?.();
    this.#observers.clear();
  }

  /** @returns unsubscribes. */
  subscribe(observer: EventObserver<ThreadEvent>): () => void {
    if (this.#isOver) observer.complete?.();
    else this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  /** Lifecycle events from a number on, and then all that comes. */
  async *from(number: number, signal?: AbortSignal): AsyncGenerator<ThreadEvent> {
    const now = this.told.length;
    for (const event of this.all.slice(number - 1)) yield event;
    yield* this.after(now, signal);
  }

  /** All that is told from this place on. */
  async *after(place: number, signal?: AbortSignal): AsyncGenerator<ThreadEvent> {
    for (let at = place; ; at += 1) {
      while (at >= this.told.length) {
        if (this.#isOver || signal?.aborted) return;
        await this.#more(signal);
      }
      yield this.told[at]!;
    }
  }

  #more(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => (stop(), resolve());
      const stop = this.subscribe({ next: go, complete: go });
      signal?.addEventListener('abort', go, { once: true });
    });
  }
}
