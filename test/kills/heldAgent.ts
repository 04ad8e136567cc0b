/** An agent that calls a tool of every class at once; what happens to it is told, and its bodies last as long as somebody wants. */
import { Usage } from '../../actors/usage.ts';
import { Agent, type AgentOutputItem, type Model, tool } from '../../index.ts';
import type { Effect } from './ledger.ts';

export type Tale =
  | { what: 'ready' | 'asks' }
  | { what: 'begins' | 'ends'; tool: string; key: string; effectId: string }
  | { what: 'checks'; key: string }
  | { what: 'waits'; calls: string[] }
  | { what: 'ended'; output: unknown }
  | { what: 'refused'; error: string; message: string };

export const EFFECTS: readonly Effect[] = ['pure', 'idempotent', 'reconcilable', 'irreversible'];

export function heldAgent({ tell, hold }: { tell: (tale: Tale) => void; hold: () => Promise<void> }): Agent {
  const model: Model = {
    async getResponse({ input }) {
      tell({ what: 'asks' });
      const results = typeof input === 'string' ? [] : input.filter(({ type }) => type === 'function_call_result');
      return { usage: new Usage(), output: results.length === 0 ? EFFECTS.map(callOf) : [said(`Done with ${results.length}.`)] };
    },
    getStreamedResponse: () => { throw new Error('Nobody streams here.'); },
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

const callOf = (effect: Effect): AgentOutputItem => ({ type: 'function_call', callId: `call_${effect}`, name: effect, arguments: '{}', status: 'completed' });
const said = (text: string): AgentOutputItem => ({ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] });
