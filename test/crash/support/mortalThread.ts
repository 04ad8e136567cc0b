/** A thread through as many processes as it needs: whatever a script says to it is said to the one that has it. */
import type { AgentInputItem, RunToolApprovalItem } from 'loopchart';
import type { CompactReceipt, Compaction, Delivery, Receipt, SteerOptions, SteerReceipt, StreamOptions, Thread, ThreadEvent, ThreadQueue, ThreadRun, ThreadRunOptions } from 'loopchart/thread';
import { observableOf } from '../../../actors/thread/observable.ts';
import { type RunHandle, interruptOn } from '../../../actors/thread/runHandle.ts';
import type { PlayedThread } from '../../scenarios/support/threadScenario.ts';
import { coldRun, mortalRun } from './mortalRun.ts';
import type { ThreadLives } from './threadLives.ts';

export class MortalThread implements PlayedThread {
  readonly id: string;
  readonly queue: ThreadQueue;
  readonly events$: Thread['events$'];
  readonly forks: MortalThread[] = [];
  readonly lives: ThreadLives;
  readonly #runs = new Map<string, ThreadRun>();

  constructor(id: string, lives: ThreadLives) {
    this.id = id;
    this.lives = lives;
    this.events$ = observableOf(lives.events);
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
    const { activeRunId } = this.look;
    const begins = this.told.find((event) => event.type === 'input.accepted' && event.source && event.path === activeRunId);
    if (activeRunId === undefined || begins?.type !== 'input.accepted') return undefined;
    const accepted: Receipt = { status: 'accepted', id: activeRunId, runId: activeRunId };
    return begins.ids.map((id) => this.#runs.get(id)).find(Boolean) ?? mortalRun({ id: activeRunId, receipt: Promise.resolve(accepted), runId: activeRunId }, this);
  }
  events({ from, signal }: { from?: number; signal?: AbortSignal } = {}): AsyncGenerator<ThreadEvent> {
    const { events } = this.lives;
    return from === undefined ? events.after(events.told.length, signal) : events.from(from, signal);
  }
  /** What is told again while a thread is opened is known when it is open. */
  async until(wanted: Parameters<PlayedThread['until']>[0]): Promise<ThreadEvent> {
    const event = await this.lives.events.until(wanted);
    await this.lives.now;
    return event;
  }

  run(input: string | AgentInputItem[], { id = globalThis.crypto.randomUUID(), signal, ...options }: ThreadRunOptions = {}): ThreadRun {
    const given = structuredClone(input); // it is the script's own, and said to a process later
    const run = this.#asked(id, 'thread.run', (thread) => thread.run(given, { ...options, id }));
    if (signal) interruptOn(signal, run as RunHandle); // all that it needs of one
    return run;
  }
  stream(input: string | AgentInputItem[], { id = globalThis.crypto.randomUUID(), ...options }: ThreadRunOptions & StreamOptions = {}): ThreadRun {
    return coldRun(id, () => this.run(input, { ...options, id }));
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
  async close(): Promise<Receipt> {
    const receipt = await this.lives.say('thread.close', undefined, (thread) => thread.close());
    if (receipt.status === 'accepted') this.lives.events.end();
    return receipt;
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
  async fork({ threadId = `thread_${globalThis.crypto.randomUUID()}`, ...options }: Parameters<Thread['fork']>[0] = {}): Promise<Thread> {
    const lives = await this.lives.fork(threadId, (thread) => thread.fork({ ...options, threadId }));
    await lives.now;
    const fork = new MortalThread(threadId, lives);
    this.forks.push(fork);
    return fork;
  }
  release(): Promise<void> {
    return this.lives.leave('released');
  }

  #asked(id: string, command: 'thread.run' | 'queue.add', ask: (thread: Thread) => ThreadRun): ThreadRun {
    const receipt = this.lives.say(command, id, (thread) => {
      const run = ask(thread);
      run.result.catch(() => undefined); // of a process that may be gone by then
      return run.receipt;
    });
    const run = mortalRun({ id, receipt }, this);
    this.#runs.set(id, run);
    return run;
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
    const delivered = this.until((one) => (one.type === 'input.delivered' || one.type === 'input.dropped') && one.ids.includes(id));
    const event = await Promise.race([delivered, this.lives.events.ended]);
    if (event?.type === 'input.delivered') return { status: 'delivered', runId: event.path.split('/').slice(0, 2).join('/'), turn: event.turn };
    return { status: 'dropped', reason: event?.type === 'input.dropped' ? event.reason : 'released' };
  }
}
