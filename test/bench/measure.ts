/**
 * Measuring side by side: every round runs each contestant once, one after the other (A B A B …), and a ratio is taken within
 * its round, so that a machine that slows down slows both sides of it.
 */
export interface Subject { name: string; run: () => Promise<void> }
export interface MeasureOptions {
  /** Rounds of one sample per subject. */
  rounds: number;
  /** Each subject runs for about this many milliseconds before anything counts, so that the engine has compiled what it will. */
  warmUpMs: number;
  /** A sample repeats its run until it takes about this long, in milliseconds. */
  sampleMs: number;
  /** A subject that has used this many milliseconds sits out the rounds that are left; it has had at least one. */
  budgetMs: number;
  /** Monotonic time in milliseconds. */
  now: () => number;
  /** Called before each sample, outside of the measurement. */
  collectGarbage?: () => void;
}
export interface Measurement {
  name: string;
  /** Milliseconds per run, one per round. */
  samples: number[];
  median: number;
  /** Middle of the ratios to the first subject, each taken within one round. */
  ratio: number;
  /** The quartiles of those ratios. */
  spread: [number, number];
}

/** Measures all subjects; the first is the yardstick and is in every round. */
export async function measure(subjects: readonly Subject[], options: MeasureOptions): Promise<Measurement[]> {
  const entrants = [];
  for (const subject of subjects) entrants.push({ ...subject, ...await calibrate(subject, options), used: 0, samples: [] as (number | undefined)[] });
  for (let round = 0; round < options.rounds; round += 1) {
    for (const [index, entrant] of entrants.entries()) {
      const sitsOut = index > 0 && round > 0 && entrant.used > options.budgetMs;
      if (sitsOut) {
        entrant.samples.push(undefined);
        continue;
      }
      options.collectGarbage?.();
      const took = await time(entrant.run, entrant.repetitions, options.now);
      entrant.used += took;
      entrant.samples.push(took / entrant.repetitions);
    }
  }
  const yardstick = entrants[0]?.samples ?? [];
  return entrants.map(({ name, samples }) => {
    const ratios = samples.flatMap((sample, round) => (sample === undefined ? [] : [sample / (yardstick[round] ?? Number.NaN)]));
    const taken = samples.filter((sample) => sample !== undefined);
    return { name, samples: taken, median: quantile(taken, 0.5), ratio: quantile(ratios, 0.5), spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)] };
  });
}

/** The value below which the share `q` of the values lies, between two of them by interpolation. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** Warms up, and finds how many runs make a sample long enough to be read off the clock. */
async function calibrate({ run }: Subject, { warmUpMs, sampleMs, now }: MeasureOptions): Promise<{ repetitions: number }> {
  let last = await time(run, 1, now);
  for (let spent = last; spent < warmUpMs; spent += last) last = await time(run, 1, now);
  return { repetitions: Math.max(1, Math.min(10_000, Math.ceil(sampleMs / Math.max(last, 0.001)))) };
}

async function time(run: () => Promise<void>, repetitions: number, now: () => number): Promise<number> {
  const start = now();
  for (let repetition = 0; repetition < repetitions; repetition += 1) await run();
  return now() - start;
}
