import { afterEach, describe, expect, test, vi } from 'vitest';
import { OpenAIChatCompletionsModel } from '../../../../adapters/openai/index.ts';
import { Usage } from '../../../../actors/usage.ts';
import type { AgentInputItem } from '../../../../machines/protocol/item.ts';
import { peerEvents } from '../support/peer.ts';
import { answer, collect, collectUntilFailure, failure, provider, sse } from '../support/provider.ts';
import { request } from '../support/requests.ts';

const USAGE = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12, prompt_tokens_details: { cached_tokens: 2, audio_tokens: null }, completion_tokens_details: { reasoning_tokens: 3 } };
const SPENT = { inputTokens: 5, outputTokens: 7, totalTokens: 12, inputTokensDetails: { cached_tokens: 2 }, outputTokensDetails: { reasoning_tokens: 3 } };
const completion = (message: object, finish_reason: string | null = 'stop', more: object = {}) => ({
  id: 'cmpl_1', object: 'chat.completion', created: 1, model: 'qwen3', choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }], usage: USAGE, ...more,
});
const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
  id: 'cmpl_1', object: 'chat.completion.chunk', created: 1, model: 'qwen3', choices: [{ index: 0, delta, finish_reason }], ...more,
});
const COUNTED = { id: 'cmpl_1', object: 'chat.completion.chunk', created: 1, model: 'qwen3', choices: [], usage: USAGE };
const message = (text: string, more: object = {}) => ({ type: 'message', id: 'cmpl_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }], ...more });
const called = (callId: unknown, name: string, args = '{}') => ({ type: 'function_call', callId, name, arguments: args, status: 'completed' });
const FRESH = expect.stringMatching(/^call_[0-9a-f]{32}$/);

async function outputOf(content: object, input: Parameters<typeof request>[0] = {}): Promise<AgentInputItem[]> {
  await using server = await provider(answer(content));
  return (await new OpenAIChatCompletionsModel(server.client, 'm').getResponse(request(input))).output;
}

async function streamedOutput(chunks: object[], input: Parameters<typeof request>[0] = {}): Promise<AgentInputItem[] | undefined> {
  await using server = await provider(sse(chunks, 'done'));
  const events = await collect(new OpenAIChatCompletionsModel(server.client, 'm').getStreamedResponse(request(input)));
  return events.find((event) => event.type === 'response_done')?.response.output;
}

const callsIn = (items: AgentInputItem[] | undefined) => items?.filter((item) => item.type === 'function_call');

test('an answer becomes items, usage, ids and what the server adds', async () => {
  await using server = await provider(answer(completion({ content: 'Looking.', reasoning_content: 'Hm.', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"a":1}' }, extra_content: { s: 1 } }] }, 'tool_calls')));
  expect(await new OpenAIChatCompletionsModel(server.client, 'qwen3').getResponse(request())).toEqual({
    responseId: 'cmpl_1',
    requestId: 'req_1',
    output: [
      { type: 'reasoning', content: [], rawContent: [{ type: 'reasoning_text', text: 'Hm.' }], providerData: { reasoningField: 'reasoning_content' } },
      message('Looking.'),
      { ...called('c1', 'look', '{"a":1}'), providerData: { extra_content: { s: 1 } } },
    ],
    usage: new Usage({ requests: 1, ...SPENT, requestUsageEntries: [{ ...SPENT, endpoint: 'chat.completions.create' }] }),
    providerData: { created: 1, model: 'qwen3', finish_reason: 'tool_calls' },
  });
});

describe('what a server may answer', () => {
  const cases: [string, object, unknown[]][] = [
    ['nothing', completion({ content: null }), []],
    ['an empty text', completion({ content: '' }), []],
    ['a refusal', completion({ content: null, refusal: 'No.' }), [message('', { content: [{ type: 'refusal', refusal: 'No.' }] })]],
    ['a text and a refusal', completion({ content: 'a', refusal: 'No.' }), [message('', { content: [{ type: 'output_text', text: 'a' }, { type: 'refusal', refusal: 'No.' }] })]],
    ['thoughts by their newer name', completion({ content: 'a', reasoning: 'Hm.' }), [{ type: 'reasoning', content: [], rawContent: [{ type: 'reasoning_text', text: 'Hm.' }] }, message('a')]],
    ['text in parts', completion({ content: [{ type: 'text', text: 'a' }, { type: 'thinking' }, { type: 'text', text: 'b' }] }), [message('ab')]],
    ['sound', completion({ content: null, audio: { id: 'audio_1', data: 'AAA', transcript: 'Hi.', expires_at: 1 } }), [message('', { content: [{ type: 'audio', audio: 'AAA', transcript: 'Hi.', providerData: { id: 'audio_1', expires_at: 1 } }] })]],
    ['sources', completion({ content: 'a', annotations: [{ type: 'url_citation' }] }), [message('', { content: [{ type: 'output_text', text: 'a', providerData: { annotations: [{ type: 'url_citation' }] } }] })]],
    ['an answer withheld by a filter', completion({ content: null }, 'content_filter'), [message('', { content: [{ type: 'refusal', refusal: "The provider's content filter withheld the answer." }] })]],
    ['an answer cut off at the limit', completion({ content: 'a' }, 'length'), [message('a', { status: 'incomplete' })]],
    ['arguments as an object', completion({ tool_calls: [{ id: 'c1', function: { name: 'look', arguments: { a: 1 } } }] }), [called('c1', 'look', '{"a":1}')]],
    ['no arguments', completion({ tool_calls: [{ id: 'c1', function: { name: 'look', arguments: '' } }, { id: 'c2', function: { name: 'look' } }] }), [called('c1', 'look'), called('c2', 'look')]],
    ['calls of a kind that is not ours', completion({ content: 'a', tool_calls: [{ id: 'z', type: 'custom', custom: { name: 'n' } }] }), [message('a')]],
  ];
  for (const [name, content, items] of cases) test(name, async () => expect(await outputOf(content)).toEqual(items));

  test('no id: the items get one', async () => {
    expect(await outputOf(completion({ content: 'a' }, 'stop', { id: '' }))).toEqual([message('a', { id: expect.stringMatching(/^msg_[0-9a-f]{32}$/) })]);
  });

  test('no usage: the request alone is counted; raw usage is kept on demand', async () => {
    await using silent = await provider(answer(completion({ content: 'a' }, 'stop', { usage: undefined })));
    await using counting = await provider(answer(completion({ content: 'a' })));
    const bare = await new OpenAIChatCompletionsModel(silent.client, 'm').getResponse(request());
    const kept = await new OpenAIChatCompletionsModel(counting.client, 'm').getResponse(request({ modelSettings: { preserveRawUsage: true } }));
    expect({ usage: bare.usage, raw: kept.rawUsage }).toEqual({ usage: new Usage({ requests: 1 }), raw: USAGE });
  });

  test('all tokens spent on thinking: an error that names the limit', async () => {
    await using server = await provider(answer(completion({ content: null, reasoning: 'Hm.' }, 'length')));
    const error = await failure(new OpenAIChatCompletionsModel(server.client, 'qwen3').getResponse(request()));
    expect({ name: error.name, message: error.message }).toEqual({ name: 'ModelBehaviorError', message: 'Model "qwen3" used up its limit of tokens before it said anything. Raise modelSettings.maxTokens, or lower the reasoning effort.' });
  });
});

describe('C5: call ids that are missing or repeated are replaced by fresh ones', () => {
  const call = (id: string | null, name = 'look') => ({ id, type: 'function', function: { name, arguments: '{}' } });
  const known = { input: [{ type: 'function_call' as const, callId: 'call_0', name: 'look', arguments: '{}' }, { type: 'function_call_result' as const, callId: 'call_0', name: 'look', status: 'completed' as const, output: 'r' }] };

  test('missing, empty, repeated in the answer, or used before in the conversation', async () => {
    const output = await outputOf(completion({ tool_calls: [call(null), call(''), call('a'), call('a'), call('call_0'), call('b')] }), known);
    expect(output).toEqual([called(FRESH, 'look'), called(FRESH, 'look'), called('a', 'look'), called(FRESH, 'look'), called(FRESH, 'look'), called('b', 'look')]);
    expect(new Set(callsIn(output)?.map(({ callId }) => callId)).size).toBe(6);
  });

  test('streamed too', async () => {
    const output = await streamedOutput([chunk({ tool_calls: [{ index: 0, ...call('call_0') }, { index: 1, ...call('a') }, { index: 2, ...call('a', 'other') }] }, 'tool_calls')], known);
    expect(output).toEqual([called(FRESH, 'look'), called('a', 'look'), called(FRESH, 'other')]);
  });
});

describe('calls are put together from their pieces, however a server numbers them', () => {
  const piece = (more: object, name?: string, args?: string) => chunk({ tool_calls: [{ ...more, function: { ...(name !== undefined && { name }), ...(args !== undefined && { arguments: args }) } }] });
  const cases: Record<string, object[]> = {
    'as OpenAI does': [piece({ index: 0, id: 'a', type: 'function' }, 'one', ''), piece({ index: 0 }, undefined, '{"x"'), piece({ index: 1, id: 'b' }, 'two', ''), piece({ index: 0 }, undefined, ':1}'), piece({ index: 1 }, undefined, '{}')],
    'whole calls, all with index 0': [piece({ index: 0, id: 'a' }, 'one', '{"x":1}'), piece({ index: 0, id: 'b' }, 'two', '{}')],
    'no index': [piece({ id: 'a' }, 'one', '{"x"'), piece({}, undefined, ':1}'), piece({ id: 'b' }, 'two', '{}')],
    'the id and name repeated with every piece': [piece({ index: 0, id: 'a' }, 'one', '{"x"'), piece({ index: 0, id: 'a' }, 'one', ':1}'), piece({ index: 0, id: 'a' }, 'one', ''), piece({ index: 1, id: 'b' }, 'two', '{}')],
    'arguments as an object': [chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'one', arguments: { x: 1 } } }, { index: 1, id: 'b', function: { name: 'two', arguments: {} } }] })],
  };
  for (const [name, chunks] of Object.entries(cases)) {
    test(name, async () => {
      expect(await streamedOutput([...chunks, chunk({}, 'tool_calls')])).toEqual([called('a', 'one', '{"x":1}'), called('b', 'two')]);
    });
  }

  test('whole calls with the same index and no ids, the same tool twice', async () => {
    expect(await streamedOutput([piece({ index: 0 }, 'one', '{"x":1}'), piece({ index: 0 }, 'one', '{"x":2}'), piece({ index: 0 }, 'two', ''), chunk({}, 'stop')])).toEqual([
      called(FRESH, 'one', '{"x":1}'), called(FRESH, 'one', '{"x":2}'), called(FRESH, 'two'),
    ]);
  });

  test('text that only looks finished is not taken for a whole call', async () => {
    expect(await streamedOutput([piece({ index: 0, id: 'a' }, 'one', '{"x":{"y":1}'), piece({ index: 0, id: 'a' }, 'one', '}'), chunk({}, 'stop')])).toEqual([called('a', 'one', '{"x":{"y":1}}')]);
  });
});

