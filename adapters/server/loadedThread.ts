/** A thread that is open in this process, with the clients that follow it. */
import type { Thread, ThreadEvent } from '../../actors/thread/types.ts';
import { StaleStateError, UserError } from '../../actors/errors.ts';
import type { RunOverrides } from '../../machines/protocol/thread.ts';
import type { AskBook } from './askBook.ts';
import { type Wait, askOf, decidedBy } from './asks.ts';
import type { Answer, Connection } from './connection.ts';
import type { Feed } from './feed.ts';
import { itemsOf, turnsOf } from './history.ts';
import { type Audience, Projection } from './projection.ts';
import type { ThreadSettings } from './requestSchemas.ts';
import type { Notification, RequestId, ServerAsk, WireGoal, WireTurn } from './shapes.ts';
import { waitOf } from './waits.ts';

export interface LoadedOptions {
  thread: Thread;
  feed: Feed;
  settings: ThreadSettings;
  cwd: string;
  /** Who names it wants no other models than the agents have: clients send the name back that they were told. */
  defaultModel: string;
  asks: AskBook;
  now: () => number;
  createdAt: number;
  forkedFromId?: string;
  isEphemeral: boolean;
  /** All clients, for what is of interest to those too that do not follow the thread. */
  everybody: () => Iterable<Connection>;
  /** It cannot go on here: its journal cannot be written, say. */
  broke: (loaded: LoadedThread) => void;
}

interface Asked { requestId: RequestId; wait: Wait; ask: ServerAsk }

/** What is told to every client: by it a list of threads is kept up to date. */
const FOR_EVERYBODY: ReadonlySet<string> = new Set(['thread/started', 'thread/status/changed', 'thread/closed']);
const NOT_UNDERSTOOD = 'approval request failed';

export class LoadedThread {
  readonly thread: Thread;
  readonly options: LoadedOptions;
  readonly projection: Projection;
  readonly #subscribers = new Set<Connection>();
  readonly #asked = new Map<string, Asked>();
  settings: ThreadSettings;
  /** Of a turn that was asked for while another went on (M7). */
  overridesOfNext: RunOverrides = {};
  /** An interrupt on its way: what is asked for next comes after it. */
  winding: Promise<unknown> = Promise.resolve();
  updatedAt: number;
  isReleased = false;
  #isTold = false;

