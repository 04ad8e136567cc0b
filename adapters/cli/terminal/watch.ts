/** One recorded run, watched to its end or to where it waits. */
import type { RunToolApprovalItem } from '../../../actors/items.ts';
import type { RunEvent } from '../../../actors/runView.ts';
import type { Audience, Ending, Verdict } from '../conversation.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { CODES } from '../piped.ts';
import { Transcript } from '../transcript.ts';
import { type Approve, decideAtTerminal } from './deciding.ts';
import { tellEnding } from './ending.ts';
import { Progress } from './progress.ts';
import type { Footer } from './screen.ts';
import type { Occupant, Terminal } from './terminal.ts';

export class RunWatch implements Audience, Occupant {
  readonly prompt = '';
  readonly #terminal: Terminal;
  readonly #transcript: Transcript;
  readonly #approve: Approve;
  readonly #controller = new AbortController();
  readonly #progress = new Progress();
  #isOver = false;
  #lastCode: ExitCode = EXIT.completed;

  constructor(terminal: Terminal, approve: Approve) {
    this.#terminal = terminal;
    this.#approve = approve;
    this.#transcript = new Transcript(terminal.screen);
  }

  /** @param play never rejects; how it ended comes by `settled`. */
  async watch(play: (controller: AbortController) => Promise<unknown>, { greeting, message }: { greeting: readonly string[]; message: string }): Promise<ExitCode> {
    const terminal = this.#terminal;
    terminal.occupy(this, greeting);
    if (message !== '') terminal.screen.line(`> ${message}`, 'person');
    terminal.animate(true);
    await Promise.race([play(this.#controller), terminal.gone]);
    terminal.leave(this.#lastCode);
    terminal.close();
    return terminal.left ?? this.#lastCode;
  }

  // -- as the audience ---------------------------------------------------------------------------------------------------

  event(event: RunEvent): void {
    this.#progress.add(event);
    this.#transcript.add(event);
  }

  recall(event: RunEvent): void {
    this.#progress.add(event);
    this.#transcript.recall(event);
  }

  async decide(item: RunToolApprovalItem, complaintAbout: (input: string) => Promise<string | undefined>): Promise<Verdict> {
    if (this.#terminal.left !== undefined) return { decision: 'cancel' };
    const verdict = await decideAtTerminal(this.#terminal, item, this.#approve, complaintAbout);
    return verdict.decision === 'cancel' && this.#hasLeft && !this.#controller.signal.aborted ? { decision: 'leave' } : verdict;
  }

  settled(ending: Ending): void {
    this.#isOver = true;
    this.#lastCode = CODES[ending.status];
    tellEnding(this.#terminal, ending, { hasText: this.#transcript.hasText, tellsWayOn: true });
  }

  // -- as the occupant ---------------------------------------------------------------------------------------------------

  rows(): Footer['rows'] {
    return this.#isOver || this.#terminal.isAsking ? [] : [{ text: this.#progress.text(), tone: 'quiet' }];
  }

  typed(): void {
    this.#terminal.tell('Messages are taken by loopchart chat, when this run is over.', 'quiet');
  }

  interrupt(): ReturnType<Occupant['interrupt']> {
    if (this.#isOver) return 'nothing is going';
    if (this.#controller.signal.aborted) return 'ends already';
    this.#controller.abort();
    return 'ends';
  }

  /** What waits for an answer can do so without us. */
  left(): void {
    if (!this.#isOver && !this.#terminal.isAsking) this.#controller.abort();
  }

  get codeOfLeaving(): ExitCode {
    if (this.#terminal.isAsking) return EXIT.approvalMissing;
    return this.#isOver ? this.#lastCode : EXIT.interrupted;
  }

  /** Asked for in this way, because the person may leave while they are asked. */
  get #hasLeft(): boolean {
    return this.#terminal.left !== undefined;
  }
}
