/** The processes that have a thread, one after the other: where one dies, fails to write or loses it, the next opens it. */
import type { Agent, MemoryJournal } from 'loopchart';
import { type Receipt, type Thread, type ThreadEvent, type ThreadOptions, type ThreadRunResult, createThread, openThread } from 'loopchart/thread';
import type { VirtualClock } from 'loopchart/testing';
import { receiptOf } from '../../../actors/thread/receipts.ts';
import type { CallResult } from '../../../machines/protocol/call.ts';
import type { ThreadCommand } from '../../../machines/protocol/thread.ts';
import type { Fortune } from './fate.ts';
import { type Ledger, hasHappened, pathOf } from './ledger.ts';
import { DOUBTS } from './exceptions.ts';
import { Life, isJournalTrouble } from './life.ts';
import { ToldEvents } from './toldEvents.ts';
import { wasCalling } from './unfinished.ts';

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
  readonly events = new ToldEvents();
  /** What was said and not answered yet. */
  readonly unanswered = new Set<string>();
  /** Processes that may go on when others have the thread. */
  readonly strays: { life: Life; thread: Promise<Thread | undefined> }[] = [];
  now: Promise<Living>;
  #with: MortalOptions;
  #life!: Life;
  /** The one that has the thread open. */
  #opened: Life | undefined;
  #thread!: Thread;
  /** Calls that an earlier process had asked about, and nobody has answered. */
  readonly #again = new Map<string, Life>();
  /** Of runs that were going, as their process says it. */
  readonly #results = new Map<string, { result: Promise<ThreadRunResult>; gone: Promise<void> }>();
  /** Processes that the script itself has killed, or that have given the thread back; and who opens it then. */
  readonly #left = new Map<Life, Promise<Living>>();
  #open: (living: Promise<Living>) => void = () => undefined;

  /** @param first a process that has it already. */
  constructor(given: MortalOptions, first?: { life: Life; thread: Thread }) {
    this.#with = given;
    if (first) this.now = Promise.resolve(this.#adopt(first));
    else if (given.store.read(given.threadId).length > 0) this.now = this.#arisen();
    else this.now = Promise.resolve(this.#create());
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

  /** Of the process in which the run ended; nothing where that was gone by then. */
  async resultOf(runId: string): Promise<ThreadRunResult | undefined> {
    const known = this.#results.get(runId);
    const result = known && (await Promise.race([known.result, known.gone.then(() => undefined)]));
    if (!result) this.doubt ??= DOUBTS.end;
    return result;
  }

  /** Whoever has it gives it back, or is killed; the next process comes when it is told to. */
  async leave(how: 'released' | 'killed'): Promise<void> {
    const living = await this.now;
    const next = new Promise<Living>((resolve) => { this.#open = resolve; });
    this.#left.set(living.life, next);
    if (how === 'killed') {
      this.now = next;
      return living.life.end();
    }
    await heard(living, living.thread.release());
    this.events.end();
  }

  /** @param others agents and options, where they are not those of before. */
  async reopen(others: Partial<Pick<MortalOptions, 'agent' | 'options'>>): Promise<void> {
    this.#with = { ...this.#with, ...others };
    this.now = this.#arisen();
    this.#open(this.now);
    await this.now;
  }

  /** A thread of its own in the same process; where that dies meanwhile, in the next. */
  async fork(threadId: string, fork: (thread: Thread) => Promise<Thread>): Promise<ThreadLives> {
    const { options: { onEvent: _hears, ...options }, ...rest } = this.#with;
    const given = { ...rest, options, threadId };
    for (let living = await this.now; ; living = await living.next) {
      const thread = await heard(living, fork(living.thread));
      if (thread) return new ThreadLives(given, { life: living.life, thread });
      await living.next;
      if (this.#with.store.read(threadId).length > 0) return new ThreadLives(given);
      this.doubt ??= DOUBTS.unheard;
    }
  }

  /** Says it until somebody has heard it. */
  async say<Answer extends Receipt>(command: ThreadCommand['type'], id: string | undefined, call: (thread: Thread) => Promise<Answer>): Promise<Answer | Receipt> {
    const what = `${command} ${id ?? globalThis.crypto.randomUUID()}`;
    this.unanswered.add(what);
    try {
      return await this.#say(command, id, call);
    } finally {
      this.unanswered.delete(what);
    }
  }

  /** What is written was heard (L1). */
  async #say<Answer extends Receipt>(command: ThreadCommand['type'], id: string | undefined, call: (thread: Thread) => Promise<Answer>): Promise<Answer | Receipt> {
    const before = this.#answers(command, id).length;
    for (let living = await this.now; ; living = await living.next) {
      const answer = await heard(living, call(living.thread));
      if (answer) return answer;
      await living.next;
      const answered = this.#answers(command, id)[before];
      if (answered) return receiptOf(answered.id, answered.answer);
      this.doubt = DOUBTS.unheard;
    }
  }

  async decide(id: string, decide: (thread: Thread) => Promise<void>): Promise<void> {
    for (let living = await this.now; ; living = await living.next) {
      const isSaid = await heard(living, decide(living.thread).then(() => true));
      if (isSaid) return;
      const wasHeard = this.#with.store.read(this.#with.threadId).some((entry) => entry.type === 'decide' && entry.id === id); // not by a rule of the next process
      await living.next;
      if (wasHeard) return;
      this.doubt = DOUBTS.unheard;
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
    return { ...options, journal: life.journal, clock: life.clock, onEvent: this.#hearing(life) };
  }

  #hearing(life: Life): (event: ThreadEvent) => void {
    let told = 0;
    return (event) => {
      if (life !== this.#life || life.isGone) return;
      const known = typeof event.number === 'number' && (told += 1) <= this.told.length ? this.told[told - 1] : undefined;
      if (known?.type === 'approval.requested' && known.uncertain) this.#again.set(known.id, life);
      if (known?.type === 'approval.resolved') this.#again.delete(known.id);
      if (known) return void (JSON.stringify(known) === JSON.stringify(event) || this.complaints.push(`O1: event ${known.number} was ${known.type} of ${known.path}, and is ${event.type} of ${event.path}`));
      this.events.push(event);
      this.#with.options.onEvent?.(event);
      if (event.type === 'approval.requested' && event.uncertain) void this.#lookUp(event.id, life);
      if (event.type === 'input.accepted' && event.source) void this.now.then((living) => this.#noteResult(living));
    };
  }

  #noteResult({ thread, gone }: Living): void {
    const { activeRun } = thread;
    void activeRun?.started.then((runId) => this.#results.set(runId, { result: activeRun.result, gone }));
  }

  /** A fork begins in the process of its source, which tells nobody of it by itself. */
  #adopt({ life, thread }: { life: Life; thread: Thread }): Living {
    this.#life = life;
    const hear = this.#hearing(life);
    void (async () => {
      for await (const event of thread.events({ from: 1 })) hear(event);
    })().catch(() => undefined); // it ends with its process
    return this.#alive(thread);
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
    const next = gone.then(() => this.#left.get(life) ?? (this.now = this.#arisen({ life, thread: Promise.resolve(thread) })));
    const living = { life, thread, gone, next };
    this.#noteResult(living);
    return living;
  }

  /** Where one process is gone the next one opens the thread, or makes it anew, if nothing is written. */
  async #arisen(last?: { life: Life; thread: Promise<Thread | undefined> }): Promise<Living> {
    const { store, threadId, gapMs = () => 0 } = this.#with;
    for (let before = last; ; ) {
      this.deaths += 1;
      if (before?.life.isSuperseded) this.strays.push(before);
      const ms = gapMs() + (!before || before.life.isGone ? 0 : RETRY_MS);
      if (ms > 0) await new Promise<void>((resolve) => this.#with.clock.setTimeout(resolve, ms));
      const entries = store.read(threadId);
      if (entries.length === 0) return this.#create();
      if (wasCalling(entries)) this.doubt ??= DOUBTS.calling;
      const opening = this.#openAgain();
      const life = this.#life;
      const opened = await Promise.race([opening, life.gone.then(() => undefined)]);
      before = { life, thread: opening };
      if (!opened) continue;
      for (const [id] of this.#again) void this.#lookUp(id, life);
      this.#again.clear();
      return this.#alive(opened);
    }
  }

  #openAgain(): Promise<Thread | undefined> {
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
    const deed = ledger.find(body);
    if (life.isOver || (deed && this.#left.has(deed.life))) return; // the next process asks again; the script answers for those it has killed
    this.doubt = DOUBTS.lookedUp;
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
