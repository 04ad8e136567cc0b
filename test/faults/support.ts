/** Agents over the real adapter and real HTTP, and servers that misbehave. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, type Clock, Runner, type RunState, tool } from 'loopchart';
import { OpenAIProvider } from 'loopchart/openai';
import { type Thread, createThread } from 'loopchart/thread';
import { z } from 'zod';

export const APIS = [['Responses', true], ['Chat Completions', false]] as const;
export const MODES = [['plain', false], ['streamed', true]] as const;
export const KEY = 'sk-test-0123456789abcdef';

export interface Server extends AsyncDisposable {
  baseURL: string;
  /** How many requests came in. */
  readonly asked: number;
}
export type Answer = (response: ServerResponse, request: { body: any; message: IncomingMessage }) => void; // `any`: whatever the adapter sent

/** A server on loopback that answers the nth request by the nth answer, and later ones by the last. */
export async function server(...answers: Answer[]): Promise<Server> {
  let asked = 0;
  const http = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const answer = answers[Math.min(asked, answers.length - 1)]!;
    asked += 1;
    answer(response, { body: JSON.parse(Buffer.concat(chunks).toString()), message });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    baseURL: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`,
    get asked() {
      return asked;
    },
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

export const refuses = (status: number, error: object, headers: Record<string, string> = {}): Answer => (response) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ error }));
};

/** A good answer in the form that was asked for: text, or a call of the tool `charge`. */
export function speaks(what: { text: string } | { call: string }, { useResponses }: { useResponses: boolean }): Answer {
  return (response, { body }) => {
    const events = useResponses ? responsesEvents(what) : chatEvents(what);
    if (!body.stream) {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify(useResponses ? events.at(-1).response : chatWhole(what)));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}${useResponses ? '' : 'data: [DONE]\n\n'}`);
  };
}

/** Begins a stream with some text and then does something else. */
export function beginsToSpeak({ useResponses }: { useResponses: boolean }, then: (response: ServerResponse) => void): Answer {
  return (response, { body }) => {
    if (!body.stream) return then(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = useResponses
      ? { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Half a ', sequence_number: 1 }
      : { id: 'chat_1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { role: 'assistant', content: 'Half a ' }, finish_reason: null }] };
    response.write(`data: ${JSON.stringify(event)}\n\n`, () => then(response));
  };
}

type What = Parameters<typeof speaks>[0];
const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2, input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } };

function responsesEvents(what: What): any[] {
  const item = 'text' in what
    ? { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: what.text, annotations: [] }] }
    : { type: 'function_call', id: 'fc_1', call_id: what.call, name: 'charge', arguments: '{}', status: 'completed' };
  return [
    { type: 'response.created', sequence_number: 0, response: { id: 'resp_1', object: 'response', output: [] } },
    { type: 'response.output_item.done', sequence_number: 1, output_index: 0, item },
    { type: 'response.completed', sequence_number: 2, response: { id: 'resp_1', object: 'response', status: 'completed', output: [item], usage } },
  ];
}

const chatUsage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
const chatMessage = (what: What) =>
  'text' in what
    ? { role: 'assistant', content: what.text }
    : { role: 'assistant', content: null, tool_calls: [{ index: 0, id: what.call, type: 'function', function: { name: 'charge', arguments: '{}' } }] };
const reasonOf = (what: What) => ('text' in what ? 'stop' : 'tool_calls');
const chatWhole = (what: What) => ({ id: 'chat_1', object: 'chat.completion', choices: [{ index: 0, message: chatMessage(what), finish_reason: reasonOf(what) }], usage: chatUsage });
const chatEvents = (what: What): any[] => [
  { id: 'chat_1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: chatMessage(what), finish_reason: null }] },
  { id: 'chat_1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: reasonOf(what) }], usage: chatUsage },
];

/** An agent with a tool that must not run twice, and how to run it in either mode. */
export interface Shop {
  readonly charged: number;
  /** With its agent; it tries again as threads do, but does not wait before. */
  thread(): Thread;
  run(input: string | RunState<any, any>, options?: object): Promise<Settled>;
}
/** `error` is what was thrown, with its state. */
export type Settled = { finalOutput: unknown; error?: undefined; state: RunState<any, any> } | { finalOutput?: undefined; error: Error & { state: RunState<any, any>; code?: string; status?: number }; state: RunState<any, any> };

/** Does not wait. */
const IMPATIENT: Clock = { now: () => Date.now(), setTimeout: (callback) => setTimeout(callback, 1), clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) };

export function shop(baseURL: string, { useResponses, stream, modelSettings = {} }: { useResponses: boolean; stream: boolean; modelSettings?: object }): Shop {
  let charged = 0;
  const charge = tool({ name: 'charge', description: 'Charges the card.', parameters: z.object({}), execute: () => `charged ${(charged += 1)}` });
  const agent = new Agent({ name: 'Shop', model: 'gpt-x', tools: [charge], modelSettings });
  const runner = new Runner({ modelProvider: new OpenAIProvider({ apiKey: KEY, baseURL, useResponses, maxRetries: 0 }) });
  return {
    get charged() {
      return charged;
    },
    thread: () => createThread(agent, { runner, clock: IMPATIENT }),
    async run(input, options = {}) {
      try {
        const given = input as string; // or a state: the overloads take either, but not their union
        if (!stream) return seen(await runner.run(agent, given, options));
        const result = await runner.run(agent, given, { ...options, stream: true });
        for await (const event of result) void event;
        await result.completed;
        if (result.cancelled) throw Object.assign(new Error('The run was interrupted.'), { name: 'AbortError', state: result.state });
        return seen(result);
      } catch (error) {
        const failure = error as Extract<Settled, { error: Error }>['error']; // K3: whatever is thrown carries the state
        return { error: failure, state: failure.state };
      }
    },
  };
}

const seen = ({ finalOutput, state }: Pick<Settled, 'finalOutput' | 'state'>): Settled => ({ finalOutput, state });

export async function closedPort(): Promise<number> {
  const http = createServer();
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  await new Promise((resolve) => http.close(resolve));
  return port;
}

