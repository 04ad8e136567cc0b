/** The person whom a thread asks: what they decide of a call follows from the seed and the call, and from what they can look up. */
import { StaleStateError } from '../../index.ts';
import type { Thread } from '../../actors/thread/index.ts';
import { chosen } from './cast.ts';
import { chanceOf } from './chance.ts';
import type { PersonsDecision } from './ledger.ts';
import type { Life } from './life.ts';

type Waiting = Thread['interruptions'][number];
/** What a model reads of a call that was not allowed. */
export const REFUSAL = 'No, says the person.';

export class Person {
  /** All that was to be decided so far has been. */
  isDone: Promise<void> = Promise.resolve();
  readonly #life: Life;
  readonly #thread: Thread;
  #isGone = false;

  constructor(life: Life, thread: Thread) {
    this.#life = life;
    this.#thread = thread;
  }

  decideAll(): void {
    for (const { id } of this.#thread.interruptions) this.decide(id);
  }

  decide(id: string): void {
    this.isDone = this.isDone.then(() => this.#decide(id));
  }

  /** The thread is somebody else's from now on. */
  leave(): void {
    this.#isGone = true;
  }

  async #decide(id: string): Promise<void> {
    await Promise.resolve(); // it may have been asked just now
    const call = this.#thread.interruptions.find((one) => one.id === id);
    if (!call || this.#isGone) return;
    const { callId } = call.rawItem as { callId: string }; // only function calls wait here
    const { decision, say } = this.#wordOn(call, callId);
    await this.#life.world.ledger.note({ what: 'decides', run: this.#thread.id, callId, decision });
    try {
      await say();
    } catch (error) {
      if (error instanceof StaleStateError) return; // Expected: its run is over, or another word has decided it.
      throw error;
    }
    await this.#life.world.ledger.note({ what: 'decided', run: this.#thread.id, id, decision });
  }

  #wordOn(call: Waiting, callId: string): { decision: PersonsDecision; say: () => Promise<void> } {
    const thread = this.#thread;
    const drawn = chanceOf('person', this.#life.plan.seed, callId)();
    if (call.questions) return { decision: 'answer', say: () => thread.answer(call, { choice: chosen(callId) }) };
    if (call.uncertain) {
      const deed = this.#life.world.deeds().find((one) => one.callId === callId);
      if (deed && drawn >= 0.2) return { decision: 'useResult', say: () => thread.useResult(call, deed.text) };
      return { decision: 'again', say: () => thread.approve(call) };
    }
    if (drawn < 0.25) return { decision: 'reject', say: () => thread.reject(call, { message: REFUSAL, interrupt: drawn < 0.06 }) };
    return { decision: 'approve', say: () => thread.approve(call, { always: drawn < 0.35 }) };
  }
}
