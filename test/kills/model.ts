/** A model whose answers follow from its requests alone: it asks for the calls of its plan that it has not asked for yet. */
import type { AgentInputItem, AgentOutputItem, Model, ModelRequest, StreamEvent } from '../../index.ts';
import { Usage } from '../../actors/usage.ts';
import { digestOf } from './chance.ts';
import type { WorldPlan } from './plan.ts';
import type { World } from './world.ts';

const USAGE = { requests: 1, inputTokens: 10, outputTokens: 5, totalTokens: 15 };

export function plannedModel(plan: WorldPlan, world: World): Model {
  const asked = async (request: ModelRequest) => {
    const items = itemsOf(request);
    const digest = digestOf(`${request.systemInstructions} ${items.map(gist).join('\n')}`);
    await world.ledger.note({ what: 'asks', digest, read: newResults(items) });
    return { digest, output: answerTo(plan, items), isDown: world.isDown(digest) };
  };
  const down = async (digest: string): Promise<never> => {
    await world.ledger.note({ what: 'fails', digest });
    throw Object.assign(new Error('The provider is down.'), { code: 'ECONNRESET' });
  };
  return {
    completedItem: (event) => (event.type === 'model' ? (event.event as { item: AgentOutputItem }).item : undefined), // put there just below
    async getResponse(request) {
      const { digest, output, isDown } = await asked(request);
      if (isDown) return down(digest);
      await world.ledger.note({ what: 'answers', digest });
      return { usage: new Usage(USAGE), output, responseId: idOf(digest) };
    },
    async *getStreamedResponse(request): AsyncGenerator<StreamEvent> {
      const { digest, output, isDown } = await asked(request);
      yield { type: 'response_started' };
      for (const item of output) {
        await world.ledger.note({ what: 'says', item: gist(item) });
        yield { type: 'model', event: { item } };
        if (isDown) break;
      }
      if (isDown) await down(digest);
      await world.ledger.note({ what: 'answers', digest });
      yield { type: 'response_done', response: { id: idOf(digest), usage: USAGE, output } };
    },
  };
}

/** What a journal keeps of the request that a response answers. */
export const idOf = (digest: string): string => `resp_${digest}`;

/** What counts of an item, however it was written down. */
export function gist(item: AgentInputItem): string {
  if (item.type === 'function_call') return `calls ${item.callId} ${item.name} ${item.arguments}`;
  if (item.type === 'function_call_result') return `gets ${item.callId} ${resultText(item)}`;
  return 'role' in item ? `${item.role} says ${textOf(item)}` : String(item.type);
}

const itemsOf = ({ input }: ModelRequest): AgentInputItem[] => (typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input);

function newResults(items: readonly AgentInputItem[]): [string, string][] {
  const last = items.findLastIndex(({ type }) => type !== 'function_call_result');
  return items.slice(last + 1).flatMap((item) => (item.type === 'function_call_result' ? [[item.callId, resultText(item)] as [string, string]] : []));
}

function answerTo({ groups }: WorldPlan, items: readonly AgentInputItem[]): AgentOutputItem[] {
  const prompt = items.findLast((item) => 'role' in item && item.role === 'user' && textOf(item).startsWith('plan '));
  const key = textOf(prompt!).slice('plan '.length); // every run is given one
  const planned = groups.get(key)!;
  const called = new Set(items.flatMap((item) => (item.type === 'function_call' ? [item.callId] : [])));
  const results = new Map(items.flatMap((item) => (item.type === 'function_call_result' ? [[item.callId, resultText(item)] as const] : [])));
  const at = planned.findIndex((group) => group.some(({ callId }) => !called.has(callId)));
  const seen = (at < 0 ? planned : planned.slice(0, at)).flat().map(({ callId }) => `${callId} ${results.get(callId)}`);
  if (at < 0) return unlessSaid(items, `Done with ${key}: ${digestOf(seen.join('\n'))}`);
  const missing = planned[at]!.filter(({ callId }) => !called.has(callId));
  const calls = missing.map(({ callId, name }): AgentOutputItem => {
    const given = name === 'ask' ? { input: `plan ${callId}` } : name === 'transfer_to_Second' ? {} : { seen: digestOf(seen.join('\n')) };
    return { type: 'function_call', callId, name, arguments: JSON.stringify(given), status: 'completed' };
  });
  return [...unlessSaid(items, `Group ${at} of ${key}.`), ...calls];
}

function unlessSaid(items: readonly AgentInputItem[], text: string): AgentOutputItem[] {
  if (items.some((item) => 'role' in item && item.role === 'assistant' && textOf(item) === text)) return [];
  return [{ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] }];
}

export function textOf(item: AgentInputItem): string {
  if (!('content' in item)) return '';
  const { content } = item;
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? content.map((part) => ('text' in part ? part.text : '')).join('') : '';
}

export function resultText({ output }: Extract<AgentInputItem, { type: 'function_call_result' }>): string {
  if (typeof output === 'string') return output;
  return JSON.stringify('text' in output ? output.text : output).slice(1, -1);
}
