/** An agent that calls a tool of every class at once; what happens to it is told, and its bodies last as long as somebody wants. */
import { Usage } from '../../actors/usage.ts';
import { Agent, type AgentInputItem, type AgentOutputItem, type Model, type ModelRequest, tool } from '../../index.ts';
import type { Effect } from './ledger.ts';

export type Tale =
  | { what: 'ready' }
  /** A model is shown these words of people. */
  | { what: 'asks'; words: string[] }
  | { what: 'begins' | 'ends'; tool: string; key: string; effectId: string }
  | { what: 'checks'; key: string }
  | { what: 'waits'; calls: string[] }
  | { what: 'ended'; output: unknown }
  | { what: 'refused'; error: string; message: string }
  /** What came of each word that was said to a thread: a status, or the name of the error. */
  | { what: 'heard'; answers: Record<string, string> };

export const EFFECTS: readonly Effect[] = ['pure', 'idempotent', 'reconcilable', 'irreversible'];

/** @param tell told of a request, the model answers when that is done. */
export function heldAgent({ tell, hold }: { tell: (tale: Tale) => unknown; hold: () => Promise<void> }): Agent {
  const answer = async ({ input }: ModelRequest): Promise<AgentOutputItem[]> => {
    const items: readonly AgentInputItem[] = typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input;
    await tell({ what: 'asks', words: items.flatMap(wordsIn) });
    const results = items.filter(({ type }) => type === 'function_call_result');
    return results.length === 0 ? EFFECTS.map(callOf) : [said(`Done with ${results.length}.`)];
  };
  const model: Model = {
    getResponse: async (request) => ({ usage: new Usage(), output: await answer(request) }),
    async *getStreamedResponse(request) {
      yield { type: 'response_done', response: { id: 'response', usage: USAGE, output: await answer(request) } };
    },
  };
  const tools = EFFECTS.map((effect) => tool({
    name: effect,
    description: effect,
    parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
    effect,
    ...(effect === 'reconcilable' && { check: (key: string) => (tell({ what: 'checks', key }), { happened: false }) }),
    execute: async (_, __, details) => {
      const body = { tool: effect, key: details!.idempotencyKey!, effectId: details!.effectId! }; // a run gives them all
      tell({ what: 'begins', ...body });
      await hold();
      tell({ what: 'ends', ...body });
      return effect;
    },
  }));
  return new Agent({ name: 'Held', model, tools });
}

const USAGE = { requests: 1, inputTokens: 0, outputTokens: 0, totalTokens: 0 };
const wordsIn = (item: AgentInputItem): string[] => ('role' in item && item.role === 'user' ? [typeof item.content === 'string' ? item.content : JSON.stringify(item.content)] : []);
const callOf = (effect: Effect): AgentOutputItem => ({ type: 'function_call', callId: `call_${effect}`, name: effect, arguments: '{}', status: 'completed' });
const said = (text: string): AgentOutputItem => ({ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] });
