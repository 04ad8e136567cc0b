/**
 * The lines of a log file. Each states the offset for which it was written. Appends of several processes come one after the other, so
 * of two lines written for the same place one comes first: it stands, and the other stands too late and counts for nothing. That is how
 * claims exclude each other, and how the writes of an owner that was replaced stay without effect: there is no lock to be broken.
 *
 * A line is `{"at":…,"torn":…,"epoch":…,"from":…,"sum":…,` and then one of
 * - `"claim":{…}}`: from here on the log belongs to this owner, under this epoch;
 * - `"release":true}`: it belongs to nobody;
 * - `"mend":true}`: nothing; it ends a line of its owner that was cut, because the disk was full;
 * - `"sizes":[…],"entries":[…]}`: a batch, `from` being the position of its first entry and `sizes` the lengths of their texts.
 *
 * What a process leaves of a line when it dies while it writes has no line break. The next line is put behind it and states its length as
 * `torn`; it is never a batch, whose end could be taken for the end of the one that was cut.
 */
import { checksum } from '../../actors/checksum.ts';
import { JournalDamage } from '../../actors/journal.ts';
import type { Owner } from './owner.ts';
import { JournalStoreError } from './storeError.ts';

export const FILE_FORMAT = 1;

export interface Holder { owner: Owner; leaseMs: number }
/** Where a line stands, in bytes, and what it continues. */
export interface LinePlace { at: number; torn: number; epoch: number; from: number }
export type Line = LinePlace & ({ kind: 'claim'; holder: Holder } | { kind: 'release' | 'mend' } | { kind: 'batch'; texts: string[] });

/** What a line says: the sum is over `head`; entries have their own. */
export interface LineBody { head: string; entries?: string }

export const claimBody = (runId: string, { owner, leaseMs }: Holder): LineBody => ({ head: `"claim":${JSON.stringify({ loopchart: FILE_FORMAT, run: runId, owner, leaseMs })}` });
export const releaseBody: LineBody = { head: '"release":true' };
export const mendBody: LineBody = { head: '"mend":true' };
export const batchBody = (texts: readonly string[]): LineBody => ({ head: `"sizes":[${texts.map(({ length }) => length).join(',')}]`, entries: texts.join(',') });

export function lineText(runId: string, place: LinePlace, { head, entries }: LineBody): string {
  const { at, torn, epoch, from } = place;
  return `{"at":${at},"torn":${torn},"epoch":${epoch},"from":${from},"sum":"${sumOf(runId, place, head)}",${head}${entries === undefined ? '' : `,"entries":[${entries}]`}}\n`;
}

/** What is known of a log after some of its lines. */
export interface LogState {
  /** Where the whole lines end, in bytes. */
  end: number;
  /** Bytes after them: what is left of a line that was cut. */
  torn: number;
  length: number;
  epoch: number;
  holder?: Holder;
}
export const NEW_LOG: LogState = { end: 0, torn: 0, length: 0, epoch: 0 };

/**
 * Goes through the bytes that follow on `before`.
 * @throws JournalDamage when a line was changed, moved, repeated or taken out.
 */
export function readLines(runId: string, bytes: Buffer, before: LogState, onBatch: (texts: readonly string[], position: number) => void): LogState {
  let state = before;
  let start = 0;
  for (let stop = bytes.indexOf(LINE_BREAK); stop >= 0; stop = bytes.indexOf(LINE_BREAK, start)) {
    const line = lineIn(runId, bytes.subarray(start, stop), before.end + start, state.length);
    if (line) state = afterLine(runId, state, line);
    else refuseRepeated(runId, bytes, start, stop, before);
    if (line?.kind === 'batch') onBatch(line.texts, line.from);
    start = stop + 1;
  }
  if (start < bytes.length && isWhole(runId, bytes.subarray(start, -1))) throw new JournalDamage(runId, state.length, 'its line break was changed');
  return { ...state, end: before.end + start, torn: bytes.length - start };
}

/**
 * The line that stands in these bytes; nothing when what is there came too late.
 * @throws JournalDamage for anything that no journal has written there.
 */
export function lineIn(runId: string, bytes: Buffer, offset: number, position: number): Line | undefined {
  for (let torn = 0; torn >= 0; torn = bytes.indexOf(LINE_START, torn + 1)) {
    const line = parsed(runId, bytes.toString('utf8', torn));
    if (!line) continue;
    const at = offset + torn;
    const isCut = torn === 0 || !isWhole(runId, bytes.subarray(0, torn - 1));
    if (line.at === at && line.torn === torn && isCut) return line;
    if (line.at < at && isCut) return undefined;
    throw new JournalDamage(runId, position, line.at > at ? 'something before it was taken out' : 'a line break before it was changed');
  }
  throw new JournalDamage(runId, position, 'its sum does not hold: it was changed');
}

