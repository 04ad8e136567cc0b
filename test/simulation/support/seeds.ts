/** Which worlds are simulated: fresh ones with every day, and for ever those that something was found in. */
import { readFileSync } from 'node:fs';
import { type Verdict, simulate } from './simulate.ts';

/** The first seed of a day's worlds; `LOOPCHART_SEED` takes its place. */
export function firstSeed(now: number, given = process.env['LOOPCHART_SEED']): number {
  return given === undefined ? Math.floor(now / 86_400_000) * SEEDS_A_DAY : Number(given);
}

const SEEDS_A_DAY = 100_000;
/** On a build server all of them; elsewhere enough to notice. */
export const SEED_COUNT = Number(process.env['LOOPCHART_SEEDS'] ?? (process.env['CI'] ? 2_000 : 200));

/** Every seed that ever failed, with what it found. */
export const KNOWN_SEEDS: readonly { seed: number; found: string }[] = JSON.parse(readFileSync(new URL('../seeds.json', import.meta.url), 'utf8'));

/** The same of threads. */
export const KNOWN_THREAD_SEEDS: typeof KNOWN_SEEDS = JSON.parse(readFileSync(new URL('../threadSeeds.json', import.meta.url), 'utf8'));

/** In words, with how to see it again; nothing for a world in which all went well. */
export function report({ seed, complaints }: Pick<Verdict, 'seed' | 'complaints'>, kind: 'runs' | 'threads' = 'runs'): string[] {
  if (complaints.length === 0) return [];
  const shown = complaints.slice(0, 8).map((complaint) => `  ${complaint}`);
  return [`Seed ${seed}: ${complaints.length} complaints. See it again: npm run simulate -- ${kind === 'threads' ? '--threads ' : ''}--seed ${seed}`, ...shown];
}

/** What a world throws is a complaint about it. */
export async function simulated(seed: number): Promise<Verdict> {
  try {
    return await simulate(seed);
  } catch (error) {
    return { seed, complaints: [`It throws: ${error instanceof Error ? error.stack : String(error)}`], isCalm: false, log: [], blows: [], endings: [] };
  }
}
