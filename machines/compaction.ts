/** A conversation made shorter: what stands for its beginning, how that is read, and what is cut with what (N). Pure functions. */
import { isCall, isResult, pairResults } from './history.ts';
import type { EffectOutcome } from './protocol/failure.ts';
import type { AgentInputItem, CompactionItem, UsageData, UserMessageItem } from './protocol/item.ts';

/** What is summed up. Of use wherever there are items, not only to an agent that is at work. */
export interface CompactorInput { effectId: string; agent: string; items: AgentInputItem[] }
export interface Compacted {
  /** Takes the place of the items. */
  item: CompactionItem;
  /** How many of the oldest the model was not shown, because they did not fit. */
  dropped: number;
  usage: UsageData;
  /** In US dollars, where prices are known. */
  cost?: number;
}
export type CompactorOutcome = EffectOutcome<Compacted>;

/** By whom the compaction items are made that every provider can read. */
const OURS = 'loopchart';
const SUMMARY_PREFIX = 'To save room, the conversation up to here was summed up by a model that had read it. Build on the work that is done already, and do not repeat it. The summary:';
const NO_SUMMARY = '(There is no summary: the model that was asked for one wrote nothing.)';

/** Whether the item was made here, so that it has to be made readable before a provider sees it. */
export const isOwnCompaction = (item: AgentInputItem): item is CompactionItem => item.type === 'compaction' && item.created_by === OURS;

/**
 * The item that stands for all before it. `kept` is read before the summary, word for word.
 *
 * @example
 * const item = compactionItem('They chose blue.', [{ role: 'user', content: 'Paint it.' }]);
 * console.log(readable([item]).length); // 2
 */
export function compactionItem(summary: string, kept: AgentInputItem[]): CompactionItem {
  return { type: 'compaction', encrypted_content: summary, created_by: OURS, providerData: { kept } };
}

const keptOf = ({ providerData }: CompactionItem): AgentInputItem[] => (providerData?.['kept'] as AgentInputItem[] | undefined) ?? []; // as `compactionItem` wrote it

/**
 * The items as any provider reads them: ours become messages, those of a provider pass through.
 *
 * @example
 * const [kept, summary] = readable([compactionItem('They chose blue.', [{ role: 'user', content: 'Paint it.' }])]);
 * console.log(kept, summary); // two messages of a user
 */
export function readable(items: readonly AgentInputItem[]): AgentInputItem[] {
  return items.flatMap((item) => (isOwnCompaction(item) ? [...keptOf(item), summaryMessage(item)] : [item]));
}

function summaryMessage({ encrypted_content: summary }: CompactionItem): UserMessageItem {
  return { type: 'message', role: 'user', content: `${SUMMARY_PREFIX}\n\n${summary.trim() === '' ? NO_SUMMARY : summary}` };
}

/** The items with what an earlier compaction kept in the place of its item; its summary is left out. */
export function unfolded(items: readonly AgentInputItem[]): AgentInputItem[] {
  return items.flatMap((item) => (isOwnCompaction(item) ? keptOf(item) : [item]));
}

/**
 * A stored history as it is loaded: what a compaction item stands for is not read again.
 *
 * @example
 * fromLastCompaction([{ role: 'user', content: 'Paint it.' }, compactionItem('They chose blue.', [])]).length; // 1
 */
export function fromLastCompaction(items: AgentInputItem[]): AgentInputItem[] {
  const at = items.findLastIndex((item) => item.type === 'compaction');
  return at > 0 ? items.slice(at) : items;
}

/** Without calls whose results are not there, and results whose calls are not: both go together (N2). */
export function paired(items: readonly AgentInputItem[]): AgentInputItem[] {
  const results = pairResults(items);
  const answered = new Set(results.values());
  return items.filter((item, at) => (isCall(item) ? results.has(at) : !isResult(item) || answered.has(at)));
}

/** Without the oldest item and what cannot stand without it: the result of a call, what reasoning led to. An earlier summary goes last. */
export function withoutOldest(items: readonly AgentInputItem[]): AgentInputItem[] {
  const results = pairResults(items);
  const gone = new Set<number>();
  let at = items.length > 1 && isOwnCompaction(items[0]!) ? 1 : 0;
  for (; items[at]?.type === 'reasoning'; at += 1) gone.add(at);
  gone.add(at);
  const result = results.get(at);
  if (result !== undefined) gone.add(result);
  return items.filter((_, index) => !gone.has(index));
}

/** How many items, from the first, the last word of the agent closes: messages after it nobody has answered yet. */
export const answeredUpTo = (items: readonly AgentInputItem[]): number => items.findLastIndex((item) => !('role' in item) || item.role === 'assistant') + 1;

/** A summary alone is not summed up again. */
export const canBeSummedUp = ([first, ...more]: readonly AgentInputItem[]): boolean => first !== undefined && (more.length > 0 || !isOwnCompaction(first));

/** The newest messages of people that fit into so many tokens; of the oldest of them only the beginning, where the rest does not fit. */
export function newestUserMessages(items: readonly AgentInputItem[], tokens: number): AgentInputItem[] {
  const messages = items.filter((item): item is UserMessageItem => 'role' in item && item.role === 'user');
  const kept: AgentInputItem[] = [];
  let left = tokens;
  for (const message of messages.reverse()) {
    const size = sizeOf([message]);
    if (size <= left) kept.unshift(message);
    else {
      const beginning = cutMessage(message, left);
      if (beginning) kept.unshift(beginning);
      break;
    }
    left -= size;
  }
  return kept;
}

const CUT = '… (cut)';

/** Nothing where there is no room for words. */
function cutMessage(message: UserMessageItem, tokens: number): UserMessageItem | undefined {
  const { content } = message;
  const text = typeof content === 'string' ? content : content.flatMap((part) => (part.type === 'input_text' ? [part.text] : [])).join('\n');
  let room = tokens * BYTES_PER_TOKEN - bytesOf(JSON.stringify({ ...message, content: CUT }));
  let beginning = '';
  for (const character of text) {
    room -= bytesOf(JSON.stringify(character)) - QUOTES;
    if (room < 0) break;
    beginning += character;
  }
  return beginning === '' ? undefined : { ...message, content: `${beginning}${CUT}` };
}

// -- sizes ------------------------------------------------------------------------------------------------------------

const BYTES_PER_TOKEN = 4;
const QUOTES = 2;

/** Tokens of items of which no provider has said how many they are: one for 4 bytes of their JSON. */
export function sizeOf(items: readonly unknown[]): number {
  return tokensOf(items.reduce<number>((sum, item) => sum + bytesOf(JSON.stringify(item)), 0));
}

export const tokensOf = (bytes: number): number => Math.ceil(bytes / BYTES_PER_TOKEN);

/** Bytes of the text in UTF-8. */
export function bytesOf(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) bytes += code > 0x7ff && !isSurrogate(code) ? 2 : 1;
  }
  return bytes;
}

/** Two of them are one character of four bytes. */
const isSurrogate = (code: number) => code >= 0xd800 && code <= 0xdfff;
