/** The threads that are open in this process, and those that are not. */
import type { Clock } from '../../actors/ports.ts';
import type { Thread, ThreadEvent } from '../../actors/thread/types.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import { AskBook } from './askBook.ts';
import type { Connection } from './connection.ts';
import { secondsOf } from './currentTurn.ts';
import { threadNotFound } from './fault.ts';
import { Feed } from './feed.ts';
import { turnsOf } from './history.ts';
import { LoadedThread } from './loadedThread.ts';
import type { ThreadSettings } from './requestSchemas.ts';
import type { WireStatus, WireThread, WireTurn } from './shapes.ts';
import { type Audience, Projection } from './projection.ts';
import type { PastLook, ThreadEntry, ThreadSource } from './source.ts';
import { contentOf } from './toItem.ts';

export interface ThreadsOptions {
  source: ThreadSource;
  clock: Clock;
  cwd: string;
  version: string;
  /** How long a thread stays open that nobody follows and in which nothing goes on, in ms. */
  unloadAfterMs: number;
  everybody: () => Iterable<Connection>;
}

/** Stands for the models that the agents have anyway. */
const UNNAMED_MODEL = 'default';
/** Characters of a first message that a list shows. */
const PREVIEW = 200;

export class Threads {
  readonly options: ThreadsOptions;
  readonly asks = new AskBook();
  readonly #loaded = new Map<string, LoadedThread>();
  readonly #opening = new Map<string, Promise<LoadedThread>>();
  readonly #previews = new Map<string, string>();
  readonly #timers = new Map<string, unknown>();
  /** Threads that are being given back. */
  readonly #leaving = new Map<string, Promise<void>>();

  constructor(options: ThreadsOptions) {
    this.options = options;
  }

  get loadedIds(): string[] {
    return [...this.#loaded.keys()];
  }

  /** @throws RequestFault for a thread that is not open here. */
  get(threadId: string): LoadedThread {
    const loaded = this.#loaded.get(threadId);
    if (!loaded) throw threadNotFound(threadId);
    return loaded;
  }

  find(threadId: string): LoadedThread | undefined {
    return this.#loaded.get(threadId);
  }

  async start(settings: ThreadSettings, isEphemeral: boolean): Promise<LoadedThread> {
    const feed = new Feed();
    const thread = await this.options.source.start({ ephemeral: isEphemeral, onEvent: feed.onEvent });
    return this.#add(thread, feed, settings, { createdAt: this.options.clock.now(), isEphemeral: isEphemeral || !this.options.source.isDurable });
  }

  /** A thread that was made from another. */
  adopt(thread: Thread, settings: ThreadSettings, from: LoadedThread): LoadedThread {
    const feed = new Feed();
    thread.events$.subscribe(feed.onEvent);
    return this.#add(thread, feed, settings, { createdAt: this.options.clock.now(), forkedFromId: from.id, isEphemeral: from.options.isEphemeral });
  }

  /** Goes on with a thread. One that is asked for twice at once is opened once. */
  async open(threadId: string, settings: ThreadSettings = {}): Promise<LoadedThread> {
    const loaded = this.#loaded.get(threadId);
    if (loaded) return loaded;
    const opening = this.#opening.get(threadId) ?? this.#open(threadId, settings).finally(() => this.#opening.delete(threadId));
    this.#opening.set(threadId, opening);
    return opening;
  }

  async #open(threadId: string, settings: ThreadSettings): Promise<LoadedThread> {
    await this.#leaving.get(threadId);
    const feed = new Feed();
    const thread = await this.options.source.open(threadId, { onEvent: feed.onEvent });
    if (!thread) throw threadNotFound(threadId);
    const entry = (await this.options.source.list()).find(({ id }) => id === threadId);
    return this.#add(thread, feed, settings, { createdAt: entry?.createdAt ?? this.options.clock.now(), forkedFromId: entry?.forkedFromId, isEphemeral: !this.options.source.isDurable });
  }

