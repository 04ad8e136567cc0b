/** The effects that a run waits for: begun when their turn comes, told to stop when nobody waits for them any more. */
import type { AnyActorRef } from 'xstate';
import type { Call } from '../machines/protocol/call.ts';
import { type Command, isSteer } from '../machines/protocol/command.ts';
import type { ThreadCommand } from '../machines/protocol/thread.ts';
import type { Incoming, JournalEntry, RecordedOutcome } from '../machines/protocol/journal.ts';
import type { AgentInputItem } from '../machines/protocol/item.ts';
import { isHarmful } from '../machines/toolCallMemory.ts';
import type { EffectIo, EffectName, Ingress, OpenEffect, OpenEffectsOptions } from './effectPorts.ts';
import { errorRecordOf } from './errorRecord.ts';
import { expired, expiryOf } from './expiry.ts';
import { Lanes, orderOf } from './lanes.ts';

export type { EffectIo, EffectName, EffectRunner, OpenEffect, OpenEffectsOptions } from './effectPorts.ts';

export class OpenEffects {
  readonly #options: OpenEffectsOptions;
  readonly #ingress: Ingress;
  readonly #lanes: Lanes;
  readonly #open = new Map<string, OpenEffect>();
  /** Bodies that have begun, and when. */
  readonly #started = new Map<string, number>();
  readonly #unwinding = new Set<Promise<unknown>>();
  #fresh: string[] = [];

  constructor(options: OpenEffectsOptions, ingress: Ingress) {
    this.#options = options;
    this.#ingress = ingress;
    this.#lanes = new Lanes(options.maxConcurrency, (response, call) => this.#isPreceded(response, call));
  }

