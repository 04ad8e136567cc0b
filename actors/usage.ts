/** What a run has spent. Token counts are whole tokens as the provider reports them; nothing here is estimated. */
import type { RequestUsageData, UsageData } from '../machines/protocol/item.ts';

export type { RequestUsageData, UsageData };

/** Counts of one request, in camel case (ours, the SDK's) or snake case (a provider's wire form). Camel case wins. */
export type RequestUsageInput = Partial<
  RequestUsageData & {
    input_tokens: number;
    output_tokens: number;
    total_tokens: number;
    input_tokens_details: object;
    output_tokens_details: object;
    endpoint?: string;
  }
>;

/** Counts of one or more requests, in camel or snake case. Camel case wins. */
export type UsageInput = Partial<
  Omit<UsageData, 'requestUsageEntries'> & {
    input_tokens: number;
    output_tokens: number;
    total_tokens: number;
    input_tokens_details: Record<string, number> | Array<Record<string, number>> | object;
    output_tokens_details: Record<string, number> | Array<Record<string, number>> | object;
    request_usage_entries: RequestUsageInput[];
  }
> & {
  requests?: number;
  requestUsageEntries?: RequestUsageInput[];
};

type TokenCounts = Pick<
  UsageInput,
  'inputTokens' | 'input_tokens' | 'outputTokens' | 'output_tokens' | 'totalTokens' | 'total_tokens'
>;

/** The tokens of a single request, kept apart because price lists differ by request size and endpoint. */
export class RequestUsage {
  inputTokens: number;
  outputTokens: number;
  /** Input plus output, unless the provider counted otherwise. */
  totalTokens: number;
  inputTokensDetails: Record<string, number>;
  outputTokensDetails: Record<string, number>;
  /** The provider call that was billed, for instance `responses.create`. */
  declare endpoint?: 'responses.create' | 'responses.compact' | (string & {});

  constructor(input: RequestUsageInput = {}) {
    const tokens = tokensIn(input);
    this.inputTokens = tokens.inputTokens;
    this.outputTokens = tokens.outputTokens;
    this.totalTokens = tokens.totalTokens;
    this.inputTokensDetails = detailsIn(input.inputTokensDetails ?? input.input_tokens_details)[0] ?? {};
    this.outputTokensDetails = detailsIn(input.outputTokensDetails ?? input.output_tokens_details)[0] ?? {};
    if (input.endpoint !== undefined) this.endpoint = input.endpoint;
  }

  /** Revives what `JSON.stringify` made of a `RequestUsage`. */
  static fromJSON(input?: RequestUsageInput): RequestUsage {
    return new RequestUsage(input);
  }
}

/**
 * Requests and tokens of a run, summed over turns, retries, compaction and nested agents.
 *
 * @example
 * ```ts
 * import { Usage } from 'loopchart';
 *
 * const total = new Usage();
 * total.add(new Usage({ requests: 1, inputTokens: 120, outputTokens: 30 }));
 * console.log(total.totalTokens, total.requestUsageEntries?.length); // 150 1
 * ```
 */
export class Usage {
  requests: number;
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  /** One record for each addition that had details, in order. */
  inputTokensDetails: Array<Record<string, number>>;
  outputTokensDetails: Array<Record<string, number>>;
  /** One entry for each request whose tokens are known; `undefined` until there is one. */
  requestUsageEntries: RequestUsage[] | undefined;

  /** With input, `requests` is 1 unless stated; without, everything is zero. */
  constructor(input?: UsageInput) {
    const tokens = tokensIn(input ?? {});
    this.requests = input === undefined ? 0 : (input.requests ?? 1);
    this.inputTokens = tokens.inputTokens;
    this.outputTokens = tokens.outputTokens;
    this.totalTokens = tokens.totalTokens;
    this.inputTokensDetails = detailsIn(input?.inputTokensDetails ?? input?.input_tokens_details);
    this.outputTokensDetails = detailsIn(input?.outputTokensDetails ?? input?.output_tokens_details);
    const entries = input?.requestUsageEntries ?? input?.request_usage_entries;
    this.requestUsageEntries = entries?.map((entry) => new RequestUsage(entry));
  }

  /** Revives what `JSON.stringify` made of a `Usage`. */
  static fromJSON(input?: UsageInput): Usage {
    return new Usage(input);
  }

  /**
   * Adds another usage to this one. Its entries are kept; a single request that spent tokens and has no entry becomes one.
   * The cost does not depend on how much was added before.
   */
  add(newUsage: Usage): void {
    this.requests += newUsage.requests;
    this.inputTokens += newUsage.inputTokens;
    this.outputTokens += newUsage.outputTokens;
    this.totalTokens += newUsage.totalTokens;
    for (const details of newUsage.inputTokensDetails) this.inputTokensDetails.push(details);
    for (const details of newUsage.outputTokensDetails) this.outputTokensDetails.push(details);
    for (const entry of entriesOf(newUsage)) (this.requestUsageEntries ??= []).push(entry);
  }
}

/** An aggregate of several requests without entries cannot be split, so it adds none. */
function entriesOf(usage: Usage): readonly RequestUsage[] {
  if (usage.requestUsageEntries?.length) return usage.requestUsageEntries;
  if (usage.requests !== 1 || usage.totalTokens <= 0) return [];
  return [
    new RequestUsage({
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      totalTokens: usage.totalTokens,
      inputTokensDetails: usage.inputTokensDetails[0] ?? {},
      outputTokensDetails: usage.outputTokensDetails[0] ?? {},
    }),
  ];
}

function tokensIn(input: TokenCounts): { inputTokens: number; outputTokens: number; totalTokens: number } {
  const inputTokens = input.inputTokens ?? input.input_tokens ?? 0;
  const outputTokens = input.outputTokens ?? input.output_tokens ?? 0;
  return { inputTokens, outputTokens, totalTokens: input.totalTokens ?? input.total_tokens ?? inputTokens + outputTokens };
}

/** Copies, so that adding to a usage never grows the provider's own record. */
function detailsIn(details: object | null | undefined): Array<Record<string, number>> {
  if (details === null || details === undefined) return [];
  const records = Array.isArray(details) ? details : [details];
  // The wire types say `object`; the values are counts by the providers' contract and are never computed with here.
  return records.map((record) => ({ ...(record as Record<string, number>) }));
}
