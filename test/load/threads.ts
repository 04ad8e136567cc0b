/** `npm run load`: a thousand threads in one process on SQLite, told at random what to do; nothing may be lost, and the heap may not grow. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { SqliteJournal } from '../../adapters/journals/sqlite.ts';
import { City, type CityOptions } from './city.ts';
import { type HeapSample, perSecond, total, trendOf } from './figures.ts';

export const HELP = `Usage: npm run load -- [options]

Keeps many threads alive in one process, on one SQLite journal, and tells each at random to run, to wait in the queue, to hurry, to
stop, to go on, and what has come by mail. A thread that has heard enough is emptied, checked and closed, and another takes its place. Complains when an
input was lost, read twice or out of order, and when the heap grows.

  --threads 1000    how many at a time
  --seconds 60      for so long; then all of them are emptied and closed
  --lifetime 10     commands to one thread before another takes its place
  --pace 1000       ms between two commands to one thread, on average
  --seed 1          what is said to whom
  --help            this text

The journal is in the folder for temporary files (TMPDIR); every entry is on its disk before it counts, so that a slow disk is the limit.
Ctrl-C ends it early, with its figures. Exit code 1 when there was anything to complain about.
`;

export interface Settings { threads: number; seconds: number; lifetime: number; paceMs: number; seed: number }
export interface Report { problems: string[]; text: string[]; commands: number; runs: number }

/** @throws Error that names the argument and what it may be. */
export function readSettings(argv: string[]): Settings | 'help' {
  const text = { type: 'string' as const };
  const { values } = parseArgs({ args: argv, options: { threads: text, seconds: text, lifetime: text, pace: text, seed: text, help: { type: 'boolean' } } });
  if (values.help) return 'help';
  const whole = (option: keyof typeof values, otherwise: number) => {
    const number = Number(values[option] ?? otherwise);
    if (Number.isInteger(number) && number >= 1) return number;
    throw new Error(`--${option} takes a whole number from 1 on, not ${JSON.stringify(values[option])}. See --help.`);
  };
  return { threads: whole('threads', 1_000), seconds: whole('seconds', 60), lifetime: whole('lifetime', 10), paceMs: whole('pace', 1_000), seed: whole('seed', 1) };
}

/** @param told hears of progress, every second. */
export async function load({ threads, seconds, seed, lifetime, paceMs }: Settings, told: (line: string) => void, signal?: AbortSignal): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'loopchart-load-'));
  const path = join(folder, 'journal.db');
  const journal = new SqliteJournal(path);
  await warmUp({ threads: Math.min(threads, 50), journal, seed, lifetime: 3, paceMs: 20 });
  const before = weigh();
  const city = new City({ threads, journal, seed, lifetime, paceMs });
  const heap: HeapSample[] = [];
  const began = performance.now();
  const lasted = () => (performance.now() - began) / 1_000;
  const watch = setInterval(() => {
    globalThis.gc?.();
    heap.push({ second: lasted(), megabytes: process.memoryUsage().heapUsed / 2 ** 20 });
    told(`${lasted().toFixed(0)} s: ${total(city.counts.commands)} commands, ${total(city.counts.runs)} runs, ${city.counts.retired} threads over, heap ${heap.at(-1)!.megabytes.toFixed(0)} MB`);
  }, 1_000);
  const end = setTimeout(() => city.end(), seconds * 1_000);
  signal?.addEventListener('abort', () => city.end(), { once: true });
  try {
    await city.live();
  } finally {
    clearInterval(watch);
    clearTimeout(end);
  }
  const atWork = heap.filter(({ second }) => second <= seconds); // at the end there are fewer and fewer threads
  const left = (weigh() - before) / Math.max(1, city.counts.retired);
  const problems = [...city.problems, ...growth(atWork, seconds), ...(city.counts.retired >= 500 && left > Math.min(MOST_LEFT.each, MOST_LEFT.all / city.counts.retired) ? [`J4: each thread that is over leaves ${left.toFixed(0)} bytes`] : [])];
  const text = figures(city, { heap: atWork, seconds: lasted(), bytes: sizeOf(path), left });
  journal.close();
  rmSync(folder, { recursive: true, force: true });
  return { problems, text, commands: total(city.counts.commands), runs: total(city.counts.runs) };
}

/** Code that is compiled and caches that are filled are not what grows. */
async function warmUp(options: CityOptions): Promise<void> {
  const city = new City({ ...options, name: 'warm' });
  setTimeout(() => city.end(), 1_500);
  await city.live();
}

function weigh(): number {
  for (let round = 0; round < 4; round += 1) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Bytes for each thread that is over, and for all of them: code and caches take their share once, and the smallest thread weighs tens of thousands. */
const MOST_LEFT = { each: 4_000, all: 3_000_000 };

/** What many threads that are alive weigh goes up and down; a tenth in a minute is more than that. */
function growth(heap: readonly HeapSample[], seconds: number): string[] {
  const { perMinute, mean } = trendOf(heap);
  return seconds >= 30 && globalThis.gc && perMinute > mean / 10 ? [`J4: the heap grows by ${perMinute.toFixed(1)} MB a minute, from ${mean.toFixed(0)} MB`] : [];
}

function figures({ counts, latencies }: City, { heap, seconds, bytes, left }: { heap: readonly HeapSample[]; seconds: number; bytes: number; left: number }): string[] {
  const { perMinute, mean } = trendOf(heap);
  const [commands, runs] = [total(counts.commands), total(counts.runs)];
  return [
    `${commands} commands in ${seconds.toFixed(1)} s (${perSecond(commands, seconds)} a second): ${listed(counts.commands)}`,
    `receipts: ${listed(counts.receipts)}; p50 ${latencies.quantile(0.5).toFixed(1)} ms, p99 ${latencies.quantile(0.99).toFixed(1)} ms`,
    `${runs} runs (${perSecond(runs, seconds)} a second): ${listed(counts.runs)}`,
    `${counts.retired} threads emptied, checked and closed`,
    `heap ${mean.toFixed(0)} MB on average in the second half, trend ${perMinute.toFixed(1)} MB a minute, ${left.toFixed(0)} bytes left of each thread that is over; journal ${(bytes / 2 ** 20).toFixed(1)} MB`,
  ];
}

const listed = (counts: Record<string, number>) => Object.entries(counts).sort(([, one], [, other]) => other - one).map(([what, count]) => `${count} ${what}`).join(', ');
const sizeOf = (path: string) => ['', '-wal'].reduce((sum, suffix) => sum + (statSync(`${path}${suffix}`, { throwIfNoEntry: false })?.size ?? 0), 0);

async function main(argv: string[]): Promise<number> {
  const settings = readSettings(argv);
  if (settings === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const { problems, text } = await load(settings, (line) => process.stderr.write(process.stderr.isTTY ? `\r${line.padEnd(100)}` : `${line}\n`), stop.signal);
  if (process.stderr.isTTY) process.stderr.write('\n');
  process.stdout.write(`${text.join('\n')}\n`);
  for (const problem of problems.slice(0, 20)) process.stdout.write(`${problem}\n`);
  process.stdout.write(problems.length === 0 ? 'Nothing was lost.\n' : `${problems.length} complaints.\n`);
  return problems.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    return 2;
  });
}
