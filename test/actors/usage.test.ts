import { Usage as PeerUsage } from '@openai/agents-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RequestUsage, Usage, type UsageInput } from '../../actors/usage.ts';

const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));
/** The peer asks for whole entries in its type and reads partial ones all the same. */
type PeerInput = ConstructorParameters<typeof PeerUsage>[0];

const inputs: [string, UsageInput | undefined][] = [
  ['nothing', undefined],
  ['an empty object', {}],
  ['camel case', { requests: 2, inputTokens: 3, outputTokens: 4, totalTokens: 9, inputTokensDetails: { cached: 1 } }],
  ['snake case', { input_tokens: 3, output_tokens: 4, input_tokens_details: { cached_tokens: 1 }, output_tokens_details: [{ a: 1 }, { b: 2 }] }],
  ['both cases', { inputTokens: 9, input_tokens: 1, total_tokens: 0 }],
  ['no requests', { requests: 0, inputTokens: 2 }],
  ['entries', { requests: 2, requestUsageEntries: [{ inputTokens: 1, endpoint: 'responses.create' }, { output_tokens: 2 }] }],
  ['snake case entries', { request_usage_entries: [{ input_tokens: 3, output_tokens_details: { r: 1 } }] }],
];

describe('Usage', () => {
  test.each(inputs)('built from %s has the fields the peer gives it', (_name, input) => {
    expect(asJson(new Usage(input))).toEqual(asJson(new PeerUsage(input as PeerInput)));
  });

  test('A8: a single request becomes an entry, an aggregate without entries adds its sums only', () => {
    const usage = new Usage();
    usage.add(new Usage({ requests: 1, inputTokens: 3, outputTokens: 4, inputTokensDetails: { cached: 1 } }));
    usage.add(new Usage({ requests: 2, inputTokens: 10, outputTokens: 10 }));
    expect(asJson(usage)).toEqual({
      requests: 3,
      inputTokens: 13,
      outputTokens: 14,
      totalTokens: 27,
      inputTokensDetails: [{ cached: 1 }],
      outputTokensDetails: [],
      requestUsageEntries: [
        { inputTokens: 3, outputTokens: 4, totalTokens: 7, inputTokensDetails: { cached: 1 }, outputTokensDetails: {} },
      ],
    });
  });

  test('A8: entries of what is added are kept one by one, with their endpoint', () => {
    const usage = new Usage();
    usage.add(new Usage({ requests: 2, inputTokens: 5, requestUsageEntries: [{ inputTokens: 2, endpoint: 'responses.compact' }, { inputTokens: 3 }] }));
    expect(usage.requestUsageEntries).toEqual([
      new RequestUsage({ inputTokens: 2, endpoint: 'responses.compact' }),
      new RequestUsage({ inputTokens: 3 }),
    ]);
  });

  test('a request without tokens, such as a failed attempt, is counted and leaves no entry', () => {
    const usage = new Usage();
    usage.add(new Usage({ requests: 1 }));
    expect(usage).toMatchObject({ requests: 1, requestUsageEntries: undefined });
  });

  test('adding does not grow what was given to the constructor', () => {
    const details = [{ cached: 1 }];
    const usage = new Usage({ inputTokensDetails: details });
    usage.add(new Usage({ inputTokensDetails: { cached: 2 } }));
    expect(details).toEqual([{ cached: 1 }]);
    expect(usage.inputTokensDetails).toEqual([{ cached: 1 }, { cached: 2 }]);
  });

  test('A8: any sequence of additions gives what the peer gives, and survives JSON', () => {
    const tokens = fc.nat(1_000);
    const input = fc.record(
      { requests: fc.nat(3), inputTokens: tokens, outputTokens: tokens, inputTokensDetails: fc.record({ cached: tokens }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(input, { maxLength: 8 }), (additions) => {
        const usage = new Usage();
        const peer = new PeerUsage();
        for (const addition of additions) {
          usage.add(new Usage(addition));
          peer.add(new PeerUsage(addition));
        }
        expect(asJson(usage)).toEqual(asJson(peer));
        expect(asJson(Usage.fromJSON(asJson(usage)))).toEqual(asJson(usage));
      }),
    );
  });
});

test('RequestUsage revives from JSON, endpoint included', () => {
  const entry = new RequestUsage({ input_tokens: 1, output_tokens: 2, endpoint: 'responses.create', output_tokens_details: { reasoning: 1 } });
  expect(RequestUsage.fromJSON(asJson(entry))).toEqual(entry);
  expect(Object.keys(new RequestUsage())).not.toContain('endpoint');
});
