import { type Actor, type InspectionEvent, createActor } from 'xstate';
import type { AnyActorRef } from 'xstate';
import type { Leaves } from '../machines/compose.ts';
import type { Call } from '../machines/protocol/call.ts';
import type { Command, Decision } from '../machines/protocol/command.ts';
import type { LoopEvent } from '../machines/protocol/event.ts';
import { type Incoming, type JournalEntry, JOURNAL_FORMAT, type RecordedOutcome } from '../machines/protocol/journal.ts';
import type { RunInput, RunOutcome } from '../machines/protocol/outcome.ts';
import type { runMachine } from '../machines/run.ts';
import { errorRecordOf } from './errorRecord.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Journal, JournalClaim } from './journal.ts';
import { Lanes } from './lanes.ts';
import { type LeafHost, bindHost, hostedRun } from './leaf.ts';
import type { Clock } from './ports.ts';

type EffectName = keyof Leaves;
export interface EffectIo {
  effectId: string;
  signal: AbortSignal;
  clock: Clock;
  /** Text that streams out of the effect; kept in case it is cut short. */
  keepPartial(delta: string): void;
}
/** Executes effects; told of every outcome, live and on replay, in the same order. */
export interface EffectRunner {
  run(src: EffectName, input: any, io: EffectIo): RecordedOutcome | Promise<RecordedOutcome>; // each effect has the input of its leaf
  observe(src: EffectName, input: any, outcome: RecordedOutcome): void;
}

export interface HostOptions {
  runId: string;
  journal: Journal;
  clock: Clock;
  effects: EffectRunner;
  /** Called whenever everything that came in has been applied. */
  onRest: () => void;
  onEvent?: (event: LoopEvent) => void;
  inspect?: (event: InspectionEvent) => void;
  /** Bodies of one response that run at a time. */
  maxConcurrency?: number;
  /** The errors themselves, by effect, while the process in which they happened lives. */
  causes: Map<string, unknown>;
  /** How long an aborted body may take to end, in ms (C8). */
  graceMs?: number;
}

interface PendingEffect {
  actor: AnyActorRef;
  src: EffectName;
  input: any;
  partial: string;
  /** Absent until it runs. */
  controller?: AbortController;
  body?: Promise<unknown>;
  timer?: unknown;
}
/** A call that waits for a person. */
export interface OpenDecision { id: string; path: string; agent: string; call: Call }
export type DecisionReceipt = 'accepted' | 'kept' | 'stale' | 'unknown';

/**
 * Owns what goes in and out of one run: every external input is appended to the journal, then applied; every effect is
 * executed here and its outcome comes back the same way. Feeding the entries again leads to the same state.
 */
