/** What became of input that was accepted (L1). */
import type { Delivery, ThreadEvent } from './types.ts';

export class Deliveries {
  readonly #waiting = new Map<string, (delivery: Delivery) => void>();

  /** Resolves when the first of them is about to be read; they are delivered together. */
  of([first]: string[]): Promise<Delivery> {
    return new Promise((resolve) => this.#waiting.set(first!, resolve)); // a steer has at least one
  }

  heard(event: ThreadEvent): void {
    if (event.type === 'input.delivered') this.#tell(event.ids, { status: 'delivered', runId: runOf(event.path), turn: event.turn });
    else if (event.type === 'input.dropped') this.#tell(event.ids, { status: 'dropped', reason: event.reason });
    else if (event.type === 'command.answered' && event.answer.status === 'rejected') this.#waiting.delete(event.id);
  }

  /** Nothing is delivered any more. */
  end(): void {
    for (const tell of this.#waiting.values()) tell({ status: 'dropped', reason: 'released' });
    this.#waiting.clear();
  }

  #tell(ids: readonly string[], delivery: Delivery): void {
    for (const id of ids) {
      this.#waiting.get(id)?.(delivery);
      this.#waiting.delete(id);
    }
  }
}

/** `<threadId>/run.2/agent.1` is of the second run. */
const runOf = (path: string): string => path.split('/').slice(0, 2).join('/');
