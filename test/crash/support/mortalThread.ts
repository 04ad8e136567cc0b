/** A thread through as many processes as it needs: where one dies, the next opens it, and what nobody had heard is said again. */
import { EMPTY } from 'rxjs';
import type { AgentInputItem, RunToolApprovalItem } from 'loopchart';
import { type CompactReceipt, type Compaction, type Delivery, type Receipt, type SteerOptions, type SteerReceipt, type Thread, type ThreadEvent, type ThreadOptions, type ThreadQueue, type ThreadRun, type ThreadRunOptions, type ThreadRunResult, createThread, openThread } from 'loopchart/thread';
import type { Agent, JournalEntry, MemoryJournal } from 'loopchart';
import type { VirtualClock } from 'loopchart/testing';
import { RunInterruptedError } from '../../../actors/errors.ts';
import type { CallResult } from '../../../machines/protocol/call.ts';
import type { ThreadCommand } from '../../../machines/protocol/thread.ts';
import { receiptOf } from '../../../actors/thread/receipts.ts';
import { EventList } from '../../scenarios/support/scenario.ts';
import type { PlayedThread } from '../../scenarios/support/threadScenario.ts';
import type { Fortune } from './fate.ts';
import { type Ledger, hasHappened, pathOf } from './ledger.ts';
import { Life } from './life.ts';

type AnyAgent = Agent<any, any>; // `any`: a scenario has agents of all kinds
export interface MortalOptions {
  threadId: string;
  agent: AnyAgent;
  options: Omit<ThreadOptions<any>, 'journal' | 'clock'>;
  store: MemoryJournal;
  clock: VirtualClock;
  fate: Fortune;
  ledger: Ledger;
  isSlow?: boolean;
  /** What the world knows of a body. Default: what the ledger knows. */
  result?: (effectId: string) => { output: unknown } | undefined;
}

/** A process that has the thread, and the one after it. */
interface Living { life: Life; thread: Thread; next: Promise<Living> }

export const THREAD_OBSTACLES = {
  reads: 'it reads events of a process that lives',
  leaves: 'it gives its thread back itself',
  forks: 'its forks are not watched',
};

/** What is read where nothing can be. */
const NOTHING: AsyncIterable<never> = { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }) };

export class MortalThread implements PlayedThread {
  readonly id: string;
  readonly queue: ThreadQueue;
  /** Why this script cannot be played here; and why it may rightly end otherwise. */
  obstacle: string | undefined;
  doubt: string | undefined;
  deaths = 0;
  readonly complaints: string[] = [];
  readonly #with: MortalOptions;
  readonly #events = new EventList();
  #life!: Life;
  /** The one that has opened the thread. */
  #opened: Life | undefined;
  /** Calls that an earlier process had asked about, and nobody has answered. */
  readonly #again = new Map<string, Life>();
  #thread!: Thread;
  #now: Promise<Living>;

  constructor(given: MortalOptions) {
    this.#with = given;
    this.id = given.threadId;
    this.queue = {
      list: () => this.#thread.queue.list(),
      add: (input, { id = globalThis.crypto.randomUUID(), ...options } = {}) => this.#asked(id, 'queue.add', (thread) => thread.queue.add(input, { ...options, id })),
      edit: (id, changes) => this.#say('queue.edit', undefined, (thread) => thread.queue.edit(id, changes)),
      move: (id, to) => this.#say('queue.move', undefined, (thread) => thread.queue.move(id, to)),
      remove: (id) => this.#say('queue.remove', undefined, (thread) => thread.queue.remove(id)),
      resume: () => this.#say('queue.resume', undefined, (thread) => thread.queue.resume()),
    };
    this.#now = Promise.resolve(this.#create());
  }

  /** One process is gone, and the next has not opened the thread. */
  get isBetweenLives(): boolean {
    return this.#opened !== this.#life || this.#life.isOver;
  }
  get told(): readonly ThreadEvent[] {
    return this.#events.all;
  }
  get look() {
    return this.#thread.look;
  }
  get state() {
    return this.#thread.state;
  }
  get interruptions(): RunToolApprovalItem[] {
    return this.#thread.interruptions;
  }
  get activeRun(): ThreadRun | undefined {
    this.obstacle = THREAD_OBSTACLES.reads;
    return this.#thread.activeRun;
  }
  get events$() {
    this.obstacle = THREAD_OBSTACLES.reads;
    return this.#thread.events$;
  }
  events(options?: { from?: number; signal?: AbortSignal }) {
    this.obstacle = THREAD_OBSTACLES.reads;
    return this.#thread.events(options);
  }
  /** What is told again while a thread is opened is known when it is open. */
  async until(wanted: Parameters<PlayedThread['until']>[0]): Promise<ThreadEvent> {
    const event = await this.#events.until(wanted);
    await this.#now;
    return event;
  }

