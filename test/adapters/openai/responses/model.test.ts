import { describe, expect, test } from 'vitest';
import { OpenAIResponsesModel } from '../../../../adapters/openai/index.ts';
import { Usage } from '../../../../actors/usage.ts';
import { peerEvents } from '../support/peer.ts';
import { answer, collect, collectUntilFailure, failure, provider, sse } from '../support/provider.ts';
import { functionTool, NO_ARGUMENTS, request } from '../support/requests.ts';

const MESSAGE = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'hello', annotations: [] }] };
const CALL = { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'look', arguments: '{}', status: 'completed' };
const USAGE = { input_tokens: 5, output_tokens: 7, total_tokens: 12, input_tokens_details: { cached_tokens: 2 }, output_tokens_details: { reasoning_tokens: 3 } };
const SPENT = { inputTokens: 5, outputTokens: 7, totalTokens: 12, inputTokensDetails: { cached_tokens: 2 }, outputTokensDetails: { reasoning_tokens: 3 } };
const response = (output: unknown, more: object = {}) => ({ id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'gpt-x', output, usage: USAGE, ...more });

const CREATED = { type: 'response.created', sequence_number: 0, response: response([], { status: 'in_progress', usage: null }) };
const delta = (text: string, sequence_number: number) => ({ type: 'response.output_text.delta', sequence_number, item_id: 'msg_1', output_index: 0, content_index: 0, delta: text });
const done = (item: unknown) => ({ type: 'response.output_item.done', sequence_number: 3, output_index: 0, item });
const COMPLETED = { type: 'response.completed', sequence_number: 4, response: response([MESSAGE]) };
const STREAM = [CREATED, delta('hel', 1), delta('lo', 2), done(MESSAGE), COMPLETED];

test('an answer becomes items, usage, ids and what the provider adds, without the echo of the request', async () => {
  await using server = await provider(answer(response([MESSAGE, CALL], { instructions: 'Be brief.', tools: [{ type: 'function' }] })));
  const model = new OpenAIResponsesModel(server.client, 'gpt-x');
  expect(await model.getResponse(request())).toEqual({
    responseId: 'resp_1',
    requestId: 'req_1',
    output: [
      { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'hello' }] },
      { type: 'function_call', id: 'fc_1', callId: 'c1', name: 'look', arguments: '{}', status: 'completed' },
    ],
    usage: new Usage({ requests: 1, ...SPENT, requestUsageEntries: [{ ...SPENT, endpoint: 'responses.create' }] }),
    providerData: { created_at: 1, status: 'completed', model: 'gpt-x' },
  });
});

test('the whole request arrives: path, key, extra headers and query, body', async () => {
  await using server = await provider(answer(response([MESSAGE])));
  const settings = { store: false, providerData: { extra_headers: { 'x-team': 'blue' }, extra_query: { trace: '1' } } };
  await new OpenAIResponsesModel(server.client, 'gpt-x').getResponse(request({ tools: [functionTool()], modelSettings: settings }));
  const [received] = server.received;
  expect({ path: received?.path, team: received?.headers['x-team'], key: received?.headers.authorization, body: received?.body }).toEqual({
    path: '/v1/responses?trace=1',
    team: 'blue',
    key: 'Bearer sk-test-0123456789abcdef',
    body: {
      model: 'gpt-x',
      input: [{ role: 'user', content: 'hi' }],
      include: [],
      tools: [{ type: 'function', name: 'look', description: 'Looks.', parameters: NO_ARGUMENTS, strict: true }],
      store: false,
      stream: false,
    },
  });
});

test('streamed or not, an answer gives the same items, usage and provider data', async () => {
  await using whole = await provider(answer(response([MESSAGE])));
  await using streamed = await provider(sse(STREAM));
  const answered = await new OpenAIResponsesModel(whole.client, 'gpt-x').getResponse(request());
  const events = await collect(new OpenAIResponsesModel(streamed.client, 'gpt-x').getStreamedResponse(request()));
  const final = events.find((event) => event.type === 'response_done');
  const { responseId, usage, ...rest } = answered;
  expect({ ...final?.response, usage: new Usage({ requests: 1, ...final?.response.usage }) }).toEqual({ id: responseId, usage, ...rest });
  expect(streamed.received[0]?.body).toEqual({ ...whole.received[0]?.body, stream: true });
});

test('I3: a stream is told event by event, as the peer tells it, with every raw event passed through', async () => {
  await using server = await provider(sse(STREAM));
  const events = await collect(new OpenAIResponsesModel(server.client, 'gpt-x').getStreamedResponse(request()));
  const final = {
    type: 'response_done',
    response: {
      id: 'resp_1', requestId: 'req_1', usage: { ...SPENT, requestUsageEntries: [{ ...SPENT, endpoint: 'responses.create' }] },
      output: [{ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'hello' }] }],
      providerData: { created_at: 1, status: 'completed', model: 'gpt-x' },
    },
    providerData: { type: 'response.completed', sequence_number: 4 },
  };
  const peer = (await peerEvents('responses', STREAM, request())) as { type: string }[];
  // Only the last event differs: our items keep no empty provider data.
  expect(events).toEqual(peer.map((event) => (event.type === 'response_done' ? final : event)));
});