  constructor(options: LoadedOptions) {
    this.options = options;
    this.thread = options.thread;
    this.settings = options.settings;
    this.updatedAt = options.now();
    const audience: Audience = {
      tell: (notification) => this.tell(notification),
      ask: (wait, turnId) => this.#ask(wait, turnId),
      resolved: (id) => this.#resolved(id),
    };
    this.projection = new Projection({ threadId: this.id, cwd: options.cwd, audience, usage: () => this.thread.look.usage });
    const earlier = options.feed.listen((event) => this.#take(event));
    for (const event of earlier) this.#take(event);
    this.#catchUp();
    this.thread.events$.subscribe({ error: (error: unknown) => this.#broke(error) });
  }

  get id(): string {
    return this.thread.id;
  }

  get subscribers(): ReadonlySet<Connection> {
    return this.#subscribers;
  }

  get turn(): WireTurn | undefined {
    return this.projection.turn;
  }

  get goal(): WireGoal | null {
    const { goal, usage } = this.thread.look;
    return this.projection.goals.show(goal, this.options.now(), usage.totalTokens);
  }

  /** All of them, the one that is going included. */
  turns(): WireTurn[] {
    const ended = turnsOf(this.thread.look, { threadId: this.id, cwd: this.options.cwd, told: this.projection.ended });
    return this.turn ? [...ended, this.turn] : ended;
  }

  subscribe(connection: Connection): void {
    this.#subscribers.add(connection);
  }

  /** What waits is asked again, under the same ids. */
  replay(connection: Connection): void {
    for (const { requestId, ask } of this.#asked.values()) connection.ask(requestId, ask);
  }

  unsubscribe(connection: Connection): boolean {
    return this.#subscribers.delete(connection);
  }

  tell(notification: Notification): void {
    if (!this.#isTold) return; // of the past
    const heard = FOR_EVERYBODY.has(notification.method) ? this.options.everybody() : this.#subscribers;
    for (const connection of heard) connection.notify(notification);
  }

  warn(message: string): void {
    this.tell({ method: 'warning', params: { threadId: this.id, message } });
  }

  /** Interrupts in turn: what is asked for meanwhile waits. */
  windDown<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = work();
    const before = this.winding;
    this.winding = Promise.allSettled([before, done]);
    return done;
  }

  /** Overrides of the next run: of this request, of those before it that only steered, and of the thread. */
  overrides(asked: RunOverrides): RunOverrides {
    const { agent, model: own, baseInstructions } = this.settings;
    const { model, ...others }: RunOverrides = { ...(agent && { agent }), ...(own && { model: own }), ...(baseInstructions && { instructions: baseInstructions }), ...this.overridesOfNext, ...asked };
    return { ...others, ...(model !== undefined && model !== this.options.defaultModel && { model }) };
  }

  /** Gives the thread back; what it waits for waits on in the journal. */
  async release(): Promise<void> {
    if (this.isReleased) return;
    this.isReleased = true;
    for (const { requestId } of this.#asked.values()) this.options.asks.remove(requestId);
    this.#asked.clear();
    await this.thread.release();
  }

  #broke(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.projection.broke(message, this.options.now());
    this.warn(`The thread cannot go on here: ${message}`);
    this.options.broke(this);
  }

  /** A fork tells whoever listens to its source as well. */
  #take(event: ThreadEvent): void {
    if (event.path !== this.id && !event.path.startsWith(`${this.id}/`)) return;
    this.updatedAt = event.at;
    this.projection.take(event);
  }

  /** What was not told again, because it lies before a checkpoint, is read from the history. */
  #catchUp(): void {
    const { cwd, now } = this.options;
    const look = this.thread.look;
    const items = look.activeRunId === undefined ? [] : itemsOf(look.activeRunId, look.history.slice(look.runs.at(-1)?.to ?? 0), { agent: look.agent, cwd });
    const waits = this.thread.interruptions.filter(({ id }) => !this.#asked.has(id)).map((item) => waitOf(item, now()));
    this.projection.catchUp(look, items, waits, now());
    this.#isTold = true;
  }

  #ask(wait: Wait, turnId: string): void {
    const ask = askOf(wait, { threadId: this.id, turnId, cwd: this.options.cwd });
    const requestId = this.options.asks.add((answer) => void this.#answered(wait, answer));
    this.#asked.set(wait.id, { requestId, wait, ask });
    for (const connection of this.#subscribers) connection.ask(requestId, ask);
  }

  #resolved(id: string): void {
    const asked = this.#asked.get(id);
    if (!asked) return;
    this.#asked.delete(id);
    this.options.asks.remove(asked.requestId);
    this.tell({ method: 'serverRequest/resolved', params: { threadId: this.id, requestId: asked.requestId } });
  }

  async #answered(wait: Wait, answer: Answer): Promise<void> {
    const decided = 'result' in answer ? decidedBy(wait, answer.result) : { kind: 'failed' as const };
    try {
      switch (decided.kind) {
        case 'approve':
          return await this.thread.approve(wait.id, decided.always ? { always: true } : {});
        case 'reject':
          return await (decided.interrupt ? this.windDown(() => this.thread.reject(wait.id, { interrupt: true })) : this.thread.reject(wait.id));
        case 'answer':
          return await this.thread.answer(wait.id, decided.answers);
        case 'failed':
          return await this.#fail(wait, NOT_UNDERSTOOD);
      }
    } catch (error) {
      if (error instanceof StaleStateError) return; // it was decided elsewhere meanwhile
      this.warn(error instanceof Error ? error.message : String(error));
      if (error instanceof UserError) await this.#fail(wait, `${NOT_UNDERSTOOD}: ${error.message}`).catch(() => undefined); // nothing more can be done for it
    }
  }

  /** What nobody could make sense of approves nothing. */
  async #fail({ id, itemId }: Wait, message: string): Promise<void> {
    this.projection.failCall(itemId);
    await this.thread.reject(id, { message });
  }
}
