import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';

export interface ReceivedRequest {
  path: string;
  headers: IncomingMessage['headers'];
  body: Record<string, any>; // `any`: tests look wherever they like into what was sent.
}

export interface ScriptedProvider extends AsyncDisposable {
  baseURL: string;
  client: OpenAI;
  received: ReceivedRequest[];
}

/** A server on loopback that answers every request by the script; the client's own retries are off. */
export async function provider(script: (response: ServerResponse, request: ReceivedRequest) => void): Promise<ScriptedProvider> {
  const received: ReceivedRequest[] = [];
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const request = { path: message.url ?? '', headers: message.headers, body: JSON.parse(Buffer.concat(chunks).toString() || '{}') };
    received.push(request);
    script(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return {
    baseURL,
    client: new OpenAI({ apiKey: TEST_KEY, baseURL, maxRetries: 0, logLevel: 'off' }),
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const TEST_KEY = 'sk-test-0123456789abcdef';

export function answer(content: unknown, { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {}) {
  return (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_1', ...headers });
    response.end(typeof content === 'string' ? content : JSON.stringify(content));
  };
}

export function refuse(status: number, error: object, headers: Record<string, string> = {}) {
  return answer({ error }, { status, headers });
}

/** Server-sent events; `end` says how the stream goes on after the last one. */
export function sse(events: unknown[], end: 'close' | 'done' | 'cut' | 'hang' = 'close') {
  return (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' });
    const text = events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
    response.write(end === 'done' ? `${text}data: [DONE]\n\n` : text, () => {
      if (end === 'cut') response.socket?.destroy();
      else if (end !== 'hang') response.end();
    });
  };
}

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const events: T[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** What came before the stream failed, and how it failed. */
export async function collectUntilFailure<T>(stream: AsyncIterable<T>): Promise<{ events: T[]; error: any }> {
  const events: T[] = [];
  try {
    for await (const event of stream) events.push(event);
  } catch (error) {
    return { events, error };
  }
  throw new Error('The stream ended without the failure that was expected.');
}

export async function failure(promise: Promise<unknown>): Promise<any> {
  return promise.then(
    () => {
      throw new Error('The call succeeded, though it was meant to fail.');
    },
    (error: unknown) => error,
  );
}
