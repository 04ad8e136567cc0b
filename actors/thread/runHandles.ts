/** The handles of runs that somebody has asked for: found by their input until they begin, then by their run. */
import type { LoopEvent } from '../../machines/protocol/event.ts';
import type { RunOutcome } from '../../machines/protocol/outcome.ts';
import type { QueueEntry } from '../../machines/protocol/thread.ts';
import { RunInterruptedError, UserError } from '../errors.ts';
import { BudgetExceededError } from '../limitErrors.ts';
import type { RunScope } from '../scope.ts';
import { errorOf } from '../toError.ts';
import type { RunHandle } from './runHandle.ts';
import { resultOf, undeliveredOf } from './runResult.ts';
import type { RunEnd } from './threadExecution.ts';
import type { Receipt, ThreadEvent } from './types.ts';

export class RunHandles {
  readonly #asked = new Map<string, RunHandle>();
  readonly #going = new Map<string, RunHandle[]>();
  /** Of the handles, those that wait in the queue. */
  #queued = new Set<string>();

  add(handle: RunHandle): void {
    if (this.#asked.has(handle.id)) throw new UserError(`There is an input ${handle.id} already. Give each its own id, or none.`);
    this.#asked.set(handle.id, handle);
  }

  adopt(handle: RunHandle, runId: string): void {
    this.#attach(handle, runId);
  }

  /** The handle of whoever began the run. */
  of(runId: string): RunHandle | undefined {
    return this.#going.get(runId)?.[0];
  }

  begun({ ids, path, source }: Extract<ThreadEvent, { type: 'input.accepted' }>): void {
    if (!source) return; // it joins a run that is going
    for (const id of ids) {
      const handle = this.#asked.get(id);
      if (handle) this.#attach(handle, path);
    }
  }

  /** Its input joined a run that was going already. */
  join(id: string, runId: string | undefined): void {
    const handle = this.#asked.get(id);
    if (handle && runId !== undefined) this.#attach(handle, runId);
  }

  /** One that is no longer in the queue, and has not begun, was removed from it. */
  queued(queue: readonly QueueEntry[]): void {
    const waiting = new Set(queue.map(({ id }) => id));
    for (const id of this.#queued) if (!waiting.has(id)) this.#left(id);
    this.#queued = new Set([...waiting].filter((id) => this.#asked.has(id)));
  }

  refused(handle: RunHandle, receipt: Receipt): void {
    this.#asked.delete(handle.id);
    handle.failed(new UserError(receipt.status === 'rejected' ? receipt.message : 'The run was not begun.'));
  }

  /** The thread was not told: the id is free again. */
  unsaid(handle: RunHandle): void {
    this.#asked.delete(handle.id);
  }

  settled(event: Extract<LoopEvent, { type: 'run.settled' }>, scope: RunScope, end: RunEnd): void {
    const handles = this.#going.get(event.path) ?? [];
    this.#going.delete(event.path);
    for (const handle of handles) settle(handle, event, scope, end);
  }

  /** None of them ends any more. */
  end(error: unknown): void {
    for (const handle of [...this.#asked.values(), ...[...this.#going.values()].flat()]) handle.failed(error);
    this.#asked.clear();
    this.#going.clear();
  }

  #attach(handle: RunHandle, runId: string): void {
    this.#asked.delete(handle.id);
    this.#queued.delete(handle.id);
    this.#going.set(runId, [...(this.#going.get(runId) ?? []), handle]);
    handle.begun(runId);
  }

  #left(id: string): void {
    const handle = this.#asked.get(id);
    this.#asked.delete(id);
    handle?.failed(new UserError(`The run ${id} left the queue before it began.`));
  }
}

function settle(handle: RunHandle, event: Extract<LoopEvent, { type: 'run.settled' }>, scope: RunScope, end: RunEnd): void {
  const { status, failure } = event.outcome;
  if (status === 'failed') handle.failed(withUndelivered(errorOf(scope, failure!), event.outcome));
  else if (status === 'interrupted') handle.failed(withUndelivered(cutShort(scope, end), event.outcome));
  else handle.settled(resultOf(event, scope));
}

/** Errors of the app itself are left as they are, where they cannot be added to. */
function withUndelivered(error: Error, outcome: RunOutcome): Error {
  if (Object.isExtensible(error)) Object.defineProperty(error, 'undelivered', { value: undeliveredOf(outcome), configurable: true, writable: true, enumerable: false });
  return error;
}

/** A person's interrupt is an abort; the end of the wall time is a limit that was met (B2). */
function cutShort({ ledger }: RunScope, { at, next }: RunEnd): Error {
  if (next) return new RunInterruptedError(REASONS[next]);
  const limit = ledger.limits?.wallTimeMs;
  const isOverdue = limit !== undefined && (ledger.untilDeadline(at) ?? 1) <= 0;
  return isOverdue ? new BudgetExceededError({ kind: 'time', limit, spent: ledger.msAt(at) }) : new RunInterruptedError();
}

const REASONS = {
  'thread.run': 'The run was interrupted: another took its place (whenBusy: "replace").',
  'thread.revert': 'The run was interrupted: the conversation went back.',
};
