/** An agent that always has something to do: it calls a tool, now and then one that a person is asked about, and answers. */
import { Agent, type AgentOutputItem, type Model, type ModelRequest, Usage, tool } from '../../index.ts';

const waits = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const told = () => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', told);
      resolve();
    }, ms);
    signal?.addEventListener('abort', told, { once: true });
  });

const usage = { inputTokens: 10, outputTokens: 2, totalTokens: 12 };
let asked = 0;

/** Remembers nothing, so that what grows is not its own. */
const model: Model = {
  async getResponse() {
    throw new Error('Threads stream.');
  },
  async *getStreamedResponse({ input, signal }: ModelRequest) {
    asked += 1;
    const item = answerTo(input, asked);
    await waits(5 + (asked % 7) * 5, signal);
    yield { type: 'output_text_delta', delta: 'Done' };
    await waits(2, signal);
    yield { type: 'response_done', response: { id: `resp_${asked}`, usage: new Usage(usage), output: [item] } };
  },
};

function answerTo(input: ModelRequest['input'], number: number): AgentOutputItem {
  const last = Array.isArray(input) ? input.at(-1) : undefined;
  const isTold = last !== undefined && 'role' in last && last.role === 'user';
  if (isTold && number % 3 !== 0) return { type: 'function_call', callId: `call_${number}`, name: number % 23 === 1 ? 'pay' : 'work', arguments: '{}', status: 'completed' };
  return { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Done.' }] };
}

const parameters = { type: 'object', properties: {}, required: [], additionalProperties: false } as const;
const tools = [
  tool({ name: 'work', description: 'Works.', parameters: { ...parameters, required: [] }, effect: 'pure', execute: async (_input, _context, details) => (await waits(10, details?.signal), 'worked') }),
  tool({ name: 'pay', description: 'Pays.', parameters: { ...parameters, required: [] }, effect: 'irreversible', needsApproval: true, execute: () => 'paid' }),
];

export const busyAgent = new Agent({ name: 'Busy', model, tools });
