/** What a thread was told and has not answered yet. */
import type { CommandAnswer } from '../../machines/protocol/thread.ts';
import { UserError } from '../errors.ts';

interface Waiting { answer(answer: CommandAnswer): void; fail(error: unknown): void }

export class Told {
  readonly #waiting = new Map<string, Waiting>();
  #broken: { error: unknown } | undefined;

  /** Resolves when the thread answers: what was told is durable then, and has taken effect. */
  ask(id: string, tell: () => void): Promise<CommandAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#broken) return reject(this.#broken.error as Error); // whatever broke it
      if (this.#waiting.has(id)) return reject(new UserError(`${id} was told already, and is not answered yet. Give each command its own id, or none.`));
      this.#waiting.set(id, { answer: resolve, fail: reject });
      tell();
    });
  }

  answered(id: string, answer: CommandAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.answer(answer);
  }

  /** Whoever still waits is told so. */
  answerAll(answer: CommandAnswer): void {
    for (const id of [...this.#waiting.keys()]) this.answered(id, answer);
  }

  /** Nothing is answered any more. */
  fail(error: unknown): void {
    this.#broken ??= { error };
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }
}
