/** Threads of one agent and those that it leads to, kept in a journal. */
import { randomUUID } from 'node:crypto';
import type { Journal } from '../../actors/journal.ts';
import { MemoryJournal } from '../../actors/memoryJournal.ts';
import { createThread, openThread } from '../../actors/thread/createThread.ts';
import { lookAt } from '../../actors/thread/look.ts';
import type { AnyAgent, ThreadOptions } from '../../actors/thread/options.ts';
import { ThreadExecution } from '../../actors/thread/threadExecution.ts';
import type { Thread, ThreadEvent } from '../../actors/thread/types.ts';
import type { EventListener, ThreadEntry, ThreadSource } from './source.ts';

export interface RecordedOptions {
  /** Whom a new thread begins with. */
  agent: AnyAgent;
  /** Those that a client may name and the first does not lead to. */
  agents?: readonly AnyAgent[];
  /** Default: memory. */
  journal?: Journal;
  /** Names of models that a client may choose from. The first stands for the models that the agents have anyway. */
  models?: readonly string[];
  /** For all threads. */
  options?: Omit<ThreadOptions<any>, 'threadId' | 'journal' | 'agents' | 'onEvent' | 'history' | 'rules'>; // `any`: agents of many contexts
}

/**
 * @example
 * import { Agent } from 'loopchart';
 * import { ThreadServer, recordedThreads } from 'loopchart/server';
 *
 * const threads = recordedThreads({ agent: new Agent({ name: 'Assistant' }) });
 * const server = new ThreadServer({ threads, version: '1.0.0', cwd: process.cwd(), home: process.cwd(), platform: process.platform });
 * await server.close();
 */
export function recordedThreads({ agent, agents = [], journal, models = [], options = {} }: RecordedOptions): ThreadSource {
  const kept = journal ?? new MemoryJournal();
  const all = [agent, ...agents];
  return {
    isDurable: journal !== undefined,
    models: () => models,
    start: ({ ephemeral, onEvent }) => started(agent, { ...options, agents, journal: ephemeral ? new MemoryJournal() : kept }, onEvent),
    open: async (threadId, { onEvent }) => ((await isThread(kept, threadId)) ? openThread(threadId, { ...options, journal: kept, agents: all, onEvent }) : undefined),
    look: (threadId) => looked(kept, threadId, all),
    list: async () => (await kept.list()).flatMap(({ runId, threadId, startedAt, updatedAt }): ThreadEntry[] => (threadId === runId ? [{ id: runId, createdAt: startedAt, updatedAt }] : [])),
  };
}

/** A thread that is there: its journal has it. */
async function started(agent: AnyAgent, options: ThreadOptions<any>, onEvent: EventListener): Promise<Thread> { // `any`: as above
  return new Promise<Thread>((resolve, reject) => {
    const hear = (event: ThreadEvent) => {
      onEvent(event);
      if (event.type === 'thread.started') queueMicrotask(() => resolve(thread));
    };
    const thread = createThread(agent, { ...options, threadId: randomUUID(), onEvent: hear });
    thread.events$.subscribe({ error: reject });
  });
}

/** Also a run on its own may be recorded there; it is no thread. */
const isThread = async (journal: Journal, threadId: string): Promise<boolean> => (await journal.read(threadId))[0]?.type === 'thread.start';

/** Fed what is recorded; nothing is run, and nobody is held up. */
async function looked(journal: Journal, threadId: string, agents: readonly AnyAgent[]): ReturnType<ThreadSource['look']> {
  const entries = await journal.read(threadId);
  const [start] = entries;
  if (start?.type !== 'thread.start') return undefined;
  const agent = agents.find(({ name }) => name === start.input.agent) ?? agents[0]!; // there is one at least; what is recorded does not ask it anything
  const events: ThreadEvent[] = [];
  const nobody = { onEvent: (event: ThreadEvent) => void events.push(event), onSettled: () => undefined, onRest: () => undefined, onCrash: () => undefined, pace: () => undefined };
  const execution = new ThreadExecution(agent, { threadId, agents: agents.filter((one) => one !== agent), journal: new MemoryJournal() }, nobody);
  await execution.look(entries);
  const { history, runs, agent: floor, activeRunId } = lookAt(execution);
  execution.host.stop();
  return { look: { history, runs, agent: floor, activeRunId }, events };
}
