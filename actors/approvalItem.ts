/** A call that waits for a person, as the app sees it. */
import type { Question } from '../machines/protocol/call.ts';
import type { ApplyPatchCallItem, ComputerUseCallItem, FunctionCallItem, HostedToolCallItem, ShellCallItem } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import { AgentItem, callIdOf } from './items.ts';

type AnyAgent = Agent<any, any>; // `any`: an item outlives the types of the agent that made it; the peer's type has it.

/** A call that can wait for a person. */
export type ApprovableCallItem =
  FunctionCallItem | HostedToolCallItem | ComputerUseCallItem | ShellCallItem | ApplyPatchCallItem;

/** What the loop knows about a wait, beyond the call itself. */
export interface ApprovalDetails {
  /** Stable across resumes; without it, the call's own id. */
  id?: string;
  /** The nested agents and calls on the way from the run to this call, outermost first; empty for the run's own calls. */
  path?: readonly string[];
  /** Milliseconds since the epoch after which the call counts as rejected (D7). */
  expiresAt?: number;
  /** As of the item. */
  uncertain?: boolean;
  questions?: readonly Question[];
  reason?: string;
}

/** A call that waits for a person (D1); one of `result.interruptions`. */
export class RunToolApprovalItem extends AgentItem<ApprovableCallItem> {
  override readonly type = 'tool_approval_item' as const;
  /** The name decisions are kept under. Calls of computer, shell and patch tools do not carry it, so the loop gives it. */
  declare toolName?: string;
  readonly id: string;
  readonly path: readonly string[];
  declare readonly expiresAt?: number;
  /**
   * The call has begun before, and nobody knows whether it had its effect (O3): `state.approve` runs it again, `state.useResult`
   * says what it brought, `state.reject` ends it with a message for the model.
   */
  declare readonly uncertain?: true;
  /** What the call asks: answered with `state.answer`, declined with `state.reject` (D8). */
  declare readonly questions?: readonly Question[];
  /** Why the body asks to be approved before it goes on; `state.approve` runs it again (D9). */
  declare readonly reason?: string;

  constructor(rawItem: ApprovableCallItem, agent: AnyAgent, toolName?: string, details: ApprovalDetails = {}) {
    super(rawItem, agent, 'agent');
    const name = toolName ?? qualifiedNameOf(rawItem);
    if (name !== undefined) this.toolName = name;
    this.id = details.id ?? callIdOf(rawItem) ?? '';
    this.path = details.path ?? [];
    if (details.expiresAt !== undefined) this.expiresAt = details.expiresAt;
    if (details.uncertain) this.uncertain = true;
    if (details.questions) this.questions = details.questions;
    if (details.reason !== undefined) this.reason = details.reason;
  }

  get name(): string | undefined {
    return this.toolName;
  }

  /** JSON text as the model wrote it; calls of computer, shell and patch tools have none. */
  get arguments(): string | undefined {
    return 'arguments' in this.rawItem ? this.rawItem.arguments : undefined;
  }

  override toJSON() {
    return {
      ...super.toJSON(),
      ...(this.toolName !== undefined && { toolName: this.toolName }),
      id: this.id,
      path: this.path,
      ...(this.expiresAt !== undefined && { expiresAt: this.expiresAt }),
      ...(this.uncertain && { uncertain: true }),
      ...(this.questions && { questions: this.questions }),
      ...(this.reason !== undefined && { reason: this.reason }),
    };
  }
}

function qualifiedNameOf(rawItem: ApprovableCallItem): string | undefined {
  // A tool loaded on its own has itself as its namespace.
  if (rawItem.type === 'function_call' && rawItem.namespace && rawItem.namespace !== rawItem.name) {
    return `${rawItem.namespace}.${rawItem.name}`;
  }
  return 'name' in rawItem ? rawItem.name : undefined;
}