/** The run that a log belongs to, by its first line; nothing when that is no line of ours. What it was put behind may have been the same claim, cut. */
export function runIdOf(firstLine: string): string | undefined {
  const [, text] = /^.*"claim":\{"loopchart":\d+,"run":("(?:[^"\\]|\\.)*")/s.exec(firstLine) ?? [];
  return text === undefined ? undefined : (JSON.parse(text) as string); // it is a literal
}

/** What a process leaves that dies while it writes the first line of a log: a part of it, or nothing. */
export const isBeginningOfLine = (text: string): boolean =>
  text.slice(0, FIRST_LINE_START.length) === FIRST_LINE_START.slice(0, text.length) && !text.includes(LINE_START, 1); // line breaks that were changed make one line of many

const LINE_BREAK = 10;
const LINE_START = '{"at":';
const FIRST_LINE_START = `${LINE_START}0,"torn":0,"epoch":1,"from":0,"sum":"`;

function parsed(runId: string, text: string): Line | undefined {
  const [whole, at, torn, epoch, from, sum] = /^\{"at":(\d+),"torn":(\d+),"epoch":(\d+),"from":(\d+),"sum":"([0-9a-z]+)",/.exec(text) ?? [];
  if (whole === undefined || !text.endsWith('}')) return undefined;
  const place = { at: Number(at), torn: Number(torn), epoch: Number(epoch), from: Number(from) };
  BATCH_START.lastIndex = whole.length;
  const [start] = BATCH_START.exec(text) ?? [];
  const head = start === undefined ? text.slice(whole.length, -1) : start.slice(0, -',"entries":['.length);
  if (sum !== sumOf(runId, place, head)) return undefined;
  if (start === undefined) return headed(runId, place, head);
  const texts = cutUp(text, whole.length + start.length, JSON.parse(head.slice('"sizes":'.length)) as number[]); // its sum holds
  return texts && { ...place, kind: 'batch', texts };
}

const BATCH_START = /"sizes":\[[\d,]+\],"entries":\[/y;

function headed(runId: string, place: LinePlace, head: string): Line {
  if (head === releaseBody.head) return { ...place, kind: 'release' };
  if (head === mendBody.head) return { ...place, kind: 'mend' };
  const { loopchart, owner, leaseMs } = (JSON.parse(`{${head}}`) as { claim: { loopchart: number } & Holder }).claim; // its sum holds
  if (loopchart !== FILE_FORMAT) throw new JournalStoreError(`The journal of run ${runId} is kept in format ${loopchart}, this version reads ${FILE_FORMAT}: update loopchart.`);
  return { ...place, kind: 'claim', holder: { owner, leaseMs } };
}

function cutUp(text: string, start: number, sizes: readonly number[]): string[] | undefined {
  const texts: string[] = [];
  let next = start;
  for (const size of sizes) {
    if (texts.length > 0 && text[next++] !== ',') return undefined;
    texts.push(text.slice(next, next + size));
    next += size;
  }
  return text.slice(next) === ']}' ? texts : undefined;
}

const sumOf = (runId: string, { at, torn, epoch, from }: LinePlace, head: string) => checksum(`${runId} ${at} ${torn} ${epoch} ${from} ${head}`);
const isWhole = (runId: string, bytes: Buffer) => parsed(runId, bytes.toString('utf8')) !== undefined;

function afterLine(runId: string, state: LogState, line: Line): LogState {
  const { length } = state;
  const follows = line.from === length && (line.kind === 'claim' ? line.epoch === state.epoch + 1 : line.epoch === state.epoch && state.holder !== undefined);
  if (!follows) throw new JournalDamage(runId, length, 'a line does not follow on the one before it');
  switch (line.kind) {
    case 'claim':   return { ...state, epoch: line.epoch, holder: line.holder };
    case 'release': return { ...state, holder: undefined };
    case 'mend':    return state;
    case 'batch':   return { ...state, length: length + line.texts.length };
  }
}

/** A line that came too late has lost against another one; one that has lost against itself was copied. */
function refuseRepeated(runId: string, bytes: Buffer, start: number, stop: number, { end, length }: LogState): void {
  const line = parsed(runId, bytes.toString('utf8', start, stop));
  const first = line ? line.at - end : -1;
  if (first >= 0 && bytes.subarray(first, first + stop - start).equals(bytes.subarray(start, stop))) throw new JournalDamage(runId, line?.from ?? length, 'a line stands there twice');
}