  add(actor: AnyActorRef, src: EffectName, input: { effectId: string }): void {
    if (this.#open.has(input.effectId)) throw new Error(`Two effects have the id ${input.effectId}.`);
    this.#open.set(input.effectId, { actor, src, input, partial: '', items: [], calls: [], askedAt: this.#ingress.now, isRenewed: false });
    this.#fresh.push(input.effectId);
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  /** Whatever is at work waits for an effect of its own, or of something inside of it. */
  hasBelow(path: string): boolean {
    for (const id of this.#open.keys()) if (id.startsWith(`${path}/`)) return true;
    return false;
  }

  get(id: string): OpenEffect | undefined {
    return this.#open.get(id);
  }

  /** Takes out an effect whose outcome is there. */
  take(id: string): OpenEffect | undefined {
    const effect = this.#open.get(id);
    this.#open.delete(id);
    if (effect?.timer !== undefined) this.#options.clock.clearTimeout(effect.timer);
    return effect;
  }

  entries(): IterableIterator<[string, OpenEffect]> {
    return this.#open.entries();
  }

  /** Text that has streamed out of effects that are still going, by their id. */
  get partials(): Record<string, string> {
    return Object.fromEntries([...this.#open].flatMap(([id, { partial }]) => (partial ? [[id, partial]] : [])));
  }

  /** What of each answer that is under way is complete, and in no entry. */
  get noted(): Record<string, AgentInputItem[]> {
    return Object.fromEntries([...this.#open].flatMap(([id, { noted }]) => (noted ? [[id, noted.slice()]] : [])));
  }

  /** A request that a steer has cut counts: what it cost beyond that, nobody was told (A8). */
  whileCutting(command: Command | ThreadCommand, tell: () => void): void {
    const cut = Object.keys((isSteer(command) && command.cut) || {}).flatMap((id) => this.#open.get(id) ?? []);
    tell();
    for (const { src, input } of cut) if (!this.#open.has(input.effectId)) this.#options.effects.observe(src, input, SENT_FOR_NOTHING);
  }

  get ids(): string[] {
    return [...this.#open.keys()];
  }

  /** From an entry: a body begins, or had begun; or an item of an answer is complete. */
  note(entry: Extract<JournalEntry, { type: 'effect.started' | 'effect.item' }>): void {
    if (entry.type === 'effect.started') this.#started.set(entry.id, entry.at);
    else this.#keep(entry);
  }

  #keep({ type: _type, id, ...ready }: Extract<JournalEntry, { type: 'effect.item' }>): void {
    const effect = this.#open.get(id);
    if (!effect) return;
    effect.items.push(ready.item);
    if (ready.call) effect.calls.push(ready.call);
    effect.actor.send({ type: 'item.ready', ...ready });
  }

  /** After a replay nothing has been begun here, and what is open may have been begun elsewhere. */
  renew(): void {
    for (const effect of this.#open.values()) effect.isRenewed = true;
    this.#fresh = [...this.#open.keys()];
  }

  /** Begins what has been asked for since the last time. */
  begin(): void {
    for (let id = this.#fresh.shift(); id !== undefined; id = this.#fresh.shift()) {
      const effect = this.#open.get(id);
      if (effect?.src === 'person') this.#armExpiry(id, effect);
      else if (effect) this.#begin(id, effect);
    }
  }

  /** Lets in calls that waited for others. */
  advance(): void {
    this.#lanes.advance();
  }

  abandon(id: string): void {
    const effect = this.take(id);
    if (!effect) return;
    if (effect.src === 'execute') this.#lanes.drop(laneOf(id), effect.input.call);
    effect.controller?.abort();
    const { body } = effect;
    if (!body) return;
    this.#unwinding.add(body);
    void body.then(() => this.#unwinding.delete(body));
  }

  /** What ended needs no more to be told from what never began. */
  forget(): void {
    for (const id of this.#started.keys()) if (!this.#open.has(id)) this.#started.delete(id);
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
    const waitedFor = [...this.#unwinding];
    await Promise.race([Promise.all(waitedFor), grace]);
    for (const body of waitedFor) this.#unwinding.delete(body); // what has not ended is left behind, and not waited for again
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

  /** A timer that is longer than timers can be is taken up again (D7). */
  #armExpiry(id: string, effect: OpenEffect): void {
    const at = expiryOf(effect);
    if (at === undefined) return;
    const { clock } = this.#options;
    const ring = () => (at > clock.now() ? this.#armExpiry(id, effect) : this.#ingress.decide(id, expired(effect)));
    effect.timer = clock.setTimeout(ring, Math.min(Math.max(0, at - clock.now()), MAX_TIMER_MS));
  }

  #begin(id: string, effect: OpenEffect): void {
    const { src, input } = effect;
    if (src === 'timer') {
      const { clock } = this.#options;
      const left = Math.max(0, effect.askedAt + input.ms - clock.now()); // one that is overdue fires at once (O6)
      effect.timer = clock.setTimeout(() => this.#ingress.dispatch({ type: 'effect.done', id, outcome: { status: 'ok', value: null } }), left);
    } else if (src === 'session') this.#beginSave(id, effect);
    else if (src !== 'execute') this.#execute(id, effect);
    else if (this.#started.has(id) && isHarmful(input.call)) this.#ingress.dispatch({ type: 'effect.lost', id });
    else this.#lanes.enter(laneOf(id), input.call, () => this.#executeBody(id, effect));
  }

  /** That a body begins is durable before it does, where running it twice would do harm: it begins when that is applied. */
  #executeBody(id: string, effect: OpenEffect): void {
    if (isHarmful(effect.input.call)) this.#ingress.dispatch({ type: 'effect.started', id });
    else this.#execute(id, effect);
  }

  /** A save that may have been made is held against what the session holds; one that had not begun is not (O8). */
  #beginSave(id: string, effect: OpenEffect): void {
    if (this.#started.has(id)) this.#execute(id, effect);
    else this.#ingress.dispatch({ type: 'effect.started', id });
  }

  /** The body of which it is written that it begins. */
  launch(id: string): void {
    const effect = this.#open.get(id);
    if (!effect) return;
    effect.isRenewed = false; // it begins here
    this.#execute(id, effect);
  }

  #execute(id: string, effect: OpenEffect): void {
    effect.controller = new AbortController();
    try {
      const outcome = this.#options.effects.run(effect.src, effect.input, this.#ioOf(id, effect, effect.controller.signal));
      if (!(outcome instanceof Promise)) return this.#end(id, effect, { type: 'effect.done', id, outcome });
      effect.body = outcome.then(
        (value) => this.#end(id, effect, { type: 'effect.done', id, outcome: value }),
        (error: unknown) => this.#end(id, effect, this.#broken(id, error)),
      );
    } catch (error) {
      this.#end(id, effect, this.#broken(id, error));
    }
  }

  #ioOf(id: string, effect: OpenEffect, signal: AbortSignal): EffectIo {
    const io: EffectIo = {
      effectId: id,
      signal,
      clock: this.#options.clock,
      kept: effect.items.slice(),
      ready: effect.calls.slice(),
      keepPartial: (delta) => { effect.partial += delta; },
      keepItem: (item, call) => {
        effect.partial = ''; // what streamed of it is in the item
        this.#ingress.dispatch({ type: 'effect.item', id, item, ...(call && { call }) });
      },
      asked: () => { effect.noted ??= []; },
      noteItem: (item) => { effect.noted?.push(item); },
      tellLate: (value) => this.#ingress.late(id, { status: 'ok', value }),
    };
    const begunAt = this.#started.get(id) ?? (effect.src === 'session' ? undefined : effect.askedAt);
    if (effect.isRenewed && begunAt !== undefined) io.begunAt = begunAt;
    return io;
  }

  #end(id: string, effect: OpenEffect, incoming: Incoming): void {
    if (effect.src === 'execute') this.#lanes.leave(laneOf(id));
    if (this.#open.get(id) === effect) return this.#ingress.dispatch(incoming);
    this.#options.causes.delete(id); // nobody asks why what nobody waits for has failed
    const isNews = incoming.type === 'effect.done' && incoming.outcome.status === 'ok'; // that it was aborted is none
    if (effect.src === 'execute' && isNews && isHarmful(effect.input.call)) this.#ingress.late(id, incoming.outcome);
  }

  #broken(id: string, error: unknown): Incoming {
    this.#options.causes.set(id, error);
    return { type: 'effect.failed', id, error: errorRecordOf(error) };
  }
}

/** Timers are kept in 31 bits. */
const MAX_TIMER_MS = 2_147_483_647;
/** Calls of one response share a lane. */
const laneOf = (effectId: string) => effectId.slice(0, effectId.lastIndexOf('/toolCall.'));
const SENT_FOR_NOTHING: RecordedOutcome = { status: 'error', failure: { code: 'model', message: 'The answer was cut.' }, retryInMs: 0 };
