/** Usage in the form of the protocol. */
import type { UsageData } from '../../machines/protocol/item.ts';
import type { TokenCounts } from './shapes.ts';

export function countsOf(usage: Partial<UsageData>): TokenCounts {
  const { inputTokens = 0, outputTokens = 0, totalTokens = 0, inputTokensDetails, outputTokensDetails } = usage;
  return {
    totalTokens,
    inputTokens,
    cachedInputTokens: detail(inputTokensDetails, 'cached_tokens'),
    cacheWriteInputTokens: detail(inputTokensDetails, 'cache_write_tokens'),
    outputTokens,
    reasoningOutputTokens: detail(outputTokensDetails, 'reasoning_tokens'),
  };
}

export function differenceOf(later: TokenCounts, earlier: TokenCounts): TokenCounts {
  return Object.fromEntries(Object.entries(later).map(([name, count]) => [name, count - earlier[name as keyof TokenCounts]])) as unknown as TokenCounts; // the same names
}

function detail(details: UsageData['inputTokensDetails'], name: string): number {
  const all = Array.isArray(details) ? details : details ? [details] : [];
  return all.reduce((sum, one) => sum + (one[name] ?? 0), 0);
}
