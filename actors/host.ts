import type { AnyActorRef } from 'xstate';
import type { Command } from '../machines/protocol/command.ts';
import type { Incoming, JournalEntry, RecordedOutcome } from '../machines/protocol/journal.ts';
import type { RunInput, RunOutcome } from '../machines/protocol/outcome.ts';
import type { ThreadCommand, ThreadInput } from '../machines/protocol/thread.ts';
import { Addressed, incoming } from './addressed.ts';
import { type Checkpoint, type KeptActor, nestedRuns } from './checkpoint.ts';
import { Decisions, type OpenDecision } from './decisions.ts';
import { EntryQueue } from './entryQueue.ts';
import { errorFrom } from './errorRecord.ts';
import { UserError } from './errors.ts';
import type { Journal } from './journal.ts';
import { JournalWriter } from './journalWriter.ts';
import type { HostOptions } from './hostOptions.ts';
import type { LeafHost } from './leaf.ts';
import { type EffectName, OpenEffects } from './openEffects.ts';
import { RecordCheck } from './recordCheck.ts';
import { RootActor } from './rootActor.ts';
import { RUN, type Rest, type RootSnapshot } from './rootChart.ts';
import { RunRecord } from './runRecord.ts';

export type { CommandReceipt } from './addressed.ts';
export type { OpenDecision } from './decisions.ts';
export type { EffectWatcher, HostOptions } from './hostOptions.ts';
export type { EffectIo, EffectRunner } from './openEffects.ts';

/**
 * Owns what goes in and out of one run, or of a thread with its runs: every external input is appended to the journal, then applied; every effect is
 * executed here and its outcome comes back the same way. Feeding the entries again leads to the same state.
 */
export class Host extends Addressed implements LeafHost {
  /** What the chart has ended with. */
  ending: unknown = null;
  /** A bug: the error that broke the charts or an effect. */
  crash: { error: unknown } | null = null;
  /** Time of the entry that is applied, in ms since the epoch. */
  now = 0;
  /** What made the present step happen: an effect or a command. */
  cause = '';
  /** What is applied has happened before. */
  isReplaying = false;
  readonly #options: HostOptions;
  readonly effects: OpenEffects;
  readonly decisions: Decisions;
  readonly writer: JournalWriter;
  readonly #record: RunRecord;
  readonly #queue: EntryQueue;
  #actor: RootActor | undefined;
  /** What a replayed run is told before it goes on is heard, and nothing begins; then it goes on, when all that has been applied. */
  #phase: 'live' | 'catchingUp' | 'goingOn' = 'live';
  #isStopped = false;

