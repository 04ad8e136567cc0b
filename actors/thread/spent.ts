/** What runs that are over have cost together: sums alone. Entries for each request are with the result of their run; a thread has no end. */
import { Usage } from '../usage.ts';

export function summed(...usages: readonly Usage[]): Usage {
  const total = new Usage();
  for (const usage of usages) total.add(usage);
  total.inputTokensDetails = sumOf(total.inputTokensDetails);
  total.outputTokensDetails = sumOf(total.outputTokensDetails);
  total.requestUsageEntries = undefined;
  return total;
}

function sumOf(details: readonly Record<string, number>[]): Record<string, number>[] {
  if (details.length === 0) return [];
  const sum: Record<string, number> = {};
  for (const [name, count] of details.flatMap((one) => Object.entries(one))) sum[name] = (sum[name] ?? 0) + count;
  return [sum];
}
