/** Events of a thread that is not open yet: kept until somebody listens. */
import type { ThreadEvent } from '../../actors/thread/types.ts';

export class Feed {
  #kept: ThreadEvent[] = [];
  #listener: ((event: ThreadEvent) => void) | undefined;

  readonly onEvent = (event: ThreadEvent): void => {
    if (this.#listener) this.#listener(event);
    else this.#kept.push(event);
  };

  /** @returns what has happened so far; the rest goes to the listener. */
  listen(listener: (event: ThreadEvent) => void): ThreadEvent[] {
    this.#listener = listener;
    return this.#kept.splice(0);
  }
}
