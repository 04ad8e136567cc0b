/** Whole-request comparison: what a model should have been asked, written down as a conversation. */
import type { ModelRequest } from '../../actors/ports.ts';
import type {
  AgentInputItem, AssistantMessageItem, FunctionCallItem, FunctionCallResultItem, ReasoningItem, SystemMessageItem, UserMessageItem,
} from '../../machines/protocol/item.ts';
import { ScriptError } from './failures.ts';

/** A request in the one form in which two of them can be compared. */
export type NormalisedRequest = Omit<ModelRequest, 'signal' | 'tracing' | 'input'> & { input: AgentInputItem[] };
export interface NormaliseOptions {
  /** Keep item ids (default), or drop them where a provider makes them up. */
  ids?: 'keep' | 'drop';
}

/**
 * What the user said.
 *
 * @example
 * user('go'); // { type: 'message', role: 'user', content: 'go' }
 */
export function user(content: UserMessageItem['content']): UserMessageItem {
  return { type: 'message', role: 'user', content };
}

/**
 * A system message within the conversation.
 *
 * @example
 * system('Be brief.'); // { type: 'message', role: 'system', content: 'Be brief.' }
 */
export function system(content: string): SystemMessageItem {
  return { type: 'message', role: 'system', content };
}

/**
 * What the model said, as `says(text)` says it.
 *
 * @example
 * said('It is 3.'); // { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'It is 3.' }] }
 */
export function said(text: string, options: Partial<Pick<AssistantMessageItem, 'id' | 'phase' | 'status'>> = {}): AssistantMessageItem {
  return { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }], ...options };
}

/**
 * What the model thought, as `thinks(text)` thinks it.
 *
 * @example
 * thought('Two numbers, so I add.'); // { type: 'reasoning', content: [{ type: 'input_text', text: 'Two numbers, so I add.' }] }
 */
export function thought(text: string, options: Pick<ReasoningItem, 'id'> = {}): ReasoningItem {
  return { type: 'reasoning', ...options, content: [{ type: 'input_text', text }] };
}

/**
 * What the model asked a tool, as `calls(name, args)` asks it. Arguments that are text are taken as they are.
 *
 * @example
 * asked('add', { a: 1 }, 'call_1');
 */
export function asked(name: string, args: unknown, callId: string): FunctionCallItem {
  return { type: 'function_call', callId, name, status: 'completed', arguments: typeof args === 'string' ? args : JSON.stringify(args) };
}

/**
 * What a tool answered. Text becomes a text output; other outputs are taken as they are. Given the call itself, or inside
 * {@link inputOf} and {@link requestOf}, the tool's name is taken from the call; elsewhere pass it.
 *
 * @example
 * const call = asked('add', { a: 1, b: 2 }, 'call_1');
 * answered(call, '3');
 * answered('call_1', '3', 'add');
 */
export function answered(call: string | FunctionCallItem, output: FunctionCallResultItem['output'], name?: string): FunctionCallResultItem {
  const [callId, calledName] = typeof call === 'string' ? [call, UNNAMED] : [call.callId, call.name];
  return {
    type: 'function_call_result',
    name: name ?? calledName,
    callId,
    status: 'completed',
    output: typeof output === 'string' ? { type: 'text', text: output } : output,
  };
}

/**
 * A conversation as a model gets it; results find the name of their tool by the call they answer.
 *
 * @throws ScriptError for a result without a call before it.
 * @example
 * const expected = inputOf('go', asked('add', { a: 1, b: 2 }, 'call_1'), answered('call_1', '3'), said('It is 3.'), 'thanks');
 */
export function inputOf(...items: (string | AgentInputItem)[]): AgentInputItem[] {
  const names = new Map<string, string>();
  return items.map((item) => {
    if (typeof item === 'string') return user(item);
    if (item.type === 'function_call') names.set(item.callId, item.name);
    if (item.type !== 'function_call_result' || item.name !== UNNAMED) return item;
    const name = names.get(item.callId);
    if (name !== undefined) return { ...item, name };
    throw new ScriptError(`answered('${item.callId}', …) has no asked(…, …, '${item.callId}') before it. Add the call, or pass the tool's name.`);
  });
}

/**
 * A whole request, to be compared with {@link normalise}. What is not given is as in a plain text request without tools.
 *
 * @example
 * const model = scriptedModel(says('It is 3.'));
 * await model.getResponse({ systemInstructions: 'Add.', input: 'go', modelSettings: {}, tools: [], outputType: 'text', handoffs: [], tracing: true });
 * expect(normalise(model.requests[0]!)).toEqual(requestOf(['go'], { systemInstructions: 'Add.' }));
 */
export function requestOf(items: (string | AgentInputItem)[], rest: Partial<Omit<NormalisedRequest, 'input'>> = {}): NormalisedRequest {
  return normalise({ modelSettings: {}, tools: [], handoffs: [], outputType: 'text', ...rest, input: inputOf(...items) });
}

/**
 * The request without its signal, without `tracing` (who may record it, not what is asked), without flags that are `false`
 * and without keys that are undefined, at any depth; text input as a user message, and every message with its `type`. Two
 * requests that mean the same are equal afterwards, whichever loop sent them.
 *
 * @example
 * const [plain, streamed] = [scriptedModel(says('a')), scriptedModel(says('a'))];
 * // … the same conversation on both, then:
 * expect(streamed.requests.map((request) => normalise(request))).toEqual(plain.requests.map((request) => normalise(request)));
 */
export function normalise(request: Omit<ModelRequest, 'tracing'>, { ids = 'keep' }: NormaliseOptions = {}): NormalisedRequest {
  const { signal: _signal, tracing: _tracing, input, toolsExplicitlyProvided, overridePromptModel, ...rest } = request as ModelRequest; // May come without tracing.
  const items = typeof input === 'string' ? [user(input)] : input.map((item) => ('role' in item ? { ...item, type: 'message' as const } : item));
  const kept = ids === 'keep' ? items : items.map(({ id: _id, ...item }) => item);
  const flags = { toolsExplicitlyProvided: toolsExplicitlyProvided || undefined, overridePromptModel: overridePromptModel || undefined };
  return defined({ ...rest, ...flags, input: kept }) as NormalisedRequest; // Dropping undefined keys keeps the type: each of them is optional.
}

/** Stands in a result until its call is known. No tool has this name. */
const UNNAMED = '';

function defined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(defined);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, defined(inner)]])));
}
