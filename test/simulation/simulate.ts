/** `npm run simulate`: worlds full of trouble, one after the other, under a virtual clock. */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

export const HELP = `Usage: npm run simulate -- [options]

Simulates worlds in which agents run, processes die, journals fail and people change their minds,
and complains where a run did not keep its promises. One seed is one world, always the same.

  --seeds 2000   how many worlds (default 2000; 1 when --seed is given)
  --seed 17      the first one (default: the first of this day); a single one is told in full
  --threads      worlds of threads instead of runs
  --help         this text

Ctrl-C ends it with a summary. Exit code 1 when there was anything to complain about.
`;

const ROOT = new URL('../../', import.meta.url);
const ENTRIES: Record<string, string> = { loopchart: 'index.ts', 'loopchart/testing': 'adapters/scripted/index.ts', 'loopchart/thread': 'actors/thread/index.ts', 'loopchart/view': 'actors/view/index.ts' };

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { seeds: { type: 'string' }, seed: { type: 'string' }, threads: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  registerHooks({ resolve: (name, context, next) => (ENTRIES[name] ? { url: new URL(ENTRIES[name], ROOT).href, shortCircuit: true } : next(name, context)) });
  const { firstSeed, report: inWords, simulated } = await import('./support/seeds.ts');
  const { simulateThread } = await import('./support/threadVoyage.ts');
  const report = (verdict: { seed: number; complaints: string[] }) => inWords(verdict, values.threads ? 'threads' : 'runs');
  const simulate = async (seed: number) => {
    if (!values.threads) return simulated(seed);
    return simulateThread(seed);
  };
  const first = firstSeed(Date.now(), values.seed);
  const count = Number(values.seeds ?? (values.seed === undefined ? 2_000 : 1));
  if (!Number.isInteger(first) || !Number.isInteger(count) || count < 1) throw new Error('--seed and --seeds take whole numbers. See --help.');
  if (count === 1) return tellInFull(await simulate(first), report);

  let isStopped = false;
  process.once('SIGINT', () => { isStopped = true; });
  const began = performance.now();
  let [done, failed] = [0, 0];
  const blows: Record<string, number> = {};
  for (; done < count && !isStopped; done += 1) {
    const verdict = await simulate(first + done);
    for (const blow of verdict.blows) blows[blow] = (blows[blow] ?? 0) + 1;
    if (verdict.complaints.length > 0) failed += 1;
    for (const line of report(verdict)) process.stdout.write(`\r${line.padEnd(60)}\n`);
    if (process.stdout.isTTY && done % 20 === 0) process.stdout.write(`\r${done + 1} of ${count} worlds, ${failed} with complaints`);
    if (done % 20 === 0) await new Promise((resolve) => setImmediate(resolve)); // lets Ctrl-C in
  }
  const seconds = (performance.now() - began) / 1000;
  process.stdout.write(`\r${done} worlds from seed ${first} on in ${seconds.toFixed(1)} s (${(done / seconds).toFixed(0)} a second), ${failed} with complaints.\n`);
  process.stdout.write(`Blows: ${Object.entries(blows).map(([kind, times]) => `${times} ${kind}`).join(', ')}.\n`);
  return failed > 0 ? 1 : 0;
}

function tellInFull(verdict: { seed: number; complaints: string[]; log: readonly string[]; endings: string[] }, report: (verdict: { seed: number; complaints: string[] }) => string[]): number {
  process.stdout.write(`${verdict.log.join('\n')}\n\nEndings: ${verdict.endings.join(', ')}\n`);
  process.stdout.write(verdict.complaints.length > 0 ? `${report(verdict)[0]}\n${verdict.complaints.map((complaint) => `  ${complaint}\n`).join('')}` : 'No complaints.\n');
  return verdict.complaints.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main(process.argv.slice(2));
