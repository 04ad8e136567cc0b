/** A conversation with nobody at a terminal: every line of the input is one message. */
import { createInterface } from 'node:readline';
import type { RunToolApprovalItem } from '../../actors/items.ts';
import type { RunEvent } from '../../actors/runView.ts';
import type { Conversation, Ending, Verdict } from './conversation.ts';
import { EXIT, type ExitCode, worse } from './exit.ts';

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

/** Says line after line until the input ends or says `/quit`. `stop` interrupts the run that is going and ends the conversation. */
export async function sayLines(conversation: Conversation, writer: Writer, { stop }: { stop: AbortSignal }, input: NodeJS.ReadableStream = process.stdin): Promise<ExitCode> {
  let code: ExitCode = EXIT.completed;
  const lines = createInterface({ input, crlfDelay: Infinity });
  const end = () => lines.close();
  stop.addEventListener('abort', end, { once: true });
  try {
    for await (const line of lines) {
      if (stop.aborted || line.trim() === '/quit') break;
      if (line.trim() === '') continue;
      const controller = new AbortController();
      const interrupt = () => controller.abort();
      stop.addEventListener('abort', interrupt, { once: true });
      writer.said(line);
      const ending = await conversation.say(line, controller);
      stop.removeEventListener('abort', interrupt);
      code = worse(code, CODES[ending.status]);
    }
  } finally {
    stop.removeEventListener('abort', end);
    lines.close();
  }
  return stop.aborted ? EXIT.interrupted : code;
}

/** How one run ended, as a shell sees it. */
export const CODES = { completed: EXIT.completed, failed: EXIT.failed, interrupted: EXIT.interrupted, waiting: EXIT.approvalMissing } as const;
