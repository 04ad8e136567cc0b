/** The processes that have a thread, one after the other: where one dies, fails to write or loses it, the next opens it. */
import type { Agent, MemoryJournal } from 'loopchart';
import { type Receipt, type Thread, type ThreadEvent, type ThreadOptions, createThread, openThread } from 'loopchart/thread';
import type { VirtualClock } from 'loopchart/testing';
import { receiptOf } from '../../../actors/thread/receipts.ts';
import type { CallResult } from '../../../machines/protocol/call.ts';
import type { ThreadCommand } from '../../../machines/protocol/thread.ts';
import { EventList } from '../../scenarios/support/scenario.ts';
import type { Fortune } from './fate.ts';
import { type Ledger, hasHappened, pathOf } from './ledger.ts';
import { Life, isJournalTrouble } from './life.ts';
import { wasAnswering } from './unfinished.ts';

type AnyAgent = Agent<any, any>; // `any`: a scenario has agents of all kinds
export interface MortalOptions {
  threadId: string;
  agent: AnyAgent;
  options: Omit<ThreadOptions<any>, 'journal' | 'clock'>;
  store: MemoryJournal;
  clock: VirtualClock;
  fate: Fortune;
  ledger: Ledger;
  /** How long a journal takes for a write. Default: no time. */
  delay?: () => Promise<unknown>;
  /** How long no process has the thread, in ms. Default: no time. */
  gapMs?: () => number;
  /** What the world knows of a body, and how long a person waits for it, in ms. Default: what the ledger knows, before time moves. */
  world?: { result: (effectId: string) => { output: unknown } | undefined; patienceMs: number };
}

/** A process that has the thread, and the one after it. */
export interface Living {
  life: Life;
  thread: Thread;
  /** Resolves when nothing more is to be had from it. */
  gone: Promise<void>;
  next: Promise<Living>;
}

/** How long the next process waits when the last one has not given the thread back yet, in ms. */
const RETRY_MS = 20;

export class ThreadLives {
  /** Why the thread may rightly end otherwise than without the death. */
  doubt: string | undefined;
  deaths = 0;
  readonly complaints: string[] = [];
  readonly events = new EventList();
  /** Processes that may go on when others have the thread. */
  readonly strays: { life: Life; thread: Promise<Thread | undefined> }[] = [];
  now: Promise<Living>;
  readonly #with: MortalOptions;
  #life!: Life;
  /** The one that has the thread open. */
  #opened: Life | undefined;
  #thread!: Thread;
  /** Calls that an earlier process had asked about, and nobody has answered. */
  readonly #again = new Map<string, Life>();

  constructor(given: MortalOptions) {
    this.#with = given;
    this.now = Promise.resolve(this.#create());
  }

  get thread(): Thread {
    return this.#thread;
  }

  get told(): readonly ThreadEvent[] {
    return this.events.all;
  }

  /** The process that has the thread; nothing while none has. */
  get owner(): Life | undefined {
    return this.#opened?.isGone ? undefined : this.#opened;
  }

  /** Says it until somebody has heard it; what is written was heard (L1). */
  async say<Answer extends Receipt>(command: ThreadCommand['type'], id: string | undefined, call: (thread: Thread) => Promise<Answer>): Promise<Answer | Receipt> {
    const before = this.#answers(command, id).length;
    for (let living = await this.now; ; living = await living.next) {
      const answer = await heard(living, call(living.thread));
      if (answer) return answer;
      await living.next;
      const answered = this.#answers(command, id)[before];
      if (answered) return receiptOf(answered.id, answered.answer);
      this.doubt = 'what a process had not heard when it died is said to the next one, and later';
    }
  }

  async decide(id: string, decide: (thread: Thread) => Promise<void>): Promise<void> {
    for (let living = await this.now; ; living = await living.next) {
      const isSaid = await heard(living, decide(living.thread).then(() => true));
      if (isSaid) return;
      await living.next;
      if (this.#with.store.read(this.#with.threadId).some((entry) => entry.type === 'decide' && entry.id === id)) return;
      this.doubt = 'what a process had not heard when it died is said to the next one, and later';
    }
  }

  #answers(command: ThreadCommand['type'], id: string | undefined) {
    return this.told.flatMap((event) => (event.type === 'command.answered' && event.command === command && (id === undefined || event.id === id) ? [event] : []));
  }

  #born() {
    const { store, clock, fate, ledger, options, delay } = this.#with;
    const life = new Life({ store, clock, fate, delay });
    ledger.watch(life);
    this.#life = life;
    let told = 0;
    const onEvent = (event: ThreadEvent) => {
      if (life !== this.#life || life.isGone) return;
      const known = typeof event.number === 'number' && (told += 1) <= this.told.length ? this.told[told - 1] : undefined;
      if (known?.type === 'approval.requested' && known.uncertain) this.#again.set(known.id, life);
      if (known?.type === 'approval.resolved') this.#again.delete(known.id);
      if (known) return void (JSON.stringify(known) === JSON.stringify(event) || this.complaints.push(`O1: event ${known.number} was ${known.type} of ${known.path}, and is ${event.type} of ${event.path}`));
      this.events.push(event);
      options.onEvent?.(event);
      if (event.type === 'approval.requested' && event.uncertain) void this.#lookUp(event.id, life);
    };
    return { ...options, journal: life.journal, clock: life.clock, onEvent };
  }

  #create(): Living {
    const { agent, threadId } = this.#with;
    const options = this.#born();
    return this.#alive(createThread(agent, { ...options, threadId }));
  }