describe('streams', () => {
  const TEXT = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'he' }), chunk({ content: 'llo' }), chunk({}, 'stop'), COUNTED];

  test('I3: a stream is told chunk by chunk, as the peer tells it', async () => {
    await using server = await provider(sse(TEXT, 'done'));
    const events = await collect(new OpenAIChatCompletionsModel(server.client, 'm').getStreamedResponse(request()));
    const peer = (await peerEvents('chat', TEXT, request())) as { type: string }[];
    const final = {
      type: 'response_done',
      response: { id: 'cmpl_1', requestId: 'req_1', output: [message('hello')], usage: { ...SPENT, requestUsageEntries: [{ ...SPENT, endpoint: 'chat.completions.create' }] }, providerData: { created: 1, model: 'qwen3', finish_reason: 'stop' } },
    };
    expect(events).toEqual([...peer.filter(({ type }) => type !== 'response_done'), final]);
  });

  test('streamed or not, an answer gives the same items, usage and provider data', async () => {
    await using whole = await provider(answer(completion({ content: 'hello', reasoning_content: 'Hm.', tool_calls: [{ id: 'a', type: 'function', function: { name: 'one', arguments: '{}' }, extra_content: 1 }] })));
    await using streamed = await provider(sse([chunk({ reasoning_content: 'H' }), chunk({ reasoning_content: 'm.' }), chunk({ content: 'hello' }), chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'one', arguments: '{}' }, extra_content: 1 }] }), chunk({}, 'stop'), COUNTED], 'done'));
    const { responseId, usage, ...rest } = await new OpenAIChatCompletionsModel(whole.client, 'm').getResponse(request());
    const events = await collect(new OpenAIChatCompletionsModel(streamed.client, 'm').getStreamedResponse(request()));
    const final = events.find((event) => event.type === 'response_done');
    expect({ ...final?.response, usage: new Usage({ requests: 1, ...final?.response.usage }) }).toEqual({ id: responseId, usage, ...rest });
  });

  test('thoughts sent under both names are kept once, refusals are added up', async () => {
    expect(await streamedOutput([chunk({ reasoning: 'H', reasoning_content: 'H' }), chunk({ reasoning: 'm.', reasoning_content: 'm.' }), chunk({ refusal: 'N' }), chunk({ refusal: 'o.' }), chunk({}, 'stop')])).toEqual([
      { type: 'reasoning', content: [], rawContent: [{ type: 'reasoning_text', text: 'Hm.' }] },
      message('', { content: [{ type: 'refusal', refusal: 'No.' }] }),
    ]);
  });

  test('a server that sends no usage and no [DONE] has answered all the same', async () => {
    await using server = await provider(sse(TEXT.slice(0, -1)));
    const events = await collect(new OpenAIChatCompletionsModel(server.client, 'm').getStreamedResponse(request()));
    expect(events.at(-1)).toMatchObject({ type: 'response_done', response: { output: [message('hello')], usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 } } });
  });

  test('a connection that breaks after the answer is whole has lost nothing but the count', async () => {
    await using server = await provider(sse(TEXT.slice(0, -1), 'cut'));
    const events = await collect(new OpenAIChatCompletionsModel(server.client, 'm').getStreamedResponse(request()));
    expect(events.at(-1)).toMatchObject({ type: 'response_done', response: { output: [message('hello')] } });
  });

  test('a server that gives its answers no id: deltas and message share one of ours', async () => {
    const anonymous = TEXT.map(({ id: _id, ...rest }) => rest);
    await using server = await provider(sse(anonymous, 'done'));
    const events = await collect(new OpenAIChatCompletionsModel(server.client, 'm').getStreamedResponse(request()));
    const itemIds = new Set(events.flatMap((event) => (event.type === 'output_text_delta' ? [event.itemId] : [])));
    const final = events.find((event) => event.type === 'response_done');
    expect(itemIds).toEqual(new Set([expect.stringMatching(/^msg_[0-9a-f]{32}$/)]));
    expect(itemIds).toEqual(new Set([(final?.response.output[0] as { id: string }).id]));
  });

  for (const end of ['close', 'done'] as const) {
    test(`K2: a stream that ends (${end}) before the server said why it stopped has no response_done`, async () => {
      await using server = await provider(sse(TEXT.slice(0, 3), end));
      const events = await collect(new OpenAIChatCompletionsModel(server.client, 'm').getStreamedResponse(request()));
      expect(events.map(({ type }) => type)).toEqual(['response_started', 'model', 'model', 'output_text_delta', 'model', 'output_text_delta']);
    });
  }

  test('K2: a cut before that is an error after the deltas that arrived', async () => {
    await using server = await provider(sse(TEXT.slice(0, 3), 'cut'));
    const { events, error } = await collectUntilFailure(new OpenAIChatCompletionsModel(server.client, 'm').getStreamedResponse(request()));
    expect(events.filter(({ type }) => type === 'output_text_delta')).toHaveLength(2);
    expect(error.message).toMatch(/^The connection to http:\/\/127\.0\.0\.1:\d+\/v1 failed/);
  });
});

describe('what only the Responses API can do', () => {
  afterEach(() => vi.restoreAllMocks());
  const asked = request({ previousResponseId: 'r', prompt: { promptId: 'p' } });

  test('is left out with one warning, as the peer does', async () => {
    const warnings: string[] = [];
    vi.spyOn(console, 'warn').mockImplementation((text) => void warnings.push(text));
    await using server = await provider(answer(completion({ content: 'a' })));
    const model = new OpenAIChatCompletionsModel(server.client, 'm');
    await model.getResponse(asked);
    await model.getResponse(asked);
    expect(server.received[0]?.body).toEqual({ model: 'm', messages: [{ role: 'user', content: 'hi' }], stream: false });
    expect(warnings).toEqual([expect.stringMatching(/does not know previousResponseId, prompt: .*strictFeatureValidation/)]);
  });

  test('is refused on demand, before anything is sent', async () => {
    await using server = await provider(answer(completion({ content: 'a' })));
    const error = await failure(new OpenAIChatCompletionsModel(server.client, 'm', { strictFeatureValidation: true }).getResponse(asked));
    expect([error.name, server.received]).toEqual(['UserError', []]);
  });
});
