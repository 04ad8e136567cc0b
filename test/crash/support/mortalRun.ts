/** A run of a mortal thread, as whoever asked for it sees it: known by what was told, in whichever process. */
import { EMPTY } from 'rxjs';
import type { Receipt, ThreadEvent, ThreadRun, ThreadRunResult } from 'loopchart/thread';
import { RunInterruptedError } from '../../../actors/errors.ts';
import type { MortalThread } from './mortalThread.ts';

/** What is read where nothing can be. */
const NOTHING: AsyncIterable<never> = { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }) };

/** @param touched told when the script reads what only a process knows that lives. */
export function mortalRun(id: string, thread: MortalThread, receipt: Promise<Receipt>, touched: () => void): ThreadRun {
  const started = receipt.then((taken) => begunAt(id, thread, taken));
  const result = started.then((runId) => resultOf(runId, thread, touched));
  for (const promise of [started, result]) promise.catch(() => undefined); // nobody has to await them
  return {
    id, receipt, started, result,
    then: (onResult, onError) => result.then(onResult, onError),
    get events$() { touched(); return EMPTY; },
    [Symbol.asyncIterator]: () => { touched(); return NOTHING[Symbol.asyncIterator](); },
    steer: async (input, options) => thread.steer(input, { ...options, expectedRunId: await started }),
    interrupt: async () => thread.interrupt({ expectedRunId: await started }),
    stopAfterTurn: async () => thread.stopAfterTurn({ expectedRunId: await started }),
  };
}

async function begunAt(id: string, thread: MortalThread, receipt: Receipt): Promise<string> {
  if (receipt.status !== 'accepted') throw new Error(receipt.status === 'rejected' ? receipt.message : 'The run was not begun.');
  const begins = (event: ThreadEvent) => event.type === 'input.accepted' && event.ids.includes(id);
  if (receipt.runId !== undefined && thread.told.some((event) => begins(event) && event.path === receipt.runId)) return receipt.runId;
  const event = await thread.until((one) => begins(one) || (one.type === 'queue.changed' && hasLeft(id, thread.told)));
  if (event.type !== 'input.accepted') throw new Error(`The run ${id} left the queue before it began.`);
  return event.path;
}

/** It was in the queue, is no longer, and has not begun. */
function hasLeft(id: string, told: readonly ThreadEvent[]): boolean {
  const queues = told.flatMap((event) => (event.type === 'queue.changed' ? [event.queue.some((entry) => entry.id === id)] : []));
  return queues.includes(true) && queues.at(-1) === false && !told.some((event) => event.type === 'input.accepted' && event.ids.includes(id));
}

async function resultOf(runId: string, thread: MortalThread, touched: () => void): Promise<ThreadRunResult> {
  const event = await thread.until(({ type, path }) => type === 'run.settled' && path === runId);
  const { status, how, output, failure, undelivered } = (event as Extract<ThreadEvent, { type: 'run.settled' }>).outcome; // just looked for
  if (status === 'failed') throw new Error(failure?.message);
  if (status === 'interrupted') throw new RunInterruptedError();
  const known = { runId, status, ...(how && { how }), finalOutput: status === 'completed' ? output : undefined, undelivered: undelivered.map(({ item }) => item) };
  return Object.defineProperties(known, Object.fromEntries(['newItems', 'lastAgent', 'usage'].map((key) => [key, { get: touched }]))) as unknown as ThreadRunResult; // what only the process knows in which it ended
}