export class Host implements LeafHost {
  readonly entries: JournalEntry[] = [];
  outcome: RunOutcome | null = null;
  /** A bug: the error that broke the charts or an effect. */
  crash: { error: unknown } | null = null;
  readonly #options: HostOptions;
  readonly #lanes: Lanes;
  #actor: Actor<typeof runMachine> | undefined;
  #claim: JournalClaim = { epoch: 0, length: 0 };
  #pending = new Map<string, PendingEffect>();
  #fresh: string[] = [];
  #queue: Incoming[][] = [];
  #busy = false;
  #replaying = false;
  #now = 0;
  #cause = '';
  #early = new Map<string, { decision: Decision; fingerprint: string | undefined }>();
  #decided = new Set<string>();
  #started = new Set<string>();
  #unwinding = new Set<Promise<unknown>>();
  readonly #causes: Map<string, unknown>;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#causes = options.causes;
    this.#lanes = new Lanes(options.maxConcurrency);
  }

  async start(input: RunInput, charts: Record<string, string>): Promise<void> {
    const claim = this.#options.journal.open(this.#options.runId);
    this.#claim = claim instanceof Promise ? await claim : claim;
    this.dispatch({ type: 'run.start', format: JOURNAL_FORMAT, runId: this.#options.runId, charts, input });
  }

  /** Feeds recorded entries to the charts. Nothing is executed until `goOn`. */
  async replay(entries: readonly JournalEntry[], owned = true): Promise<void> {
    if (owned) {
      this.#claim = await this.#options.journal.open(this.#options.runId);
      if (this.#claim.length === 0) await this.#options.journal.append(this.#options.runId, { epoch: this.#claim.epoch, position: 0 }, entries);
    }
    this.#replaying = true;
    for (const entry of entries) {
      this.entries.push(entry);
      this.#apply(entry);
    }
    this.#claim.length = entries.length;
    this.#fresh = [...this.#pending.keys()];
    this.#replaying = false;
  }

  /** Executes what a replayed run was still waiting for. */
  goOn(): void {
    this.#flush();
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

  /** Time of the entry that is applied, in ms since the epoch. */
  get now(): number {
    return this.#now;
  }

  /** What made the present step happen: an effect or a command. */
  get cause(): string {
    return this.#cause;
  }

  get journal(): Journal {
    return this.#options.journal;
  }

  get openDecisions(): OpenDecision[] {
    const open: OpenDecision[] = [];
    for (const [id, { src, input }] of this.#pending) if (src === 'person') open.push({ id, path: input.path, agent: input.agent, call: input.call });
    return open;
  }

  /** False when the run has settled: nothing was changed (J3). */
  command(command: Command): boolean {
    if (this.outcome || this.crash) return false;
    this.dispatch({ type: 'command', command });
    return true;
  }

  interrupt(options: { keepPartial?: boolean; notice?: boolean } = {}): boolean {
    const partials: Record<string, string> = {};
    if (options.keepPartial !== false) for (const [id, { partial }] of this.#pending) if (partial) partials[id] = partial;
    return this.command({ type: 'interrupt', reason: 'user', at: 0, partials, notice: options.notice ?? true });
  }

  /** A decision for a call that is announced but does not wait yet is kept for it (D4). */
  decide(id: string, decision: Decision): DecisionReceipt {
    if (this.outcome || this.#decided.has(id)) return 'stale';
    const path = id.slice(0, id.lastIndexOf('/'));
    const open = this.#pending.get(id) ?? [...this.#pending].find(([effectId]) => effectId.startsWith(`${path}/`))?.[1];
    if (!open) return 'unknown';
    this.dispatch({ type: 'decide', id, decision, fingerprint: open.input.call && fingerprintOf(open.input.call) });
    return this.#pending.has(id) ? 'kept' : 'accepted';
  }

  /** Resolves when bodies that were told to stop have stopped, or their grace is over (C8, J2). */
  async unwound(): Promise<void> {
    if (this.#unwinding.size === 0) return;
    const { clock, graceMs = 100 } = this.#options;
    let timer: unknown;
    const grace = new Promise<void>((resolve) => (timer = clock.setTimeout(resolve, graceMs)));
    await Promise.race([Promise.all(this.#unwinding), grace]);
    clock.clearTimeout(timer);
  }

  /** Stops the actors and every effect; the entries stay. For a run that waits and is resumed from its state. */
  stop(): void {
    this.#actor?.stop();
    for (const id of [...this.#pending.keys()]) this.abandon(id);
  }

  /** One batch: applied whole or not at all. */
  dispatch(...batch: Incoming[]): void {
    this.#queue.push(batch);
    this.#drain();
  }

  register(actor: AnyActorRef, src: EffectName, input: { effectId: string }): void {
    if (this.#pending.has(input.effectId)) throw new Error(`Two effects have the id ${input.effectId}.`);
    this.#pending.set(input.effectId, { actor, src, input, partial: '' });
    this.#fresh.push(input.effectId);
  }

  abandon(id: string): void {
    const effect = this.#pending.get(id);
    if (!effect) return;
    this.#pending.delete(id);
    if (effect.timer !== undefined) this.#options.clock.clearTimeout(effect.timer);
    if (effect.src === 'execute') this.#lanes.drop(laneOf(id), effect.input.call);
    effect.controller?.abort();
    const { body } = effect;
    if (!body) return;
    this.#unwinding.add(body);
    void body.then(() => this.#unwinding.delete(body));
  }

  #drain(): void {
    if (this.#busy) return;
    this.#busy = true;
    for (let batch = this.#queue.shift(); batch; batch = this.#queue.shift()) {
      const entries = this.#admit(batch);
      if (entries.length === 0) continue;
      const written = this.#write(entries);
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
      if (this.outcome || this.crash) return false;
      return incoming.type === 'command' || incoming.type === 'decide' || this.#pending.has(incoming.id);
    };
    return batch.filter(stays).map((incoming) => ({ ...incoming, at }));
  }

  #write(entries: JournalEntry[]): Promise<void> | undefined {
    try {
      const written = this.#options.journal.append(this.#options.runId, { epoch: this.#claim.epoch, position: this.#claim.length }, entries);
      this.#claim.length += entries.length;
      return written instanceof Promise ? written : undefined;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #applyAll(entries: JournalEntry[]): void {
    for (const entry of entries) {
      this.entries.push(entry);
      this.#apply(entry);
    }
  }

  #apply(entry: JournalEntry): void {
    this.#now = entry.at;
    this.#cause = 'id' in entry ? entry.id : entry.type === 'command' ? entry.command.type : entry.type;
    switch (entry.type) {
      case 'run.start':
        this.#boot(entry.input);
        break;
      case 'command':
        this.#actor!.send(stamped(entry.command, entry.at));
        break;
      case 'decide':
        this.#early.set(entry.id, { decision: entry.decision, fingerprint: entry.fingerprint });
        break;
      case 'effect.started':
        this.#started.add(entry.id);
        break;
      case 'effect.done':
        this.#settle(entry.id, entry.outcome);
        break;
      case 'effect.failed':
        this.#settleBroken(entry.id, this.#causes.get(entry.id) ?? Object.assign(new Error(entry.error.message), { name: entry.error.name }));
        break;
      case 'effect.lost':
        this.#settle(entry.id, lostOutcome(entry.id));
        break;
    }
    this.#takeEarlyDecisions();
    if (!this.#replaying) this.#flush();
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
    const effect = this.#pending.get(id);
    if (!effect) return;
    this.#pending.delete(id);
    this.#options.effects.observe(effect.src, effect.input, outcome);
    effect.actor.send({ type: 'effect.done', outcome: { ...outcome, at: this.#now } });
  }

  #settleBroken(id: string, error: unknown): void {
    const effect = this.#pending.get(id);
    this.#pending.delete(id);
    effect?.actor.send({ type: 'effect.failed', error });
  }

  /** An early decision binds to the very call it was shown; for any other it is stale. */
  #takeEarlyDecisions(): void {
    for (const [id, { decision, fingerprint }] of this.#early) {
      const effect = this.#pending.get(id);
      if (effect?.src !== 'person') continue;
      this.#early.delete(id);
      if (fingerprint !== undefined && fingerprint !== fingerprintOf(effect.input.call)) continue;
      this.#decided.add(id);
      this.#settle(id, { status: 'ok', value: decision });
    }
  }

  #fail(error: unknown): void {
    this.crash ??= { error };
    for (const id of [...this.#pending.keys()]) this.abandon(id);
  }

  #flush(): void {
    for (let id = this.#fresh.shift(); id !== undefined; id = this.#fresh.shift()) {
      const effect = this.#pending.get(id);
      if (effect && effect.src !== 'person') this.#begin(id, effect);
    }
  }

  #begin(id: string, effect: PendingEffect): void {
    const { src, input } = effect;
    if (src === 'timer') {
      const left = Math.max(0, this.#now + input.ms - this.#options.clock.now());
      effect.timer = this.#options.clock.setTimeout(() => this.dispatch({ type: 'effect.done', id, outcome: { status: 'ok', value: null } }), left);
    } else if (src !== 'execute') this.#execute(id, effect);
    else if (this.#started.has(id) && isDangerous(input.call)) this.dispatch({ type: 'effect.lost', id });
    else this.#lanes.enter(laneOf(id), input.call, () => this.#executeBody(id, effect));
  }

  /** That a body began is durable before it begins, where running it twice would do harm. */
  #executeBody(id: string, effect: PendingEffect): void {
    if (!isDangerous(effect.input.call)) return this.#execute(id, effect);
    const entry: JournalEntry = { type: 'effect.started', id, at: this.#options.clock.now() };
    const written = this.#write([entry]);
    this.entries.push(entry);
    this.#started.add(id);
    if (written) void written.then(() => this.#pending.has(id) && this.#execute(id, effect), (error: unknown) => this.#fail(error));
    else this.#execute(id, effect);
  }

  #execute(id: string, effect: PendingEffect): void {
    effect.controller = new AbortController();
    const io: EffectIo = { effectId: id, signal: effect.controller.signal, clock: this.#options.clock, keepPartial: (delta) => { effect.partial += delta; } };
    const end = (incoming: Incoming) => {
      if (effect.src === 'execute') this.#lanes.leave(laneOf(id));
      this.dispatch(incoming);
    };
    try {
      const outcome = this.#options.effects.run(effect.src, effect.input, io);
      if (!(outcome instanceof Promise)) return end({ type: 'effect.done', id, outcome });
      effect.body = outcome.then((value) => end({ type: 'effect.done', id, outcome: value }), (error: unknown) => end(this.#broken(id, error)));
    } catch (error) {
      end(this.#broken(id, error));
    }
  }

  #broken(id: string, error: unknown): Incoming {
    this.#causes.set(id, error);
    return { type: 'effect.failed', id, error: errorRecordOf(error) };
  }
}

const isDangerous = (call: Call) => call.tool.effect === 'irreversible' || call.tool.effect === 'reconcilable';

/** Calls of one response share a lane. */
const laneOf = (effectId: string) => effectId.slice(0, effectId.lastIndexOf('/toolCall.'));

const stamped = (command: Command, at: number): Command => (command.type === 'interrupt' ? { ...command, at } : command);

/** What was begun and never ended may have happened: it is not run again. */
function lostOutcome(id: string): RecordedOutcome {
  const message = 'The process ended while the tool was running: it may have had its effect and is not run again.';
  return { status: 'error', failure: { code: 'toolCall', message, effectId: id } };
}
