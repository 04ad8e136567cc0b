/**
 * What a run produced, one object a unit: the wire item as it goes to the model and the session, and beside it what the wire
 * cannot hold: which agent it belongs to, and where it came from.
 */
import type {
  AgentInputItem, AgentOutputItem, ApplyPatchCallResultItem, AssistantMessageItem, CompactionItem, ComputerCallResultItem,
  FunctionCallItem, FunctionCallResultItem, ProgramCallResultItem, ReasoningItem,   ShellCallResultItem, ToolCallItem, ToolSearchCallItem, ToolSearchOutputItem,
} from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import type { RunToolApprovalItem } from './approvalItem.ts';

export type { ApprovableCallItem, ApprovalDetails, RunToolApprovalItem } from './approvalItem.ts';

type AnyAgent = Agent<any, any>; // `any`: an item outlives the types of the agent that made it; the peer's type has it.
type ModelItem = AgentInputItem | AgentOutputItem;

/** Who wrote an item. A `runtime` item is a notice: it is not user input and passes no input guardrail (P4). */
export type ItemOrigin = 'user' | 'agent' | 'tool' | 'mail' | { runtime: string };

/** What a tool told the program, not the model, about one result. */
export type ToolOutputCustomData = Record<string, unknown>;

export type ToolCallOutputRawItem =
  FunctionCallResultItem | ComputerCallResultItem | ShellCallResultItem | ApplyPatchCallResultItem | ProgramCallResultItem;

export type RunItem =
  | RunInputItem | RunMessageOutputItem | RunToolCallItem | RunToolSearchCallItem | RunToolSearchOutputItem | RunReasoningItem
  | RunCompactionItem | RunHandoffCallItem | RunToolCallOutputItem | RunHandoffOutputItem | RunToolApprovalItem;

/** An item as JSON; `origin` only where it is not the usual one of the item's type. */
export interface RunItemJson<TRaw extends ModelItem = ModelItem> {
  type: string;
  rawItem: TRaw;
  origin?: ItemOrigin;
}

/** What all items have in common. `origin` is no own property, so that items print and compare as the peer's do. */
export abstract class RunItemBase<TRaw extends ModelItem = ModelItem> {
  readonly type: string = 'base_item';
  rawItem: TRaw;
  readonly #usualOrigin: ItemOrigin;
  readonly #origin: ItemOrigin;

  constructor(rawItem: TRaw, usualOrigin: ItemOrigin, origin: ItemOrigin = usualOrigin) {
    this.rawItem = rawItem;
    this.#usualOrigin = usualOrigin;
    this.#origin = origin;
  }

  get origin(): ItemOrigin {
    return this.#origin;
  }

  toJSON(): RunItemJson<TRaw> {
    const unusual = this.#origin === this.#usualOrigin ? {} : { origin: this.#origin };
    return { type: this.type, rawItem: this.rawItem, ...unusual };
  }
}

/** @internal An item of one agent. */
export abstract class AgentItem<TRaw extends ModelItem> extends RunItemBase<TRaw> {
  agent: AnyAgent;

  constructor(rawItem: TRaw, agent: AnyAgent, usualOrigin: ItemOrigin, origin?: ItemOrigin) {
    super(rawItem, usualOrigin, origin);
    this.agent = agent;
  }

  override toJSON(): RunItemJson<TRaw> & { agent: { name: string } } {
    return { ...super.toJSON(), agent: { name: this.agent.name } };
  }
}

/** Input that joined the run while it was going or paused. */
export class RunInputItem extends AgentItem<ModelItem> {
  override readonly type = 'input_item' as const;
  inputId: string;

  constructor(rawItem: ModelItem, agent: AnyAgent, inputId: string = globalThis.crypto.randomUUID(), origin?: ItemOrigin) {
    super(rawItem, agent, 'user', origin);
    this.inputId = inputId;
  }

  override toJSON() {
    return { ...super.toJSON(), inputId: this.inputId };
  }
}

/** A message of the model, or one the runtime wrote in its place. */
export class RunMessageOutputItem extends AgentItem<AssistantMessageItem> {
  override readonly type = 'message_output_item' as const;

  constructor(rawItem: AssistantMessageItem, agent: AnyAgent, origin?: ItemOrigin) {
    super(rawItem, agent, 'agent', origin);
  }

  /** The message's text parts, joined; refusals and media are left out. */
  get content(): string {
    return this.rawItem.content.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
  }
}

/** The model calls a tool. */
export class RunToolCallItem extends AgentItem<ToolCallItem> {
  override readonly type = 'tool_call_item' as const;

