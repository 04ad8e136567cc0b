/** Requests about the goal of a thread. */
import type { Reply } from '../connection.ts';
import { RequestFault } from '../fault.ts';
import type { ParamsOf } from '../requestSchemas.ts';
import type { Threads } from '../threads.ts';
import { taken } from './receipts.ts';

export async function setGoal(threads: Threads, { threadId, objective, maxRuns }: ParamsOf<'thread/goal/set'>): Promise<Reply> {
  const loaded = threads.get(threadId);
  const message = objective ?? loaded.thread.look.goal?.message;
  if (message === undefined) throw new RequestFault('Invalid request: missing field `objective`');
  taken(await loaded.thread.setGoal({ message, ...(maxRuns !== undefined && { maxRuns }) }));
  return { result: { goal: loaded.goal } };
}

export const getGoal = (threads: Threads, { threadId }: ParamsOf<'thread/goal/get'>): Reply => ({ result: { goal: threads.get(threadId).goal } });

export async function clearGoal(threads: Threads, { threadId }: ParamsOf<'thread/goal/clear'>): Promise<Reply> {
  const { thread } = threads.get(threadId);
  const isThere = thread.look.goal !== null;
  if (isThere) taken(await thread.setGoal(null));
  return { result: { cleared: isThere } };
}
