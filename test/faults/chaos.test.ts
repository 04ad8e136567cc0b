/** Chaos of a provider that speaks the real protocol: errors, malformed answers, cut connections, through a whole run. */
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { APIS, MODES, shop } from './support.ts';

const mock = new LLMock({ port: 0, chunkSize: 4 });

const CHAOS = {
  dropped: { chaos: { dropRate: 1 } },
  limited: { chaos: { rateLimitRate: 1 } },
  malformed: { chaos: { malformedRate: 1 } },
  disconnected: { chaos: { disconnectRate: 1 } },
  truncated: { truncateAfterChunks: 6, latency: 1 },
} as const;
const MESSAGES: Record<keyof typeof CHAOS, RegExp> = {
  dropped: /failed \(500\)/,
  limited: /limiting the rate of requests \(429\)/,
  malformed: /JSON that cannot be parsed|is not of/,
  disconnected: /^The connection to .* failed/,
  truncated: /^The connection to .* failed/,
};

beforeAll(async () => {
  for (const [word, options] of Object.entries(CHAOS)) {
    mock.on({ userMessage: word, hasToolResult: false }, { toolCalls: [{ id: `call_${word}`, name: 'charge', arguments: '{}' }] });
    mock.on({ userMessage: word, hasToolResult: true }, { content: 'A long answer that never comes to its end.' }, options);
  }
  mock.on({ userMessage: 'calm' }, { content: 'All is well.' });
  await mock.start();
});
afterAll(() => mock.stop());

for (const [api, useResponses] of APIS) {
  for (const [mode, stream] of MODES) {
    describe(`${api}, ${mode}, over aimock`, () => {
      for (const word of Object.keys(CHAOS) as (keyof typeof CHAOS)[]) {
        if (word === 'truncated' && !stream) continue; // there is nothing to cut in a whole answer
        test(`K3, K5: ${word}: the run fails with its cause and its state, which keeps what the tool did`, async () => {
          const customer = shop(`${mock.url}/v1`, { useResponses, stream });
          const { error, state } = await customer.run(word);
          expect(error?.message).toMatch(MESSAGES[word]);
          expect(state.history.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'function_call', 'function_call_result']);
          const again = await customer.run(state);
          expect(again.error?.message).toMatch(MESSAGES[word]);
          expect(customer.charged).toBe(1);
        });
      }
    });
  }
}

/** A thread tries again what may pass: no malformed answer does. */
const RETRIES: Record<keyof typeof CHAOS, number> = { dropped: 2, limited: 2, malformed: 0, disconnected: 2, truncated: 2 };

for (const [api, useResponses] of APIS) {
  describe(`${api}, threads, over aimock`, () => {
    test.each(Object.keys(CHAOS) as (keyof typeof CHAOS)[])('K1, K2, M3: %s: the run of a thread fails when it has tried again in vain; nothing is charged twice, and what waits is done when it is told to go on', async (word) => {
      const customer = shop(`${mock.url}/v1`, { useResponses, stream: true });
      const thread = customer.thread();
      const retries: unknown[] = [];
      thread.events$.subscribe((event) => { if (event.type === 'turn.retrying') retries.push(event.attempt); });
      const failing = thread.run(word);
      const waiting = thread.queue.add('calm');
      await expect(failing.result).rejects.toThrow(MESSAGES[word]);
      expect([thread.state, thread.queue.list().length, retries.length]).toEqual(['paused', 1, RETRIES[word]]);
      await thread.queue.resume();
      expect([(await waiting).finalOutput, customer.charged]).toEqual(['All is well.', 1]);
      expect(thread.look.history.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'function_call', 'function_call_result', 'user', 'assistant']);
      await thread.release();
    });
  });
}