  constructor(rawItem: ToolCallItem, agent: AnyAgent) {
    super(rawItem, agent, 'agent');
  }

  /** The tool's name as the model wrote it; calls of computer, shell and patch tools have none. */
  get toolName(): string | undefined {
    if (this.rawItem.type === 'program') return 'programmatic_tool_calling';
    return 'name' in this.rawItem ? this.rawItem.name : undefined;
  }

  get callId(): string | undefined {
    return callIdOf(this.rawItem);
  }
}

/** The model looks for tools that were not loaded. */
export class RunToolSearchCallItem extends AgentItem<ToolSearchCallItem> {
  override readonly type = 'tool_search_call_item' as const;

  constructor(rawItem: ToolSearchCallItem, agent: AnyAgent) {
    super(rawItem, agent, 'agent');
  }
}

/** The tools that such a search found. */
export class RunToolSearchOutputItem extends AgentItem<ToolSearchOutputItem> {
  override readonly type = 'tool_search_output_item' as const;

  constructor(rawItem: ToolSearchOutputItem, agent: AnyAgent) {
    super(rawItem, agent, 'tool');
  }
}

/** The result of a call, as the model reads it (`rawItem`) and as the tool returned it (`output`). */
export class RunToolCallOutputItem extends AgentItem<ToolCallOutputRawItem> {
  override readonly type = 'tool_call_output_item' as const;
  /** What the body returned, before it was turned into what the model reads. */
  output: string | unknown;
  declare customData?: ToolOutputCustomData;
  /** `executed` when the body ran; absent for rejections, aborted calls and the like. */
  declare executionStatus?: 'executed';

  constructor(
    rawItem: ToolCallOutputRawItem,
    agent: AnyAgent,
    output: string | unknown,
    customData?: ToolOutputCustomData,
    executionStatus?: 'executed',
    origin?: ItemOrigin,
  ) {
    super(rawItem, agent, 'tool', origin);
    this.output = output;
    if (customData !== undefined) this.customData = customData;
    if (executionStatus !== undefined) this.executionStatus = executionStatus;
  }

  get callId(): string | undefined {
    return callIdOf(this.rawItem);
  }

  override toJSON() {
    return {
      ...super.toJSON(),
      output: asText(this.output),
      ...(this.customData && { customData: this.customData }),
      ...(this.executionStatus && { executionStatus: this.executionStatus }),
    };
  }
}

/** What the model thought. */
export class RunReasoningItem extends AgentItem<ReasoningItem> {
  override readonly type = 'reasoning_item' as const;

  constructor(rawItem: ReasoningItem, agent: AnyAgent) {
    super(rawItem, agent, 'agent');
  }
}

/** Where earlier history was replaced by a shorter form. */
export class RunCompactionItem extends AgentItem<CompactionItem> {
  override readonly type = 'compaction_item' as const;

  constructor(rawItem: CompactionItem, agent: AnyAgent) {
    super(rawItem, agent, 'agent');
  }
}

/** The model asks to hand off. */
export class RunHandoffCallItem extends AgentItem<FunctionCallItem> {
  override readonly type = 'handoff_call_item' as const;

  constructor(rawItem: FunctionCallItem, agent: AnyAgent) {
    super(rawItem, agent, 'agent');
  }
}

/** A handoff took place: from `sourceAgent` to `targetAgent`. */
export class RunHandoffOutputItem extends RunItemBase<FunctionCallResultItem> {
  override readonly type = 'handoff_output_item' as const;
  sourceAgent: AnyAgent;
  targetAgent: AnyAgent;

  constructor(rawItem: FunctionCallResultItem, sourceAgent: AnyAgent, targetAgent: AnyAgent) {
    super(rawItem, 'tool');
    this.sourceAgent = sourceAgent;
    this.targetAgent = targetAgent;
  }

  override toJSON() {
    return {
      ...super.toJSON(),
      sourceAgent: { name: this.sourceAgent.name },
      targetAgent: { name: this.targetAgent.name },
    };
  }
}

/** The text of all message items, joined in order. */
export function extractAllTextOutput(items: readonly RunItem[]): string {
  return items.map((item) => (item.type === 'message_output_item' ? item.content : '')).join('');
}

/** @internal */
export function callIdOf(rawItem: ToolCallItem | ToolCallOutputRawItem): string | undefined {
  return 'callId' in rawItem ? rawItem.callId : rawItem.id;
}

function asText(output: unknown): string {
  if (typeof output === 'string') return output;
  try {
    return JSON.stringify(output) ?? String(output);
  } catch {
    return String(output); // Expected for what JSON cannot hold: cycles and bigints.
  }
}