  run(input: string | AgentInputItem[], { id = globalThis.crypto.randomUUID(), ...options }: ThreadRunOptions = {}): ThreadRun {
    return this.#asked(id, 'thread.run', (thread) => thread.run(input, { ...options, id }));
  }
  stream(input: string | AgentInputItem[], options?: ThreadRunOptions): ThreadRun {
    this.obstacle = THREAD_OBSTACLES.reads;
    return this.#thread.stream(input, options);
  }
  async steer(input: string | AgentInputItem[], { id = globalThis.crypto.randomUUID(), ...options }: SteerOptions = {}): Promise<SteerReceipt> {
    const receipt = await this.#say('thread.steer', id, (thread) => thread.steer(input, { ...options, id }));
    return receipt.status === 'accepted' ? { ...receipt, delivery: this.#delivery(id) } : receipt;
  }
  mail({ id = globalThis.crypto.randomUUID(), ...mail }: Parameters<Thread['mail']>[0]): Promise<Receipt> {
    return this.#say('thread.mail', id, (thread) => thread.mail({ ...mail, id }));
  }
  interrupt(options?: { expectedRunId?: string; path?: string }): Promise<Receipt> {
    return this.#say('thread.interrupt', undefined, (thread) => thread.interrupt(options));
  }
  stopAfterTurn(options?: { expectedRunId?: string }): Promise<Receipt> {
    return this.#say('thread.softStop', undefined, (thread) => thread.stopAfterTurn(options));
  }
  async compact(): Promise<CompactReceipt> {
    const since = this.told.length;
    const receipt = await this.#say('thread.compact', undefined, (thread) => thread.compact());
    return receipt.status === 'accepted' ? { ...receipt, compaction: this.#compaction(since) } : receipt;
  }
  revert(to: Parameters<Thread['revert']>[0]): Promise<Receipt> {
    return this.#say('thread.revert', undefined, (thread) => thread.revert(to));
  }
  inject(items: AgentInputItem[]): Promise<Receipt> {
    return this.#say('thread.inject', undefined, (thread) => thread.inject(items));
  }
  setGoal(goal: Parameters<Thread['setGoal']>[0]): Promise<Receipt> {
    return this.#say('thread.goal', undefined, (thread) => thread.setGoal(goal));
  }
  addRule(rule: Parameters<Thread['addRule']>[0]): Promise<Receipt> {
    return this.#say('rule.add', undefined, (thread) => thread.addRule(rule));
  }
  removeRule(id: string): Promise<Receipt> {
    return this.#say('rule.remove', undefined, (thread) => thread.removeRule(id));
  }
  close(): Promise<Receipt> {
    return this.#say('thread.close', undefined, (thread) => thread.close());
  }
  approve(call: RunToolApprovalItem | string, options?: Parameters<Thread['approve']>[1]): Promise<void> {
    return this.#decide(call, (thread, id) => thread.approve(id, options));
  }
  reject(call: RunToolApprovalItem | string, options?: Parameters<Thread['reject']>[1]): Promise<void> {
    return this.#decide(call, (thread, id) => thread.reject(id, options));
  }
  answer(call: RunToolApprovalItem | string, answers: Record<string, unknown>): Promise<void> {
    return this.#decide(call, (thread, id) => thread.answer(id, answers));
  }
  useResult(call: RunToolApprovalItem | string, output: unknown): Promise<void> {
    return this.#decide(call, (thread, id) => thread.useResult(id, output));
  }
  fork(options?: Parameters<Thread['fork']>[0]): Promise<Thread> {
    this.obstacle = THREAD_OBSTACLES.forks;
    return this.#thread.fork(options);
  }
  release(): Promise<void> {
    this.obstacle = THREAD_OBSTACLES.leaves;
    return this.#thread.release();
  }

  // -- lives ----------------------------------------------------------------------------------------------------------

  #born() {
    const { store, clock, fate, ledger, options, isSlow } = this.#with;
    const life = new Life({ store, clock, fate, isSlow });
    ledger.watch(life);
    this.#life = life;
    let told = 0;
    const onEvent = (event: ThreadEvent) => {
      if (life.isOver) return;
      const known = typeof event.number === 'number' && (told += 1) <= this.told.length ? this.told[told - 1] : undefined;
      if (known?.type === 'approval.requested' && known.uncertain) this.#again.set(known.id, life);
      if (known?.type === 'approval.resolved') this.#again.delete(known.id);
      if (known) return void (JSON.stringify(known) === JSON.stringify(event) || this.complaints.push(`O1: event ${known.number} was ${known.type} of ${known.path}, and is ${event.type} of ${event.path}`));
      this.#events.push(event);
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
    return { life, thread, next: life.gone.then(() => (this.#now = this.#arisen())) };
  }

  /** Where one process dies the next one opens the thread, or makes it anew, if nothing is written. */
  async #arisen(): Promise<Living> {
    const { store, agent, options: { agents = [] } } = this.#with;
    for (;;) {
      this.deaths += 1;
      const entries = store.read(this.id);
      if (entries.length === 0) return this.#create();
      if (wasAnswering(entries)) this.doubt ??= 'of an answer what was complete when its process died is gone on from: the rest is asked for anew, or not at all';
      const { history: _history, rules: _rules, ...options } = this.#born(); // both are recorded
      const life = this.#life;
      const opened = await Promise.race([openThread(this.id, { ...options, agents: [agent, ...agents] }), life.gone.then(() => undefined)]);
      if (!opened) continue;
      for (const [id] of this.#again) void this.#lookUp(id, life);
      this.#again.clear();
      return this.#alive(opened);
    }
  }

  /** Says it until somebody has heard it; what is written was heard (L1). */
  async #say<Answer extends Receipt>(command: ThreadCommand['type'], id: string | undefined, call: (thread: Thread) => Promise<Answer>): Promise<Answer | Receipt> {
    const before = this.#answers(command, id).length;
    for (let living = await this.#now; ; living = await living.next) {
      const answer = await Promise.race([call(living.thread), living.life.gone.then(() => undefined)]);
      if (answer) return answer;
      await living.next;
      const answered = this.#answers(command, id)[before];
      if (answered) return receiptOf(answered.id, answered.answer);
      this.doubt = 'what a process had not heard when it died is said to the next one, and later';
    }
  }

  #answers(command: ThreadCommand['type'], id: string | undefined) {
    return this.told.flatMap((event) => (event.type === 'command.answered' && event.command === command && (id === undefined || event.id === id) ? [event] : []));
  }

  async #decide(call: RunToolApprovalItem | string, decide: (thread: Thread, id: string) => Promise<void>): Promise<void> {
    const id = typeof call === 'string' ? call : call.id;
    for (let living = await this.#now; ; living = await living.next) {
      const isSaid = await Promise.race([decide(living.thread, id).then(() => true), living.life.gone.then(() => false)]);
      if (isSaid) return;
      await living.next;
      if (this.#with.store.read(this.id).some((entry) => entry.type === 'decide' && entry.id === id)) return;
      this.doubt = 'what a process had not heard when it died is said to the next one, and later';
    }
  }

  /** What nobody but the world knows, a person looks up (O3). */
  async #lookUp(id: string, life: Life): Promise<void> {
    const { ledger, clock, result } = this.#with;
    await this.#now;
    const body = `${pathOf(id)}/execute#${id.slice(id.lastIndexOf('#') + 1)}`;
    for (let turns = 0; ledger.find(body)?.isOver === false && clock.pending.length > 0 && turns < 500; turns += 1) await clock.settle(); // it may be at work elsewhere
    if (life.isOver) return; // the next process asks again
    const deed = ledger.find(body);
    this.doubt = 'a body that nobody knows of is looked up, and takes longer than it had';
    const known = result ? result(body) : deed && hasHappened(deed.outcome) ? { output: (deed.outcome as { value: CallResult }).value.output } : undefined; // a body that has happened
    if (deed && !known && !deed.isOver) ledger.isGone(deed);
    await (known ? this.useResult(id, known.output) : this.approve(id)).catch(() => undefined); // the run may be over by now
  }

  // -- runs -----------------------------------------------------------------------------------------------------------

  #asked(id: string, command: 'thread.run' | 'queue.add', ask: (thread: Thread) => ThreadRun): ThreadRun {
    const receipt = this.#say(command, id, (thread) => {
      const run = ask(thread);
      run.result.catch(() => undefined); // of a process that may be gone by then
      return run.receipt;
    });
    const started = receipt.then((taken) => this.#started(id, command, taken));
    const result = started.then((runId) => this.#result(runId));
    for (const promise of [started, result]) promise.catch(() => undefined); // nobody has to await them
    const touched = () => { this.obstacle = THREAD_OBSTACLES.reads; };
    return {
      id, receipt, started, result,
      then: (onResult, onError) => result.then(onResult, onError),
      get events$() { touched(); return EMPTY; },
      [Symbol.asyncIterator]: () => { touched(); return NOTHING[Symbol.asyncIterator](); },
      steer: async (input, options) => this.steer(input, { ...options, expectedRunId: await started }),
      interrupt: async () => this.interrupt({ expectedRunId: await started }),
      stopAfterTurn: async () => this.stopAfterTurn({ expectedRunId: await started }),
    };
  }

  async #started(id: string, command: string, receipt: Receipt): Promise<string> {
    if (receipt.status !== 'accepted') throw new Error(receipt.status === 'rejected' ? receipt.message : 'The run was not begun.');
    const begins = (event: ThreadEvent) => event.type === 'input.accepted' && event.ids.includes(id);
    if (command === 'thread.run' && receipt.runId !== undefined && this.told.some((event) => begins(event) && event.path === receipt.runId)) return receipt.runId;
    const event = await this.until((one) => begins(one) || (one.type === 'queue.changed' && this.#hasLeft(id)));
    if (event.type !== 'input.accepted') throw new Error(`The run ${id} left the queue before it began.`);
    return event.path;
  }

  /** It was in the queue, is no longer, and has not begun. */
  #hasLeft(id: string): boolean {
    const queues = this.told.flatMap((event) => (event.type === 'queue.changed' ? [event.queue.some((entry) => entry.id === id)] : []));
    return queues.includes(true) && queues.at(-1) === false && !this.told.some((event) => event.type === 'input.accepted' && event.ids.includes(id));
  }

  async #result(runId: string): Promise<ThreadRunResult> {
    const event = await this.until(({ type, path }) => type === 'run.settled' && path === runId);
    const { status, how, output, failure, undelivered } = (event as Extract<ThreadEvent, { type: 'run.settled' }>).outcome; // just looked for
    if (status === 'failed') throw new Error(failure?.message);
    if (status === 'interrupted') throw new RunInterruptedError();
    const known = { runId, status, ...(how && { how }), finalOutput: status === 'completed' ? output : undefined, undelivered: undelivered.map(({ item }) => item) };
    const unknown = () => { this.obstacle = THREAD_OBSTACLES.reads; };
    return Object.defineProperties(known, Object.fromEntries(['newItems', 'lastAgent', 'usage'].map((key) => [key, { get: unknown }]))) as unknown as ThreadRunResult; // what only the process knows in which it ended
  }

