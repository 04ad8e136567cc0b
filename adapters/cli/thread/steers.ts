/** Input that was given to the run that is going and that no model has read yet (L1). */
import type { ThreadEvent } from '../../../actors/thread/index.ts';
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import { saidText } from '../journal/entryText.ts';

export interface Steer { id: string; text: string }
/** What no model will read, and why. */
export interface Dropped extends Steer { reason: string }

type Drop = Extract<ThreadEvent, { type: 'input.dropped' }>;

export class Steers {
  readonly #waiting = new Map<string, Steer>();

  /** What a stopped run has not read waits for the next one (P2). */
  get waiting(): Steer[] {
    return [...this.#waiting.values()];
  }

  /** @returns those that are now known not to be read. */
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
      default: // The others are not about input.
        return [];
    }
  }

  #drop({ ids, reason, guardrail }: Drop): Dropped[] {
    const steers = ids.flatMap((id) => this.#waiting.get(id) ?? []);
    for (const { id } of steers) this.#waiting.delete(id);
    return steers.map((steer) => ({ ...steer, reason: guardrail === undefined ? REASONS[reason] : `the guardrail "${guardrail}" stopped it` }));
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
