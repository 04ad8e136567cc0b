/** What happens outside of the loop, written down as it happens, by those to whom it happens. */
import { fdatasync, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Said } from './words.ts';

export type Effect = 'pure' | 'idempotent' | 'reconcilable' | 'irreversible';
interface Body { run: string; tool: string; effect: Effect; key: string; effectId: string; callId: string }

export type Line =
  /** A process found a run with so many entries. */
  | { what: 'found'; run: string; length: number }
  /** An append begins, and is acknowledged. */
  | { what: 'writes' | 'wrote'; run: string; position: number; count: number }
  /** A request of a run or a thread, with the results in it that the model had not read before and the words it has; then its answer, or trouble. */
  | { what: 'asks'; of: string; digest: string; read: [callId: string, text: string][]; words?: string[] }
  | { what: 'answers' | 'fails'; of: string; digest: string }
  /** An item of an answer is complete. */
  | { what: 'says'; item: string }
  /** A body, before its effect and after it. */
  | ({ what: 'begins' | 'ends' } & Body)
  | { what: 'checks'; key: string; happened: boolean | 'unknown' }
  /** A session gets a batch, and each item of it is stored. */
  | { what: 'stores' | 'stored'; session: string }
  | { what: 'decides'; run: string; callId: string; decision: PersonsDecision }
  /** A decision on a call of a thread was heard: its promise has resolved. */
  | { what: 'decided'; run: string; id: string; decision: PersonsDecision }
  /** A run is over. */
  | { what: 'over'; run: string; output: unknown; history: string }
  /** A thread is about to be told something; then how it took that is known: by the receipt, or, where none was heard, by its journal. */
  | { what: 'speaks'; run: string; id: string; kind: Said }
  | { what: 'hears'; run: string; id: string; kind: Said; status: string; by: 'receipt' | 'journal' }
  /** A thread tells an event; a process reads again all that there were. */
  | { what: 'tells'; run: string; number: number; digest: string }
  | { what: 'retells'; run: string; count: number; digest: string }
  /** A thread is closed; what is left in it. */
  | { what: 'closed'; run: string; queue: string[]; mailbox: string[] };
export type PersonsDecision = 'approve' | 'again' | 'useResult' | 'reject' | 'answer';

export interface Ledger {
  /** Written when it returns; the promise waits for the disk. */
  note(line: Line): Promise<void>;
}

/** What the one who watches hears, a letter a line; nothing of those that only accompany others. */
export const LETTERS: Record<Line['what'], string> = {
  found: 'F', writes: 'W', wrote: 'w', asks: 'A', answers: 'a', fails: 'x', says: 'i', begins: 'B', ends: 'b', checks: 'C', stores: 'S', stored: 's', decides: 'D', over: 'O', speaks: 'T', hears: 'H', tells: '', retells: 'R', closed: 'Z', decided: 'd',
};

const synced = promisify(fdatasync);
/** Nothing in the world depends on these; a process that is killed loses nothing that it wrote. */
const UNSYNCED = new Set<Line['what']>(['found', 'writes', 'wrote', 'over', 'decides', 'hears', 'tells', 'retells', 'closed', 'decided']);

/** One file a process, so that only its last line can be cut. @param tell hears of each line once it is written. */
export function fileLedger(path: string, tell: (line: Line) => void): Ledger {
  const file = openSync(path, 'a');
  return {
    async note(line) {
      writeSync(file, `${JSON.stringify(line)}\n`);
      tell(line);
      if (!UNSYNCED.has(line.what)) await synced(file);
    },
  };
}

/** A line that was cut says nothing: what it was about had not begun. */
export function linesOf(text: string): Line[] {
  const lines = text.split('\n');
  lines.pop(); // empty, or cut
  return lines.map((line) => JSON.parse(line) as Line); // as written by fileLedger
}

/** What a line says is done for good: a run or a thread, or a word that a thread has heard. */
export function overBy(line: Line): string[] {
  if (line.what === 'hears') return [line.id];
  return line.what === 'over' || line.what === 'closed' ? [line.run] : [];
}
