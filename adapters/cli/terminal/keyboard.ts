/** The input row. Node's readline edits the line and keeps the history; what it would write goes nowhere, since the screen draws. */
import { type Interface, createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';

export interface KeyboardListener {
  line(text: string): void;
  interrupt(): void;
  /** Ctrl-D on an empty line, or the terminal is gone. */
  end(): void;
  /** The line or the cursor may have changed. */
  changed(): void;
}

export class Keyboard {
  readonly #readline: Interface;
  #answer: ((text: string | undefined) => void) | undefined;
  /** Of the lines that are typed while a question is open: no answers. */
  #isNoAnswer: (text: string) => boolean = () => false;

  constructor(input: ReadStream, listener: KeyboardListener) {
    const nowhere = Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), { columns: 10_000 });
    this.#readline = createInterface({ input, output: nowhere, terminal: true, prompt: '', historySize: 200, removeHistoryDuplicates: true });
    this.#readline.on('line', (text) => (this.#answer && !this.#isNoAnswer(text) ? this.#settle(text) : listener.line(text)));
    this.#readline.on('SIGINT', () => (this.#answer ? this.#settle(undefined) : listener.interrupt()));
    this.#readline.on('SIGCONT', () => listener.changed());
    this.#readline.on('close', () => {
      listener.end(); // while it can still be seen that a question was open
      this.#answer?.(undefined); // there is no line any more that could be emptied
      this.#answer = undefined;
    });
    // Answers to questions are no messages: the arrow keys shall not bring them back.
    this.#readline.on('history', (history) => void (this.#answer && history.shift()));
    input.on('keypress', () => listener.changed());
  }

  get text(): string {
    return this.#readline.line;
  }

  get cursor(): number {
    return this.#readline.cursor;
  }

  /** The question is no longer one. */
  dismiss(): void {
    this.#settle(undefined);
  }

  /**
   * The next line; the row is to be empty. Undefined for Ctrl-C, when the terminal is gone, and when it is dismissed.
   * @param isNoAnswer says of a line that it is for somebody else; the question stays open.
   */
  ask(prefilled = '', isNoAnswer: (text: string) => boolean = () => false): Promise<string | undefined> {
    this.#isNoAnswer = isNoAnswer;
    this.fill(prefilled);
    return new Promise((resolve) => (this.#answer = resolve));
  }

  /** Puts text into the input row, in place of what is there. */
  fill(text: string): void {
    this.#readline.write(null as never, { ctrl: true, name: 'e' }); // the types leave out that the text may be null when a key is given
    this.#readline.write(null as never, { ctrl: true, name: 'u' });
    if (text !== '') this.#readline.write(text);
  }

  close(): void {
    this.#readline.close();
  }

  #settle(text: string | undefined): void {
    const answer = this.#answer;
    if (!answer) return;
    this.#answer = undefined;
    this.fill('');
    answer(text);
  }
}
