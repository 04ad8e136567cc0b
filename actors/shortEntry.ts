/** An entry in few words, for stores and saved states: what follows from the rest of it is left out, and put back when it is read. */
import type { Call, CallResult, Response } from '../machines/protocol/call.ts';
import type { JournalEntry } from '../machines/protocol/journal.ts';

type ShortEntry = Record<string, unknown> & { t: string };
/** A call of which nothing is special is the place of its item in the response. */
type ShortCall = number | (Partial<Call> & Pick<Call, 'item'>);
type Counts = [requests: number, inputTokens: number, outputTokens: number, totalTokens: number];
type ShortUsage = Counts | [...Counts, inputTokensDetails: Response['usage']['inputTokensDetails'], outputTokensDetails: Response['usage']['outputTokensDetails']];
interface ShortResponse { items: Response['items']; usage: ShortUsage | Response['usage']; calls?: ShortCall[]; toolUse?: Response['toolUse'] }

/** Nothing is known of a tool that declares nothing. */
const USUAL_TOOL = { effect: 'irreversible', approval: 'never' } as const;
const USUAL_USE = 'run_llm_again';

const NAMES: Record<JournalEntry['type'], string> = {
  'run.start': 'start', 'thread.start': 'thread', command: 'command', decide: 'decide', 'effect.started': 'started', 'effect.item': 'item', 'effect.done': 'done', 'effect.failed': 'failed',
  'effect.lost': 'lost', 'effect.late': 'late', 'run.rest': 'rest',
};
const TYPES = new Map(Object.entries(NAMES).map(([type, name]) => [name, type as JournalEntry['type']])); // the keys just above

export function shortened(entry: JournalEntry, runId: string): ShortEntry {
  const { type, ...rest } = entry;
  const short: ShortEntry = { t: NAMES[type], ...rest };
  if ('id' in entry) short['id'] = shortId(entry.id, runId);
  if (entry.type === 'effect.item' && entry.call) short['call'] = shortReady(entry.call, entry.item);
  if (entry.type !== 'effect.done' || entry.outcome.status !== 'ok' || entry.outcome.value === undefined) return short;
  const { value } = entry.outcome;
  delete short['outcome'];
  if (isAnswer(entry.id, value)) short['answer'] = shortResponse(value);
  else if (isUsualResult(value)) short['result'] = usualRest(value);
  else short['ok'] = value;
  return short;
}

/** Nothing for an entry of a kind that this version does not know. */
export function lengthened(short: ShortEntry, runId: string): JournalEntry | undefined {
  const { t, ok, answer, result, call, ...rest } = short;
  const type = TYPES.get(t);
  if (type === undefined) return undefined;
  const entry: Record<string, unknown> = { type, ...rest };
  if (typeof rest['id'] === 'string') entry['id'] = longId(rest['id'], runId);
  if (call !== undefined) entry['call'] = longReady(call as Partial<Call>, rest['item'] as Call['item']); // as shortened
  if (answer !== undefined) entry['outcome'] = { status: 'ok', value: longResponse(answer as ShortResponse) };
  else if (result !== undefined) entry['outcome'] = { status: 'ok', value: longResult(result as UsualRest) };
  else if ('ok' in short) entry['outcome'] = { status: 'ok', value: ok };
  return entry as unknown as JournalEntry; // what was shortened was one
}

/** Ids of effects begin with the id of their run: `~` stands for it. Before an id that begins with `~` by itself there is one more. */
function shortId(id: string, runId: string): string {
  if (id.startsWith(`${runId}/`)) return `~${id.slice(runId.length)}`;
  return id.startsWith('~') ? `~${id}` : id;
}

function longId(id: string, runId: string): string {
  if (!id.startsWith('~')) return id;
  return id.startsWith('~/') ? runId + id.slice(1) : id.slice(1);
}

/** What the model leaf answers with. */
function isAnswer(id: string, value: unknown): value is Response {
  return /\/model#\d+$/.test(id) && typeof value === 'object' && value !== null && 'usage' in value && 'calls' in value && 'toolUse' in value;
}

