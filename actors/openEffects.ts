/** The effects that a run waits for: begun when their turn comes, told to stop when nobody waits for them any more. */
import type { AnyActorRef } from 'xstate';
import type { Leaves } from '../machines/compose.ts';
import type { Call } from '../machines/protocol/call.ts';
import type { Incoming, RecordedOutcome } from '../machines/protocol/journal.ts';
import { errorRecordOf } from './errorRecord.ts';
import { Lanes, orderOf } from './lanes.ts';
import type { Clock } from './ports.ts';

export type EffectName = keyof Leaves;
export interface EffectIo {
  effectId: string;
  signal: AbortSignal;
  clock: Clock;
  /** Text that streams out of the effect; kept in case it is cut short. */
  keepPartial(delta: string): void;
}
/** Executes effects; told of every outcome, live and on replay, in the same order. */
export interface EffectRunner {
  run(src: EffectName, input: any, io: EffectIo): RecordedOutcome | Promise<RecordedOutcome>; // `any`: each effect has the input of its leaf
  observe(src: EffectName, input: any, outcome: RecordedOutcome): void;
}

export interface OpenEffect {
  actor: AnyActorRef;
  src: EffectName;
  input: any; // `any`: as above
  partial: string;
  /** Absent until it runs. */
  controller?: AbortController;
  body?: Promise<unknown>;
  timer?: unknown;
}

export interface OpenEffectsOptions {
  clock: Clock;
  effects: EffectRunner;
  /** Bodies of one response that run at a time. */
  maxConcurrency?: number;
  /** The errors themselves, by effect, while the process in which they happened lives. */
  causes: Map<string, unknown>;
  /** How long an aborted body may take to end, in ms (C8). */
  graceMs?: number;
}

/** The way back into the host. */
interface Ingress {
  dispatch(...batch: Incoming[]): void;
  /** Writes down that a body begins. */
  recordStart(id: string): Promise<void> | undefined;
  fail(error: unknown): void;
  readonly now: number;
}

export class OpenEffects {
  readonly #options: OpenEffectsOptions;
  readonly #ingress: Ingress;
  readonly #lanes: Lanes;
  readonly #open = new Map<string, OpenEffect>();
  readonly #started = new Set<string>();
  readonly #unwinding = new Set<Promise<unknown>>();
  #fresh: string[] = [];

  constructor(options: OpenEffectsOptions, ingress: Ingress) {
    this.#options = options;
    this.#ingress = ingress;
    this.#lanes = new Lanes(options.maxConcurrency, (response, call) => this.#isPreceded(response, call));
  }

  add(actor: AnyActorRef, src: EffectName, input: { effectId: string }): void {
    if (this.#open.has(input.effectId)) throw new Error(`Two effects have the id ${input.effectId}.`);
    this.#open.set(input.effectId, { actor, src, input, partial: '' });
    this.#fresh.push(input.effectId);
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  get(id: string): OpenEffect | undefined {
    return this.#open.get(id);
  }

  /** Takes out an effect whose outcome is there. */
  take(id: string): OpenEffect | undefined {
    const effect = this.#open.get(id);
    this.#open.delete(id);
    return effect;
  }

  entries(): IterableIterator<[string, OpenEffect]> {
    return this.#open.entries();
  }

  /** From a replayed entry: the body had begun. */
  noteStarted(id: string): void {
    this.#started.add(id);
  }

  /** After a replay, nothing has been begun here. */
  renew(): void {
    this.#fresh = [...this.#open.keys()];
  }

  /** Begins what has been asked for since the last time. */
  begin(): void {
    for (let id = this.#fresh.shift(); id !== undefined; id = this.#fresh.shift()) {
      const effect = this.#open.get(id);
      if (effect && effect.src !== 'person') this.#begin(id, effect);
    }
  }

  /** Lets in calls that waited for others. */
  advance(): void {
    this.#lanes.advance();
  }

  abandon(id: string): void {
    const effect = this.take(id);
    if (!effect) return;
    if (effect.timer !== undefined) this.#options.clock.clearTimeout(effect.timer);
    if (effect.src === 'execute') this.#lanes.drop(laneOf(id), effect.input.call);
    effect.controller?.abort();
    const { body } = effect;
    if (!body) return;
    this.#unwinding.add(body);
    void body.then(() => this.#unwinding.delete(body));
  }

  abandonAll(): void {
    for (const id of [...this.#open.keys()]) this.abandon(id);
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

  /** A call of the response that comes before this one is at work, or will be when its checks are through (C3). */
  #isPreceded(response: string, call: Call): boolean {
    for (const [id, { src, input }] of this.#open) {
      if (src === 'person' || !id.startsWith(`${response}/toolCall.`)) continue;
      if (laneOf(id) !== response || orderOf(input.call) < orderOf(call)) return true; // nested effects are those of a function
    }
    return false;
  }

  #begin(id: string, effect: OpenEffect): void {
    const { src, input } = effect;
    if (src === 'timer') {
      const { clock } = this.#options;
      const left = Math.max(0, this.#ingress.now + input.ms - clock.now());
      effect.timer = clock.setTimeout(() => this.#ingress.dispatch({ type: 'effect.done', id, outcome: { status: 'ok', value: null } }), left);
    } else if (src !== 'execute') this.#execute(id, effect);
    else if (this.#started.has(id) && isDangerous(input.call)) this.#ingress.dispatch({ type: 'effect.lost', id });
    else this.#lanes.enter(laneOf(id), input.call, () => this.#executeBody(id, effect));
  }

  /** That a body began is durable before it begins, where running it twice would do harm. */
  #executeBody(id: string, effect: OpenEffect): void {
    const written = isDangerous(effect.input.call) ? this.#ingress.recordStart(id) : undefined;
    if (written) void written.then(() => this.has(id) && this.#execute(id, effect), (error: unknown) => this.#ingress.fail(error));
    else this.#execute(id, effect);
  }

  #execute(id: string, effect: OpenEffect): void {
    effect.controller = new AbortController();
    const { clock, effects } = this.#options;
    const io: EffectIo = { effectId: id, signal: effect.controller.signal, clock, keepPartial: (delta) => { effect.partial += delta; } };
    const end = (incoming: Incoming) => {
      if (effect.src === 'execute') this.#lanes.leave(laneOf(id));
      this.#ingress.dispatch(incoming);
    };
    try {
      const outcome = effects.run(effect.src, effect.input, io);
      if (!(outcome instanceof Promise)) return end({ type: 'effect.done', id, outcome });
      effect.body = outcome.then((value) => end({ type: 'effect.done', id, outcome: value }), (error: unknown) => end(this.#broken(id, error)));
    } catch (error) {
      end(this.#broken(id, error));
    }
  }

  #broken(id: string, error: unknown): Incoming {
    this.#options.causes.set(id, error);
    return { type: 'effect.failed', id, error: errorRecordOf(error) };
  }
}

const isDangerous = (call: Call) => call.tool.effect === 'irreversible' || call.tool.effect === 'reconcilable';

/** Calls of one response share a lane. */
const laneOf = (effectId: string) => effectId.slice(0, effectId.lastIndexOf('/toolCall.'));

/** What was begun and never ended may have happened: it is not run again. */
export function lostOutcome(id: string): RecordedOutcome {
  const message = 'The process ended while the tool was running: it may have had its effect and is not run again.';
  return { status: 'error', failure: { code: 'toolCall', message, effectId: id } };
}
