/** The terminal: what is told scrolls above, the person types below, at any time. What is talked about is its occupant's business. */
import type { ReadStream, WriteStream } from 'node:tty';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Tone } from '../paint.ts';
import { explained } from '../wording.ts';
import { Keyboard } from './keyboard.ts';
import { FRAME_MS } from './progress.ts';
import { type Footer, Screen } from './screen.ts';

/** Longer than what tools get to end by themselves. */
const PATIENCE_MS = 1_000;
const LEAVE_HINT = 'Press Ctrl-C again to leave.';
const LINE_FIRST = '  A question waits for you: send this line first, or clear it with Ctrl-U.';

/** Who is at work behind the terminal. */
export interface Occupant {
  /** Where lines are typed; empty where none are taken. */
  readonly prompt: string;
  /** Between what was told and what is typed. */
  rows(): Footer['rows'];
  /** A line that is no answer to a question. */
  typed(text: string): void;
  /** Ctrl-C: ends what is going. */
  interrupt(): 'ends' | 'ends already' | 'nothing is going';
  /** The person leaves: what is going ends, or waits for somebody else. */
  left(): void;
  /** How a person leaves who does so now. */
  readonly codeOfLeaving: ExitCode;
}

export interface Prompt {
  text: string;
  prefilled?: string;
  /** What is typed is not shown. */
  isSecret?: boolean;
  /** Lines that begin with a slash are commands, because no answer does. */
  takesCommands?: boolean;
}

export class Terminal {
  readonly screen: Screen;
  readonly #keyboard: Keyboard;
  readonly #showStacks: boolean;
  #occupant: Occupant | undefined;
  #question: Prompt | undefined;
  /** Told when the row of the input is free for a question, or when that is not asked any more. */
  #row: ((isFree: boolean) => void) | undefined;
  /** Printed before there was anything to print it below. */
  #early: string[] = [];
  #frames: ReturnType<typeof setInterval> | undefined;
  #saidLeaveHint = false;
  #left: ExitCode | undefined;
  #give: () => void = () => undefined;
  /** Resolves a while after the person has left: what still does not end is left behind. */
  readonly gone = new Promise<void>((resolve) => (this.#give = resolve));

  constructor({ input, out, showStacks }: { input: ReadStream; out: WriteStream; showStacks: boolean }) {
    this.#showStacks = showStacks;
    this.screen = new Screen(out, () => this.#footer());
    this.#keyboard = new Keyboard(input, {
      line: (text) => this.#typed(text.trim()),
      interrupt: () => this.interrupt(),
      end: () => this.leave(this.#occupant?.codeOfLeaving ?? EXIT.completed),
      changed: () => {
        if (this.#keyboard.text === '') this.#settleRow(true);
        this.draw();
      },
    });
    out.on('resize', () => this.draw());
  }

  occupy(occupant: Occupant, greeting: readonly string[]): void {
    this.#occupant = occupant;
    for (const line of greeting) line.includes('loopchart ') ? this.screen.unbroken(line, 'quiet') : this.screen.line(line, 'quiet');
    this.screen.space();
    for (const text of this.#early.splice(0)) this.screen.line(text);
  }

  get left(): ExitCode | undefined {
    return this.#left;
  }

  /** A question is asked, or waits for the row of the input. */
  get isAsking(): boolean {
    return this.takesAnswer || this.#row !== undefined;
  }

  /** What is typed is an answer. */
  get takesAnswer(): boolean {
    return this.#question !== undefined;
  }

  get hasDraft(): boolean {
    return this.#keyboard.text !== '';
  }

  /** Ends the conversation; once. */
  leave(code: ExitCode): void {
    if (this.#left !== undefined) return;
    this.#left = code;
    this.animate(false);
    this.#occupant?.left();
    this.#settleRow(false);
    this.#keyboard.close();
    setTimeout(this.#give, PATIENCE_MS);
  }

  close(): void {
    this.screen.close();
  }

  /** Ctrl-C: ends what is going; once more, or with nothing going twice, the conversation. */
  interrupt(): void {
    const became = this.#occupant?.interrupt();
    if (became === 'ends') return this.draw();
    if (became === 'ends already' || this.#saidLeaveHint) return this.leave(EXIT.interrupted);
    this.#keyboard.fill('');
    this.#saidLeaveHint = true;
    this.draw();
  }

  /**
   * What is being typed is finished first: the end of a line must not be taken for an answer.
   * @returns undefined when the person cancels, the terminal is gone, or the question is withdrawn.
   */
  async ask(question: Prompt): Promise<string | undefined> {
    while (this.hasDraft) if (!(await this.#rowIsFree())) return undefined;
    this.#question = question;
    const answering = this.#keyboard.ask(question.prefilled, question.takesCommands ? isCommand : undefined);
    this.draw();
    const answer = await answering;
    this.#question = undefined;
    const shown = answer === undefined ? '(cancelled)' : question.isSecret ? '(not shown)' : answer;
    this.tell(`${question.text}${shown}`, 'quiet');
    return answer;
  }

  /** Nobody is asked any more; what was typed is gone. */
  withdraw(): void {
    this.#settleRow(false);
    this.#keyboard.dismiss();
  }

  /** Puts a line where the person types, as theirs; only while nothing is there. */
  offer(text: string): void {
    this.#keyboard.fill(text);
    this.draw();
  }

  /** Draws again and again: something moves. */
  animate(isOn: boolean): void {
    if (isOn === (this.#frames !== undefined)) return;
    clearInterval(this.#frames);
    this.#frames = isOn ? setInterval(() => this.draw(), FRAME_MS) : undefined;
  }

  draw(): void {
    if (this.#left === undefined) this.screen.draw();
  }

  /** What is no part of the conversation, and does not tear what streams. */
  tell(text: string, tone: Tone): void {
    this.screen.aside(`  ${text}`, tone);
  }

  trouble(error: unknown): void {
    this.screen.line(`Error: ${explained(error)}`, 'bad');
    if (this.#showStacks && error instanceof Error && error.stack) this.screen.line(error.stack, 'quiet');
  }

  /** What the user's own code prints must not tear the rows below. */
  print(text: string): void {
    if (this.#occupant) this.screen.line(text);
    else this.#early.push(text);
  }

  #rowIsFree(): Promise<boolean> {
    const free = new Promise<boolean>((resolve) => (this.#row = resolve));
    this.draw();
    return free;
  }

  #settleRow(isFree: boolean): void {
    this.#row?.(isFree);
    this.#row = undefined;
  }

  #typed(text: string): void {
    this.#saidLeaveHint = false;
    this.#occupant?.typed(text);
    this.draw();
  }

  #footer(): Footer {
    const rows: Footer['rows'] = this.#occupant?.rows() ?? [];
    if (this.#row) rows.push({ text: LINE_FIRST, tone: 'notice' });
    if (this.#saidLeaveHint) rows.push({ text: LEAVE_HINT, tone: 'notice' });
    const typed = this.#keyboard?.text ?? '';
    const input = this.#question?.isSecret ? '*'.repeat(typed.length) : typed;
    return { rows, prompt: this.#question?.text ?? this.#occupant?.prompt ?? '', input, cursor: this.#keyboard?.cursor ?? 0 };
  }
}

const isCommand = (text: string) => text.startsWith('/');