/** A body that has returned a text, which the model reads as it is. */
type UsualResult = CallResult & { status: 'completed'; output: string; item: { output: { type: 'text'; text: string } } };
type UsualRest = Omit<UsualResult, 'status' | 'output'>;

function isUsualResult(value: unknown): value is UsualResult {
  const { status, output, item } = (typeof value === 'object' && value !== null ? value : {}) as Partial<CallResult>; // looked at field by field
  if (status !== 'completed' || typeof output !== 'string' || item?.type !== 'function_call_result') return false;
  return typeof item.output === 'object' && 'text' in item.output && item.output.type === 'text' && item.output.text === output;
}

function usualRest({ status: _status, output: _output, ...rest }: UsualResult): UsualRest {
  return rest;
}

const longResult = (rest: UsualRest): CallResult => ({ status: 'completed', ...rest, output: rest.item.output.text });

function shortResponse({ usage, calls, toolUse, ...rest }: Response): ShortResponse {
  const short: ShortResponse = { ...rest, usage: shortUsage(usage) };
  if (calls.length > 0) short.calls = calls.map((call, at) => shortCall(call, at, rest.items));
  if (toolUse !== USUAL_USE) short.toolUse = toolUse;
  return short;
}

function longResponse({ usage, calls = [], toolUse = USUAL_USE, ...rest }: ShortResponse): Response {
  return { ...rest, usage: longUsage(usage), calls: calls.map((call, at) => longCall(call, at, rest.items)), toolUse } as Response; // the rest is as it was
}

function shortUsage(usage: Response['usage']): ShortResponse['usage'] {
  const { requests, inputTokens, outputTokens, totalTokens, inputTokensDetails, outputTokensDetails } = usage;
  const known = Object.entries(usage).filter(([, value]) => value !== undefined).length;
  if (requests === undefined) return usage;
  if (known === 4) return [requests, inputTokens, outputTokens, totalTokens];
  const isDetailed = known === 6 && inputTokensDetails !== undefined && outputTokensDetails !== undefined;
  return isDetailed ? [requests, inputTokens, outputTokens, totalTokens, inputTokensDetails, outputTokensDetails] : usage;
}

function longUsage(usage: ShortResponse['usage']): Response['usage'] {
  if (!Array.isArray(usage)) return usage;
  const [requests, inputTokens, outputTokens, totalTokens, ...details] = usage;
  const counts = { requests, inputTokens, outputTokens, totalTokens };
  return details.length === 2 ? { ...counts, inputTokensDetails: details[0], outputTokensDetails: details[1] } : counts;
}

function shortCall({ index, name, callId, tool, ...rest }: Call, at: number, items: Response['items']): ShortCall {
  const short: Partial<Call> & Pick<Call, 'item'> = rest;
  if (index !== at) short.index = index;
  if (name !== nameOf(rest.item)) short.name = name;
  if (callId !== callIdOf(rest.item)) short.callId = callId;
  if (Object.keys(tool).length !== 2 || tool.effect !== USUAL_TOOL.effect || tool.approval !== USUAL_TOOL.approval) short.tool = tool;
  const place = items.indexOf(rest.item as Response['items'][number]); // a call is made of an item of its response
  return place >= 0 && Object.keys(short).length === 1 ? place : short;
}

function longCall(given: ShortCall, at: number, items: Response['items']): Call {
  const short = typeof given === 'number' ? { item: items[given] as Call['item'] } : given; // as above
  const { index = at, name = nameOf(short.item)!, callId = callIdOf(short.item)!, tool = { ...USUAL_TOOL }, ...rest } = short as Partial<Call> & Pick<Call, 'item'>; // of either form
  return { index, name, callId, tool, ...rest };
}

/** A call that is told of with its item: what it is made of need not be said twice. */
function shortReady(call: Call, item: unknown): Partial<Call> {
  const { item: own, ...rest } = shortCall(call, 0, []) as Partial<Call>; // without items there is no place to name
  return own === item ? rest : { ...rest, item: own! };
}

const longReady = (short: Partial<Call>, item: Call['item']): Call => longCall({ item, ...short }, 0, []);

const nameOf = (item: Call['item']) => ('name' in item ? item.name : undefined);
const callIdOf = (item: Call['item']) => ('callId' in item ? item.callId : undefined);
