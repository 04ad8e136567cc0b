import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OpenAIProvider } from '../../../adapters/openai/index.ts';
import type { Model, ModelRequest } from '../../../actors/ports.ts';
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import { collect, collectUntilFailure, failure } from './support/provider.ts';
import { functionTool, request } from './support/requests.ts';

const LONG = 'A long answer that takes the server many pieces to send.';
const mock = new LLMock({ port: 0, chunkSize: 4 });

beforeAll(async () => {
  mock.on({ userMessage: 'weather', hasToolResult: false }, { content: 'Looking.', toolCalls: [{ id: 'call_a', name: 'look', arguments: '{"at":"sky"}' }, { id: 'call_b', name: 'look', arguments: '{"at":"sea"}' }] });
  mock.on({ userMessage: 'weather', hasToolResult: true }, { content: 'Blue and calm.' });
  mock.onMessage('think', { content: 'Forty-two.', reasoning: 'Let me see.' });
  mock.onMessage('long', { content: LONG });
  mock.onMessage('cut', { content: LONG }, { truncateAfterChunks: 12, latency: 1 });
  mock.onMessage('dropped', { content: 'x' }, { chaos: { dropRate: 1 } });
  mock.onMessage('malformed', { content: 'x' }, { chaos: { malformedRate: 1 } });
  mock.onMessage('limited', { content: 'x' }, { chaos: { rateLimitRate: 1 } });
  mock.onMessage('disconnected', { content: 'x' }, { chaos: { disconnectRate: 1 } });
  await mock.start();
});
afterAll(() => mock.stop());

const modelOf = (useResponses: boolean): Promise<Model> => new OpenAIProvider({ apiKey: 'unused', baseURL: `${mock.url}/v1`, useResponses, maxRetries: 0 }).getModel('gpt-x');

async function streamed(model: Model, asked: ModelRequest) {
  const events = await collect(model.getStreamedResponse(asked));
  const final = events.find((event) => event.type === 'response_done');
  if (!final) throw new Error('The stream had no final event.');
  return { events, output: final.response.output, text: events.map((event) => (event.type === 'output_text_delta' ? event.delta : '')).join('') };
}

/** What an item says; ids are the server's and differ with every request. */
const essence = (items: AgentInputItem[]) =>
  items.map((item) => {
    if (item.type === 'message') return item.content;
    if (item.type === 'function_call') return [item.callId, item.name, item.arguments];
    return item.type;
  });

for (const [api, useResponses] of [['Responses', true], ['Chat Completions', false]] as const) {
  describe(`${api} over real HTTP and SSE`, () => {
    test('two calls, their results, an answer: the conversation goes round, streamed or not', async () => {
      const model = await modelOf(useResponses);
      const tools = [functionTool()];
      const asked = request({ input: 'weather', tools });
      const { output } = await model.getResponse(asked);
      expect(essence(output)).toEqual([[{ type: 'output_text', text: 'Looking.' }], ['call_a', 'look', '{"at":"sky"}'], ['call_b', 'look', '{"at":"sea"}']]);
      expect(essence((await streamed(model, asked)).output)).toEqual(essence(output));

      const results = ['call_a', 'call_b'].map((callId): AgentInputItem => ({ type: 'function_call_result', callId, name: 'look', status: 'completed', output: 'fine' }));
      const again = request({ input: [{ role: 'user', content: 'weather' }, ...output, ...results], tools });
      const answered = await model.getResponse(again);
      expect(essence(answered.output)).toEqual([[{ type: 'output_text', text: 'Blue and calm.' }]]);
      expect((await streamed(model, again)).text).toBe('Blue and calm.');
    });

    test('thoughts come before the answer, streamed or not', async () => {
      const model = await modelOf(useResponses);
      const asked = request({ input: 'think' });
      const { output } = await model.getResponse(asked);
      expect(essence(output)).toEqual(['reasoning', [{ type: 'output_text', text: 'Forty-two.' }]]);
      expect(essence((await streamed(model, asked)).output)).toEqual(essence(output));
    });

    test('deltas add up to the answer, and name the item they belong to', async () => {
      const { events, output, text } = await streamed(await modelOf(useResponses), request({ input: 'long' }));
      const deltas = events.filter((event) => event.type === 'output_text_delta');
      expect(text).toBe(LONG);
      expect(deltas.length).toBeGreaterThan(5);
      expect(new Set(deltas.map(({ itemId }) => itemId))).toEqual(new Set([(output[0] as { id: string }).id]));
    });

    test('K2: a stream cut in the middle fails after its deltas, without response_done', async () => {
      const { events, error } = await collectUntilFailure((await modelOf(useResponses)).getStreamedResponse(request({ input: 'cut' })));
      expect(events.length).toBeGreaterThan(0);
      expect(events.some(({ type }) => type === 'response_done')).toBe(false);
      expect(error.message).toBe(`The connection to ${mock.url}/v1 failed (UND_ERR_SOCKET). Check the network and the base URL, and try again.`);
    });

    for (const [input, expected] of [
      ['dropped', { status: 500, suggested: true }],
      ['limited', { status: 429, suggested: true, retryAfterMs: 1_000 }],
      ['disconnected', { status: undefined, suggested: true }],
      ['malformed', { status: undefined, suggested: true }],
      ['nobody scripted this', { status: 404 }],
    ] as const) {
      test(`chaos: ${input}, with advice`, async () => {
        const model = await modelOf(useResponses);
        const asked = request({ input });
        const error = await failure(model.getResponse(asked));
        const advice = await model.getRetryAdvice?.({ request: asked, error, stream: false, attempt: 1 });
        expect({ status: error.status, ...advice }).toMatchObject(expected);
        const { events, error: streamError } = await collectUntilFailure(model.getStreamedResponse(asked));
        expect({ events, status: streamError.status }).toEqual({ events: [], status: error.status });
      });
    }
  });
}
