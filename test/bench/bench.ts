/** `npm run bench`: the loop runtimes side by side with a hand-written loop, in one process and one run. */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CONTESTANTS, LOOP } from './contestants.ts';
import { DURABLE, type DurableSizes, measureDurable } from './durable.ts';
import { type Figure, missedFigures } from './figures.ts';
import { WORKLOADS } from './fixtures/workloads.ts';
import { measure, type MeasureOptions } from './measure.ts';
import { missedAims, toMarkdown, toReport, type Case } from './report.ts';
import { WAITING, type WaitingSizes, measureWaiting } from './waiting.ts';

/** What only runs that are kept can do: measured of loopchart, next to what a hand-written loop has in its place. */
const KEPT_RUNS = ['W5', 'W7'];
const IDS = [...new Set(WORKLOADS.map(({ id }) => id)), ...KEPT_RUNS];

export const HELP = `Usage: npm run bench -- [options]

Measures loop runtimes side by side with a hand-written loop, on a model without latency.
A ratio compares two samples of the same round; medians of all rounds are shown.

  --only W1,W4           only these workloads (${IDS.join(', ')})
  --contestants a,b      who runs beside the loop: ${Object.keys(CONTESTANTS).filter((name) => name !== LOOP).join(', ')} (default: loopchart)
  --rounds 15            rounds of one sample each
  --budget 20            seconds after which a slow contestant sits out further rounds of a workload
  --json                 the report as JSON
  --check                exit with 1 when loopchart misses one of its aims
  --help                 this text
`;

interface Settings { only: string[]; contestants: string[]; rounds: number; budgetMs: number; json: boolean; check: boolean }
interface Output { print: (text: string) => void; note: (text: string) => void }

/** How much of W5 and W7; a test needs little. */
export interface KeptSizes { waiting: WaitingSizes; durable: DurableSizes }

/** Answers the exit code. */
export async function bench(argv: string[], { print, note }: Output, sizes: KeptSizes = { waiting: WAITING, durable: DURABLE }): Promise<number> {
  const settings = readSettings(argv);
  if (settings === 'help') {
    print(HELP);
    return 0;
  }
  const contestants = [];
  for (const name of settings.contestants) contestants.push(await CONTESTANTS[name]!());
  if (!globalThis.gc) note('Run with --expose-gc for steadier figures.');
  const options: MeasureOptions = {
    rounds: settings.rounds, warmUpMs: 1_000, sampleMs: 20, budgetMs: settings.budgetMs, now: () => performance.now(),
    // A full collection would also take back what the engine has learnt of the code.
    collectGarbage: () => void globalThis.gc?.({ type: 'minor' }),
  };
  const cases: Case[] = [];
  for (const workload of WORKLOADS.filter(({ id }) => settings.only.includes(id))) {
    note(`${workload.id} × ${workload.size}: ${workload.description} …`);
    const subjects = [];
    for (const { name, prepare } of contestants) subjects.push({ name, run: await prepare(workload) });
    cases.push({ workload, measurements: await measure(subjects, options) });
  }
  const figures = settings.contestants.includes('loopchart') ? await measureKept(settings.only, sizes, options, note) : [];
  const report = toReport(cases, figures);
  print(settings.json ? JSON.stringify({ node: process.version, ...report }, null, 2) : toMarkdown(report));
  const missed = settings.check ? [...missedAims(cases, 'loopchart'), ...missedFigures(figures)] : [];
  for (const sentence of missed) note(sentence);
  return missed.length > 0 ? 1 : 0;
}

async function measureKept(only: readonly string[], { waiting, durable }: KeptSizes, options: MeasureOptions, note: Output['note']): Promise<Figure[]> {
  const figures: Figure[] = [];
  const brief = { ...options, warmUpMs: options.warmUpMs / 2 };
  if (only.includes('W5')) {
    note(`W5 × ${waiting.runs}: runs of ${waiting.turns} turns that wait for approval …`);
    figures.push(...await measureWaiting(waiting, brief));
  }
  if (only.includes('W7')) {
    note(`W7 × ${durable.turns.join(', ')}: turns that survive their process …`);
    figures.push(...await measureDurable(durable, brief));
  }
  return figures;
}

/** @throws Error that names the argument and what it may be. */
export function readSettings(argv: string[]): Settings | 'help' {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: 'string' }, contestants: { type: 'string' }, rounds: { type: 'string' }, budget: { type: 'string' },
      json: { type: 'boolean' }, check: { type: 'boolean' }, help: { type: 'boolean' },
    },
  });
  if (values.help) return 'help';
  const contestants = choice('--contestants', values.contestants ?? 'loopchart', Object.keys(CONTESTANTS));
  return {
    only: choice('--only', values.only?.toUpperCase() ?? IDS.join(','), IDS),
    contestants: [LOOP, ...contestants.filter((name) => name !== LOOP)],
    rounds: positive('--rounds', values.rounds ?? '15'),
    budgetMs: positive('--budget', values.budget ?? '20') * 1_000,
    json: values.json ?? false,
    check: values.check ?? false,
  };
}

function choice(option: string, text: string, known: readonly string[]): string[] {
  const chosen = [...new Set(text.split(',').map((part) => part.trim()))];
  const unknown = chosen.filter((name) => !known.includes(name));
  if (unknown.length === 0) return chosen;
  throw new Error(`${option} does not know ${unknown.map((name) => JSON.stringify(name)).join(', ')}. It takes ${[...new Set(known)].join(', ')}, separated by commas.`);
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0 && (option !== '--rounds' || Number.isInteger(number))) return number;
  throw new Error(`${option} takes a ${option === '--rounds' ? 'whole ' : ''}number above 0, not ${JSON.stringify(text)}.`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    process.exitCode = await bench(process.argv.slice(2), { print: (text) => console.log(text), note: (text) => console.error(text) });
  } catch (error) { // A wrong argument, a contestant that is not there, or one that did not do the work: each says what to do.
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
