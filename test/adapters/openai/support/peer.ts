/**
 * The SDK whose wire form we promise to match, used as an oracle: the same question, put through the real package, recorded
 * where it would leave the process.
 */
import { setTracingDisabled, withTrace } from '@openai/agents-core';
import { OpenAIChatCompletionsModel, OpenAIResponsesModel } from '@openai/agents-openai';
import OpenAI from 'openai';
import type { ModelRequest } from '../../../../actors/ports.ts';

setTracingDisabled(true);

/** The body the peer would send. */
export async function peerBody(api: 'responses' | 'chat', request: ModelRequest, model = 'gpt-x'): Promise<Record<string, unknown>> {
  const bodies: Record<string, unknown>[] = [];
  const client = clientThat(async (_url, init) => {
    bodies.push(JSON.parse(String(init?.body)));
    return Response.json(api === 'responses' ? EMPTY_RESPONSE : EMPTY_COMPLETION);
  });
  await withTrace('oracle', () => peerModel(api, client, model).getResponse(request as never)); // Its types are ours by another name.
  const [body] = bodies;
  if (!body) throw new Error('The peer sent nothing.');
  return body;
}

/** The events the peer makes of a provider's stream. */
export async function peerEvents(api: 'responses' | 'chat', events: unknown[], request: ModelRequest): Promise<unknown[]> {
  const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  const client = clientThat(async () => new Response(text, { headers: { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' } }));
  const seen: unknown[] = [];
  await withTrace('oracle', async () => {
    for await (const event of peerModel(api, client, 'gpt-x').getStreamedResponse(request as never)) seen.push(event);
  });
  return seen;
}

function peerModel(api: 'responses' | 'chat', client: OpenAI, model: string) {
  return api === 'responses' ? new OpenAIResponsesModel(client, model) : new OpenAIChatCompletionsModel(client, model);
}

function clientThat(fetch: typeof globalThis.fetch): OpenAI {
  return new OpenAI({ apiKey: 'unused', baseURL: 'http://127.0.0.1:9/v1', maxRetries: 0, fetch });
}

const EMPTY_RESPONSE = { id: 'resp_1', object: 'response', status: 'completed', output: [] };
const EMPTY_COMPLETION = { id: 'cmpl_1', object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' }] };
