/** `loopchart migrate --check`: whether recorded runs go the same way with the charts of this version. */
import { type ReplayVerdict, checkReplay } from '../../../actors/replayCheck.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { jsonLine } from '../jsonOutput.ts';
import { findRun } from '../journal/finding.ts';
import { type OpenedJournal, openJournal } from '../journal/place.ts';
import type { MigrateOptions } from '../options.ts';
import { type Tone, paintFor } from '../paint.ts';
import { harmless } from '../wording.ts';

type Verdict = ReplayVerdict['verdict'];

export async function migrate(options: MigrateOptions): Promise<ExitCode> {
  const opened = await openJournal(options.journal, 'read');
  try {
    const runIds = await runsToCheck(options, opened);
    const counts: Record<Verdict, number> = { same: 0, differs: 0, cannot: 0 };
    const progress = new ProgressLine(runIds.length, options.json);
    for (const [at, runId] of runIds.entries()) {
      await progress.show(at);
      const verdict = await checkReplay(runId, () => entriesOf(runId, opened));
      counts[verdict.verdict] += 1;
      progress.clear();
      process.stdout.write(options.json ? jsonLine({ type: 'run', runId, ...verdict }) : verdictLine(runId, verdict));
    }
    process.stdout.write(options.json ? jsonLine({ type: 'summary', ...counts }) : summaryLine(runIds.length, counts, opened.where));
    return counts.same === runIds.length ? EXIT.completed : EXIT.failed;
  } finally {
    await opened.journal.close();
  }
}

async function runsToCheck({ runIds }: MigrateOptions, opened: OpenedJournal): Promise<string[]> {
  const { journal, damaged, only } = opened;
  if (runIds.length === 0 && only !== undefined) return [only];
  const all = [...(await journal.list()).map(({ runId }) => runId), ...damaged.keys()];
  if (runIds.length === 0) return all;
  const found: string[] = [];
  for (const given of runIds) found.push(damaged.has(given) ? given : (await findRun(opened, given)).runId);
  return [...new Set(found)];
}

/** @throws the reason for which a listing had to leave it out. */
function entriesOf(runId: string, { journal, damaged }: OpenedJournal): readonly JournalEntry[] | Promise<readonly JournalEntry[]> {
  const damage = damaged.get(runId);
  if (damage) throw damage;
  return journal.read(runId);
}

const TONES: Readonly<Record<Verdict, Tone>> = { same: 'good', differs: 'bad', cannot: 'bad' };

function verdictLine(runId: string, verdict: ReplayVerdict): string {
  const word = paintFor(process.stdout)(TONES[verdict.verdict], verdict.verdict.padEnd(7));
  switch (verdict.verdict) {
    case 'same':
      return `${word}  ${runId}\n`;
    case 'differs':
      return `${word}  ${runId}  at entry ${verdict.position}: ${harmless(reasonIn(verdict.why))}\n`;
    case 'cannot':
      return `${word}  ${runId}  ${harmless(verdict.why)}\n`;
  }
}

/** The reason inside of a message that is made for whoever wanted to go on with the run. */
const reasonIn = (why: string) => /, from entry \d+ on: (.*)\. Resume it with .*$/s.exec(why)?.[1] ?? why;

function summaryLine(count: number, { same, differs, cannot }: Readonly<Record<Verdict, number>>, where: string): string {
  if (count === 0) return `There are no runs in ${where}.\n`;
  if (same === count) return `${count === 1 ? 'The run goes' : `All ${count} runs go`} the same way with this version.\n`;
  const parts = [`${same} the same`, ...(differs > 0 ? [`${differs} ${differs === 1 ? 'differs' : 'differ'}`] : []), ...(cannot > 0 ? [`${cannot} cannot be replayed`] : [])];
  const advice = differs > 0 ? ` Finish ${differs === 1 ? 'the one that differs' : 'those that differ'} with the version that recorded ${differs === 1 ? 'it' : 'them'}.` : '';
  return `${count} ${count === 1 ? 'run' : 'runs'}: ${parts.join(', ')}.${advice}\n`;
}

const REDRAWN_MS = 100;

/** How far a long check has come; only for a person who watches. */
class ProgressLine {
  readonly #total: number;
  readonly #isShown: boolean;
  #drawnAt = Date.now();
  #isDrawn = false;

  constructor(total: number, json: boolean) {
    this.#total = total;
    this.#isShown = !json && process.stderr.isTTY;
  }

  async show(done: number): Promise<void> {
    if (!this.#isShown || (!this.#isDrawn && Date.now() - this.#drawnAt < REDRAWN_MS)) return;
    this.#isDrawn = true;
    process.stderr.write(`  checked ${done} of ${this.#total} runs …`);
    await new Promise((resolve) => setImmediate(resolve)); // so that it is seen, and Ctrl-C heard
  }

  clear(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    this.#drawnAt = Date.now();
    process.stderr.write('\r\u001b[J');
  }
}
