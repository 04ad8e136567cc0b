import type { ErrorRecord } from './failure.ts';
import type { ItemRecord } from './outcome.ts';
import type { LocalCallItem, LocalResultItem, AgentInputItem, UsageData } from './item.ts';

/** What may happen to the world when a body runs; decides what a crash in the middle means (O3). */
export type EffectClass = 'pure' | 'idempotent' | 'reconcilable' | 'irreversible';

/** Everything the charts need to know of a tool. Recorded with the call, so that no guard ever looks into a registry. */
export interface ToolFacts {
  effect: EffectClass;
  /** `ask` means that `approvalPolicy` has to be consulted. */
  approval: 'never' | 'always' | 'ask';
  guardsInput?: boolean;
  guardsOutput?: boolean;
  /** Input guardrails also run before a person is asked (`toolExecution.preApprovalInputGuardrails`). */
  screensInput?: boolean;
  /** The tool is an agent: the call is carried out by a run of its own (F5). */
  delegates?: boolean;
  terminal?: 'completed' | 'rejected';
  /** Runs with no other call beside it. */
  serial?: boolean;
  /** How long a call of it waits for a person, in ms; then it is rejected (D7). */
  expiresAfterMs?: number;
  /** To call it again and again is no sign of being stuck (B3). */
  repeatable?: boolean;
}

/** What a person is asked by a call (D8). `schema` is the JSON schema of the answer. */
export interface Question {
  /** Names its answer; the questions of one call have different ones. */
  id: string;
  text: string;
  schema: Record<string, unknown>;
  /** Answers to choose from; whether others are taken too, the schema says. */
  options?: readonly QuestionOption[];
  /** Several of the options may be chosen. */
  multiple?: boolean;
  /** Not to be shown while it is typed. The model reads it, and it is recorded, like any answer. */
  secret?: boolean;
}
export interface QuestionOption { label: string; description?: string }

/** One call that this process has to carry out, with what was found out about it when the response came in. */
export interface Call {
  /** Place among the calls of its response; results stand in this order (C3). */
  index: number;
  item: LocalCallItem | HostedApprovalItem;
  name: string;
  callId: string;
  tool: ToolFacts;
  /** The call cannot run: the model gets this text instead (B2, C2, C11). */
  invalid?: { reason: 'json' | 'schema' | 'questions' | 'unknownTool' | 'notRun' | 'budget'; text: string; error?: ErrorRecord };
  /** Arguments as a person changed them on approval (D2). */
  edited?: string;
  /** A person carries the call out, by answering (D8). */
  questions?: readonly Question[];
  /** The same call was completed before: its recorded result stands (C5). */
  recorded?: LocalResultItem;
}

/** A hosted MCP server asks whether one of its tools may run; answered like an approval. */
export interface HostedApprovalItem {
  type: 'hosted_tool_call';
  id?: string;
  name: string;
  arguments?: string;
  status?: string;
  output?: string;
  providerData?: Record<string, any>;
}

export type CallStatus = 'completed' | 'failed' | 'rejected' | 'aborted' | 'skipped';

/** How a call ended, in the form in which the model, the person and the program see it. */
export interface CallResult {
  status: CallStatus;
  item: AgentInputItem;
  /** What the body returned, before it was made text. */
  output?: unknown;
  display?: unknown;
  /** What went wrong, for people and programs; the model reads the item only (C2). */
  error?: ErrorRecord;
  customData?: Record<string, unknown>;
  /** The body was left behind, or lost with its process: it may have had its effect (C8, O3). */
  mayHaveCompleted?: true;
  /** False: the result alone is no reason for another turn (C12). */
  needsFollowUp?: boolean;
}

export interface HandoffCall { item: LocalCallItem & { type: 'function_call' }; toolName: string; target: string }

export type ToolUse = 'run_llm_again' | 'stop_on_first_tool' | { stopAtToolNames: string[] } | 'function';

/** One model response and what the loop has to know about it. Made by the `model` leaf. */
export interface Response {
  items: AgentInputItem[];
  responseId?: string;
  usage: UsageData;
  calls: Call[];
  /** The first handoff of the response wins (F1). */
  handoff?: HandoffCall;
  /** Handoffs that lost; with state kept by the provider they are still owed an answer. */
  ignoredHandoffs?: HandoffCall[];
  /** Input as a filter shaped it, where one is configured: what the session stores (A1). */
  filteredInput?: AgentInputItem[];
  /** Text, or the parsed value of a structured agent; absent when there is none. */
  final?: { output: unknown } | { invalid: string };
  refusal?: string;
  /** Hosted work is still going on (a hosted shell, a container): ask again. */
  openHosted?: boolean;
  toolUse: ToolUse;
  guardsOutput?: boolean;
  concludesTurn?: boolean;
  endsAgent?: boolean;
  /** What was complete of an answer that was cut short: who goes on reads it as one. */
  unread?: true;
  /** What the runtime wrote into the request of this response, after all else: it stands before it. */
  notices?: ItemRecord[];
  /** In US dollars, where prices are known. */
  cost?: number;
  /** No further call can be paid for, or there is no time left for one (B4). */
  spendsBudget?: true;
}

export const NO_USAGE: UsageData = { requests: 0, inputTokens: 0, outputTokens: 0, totalTokens: 0 };
