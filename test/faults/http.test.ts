/** K3, K5: trouble on the wire in the second request of a run: the error names its cause, and the run goes on from its state. */
import { RunState, retryPolicies } from 'loopchart';
import { describe, expect, test } from 'vitest';
import { APIS, type Answer, KEY, MODES, beginsToSpeak, closedPort, refuses, server, shop, speaks } from './support.ts';

interface Trouble {
  answer: (api: { useResponses: boolean }) => Answer;
  message: RegExp;
  fields?: object;
  settings?: object;
  /** Only where the answer is a stream. */
  streamedOnly?: boolean;
}

const sendsText = (text: string, type = 'application/json'): Answer => (response, { body }) => {
  response.writeHead(200, { 'content-type': body.stream ? 'text/event-stream' : type });
  response.end(body.stream ? `data: ${text}\n\n` : text);
};
const silent: Answer = () => undefined;

const TROUBLES: Record<string, Trouble> = {
  'a server error': { answer: () => refuses(500, { message: 'Internal' }), message: /^The provider at http:\/\/127\.0\.0\.1:\d+\/v1 failed \(500\): Internal\. This is usually temporary; try again\.$/, fields: { status: 500 } },
  'a rate limit': { answer: () => refuses(429, { message: 'Slow down', code: 'rate_limit_exceeded' }, { 'retry-after': '2' }), message: /limiting the rate of requests \(429\): Slow down\. Try again in 2 s\.$/, fields: { status: 429, code: 'rate_limit_exceeded' } },
  'a wrong key': { answer: () => refuses(401, { message: `Incorrect API key provided: ${KEY}`, code: 'invalid_api_key' }), message: /rejected the API key \(401\)\. Set OPENAI_API_KEY to a valid key/, fields: { status: 401 } },
  'malformed JSON': { answer: () => sendsText('{"id": "x", '), message: /sent JSON that cannot be parsed/, fields: { code: 'malformed_response' } },
  'a web page': { answer: () => (response) => { response.writeHead(200, { 'content-type': 'text/html' }); response.end('<html>'); }, message: /\/v1/, fields: { code: 'malformed_response' } },
  'a stream that is cut in the middle': { answer: (api) => beginsToSpeak(api, (response) => void response.socket?.destroy()), message: /^The connection to http:\/\/127\.0\.0\.1:\d+\/v1 failed/ },
  'a stream that ends in the middle': { answer: (api) => beginsToSpeak(api, (response) => void response.end()), message: /without its final event|ended before|stream ended/i, streamedOnly: true },
  'a server that says nothing': { answer: () => silent, message: /^Model call timed out after 300ms\.$/, fields: { code: 'ETIMEDOUT', timeoutMs: 300 }, settings: { timeoutMs: 300 } },
  'a stream that stops half-way': { answer: (api) => beginsToSpeak(api, () => undefined), message: /^Model call timed out after 300ms\.$/, fields: { name: 'ModelTimeoutError' }, settings: { timeoutMs: 300 } },
};

for (const [api, useResponses] of APIS) {
  for (const [mode, stream] of MODES) {
    describe(`${api}, ${mode}`, () => {
      for (const [name, { answer, message, fields = {}, settings, streamedOnly }] of Object.entries(TROUBLES)) {
        if (streamedOnly && !stream) continue;
        test(`K3, K5: ${name}: the error says so and carries the state; from it, or from its text, the run goes on without charging twice`, async () => {
          const good = { useResponses };
          await using provider = await server(speaks({ call: 'call_1' }, good), answer(good), answer(good), speaks({ text: 'Paid.' }, good));
          const customer = shop(provider.baseURL, { useResponses, stream, modelSettings: settings });
          const first = await customer.run('Charge me.');
          expect(first.error?.message).toMatch(message);
          expect(first.error).toMatchObject(fields);
          expect(`${first.error?.message}${first.error?.stack}`).not.toContain(KEY);
          const second = await customer.run(first.state);
          expect(second.error?.message).toMatch(message);
          const again = await RunState.fromString<undefined, any>(first.state.currentAgent, second.state.toString());
          const third = await customer.run(again);
          expect([third.error, third.finalOutput, customer.charged, provider.asked]).toEqual([undefined, 'Paid.', 1, 4]);
        });
      }

      test('K3: connection refused: the error names the address and the fix', async () => {
        const { error } = await shop(`http://127.0.0.1:${await closedPort()}/v1`, { useResponses, stream }).run('Charge me.');
        expect(error?.message).toMatch(/^Cannot connect to http:\/\/127\.0\.0\.1:\d+\/v1: connection refused\. Check that the server is running and that the base URL is right\.$/);
        expect([error?.code, error?.state instanceof RunState]).toEqual(['ECONNREFUSED', true]);
      });

      test('J3: a hanging request is dropped when the signal fires, and the run goes on from its state', async () => {
        const good = { useResponses };
        const stop = new AbortController();
        let dropped!: () => void;
        const closed = new Promise<void>((resolve) => (dropped = resolve));
        const hangs: Answer = (response) => {
          response.on('close', dropped);
          stop.abort();
        };
        await using provider = await server(speaks({ call: 'call_1' }, good), hangs, speaks({ text: 'Paid.' }, good));
        const customer = shop(provider.baseURL, { useResponses, stream });
        const cut = await customer.run('Charge me.', { signal: stop.signal });
        await closed;
        expect(cut.error?.name).toBe('AbortError');
        const { finalOutput } = await customer.run(cut.state);
        expect([finalOutput, customer.charged, provider.asked]).toEqual(['Paid.', 1, 3]);
      });

      test('A1: a server that answers slowly, byte by byte, is waited for', async () => {
        const slowly: Answer = (response, request) => {
          const chunks: Buffer[] = [];
          const sink = { writeHead: (status: number, headers: object) => void response.writeHead(status, headers as Record<string, string>), end: (text: string) => void chunks.push(Buffer.from(text)) };
          speaks({ text: 'Paid.' }, { useResponses })(sink as unknown as typeof response, request);
          const bytes = Buffer.concat(chunks);
          const send = (at: number): void => void (at >= bytes.length ? response.end() : response.write(bytes.subarray(at, at + 40), () => setImmediate(() => send(at + 40))));
          send(0);
        };
        await using provider = await server(slowly);
        const { finalOutput } = await shop(provider.baseURL, { useResponses, stream }).run('Charge me.');
        expect(finalOutput).toBe('Paid.');
      });

      test('K1: a rate limit is waited out as the provider asks, by the policy, and the tool is not run again', async () => {
        const good = { useResponses };
        await using provider = await server(speaks({ call: 'call_1' }, good), refuses(429, { message: 'Slow down' }, { 'retry-after-ms': '5' }), speaks({ text: 'Paid.' }, good));
        const customer = shop(provider.baseURL, { useResponses, stream, modelSettings: { retry: { maxRetries: 1, policy: retryPolicies.httpStatus([429]) } } });
        const delays: number[] = [];
        const { finalOutput } = await customer.run('Charge me.', { onEvent: (event: { type: string; delayMs?: number }) => void (event.type === 'turn.retrying' && delays.push(event.delayMs!)) });
        expect([finalOutput, delays, customer.charged, provider.asked]).toEqual(['Paid.', [5], 1, 3]);
      });
    });
  }
}
