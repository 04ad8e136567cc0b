/**
 * A terminal with a transcript that scrolls and, below it, a few rows that are drawn anew: the row of text in progress, what is
 * queued, the progress line and the input. Every such row fits into the width, so that their number is known when they are erased.
 */
import type { WriteStream } from 'node:tty';
import { type Paint, type Tone, paintFor } from '../paint.ts';
import type { Page } from '../transcript.ts';
import { harmless } from '../wording.ts';
import { fitted, graphemesOf, columnsOf, widthOf, windowed } from './width.ts';

/** What stands below the transcript. */
export interface Footer {
  /** Rows between transcript and input, such as queued lines and progress. */
  rows: { text: string; tone: Tone }[];
  prompt: string;
  input: string;
  /** Place of the cursor in the input, in UTF-16 units. */
  cursor: number;
}

export class Screen implements Page {
  readonly paint: Paint;
  readonly #out: WriteStream;
  readonly #footer: () => Footer;
  /** The last row of running text, which is not full yet. */
  #tail = '';
  /** Columns of the rows that were drawn, and of the last one up to the cursor; a terminal made narrower since has broken them. */
  #drawn: { above: number[]; cursor: number } | undefined;

  /** @param footer is asked each time the rows below are drawn. */
  constructor(out: WriteStream, footer: () => Footer) {
    this.#out = out;
    this.#footer = footer;
    this.paint = paintFor(out);
  }

  text(piece: string): void {
    this.#tail += harmless(piece);
    const rows = this.#fullRows();
    this.#show(rows.map((row) => `${row}\n`).join(''));
  }

  line(text: string, tone: Tone = 'plain'): void {
    this.#rows(text === '' ? [] : harmless(text).split('\n').flatMap((line) => this.#indented(line)), tone);
  }

  /** As `line`, above the row in progress, which goes on. */
  aside(text: string, tone: Tone): void {
    const rows = harmless(text).split('\n').flatMap((line) => this.#indented(line));
    this.#show(rows.map((row) => `${this.paint(tone, row)}\n`).join(''));
  }

  /** Left to the terminal to break: what is copied from there is whole, as a command has to be. */
  unbroken(line: string, tone: Tone): void {
    this.#rows([harmless(line).replaceAll('\n', ' ')], tone);
  }

  /** An empty row, to set things apart. */
  space(): void {
    this.line('');
    this.#show('\n');
  }

  draw(): void {
    this.#show('');
  }

  /** Leaves the transcript and nothing else. */
  close(): void {
    this.line('');
    this.#out.write(this.#erasing());
    this.#drawn = undefined;
  }

  get #columns(): number {
    return Math.max(20, this.#out.columns || 80);
  }

  #rows(rows: readonly string[], tone: Tone): void {
    const tail = this.#tail === '' ? '' : `${this.#tail}\n`;
    this.#tail = '';
    this.#show(tail + rows.map((row) => `${this.paint(tone, row)}\n`).join(''));
  }

  /** A line in rows that begin where it begins. */
  #indented(line: string): string[] {
    const indent = /^ {0,12}/.exec(line)![0]; // matches always, if only nothing
    return wrapped(line.slice(indent.length), this.#columns - 1 - indent.length).map((row) => indent + row);
  }

  #fullRows(): string[] {
    const rows = this.#tail.split('\n');
    this.#tail = rows.pop() ?? '';
    const full = rows.flatMap((row) => wrapped(row, this.#columns - 1));
    const open = wrapped(this.#tail, this.#columns - 1);
    this.#tail = open.pop() ?? '';
    return full.concat(open);
  }

  #show(committed: string): void {
    const { rows, input, cursor, ...footing } = this.#footer();
    const columns = this.#columns;
    const prompt = fitted(footing.prompt, columns - 10);
    const above = rows.map(({ text, tone }) => ({ text: fitted(harmless(text), columns - 1), tone }));
    if (this.#tail !== '') above.unshift({ text: this.#tail, tone: 'plain' });
    const shown = windowed(input, cursor, columns - 1 - widthOf(prompt));
    const column = widthOf(prompt) + shown.column;
    const below = `${above.map(({ text, tone }) => `${this.paint(tone, text)}\n`).join('')}${this.paint('person', prompt)}${shown.text}\r${column > 0 ? `\u001b[${column}C` : ''}`;
    this.#out.write(this.#erasing() + committed + below);
    this.#drawn = { above: above.map(({ text }) => widthOf(text)), cursor: column };
  }

  #erasing(): string {
    if (!this.#drawn) return '';
    const columns = this.#columns;
    const { above, cursor } = this.#drawn;
    const up = above.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), Math.floor(cursor / columns));
    return `\r${up > 0 ? `\u001b[${up}A` : ''}\u001b[J`;
  }
}

/** Rows of at most so many columns, broken at spaces where there are any; the last one may go on. */
export function wrapped(text: string, columns: number): string[] {
  const rows: string[] = [];
  let rest = text;
  while (widthOf(rest) > columns) {
    let fits = '';
    let used = 0;
    for (const grapheme of graphemesOf(rest)) {
      used += columnsOf(grapheme);
      if (used > columns) break;
      fits += grapheme;
    }
    const space = fits.lastIndexOf(' ');
    const end = rest[fits.length] === ' ' || space <= 0 ? fits.length : space;
    rows.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end).replace(/^ /, '');
  }
  return [...rows, rest];
}
