/** A conversation with an agent, live: what the app says becomes commands, what the charts announce becomes answers, results and events. */
import type { Observable } from 'rxjs';
import type { LoopEvent } from '../../machines/protocol/event.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { CommandAnswer, ThreadInput } from '../../machines/protocol/thread.ts';
import type { RunToolApprovalItem } from '../approvalItem.ts';
import { lengthAt } from '../../machines/threadMemory.ts';
import { UserError } from '../errors.ts';
import { type EventHub, runEventHub } from '../eventHub.ts';
import { approvalItemOf } from '../runItems.ts';
import type { RunScope } from '../scope.ts';
import { Awaited } from './awaited.ts';
import { ColdThreadRun } from './coldThreadRun.ts';
import { eventsFrom } from './eventsFrom.ts';
import { goalOf, injectedItems, inputOf, mailOf, overridesIn, pointOf } from './inputs.ts';
import { lookAt } from './look.ts';
import { observableOf } from './observable.ts';
import type { AnyAgent, ThreadOptions } from './options.ts';
import { type Past, pastOf, presentOf } from './pointInHistory.ts';
import { type Approving, PersonsSay, type Rejecting } from './personsSay.ts';
import { receiptOf } from './receipts.ts';
import { RunHandle, interruptOn } from './runHandle.ts';
import { type RunEnd, ThreadExecution } from './threadExecution.ts';
import { InputQueue, type Saying } from './threadQueue.ts';
import type { CompactReceipt, HistoryPoint, Receipt, SessionRule, SteerOptions, SteerReceipt, StreamOptions, Thread, ThreadEvent, ThreadLook, ThreadQueue, ThreadRun, ThreadRunOptions, ThreadState, ThreadText } from './types.ts';

type Settled = Extract<LoopEvent, { type: 'run.settled' }>;
/** Makes a thread of its own, with what this one was made with (M6). */
export type Forker = (past: Past, forkedFrom: NonNullable<ThreadInput['forkedFrom']>, threadId: string | undefined) => Promise<Thread>;

export class LiveThread implements Thread {
  readonly id: string;
  readonly queue: ThreadQueue;
  readonly events$: Observable<ThreadEvent>;
  readonly #execution: ThreadExecution;
  readonly #hub: EventHub<ThreadEvent> = runEventHub();
  readonly #persons: PersonsSay;
  readonly #awaited = new Awaited(() => this.#execution.home);
  readonly #options: ThreadOptions<any>; // `any`: as in the front door's own types
  readonly #fork: Forker;
  #ready: Promise<void> = Promise.resolve();
  #rested: (() => void)[] = [];

  constructor(agent: AnyAgent, options: ThreadOptions<any>, fork: Forker) {
    this.#options = options;
    this.#fork = fork;
    const watcher = {
      onEvent: (event: ThreadEvent, isReplayed: boolean) => this.#heard(event, isReplayed),
      onSettled: (event: Settled, scope: RunScope, end: RunEnd) => this.#awaited.runs.settled(event, scope, end),
      onRest: () => this.#wake(),
      onCrash: (error: unknown) => {
        this.#broke(error);
        void this.#execution.release();
      },
    };
    this.#execution = new ThreadExecution(agent, options, { ...watcher, pace: (signal) => this.#hub.pace(signal) });
    this.#persons = new PersonsSay(this.#execution);
    this.id = this.#execution.threadId;
    this.events$ = observableOf(this.#hub);
    this.queue = new InputQueue({
      entries: () => this.#execution.context?.queue ?? [],
      tell: (command, id) => this.#say(command, id),
      overrides: (options) => overridesIn(options, this.#execution.known),
      handle: (id, ask) => this.#handle(id, ask),
    });
  }

  /** Commands wait until it has begun. */
  begin(beginning: (execution: ThreadExecution) => Promise<void>): void {
    this.#ready = beginning(this.#execution);
    this.#ready.catch((error: unknown) => {
      this.#broke(error);
      void this.#execution.release(); // whoever tries again finds the journal free
    });
  }

  get ready(): Promise<void> {
    return this.#ready;
  }

