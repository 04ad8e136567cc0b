/** How a thread is made, and opened again. */
import { Agent } from '../agent.ts';
import { UserError } from '../errors.ts';
import type { ThreadInput } from '../../machines/protocol/thread.ts';
import { JournalDivergence } from '../journal.ts';
import { MemoryJournal } from '../memoryJournal.ts';
import { type AnyAgent, type OpenThreadOptions, type ThreadOptions, checkThreadOptions } from './options.ts';
import { type Forker, LiveThread } from './thread.ts';
import type { Thread } from './types.ts';

/**
 * A conversation with an agent: runs, one at a time, and input that joins them, waits for them or wakes them. Everything is journalled; with a
 * journal that is kept, another process goes on with it through `openThread`.
 *
 * @throws UserError for what is no agent, or options that cannot be. That a thread of this id is recorded already, the first command says.
 * @example
 * ```ts
 * import { Agent } from 'loopchart';
 * import { createThread } from 'loopchart/thread';
 *
 * const thread = createThread(new Agent({ name: 'Assistant' }));
 * const run = thread.run('Plan my week.');
 * await thread.steer('Leave Friday free.');
 * console.log((await run).finalOutput);
 * ```
 */
export function createThread<TContext = undefined>(agent: AnyAgent, options: ThreadOptions<TContext> = {}): Thread {
  if (!(agent instanceof Agent)) throw new UserError('createThread() needs an Agent as its first argument: createThread(new Agent({ name: "Assistant" })).');
  checkId(options.threadId);
  checkThreadOptions(options);
  const { history, rules } = options;
  return begun(agent, withJournal(options), { ...(history && { history }), ...(rules && { rules }) });
}

function begun(agent: AnyAgent, options: ThreadOptions<any>, input: Omit<ThreadInput, 'path' | 'agent'>): LiveThread { // `any`: as in the front door's own types
  const thread = new LiveThread(agent, options, forker(agent, options));
  thread.begin((execution) => execution.start(input));
  return thread;
}

/**
 * Goes on with a recorded thread, in any process: what is recorded is not run again, what was under way is, by its effect class (O1-O3).
 *
 * @throws UserError when there is no such thread or an agent or a tool is missing; `JournalConflict` while another process has it;
 *   `JournalDamage`, `JournalDivergence` as `resume()`.
 * @example
 * ```ts
 * import type { Agent, Journal } from 'loopchart';
 * import { openThread } from 'loopchart/thread';
 *
 * async function goOn(threadId: string, journal: Journal, agent: Agent) {
 *   const thread = await openThread(threadId, { journal, agents: agent });
 *   for (const call of thread.interruptions) await thread.approve(call);
 *   return thread.activeRun;
 * }
 * ```
 */
export async function openThread<TContext = undefined>(threadId: string, { agents, ...options }: OpenThreadOptions<TContext>): Promise<Thread> {
  const { journal } = options;
  checkThreadOptions(options);
  const entries = await journal.read(threadId);
  const [start] = entries;
  if (!start) throw new UserError(`There is no thread ${threadId} in this journal. journal.list() tells which there are.`);
  if (start.type === 'run.start') throw new UserError(`${threadId} is a run, not a thread. Go on with it through resume("${threadId}", …).`);
  if (start.type !== 'thread.start') throw new JournalDivergence(threadId, 0, 'its start is missing');
  const given: readonly AnyAgent[] = agents instanceof Agent ? [agents] : (agents as readonly AnyAgent[]); // one, or several
  const agent = given.find(({ name }) => name === start.input.agent);
  if (!agent) throw new UserError(`Thread ${threadId} belongs to agent "${start.input.agent}", which is not among those given. Pass the agent that the thread was made with.`);
  const all: ThreadOptions<any> = { ...options, threadId, agents: given.filter((one) => one !== agent) };
  const thread = new LiveThread(agent, all, forker(agent, all));
  const checkpoint = await checkpointOf(journal, threadId);
  thread.begin((execution) => execution.open(entries, checkpoint));
  try {
    await thread.ready;
  } catch (error) {
    await thread.release();
    throw error;
  }
  return thread;
}

/** Only a cache: that it cannot be read is no reason not to go on. */
async function checkpointOf(journal: OpenThreadOptions['journal'], threadId: string): Promise<string | undefined> {
  try {
    return await journal.readCheckpoint?.(threadId);
  } catch {
    return undefined; // the entries, which have just been read, tell the same
  }
}

/** A fork is a thread of its own, in the same journal. */
const forker = (agent: AnyAgent, { onEvent: _hears, rules: _rules, history: _history, ...options }: ThreadOptions<any>): Forker => async ({ history, agent: floor }, forkedFrom, threadId) => {
  checkId(threadId);
  const fork = begun(agent, { ...options, threadId }, { history, floor, forkedFrom });
  await fork.recorded();
  return fork;
};

function checkId(threadId: string | undefined): void {
  if (threadId?.includes('/')) throw new UserError(`A thread id must not contain "/": "${threadId}". Paths of runs and agents are built with it.`);
}

/** Forks are made from a journal, so that a thread without one gets its own. */
const withJournal = (options: ThreadOptions<any>): ThreadOptions<any> => (options.journal ? options : { ...options, journal: options.runner?.config.journal ?? new MemoryJournal() });
