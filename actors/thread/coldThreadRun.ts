/** A run of a thread that is only described: it is asked for when somebody wants its events or its result (I4). */
import type { Observable } from 'rxjs';
import { ColdRun } from '../coldRun.ts';
import type { StreamOptions } from '../eventReader.ts';
import { observableOf } from './observable.ts';
import type { RunHandle } from './runHandle.ts';
import type { Receipt, SteerOptions, SteerReceipt, ThreadEvent, ThreadRun, ThreadRunResult, ThreadText } from './types.ts';

export class ColdThreadRun extends ColdRun<ThreadEvent, ThreadRunResult> implements ThreadRun {
  readonly id: string;
  readonly #begin: () => RunHandle;

  constructor(id: string, ask: (id: string) => RunHandle, options: StreamOptions) {
    let handle: RunHandle | undefined;
    const begin = () => (handle ??= ask(id));
    super(() => {
      const begun = begin();
      return { events: begun.read({ ...options, isEager: true }), result: () => begun.result, interrupt: () => begun.interrupt().catch(() => undefined) }; // one that was refused is over
    });
    this.id = id;
    this.#begin = begin;
  }

  get receipt(): Promise<Receipt> {
    return this.#begin().receipt;
  }

  get started(): Promise<string> {
    return this.#begin().started;
  }

  get result(): Promise<ThreadRunResult> {
    return this.#begin().result;
  }

  get events$(): Observable<ThreadEvent> {
    return observableOf({
      subscribe: (observer) => {
        const subscription = this.#begin().events$.subscribe(observer);
        return () => subscription.unsubscribe();
      },
    });
  }

  steer(input: ThreadText, options?: SteerOptions): Promise<SteerReceipt> {
    return this.#begin().steer(input, options);
  }

  interrupt(): Promise<Receipt> {
    return this.#begin().interrupt();
  }

  stopAfterTurn(): Promise<Receipt> {
    return this.#begin().stopAfterTurn();
  }
}
