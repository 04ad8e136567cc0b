/** Who hears of a run: those who read its numbered events, and those of the stream of the Agents SDK; and what they are not to hear yet. */
import type { ItemRecord } from '../machines/protocol/outcome.ts';
import { type RunItemStreamEventName, type RunStreamEvent, RunItemStreamEvent } from './events.ts';
import type { RunEvent } from './runEvents.ts';
import { runItemOf } from './runItems.ts';
import type { RunScope } from './scope.ts';

export type ViewListener = (event: RunStreamEvent) => void;
export interface ViewOptions { onStream?: ViewListener; onEvent?: (event: RunEvent) => void; bufferUntilGuarded?: boolean }
export interface Present { readonly now: number; readonly cause: string; readonly isReplaying: boolean }
type Without<Event, Key extends PropertyKey> = Event extends unknown ? Omit<Event, Key> : never;
export type Unnumbered = Without<RunEvent, 'number' | 'at' | 'cause'>;

export class Audience {
  readonly #options: ViewOptions;
  #present: Present = { now: 0, cause: '', isReplaying: false };
  /** Text that is held back until output guardrails have passed it (E3). */
  #held: (() => void)[] = [];
  /** Events that have been told. */
  count = 0;

  constructor(options: ViewOptions) {
    this.#options = options;
  }

  follow(present: Present): void {
    this.#present = present;
  }

  get now(): number {
    return this.#present.now;
  }

  get hears(): boolean {
    return this.#options.onEvent !== undefined;
  }

  get holdsBack(): boolean {
    return this.#options.bufferUntilGuarded === true;
  }

  get isKeptWaiting(): boolean {
    return this.#held.length > 0;
  }

  /** @returns the number of the event. */
  tell(event: Unnumbered): number {
    this.count += 1;
    this.#options.onEvent?.({ number: this.count, at: this.#present.now, cause: this.#present.cause, ...event } as RunEvent); // one of the union, with its number
    return this.count;
  }

  /** What is counted under another event, and is not told again on replay. */
  tellBetween(cause: string, number: string, event: Unnumbered): void {
    this.#options.onEvent?.({ number, at: this.#present.now, cause, ...event } as RunEvent); // as above
  }

  hold(tell: () => void, waits = true): void {
    if (this.holdsBack && waits) this.#held.push(tell);
    else tell();
  }

  release(passes: boolean): void {
    const held = this.#held.splice(0);
    if (passes) for (const tell of held) tell();
  }

  item(scope: RunScope, name: RunItemStreamEventName, record: ItemRecord): void {
    if (scope.deliver ?? this.#options.onStream) this.deliver(scope, new RunItemStreamEvent(name, runItemOf(scope, record)));
  }

  /**
   * Nested runs have their own listeners; their events are not those of the run around them. A stream tells what is new:
   * a run that is resumed has told the rest before.
   */
  deliver(scope: RunScope, event: RunStreamEvent): void {
    if (this.#present.isReplaying) return;
    if (scope.isNested || scope.deliver) scope.deliver?.(event);
    else this.#options.onStream?.(event);
  }
}