  #alive(thread: Thread): Living {
    const life = this.#life;
    this.#thread = thread;
    this.#opened = life;
    const broken = new Promise<void>((resolve) => thread.events$.subscribe({ error: () => resolve() })).then(() => {
      if (this.#opened === life) this.#opened = undefined;
    });
    const gone = Promise.race([life.gone, broken]);
    return { life, thread, gone, next: gone.then(() => (this.now = this.#arisen({ life, thread: Promise.resolve(thread) }))) };
  }

  /** Where one process is gone the next one opens the thread, or makes it anew, if nothing is written. */
  async #arisen(last: { life: Life; thread: Promise<Thread | undefined> }): Promise<Living> {
    const { store, threadId, gapMs = () => 0 } = this.#with;
    for (let before = last; ; ) {
      this.deaths += 1;
      if (before.life.isSuperseded) this.strays.push(before);
      const ms = gapMs() + (before.life.isGone ? 0 : RETRY_MS);
      if (ms > 0) await new Promise<void>((resolve) => this.#with.clock.setTimeout(resolve, ms));
      const entries = store.read(threadId);
      if (entries.length === 0) return this.#create();
      if (wasAnswering(entries)) this.doubt ??= 'of an answer what was complete when its process died is gone on from: the rest is asked for anew, or not at all';
      const opening = this.#open();
      const life = this.#life;
      const opened = await Promise.race([opening, life.gone.then(() => undefined)]);
      before = { life, thread: opening };
      if (!opened) continue;
      for (const [id] of this.#again) void this.#lookUp(id, life);
      this.#again.clear();
      return this.#alive(opened);
    }
  }

  #open(): Promise<Thread | undefined> {
    const { threadId, agent, options: { agents = [] } } = this.#with;
    const { history: _history, rules: _rules, ...options } = this.#born(); // both are recorded
    return openThread(threadId, { ...options, agents: [agent, ...agents] }).catch(unlessTrouble);
  }

  /** What nobody but the world knows, a person looks up (O3). */
  async #lookUp(id: string, life: Life): Promise<void> {
    const { ledger, world } = this.#with;
    await this.now;
    const body = `${pathOf(id)}/execute#${id.slice(id.lastIndexOf('#') + 1)}`;
    await this.#waitFor(body);
    if (life.isOver) return; // the next process asks again
    const deed = ledger.find(body);
    this.doubt = 'a body that nobody knows of is looked up, and takes longer than it had';
    const known = world ? world.result(body) : deed && hasHappened(deed.outcome) ? { output: (deed.outcome as { value: CallResult }).value.output } : undefined; // a body that has happened
    if (deed && !known && !deed.isOver) ledger.isGone(deed);
    await this.decide(id, (thread) => (known ? thread.useResult(id, known.output) : thread.approve(id))).catch(() => undefined); // the run may be over by now
  }

  /** It may be at work elsewhere. */
  async #waitFor(body: string): Promise<void> {
    const { clock, ledger, world } = this.#with;
    if (world) return new Promise((resolve) => void clock.setTimeout(resolve, world.patienceMs));
    for (let turns = 0; ledger.find(body)?.isOver === false && clock.pending.length > 0 && turns < 500; turns += 1) await clock.settle();
  }
}

/** Nothing where the process is gone before it has answered, or cannot write. */
const heard = <Answer>({ gone }: Living, saying: Promise<Answer>): Promise<Answer | undefined> =>
  Promise.race([saying.catch(unlessTrouble), gone.then(() => undefined)]);

function unlessTrouble(error: unknown): undefined {
  if (!isJournalTrouble(error)) throw error;
}
