import type { RegisteredActor } from './register.ts';

/** One connection to somebody who watches. */
export interface Wire {
  /** Calls `sent` once the text has left this process, or cannot leave it any more. */
  send(text: string, sent: () => void): void;
  /** Bytes accepted and not sent yet. */
  waiting(): number;
}

export interface LinkOptions {
  /** All actors, oldest first; read again whenever the watcher has to start over. */
  actors: () => Iterable<RegisteredActor>;
  announcement: (actor: RegisteredActor) => string;
  /** Bytes that may wait for the watcher. */
  mostWaiting: number;
}

/**
 * Tells one watcher of all actors, the earlier ones first, and then of what they do. What an actor does before it has been
 * announced is not told: the announcement, when its turn comes, carries the snapshot of that moment. A watcher that cannot keep
 * up misses what happens meanwhile and is then told of all actors again, so it is late but never wrong, and memory stays bounded.
 */
export class Link {
  readonly #wire: Wire;
  readonly #options: LinkOptions;
  readonly #announced = new Set<string>();
  #queue: RegisteredActor[];
  #position = 0;
  #isPausing = false;
  #isEnded = false;

  constructor(wire: Wire, options: LinkOptions) {
    this.#wire = wire;
    this.#options = options;
    this.#queue = [...options.actors()];
    this.#pump();
  }

  announce(actor: RegisteredActor): void {
    this.#queue.push(actor);
    this.#pump();
  }

  /** Whether the watcher has been told of the actor, and so may be told what it does. */
  knows(sessionId: string): boolean {
    return this.#announced.has(sessionId);
  }

  forget(sessionId: string): void {
    this.#announced.delete(sessionId);
  }

  tell(message: string): void {
    if (this.#wire.waiting() > this.#options.mostWaiting) this.#startOver();
    else this.#send(message);
  }

  end(): void {
    this.#isEnded = true;
    this.#queue = [];
  }

  #startOver(): void {
    this.#announced.clear();
    this.#queue = [...this.#options.actors()];
    this.#position = 0;
    this.#isPausing = true;
  }

  /** Announces as fast as the watcher takes it: written all at once, thousands of charts would fill the memory. */
  #pump(): void {
    while (!this.#isPausing && this.#position < this.#queue.length) {
      const actor = this.#queue[this.#position]!;
      this.#position += 1;
      this.#announced.add(actor.sessionId);
      this.#isPausing = this.#wire.waiting() > CHUNK_BYTES;
      this.#send(this.#options.announcement(actor));
    }
    if (this.#position < this.#queue.length) return;
    this.#queue = [];
    this.#position = 0;
  }

  #send(text: string): void {
    this.#wire.send(text, () => {
      if (!this.#isPausing || this.#isEnded || this.#wire.waiting() > CHUNK_BYTES) return;
      this.#isPausing = false;
      this.#pump();
    });
  }
}

const CHUNK_BYTES = 256 * 1024;
