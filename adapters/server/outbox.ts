/** What one client is still to be sent, bounded. */

/** One connection, as its transport gives it. */
export interface Wire {
  /** Calls `written` once the text has left this process, or cannot leave it any more. */
  send(text: string, written: () => void): void;
  close(reason: string): void;
}

export interface OutboxLimits {
  /** Messages that may wait; of those that a client may miss, half as many. */
  messages: number;
  /** Characters that may wait. */
  characters: number;
}

/** `part`: may be missed, since it comes again whole; `of` names what it is a part of. */
export type Weight = { kind: 'whole' } | { kind: 'part'; of: string } | { kind: 'end'; of: string };
interface Waiting { text: string; weight: Weight }

/** Characters that the transport is given at a time: what is beyond waits here, where it can still be dropped. */
const WINDOW = 256 * 1024;

/**
 * Messages in their order. A client that reads slowly first misses parts, from the first dropped one of an item to the item's end: what
 * it has of a text is always the text's beginning. One that cannot even take the rest is disconnected.
 */
export class Outbox {
  readonly #wire: Wire;
  readonly #limits: OutboxLimits;
  readonly #overflowed: () => void;
  #queue: Waiting[] = [];
  #characters = 0;
  #onWire = 0;
  #isClosed = false;
  /** Items of which a part was dropped. */
  #cut = new Set<string>();

  constructor(wire: Wire, limits: OutboxLimits, overflowed: () => void) {
    this.#wire = wire;
    this.#limits = limits;
    this.#overflowed = overflowed;
  }

  /** Beyond this nothing new should be begun for the client. */
  get isCrowded(): boolean {
    return this.#queue.length > this.#limits.messages / 2 || this.#characters > this.#limits.characters / 2;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  put(text: string, weight: Weight): void {
    if (this.#isClosed) return;
    if (weight.kind === 'end') this.#cut.delete(weight.of);
    if (weight.kind === 'part' && (this.#cut.has(weight.of) || this.isCrowded)) {
      this.#cut.add(weight.of);
      return;
    }
    this.#queue.push({ text, weight });
    this.#characters += text.length;
    this.#pump();
    if (this.isCrowded) this.#dropParts();
    if (this.#queue.length > this.#limits.messages || this.#characters > this.#limits.characters) this.#overflowed();
  }

  close(): void {
    this.#isClosed = true;
    this.#queue = [];
  }

  #pump(): void {
    while (this.#onWire < WINDOW) {
      const next = this.#queue.shift();
      if (!next) return;
      const { length } = next.text;
      this.#characters -= length;
      this.#onWire += length;
      this.#wire.send(next.text, () => this.#written(length));
    }
  }

  #written(length: number): void {
    this.#onWire -= length;
    if (!this.#isClosed) this.#pump();
  }

  #dropParts(): void {
    const ended = new Set<string>();
    for (const { weight } of this.#queue) if (weight.kind === 'end') ended.add(weight.of);
    this.#queue = this.#queue.filter(({ text, weight }) => {
      if (weight.kind !== 'part') return true;
      if (!ended.has(weight.of)) this.#cut.add(weight.of);
      this.#characters -= text.length;
      return false;
    });
  }
}
