/** The threads of a journal, as this command makes, opens and forks them. */
import { randomUUID } from 'node:crypto';
import type { Agent } from '../../../actors/agent.ts';
import { type Journal, type RunSummary, JournalDivergence } from '../../../actors/journal.ts';
import type { Runner } from '../../../actors/run.ts';
import { type HistoryPoint, type Thread, createThread, openThread } from '../../../actors/thread/index.ts';
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import { agentsFrom } from '../agentGraph.ts';
import { CliError } from '../exit.ts';
import { isThread } from '../journal/replayed.ts';
import { isThreadLog } from '../journal/runTable.ts';
import { isGoalReached } from './goal.ts';
import { Hearing, type ThreadListener } from './hearing.ts';
import { type Standing, standingOf } from './standing.ts';

type AnyAgent = Agent<any, any>; // `any`: a user's agent may have any context and output

export interface HouseOptions {
  agent: AnyAgent;
  runner: Runner;
  /** For every agent, whatever it says itself. */
  model?: string;
  journal: Journal;
}
/** Short enough to be typed, and unique in the world. */
export const newThreadId = (): string => `chat_${randomUUID().slice(0, 13)}`;

export interface Opened {
  thread: Thread;
  /** Where it stood, if it was there before. */
  standing?: Standing;
  /** From now on its listener is told, from the first event on. */
  listen(): void;
}

export class House {
  readonly journal: Journal;
  readonly #agents: readonly [AnyAgent, ...AnyAgent[]];
  readonly #options: HouseOptions;

  constructor(options: HouseOptions) {
    this.journal = options.journal;
    this.#options = options;
    const [first = options.agent, ...others] = agentsFrom(options.agent);
    this.#agents = [first, ...others];
  }

  /** Newest last. */
  async list(): Promise<RunSummary[]> {
    return (await this.journal.list()).filter(isThreadLog);
  }

  /** @param speaker who has the first word, where it is not the first agent. */
  create(threadId: string, listener: ThreadListener, { history, speaker = this.#options.agent }: { history?: AgentInputItem[]; speaker?: AnyAgent } = {}): Opened {
    const hearing = new Hearing(listener);
    const agents = this.#agents.filter((one) => one !== speaker);
    const thread = createThread(speaker, { ...this.#shared, agents, threadId, onEvent: hearing.hear, ...(history && { history }) });
    return { thread, listen: () => hearing.follow(thread) };
  }

  /** @throws CliError when its agent is not among those here; JournalConflict while another process has it. */
  async open(threadId: string, listener: ThreadListener): Promise<Opened> {
    const entries = await this.journal.read(threadId);
    const [start] = entries;
    if (start?.type !== 'thread.start') throw new JournalDivergence(threadId, 0, isThread(entries) ? 'its start is missing' : 'it is no thread');
    const own = this.#agents.find(({ name }) => name === start.input.agent);
    if (!own) throw new CliError(`Thread ${threadId} belongs to agent "${start.input.agent}", and here ${this.#agents.length === 1 ? 'is' : 'are'} ${this.#agents.map(({ name }) => `"${name}"`).join(', ')}. Name the file that has it.`);
    const standing = await standingOf(threadId, entries, [own, ...this.#agents.filter((one) => one !== own)]);
    const hearing = new Hearing(listener, standing.heard);
    const thread = await openThread(threadId, { ...this.#shared, agents: this.#agents, onEvent: hearing.hear });
    return { thread, standing, listen: () => hearing.follow(thread, standing.before) };
  }

  async fork(thread: Thread, at: HistoryPoint | undefined, threadId: string, listener: ThreadListener): Promise<Opened> {
    const fork = await thread.fork({ threadId, ...(at && { at }) });
    const hearing = new Hearing(listener);
    fork.events$.subscribe({ next: hearing.hear, error: () => undefined }); // whoever follows it hears of trouble
    return { thread: fork, listen: () => hearing.follow(fork) };
  }

  get #shared() {
    const { runner, model, journal } = this.#options;
    const bufferUntilGuarded = this.#agents.some(({ outputGuardrails }) => outputGuardrails.length > 0); // text that may yet be withheld must not have been shown (E3)
    return { runner, journal, bufferUntilGuarded, isGoalReached, ...(model !== undefined && { model }) };
  }
}
