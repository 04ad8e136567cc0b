/** A run as a value that two plays, or a play and an expectation, can be compared by. */
import type { AgentInputItem, RunEvent, RunItem, RunState, RunStreamEvent } from 'loopchart';

/** A run that has come to rest, with everything that is known of it. */
export interface Settled {
  /** Absent only when nothing was started. */
  state?: RunState<any, any>;
  error?: unknown;
  /** A stream that was interrupted ends without an error. */
  cancelled?: boolean;
  events: readonly RunEvent[];
  stream: readonly RunStreamEvent[];
  /** Id of the run that it went on from. */
  from?: string;
}

export interface Waiting { id: string; name: string | undefined; arguments: string | undefined; path: readonly string[] }

export interface Seen {
  outcome: 'completed' | 'stopped' | 'failed' | 'interrupted' | 'waiting' | 'refused';
  /** Present when there is one. */
  finalOutput?: unknown;
  /** Class name and message of what was thrown. */
  error?: { name: string; message: string };
  /** One line an item: who, what. Whole items are in `newItems`. */
  story: string[];
  newItems: unknown[];
  history: AgentInputItem[];
  usage: { requests: number; inputTokens: number; outputTokens: number; totalTokens: number };
  lastAgent?: string;
  interruptions: Waiting[];
  turns: number;
  /** Names of the guardrails that answered, in the order in which they are kept. */
  guardrails: string[];
  /** Where to go on from; not compared. */
  readonly state: RunState<any, any>;
  /** What was thrown; not compared. */
  readonly thrown: unknown;
  /** Events of the Agents SDK; not compared, since only a streamed run has them. */
  readonly stream: readonly RunStreamEvent[];
  /** Lifecycle events; compared as the log. */
  readonly events: readonly RunEvent[];
}

export function seenOf({ state, error, cancelled, events, stream }: Settled): Seen {
  const seen = state ? lookOf(state) : NOTHING;
  const thrown = error ?? (cancelled ? Object.assign(new Error('The run was interrupted.'), { name: 'AbortError' }) : undefined);
  const value = { ...seen, ...(thrown === undefined ? {} : { error: { name: (thrown as Error).name, message: (thrown as Error).message } }) };
  // Not enumerable: two plays are compared by what can be counted and read.
  return Object.defineProperties(value, {
    state: { value: state },
    thrown: { value: error },
    stream: { value: stream },
    events: { value: events },
  }) as Seen; // with the four properties just defined
}

type Look = Omit<Seen, 'state' | 'thrown' | 'stream' | 'events'>;

const NO_USAGE = { requests: 0, inputTokens: 0, outputTokens: 0, totalTokens: 0 };
const NOTHING: Look = { outcome: 'refused', story: [], newItems: [], history: [], usage: NO_USAGE, interruptions: [], turns: 0, guardrails: [] };

function lookOf(state: RunState<any, any>): Look {
  const { newItems, history, finalOutput, lastAgent, inputGuardrailResults, outputGuardrailResults, toolInputGuardrailResults, toolOutputGuardrailResults } = state.look();
  const { source, usage } = state;
  const { requests, inputTokens, outputTokens, totalTokens } = usage;
  const all = [...inputGuardrailResults, ...outputGuardrailResults, ...toolInputGuardrailResults, ...toolOutputGuardrailResults];
  return {
    outcome: source.outcome?.status ?? (source.openDecisions.length > 0 ? 'waiting' : 'failed'),
    ...(finalOutput === undefined ? {} : { finalOutput }),
    story: newItems.map(lineOf),
    newItems: newItems.map((item) => withoutChance(item.toJSON())),
    history,
    usage: { requests, inputTokens, outputTokens, totalTokens },
    lastAgent: lastAgent?.name,
    interruptions: state.getInterruptions().map(({ id, name, arguments: args, path }) => ({ id, name, arguments: args, path })),
    turns: source.outcome?.turns ?? source.progress.turns,
    guardrails: all.map(({ guardrail }) => guardrail.name),
  };
}

/** Input is given an id when the app adds it: the one thing in an item that no two plays share. */
function withoutChance(item: object): unknown {
  return 'inputId' in item ? { ...item, inputId: '…' } : item;
}

/** @example 'Triage: function_call add {"a":1}' */
function lineOf(item: RunItem): string {
  const who = 'agent' in item ? item.agent.name : `${item.sourceAgent.name} → ${item.targetAgent.name}`;
  return `${who}: ${briefly(item)}`;
}

function briefly(item: RunItem): string {
  const raw = item.rawItem;
  switch (item.type) {
    case 'message_output_item':
      return `says ${JSON.stringify(item.content)}${'status' in raw && raw.status === 'incomplete' ? ' (cut)' : ''}`;
    case 'tool_call_item':
    case 'handoff_call_item':
      return `calls ${'name' in raw ? raw.name : raw.type}${'arguments' in raw ? ` ${raw.arguments}` : ''}`;
    case 'tool_call_output_item':
      return `gets ${'name' in raw ? raw.name : raw.type} ${JSON.stringify(outputOf(raw))}`;
    case 'handoff_output_item':
      return 'hands off';
    case 'tool_approval_item':
      return `asks for ${item.name}`;
    case 'input_item':
      return `reads ${JSON.stringify('content' in raw ? raw.content : raw)}`;
    default:
      return item.type;
  }
}

function outputOf(raw: object): unknown {
  const output = 'output' in raw ? raw.output : undefined;
  return typeof output === 'object' && output !== null && 'text' in output ? output.text : output;
}
