/** Applies the diffs of apply-patch calls (V4A: sections found by their context, without line numbers) to the text of a file. */

interface File {
  /** The last one is what stands after the last line end: mostly nothing. */
  lines: string[];
  /** What stands after each line: `\n` or `\r\n`; nothing after the last. */
  ends: string[];
}
interface Section {
  anchors: string[];
  /** What must stand in the file: context and lines to delete. */
  old: string[];
  /** In their order; `at` counts lines of `old` before them. */
  changes: { at: number; deleted: number; inserted: string[] }[];
  atEnd: boolean;
}

/**
 * Applies a diff to the text of a file. `mode: 'create'` makes a new file of a diff that only has `+` lines, with the line ends of `input`.
 *
 * Sections begin with `@@`, or `@@ line` to look after that line. Their context is found from where the last section ended: exactly, else
 * without the white space at the ends of lines, else without that at both ends. Lines that are kept stay as the file has them.
 *
 * @throws Error when the diff is malformed, or its context does not stand in the file; it quotes what was looked for.
 * @example
 * ```ts
 * import { applyDiff } from 'loopchart';
 *
 * console.log(applyDiff('one\ntwo\n', '@@\n one\n-two\n+2')); // one, 2
 * console.log(applyDiff('', '+first\n+second', 'create')); // first, second
 * ```
 */
export function applyDiff(input: string, diff: string, mode: 'default' | 'create' = 'default'): string {
  const lines = diff.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (mode === 'create') return lines.map(createdLine).join(lineEndOf(input));
  const file = fileOf(input);
  const end = lineEndOf(input);
  const made: File = { lines: [], ends: [] };
  let cursor = 0;
  let from = 0; // sections are looked for after the context of the one before, be it changed or not
  const keep = (upTo: number) => {
    for (; cursor < upTo; cursor += 1) put(made, file.lines[cursor]!, file.ends[cursor] ?? '');
  };
  for (const section of sectionsOf(lines)) {
    const start = placeOf(file.lines, section, afterAnchors(file.lines, section.anchors, from));
    for (const { at, deleted, inserted } of section.changes) {
      if (start + at < cursor) throw new Error(`Two sections of the diff change line ${start + at + 1} of the file.`);
      keep(start + at);
      cursor += deleted;
      for (const line of inserted) put(made, line, end);
    }
    from = start + section.old.length;
  }
  keep(file.lines.length);
  return made.lines.map((line, index) => line + (index < made.lines.length - 1 ? made.ends[index] || end : '')).join('');
}

function createdLine(line: string, index: number): string {
  if (line.startsWith('+')) return line.slice(1);
  throw new Error(`Line ${index + 1} of the diff of a new file must begin with "+": ${JSON.stringify(line)}.`);
}

function put(file: File, line: string, end: string): void {
  file.lines.push(line);
  file.ends.push(end);
}

function fileOf(text: string): File {
  const pieces = text.split(/(\r?\n)/); // lines and ends in turn
  return { lines: pieces.filter((_, index) => index % 2 === 0), ends: pieces.filter((_, index) => index % 2 === 1) };
}

/** What new lines end with: as the file does it, where the file is of one mind. */
const lineEndOf = (text: string): string => (text.includes('\r\n') && !/(?<!\r)\n/.test(text) ? '\r\n' : '\n');

const PATCH_ENDS = /^\*\*\* (End Patch|Update File:|Delete File:|Add File:)/;

function sectionsOf(lines: readonly string[]): Section[] {
  const sections: Section[] = [];
  let index = 0;
  while (index < lines.length && !PATCH_ENDS.test(lines[index]!)) {
    const section: Section = { anchors: [], old: [], changes: [], atEnd: false };
    for (; index < lines.length && isAnchor(lines[index]!); index += 1) {
      const anchor = lines[index]!.slice(3);
      if (anchor.trim() !== '') section.anchors.push(anchor);
    }
    const first = index;
    for (; index < lines.length && !isAnchor(lines[index]!) && !PATCH_ENDS.test(lines[index]!) && !section.atEnd; index += 1) read(section, lines[index]!, index);
    if (index === first) throw new Error(`Line ${first} of the diff begins a section, but nothing stands in it.`);
    sections.push(section);
  }
  return sections;
}

const isAnchor = (line: string) => line === '@@' || line.startsWith('@@ ');

function read(section: Section, line: string, index: number): void {
  if (line === '*** End of File') {
    section.atEnd = true;
    return;
  }
  const rest = line.slice(1);
  switch (line[0]) {
    case undefined: // a blank line of context whose space got lost
    case ' ':
      section.old.push(rest);
      return;
    case '-':
      changeAt(section, (last) => last.inserted.length === 0).deleted += 1;
      section.old.push(rest);
      return;
    case '+':
      changeAt(section, () => true).inserted.push(rest);
      return;
    default:
      throw new Error(`Line ${index + 1} of the diff begins with neither " ", "+", "-" nor "@@": ${JSON.stringify(line)}.`);
  }
}

/** The change that goes on here, or a new one. */
function changeAt({ changes, old }: Section, fits: (last: Section['changes'][number]) => boolean): Section['changes'][number] {
  const last = changes.at(-1);
  if (last && last.at + last.deleted === old.length && fits(last)) return last;
  const change = { at: old.length, deleted: 0, inserted: [] };
  changes.push(change);
  return change;
}

/** A single anchor is a hint. Several lead from the outer to the inner: each must be there, and the outer ones may have been passed. */
function afterAnchors(lines: readonly string[], anchors: readonly string[], from: number): number {
  const passed = lines.slice(0, from);
  if (anchors.length === 1) return afterLine(lines, anchors[0]!, from, passed) ?? from;
  return anchors.reduce((place, anchor, index) => {
    const found = afterLine(lines, anchor, place, index < anchors.length - 1 ? passed : []);
    if (found !== undefined) return found;
    throw new Error(`The diff looks for a line that does not come after line ${place} of the file: ${JSON.stringify(anchor)}.`);
  }, from);
}

/** A line that was passed leaves the place as it is. */
function afterLine(lines: readonly string[], anchor: string, from: number, passed: readonly string[]): number | undefined {
  for (const form of [exact, trimmed]) {
    if (findAt(passed, [anchor], 0, [form]) !== undefined) return from;
    const at = findAt(lines, [anchor], from, [form]);
    if (at !== undefined) return at + 1;
  }
  return undefined;
}

/** What of two lines is compared. */
type Form = (line: string) => string;
const exact: Form = (line) => line;
const trimmed: Form = (line) => line.trim();
/** The strictest first. */
const FORMS = [exact, (line: string) => line.trimEnd(), trimmed];

function placeOf(lines: readonly string[], { old, atEnd }: Section, from: number): number {
  // The end of a file is before the nothing that follows its last line end.
  const searched = atEnd && lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  const last = Math.max(0, searched.length - old.length);
  const found = (atEnd ? findAt(searched, old, last) : undefined) ?? findAt(searched, old, from);
  if (found !== undefined) return found;
  throw new Error(`The context of the diff does not stand in the file from line ${from + 1} on:\n${old.join('\n')}`);
}

/** Where the context begins, at `from` or later. */
function findAt(lines: readonly string[], context: readonly string[], from: number, forms: readonly Form[] = FORMS): number | undefined {
  for (const form of forms) {
    const wanted = context.map(form);
    for (let at = from; at + wanted.length <= lines.length; at += 1) {
      if (wanted.every((line, index) => form(lines[at + index]!) === line)) return at;
    }
  }
  return undefined;
}