  /** There is a history: the journal has taken how it began. @throws what the journal throws that does not take it. */
  async recorded(): Promise<void> {
    await this.#ready;
    const { host } = this.#execution;
    await this.#until(() => this.#execution.context !== undefined || host.isOver);
    if (!this.#execution.context) throw host.crash?.error ?? new UserError(`Thread ${this.id} was given back before it had begun.`);
  }

  get look(): ThreadLook {
    return lookAt(this.#execution);
  }

  get state(): ThreadState {
    return this.look.state;
  }

  get activeRun(): ThreadRun | undefined {
    const { activeRunId } = this.look;
    return activeRunId === undefined ? undefined : (this.#awaited.runs.of(activeRunId) ?? this.#adopt(activeRunId));
  }

  get interruptions(): RunToolApprovalItem[] {
    return this.#execution.openDecisions.map((open) => approvalItemOf(this.#execution.effects.scopeOf(open.id), open));
  }

  events(options: { from?: number; signal?: AbortSignal } = {}): AsyncIterable<ThreadEvent> {
    return eventsFrom(options, this.#hub, this.#execution);
  }

  run(input: ThreadText, options: ThreadRunOptions = {}): ThreadRun {
    const { whenBusy = this.#options.whenBusy ?? 'queue', signal, id: given, expectedRunId, ...rest } = options;
    const partials = whenBusy === 'replace' ? { partials: this.#partials() } : {};
    const handle = this.#handle(given, async ({ id }) => {
      const overrides = overridesIn(rest, this.#execution.known);
      const receipt = await this.#say({ type: 'thread.run', input: inputOf(input), whenBusy, ...(expectedRunId !== undefined && { expectedRunId }), ...partials, ...(overrides && { overrides }) }, id);
      if (whenBusy === 'steer' && receipt.status === 'accepted') this.#awaited.runs.join(id, receipt.runId);
      return receipt;
    });
    if (signal) interruptOn(signal, handle);
    return handle;
  }

  stream(input: ThreadText, { backPressure, buffer, ...options }: ThreadRunOptions & StreamOptions = {}): ThreadRun {
    return new ColdThreadRun(options.id ?? globalThis.crypto.randomUUID(), (id) => this.run(input, { ...options, id }) as RunHandle, { backPressure, buffer });
  }

  async steer(input: ThreadText, { id = globalThis.crypto.randomUUID(), expectedRunId, path, mode = this.#options.steerMode }: SteerOptions = {}): Promise<SteerReceipt> {
    const items = inputOf(input);
    if (input === '' || items.length === 0) return { status: 'rejected', id, reason: 'empty', message: 'A steer needs text or items.' };
    const pending = items.map((item, at) => ({ id: at === 0 ? id : `${id}.${at}`, item }));
    const delivery = this.#awaited.deliveries.of(pending.map((one) => one.id));
    const receipt = await this.#say({ type: 'thread.steer', input: pending, ...(expectedRunId !== undefined && { expectedRunId }), ...(path !== undefined && { path }), ...(mode === 'instant' && { mode }) }, id);
    return receipt.status === 'accepted' ? { ...receipt, delivery } : receipt;
  }

  async mail({ triggerTurn = false, id = globalThis.crypto.randomUUID(), ...mail }: { from: string; content: string; triggerTurn?: boolean; id?: string }): Promise<Receipt> {
    return this.#say({ type: 'thread.mail', mail: mailOf({ id, triggerTurn, ...mail }) }, id);
  }

  async interrupt({ expectedRunId, path }: { expectedRunId?: string; path?: string } = {}): Promise<Receipt> {
    const receipt = await this.#say({ ...this.#interruption(), ...(expectedRunId !== undefined && { expectedRunId }), ...(path !== undefined && { path }) });
    if (receipt.status === 'accepted') await this.#woundDown();
    return receipt;
  }

  stopAfterTurn({ expectedRunId }: { expectedRunId?: string } = {}): Promise<Receipt> {
    return this.#say({ type: 'thread.softStop', ...(expectedRunId !== undefined && { expectedRunId }) });
  }

  async approve(call: RunToolApprovalItem | string, options: Approving = {}): Promise<void> {
    await this.#ready;
    await this.#persons.approve(call, options);
  }

  async reject(call: RunToolApprovalItem | string, { interrupt, ...options }: Rejecting & { interrupt?: boolean } = {}): Promise<void> {
    await this.#ready;
    const end = { ...this.#interruption(), ...runMeant(typeof call === 'string' ? call : call.id), id: globalThis.crypto.randomUUID(), at: 0 };
    await this.#persons.reject(call, options, ...(interrupt ? [end] : []));
    if (interrupt) await this.#woundDown();
  }

  async answer(call: RunToolApprovalItem | string, answers: Record<string, unknown>): Promise<void> {
    await this.#ready;
    await this.#persons.answer(call, answers);
  }

  async useResult(call: RunToolApprovalItem | string, output: unknown): Promise<void> {
    await this.#ready;
    await this.#persons.useResult(call, output);
  }

  async compact(): Promise<CompactReceipt> {
    const compaction = this.#awaited.compactions.next();
    const receipt = await this.#say({ type: 'thread.compact' });
    return receipt.status === 'accepted' ? { ...receipt, compaction } : receipt;
  }

  async fork({ at, threadId }: { at?: HistoryPoint; threadId?: string } = {}): Promise<Thread> {
    await this.recorded();
    const { journal } = this.#execution.host;
    const past = at ? await pastOf(journal, this.id, pointOf(at)) : await presentOf(journal, this.id);
    if (!past) throw new UserError(`Thread ${this.id} has no such point: ${JSON.stringify(at)}. Fork at a run that has settled, or at a turn of one that is over; thread.look.runs tells which runs there are.`);
    return this.#fork(past, { threadId: this.id, ...(at && { at }) }, threadId);
  }

  async revert(point: HistoryPoint): Promise<Receipt> {
    const to = pointOf(point);
    await this.recorded();
    const isKnown = lengthAt(this.#execution.context, to) !== null;
    const past = isKnown ? undefined : await pastOf(this.#execution.host.journal, this.id, to); // what a compaction has taken the place of, say
    const receipt = await this.#say({ type: 'thread.revert', to, ...past, partials: this.#partials() });
    if (receipt.status === 'accepted') await this.#woundDown();
    return receipt;
  }

  async inject(items: AgentInputItem[]): Promise<Receipt> {
    return this.#say({ type: 'thread.inject', items: injectedItems(items) });
  }

  async setGoal(goal: { message: string; maxRuns?: number } | null): Promise<Receipt> {
    return this.#say({ type: 'thread.goal', goal: goal && goalOf(goal) });
  }

  async addRule({ id = globalThis.crypto.randomUUID(), ...said }: Omit<SessionRule, 'id'> & { id?: string }): Promise<Receipt> {
    const rule = this.#execution.checkedRule({ id, ...said });
    const receipt = await this.#say({ type: 'rule.add', rule });
    if (receipt.status === 'accepted') await this.#execution.answerByRules();
    return receipt;
  }

  removeRule(ruleId: string): Promise<Receipt> {
    return this.#say({ type: 'rule.remove', ruleId });
  }

  async close(): Promise<Receipt> {
    const receipt = await this.#say({ type: 'thread.close', partials: this.#partials() });
    if (receipt.status === 'accepted') await this.#until(() => this.#execution.host.isOver);
    await this.release();
    return receipt;
  }

  async release(): Promise<void> {
    await this.#ready.catch(() => undefined); // whoever made it hears why
    await this.#execution.release();
    this.#awaited.end(new UserError(this.#execution.host.ending === null ? `Thread ${this.id} was given back before the run had ended; it goes on where the thread is opened again.` : `Thread ${this.id} is closed: the run never begins. thread.queue.list() has its input.`));
    this.#hub.end();
    this.#wake();
  }

  /** Says it and waits for the answer. */
  async #say(saying: Saying, id: string = globalThis.crypto.randomUUID()): Promise<Receipt> {
    await this.#ready;
    const answer: CommandAnswer = await this.#execution.tell({ ...saying, id, at: 0 }); // the host says when
    return receiptOf(id, answer);
  }

  #handle(given: string | undefined, ask: (handle: RunHandle) => Promise<Receipt>): RunHandle {
    return new RunHandle(given ?? globalThis.crypto.randomUUID(), { thread: this, hub: this.#hub }, async (made) => {
      this.#awaited.runs.add(made);
      try {
        const receipt = await ask(made);
        if (receipt.status !== 'accepted') this.#awaited.runs.refused(made, receipt);
        return receipt;
      } catch (error) {
        this.#awaited.runs.unsaid(made);
        throw error; // whoever asked hears it
      }
    });
  }

  /** A run that another process began, or a queued entry whose handle nobody has. */
  #adopt(runId: string): RunHandle {
    const handle = new RunHandle(runId, { thread: this, hub: this.#hub }, async () => ({ status: 'accepted', id: runId, runId }));
    this.#awaited.runs.adopt(handle, runId);
    return handle;
  }

  #interruption(): { type: 'thread.interrupt'; partials: Record<string, string>; notice: boolean } {
    const { keepPartial, interruptNotice = true } = this.#options;
    return { type: 'thread.interrupt', partials: keepPartial === false ? {} : this.#partials(), notice: interruptNotice };
  }

  /** What has streamed out of the calls that an interrupt cuts short. */
  readonly #partials = (): Record<string, string> => this.#execution.host.effects.partials;

  #heard(event: ThreadEvent, isReplayed: boolean): void {
    this.#awaited.heard(event, isReplayed);
    this.#options.onEvent?.(event);
    this.#hub.publish(event); // nobody hears it yet of what is replayed; of the run that goes on it can be read again (I6)
  }

  /** The order of J2: run settled, thread at rest, bodies ended or left behind, and then whoever asked hears. */
  async #woundDown(): Promise<void> {
    await this.#until(() => lookAt(this.#execution).phase !== 'stopping');
    await this.#execution.host.effects.unwound();
  }

  #until(isThere: () => boolean): Promise<void> {
    if (isThere() || this.#execution.host.crash) return Promise.resolve();
    return new Promise<void>((resolve) => this.#rested.push(resolve)).then(() => this.#until(isThere));
  }

  #wake(): void {
    for (const wake of this.#rested.splice(0)) wake();
  }

  #broke(error: unknown): void {
    this.#awaited.end(error);
    this.#hub.fail(error);
    this.#wake();
  }
}

/** Of the run in which a call waits; one that is at work beside the others is known by its path. */
function runMeant(callId: string): { path: string } | { expectedRunId: string } {
  const run = callId.split('/').slice(0, 2).join('/');
  return run.includes('/background.') ? { path: run } : { expectedRunId: run };
}
