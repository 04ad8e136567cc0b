/** What a thread tells, in its order, and how each of its runs has ended. */
import { Agent } from '../../../actors/agent.ts';
import type { Thread, ThreadEvent, ThreadRun } from '../../../actors/thread/index.ts';
import { errorOf } from '../../../actors/toError.ts';
import type { Failure } from '../../../machines/protocol/failure.ts';
import type { Ending } from '../conversation.ts';
import { isRunOf } from '../journal/replayed.ts';
import type { Spent } from '../wording.ts';

export interface ThreadListener {
  event(event: ThreadEvent): void;
  /** When the thread has told what it is at now; what comes later is told after it. */
  settled(ending: Ending): void;
  /** The thread cannot go on in this process. */
  broke(error: unknown): void;
}

type Settled = Extract<ThreadEvent, { type: 'run.settled' }>;
interface Going { runId: string; began: number; before: Spent; handle: ThreadRun | undefined }

export class Hearing {
  readonly #listener: ThreadListener;
  /** Numbers up to here have been told in another process. */
  readonly #heard: number;
  #thread: Thread | undefined;
  #going: Going | undefined;
  /** Of a run that has settled. */
  #ended: Ending | undefined;
  #backlog: ThreadEvent[] = [];
  #isTelling = false;

  constructor(listener: ThreadListener, heard = 0) {
    this.#listener = listener;
    this.#heard = heard;
  }

  /** Deltas have no number of their own, and are always new. */
  readonly hear = (event: ThreadEvent): void => {
    if (typeof event.number === 'number' && event.number <= this.#heard) return;
    this.#backlog.push(event);
    if (this.#thread && !this.#isTelling) void this.#tell(this.#thread);
  };

  /** @param before what was spent before the run that is going, if one is. */
  follow(thread: Thread, before?: Spent): void {
    this.#thread = thread;
    thread.events$.subscribe({ error: (error) => this.#listener.broke(error) });
    if (before) this.#begin(thread, thread.look.activeRunId ?? '', Date.now(), before);
    void this.#tell(thread);
  }

  /** When all that came at once has been applied: whoever is told looks at the thread as it is then. */
  async #tell(thread: Thread): Promise<void> {
    this.#isTelling = true;
    await Promise.resolve();
    for (let event = this.#backlog.shift(); event; event = this.#backlog.shift()) {
      const { type, path, at } = event;
      if (type === 'run.started' && isRunOf(thread.id, path)) this.#begin(thread, path, at, spentIn(thread));
      if (type === 'input.accepted' && event.source) this.#tellEnding();
      this.#listener.event(event);
      if (type === 'run.settled' && isRunOf(thread.id, path)) this.#ended = await this.#ending(thread, event);
      if (type === 'thread.changed') this.#tellEnding();
    }
    this.#isTelling = false;
  }

  #tellEnding(): void {
    const ending = this.#ended;
    this.#ended = undefined;
    if (ending) this.#listener.settled(ending);
  }

  #begin(thread: Thread, runId: string, began: number, before: Spent): void {
    this.#going = { runId, began, before, handle: thread.look.activeRunId === runId ? thread.activeRun : undefined };
  }

  async #ending(thread: Thread, { path: runId, at, outcome }: Settled): Promise<Ending> {
    const going = this.#going?.runId === runId ? this.#going : undefined;
    this.#going = undefined;
    const spent = minus(spentIn(thread), going?.before ?? NOTHING);
    const facts = { agent: outcome.agent, spent, ms: Math.max(0, at - (going?.began ?? at)), runId };
    switch (outcome.status) {
      case 'completed':
        return { ...facts, status: 'completed', output: outcome.output };
      case 'failed':
        return { ...facts, status: 'failed', error: await errorIn(going?.handle, outcome.failure!) }; // one that failed has one
      case 'stopped':
      case 'interrupted':
        return { ...facts, status: outcome.status };
    }
  }
}

/** The error itself, as the run that was asked for rejects with it; from its record, where nobody had the run in hand. */
async function errorIn(handle: ThreadRun | undefined, failure: Failure): Promise<unknown> {
  try {
    await handle?.result;
  } catch (error) {
    return error; // it is what was looked for
  }
  return errorOf({ causeOf: () => undefined, agent: (name) => new Agent({ name }) }, failure);
}

const NOTHING: Spent = { requests: 0, inputTokens: 0, outputTokens: 0 };

export function spentIn({ look: { usage } }: Thread): Spent {
  return { requests: usage.requests, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens };
}

const minus = (all: Spent, before: Spent): Spent => ({
  requests: all.requests - before.requests,
  inputTokens: all.inputTokens - before.inputTokens,
  outputTokens: all.outputTokens - before.outputTokens,
});
