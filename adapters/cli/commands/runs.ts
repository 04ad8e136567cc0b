/** `loopchart runs`: what a journal holds, without touching it. */
import type { RunSummary } from '../../../actors/journal.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { jsonLine } from '../jsonOutput.ts';
import { entryText } from '../journal/entryText.ts';
import { findRun } from '../journal/finding.ts';
import { type OpenedJournal, openJournal, tellDamaged } from '../journal/place.ts';
import { isThreadLog, runTable, stateText } from '../journal/runTable.ts';
import { localClock, localDay } from '../journal/times.ts';
import type { RunsOptions } from '../options.ts';
import { paintFor } from '../paint.ts';
import { fitted } from '../terminal/width.ts';
import { shortened } from '../wording.ts';

export async function runs(options: RunsOptions): Promise<ExitCode> {
  const opened = await openJournal(options.journal, 'read');
  try {
    const runId = options.runId ?? opened.only;
    if (runId === undefined) return await listRuns(options, opened);
    const run = await findRun(opened, runId);
    return options.follow ? await follow(options, opened, run) : await show(options, opened, run);
  } finally {
    await opened.journal.close();
  }
}

async function listRuns({ thread, state, json }: RunsOptions, opened: OpenedJournal): Promise<ExitCode> {
  const { journal, where } = opened;
  const all = await journal.list();
  tellDamaged(opened);
  const found = all.filter((run) => (thread === undefined || run.threadId === thread) && (state === undefined || run.state === state));
  if (json) for (const run of found) process.stdout.write(jsonLine(run));
  else if (found.length === 0) process.stdout.write(`There are no runs${thread === undefined ? '' : ` of thread ${thread}`}${state === undefined ? '' : ` in state ${state}`} in ${where}.\n`);
  else printTable(found, all);
  return EXIT.completed;
}

function printTable(found: readonly RunSummary[], all: readonly RunSummary[]): void {
  const paint = paintFor(process.stdout);
  const [title = '', ...rows] = runTable(found, { columns: columnsOfTerminal(), ids: all.map(({ runId }) => runId), now: Date.now() });
  process.stdout.write(`${paint('quiet', title)}\n${rows.map((row) => `${row}\n`).join('')}`);
}

async function show({ json }: RunsOptions, { journal }: OpenedJournal, run: RunSummary): Promise<ExitCode> {
  const write = writerFor(run, json);
  for (const [position, entry] of (await journal.read(run.runId)).entries()) write(entry, position);
  return EXIT.completed;
}

/** Until Ctrl-C: a run that is over may be gone on with. */
async function follow({ json }: RunsOptions, { journal }: OpenedJournal, run: RunSummary): Promise<ExitCode> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const staying = setInterval(() => undefined, 2 ** 30); // a tail by itself keeps no process alive
  const write = writerFor(run, json);
  let position = 0;
  for await (const entry of journal.tail(run.runId, 0, stop.signal)) write(entry, position++);
  clearInterval(staying);
  return EXIT.interrupted;
}

const columnsOfTerminal = () => (process.stdout.isTTY ? Math.max(40, process.stdout.columns || 80) : undefined);

/** What of an entry is shown where no terminal says how much fits. */
const CONTENT_LENGTH = 200;

/** A line for each entry: when, what, of which effect, and what it says. The day is told when it changes. */
function writerFor(run: RunSummary, json: boolean): (entry: JournalEntry, position: number) => void {
  if (json) return (entry) => void process.stdout.write(jsonLine(entry));
  const paint = paintFor(process.stdout);
  const columns = columnsOfTerminal();
  if (columns !== undefined) process.stdout.write(`${paint('quiet', `${isThreadLog(run) ? 'Thread' : 'Run'} ${run.runId} of agent ${run.agent}, ${stateText(run)}`)}\n`);
  let day = '';
  return (entry, position) => {
    if (columns !== undefined && localDay(entry.at) !== day) process.stdout.write(`${paint('quiet', localDay(entry.at))}\n`);
    day = localDay(entry.at);
    const time = columns === undefined ? `${day} ${localClock(entry.at)}` : localClock(entry.at);
    const head = `${String(position).padStart(4)}  ${time}  ${entry.type.padEnd(14)}  `;
    const effect = 'id' in entry ? `${shortEffect(entry.id, run.runId)}  ` : '';
    const content = shortened(`${effect}${entryText(entry)}`, CONTENT_LENGTH);
    process.stdout.write(`${paint('quiet', head)}${columns === undefined ? content : fitted(content, Math.max(20, columns - 1 - head.length))}\n`);
  };
}

const shortEffect = (id: string, runId: string) => (id.startsWith(`${runId}/`) ? id.slice(runId.length + 1) : id);
