/** What tools, guardrails, hooks and instructions are given of a run: the caller's own context, the usage and the decisions. */
import { ApprovalLedger, type ApprovalDecision, type ApprovalQuery, type ApprovalRecord } from './approvalLedger.ts';
import type { RunToolApprovalItem } from './items.ts';
import type { ToolApproval } from './toolTypes.ts';
import { Usage } from './usage.ts';

export type { ApprovalDecision, ApprovalQuery, ApprovalRecord };

/** The type of a context nobody has described. */
export type UnknownContext = unknown;

export interface RunContextJson {
  context: any; // Whatever the caller put there; the peer's type has it.
  usage: Usage;
  /** By tool name, over all agents. */
  approvals: Record<string, ApprovalRecord>;
  toolInput?: unknown;
}

/**
 * The context of one run. All agents of the run, nested ones included, see the same `context` and `usage`.
 *
 * @example
 * ```ts
 * import { RunContext } from 'loopchart';
 *
 * const runContext = new RunContext({ userId: 'u_1' });
 * console.log(runContext.context.userId, runContext.usage.totalTokens); // u_1 0
 * console.log(runContext.isToolApproved({ toolName: 'refund', callId: 'call_1' })); // undefined
 * ```
 */
export class RunContext<TContext = UnknownContext> {
  /** The object given to `run` as `context`; never copied, never sent to the model. Without one, an empty object. */
  context: TContext;
  /** The run's usage so far; it grows while a stream is read. */
  usage: Usage = new Usage();
  /** The structured input of the nested run this context belongs to, if any. */
  declare toolInput?: unknown;
  /** Present while a body runs again that had asked for approval itself; `reason` is what it gave then (D9). */
  declare approval?: ToolApproval;
  #approvals = new ApprovalLedger();

  constructor(context: TContext = {} as TContext) {
    // The cast is the peer's promise too: who declares a TContext is expected to pass one.
    this.context = context;
  }

  /** `true` approved, `false` rejected, `undefined` not decided. A decision about this very call beats an *always* (D2). */
  isToolApproved(approval: ApprovalQuery): boolean | undefined {
    return this.#approvals.find(approval)?.approved;
  }

  /**
   * Approves one call, or with `alwaysApprove` every call of this tool by this agent, as long as the run and its resumes last.
   * @throws ModelBehaviorError when the call has no id.
   */
  approveTool(approvalItem: RunToolApprovalItem, { alwaysApprove = false }: { alwaysApprove?: boolean } = {}): void {
    this.#approvals.decide(approvalItem, { approved: true }, alwaysApprove);
  }

  /**
   * Rejects one call, or with `alwaysReject` every call of this tool by this agent. `message` is what the model reads.
   * @throws ModelBehaviorError when the call has no id.
   */
  rejectTool(
    approvalItem: RunToolApprovalItem,
    { alwaysReject = false, message }: { alwaysReject?: boolean; message?: string } = {},
  ): void {
    this.#approvals.decide(approvalItem, { approved: false, message }, alwaysReject);
  }

  /** The message given with the rejection that applies to the call; `undefined` if none does or it had none. */
  getRejectionMessage(
    toolName: string,
    callId: string,
    options: { functionTool?: boolean; agentName?: string; serverLabel?: string } = {},
  ): string | undefined {
    const { agentName, serverLabel } = options;
    return this.#approvals.find({ toolName, callId, agentName, serverLabel })?.message;
  }

  /** Every decision that holds, as JSON and without loss; {@link restoreDecisions} takes them back. */
  get decisions(): readonly ApprovalDecision[] {
    return this.#approvals.decisions;
  }

  /** Adds saved decisions; each replaces one about the same. */
  restoreDecisions(decisions: readonly ApprovalDecision[]): void {
    this.#approvals.restore(decisions);
  }

  /** A context for one call or nested run: the same `context`, usage and decisions, but its own `toolInput` and `approval`. */
  forCall({ toolInput, approval }: { toolInput?: unknown; approval?: ToolApproval } = {}): RunContext<TContext> {
    const derived = new RunContext(this.context);
    derived.usage = this.usage;
    derived.#approvals = this.#approvals;
    if (toolInput !== undefined) derived.toolInput = toolInput;
    if (approval !== undefined) derived.approval = approval;
    return derived;
  }

  toJSON(): RunContextJson {
    return {
      context: this.context,
      usage: this.usage,
      approvals: this.#approvals.byTool(),
      ...(this.toolInput !== undefined && { toolInput: this.toolInput }),
    };
  }
}
