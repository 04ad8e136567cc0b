/** A conversation with nobody at a terminal: how it is written down, and what is done about calls that wait. */
import type { RunToolApprovalItem } from '../../actors/items.ts';
import type { RunEvent } from '../../actors/runView.ts';
import type { Ending, Verdict } from './conversation.ts';
import { EXIT } from './exit.ts';

/** What is done about a call that waits, and why. */
export type Ruling = { decision: 'approve' | 'reject' | 'leave'; by: 'option' | 'nobody' };

/** How a conversation without a terminal is written down. */
export interface Writer {
  event(event: RunEvent): void;
  /** As of an audience. */
  recall(event: RunEvent): void;
  said(text: string): void;
  ruled(item: RunToolApprovalItem, ruling: Ruling): void;
  settled(ending: Ending): void;
  /** Trouble outside of any run. */
  trouble(error: unknown): void;
}

/** What `--approve` says, with a person there or not. */
export const VERDICTS: Readonly<Record<'all' | 'none', Verdict>> = {
  all: { decision: 'approve' },
  none: { decision: 'reject', message: 'Calls that need approval are rejected here.' },
};

/** `--approve` decides; without it nobody is there to, which the exit code says. */
export class AbsentPerson {
  readonly #approve: 'all' | 'none' | undefined;
  readonly #canWait: boolean;
  wasMissed = false;

  /** @param options.canWait what nobody decides about is left waiting; else it is rejected, so that the next message can be said. */
  constructor({ approve, canWait }: { approve: 'all' | 'none' | undefined; canWait: boolean }) {
    this.#approve = approve;
    this.#canWait = canWait;
  }

  /** What became of a call that was cut short is known to nobody here, and no option says it. */
  rule({ uncertain, questions }: RunToolApprovalItem): { ruling: Ruling; verdict: Verdict } {
    const isUndecided = !this.#approve || (questions !== undefined && this.#approve === 'all'); // to approve answers nothing
    if (uncertain || (this.#canWait && isUndecided)) {
      this.wasMissed = true;
      return { ruling: { decision: 'leave', by: 'nobody' }, verdict: { decision: 'leave' } };
    }
    if (questions && isUndecided) {
      this.wasMissed = true;
      return { ruling: { decision: 'reject', by: 'nobody' }, verdict: { decision: 'reject', message: 'Nobody was there to answer.' } };
    }
    if (this.#approve) return { ruling: { decision: this.#approve === 'all' ? 'approve' : 'reject', by: 'option' }, verdict: VERDICTS[this.#approve] };
    this.wasMissed = true;
    return { ruling: { decision: 'reject', by: 'nobody' }, verdict: { decision: 'reject', message: 'Nobody was there to approve this call.' } };
  }
}

/** How one run ended, as a shell sees it. */
export const CODES = { completed: EXIT.completed, failed: EXIT.failed, stopped: EXIT.completed, interrupted: EXIT.interrupted, waiting: EXIT.approvalMissing } as const;
