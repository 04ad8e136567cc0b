/** A server on loopback that speaks Chat Completions as far as these tests need it. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ChatServer extends AsyncDisposable {
  /** What to set to reach it. */
  env: { OPENAI_BASE_URL: string; OPENAI_API_KEY: string };
  requests: { path: string; authorization?: string; body: { model: string; messages: { role: string; content: unknown }[] } }[];
}
export type Reply = (response: ServerResponse) => void;

/** Answers the nth request with the nth reply, and the rest with the last one. */
export async function chatServer(...replies: Reply[]): Promise<ChatServer> {
  const requests: ChatServer['requests'] = [];
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    requests.push({ path: message.url ?? '', authorization: message.headers.authorization, body: JSON.parse(Buffer.concat(chunks).toString()) });
    replies[Math.min(requests.length, replies.length) - 1]!(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    env: { OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, OPENAI_API_KEY: 'sk-wrong-0123456789' },
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const refuses = (status: number, message: string): Reply => (response) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message, type: 'error', code: null } }));
};

export const streams = (text: string): Reply => (response) => {
  const chunk = (delta: object, finish_reason: string | null) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`${chunk({ role: 'assistant', content: text }, null)}${chunk({}, 'stop')}data: [DONE]\n\n`);
};

export const sendsBrokenJson: Reply = (response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end('data: {"id": "c", "choices": [{"delta"\n\n');
};
