/** A thread through as many processes as it needs: whatever a script says to it is said to the one that has it. */
import type { AgentInputItem, RunToolApprovalItem } from 'loopchart';
import type { CompactReceipt, Compaction, Delivery, Receipt, SteerOptions, SteerReceipt, Thread, ThreadEvent, ThreadQueue, ThreadRun, ThreadRunOptions } from 'loopchart/thread';
import type { PlayedThread } from '../../scenarios/support/threadScenario.ts';
import { mortalRun } from './mortalRun.ts';
import { type MortalOptions, ThreadLives } from './threadLives.ts';

export const THREAD_OBSTACLES = {
  reads: 'it reads events of a process that lives',
  leaves: 'it gives its thread back itself',
  forks: 'its forks are not watched',
};

export class MortalThread implements PlayedThread {
  readonly id: string;
  readonly queue: ThreadQueue;
  /** Why this script cannot be played here. */
  obstacle: string | undefined;
  readonly lives: ThreadLives;

  constructor(given: MortalOptions) {
    this.id = given.threadId;
    this.lives = new ThreadLives(given);
    this.queue = {
      list: () => this.lives.thread.queue.list(),
      add: (input, { id = globalThis.crypto.randomUUID(), ...options } = {}) => this.#asked(id, 'queue.add', (thread) => thread.queue.add(input, { ...options, id })),
      edit: (id, changes) => this.lives.say('queue.edit', undefined, (thread) => thread.queue.edit(id, changes)),
      move: (id, to) => this.lives.say('queue.move', undefined, (thread) => thread.queue.move(id, to)),
      remove: (id) => this.lives.say('queue.remove', undefined, (thread) => thread.queue.remove(id)),
      resume: () => this.lives.say('queue.resume', undefined, (thread) => thread.queue.resume()),
    };
  }

  get told(): readonly ThreadEvent[] {
    return this.lives.told;
  }
  get look() {
    return this.lives.thread.look;
  }
  get state() {
    return this.lives.thread.state;
  }
  get interruptions(): RunToolApprovalItem[] {
    return this.lives.thread.interruptions;
  }
  get activeRun(): ThreadRun | undefined {
    this.obstacle = THREAD_OBSTACLES.reads;
    return this.lives.thread.activeRun;
  }
  get events$() {
    this.obstacle = THREAD_OBSTACLES.reads;
    return this.lives.thread.events$;
  }
  events(options?: { from?: number; signal?: AbortSignal }) {
    this.obstacle = THREAD_OBSTACLES.reads;
    return this.lives.thread.events(options);
  }
  /** What is told again while a thread is opened is known when it is open. */
  async until(wanted: Parameters<PlayedThread['until']>[0]): Promise<ThreadEvent> {
    const event = await this.lives.events.until(wanted);
    await this.lives.now;
    return event;
  }

  run(input: string | AgentInputItem[], { id = globalThis.crypto.randomUUID(), ...options }: ThreadRunOptions = {}): ThreadRun {
    return this.#asked(id, 'thread.run', (thread) => thread.run(input, { ...options, id }));
  }
  stream(input: string | AgentInputItem[], options?: ThreadRunOptions): ThreadRun {
    this.obstacle = THREAD_OBSTACLES.reads;
    return this.lives.thread.stream(input, options);
  }
  async steer(input: string | AgentInputItem[], { id = globalThis.crypto.randomUUID(), ...options }: SteerOptions = {}): Promise<SteerReceipt> {
    const receipt = await this.lives.say('thread.steer', id, (thread) => thread.steer(input, { ...options, id }));
    return receipt.status === 'accepted' ? { ...receipt, delivery: this.#delivery(id) } : receipt;
  }
  mail({ id = globalThis.crypto.randomUUID(), ...mail }: Parameters<Thread['mail']>[0]): Promise<Receipt> {
    return this.lives.say('thread.mail', id, (thread) => thread.mail({ ...mail, id }));
  }
  interrupt(options?: { expectedRunId?: string; path?: string }): Promise<Receipt> {
    return this.lives.say('thread.interrupt', undefined, (thread) => thread.interrupt(options));
  }
  stopAfterTurn(options?: { expectedRunId?: string }): Promise<Receipt> {
    return this.lives.say('thread.softStop', undefined, (thread) => thread.stopAfterTurn(options));
  }
  async compact(): Promise<CompactReceipt> {
    const since = this.told.length;
    const receipt = await this.lives.say('thread.compact', undefined, (thread) => thread.compact());
    return receipt.status === 'accepted' ? { ...receipt, compaction: this.#compaction(since) } : receipt;
  }
  revert(to: Parameters<Thread['revert']>[0]): Promise<Receipt> {
    return this.lives.say('thread.revert', undefined, (thread) => thread.revert(to));
  }
  inject(items: AgentInputItem[]): Promise<Receipt> {
    return this.lives.say('thread.inject', undefined, (thread) => thread.inject(items));
  }
  setGoal(goal: Parameters<Thread['setGoal']>[0]): Promise<Receipt> {
    return this.lives.say('thread.goal', undefined, (thread) => thread.setGoal(goal));
  }
  addRule(rule: Parameters<Thread['addRule']>[0]): Promise<Receipt> {
    return this.lives.say('rule.add', undefined, (thread) => thread.addRule(rule));
  }
  removeRule(id: string): Promise<Receipt> {
    return this.lives.say('rule.remove', undefined, (thread) => thread.removeRule(id));
  }
  close(): Promise<Receipt> {
    return this.lives.say('thread.close', undefined, (thread) => thread.close());
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
    return this.lives.thread.fork(options);
  }
  release(): Promise<void> {
    this.obstacle = THREAD_OBSTACLES.leaves;
    return this.lives.thread.release();
  }

  #asked(id: string, command: 'thread.run' | 'queue.add', ask: (thread: Thread) => ThreadRun): ThreadRun {
    const receipt = this.lives.say(command, id, (thread) => {
      const run = ask(thread);
      run.result.catch(() => undefined); // of a process that may be gone by then
      return run.receipt;
    });
    return mortalRun(id, this, receipt, () => { this.obstacle = THREAD_OBSTACLES.reads; });
  }

  #decide(call: RunToolApprovalItem | string, decide: (thread: Thread, id: string) => Promise<void>): Promise<void> {
    const id = typeof call === 'string' ? call : call.id;
    return this.lives.decide(id, (thread) => decide(thread, id));
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
