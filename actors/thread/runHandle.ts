/** One run of a thread, as whoever asked for it sees it. */
import type { Observable } from 'rxjs';
import type { EventHub, EventObserver } from '../eventHub.ts';
import type { EventReader, StreamOptions } from '../eventReader.ts';
import { observableOf } from './observable.ts';
import type { Receipt, SteerOptions, SteerReceipt, Thread, ThreadEvent, ThreadRun, ThreadRunResult, ThreadText } from './types.ts';

/** What a handle needs of the thread it belongs to. */
export interface RunHome {
  thread: Pick<Thread, 'steer' | 'interrupt' | 'stopAfterTurn' | 'queue'>;
  hub: EventHub<ThreadEvent>;
}

export class RunHandle implements ThreadRun {
  readonly id: string;
  readonly receipt: Promise<Receipt>;
  readonly started: Promise<string>;
  readonly result: Promise<ThreadRunResult>;
  readonly events$: Observable<ThreadEvent>;
  #runId: string | undefined;
  readonly #home: RunHome;
  /** What the first reader is to read is kept for it from now on. */
  readonly #first: EventReader<ThreadEvent>;
  #isRead = false;
  /** All that there is to be told of it has been told. */
  #isOver = false;
  /** Those who read before it has begun: where it never does, there is nothing for them. */
  #early: AsyncIterator<ThreadEvent>[] = [];
  #start!: (runId: string) => void;
  #failStart!: (error: unknown) => void;
  #settle!: (result: ThreadRunResult) => void;
  #fail!: (error: unknown) => void;

  constructor(id: string, home: RunHome, ask: (handle: RunHandle) => Promise<Receipt>) {
    this.id = id;
    this.#home = home;
    this.#first = this.read();
    this.events$ = observableOf({ subscribe: (observer) => this.#subscribe(observer) });
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
    this.#runId = runId;
    this.#early = [];
    this.#start(runId);
  }

  settled(result: ThreadRunResult): void {
    this.#home.hub.give(this.#first);
    this.#isOver = true;
    this.#settle(result);
  }

  /** The run failed, or there will never be one. */
  failed(error: unknown): void {
    this.#isOver = true;
    this.#failStart(error);
    this.#fail(error);
    for (const reader of this.#early.splice(0)) void reader.return?.();
    if (this.#runId !== undefined) this.#home.hub.give(this.#first);
  }

  then<One = ThreadRunResult, Other = never>(onResult?: ((result: ThreadRunResult) => One | PromiseLike<One>) | null, onError?: ((error: unknown) => Other | PromiseLike<Other>) | null): Promise<One | Other> {
    return this.result.then(onResult, onError);
  }

  [Symbol.asyncIterator](): AsyncIterator<ThreadEvent> {
    if (this.#isRead) return this.read();
    this.#isRead = true;
    return this.#first;
  }

  /** @param isEager everything is kept for the reader, deltas too, before it begins to read. */
  read(options: StreamOptions & { isEager?: boolean } = {}): EventReader<ThreadEvent> {
    const reader = this.#home.hub.read({ ...options, only: (event) => this.#isOfRun(event), until: (event) => this.#endsRun(event) });
    if (this.#isOver) void reader.return();
    else if (this.#runId === undefined) this.#early.push(reader);
    return reader;
  }

  async steer(input: ThreadText, options: SteerOptions = {}): Promise<SteerReceipt> {
    return this.#home.thread.steer(input, { ...options, expectedRunId: await this.started });
  }

  async interrupt(): Promise<Receipt> {
    if (this.#runId === undefined) {
      await this.receipt;
      const left = this.#runId === undefined ? await this.#home.thread.queue.remove(this.id) : undefined;
      if (left?.status === 'accepted') return left;
    }
    return this.#home.thread.interrupt({ expectedRunId: await this.started });
  }

  async stopAfterTurn(): Promise<Receipt> {
    return this.#home.thread.stopAfterTurn({ expectedRunId: await this.started });
  }

  #subscribe(observer: EventObserver<ThreadEvent>): () => void {
    const stop = this.#home.hub.subscribe({
      ...observer,
      next: (event) => {
        if (this.#isOfRun(event)) observer.next(event);
        if (!this.#endsRun(event)) return;
        stop();
        observer.complete?.();
      },
    });
    const end = () => (stop(), observer.complete?.());
    if (this.#isOver) end();
    else void this.started.catch(end);
    return stop;
  }

  readonly #isOfRun = ({ path }: ThreadEvent): boolean => this.#runId !== undefined && (path === this.#runId || path.startsWith(`${this.#runId}/`));
  readonly #endsRun = ({ type, path }: ThreadEvent): boolean => type === 'run.settled' && path === this.#runId;
}

/** Nothing is left on the signal when the run is over. */
export function interruptOn(signal: AbortSignal, handle: RunHandle): void {
  const interrupt = () => void handle.interrupt().catch(() => undefined); // one that was refused is over
  if (signal.aborted) return interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  const leave = () => signal.removeEventListener('abort', interrupt);
  void handle.result.then(leave, leave);
}
