/** Requests about what waits to be a turn of its own. */
import type { QueueEntry } from '../../../machines/protocol/thread.ts';
import type { Connection, Reply } from '../connection.ts';
import { RequestFault, submissionNotFound } from '../fault.ts';
import type { LoadedThread } from '../loadedThread.ts';
import { pageOf } from '../paging.ts';
import type { ParamsOf } from '../requestSchemas.ts';
import type { QueuedSubmission } from '../shapes.ts';
import { contentOf } from '../toItem.ts';
import { clientIdOf, inputId, messagesIn } from '../toInput.ts';
import type { Threads } from '../threads.ts';
import { letGo, taken } from './receipts.ts';

export async function addToQueue(threads: Threads, { threadId, input, clientUserMessageId }: ParamsOf<'thread/queue/add'>, connection: Connection): Promise<Reply> {
  const loaded = threads.get(threadId);
  if (input.length === 0) throw new RequestFault('input must not be empty');
  const messages = await messagesIn(input);
  const id = inputId(clientUserMessageId);
  const { release } = await connection.holding(threadId, async () => taken(await letGo(loaded.thread.queue.add(messages, { ...loaded.overrides({}), id })).receipt));
  return { result: { queuedSubmission: submissionOf({ id, input: messages }) }, after: release };
}

export const listQueue = (threads: Threads, { threadId, ...page }: ParamsOf<'thread/queue/list'>): Reply => ({
  result: pageOf(threads.get(threadId).thread.queue.list().map(submissionOf), page),
});

export async function updateQueue(threads: Threads, { threadId, queuedSubmissionId, input }: ParamsOf<'thread/queue/update'>): Promise<Reply> {
  const loaded = threads.get(threadId);
  if (input.length === 0) throw new RequestFault('input must not be empty');
  entryOf(loaded, queuedSubmissionId);
  const messages = await messagesIn(input);
  taken(await loaded.thread.queue.edit(queuedSubmissionId, { input: messages }));
  return { result: { queuedSubmission: submissionOf({ id: queuedSubmissionId, input: messages }) } };
}

export async function deleteFromQueue(threads: Threads, { threadId, queuedSubmissionId }: ParamsOf<'thread/queue/delete'>): Promise<Reply> {
  const receipt = await threads.get(threadId).thread.queue.remove(queuedSubmissionId);
  if (receipt.status === 'rejected' && receipt.reason !== 'unknownEntry') taken(receipt);
  return { result: { deleted: receipt.status === 'accepted' } };
}

export async function reorderQueue(threads: Threads, { threadId, queuedSubmissionIds }: ParamsOf<'thread/queue/reorder'>): Promise<Reply> {
  const loaded = threads.get(threadId);
  const there = loaded.thread.queue.list().map(({ id }) => id);
  const isOrder = there.length === queuedSubmissionIds.length && new Set(queuedSubmissionIds).size === there.length && there.every((id) => queuedSubmissionIds.includes(id));
  if (!isOrder) throw new RequestFault('queuedSubmissionIds must name every queued submission once');
  for (const [to, id] of queuedSubmissionIds.entries()) taken(await loaded.thread.queue.move(id, to));
  return { result: {} };
}

/** The head of the queue, or one of it, becomes the next turn. */
export async function startFromQueue(threads: Threads, { threadId, queuedSubmissionId }: ParamsOf<'thread/queue/start'>, connection: Connection): Promise<Reply> {
  const loaded = threads.get(threadId);
  const { value, release } = await connection.holding(threadId, () => startedFrom(loaded, queuedSubmissionId));
  return { result: { turn: value }, after: release };
}

async function startedFrom(loaded: LoadedThread, wanted: string | undefined) {
  await loaded.winding;
  const { queue, state } = loaded.thread;
  if (state === 'active') throw new RequestFault('thread already has an active or pending turn');
  const entry = wanted === undefined ? queue.list()[0] : entryOf(loaded, wanted);
  if (!entry) throw new RequestFault('the queue is empty');
  if (wanted !== undefined) taken(await queue.move(wanted, 0));
  const started = loaded.projection.nextTurn();
  taken(await queue.resume());
  return { ...(await started), items: [], itemsView: 'notLoaded' as const };
}

export function submissionOf({ id, input }: QueueEntry): QueuedSubmission {
  return { id, input: input.flatMap((item) => ('role' in item && item.role === 'user' ? contentOf(item) : [])), clientUserMessageId: clientIdOf(id) ?? id };
}

/** @throws RequestFault when it is not there. */
function entryOf({ thread }: LoadedThread, id: string): QueueEntry {
  const entry = thread.queue.list().find((one) => one.id === id);
  if (!entry) throw submissionNotFound(id);
  return entry;
}
