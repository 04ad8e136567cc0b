/** A thread whose process dies at one entry of its journal, and that another process opens and brings to its end. */
import { type Agent, type AgentInputItem, MemoryJournal } from 'loopchart';
import { virtualClock } from 'loopchart/testing';
import { type Thread, type ThreadOptions, createThread, openThread } from 'loopchart/thread';
import { mortal } from './mortal.ts';
import { START } from './scenario.ts';

export interface Lives {
  /** Entries in all. */
  entries: number;
  /** The history in brief: texts, names of calls, kinds of all else. */
  story: string[];
  runs: string[];
  /** Agents that were begun beside the runs. */
  begun: number;
  thread: Thread;
}

/** What another process does with the thread, again where the first one did not come to it. */
export interface Errand {
  options?: Partial<ThreadOptions<any>>; // `any`: whatever the scenario is about
  /** Told once the thread is there; by id, so that nothing is done twice. */
  tell?: (thread: Thread) => Promise<unknown>;
  /** @param written number of the entry that is to be written, from 1. */
  dies: (written: number) => 'before' | 'after' | undefined;
}

/** @param agentOf made anew in each process. */
export async function livesOf(agentOf: () => Agent<any, any>, { options, tell = beginsOnce, dies }: Errand): Promise<Lives> {
  const clock = virtualClock(START);
  let written = 0;
  const first = mortal(() => dies((written += 1)));
  const thread = createThread(agentOf(), { ...options, threadId: 'thread_test', journal: first.journal, clock });
  void tell(thread).catch(() => undefined); // of a process that dies nobody hears
  await clock.settle();
  const journal = first.left('thread_test');
  first.die();
  const again = await openThread('thread_test', { ...options, journal, clock, agents: agentOf() });
  void tell(again);
  await clock.settle();
  const lives = { entries: journal.read('thread_test').length, story: again.look.history.map(briefly), runs: again.look.runs.map(({ source, status }) => `${source.kind}: ${status}`), begun: begunIn(journal), thread: again };
  await again.release();
  return lives;
}

async function beginsOnce(thread: Thread): Promise<void> {
  const { activeRunId, runs } = thread.look;
  if (activeRunId === undefined && runs.length === 0) await thread.run('go', { id: 'first' }).receipt;
}

const begunIn = (journal: MemoryJournal) => new Set(journal.read('thread_test').flatMap((entry) => ('id' in entry ? (/background\.\d+/.exec(entry.id) ?? []) : []))).size;

function briefly(item: AgentInputItem): string {
  if ('content' in item && 'role' in item) return typeof item.content === 'string' ? item.content : item.content.map((part) => ('text' in part ? part.text : part.type)).join('');
  return item.type === 'function_call' ? item.name : String(item.type);
}
