/** Runs and threads in columns: cut to fit a terminal, whole where a program reads. */
import type { RunSummary } from '../../../actors/journal.ts';
import { fitted, widthOf } from '../terminal/width.ts';
import { harmless } from '../wording.ts';
import { shortIds } from './shortIds.ts';
import { ago, localTime } from './times.ts';

/** State, and how it ended where that says more. */
export const stateText = ({ state, status }: Pick<RunSummary, 'state' | 'status'>): string => (state === 'settled' && status ? `settled, ${status}` : state);

/** The log of a thread holds all of its runs. */
export const isThreadLog = ({ runId, threadId }: Pick<RunSummary, 'runId' | 'threadId'>): boolean => runId === threadId;

interface Column { title: string; cells: string[]; isNumber?: boolean; /** How narrow it may be made before others are left out. */ least?: number }

/** @param columns of the terminal; undefined where there is none. `ids` are all of the journal, which tell how much of one is enough. */
export function runTable(runs: readonly RunSummary[], { columns, ids, now }: { columns: number | undefined; ids: readonly string[]; now: number }): string[] {
  const short = columns === undefined ? undefined : shortIds(ids);
  const time = (at: number) => (columns === undefined ? localTime(at) : ago(at, now));
  const table: Column[] = [
    { title: 'RUN', cells: runs.map(({ runId }) => short?.get(runId) ?? runId) },
    { title: 'THREAD', cells: runs.map((run) => (isThreadLog(run) ? '(itself)' : (run.threadId ?? '-'))), least: 8 },
    { title: 'AGENT', cells: runs.map(({ agent }) => agent), least: 8 },
    { title: 'STATE', cells: runs.map(stateText) },
    { title: 'ENTRIES', cells: runs.map(({ length }) => String(length)), isNumber: true },
    { title: 'BEGUN', cells: runs.map(({ startedAt }) => time(startedAt)) },
    { title: 'WRITTEN', cells: runs.map(({ updatedAt }) => time(updatedAt)) },
  ];
  return rowsOf(columns === undefined ? table.map(({ least: _, ...column }) => column) : fitting(table, columns));
}

const GAP = 2;
/** The first that can be done without: the newest run is last anyway, and a thread can be asked for. */
const DISPENSABLE = ['BEGUN', 'THREAD', 'ENTRIES', 'AGENT', 'WRITTEN'];

const cellsOf = ({ title, cells }: Column) => [title, ...cells.map((cell) => harmless(cell).replaceAll('\n', ' '))];
const naturalWidth = (column: Column) => Math.max(...cellsOf(column).map(widthOf));
const leastWidth = (column: Column) => Math.min(naturalWidth(column), column.least ?? Infinity);
const total = (widths: readonly number[]) => widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));

function fitting(table: readonly Column[], columns: number): Column[] {
  const tooWide = total(table.map(leastWidth)) > columns - 1;
  const [dropped] = tooWide ? DISPENSABLE.filter((title) => table.some((column) => column.title === title)) : [];
  if (dropped !== undefined) return fitting(table.filter(({ title }) => title !== dropped), columns);
  let room = columns - 1 - total(table.map(leastWidth));
  return table.map((column) => {
    if (column.least === undefined) return column;
    const width = Math.min(naturalWidth(column), leastWidth(column) + Math.max(0, room));
    room -= width - leastWidth(column);
    return { ...column, cells: column.cells.map((cell) => fitted(harmless(cell), width)) };
  });
}

function rowsOf(table: readonly Column[]): string[] {
  const widths = table.map(naturalWidth);
  const columns = table.map(cellsOf);
  const rows = columns[0]!.map((_, row) => table.map(({ isNumber }, at) => {
    const cell = columns[at]![row]!;
    const space = ' '.repeat(widths[at]! - widthOf(cell));
    return isNumber ? space + cell : cell + space;
  }));
  return rows.map((cells) => cells.join(' '.repeat(GAP)).trimEnd());
}
