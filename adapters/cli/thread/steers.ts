/** Input that was given to the run that is going and that no model has read yet (L1). */
import type { ThreadEvent } from '../../../actors/thread/index.ts';
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import { saidText } from '../journal/entryText.ts';

export interface Steer { id: string; text: string }
/** What will not be read in its run. `next`: the run after it begins with it (P2). */
export interface Dropped extends Steer { reason: string; next: boolean }

type Drop = Extract<ThreadEvent, { type: 'input.dropped' }>;

export class Steers {
  readonly #waiting = new Map<string, Steer>();
  /** With them the next run begins (P2). */
  #next: Steer[] = [];
  /** Known when the run has settled: only a stop keeps them for the next one. */
  #held: (Drop & { steers: Steer[] })[] = [];

  get waiting(): Steer[] {
    return [...this.#waiting.values()];
  }

  /** Kept for the run that comes next. */
  get next(): readonly Steer[] {
    return this.#next;
  }

  /** A run begins. @returns what it reads before its own input. */
  begun(): Steer[] {
    return this.#next.splice(0);
  }

  /** @returns those that are now known not to be read in the run they were meant for. */
  hear(event: ThreadEvent): Dropped[] {
    switch (event.type) {
      case 'input.accepted':
        if (!event.source && !event.origin) for (const [at, id] of event.ids.entries()) this.#waiting.set(id, { id, text: textOf(event.items[at]) });
        return [];
      case 'input.delivered':
        for (const id of event.ids) this.#waiting.delete(id);
        return [];
      case 'input.dropped':
        return this.#drop(event);
      case 'run.settled':
        return this.#held.splice(0).flatMap(({ steers }) => this.#settle(steers, event.outcome.status === 'stopped'));
      default: // The others are not about input.
        return [];
    }
  }

  #settle(steers: readonly Steer[], next: boolean): Dropped[] {
    if (next) this.#next.push(...steers);
    return steers.map((steer) => ({ ...steer, reason: REASONS.stopped, next }));
  }

  #drop(event: Drop): Dropped[] {
    const steers = event.ids.flatMap((id) => this.#waiting.get(id) ?? []);
    for (const { id } of steers) this.#waiting.delete(id);
    if (event.reason !== 'stopped') return steers.map((steer) => ({ ...steer, reason: event.guardrail === undefined ? REASONS[event.reason] : `the guardrail "${event.guardrail}" stopped it`, next: false }));
    this.#held.push({ ...event, steers });
    return [];
  }
}

const REASONS: Record<Drop['reason'], string> = {
  guardrail: 'a guardrail stopped it',
  path: 'nothing is at work there',
  limit: 'the run had no turn left',
  late: 'the run was ending',
  stopped: 'the run was stopped',
  failed: 'the run failed',
  interrupted: 'the run was interrupted',
  reverted: 'the conversation went back',
};

const textOf = (item: AgentInputItem | undefined) => (item ? saidText(item) : '');
