/** One run of a thread, as whoever asked for it sees it. */
import type { Observable } from 'rxjs';
import { RunInterruptedError, UserError } from '../errors.ts';
import { observableOf } from './observable.ts';
import type { Receipt, SteerOptions, SteerReceipt, Thread, ThreadEvent, ThreadRun, ThreadRunResult, ThreadText } from './types.ts';

/** What a handle needs of the thread it belongs to. */
export interface RunHome {
  thread: Pick<Thread, 'steer' | 'interrupt' | 'stopAfterTurn' | 'queue'>;
  /** Events of one run, from its first on while it goes. */
  eventsOf(handle: RunHandle): AsyncIterable<ThreadEvent>;
}

export class RunHandle implements ThreadRun {
  readonly id: string;
  readonly receipt: Promise<Receipt>;
  readonly started: Promise<string>;
  readonly result: Promise<ThreadRunResult>;
  runId: string | undefined;
  readonly #home: RunHome;
  #start!: (runId: string) => void;
  #failStart!: (error: unknown) => void;
  #settle!: (result: ThreadRunResult) => void;
  #fail!: (error: unknown) => void;

  constructor(id: string, home: RunHome, ask: (handle: RunHandle) => Promise<Receipt>) {
    this.id = id;
    this.#home = home;
    this.started = new Promise((resolve, reject) => {
      this.#start = resolve;
      this.#failStart = reject;
    });
    this.result = new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
    });
    for (const promise of [this.started, this.result]) promise.catch(() => undefined); // nobody has to await them
    this.receipt = ask(this);
    this.receipt.catch((error: unknown) => this.failed(error));
  }

  begun(runId: string): void {
    this.runId = runId;
    this.#start(runId);
  }

  settled(result: ThreadRunResult): void {
    this.#settle(result);
  }

  /** The run failed, or there will never be one. */
  failed(error: unknown): void {
    this.#failStart(error);
    this.#fail(error);
  }

  then<One = ThreadRunResult, Other = never>(onResult?: ((result: ThreadRunResult) => One | PromiseLike<One>) | null, onError?: ((error: unknown) => Other | PromiseLike<Other>) | null): Promise<One | Other> {
    return this.result.then(onResult, onError);
  }

  [Symbol.asyncIterator](): AsyncIterator<ThreadEvent> {
    return this.#home.eventsOf(this)[Symbol.asyncIterator]();
  }

  get events$(): Observable<ThreadEvent> {
    return observableOf(() => this.#home.eventsOf(this));
  }

  async steer(input: ThreadText, options: SteerOptions = {}): Promise<SteerReceipt> {
    return this.#home.thread.steer(input, { ...options, expectedRunId: await this.started });
  }

  async interrupt(): Promise<Receipt> {
    if (this.runId !== undefined) return this.#home.thread.interrupt({ expectedRunId: this.runId });
    const removed = await this.#home.thread.queue.remove(this.id);
    if (removed.status !== 'rejected' || removed.reason !== 'unknownEntry') return removed;
    return this.#home.thread.interrupt({ expectedRunId: await this.started }); // it began meanwhile
  }

  async stopAfterTurn(): Promise<Receipt> {
    return this.#home.thread.stopAfterTurn({ expectedRunId: await this.started });
  }
}

export const interrupted = (): Error => new RunInterruptedError();
export const leftQueue = (id: string): Error => new UserError(`The run ${id} left the queue before it began.`);
