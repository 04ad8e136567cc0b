/** A model whose answers follow from its requests alone: it asks for the calls of its plan that it has not asked for yet. */
import type { AgentInputItem, AgentOutputItem, Model, ModelRequest, StreamEvent } from '../../index.ts';
import { Usage } from '../../actors/usage.ts';
import { digestOf } from './chance.ts';
import { type WorldPlan, ownerOf } from './plan.ts';
import type { World } from './world.ts';

const USAGE = { requests: 1, inputTokens: 10, outputTokens: 5, totalTokens: 15 };

export function plannedModel(plan: WorldPlan, world: World): Model {
  const asked = async (request: ModelRequest) => {
    const items = itemsOf(request);
    const reading = readingOf(items);
    const of = ownerOf(reading.key);
    const digest = digestOf(`${request.systemInstructions} ${items.map(gist).join('\n')}`);
    await world.ledger.note({ what: 'asks', of, digest, read: newResults(items), ...(reading.words.length > 0 && { words: reading.words }) });
    return { of, digest, output: isSummaryAsked(items) ? [said(summaryOf(reading))] : answerTo(plan, reading), isDown: world.isDown(digest) };
  };
  const down = async (of: string, digest: string): Promise<never> => {
    await world.ledger.note({ what: 'fails', of, digest });
    throw Object.assign(new Error('The provider is down.'), { code: 'ECONNRESET' });
  };
  return {
    completedItem: (event) => (event.type === 'model' ? (event.event as { item: AgentOutputItem }).item : undefined), // put there just below
    async getResponse(request) {
      const { of, digest, output, isDown } = await asked(request);
      if (isDown) return down(of, digest);
      await world.ledger.note({ what: 'answers', of, digest });
      return { usage: new Usage(USAGE), output, responseId: idOf(digest) };
    },
    async *getStreamedResponse(request): AsyncGenerator<StreamEvent> {
      const { of, digest, output, isDown } = await asked(request);
      yield { type: 'response_started' };
      for (const item of output) {
        await world.ledger.note({ what: 'says', item: gist(item) });
        yield { type: 'model', event: { item } };
        if (isDown) break;
      }
      if (isDown) await down(of, digest);
      await world.ledger.note({ what: 'answers', of, digest });
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

/** What a model knows from a conversation, or from what it summed up of it. */
interface Reading { key: string; results: Map<string, string>; called: Set<string>; told: Set<string>; /** Ids of what a thread was told. */ words: string[]; users: number }

function readingOf(items: readonly AgentInputItem[]): Reading {
  const reading: Reading = { key: '', results: new Map(), called: new Set(), told: new Set(), words: [], users: 0 };
  for (const item of items) {
    if (item.type === 'function_call') reading.called.add(item.callId);
    if (item.type === 'function_call_result') reading.results.set(item.callId, resultText(item));
    if (!('role' in item)) continue;
    const text = textOf(item);
    if (item.role === 'assistant') reading.told.add(text);
    if (item.role !== 'user') continue;
    const summary = text.indexOf(SUMMARY);
    if (summary >= 0) addSummary(reading, text.slice(summary + SUMMARY.length));
    else addWords(reading, item, text);
  }
  return reading;
}

function addWords(reading: Reading, item: AgentInputItem, text: string): void {
  reading.words.push(...wordsIn(item));
  if (text.startsWith('plan ')) reading.key = text.slice('plan '.length);
  reading.users += 1;
}

/** What a thread is told has the id of the word in it. */
export const wordsIn = (item: AgentInputItem): string[] => textOf(item).match(/\b[a-z]+\.w\d\d\b/g) ?? [];

const SUMMARY = 'Summary: ';
/** What a compaction asks with: no other request ends so. */
export const SUM_UP = 'Sum up.';
interface Summary { key: string; results: [string, string][]; told: string[]; users: number }

const isSummaryAsked = (items: readonly AgentInputItem[]) => items.length > 0 && 'role' in items.at(-1)! && textOf(items.at(-1)!) === SUM_UP;
const summaryOf = ({ key, results, told, users }: Reading) => `${SUMMARY}${JSON.stringify({ key, results: [...results], told: [...told], users } satisfies Summary)}`;

/** What was kept word for word stands before it, and is among what it counts. */
function addSummary(reading: Reading, text: string): void {
  const { key, results, told, users } = JSON.parse(text) as Summary; // as written just above
  Object.assign(reading, { key, users });
  for (const [callId, result] of results) {
    reading.called.add(callId);
    reading.results.set(callId, result);
  }
  for (const one of told) reading.told.add(one);
}

function answerTo({ groups }: WorldPlan, { key, called, results, told, users }: Reading): AgentOutputItem[] {
  const planned = groups.get(key)!; // every run is given a key
  const at = planned.findIndex((group) => group.some(({ callId }) => !called.has(callId)));
  const seen = (at < 0 ? planned : planned.slice(0, at)).flat().map(({ callId }) => `${callId} ${results.get(callId)}`);
  const done = `Done with ${key}: ${digestOf(seen.join('\n'))}`;
  if (at < 0) return [said(users > 1 ? `${done}, ${users} heard` : done)].filter((item) => !told.has(textOf(item)));
  const calls = planned[at]!.filter(({ callId }) => !called.has(callId)).map(({ callId, name }): AgentOutputItem => {
    const given = { ask: { input: `plan ${callId}` }, task: { input: `plan ${callId}` }, transfer_to_Second: {} }[name as string] ?? { seen: digestOf(seen.join('\n')) };
    return { type: 'function_call', callId, name, arguments: JSON.stringify(given), status: 'completed' };
  });
  const heading = `Group ${at} of ${key}.`;
  return told.has(heading) ? calls : [said(heading), ...calls];
}

const said = (text: string): AgentOutputItem => ({ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] });

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
