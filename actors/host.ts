import { type Actor, type InspectionEvent, createActor } from 'xstate';
import type { AnyActorRef } from 'xstate';
import type { Command, Decision } from '../machines/protocol/command.ts';
import type { LoopEvent } from '../machines/protocol/event.ts';
import { type Incoming, type JournalEntry, JOURNAL_FORMAT, type RecordedOutcome } from '../machines/protocol/journal.ts';
import type { RunInput, RunOutcome } from '../machines/protocol/outcome.ts';
import type { runMachine } from '../machines/run.ts';
import { Decisions, type OpenDecision, isOfCall } from './decisions.ts';
import { errorFrom } from './errorRecord.ts';
import { fingerprintOf } from './fingerprint.ts';
import { checkedCommand } from './ingress.ts';
import type { Journal } from './journal.ts';
import { JournalWriter } from './journalWriter.ts';
import { type LeafHost, bindHost, hostedRun } from './leaf.ts';
import { type EffectName, OpenEffects, type OpenEffectsOptions, lostOutcome } from './openEffects.ts';

export type { OpenDecision } from './decisions.ts';
export type { EffectIo, EffectRunner } from './openEffects.ts';

export interface EffectWatcher {
  begun(src: EffectName, input: any): void; // `any`: each effect has the input of its leaf
  ended(src: EffectName, input: any, outcome: RecordedOutcome): void;
}

export interface HostOptions extends OpenEffectsOptions {
  runId: string;
  journal: Journal;
  /** Called whenever everything that came in has been applied. */
  onRest: () => void;
  onEvent?: (event: LoopEvent) => void;
  /** Sees effects begin and end; on replay too. */
  watcher?: EffectWatcher;
  inspect?: (event: InspectionEvent) => void;
}

export type CommandReceipt = 'accepted' | 'over' | 'stale';

/**
 * Owns what goes in and out of one run: every external input is appended to the journal, then applied; every effect is
 * executed here and its outcome comes back the same way. Feeding the entries again leads to the same state.
 */
