/** A conversation of runs that were recorded one by one: what they have saved, in their order. */
import type { Journal, RunSummary } from '../../../actors/journal.ts';
import type { Session } from '../../../actors/ports.ts';
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import { type Replayed, replayed } from './replayed.ts';
import { isThreadLog } from './runTable.ts';

export class Thread implements Session {
  readonly id: string;
  readonly #journal: Journal;
  /** By run; one that has been written to since is read again. */
  readonly #known = new Map<string, { length: number; run: Replayed }>();

  constructor(journal: Journal, id: string) {
    this.#journal = journal;
    this.id = id;
  }

  /** In the order in which they were begun; without the log of a thread that goes on from them, which has their items. */
  async runs(): Promise<RunSummary[]> {
    return (await this.#journal.list({ threadId: this.id })).filter((run) => !isThreadLog(run)).sort((one, other) => one.startedAt - other.startedAt);
  }

  /** Name of the agent that spoke last, if one did. */
  async lastAgent(): Promise<string | undefined> {
    const run = (await this.runs()).at(-1);
    return run && ((await this.#replayed(run)).outcome?.agent ?? run.agent);
  }

  async getSessionId(): Promise<string> {
    return this.id;
  }

  async getItems(limit?: number): Promise<AgentInputItem[]> {
    const items: AgentInputItem[] = [];
    for (const run of await this.runs()) items.push(...(await this.#replayed(run)).saved);
    return limit === undefined ? items : items.slice(Math.max(0, items.length - limit));
  }

  /** That a run saves is in its journal, and read from there. */
  async addItems(): Promise<void> {}

  async popItem(): Promise<AgentInputItem | undefined> {
    throw new Error('What a journal holds is not taken back.');
  }

  async clearSession(): Promise<void> {
    throw new Error('What a journal holds is not taken back.');
  }

  async #replayed({ runId, length }: RunSummary): Promise<Replayed> {
    const known = this.#known.get(runId);
    if (known?.length === length) return known.run;
    const run = await replayed(runId, await this.#journal.read(runId));
    this.#known.set(runId, { length, run });
    return run;
  }
}
