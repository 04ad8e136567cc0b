import type { UsageData } from '../../machines/protocol/item.ts';
import { isRecord, type JsonRecord } from './record.ts';

/** What one request cost, under the names either API uses for it. Undefined when the server does not count. */
export function usageOf(usage: unknown, endpoint: string): UsageData | undefined {
  if (!isRecord(usage)) return undefined;
  const inputTokens = count(usage.input_tokens ?? usage.prompt_tokens);
  const outputTokens = count(usage.output_tokens ?? usage.completion_tokens);
  const spent = {
    inputTokens,
    outputTokens,
    totalTokens: usage.total_tokens === undefined || usage.total_tokens === null ? inputTokens + outputTokens : count(usage.total_tokens),
    inputTokensDetails: counts(usage.input_tokens_details ?? usage.prompt_tokens_details),
    outputTokensDetails: counts(usage.output_tokens_details ?? usage.completion_tokens_details),
  };
  return { ...spent, requestUsageEntries: [{ ...spent, endpoint }] };
}

export const NO_USAGE: UsageData = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** Servers put lists and nulls among the details; only counts add up. */
function counts(details: unknown): Record<string, number> {
  const entries = Object.entries(isRecord(details) ? details : ({} as JsonRecord));
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