export class Host implements LeafHost {
  readonly entries: JournalEntry[] = [];
  outcome: RunOutcome | null = null;
  /** A bug: the error that broke the charts or an effect. */
  crash: { error: unknown } | null = null;
  /** Time of the entry that is applied, in ms since the epoch. */
  now = 0;
  /** What made the present step happen: an effect or a command. */
  cause = '';
  /** What is applied has happened before. */
  isReplaying = false;
  readonly #options: HostOptions;
  readonly #effects: OpenEffects;
  readonly #decisions: Decisions;
  readonly #writer: JournalWriter;
  #actor: Actor<typeof runMachine> | undefined;
  #queue: Incoming[][] = [];
  #busy = false;
  #isStopped = false;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#effects = new OpenEffects(options, this);
    this.#decisions = new Decisions(this.#effects);
    this.#writer = new JournalWriter(options.journal, options.runId);
  }

  /** @param told Commands that the run begins with: applied before any effect is executed. */
  async start(input: RunInput, charts: Record<string, string>, ...told: Command[]): Promise<void> {
    const opened = this.#writer.open();
    if (opened) await opened;
    this.dispatch({ type: 'run.start', format: JOURNAL_FORMAT, runId: this.#options.runId, charts, input }, ...told.map(incoming));
  }

  /** Feeds recorded entries to the charts. Nothing is executed until `goOn`. */
  async replay(entries: readonly JournalEntry[]): Promise<void> {
    await this.#writer.adopt(entries);
    this.isReplaying = true;
    for (const entry of entries) {
      this.entries.push(entry);
      this.#apply(entry);
    }
    this.isReplaying = false;
    this.#effects.renew();
  }

  /** Executes what a replayed run was still waiting for. */
  goOn(): void {
    this.#effects.begin();
    this.#drain();
  }

  /** True when nothing is left to do until a person decides. */
  get isWaiting(): boolean {
    return this.#actor?.getSnapshot().value === 'awaitingApproval';
  }

  /** The newest snapshot of the run chart; kept when the actors are stopped. */
  get snapshot(): unknown {
    return this.#actor?.getSnapshot();
  }

  get journal(): Journal {
    return this.#options.journal;
  }

  get openDecisions(): OpenDecision[] {
    return this.#decisions.open;
  }

  /**
   * `over` when the run has settled, `stale` when the command is meant for another run: nothing was changed (J3, P5).
   * @throws UserError for what is no command.
   */
  command(command: Command, expectedRunId = this.#options.runId): CommandReceipt {
    checkedCommand(command);
    if (expectedRunId !== this.#options.runId) return 'stale';
    if (this.#isOver) return 'over';
    this.dispatch(incoming(command));
    return 'accepted';
  }

  interrupt(options: { keepPartial?: boolean; notice?: boolean; expectedRunId?: string } = {}): CommandReceipt {
    const partials: Record<string, string> = {};
    if (options.keepPartial !== false) for (const [id, { partial }] of this.#effects.entries()) if (partial) partials[id] = partial;
    return this.command({ type: 'interrupt', reason: 'user', at: 0, partials, notice: options.notice ?? true }, options.expectedRunId);
  }

  /** A decision for a call that is announced but does not wait yet is kept for it (D4). With `then` both take effect, or neither (D2). */
  decide(id: string, decision: Decision, ...then: Command[]): void {
    if (this.standing(id) !== 'open') return;
    const { input } = this.#decisions.announced(id)!; // it is open
    this.dispatch({ type: 'decide', id, decision, fingerprint: input.call && fingerprintOf(input.call) }, ...then.map(incoming));
  }

  /** What would become of a decision now: taken or kept, too late, or about no call of this run. */
  standing(id: string): 'open' | 'stale' | 'unknown' {
    if (this.#decisions.announced(id)) return this.#isOver || this.#decisions.isTaken(id) ? 'stale' : 'open';
    if (this.#isOver && id.startsWith(`${this.#options.runId}/`)) return 'stale';
    return this.entries.some((entry) => 'id' in entry && isOfCall(entry.id, id)) ? 'stale' : 'unknown';
  }

  /** Resolves when bodies that were told to stop have stopped, or their grace is over (C8, J2). */
  unwound(): Promise<void> {
    return this.#effects.unwound();
  }

  /** Stops the actors and every effect; the entries stay. For a run that waits and is resumed from its state. */
  stop(): void {
    this.#isStopped = true;
    this.#actor?.stop();
    this.#effects.abandonAll();
  }

  /** One batch: applied whole or not at all. */
  dispatch(...batch: Incoming[]): void {
    this.#queue.push(batch);
    this.#drain();
  }

  register(actor: AnyActorRef, src: EffectName, input: { effectId: string }): void {
    this.#effects.add(actor, src, input);
    this.#options.watcher?.begun(src, input);
  }

  abandon(id: string): void {
    this.#effects.abandon(id);
  }

  #drain(): void {
    if (this.#busy) return;
    this.#busy = true;
    for (let batch = this.#queue.shift(); batch; batch = this.#queue.shift()) {
      const entries = this.#admit(batch);
      if (entries.length === 0) continue;
      const written = this.#writer.write(entries);
      if (written) return void written.then(() => this.#applyAll(entries), (error: unknown) => this.#fail(error)).then(() => this.#release());
      this.#applyAll(entries);
    }
    this.#release();
  }

  #release(): void {
    this.#busy = false;
    if (this.#queue.length > 0) this.#drain();
    else this.#options.onRest();
  }

  /** What nobody waits for any more is not even recorded. */
  #admit(batch: Incoming[]): JournalEntry[] {
    const at = this.#options.clock.now();
    const stays = (incoming: Incoming) => {
      if (incoming.type === 'run.start') return true;
      if (this.#isOver) return false;
      return incoming.type === 'command' || incoming.type === 'decide' || this.#effects.has(incoming.id);
    };
    return batch.filter(stays).map((incoming) => ({ ...incoming, at }));
  }

  #applyAll(entries: JournalEntry[]): void {
    for (const entry of entries) {
      this.entries.push(entry);
      this.#apply(entry);
    }
    this.#effects.begin();
    this.#effects.advance();
  }

  #apply(entry: JournalEntry): void {
    this.now = entry.at;
    this.cause = 'id' in entry ? entry.id : entry.type === 'command' ? entry.command.type : entry.type;
    switch (entry.type) {
      case 'run.start':
        this.#boot(entry.input);
        break;
      case 'command':
        if (!this.outcome) this.#actor!.send(stamped(entry.command, entry.at));
        break;
      case 'decide':
        this.#decisions.keep(entry.id, entry.decision, entry.fingerprint);
        break;
      case 'effect.started':
        this.#effects.noteStarted(entry.id);
        break;
      case 'effect.done':
        this.#settle(entry.id, entry.outcome);
        break;
      case 'effect.failed':
        this.#settleBroken(entry.id, this.#options.causes.get(entry.id) ?? errorFrom(entry.error));
        break;
      case 'effect.lost':
        this.#settle(entry.id, lostOutcome(entry.id));
        break;
    }
    for (const { id, decision } of this.#decisions.due()) this.#settle(id, { status: 'ok', value: decision });
  }

  #boot(input: RunInput): void {
    const { inspect, onEvent } = this.#options;
    const observe = inspect || onEvent ? (event: InspectionEvent) => this.#inspect(event) : undefined;
    this.#actor = createActor(hostedRun, { input, inspect: observe });
    bindHost(this.#actor.system, this);
    this.#actor.subscribe({
      complete: () => { this.outcome = this.#actor!.getSnapshot().output ?? null; },
      error: (error) => this.#fail(error),
    });
    this.#actor.start();
  }

  #inspect(event: InspectionEvent): void {
    this.#options.inspect?.(event);
    if (event.type !== '@xstate.action' || event.action.type !== 'xstate.emit') return;
    const { event: emitted } = event.action.params as { event: LoopEvent }; // XState leaves the parameters of its own actions untyped
    this.#options.onEvent?.(emitted);
  }

  #settle(id: string, outcome: RecordedOutcome): void {
    const effect = this.#effects.take(id);
    if (!effect) return;
    this.#options.effects.observe(effect.src, effect.input, outcome);
    this.#options.watcher?.ended(effect.src, effect.input, outcome);
    effect.actor.send({ type: 'effect.done', outcome: { ...outcome, at: this.now } });
  }

  #settleBroken(id: string, error: unknown): void {
    this.#effects.take(id)?.actor.send({ type: 'effect.failed', error });
  }

  /** Nothing is told or decided any more; what comes in is not even recorded (J3). */
  get #isOver(): boolean {
    return this.outcome !== null || this.crash !== null || this.#isStopped;
  }

  /** Ends the run with an error that is no outcome: a bug, or a journal that cannot be written. */
  fail(error: unknown): void {
    this.#fail(error);
    this.#options.onRest();
  }

  #fail(error: unknown): void {
    this.crash ??= { error };
    this.#effects.abandonAll();
  }

  /** Writes down that a body begins. */
  recordStart(id: string): Promise<void> | undefined {
    const entry: JournalEntry = { type: 'effect.started', id, at: this.#options.clock.now() };
    const written = this.#writer.write([entry]);
    this.entries.push(entry);
    this.#effects.noteStarted(id);
    return written;
  }
}

const incoming = (command: Command): Incoming => ({ type: 'command', command });
const stamped = (command: Command, at: number): Command => (command.type === 'interrupt' ? { ...command, at } : command);
