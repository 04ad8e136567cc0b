/** Calls of a thread that wait for the person: one is asked about at a time, and only as long as it waits. */
import type { RunToolApprovalItem } from '../../../actors/items.ts';
import type { Thread } from '../../../actors/thread/index.ts';
import { complaintAbout } from '../conversation.ts';
import { tellThread } from '../thread/telling.ts';
import { explained } from '../wording.ts';
import { type Approve, decideAtTerminal } from './deciding.ts';
import type { Terminal } from './terminal.ts';

export class Askings {
  readonly #terminal: Terminal;
  readonly #approve: Approve;
  /** The input row is the person's again. */
  readonly #onAnswered: () => void;
  /** The call that the person is asked about. */
  #asked: string | undefined;
  /** Calls that wait, and that nobody here decides about. */
  readonly #leftAlone = new Set<string>();

  constructor(terminal: Terminal, approve: Approve, onAnswered: () => void) {
    this.#terminal = terminal;
    this.#approve = approve;
    this.#onAnswered = onAnswered;
  }

  /** Asks what the thread waits for; what was decided elsewhere, or taken back, is not asked any more. */
  look(thread: Thread): void {
    if (this.#terminal.left !== undefined) return;
    const open = thread.interruptions;
    if (this.#asked !== undefined) {
      if (this.#terminal.isAsking && !open.some(({ id }) => id === this.#asked)) this.dismiss();
      return;
    }
    const item = open.find(({ id }) => !this.#leftAlone.has(id));
    if (item) void this.#decide(thread, item);
  }

  /** The person has turned to something else; the call waits on. */
  dismiss(): void {
    if (this.#asked === undefined) return;
    this.#asked = undefined;
    this.#terminal.withdraw();
  }

  async #decide(thread: Thread, item: RunToolApprovalItem): Promise<void> {
    this.#asked = item.id;
    const verdict = await decideAtTerminal(this.#terminal, item, this.#approve, async (input) => (item.questions ? undefined : complaintAbout(item, input))); // answers are checked where they are given
    if (this.#asked !== item.id) return this.#onAnswered(); // it was dismissed
    if (verdict.decision === 'leave') this.#leftAlone.add(item.id);
    try {
      if (this.#terminal.left === undefined) await tellThread(thread, item, verdict);
    } catch (error) {
      this.#terminal.tell(explained(error), 'bad'); // nothing was changed: what still waits is asked again
    }
    this.#asked = undefined;
    this.#onAnswered();
  }
}