  constructor(options: HostOptions) {
    super(options.runId);
    this.#options = options;
    this.effects = new OpenEffects(options, this);
    this.decisions = new Decisions(this.effects);
    this.writer = new JournalWriter(options.journal, options.runId);
    this.#record = new RunRecord({ writer: this.writer, clock: options.clock, effects: this.effects, present: this });
    this.#queue = new EntryQueue({
      admit: (batch) => this.#record.admit(batch),
      write: (entries) => this.writer.write(entries),
      apply: (entries) => this.#applyAll(entries),
      broke: (error) => {
        this.#record.break(); // what is not recorded must not happen
        this.fail(error);
      },
      rested: () => this.#rested(),
    });
  }

  /**
   * @param told Commands that the run begins with: applied before any effect is executed.
   * @throws UserError for an id that another run has already (P3).
   */
  async start(input: RunInput | ThreadInput, charts: Record<string, string>, ...told: Command[]): Promise<void> {
    const { runId, threadId } = this.#options;
    const opened = this.writer.open();
    if (opened) await opened;
    const { chart = RUN } = this.#options;
    if (this.writer.length > 0) throw new UserError(chart.takenBy(runId));
    this.dispatch(chart.startOf({ runId, threadId }, charts, input), ...told.map(incoming));
  }

  /**
   * Feeds recorded entries to the charts, those before the checkpoint at once. Nothing is executed until `goOn`.
   * @param applied called after each.
   * @throws JournalDivergence when they do not lead where they led before.
   */
  async replay(entries: readonly JournalEntry[], checkpoint?: Checkpoint, applied?: () => void): Promise<void> {
    const check = new RecordCheck(this.#options.runId, this.effects);
    this.isReplaying = true;
    this.#phase = 'catchingUp';
    const all = await this.writer.adopt(entries);
    const isKept = checkpoint !== undefined && this.#restore(checkpoint, all);
    for (const [position, entry] of all.entries()) {
      this.#record.note(entry);
      if (isKept && position < checkpoint.position) continue;
      if (!check.admits(entry, position, this, () => this.#record.mark())) continue;
      this.#apply(entry);
      applied?.();
    }
    this.isReplaying = false;
    this.effects.renew();
  }

  /** Stands where the checkpoint stands, if the entries say so too. */
  #restore({ actor, position, mark, decisions, scopes, view }: Checkpoint, entries: readonly JournalEntry[]): boolean {
    const [start, rest] = [entries[0], entries[position - 1]];
    if ((start?.type !== 'run.start' && start?.type !== 'thread.start') || rest?.type !== 'run.rest' || rest.mark !== mark) return false;
    const { watcher } = this.#options;
    if (watcher && !view) return false; // it would count anew
    this.now = rest.at;
    this.#boot(start.input, actor);
    if (this.#record.mark() === mark && this.#options.effects.recall?.(scopes, nestedRuns(actor))) {
      this.decisions.recall(decisions);
      if (view) watcher?.recall(view);
      return true;
    }
    this.#actor?.stop(); // nothing has been begun
    this.#actor = undefined;
    this.effects.abandonAll();
    this.ending = null;
    return false;
  }

  /** Where the run stands now that it is at rest; nothing while it is not, or where it cannot be kept. */
  get checkpoint(): Checkpoint | undefined {
    const { effects: { memory: scopes }, watcher } = this.#options;
    const view = watcher?.memory;
    const last = this.entries.at(-1);
    if (!this.#actor || !scopes || this.crash || last?.type !== 'run.rest') return undefined;
    return { position: this.writer.length, mark: last.mark, actor: this.#actor.kept, scopes, decisions: this.decisions.kept, ...(view && { view }) };
  }

  /** Executes what a replayed run is still waiting for, after all that it was told. */
  goOn(): void {
    this.#phase = 'goingOn';
    this.#queue.drain();
  }

  get outcome(): RunOutcome | null {
    return this.ending as RunOutcome | null; // of a run; that of a thread says only that it is over
  }

  get rest(): Rest | undefined {
    return this.#actor?.rest;
  }

  get entries(): readonly JournalEntry[] {
    return this.#record.entries;
  }

  /** The state of the run chart, as XState gives it; nothing before it began. */
  get value(): unknown {
    return this.#actor?.value;
  }

  /** The newest snapshot of the run chart; kept when the actors are stopped. */
  get snapshot(): RootSnapshot | undefined {
    return this.#actor?.snapshot;
  }

  get journal(): Journal {
    return this.#options.journal;
  }

  /** What lies behind the last rest is in the journal, and asked for no more. */
  forget(): void {
    this.#record.forget();
    this.effects.forget();
    this.decisions.forget();
  }

  get openDecisions(): OpenDecision[] {
    return this.decisions.open;
  }

  /** Stops the actors and every effect; the entries stay. For a run that waits and is resumed from its state. */
  stop(): void {
    this.#isStopped = true;
    this.#actor?.stop();
    this.effects.abandonAll();
  }

  dispatch(...batch: Incoming[]): void {
    this.#queue.push(batch);
  }

  register(actor: AnyActorRef, src: EffectName, input: { effectId: string }): void {
    this.effects.add(actor, src, input);
    this.#options.watcher?.begun(src, input);
  }

  abandon(id: string): void {
    this.effects.abandon(id);
  }

  #rested(): void {
    if (this.#phase === 'catchingUp') return;
    if (this.#phase === 'goingOn') {
      this.#phase = 'live';
      this.effects.begin();
    }
    const rest = this.#isStopped ? undefined : this.#record.rest();
    if (rest) this.dispatch(rest);
    else this.#options.onRest();
  }

  #applyAll(entries: JournalEntry[]): void {
    for (const entry of entries) {
      this.#record.note(entry);
      this.#apply(entry);
      if (entry.type === 'effect.started') this.effects.launch(entry.id);
    }
    if (this.#phase !== 'live') return;
    this.effects.begin();
    this.effects.advance();
  }

  #apply(entry: JournalEntry): void {
    this.now = entry.at;
    this.cause = 'id' in entry ? entry.id : entry.type === 'command' ? entry.command.type : entry.type;
    switch (entry.type) {
      case 'run.start':
      case 'thread.start':
        this.#options.effects.hear?.(entry);
        this.#boot(entry.input);
        break;
      case 'command':
        this.#options.effects.hear?.(entry);
        if (this.ending === null) this.effects.whileCutting(entry.command, () => this.#actor!.tell(stamped(entry.command, entry.at)));
        break;
      case 'decide':
        this.decisions.keep(entry.id, entry.decision, entry.fingerprint);
        this.#options.onDecided?.(entry.id);
        break;
      case 'effect.started':
      case 'effect.item':
        this.effects.note(entry);
        break;
      case 'effect.done':
        this.#settle(entry.id, entry.outcome);
        break;
      case 'effect.failed':
        this.effects.take(entry.id)?.actor.send({ type: 'effect.failed', error: this.#options.causes.get(entry.id) ?? errorFrom(entry.error) });
        break;
      case 'effect.lost':
        this.#settle(entry.id, { status: 'lost' });
        break;
      case 'effect.late':
        this.#options.watcher?.late(entry.id, entry.outcome, true);
        break;
      case 'run.rest':
        break;
    }
    for (const { id, decision } of this.decisions.due()) this.#settle(id, { status: 'ok', value: decision });
  }

  #boot(input: RunInput | ThreadInput, snapshot?: KeptActor): void {
    const { inspect, onEvent, chart = RUN } = this.#options;
    this.#actor = new RootActor({ chart, input, snapshot, host: this, inspect, onEvent, onOutcome: (ending) => { this.ending = ending; }, onError: (error) => this.fail(error) });
    this.#actor.start();
  }

  #settle(id: string, outcome: RecordedOutcome): void {
    const effect = this.effects.take(id);
    if (!effect) return;
    this.#options.effects.observe(effect.src, effect.input, outcome);
    this.#options.watcher?.ended(effect.src, effect.input, outcome);
    effect.actor.send({ type: 'effect.done', outcome: { ...outcome, at: this.now } });
  }

  get isOver(): boolean {
    return this.ending !== null || this.crash !== null || this.#isStopped;
  }

  /** Ends the run with an error that is no outcome: a bug, or a journal that cannot be written. */
  fail(error: unknown): void {
    this.crash ??= { error };
    this.effects.abandonAll();
    this.#queue.drain();
  }

  /** When the run is over and given back, this is written behind what is there, if nobody is at work on it by now, and then told. */
  late(id: string, outcome: RecordedOutcome): void {
    if (!this.#isStopped) return this.dispatch({ type: 'effect.late', id, outcome });
    const told = this.#record.append({ type: 'effect.late', id, outcome });
    void told.then((entry) => {
      if (entry) [this.now, this.cause] = [entry.at, id];
      this.#options.watcher?.late(id, outcome, entry !== undefined && this.crash === null);
    });
  }
}

const stamped = (command: Command | ThreadCommand, at: number): Command | ThreadCommand => ('at' in command ? { ...command, at } : command);