  #add(thread: Thread, feed: Feed, settings: ThreadSettings, about: { createdAt: number; forkedFromId?: string; isEphemeral: boolean }): LoadedThread {
    const { cwd, clock, everybody } = this.options;
    const loaded = new LoadedThread({ ...about, thread, feed, settings, cwd, defaultModel: this.models[0], everybody, asks: this.asks, now: () => clock.now(), broke: (broken) => void this.#unload(broken) });
    this.#loaded.set(thread.id, loaded);
    return loaded;
  }

  /** Follows no more; whoever was the last leaves the thread open for a while. */
  leave(loaded: LoadedThread, connection: Connection): boolean {
    const wasThere = loaded.unsubscribe(connection);
    if (wasThere && loaded.subscribers.size === 0) this.#unloadLater(loaded);
    return wasThere;
  }

  /** One that nobody follows was opened for one request. */
  settle(loaded: LoadedThread): void {
    if (loaded.subscribers.size === 0) this.#unloadLater(loaded);
  }

  join(loaded: LoadedThread, connection: Connection): void {
    this.options.clock.clearTimeout(this.#timers.get(loaded.id));
    this.#timers.delete(loaded.id);
    loaded.subscribe(connection);
  }

  leaveAll(connection: Connection): void {
    for (const loaded of this.#loaded.values()) this.leave(loaded, connection);
  }

  /** All are given back, whatever goes on in them. */
  async close(): Promise<void> {
    for (const timer of this.#timers.values()) this.options.clock.clearTimeout(timer);
    this.#timers.clear();
    await Promise.allSettled(this.#opening.values());
    await Promise.all([...this.#loaded.values()].map((loaded) => loaded.release()));
    await Promise.all(this.#leaving.values());
    this.#loaded.clear();
  }

  #unloadLater(loaded: LoadedThread): void {
    const { clock, unloadAfterMs } = this.options;
    clock.clearTimeout(this.#timers.get(loaded.id));
    const { updatedAt } = loaded;
    const timer = clock.setTimeout(() => {
      if (loaded.subscribers.size > 0) return;
      const isBusy = loaded.thread.state === 'active' || loaded.updatedAt !== updatedAt;
      if (isBusy || loaded.options.isEphemeral) this.#unloadLater(loaded); // what is in memory only would be gone
      else void this.#unload(loaded);
    }, unloadAfterMs);
    (timer as { unref?: () => void }).unref?.(); // a clock of the system gives one; nobody is waited for
    this.#timers.set(loaded.id, timer);
  }

  async #unload(loaded: LoadedThread): Promise<void> {
    this.#timers.delete(loaded.id);
    if (this.#loaded.get(loaded.id) === loaded) this.#loaded.delete(loaded.id);
    const released = loaded.release().catch(() => undefined); // its journal may be what is broken
    this.#leaving.set(loaded.id, released);
    await released;
    this.#leaving.delete(loaded.id);
    loaded.tell({ method: 'thread/status/changed', params: { threadId: loaded.id, status: { type: 'notLoaded' } } });
    loaded.tell({ method: 'thread/closed', params: { threadId: loaded.id } });
  }

  // -- how they are shown ---------------------------------------------------------------------------------------------

  shown(loaded: LoadedThread, turns: WireTurn[] = []): WireThread {
    const { createdAt, forkedFromId, isEphemeral } = loaded.options;
    const entry: ThreadEntry = { id: loaded.id, createdAt, updatedAt: loaded.updatedAt, ...(forkedFromId !== undefined && { forkedFromId }) };
    return this.#shown(entry, { preview: this.#preview(loaded.id, loaded.thread.look.history, loaded.turn), status: loaded.projection.status, isEphemeral, model: this.modelOf(loaded.settings), effort: null, turns, isLoaded: true });
  }

  /** One that may not be open here. */
  async shownEntry(entry: ThreadEntry): Promise<WireThread> {
    const loaded = this.#loaded.get(entry.id);
    if (loaded) return this.shown(loaded);
    if (!this.#previews.has(entry.id)) {
      const past = await this.options.source.look(entry.id);
      if (past) this.#preview(entry.id, past.look.history, pastTurns(past, entry.id, this.options.cwd)[0]);
    }
    return this.#shown(entry, { preview: this.#previews.get(entry.id) ?? '', status: { type: 'notLoaded' }, isEphemeral: false, model: null, effort: null, turns: [], isLoaded: false });
  }

  /** @throws RequestFault for a thread that is nowhere. */
  async read(threadId: string, withTurns: boolean): Promise<WireThread> {
    const loaded = this.#loaded.get(threadId);
    if (loaded) return this.shown(loaded, withTurns ? loaded.turns() : []);
    const entry = (await this.options.source.list()).find(({ id }) => id === threadId);
    if (!entry) throw threadNotFound(threadId);
    return { ...(await this.shownEntry(entry)), turns: withTurns ? await this.turns(threadId) : [] };
  }

  async turns(threadId: string): Promise<WireTurn[]> {
    const loaded = this.#loaded.get(threadId);
    if (loaded) return loaded.turns();
    const past = await this.options.source.look(threadId);
    if (!past) throw threadNotFound(threadId);
    return pastTurns(past, threadId, this.options.cwd);
  }

  /** Names that a client may choose from, the default one first. There is always one: clients of the protocol begin nothing without. */
  get models(): readonly [string, ...string[]] {
    const [first = UNNAMED_MODEL, ...others] = this.options.source.models();
    return [first, ...others];
  }

  modelOf({ model }: ThreadSettings): string {
    return model ?? this.models[0];
  }

  /** What a person said first: it never changes, and a run that is going is not in the history yet. */
  #preview(id: string, history: readonly AgentInputItem[], turn: WireTurn | undefined): string {
    const known = this.#previews.get(id);
    if (known !== undefined) return known;
    const first = history.find((item) => 'role' in item && item.role === 'user');
    const begun = turn?.items.find((item) => item.type === 'userMessage');
    const content = first && 'role' in first && first.role === 'user' ? contentOf(first) : (begun?.content ?? []);
    const preview = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(' ').slice(0, PREVIEW);
    if (preview !== '') this.#previews.set(id, preview);
    return preview;
  }

  #shown({ id, createdAt, updatedAt, forkedFromId }: ThreadEntry, about: { preview: string; status: WireStatus; isEphemeral: boolean; model: string | null; effort: string | null; turns: WireTurn[]; isLoaded: boolean }): WireThread {
    return {
      id, sessionId: id, forkedFromId: forkedFromId ?? null, parentThreadId: null,
      preview: about.preview, ephemeral: about.isEphemeral, historyMode: 'paginated',
      modelProvider: 'loopchart', model: about.model, reasoningEffort: about.effort,
      createdAt: secondsOf(createdAt), updatedAt: secondsOf(updatedAt), recencyAt: secondsOf(updatedAt),
      status: about.status, path: null, cwd: this.options.cwd, cliVersion: this.options.version, originator: null, source: 'appServer',
      canAcceptDirectInput: about.isLoaded ? true : null, name: null, turns: about.turns,
      environments: null, extra: null, section: null, sectionEnteredAt: null, projectId: null, threadSource: null, agentNickname: null, agentRole: null, gitInfo: null, daybreakEnabled: null,
    };
  }
}

/** What a run was at when its process ended is shown as cut short, until it is gone on with. */
function pastTurns({ look, events }: { look: PastLook; events: readonly ThreadEvent[] }, threadId: string, cwd: string): WireTurn[] {
  const projection = new Projection({ threadId, cwd, audience: NOBODY, usage: () => ({}) });
  for (const event of events) projection.take(event);
  const turns = turnsOf(look, { threadId, cwd, told: projection.ended });
  return projection.turn ? [...turns, { ...projection.turn, status: 'interrupted' }] : turns;
}

const NOBODY: Audience = { tell: () => undefined, ask: () => undefined, resolved: () => undefined };
