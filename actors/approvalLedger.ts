/** The decisions of people about calls. *Always* holds for one tool of one agent; a decision about one call beats it (D2). */
import { ModelBehaviorError } from './errors.ts';
import type { RunToolApprovalItem } from './items.ts';

/** The calls one *always* covers. */
export interface ApprovalScope {
  agentName: string;
  toolName: string;
  /** The MCP server of a hosted tool, so that *always* does not reach its namesake on another server. */
  serverLabel?: string;
}

/** One decision as data. Without `callId` it is an *always*. */
export interface ApprovalDecision extends ApprovalScope {
  callId?: string;
  approved: boolean;
  message?: string;
}

/** Which call is asked about. */
export interface ApprovalQuery {
  toolName: string;
  callId: string;
  /** Without it the decisions of all agents count, and a rejection by any beats an approval by any. */
  agentName?: string;
  serverLabel?: string;
}

/** The decisions about one tool in the peer's form: `true` for always, or the ids decided one by one. */
export interface ApprovalRecord {
  approved: boolean | string[];
  rejected: boolean | string[];
  messages?: Record<string, string>;
  stickyRejectMessage?: string;
}

/** The decisions that hold; a newer one replaces an older one about the same. */
export class ApprovalLedger {
  readonly #byKey = new Map<string, ApprovalDecision>();

  get decisions(): readonly ApprovalDecision[] {
    return [...this.#byKey.values()];
  }

  /**
   * An *always* is also a decision about the call it was made on, which a later, opposite *always* leaves alone.
   * @throws ModelBehaviorError when the call has no id to keep the decision under.
   */
  decide(item: RunToolApprovalItem, verdict: { approved: boolean; message?: string }, always: boolean): void {
    const scope = scopeOf(item);
    const callId = callIdOf(item);
    if (!callId) {
      throw new ModelBehaviorError(
        `The call of "${scope.toolName}" has no id, so a decision about it cannot be kept. The model must give every call an id.`,
      );
    }
    const { approved, message } = verdict;
    const decision = { ...scope, approved, ...(message !== undefined && { message }) };
    this.restore(always ? [decision, { ...decision, callId }] : [{ ...decision, callId }]);
  }

  restore(decisions: readonly ApprovalDecision[]): void {
    for (const decision of decisions) this.#byKey.set(keyOf(decision), decision);
  }

  find(query: ApprovalQuery): ApprovalDecision | undefined {
    const { agentName, ...call } = query;
    if (this.#byKey.size === 0) return undefined;
    if (agentName === undefined) return this.#findOfAnyAgent(call);
    const scope = { agentName, toolName: call.toolName, serverLabel: call.serverLabel };
    return this.#byKey.get(keyOf({ ...scope, callId: call.callId })) ?? this.#byKey.get(keyOf(scope));
  }

  /** A wrongly rejected call can be asked again; a wrongly approved one cannot be undone. So rejections win here. */
  #findOfAnyAgent(call: { toolName: string; callId: string; serverLabel?: string }): ApprovalDecision | undefined {
    const ofTool = this.decisions.filter(
      ({ toolName, serverLabel }) =>
        toolName === call.toolName && (call.serverLabel === undefined || serverLabel === call.serverLabel),
    );
    const exact = ofTool.filter(({ callId }) => callId === call.callId);
    const applicable = exact.length > 0 ? exact : ofTool.filter(({ callId }) => callId === undefined);
    return applicable.find(({ approved }) => !approved) ?? applicable[0];
  }

  byTool(): Record<string, ApprovalRecord> {
    const records = new Map<string, ApprovalRecord>();
    for (const decision of this.#byKey.values()) {
      const record = records.get(decision.toolName) ?? { approved: [], rejected: [] };
      records.set(decision.toolName, withDecision(record, decision));
    }
    return Object.fromEntries(records); // Defines own properties, so that a tool may be called `__proto__`.
  }
}

function withDecision(record: ApprovalRecord, { approved, callId, message }: ApprovalDecision): ApprovalRecord {
  const added = approved
    ? { ...record, approved: callId === undefined || withId(record.approved, callId) }
    : { ...record, rejected: callId === undefined || withId(record.rejected, callId) };
  if (approved || message === undefined) return added;
  if (callId === undefined) return { ...added, stickyRejectMessage: message };
  return { ...added, messages: Object.fromEntries([...Object.entries(record.messages ?? {}), [callId, message]]) };
}

function withId(decided: boolean | string[], callId: string): boolean | string[] {
  return Array.isArray(decided) ? [...decided, callId] : decided;
}

/** JSON, so that no name can imitate another scope; call ids and names come from models. */
function keyOf({ agentName, toolName, serverLabel, callId }: ApprovalScope & { callId?: string }): string {
  return JSON.stringify([agentName, toolName, serverLabel ?? null, callId ?? null]);
}

function scopeOf({ agent, name, rawItem }: RunToolApprovalItem): ApprovalScope {
  const request = mcpRequestIn(rawItem);
  return {
    agentName: agent.name,
    toolName: request?.name ?? name ?? rawItem.type,
    ...(request?.server_label !== undefined && { serverLabel: request.server_label }),
  };
}

function callIdOf({ rawItem }: RunToolApprovalItem): string | undefined {
  return mcpRequestIn(rawItem)?.id ?? ('callId' in rawItem ? rawItem.callId : rawItem.id);
}

/** A hosted MCP tool waits under the name of the request; the tool it wants to call is in the provider's part. */
function mcpRequestIn(rawItem: RunToolApprovalItem['rawItem']): { id?: string; name?: string; server_label?: string } | undefined {
  const request = rawItem.type === 'hosted_tool_call' ? rawItem.providerData : undefined;
  return request?.type === 'mcp_approval_request' ? request : undefined;
}
