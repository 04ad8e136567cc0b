/** `npm run kills` and `npm run soak`: processes are killed until there were enough, and what is left is held against what should be. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bundled } from './bundle.ts';
import { type Death, type WorldReport, driveWorld } from './drive.ts';
import { REGIONS, type Region } from './regions.ts';

export const HELP = `Usage: npm run kills -- [options]      500 kills (part of npm run check)
       npm run soak -- [options]       10,000 kills

Runs agents and threads in processes that are killed with SIGKILL at random moments and resumed by others, and compares what the world saw with
what the journal says. The seed draws the runs, what threads are told, and the moments; how far a process has come by then is up to the machine.

  --kills 500        how many processes to kill
  --seed 1           what is drawn
  --world 17         only this world, over and over (as a failing case prints it)
  --at-a-time 3      worlds side by side
  --keep             leave the files of a world that fails
  --help             this text
`;

export interface Settings { kills: number; seed: string; world?: number; atATime: number; keep: boolean }
export interface Summary { kills: number; worlds: number; regions: Record<Region, number>; /** Of those, what the kills met in threads. */ threads: Record<Region, number>; failed: WorldReport[] }

/** @throws Error that names the argument and what it may be. */
export function readSettings(argv: string[]): Settings | 'help' {
  const text = { type: 'string' as const };
  const { values } = parseArgs({ args: argv, options: { kills: text, seed: text, world: text, 'at-a-time': text, keep: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) return 'help';
  const { seed = '1', keep = false } = values;
  const settings: Settings = { kills: whole('--kills', values.kills ?? '500', 1), seed, keep, atATime: whole('--at-a-time', values['at-a-time'] ?? '3', 1) };
  return values.world === undefined ? settings : { ...settings, world: whole('--world', values.world, 0) };
}

function whole(option: string, text: string, least: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least) return number;
  throw new Error(`${option} takes a whole number from ${least} on, not ${JSON.stringify(text)}.`);
}

/** @param told hears of every kill. */
export async function kill({ kills, seed, world, atATime, keep }: Settings, told: (summary: Summary) => void, signal: AbortSignal): Promise<Summary> {
  const folder = mkdtempSync(join(tmpdir(), 'loopchart-kills-'));
  const summary: Summary = { kills: 0, worlds: 0, regions: noneYet(), threads: noneYet(), failed: [] };
  const start = bundled('child', folder);
  const onDeath = ({ hit }: Death) => {
    summary.kills += 1;
    for (const region of hit.all) summary.regions[region] += 1;
    for (const region of hit.threads) summary.threads[region] += 1;
    told(summary);
  };
  let next = 0;
  const inTurn = async () => {
    while (summary.kills < kills && summary.failed.length === 0 && !signal.aborted) {
      const number = next++;
      const ownFolder = join(folder, String(number));
      mkdirSync(ownFolder);
      const report = await driveWorld({ ...start, folder: ownFolder, seed: `${seed}.${world ?? number}`, onDeath, isEnough: () => summary.kills >= kills, signal, keep });
      if (signal.aborted) continue;
      summary.worlds += 1;
      if (report.findings.length > 0) summary.failed.push({ ...report, seed: `${seed} --world ${world ?? number}` });
    }
  };
  try {
    await Promise.all(Array.from({ length: atATime }, inTurn));
  } finally {
    if (!keep || summary.failed.length === 0) rmSync(folder, { recursive: true, force: true });
    else console.error(`The files are in ${folder}.`);
  }
  return summary;
}

const noneYet = () => Object.fromEntries(REGIONS.map((region) => [region, 0])) as Record<Region, number>; // each of them

export function toText({ kills, worlds, regions, threads, failed }: Summary): string {
  const hits = (counts: Record<Region, number>) => Object.entries(counts).filter(([, count]) => count > 0).map(([region, count]) => `${count} ${region}`).join(', ');
  const told = failed.flatMap(({ seed, findings, deaths }) => [
    '', ...findings.map((finding) => `✗ ${finding}`), `  after: ${deaths.map(({ moment }) => JSON.stringify(moment)).join(' ')}`, `  again: npm run soak -- --seed ${seed}`,
  ]);
  return [`${kills} kills in ${worlds} worlds (${hits(regions)}; in threads ${hits(threads)}): ${failed.length === 0 ? 'nothing lost, nothing twice' : `${failed.length} failed`}.`, ...told].join('\n');
}

async function main(argv: string[]): Promise<number> {
  const settings = readSettings(argv);
  if (settings === 'help') {
    console.log(HELP);
    return 0;
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const isLive = process.stderr.isTTY;
  const told = ({ kills, worlds }: Summary) => {
    if (isLive) process.stderr.write(`\r${kills} of ${settings.kills} kills, ${worlds} worlds over `);
    else if (kills % 100 === 0) console.error(`${kills} of ${settings.kills} kills, ${worlds} worlds over`);
  };
  const began = performance.now();
  const summary = await kill(settings, told, stop.signal);
  if (isLive) process.stderr.write('\n');
  console.log(`${toText(summary)} ${Math.round((performance.now() - began) / 1_000)} s, seed ${settings.seed}.`);
  return stop.signal.aborted ? 130 : summary.failed.length === 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) { // A wrong argument says what it should be.
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
