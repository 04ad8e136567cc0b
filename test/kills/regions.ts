/** What a kill met, told by the lines that the process left. */
import type { Line } from './ledger.ts';

/** One kill may meet several. `command`: something was said to a thread, and not heard yet; `heard`: that was the last that happened to one. */
export const REGIONS = ['start', 'command', 'heard', 'body', 'model', 'append', 'session', 'between'] as const;
export type Region = (typeof REGIONS)[number];

export interface Hit { all: Region[]; /** Of the threads among them. */ threads: Region[] }

export function hitBy(all: readonly Line[], threads: ReadonlySet<string>): Hit {
  const lines = all.filter(({ what }) => what !== 'tells'); // it accompanies others
  const ofThreads = lines.filter((line) => threads.has(ownerOf(line)));
  return { all: regionsOf(lines), threads: ofThreads.length > 0 ? regionsOf(ofThreads) : [] };
}

const ownerOf = (line: Line): string => ('run' in line ? line.run : 'of' in line ? line.of : '');

function regionsOf(lines: readonly Line[]): Region[] {
  if (lines.length === 0) return ['start'];
  const count = (...whats: Line['what'][]) => lines.filter(({ what }) => whats.includes(what)).length;
  const stores = lines.findLastIndex(({ what }) => what === 'stores' || what === 'stored');
  const met: Record<Exclude<Region, 'start' | 'between'>, boolean> = {
    command: count('speaks') > count('hears') - lines.filter((line) => line.what === 'hears' && line.by === 'journal').length,
    heard: lines.at(-1)!.what === 'hears',
    body: count('begins') > count('ends'),
    model: isAsking(lines),
    append: count('writes') > count('wrote'),
    session: stores >= 0 && !lines.slice(stores).some(({ what }) => what === 'wrote'),
  };
  const regions = REGIONS.filter((region) => region !== 'start' && region !== 'between' && met[region]);
  return regions.length > 0 ? regions : ['between'];
}

/** The last request of a run or a thread has no answer; one before it may have been cut by what the thread was told. */
function isAsking(lines: readonly Line[]): boolean {
  const open = new Map<string, string>();
  for (const line of lines) {
    if (line.what === 'asks') open.set(line.of, line.digest);
    if ((line.what === 'answers' || line.what === 'fails') && open.get(line.of) === line.digest) open.delete(line.of);
  }
  return open.size > 0;
}
