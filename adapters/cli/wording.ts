/** How calls, results, usage and trouble are put into words for people. Pure, so that every output says the same. */
import { GuardrailExecutionError, InputGuardrailTripwireTriggered, MaxTurnsExceededError, OutputGuardrailTripwireTriggered } from '../../actors/errors.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { RunToolApprovalItem } from '../../actors/items.ts';
import type { Ending } from './conversation.ts';
import { CliError } from './exit.ts';

/** Text from models and tools may hold sequences that drive a terminal; what is left of them here is harmless. */
export function harmless(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll('\t', '    ').replace(CONTROL, '');
}
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** One line of at most so many characters. */
export function shortened(text: string, limit = 100): string {
  const line = harmless(text).replace(/\s+/g, ' ').trim();
  const letters = [...line];
  return letters.length <= limit ? line : `${letters.slice(0, limit - 1).join('')}…`;
}

/** A call in one line; `edited` are its arguments as a person changed them. */
export function callText(name: string, item: AgentInputItem, edited?: string): string {
  const input = edited ?? argumentsOf(item);
  return input === '' || input === '{}' ? name : `${name} ${shortened(input)}`;
}

/** The arguments as the model wrote them; of calls that are not functions, what they ask for. */
export function argumentsOf(item: AgentInputItem): string {
  if ('arguments' in item && typeof item.arguments === 'string') return item.arguments;
  const asked = 'action' in item ? item.action : 'actions' in item ? item.actions : 'operation' in item ? item.operation : undefined;
  return asked === undefined ? '' : JSON.stringify(asked);
}

/** What the model reads of a call. */
export function resultText(item: AgentInputItem | null): string {
  const output: unknown = item && 'output' in item ? item.output : undefined;
  if (typeof output === 'string') return output;
  const parts = (Array.isArray(output) ? output : [output]).map((part: unknown) => textOfPart(part));
  return parts.filter((part) => part !== '').join(' ');
}

function textOfPart(part: unknown): string {
  if (typeof part !== 'object' || part === null) return part === undefined || part === null ? '' : String(part);
  if ('text' in part && typeof part.text === 'string') return part.text;
  if ('stdout' in part && typeof part.stdout === 'string') return part.stdout;
  return 'type' in part ? `[${String(part.type)}]` : JSON.stringify(part);
}

export function messageText(item: AgentInputItem): string {
  if (!('role' in item) || item.role !== 'assistant') return '';
  return item.content.map((part) => (part.type === 'output_text' ? part.text : part.type === 'refusal' ? part.refusal : '')).join('');
}

/** Of a call whose process ended while it was at work (O3). */
export function uncertaintyOf({ agent, name, rawItem }: RunToolApprovalItem): string {
  return `${agent.name} called ${callText(name ?? 'a tool', rawItem)}. The call has begun before, was cut short, and may have had its effect`;
}

/** What a person is asked, in one line. */
export function requestText(item: RunToolApprovalItem): string {
  const { agent, name, rawItem, uncertain, questions, reason } = item;
  if (uncertain) return uncertaintyOf(item);
  if (questions) return `${agent.name} asks: ${shortened(questions.map(({ text }) => text).join(' '))}`;
  return `${agent.name} wants to call ${callText(name ?? 'a tool', rawItem)}${reason === undefined ? '' : ` (${shortened(reason)})`}`;
}

export const wayOnText = ({ status, wayOn }: Pick<Ending, 'status' | 'wayOn'>) => `${status === 'waiting' ? 'It waits for a person' : 'Go on with it'}: ${wayOn}`;

export interface Spent { requests: number; inputTokens: number; outputTokens: number }

export function usageText({ requests, inputTokens, outputTokens }: Spent): string {
  return `${requests} ${requests === 1 ? 'request' : 'requests'}, ${inputTokens} tokens in, ${outputTokens} out`;
}

export const secondsText = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** One paragraph: cause and fix. What was said so far is kept whatever happened, which is said where it helps. */
export function explained(error: unknown): string {
  if (error instanceof CliError) return error.message;
  if (error instanceof InputGuardrailTripwireTriggered) {
    return `Stopped by the guardrail "${error.result.guardrail.name}"${because(error.result.output.outputInfo)}. The message was not kept; put it another way.`;
  }
  if (error instanceof OutputGuardrailTripwireTriggered) {
    return `The answer was withheld by the guardrail "${error.result.guardrail.name}"${because(error.result.output.outputInfo)}. Ask in another way.`;
  }
  if (error instanceof MaxTurnsExceededError) return `${error.message.replace(/\.?$/, '.')} What was done so far is kept; say "go on" to continue.`;
  if (error instanceof GuardrailExecutionError) return `${error.message} Nothing was let through; mend the guardrail.`;
  if (!(error instanceof Error)) return `Something threw ${typeof error === 'string' ? `"${shortened(error)}"` : `a value that is no Error (${typeof error})`}.`;
  const message = error.message.trim().replace(/\s*\n\s*/g, ' ') || 'No reason was given.';
  return error.name === 'Error' || OF_JOURNALS.has(error.name) || isOwnError(error) ? message : `${error.name}: ${message}`;
}

function because(information: unknown): string {
  if (information === undefined || information === null) return '';
  return `: ${shortened(typeof information === 'string' ? information : JSON.stringify(information), 200)}`.replace(/[.!]$/, '');
}

/** By name, because a store may come with a copy of the library of its own. */
const OF_JOURNALS: ReadonlySet<string> = new Set(['JournalConflict', 'JournalDamage', 'JournalDivergence', 'JournalStoreError', 'PostgresError']);

/** Errors that already speak to people. Others, such as a TypeError of somebody's code, are named. */
function isOwnError(error: Error): boolean {
  return 'state' in error && !['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError'].includes(error.name);
}
