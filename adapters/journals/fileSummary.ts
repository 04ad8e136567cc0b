/** How a run is, from the two ends of its file: a long log is not read to list it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { JournalDamage, type RunSummary, summaryAfter } from '../../actors/journal.ts';
import { entryFromText } from '../../actors/journalText.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';
import { NEW_LOG, isBeginningOfLine, lineIn, readLines, runIdOf } from './fileLines.ts';
import { EXTENSION, fileNameOf } from './fileNames.ts';

/** What is read at once, in bytes; more only where a line is longer. */
const PIECE = 64 * 1024;

interface Batch { from: number; texts: readonly string[] }

/** Nothing for a run without entries. @throws {JournalDamage} */
export function summaryOf(path: string): RunSummary | undefined {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const { line, isCut } = firstLine(fd, size);
    if (isCut && isBeginningOfLine(line)) return undefined; // claimed by nobody yet
    const runId = isCut ? undefined : runIdOf(line);
    if (runId === undefined) throw new JournalDamage(basename(path, EXTENSION), 0, 'its file does not begin as that of a run');
    if (fileNameOf(runId) !== basename(path)) throw new JournalDamage(basename(path, EXTENSION), 0, `its file begins as that of run ${runId}, which would be named ${fileNameOf(runId)}`);
    const first = firstBatch(fd, size, runId);
    if (!first) return undefined;
    const last = lastBatches(fd, size, runId);
    const beginning = summaryAfter(undefined, runId, entriesOf(runId, [{ from: 0, texts: first.texts.slice(0, 1) }]));
    const end = last.at(-1)!;
    return { ...summaryAfter(beginning, runId, entriesOf(runId, last)), length: end.from + end.texts.length };
  } finally {
    closeSync(fd);
  }
}

/** Cut, where there is no line break. */
function firstLine(fd: number, size: number): { line: string; isCut: boolean } {
  for (let length = Math.min(PIECE, size); ; length = Math.min(length * 2, size)) {
    const bytes = piece(fd, 0, length);
    const stop = bytes.indexOf(10);
    if (stop >= 0) return { line: bytes.toString('utf8', 0, stop), isCut: false };
    if (length === size) return { line: bytes.toString('utf8'), isCut: true };
  }
}

function firstBatch(fd: number, size: number, runId: string): Batch | undefined {
  for (let length = Math.min(PIECE, size); ; length = Math.min(length * 2, size)) {
    const batches: Batch[] = [];
    readLines(runId, piece(fd, 0, length), NEW_LOG, (texts, from) => batches.push({ from, texts }));
    if (batches.length > 0 || length === size) return batches[0];
  }
}

/** As many from the end as it takes to know how the run is: what came too late for it changes nothing. */
function lastBatches(fd: number, size: number, runId: string): Batch[] {
  for (let length = Math.min(PIECE, size); ; length = Math.min(length * 2, size)) {
    const batches = batchesIn(piece(fd, size - length, length), size - length, runId);
    const telling = batches.findLastIndex(({ texts, from }) => texts.some((text, index) => entryFromText(text, { runId, position: from + index }).type !== 'effect.late'));
    if (telling >= 0) return batches.slice(telling);
    if (length === size) return batches;
  }
}

function batchesIn(bytes: Buffer, offset: number, runId: string): Batch[] {
  const batches: Batch[] = [];
  let start = offset === 0 ? 0 : bytes.indexOf(10) + 1; // what is before it began earlier
  for (let stop = bytes.indexOf(10, start); start >= 0 && stop >= 0; stop = bytes.indexOf(10, start)) {
    const line = lineIn(runId, bytes.subarray(start, stop), offset + start, batches.length);
    if (line?.kind === 'batch') batches.push(line);
    start = stop + 1;
  }
  return batches;
}

const entriesOf = (runId: string, batches: readonly Batch[]): JournalEntry[] =>
  batches.flatMap(({ from, texts }) => texts.map((text, index) => entryFromText(text, { runId, position: from + index })));

function piece(fd: number, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, start));
}
