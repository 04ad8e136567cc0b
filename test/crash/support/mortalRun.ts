/** A run of a mortal thread, as whoever asked for it sees it: known by what was told, in whichever process. */
import { from } from 'rxjs';
import type { Receipt, ThreadEvent, ThreadRun, ThreadRunResult } from 'loopchart/thread';
import { RunInterruptedError } from '../../../actors/errors.ts';
import type { MortalThread } from './mortalThread.ts';

export interface Asked {
  id: string;
  receipt: Promise<Receipt>;
  /** Of one that is going already. */
  runId?: string;
}

export function mortalRun({ id, receipt, runId }: Asked, thread: MortalThread): ThreadRun {
  const { events } = thread.lives;
  const started = runId === undefined ? receipt.then((taken) => begunAt(id, thread, taken)) : Promise.resolve(runId);
  const result = started.then((begun) => resultOf(begun, thread));
  for (const promise of [started, result]) promise.catch(() => undefined); // nobody has to await them
  let unread: number | undefined = events.told.length;
  const read = (): AsyncGenerator<ThreadEvent> => {
    const place = unread ?? events.told.length;
    unread = undefined;
    return eventsOf(started, thread, place);
  };
  return {
    id, receipt, started, result,
    then: (onResult, onError) => result.then(onResult, onError),
    get events$() { return from(eventsOf(started, thread, events.told.length)); },
    [Symbol.asyncIterator]: read,
    steer: async (input, options) => thread.steer(input, { ...options, expectedRunId: await started }),
    interrupt: async () => (await leftQueue(id, thread, receipt)) ?? thread.interrupt({ expectedRunId: await started }),
    stopAfterTurn: async () => thread.stopAfterTurn({ expectedRunId: await started }),
  };
}

/** Of a run that is only described: it is asked for when somebody wants something of it (I4). */
export function coldRun(id: string, ask: () => ThreadRun): ThreadRun {
  let run: ThreadRun | undefined;
  const begun = () => (run ??= ask());
  const read = async function* (): AsyncGenerator<ThreadEvent> {
    let isRead = false;
    try {
      yield* { [Symbol.asyncIterator]: () => begun()[Symbol.asyncIterator]() };
      isRead = true;
    } finally {
      if (!isRead) await begun().interrupt().catch(() => undefined); // one that was refused is over
    }
    await begun().result;
  };
  const known: Partial<ThreadRun> = { id, [Symbol.asyncIterator]: read };
  return new Proxy(known as ThreadRun, { get: (_target, key) => (Reflect.has(known, key) ? Reflect.get(known, key) : Reflect.get(begun(), key)) }); // the rest is that of the run
}

async function begunAt(id: string, thread: MortalThread, receipt: Receipt): Promise<string> {
  if (receipt.status !== 'accepted') throw new Error(receipt.status === 'rejected' ? receipt.message : 'The run was not begun.');
  const begins = (event: ThreadEvent) => event.type === 'input.accepted' && event.ids.includes(id);
  if (receipt.runId !== undefined && thread.told.some((event) => begins(event) && event.path === receipt.runId)) return receipt.runId;
  const begun = thread.until((one) => begins(one) || (one.type === 'queue.changed' && hasLeft(id, thread.told)));
  const event = await Promise.race([begun, thread.lives.events.ended]);
  if (event?.type !== 'input.accepted') throw new Error(`The run ${id} left the queue before it began, or its thread is closed.`);
  return event.path;
}

/** It was in the queue, is no longer, and has not begun. */
function hasLeft(id: string, told: readonly ThreadEvent[]): boolean {
  const queues = told.flatMap((event) => (event.type === 'queue.changed' ? [event.queue.some((entry) => entry.id === id)] : []));
  return queues.includes(true) && queues.at(-1) === false && !told.some((event) => event.type === 'input.accepted' && event.ids.includes(id));
}

/** One that still waits is taken out of the queue. */
async function leftQueue(id: string, thread: MortalThread, receipt: Promise<Receipt>): Promise<Receipt | undefined> {
  await receipt;
  if (!thread.queue.list().some((entry) => entry.id === id)) return undefined;
  const left = await thread.queue.remove(id);
  return left.status === 'accepted' ? left : undefined;
}

async function* eventsOf(started: Promise<string>, thread: MortalThread, place: number): AsyncGenerator<ThreadEvent> {
  const runId = await started.catch(() => undefined);
  if (runId === undefined) return;
  const ends = ({ type, path }: ThreadEvent) => type === 'run.settled' && path === runId;
  const { events } = thread.lives;
  if (events.told.slice(0, place).some(ends)) return;
  for await (const event of events.after(place)) {
    if (event.path === runId || event.path.startsWith(`${runId}/`)) yield event;
    if (ends(event)) return;
  }
}

/** As the process says it in which the run ended; of one that is gone by then, what was told of it. */
async function resultOf(runId: string, thread: MortalThread): Promise<ThreadRunResult> {
  const event = await thread.until(({ type, path }) => type === 'run.settled' && path === runId);
  const heard = await thread.lives.resultOf(runId);
  if (heard) return heard;
  const { status, how, output, failure, undelivered } = (event as Extract<ThreadEvent, { type: 'run.settled' }>).outcome; // just looked for
  const items = { undelivered: undelivered.map(({ item }) => item) };
  if (status === 'failed') throw Object.assign(new Error(failure?.message), items);
  if (status === 'interrupted') throw Object.assign(new RunInterruptedError(), items);
  return { runId, status, ...(how && { how }), finalOutput: status === 'completed' ? output : undefined, ...items } as ThreadRunResult; // the rest only that process knew
}
