/** What clients were asked and have not answered, under the ids of the requests. */
import type { Answer } from './connection.ts';
import type { RequestId } from './shapes.ts';

/** First answer wins; later ones, and those to nothing, mean nothing. */
export class AskBook {
  #last = 0;
  readonly #open = new Map<RequestId, (answer: Answer) => void>();

  add(answered: (answer: Answer) => void): RequestId {
    const id = this.#last;
    this.#last += 1;
    this.#open.set(id, answered);
    return id;
  }

  /** Gives up on an answer. */
  remove(id: RequestId): void {
    this.#open.delete(id);
  }

  answered(id: RequestId, answer: Answer): void {
    const taken = this.#open.get(id);
    this.#open.delete(id);
    taken?.(answer);
  }
}
