import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { OpenAIChatCompletionsModel, OpenAIResponsesModel } from '../../../adapters/openai/index.ts';
import type { Model } from '../../../actors/ports.ts';
import { answer, collectUntilFailure, failure, provider, refuse, sse, TEST_KEY } from './support/provider.ts';
import { request } from './support/requests.ts';

const APIS: [string, (client: OpenAI) => Model][] = [
  ['Responses', (client) => new OpenAIResponsesModel(client, 'gpt-x')],
  ['Chat Completions', (client) => new OpenAIChatCompletionsModel(client, 'gpt-x')],
];

interface Refusal {
  status: number;
  error: object;
  headers?: Record<string, string>;
  message: RegExp;
  code?: string;
  class: new (...args: never[]) => Error;
}

const REFUSALS: Record<string, Refusal> = {
  'a wrong key': { status: 401, error: { message: `Incorrect API key provided: ${TEST_KEY}`, code: 'invalid_api_key' }, message: /rejected the API key \(401\)\. Set OPENAI_API_KEY/, code: 'invalid_api_key', class: OpenAI.AuthenticationError },
  'a key without the right': { status: 403, error: { message: 'Project has no access' }, message: /does not allow this key to use model "gpt-x" \(403\): Project has no access\.$/, class: OpenAI.PermissionDeniedError },
  'an unknown model': { status: 404, error: { message: 'The model `gpt-x` does not exist', code: 'model_not_found' }, message: /has no model "gpt-x" \(404\).*Check the model's name/, code: 'model_not_found', class: OpenAI.NotFoundError },
  'an unknown address': { status: 404, error: { message: 'Not Found' }, message: /does not know the address \(404\).*ends in \/v1/, class: OpenAI.NotFoundError },
  'a rate limit': { status: 429, error: { message: 'Too many requests', code: 'rate_limit_exceeded' }, headers: { 'retry-after': '3' }, message: /limiting the rate of requests \(429\): Too many requests\. Try again in 3 s\./, code: 'rate_limit_exceeded', class: OpenAI.RateLimitError },
  'a spent quota': { status: 429, error: { message: 'Quota exceeded', code: 'insufficient_quota' }, message: /quota of this key is used up.*Waiting does not help/, code: 'insufficient_quota', class: OpenAI.RateLimitError },
  'a full context window, as OpenAI says it': { status: 400, error: { message: 'Input is too long', code: 'context_length_exceeded' }, message: /no longer fits into the context window of model "gpt-x".*Shorten or compact/, code: 'context_length_exceeded', class: OpenAI.BadRequestError },
  'a full context window, as vLLM says it': { status: 400, error: { message: "This model's maximum context length is 4096 tokens.", code: 400 }, message: /no longer fits/, code: 'context_length_exceeded', class: OpenAI.BadRequestError },
  'a full context window, as llama.cpp says it': { status: 400, error: { message: 'the request exceeds the available context size', type: 'exceed_context_size_error' }, message: /no longer fits/, code: 'context_length_exceeded', class: OpenAI.BadRequestError },
  'a bad request': { status: 400, error: { message: 'Unknown parameter' }, message: /refused the request \(400\): Unknown parameter\.$/, class: OpenAI.BadRequestError },
  'a server error': { status: 500, error: { message: 'Internal' }, message: /failed \(500\): Internal\. This is usually temporary/, class: OpenAI.InternalServerError },
};

for (const [api, modelOver] of APIS) {
  describe(`${api}: a refusal keeps class, status, code and headers, and says cause and fix`, () => {
    for (const [name, refusal] of Object.entries(REFUSALS)) {
      test(name, async () => {
        await using server = await provider(refuse(refusal.status, refusal.error, refusal.headers));
        const error = await failure(modelOver(server.client).getResponse(request()));
        expect(error).toBeInstanceOf(refusal.class);
        expect({ status: error.status, code: error.code ?? undefined, requestID: error.requestID, retryAfter: error.headers.get('retry-after') }).toEqual({
          status: refusal.status, code: refusal.code, requestID: 'req_1', retryAfter: refusal.headers?.['retry-after'] ?? null,
        });
        expect(error.message).toMatch(refusal.message);
        const { error: streamed } = await collectUntilFailure(modelOver(server.client).getStreamedResponse(request()));
        expect(streamed.message).toBe(error.message);
      });
    }

    test('no key is in the error, not even when the provider repeats it', async () => {
      const echo = `Key ${TEST_KEY} and Bearer ${TEST_KEY} are wrong, so is gsk_abcdefghijklmnop`;
      for (const status of [400, 401, 403, 404, 429, 500]) {
        await using server = await provider(refuse(status, { message: echo }));
        const error = await failure(modelOver(server.client).getResponse(request()));
        const shown = [error.message, error.stack, JSON.stringify(error.error)].join('\n');
        expect(shown).not.toContain(TEST_KEY);
        expect(shown).not.toContain('gsk_abcdefghijklmnop');
        expect(error.stack).toContain(error.message);
      }
    });
  });

  describe(`${api}: trouble on the way`, () => {
    test('nobody listens: the address and the fix are named, and trying again is safe', async () => {
      const client = new OpenAI({ apiKey: TEST_KEY, baseURL: `http://127.0.0.1:${await closedPort()}/v1?token=secret`, maxRetries: 0 });
      const model = modelOver(client);
      const error = await failure(model.getResponse(request()));
      expect(error).toBeInstanceOf(OpenAI.APIConnectionError);
      expect(error.message).toMatch(/^Cannot connect to http:\/\/127\.0\.0\.1:\d+\/v1: connection refused\. Check that the server is running/);
      expect(error.message).not.toContain('secret');
      expect(error.code).toBe('ECONNREFUSED');
      const asked = request({ previousResponseId: 'resp_0' });
      expect(await model.getRetryAdvice?.({ request: asked, error, stream: false, attempt: 1 })).toMatchObject({ suggested: true, replaySafety: 'safe', normalized: { isNetworkError: true, errorCode: 'ECONNREFUSED' } });
    });

    test('JSON that cannot be parsed', async () => {
      await using server = await provider(answer('{"id": "resp_1", "output": [', {}));
      const error = await failure(modelOver(server.client).getResponse(request()));
      expect(error).toMatchObject({ name: 'ModelError', code: 'malformed_response', message: `The provider at ${server.baseURL} sent JSON that cannot be parsed. It may be overloaded or broken; try again.` });
      expect(error.cause).toBeInstanceOf(SyntaxError);
    });

    test('JSON that cannot be parsed, in the middle of a stream', async () => {
      await using server = await provider(sse(['{"type":']));
      const { error } = await collectUntilFailure(modelOver(server.client).getStreamedResponse(request()));
      expect(error).toMatchObject({ name: 'ModelError', code: 'malformed_response' });
    });

    test('JSON of something else', async () => {
      await using server = await provider(answer({ hello: 'world' }));
      const error = await failure(modelOver(server.client).getResponse(request()));
      expect(error).toMatchObject({ name: 'ModelError', code: 'malformed_response', message: expect.stringMatching(/is not of .*base URL is right/) });
    });

    test('a web page instead of an answer', async () => {
      await using server = await provider(answer('<html>', { headers: { 'content-type': 'text/html' } }));
      const error = await failure(modelOver(server.client).getResponse(request()));
      expect(error.message).toMatch(/expected a JSON object, got string.*usually ends in \/v1/);
    });

    test('a complaint with status 200', async () => {
      await using server = await provider(answer({ error: { message: 'Model is loading', code: 'loading' } }));
      const error = await failure(modelOver(server.client).getResponse(request()));
      expect({ code: error.code, message: error.message }).toEqual({ code: 'loading', message: `The provider at ${server.baseURL} failed while it answered: Model is loading` });
    });

    test('a complaint in the middle of a stream', async () => {
      await using server = await provider(sse([{ error: { message: 'Overloaded', code: 'overloaded' } }]));
      const { error } = await collectUntilFailure(modelOver(server.client).getStreamedResponse(request()));
      expect(error).toBeInstanceOf(OpenAI.APIError);
      expect({ code: error.code, message: error.message }).toEqual({ code: 'overloaded', message: `The provider at ${server.baseURL} reported an error while it answered (overloaded): Overloaded.` });
    });

    test('an answer cut half-way', async () => {
      await using server = await provider((response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
        response.write('{"id":', () => response.socket?.destroy());
      });
      const error = await failure(modelOver(server.client).getResponse(request()));
      expect(error).toMatchObject({ name: 'ModelError', code: 'UND_ERR_SOCKET', message: expect.stringMatching(/^The connection to .* failed \(UND_ERR_SOCKET\)/) });
      expect(await modelOver(server.client).getRetryAdvice?.({ request: request(), error, stream: false, attempt: 1 })).toMatchObject({ suggested: true, normalized: { isNetworkError: true } });
    });

    test('a server slower than the client waits', async () => {
      await using server = await provider(() => {});
      const error = await failure(modelOver(server.client.withOptions({ timeout: 30 })).getResponse(request()));
      expect(error).toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
      expect({ code: error.code, message: error.message }).toEqual({ code: 'ETIMEDOUT', message: `The provider at ${server.baseURL} did not answer in time. Try again, or raise the client's timeout.` });
    });
  });

  describe(`${api}: J2, abort`, () => {
    test('a call that hangs ends with the reason of its signal', async () => {
      const controller = new AbortController();
      const reason = new Error('Enough.');
      await using server = await provider(() => controller.abort(reason));
      const error = await failure(modelOver(server.client).getResponse(request({ signal: controller.signal })));
      expect(error).toBe(reason);
    });

    test('an answer that stops half-way ends with the reason of its signal', async () => {
      const controller = new AbortController();
      const reason = new Error('Enough.');
      await using server = await provider((response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"id":', () => controller.abort(reason));
      });
      const error = await failure(modelOver(server.client).getResponse(request({ signal: controller.signal })));
      expect(error).toBe(reason);
    });

    test('a stream that hangs ends with an AbortError, and never with response_done', async () => {
      const controller = new AbortController();
      const first = api === 'Responses' ? { type: 'response.created', response: {} } : { id: 'x', choices: [{ index: 0, delta: { content: 'a' } }] };
      await using server = await provider(sse([first], 'hang'));
      const seen: string[] = [];
      const error = await failure((async () => {
        for await (const event of modelOver(server.client).getStreamedResponse(request({ signal: controller.signal }))) {
          seen.push(event.type);
          if (event.type === 'model') controller.abort('because');
        }
      })());
      expect(seen).not.toContain('response_done');
      expect({ name: error.name, cause: error.cause }).toEqual({ name: 'AbortError', cause: 'because' });
    });

    test('a consumer that leaves closes the connection', async () => {
      let closed!: Promise<void>;
      const first = api === 'Responses' ? { type: 'response.created', response: {} } : { id: 'x', choices: [{ index: 0, delta: { content: 'a' } }] };
      await using server = await provider((response) => {
        closed = new Promise((resolve) => response.on('close', resolve));
        sse([first], 'hang')(response);
      });
      for await (const event of modelOver(server.client).getStreamedResponse(request())) if (event.type === 'model') break;
      await closed;
      expect(server.received).toHaveLength(1);
    });
  });
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