test('a stream whose last event leaves the items out is made whole from the items that came before', async () => {
  await using server = await provider(sse([CREATED, done(MESSAGE), done(CALL), { ...COMPLETED, response: response([]) }]));
  const events = await collect(new OpenAIResponsesModel(server.client, 'gpt-x').getStreamedResponse(request()));
  const final = events.find((event) => event.type === 'response_done');
  expect(final?.response.output.map(({ type }) => type)).toEqual(['message', 'function_call']);
});

test('usage is kept raw on demand, and missing usage counts the request alone', async () => {
  await using counting = await provider(answer(response([MESSAGE])));
  await using silent = await provider(answer(response([MESSAGE], { usage: undefined })));
  const kept = await new OpenAIResponsesModel(counting.client, 'm').getResponse(request({ modelSettings: { preserveRawUsage: true } }));
  const bare = await new OpenAIResponsesModel(silent.client, 'm').getResponse(request());
  expect(kept.rawUsage).toEqual(USAGE);
  expect({ raw: bare.rawUsage, usage: bare.usage }).toEqual({ raw: undefined, usage: new Usage({ requests: 1 }) });
});

describe('K2: a stream that ends without its final event never yields response_done', () => {
  test('closed early: it just ends', async () => {
    await using server = await provider(sse(STREAM.slice(0, -1)));
    const events = await collect(new OpenAIResponsesModel(server.client, 'm').getStreamedResponse(request()));
    expect(events.map(({ type }) => type)).toEqual(['response_started', 'model', 'output_text_delta', 'model', 'output_text_delta', 'model', 'model']);
  });

  test('cut: the connection error comes after the events that arrived', async () => {
    await using server = await provider(sse(STREAM.slice(0, 3), 'cut'));
    const { events, error } = await collectUntilFailure(new OpenAIResponsesModel(server.client, 'm').getStreamedResponse(request()));
    expect(events.filter(({ type }) => type === 'output_text_delta')).toHaveLength(2);
    expect(events.some(({ type }) => type === 'response_done')).toBe(false);
    expect(error.message).toMatch(/^The connection to http:\/\/127\.0\.0\.1:\d+\/v1 failed/);
  });

  test('a page instead of a stream is an error, not a disconnect', async () => {
    await using server = await provider(answer('<html>', { headers: { 'content-type': 'text/html' } }));
    const { error } = await collectUntilFailure(new OpenAIResponsesModel(server.client, 'm').getStreamedResponse(request()));
    expect(error.message).toMatch(/expected a stream of events, got text\/html.*base URL/);
  });
});

describe('a response that is no answer is an error that says why', () => {
  const cases: [string, object, { name: string; code?: string; message: RegExp }][] = [
    ['the limit of tokens', { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, { name: 'ModelBehaviorError', message: /limit of tokens\. Raise modelSettings\.maxTokens/ }],
    ['the content filter', { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, { name: 'ModelBehaviorError', message: /content filter/ }],
    ['the provider failed', { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'Slow down, sk-test-0123456789abcdef.' } }, { name: 'ModelError', code: 'rate_limit_exceeded', message: /failed while it answered: Slow down, \[key\]\./ }],
    ['background mode', { status: 'queued' }, { name: 'ModelError', code: 'background', message: /background mode is not supported/ }],
    ['cancelled elsewhere', { status: 'cancelled' }, { name: 'ModelError', code: 'cancelled', message: /status "cancelled"/ }],
  ];
  for (const [name, more, { message, ...expected }] of cases) {
    test(name, async () => {
      await using server = await provider(answer(response([MESSAGE], more)));
      const error = await failure(new OpenAIResponsesModel(server.client, 'm').getResponse(request()));
      expect({ name: error.name, code: error.code }).toEqual({ code: undefined, ...expected });
      expect(error.message).toMatch(message);
    });
  }

  test('streamed: the raw event is passed on before the error', async () => {
    const failed = { type: 'response.failed', sequence_number: 1, response: response([], { status: 'failed', error: { code: 'server_error', message: 'Boom.' } }) };
    await using server = await provider(sse([CREATED, failed]));
    const { events, error } = await collectUntilFailure(new OpenAIResponsesModel(server.client, 'm').getStreamedResponse(request()));
    expect(events.at(-1)).toEqual({ type: 'model', event: failed, providerData: { rawModelEventSource: 'openai-responses' } });
    expect({ code: error.code, message: error.message }).toEqual({ code: 'server_error', message: `The provider at ${server.baseURL} failed while it answered: Boom.` });
  });

  test('streamed: incomplete', async () => {
    await using server = await provider(sse([CREATED, { type: 'response.incomplete', response: response([MESSAGE], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }) }]));
    const { error } = await collectUntilFailure(new OpenAIResponsesModel(server.client, 'm').getStreamedResponse(request()));
    expect(error).toMatchObject({ name: 'ModelBehaviorError', message: expect.stringContaining('limit of tokens') });
  });
});

test('a client made by hand, with plain promises, works too', async () => {
  const client = { responses: { create: async () => response([MESSAGE], { _request_id: 'req_9' }) } };
  const answered = await new OpenAIResponsesModel(client as never, 'm').getResponse(request()); // Only what is called is there.
  expect({ id: answered.responseId, requestId: answered.requestId, items: answered.output.length }).toEqual({ id: 'resp_1', requestId: 'req_9', items: 1 });
});