  /** @param since how many events had been told. */
  async #compaction(since: number): Promise<Compaction> {
    const event = await this.until((one) => this.told.indexOf(one) >= since && (one.type === 'compaction.completed' || one.type === 'compaction.failed' || (one.type === 'thread.changed' && one.state !== 'active')));
    if (event.type === 'compaction.completed') return { status: 'completed', before: event.before, after: event.after, dropped: event.dropped };
    return event.type === 'compaction.failed' ? { status: 'failed', error: new Error(event.failure.message) } : { status: 'dropped' };
  }

  async #delivery(id: string): Promise<Delivery> {
    const event = await this.until((one) => (one.type === 'input.delivered' || one.type === 'input.dropped') && one.ids.includes(id));
    return event.type === 'input.delivered' ? { status: 'delivered', runId: event.path.split('/').slice(0, 2).join('/'), turn: event.turn } : { status: 'dropped', reason: (event as { reason: string }).reason };
  }
}

/** Something of an answer was complete, and the answer was not. */
function wasAnswering(entries: readonly JournalEntry[]): boolean {
  const ended = new Set(entries.flatMap((entry) => (entry.type === 'effect.done' || entry.type === 'effect.failed' ? [entry.id] : [])));
  return entries.some((entry) => entry.type === 'effect.item' && !ended.has(entry.id));
}
