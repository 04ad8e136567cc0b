/** Numbers that are printed, and those that are held against a bound. */

/** Latencies in ms, kept as a histogram: a minute has too many to keep them all. */
export class Latencies {
  readonly #buckets = new Map<number, number>();
  #count = 0;

  note(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(ms, 0.001)) / STEP);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }

  /** @param share 0 to 1. @returns ms, at most 5 % too many. */
  quantile(share: number): number {
    let seen = 0;
    for (const [bucket, count] of [...this.#buckets].sort(([one], [other]) => one - other)) {
      seen += count;
      if (seen >= share * this.#count) return Math.exp(bucket * STEP);
    }
    return 0;
  }
}

const STEP = Math.log(1.05);

export interface HeapSample { second: number; megabytes: number }

/** How the heap grows, in MB a minute, by least squares over the second half: by then every thread has been replaced at least once. */
export function trendOf(samples: readonly HeapSample[]): { perMinute: number; mean: number } {
  const half = samples.slice(Math.floor(samples.length / 2));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const [x, y] = [mean(half.map(({ second }) => second)), mean(half.map(({ megabytes }) => megabytes))];
  const above = half.reduce((sum, one) => sum + (one.second - x) * (one.megabytes - y), 0);
  const below = half.reduce((sum, one) => sum + (one.second - x) ** 2, 0);
  return { perMinute: below === 0 ? 0 : (60 * above) / below, mean: y };
}

export const perSecond = (count: number, seconds: number): string => (count / seconds).toFixed(0);
export const total = (counts: Record<string, number>): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
