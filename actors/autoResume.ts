/** A run that failed on something that may pass, or at a limit with work left, is gone on with from its state (K6). */
import type { Failure } from '../machines/protocol/failure.ts';
import { systemClock } from './clock.ts';
import type { ExecutionOptions } from './execution.ts';
import type { Attempt } from './launch.ts';
import { ModelError } from './errors.ts';
import { STREAM_ENDED, normalizeModelError } from './modelErrorFacts.ts';
import type { ModelRetryBackoffSettings } from './ports.ts';
import type { StreamControl } from './result.ts';
import { backoffDelay } from './retryPolicies.ts';
import type { RunState } from './runState.ts';

type Promisable<T> = T | Promise<T>;

/** What is told before each going on. */
export interface AutoResumeEvent {
  type: 'resuming';
  /** 1 for the first time that the run is gone on with. */
  attempt: number;
  /** Pause before it, in ms. */
  delayMs: number;
  error: unknown;
  state: RunState<any, any>; // `any`: whatever run it is an option of
}
export interface AutoResumeOptions {
  /** How often the run is gone on with at most. */
  maxAttempts: number;
  /** Default: 250 ms, doubled each time up to 8 s, less up to half. */
  backoff?: ModelRetryBackoffSettings;
  /** Default: connection errors, timeouts, HTTP 408, 409, 429 and 5xx; and `maxTurns`, with as many turns again. Never asked after an interrupt or a stop. */
  retryIf?: (error: unknown, details: { attempt: number; state: RunState<any, any> }) => Promisable<boolean>; // `any`: as above
  onEvent?: (event: AutoResumeEvent) => void;
}

interface Steps {
  again(maxTurns?: number): Attempt;
  finish(attempt: Attempt): Promise<void>;
}

export class Recovery implements StreamControl {
  readonly #options: AutoResumeOptions;
  readonly #run: ExecutionOptions;
  readonly #stop = new AbortController();
  #present: Attempt | undefined;

  constructor(options: AutoResumeOptions, run: ExecutionOptions) {
    this.#options = options;
    this.#run = run;
  }

  /** @throws what the last attempt threw; its state is the newest. */
  async watch(first: Attempt, { again, finish }: Steps): Promise<void> {
    this.#present = first;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await finish(this.#present);
      } catch (error) {
        const delayMs = await this.#delay(error, attempt);
        if (delayMs === undefined) throw error;
        this.#options.onEvent?.({ type: 'resuming', attempt, delayMs, error, state: this.#present.execution.state });
        if (!(await this.#pause(delayMs))) throw error;
        this.#present = again(this.#moreTurns());
      }
    }
  }

  softStop(): unknown {
    this.#stop.abort();
    return this.#present?.execution.softStop();
  }

  interrupt(): Promise<unknown> {
    this.#stop.abort();
    return this.#present?.execution.interrupt() ?? Promise.resolve(false);
  }

  get #failure(): Failure | undefined {
    const { outcome } = this.#present!.execution;
    return outcome?.status === 'failed' ? outcome.failure : undefined;
  }

  /** Nothing for what is not gone on with. */
  async #delay(error: unknown, attempt: number): Promise<number | undefined> {
    const { maxAttempts, backoff, retryIf } = this.#options;
    const failure = this.#failure;
    if (!failure || attempt > maxAttempts || this.#isStopped) return undefined;
    const state = this.#present!.execution.state;
    if (!(retryIf ? await retryIf(error, { attempt, state }) : mayPass(failure, error))) return undefined;
    const { retryAfterMs } = normalizeModelError(causeOf(error));
    return failure.code === 'maxTurns' ? 0 : backoffDelay({ attempt, backoff, retryAfterMs });
  }

  /** A limit that stood in the way is moved on by as much again (B1). */
  #moreTurns(): number | undefined {
    const { execution } = this.#present!;
    if (this.#failure?.code !== 'maxTurns') return undefined;
    const { maxTurns } = execution.progress;
    return maxTurns === null ? undefined : maxTurns + (this.#run.options.maxTurns ?? maxTurns);
  }

  get #isStopped(): boolean {
    const { signal, stopSignal } = this.#run.options;
    return this.#stop.signal.aborted || signal?.aborted === true || stopSignal?.aborted === true;
  }

  /** False when somebody stopped it meanwhile. */
  #pause(ms: number): Promise<boolean> {
    const { signal, stopSignal, clock = this.#run.config.clock ?? systemClock } = this.#run.options;
    const signals = [signal, stopSignal, this.#stop.signal].filter((one) => one !== undefined);
    return new Promise((resolve) => {
      const end = (goesOn: boolean) => {
        clock.clearTimeout(timer);
        for (const one of signals) one.removeEventListener('abort', stopped);
        resolve(goesOn);
      };
      const stopped = () => end(false);
      const timer = clock.setTimeout(() => end(true), ms);
      for (const one of signals) one.addEventListener('abort', stopped, { once: true });
    });
  }
}

/** Under the error of the library is that of the provider. */
const causeOf = (error: unknown): unknown => (error instanceof Error && error.cause ? error.cause : error);

function mayPass({ code }: Failure, error: unknown): boolean {
  if (code === 'maxTurns' || code === 'modelTimeout') return true;
  if (code !== 'model' && code !== 'compaction') return false;
  const { isNetworkError, isAbort, statusCode } = normalizeModelError(causeOf(error));
  if (isAbort) return false;
  if (error instanceof ModelError && error.code === STREAM_ENDED) return true;
  return isNetworkError || (statusCode !== undefined && (statusCode === 408 || statusCode === 409 || statusCode === 429 || statusCode >= 500));
}
