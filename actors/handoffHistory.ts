/**
 * Nested handoff history (F3): the next agent reads what came before as one message, so that it does not take the earlier
 * agents' words and calls for its own.
 */
import type { AgentInputItem, MessageItem } from '../machines/protocol/item.ts';
import type { HandoffInputData } from './handoff.ts';
import type { RunItem } from './items.ts';
import { isRecord } from './jsonSchema.ts';

/** The lines around the transcript. Keep them the same within a conversation: they are how an earlier transcript is found. */
export interface HistoryMarkers { start: string; end: string }
/** Makes the next agent's input from the flat transcript. */
export type HandoffHistoryMapper = (transcript: AgentInputItem[]) => AgentInputItem[];
export interface NestHistoryOptions { mapper?: HandoffHistoryMapper; markers?: Partial<HistoryMarkers> }

/** What stands before and after a nested transcript unless other markers are given. */
export const DEFAULT_HISTORY_MARKERS: Readonly<HistoryMarkers> = { start: '<CONVERSATION HISTORY>', end: '</CONVERSATION HISTORY>' };

/**
 * Folds everything before a handoff into the next agent's input. Can be given as an input filter.
 *
 * @example
 * ```ts
 * import { Agent, handoff, nestHandoffHistory } from 'loopchart';
 *
 * const markers = { start: '[before]', end: '[/before]' };
 * handoff(new Agent({ name: 'Billing' }), { inputFilter: (input) => nestHandoffHistory(input, { markers }) });
 * ```
 */
export function nestHandoffHistory(input: HandoffInputData, options: NestHistoryOptions = {}): HandoffInputData {
  const { inputHistory, preHandoffItems, newItems } = input;
  const history: AgentInputItem[] = typeof inputHistory === 'string' ? [{ role: 'user', content: inputHistory }] : inputHistory;
  const generated = [...preHandoffItems, ...newItems].flatMap(toInput);
  return { ...input, inputHistory: nestTranscript([...history, ...generated], options), preHandoffItems: [], newItems: [] };
}

/**
 * Folds a transcript into one assistant message, or what the mapper makes of it. One that an earlier handoff folded is unfolded
 * first, so that nothing appears twice however many handoffs there are.
 */
export function nestTranscript(transcript: readonly AgentInputItem[], options: NestHistoryOptions = {}): AgentInputItem[] {
  const markers = { ...DEFAULT_HISTORY_MARKERS, ...options.markers };
  const flat = unfoldTranscript(transcript, markers);
  return options.mapper ? options.mapper(flat) : foldTranscript(flat, markers);
}

/** The default mapper: a numbered line for each item. Compacted history stays as it is, and reasoning stays behind. */
export function foldTranscript(transcript: readonly AgentInputItem[], markers: HistoryMarkers = DEFAULT_HISTORY_MARKERS): AgentInputItem[] {
  const opaque = transcript.filter((item) => item.type === 'compaction');
  const readable = transcript.filter((item) => item.type !== 'compaction' && item.type !== 'reasoning');
  if (readable.length === 0) return opaque;
  const lines = readable.map((item, index) => `${index + 1}. ${toLine(item)}`);
  const text = [PREFACE, markers.start, ...lines, markers.end].join('\n');
  return [...opaque, { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] }];
}

/** The transcript with every folded message replaced by the items it was made of. */
export function unfoldTranscript(transcript: readonly AgentInputItem[], markers: HistoryMarkers = DEFAULT_HISTORY_MARKERS): AgentInputItem[] {
  return transcript.flatMap((item) => unfold(item, markers) ?? [item]);
}

const PREFACE = 'The conversation so far, for context:';

function toInput(item: RunItem): AgentInputItem[] {
  return item.type === 'tool_approval_item' ? [] : [item.rawItem as AgentInputItem]; // All other run items wrap one unit of conversation.
}

/**
 * `role: text`, or `kind: {item}` for what is not plain text. Lines can be read back: text that spans lines, or begins like JSON,
 * is written as JSON, which also keeps a message from faking a line or a marker.
 */
function toLine(item: AgentInputItem): string {
  const text = plainTextOf(item);
  if (text === undefined) return `${'role' in item ? item.role : item.type}: ${JSON.stringify(item)}`;
  const isSafe = !/[\r\n\u2028\u2029]/.test(text) && !/^["{]/.test(text);
  return `${(item as MessageItem).role}: ${isSafe ? text : JSON.stringify(text)}`;
}

function plainTextOf(item: AgentInputItem): string | undefined {
  if (!('role' in item)) return undefined;
  if (typeof item.content === 'string') return item.content;
  const [only, ...others] = item.content;
  if (only === undefined || others.length > 0 || item.role === 'system') return undefined;
  return only.type === 'output_text' || only.type === 'input_text' ? only.text : undefined;
}

function unfold(item: AgentInputItem, markers: HistoryMarkers): AgentInputItem[] | undefined {
  if (!('role' in item) || item.role !== 'assistant') return undefined;
  const lines = plainTextOf(item)?.split('\n') ?? [];
  if (lines[0] !== PREFACE || lines[1] !== markers.start || lines.at(-1) !== markers.end) return undefined;
  return lines.slice(2, -1).flatMap(fromLine);
}

function fromLine(line: string): AgentInputItem[] {
  const [, kind, rest] = /^\d+\. (\w+): (.*)$/s.exec(line) ?? [];
  if (kind === undefined || rest === undefined) return [];
  const value: unknown = /^["{]/.test(rest) ? JSON.parse(rest) : rest;
  if (isRecord(value)) return [value as unknown as AgentInputItem]; // Written by toLine.
  const text = String(value);
  if (kind === 'assistant') return [{ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] }];
  return [{ type: 'message', role: kind === 'system' ? 'system' : 'user', content: text }];
}
