/** Runs whose time is limited by a hard deadline, and the timers that end them (B2). */
import type { Clock } from '../ports.ts';
import type { RunScope } from '../scope.ts';

export class Deadlines {
  readonly #clock: Clock;
  readonly #end: (runId: string) => void;
  readonly #scopes = new Map<string, RunScope>();
  readonly #timers = new Map<string, unknown>();
  /** What is replayed arms nothing before it goes on. */
  #isLive = false;

  /** @param end what is to happen to a run whose time is over. */
  constructor(clock: Clock, end: (runId: string) => void) {
    this.#clock = clock;
    this.#end = end;
  }

  begun(scope: RunScope): void {
    this.#scopes.set(scope.runId, scope);
    if (this.#isLive) this.#arm(scope);
  }

  /** What was left when another process had the thread is left now; what is overdue ends at once (O6). */
  goOn(): void {
    this.#isLive = true;
    for (const scope of this.#scopes.values()) this.#arm(scope);
  }

  ended(runId: string): void {
    this.#clock.clearTimeout(this.#timers.get(runId));
    this.#timers.delete(runId);
    this.#scopes.delete(runId);
  }

  clear(): void {
    for (const runId of [...this.#scopes.keys()]) this.ended(runId);
  }

  #arm({ runId, ledger }: RunScope): void {
    const left = ledger.untilDeadline(this.#clock.now());
    if (left === undefined || this.#timers.has(runId)) return;
    if (left <= 0) return this.#end(runId);
    this.#timers.set(runId, this.#clock.setTimeout(() => this.#end(runId), left));
  }
}
