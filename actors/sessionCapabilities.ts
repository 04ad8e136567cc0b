/** What a session may be able to do besides keeping items, and how to find out. */
import type { AgentInputItem, FunctionCallItem } from '../machines/protocol/item.ts';
import type { OpenAIResponsesCompactionAwareSession, Session } from './ports.ts';
import type { RunContext } from './runContext.ts';

type Promisable<T> = T | Promise<T>;

/** A session that is given the context of the run with every access to its history. */
export interface RunContextAwareSession<TContext = unknown> extends Session {
  readonly acceptsRunContext: true;
  getItems(limit?: number, runContext?: RunContext<TContext>): Promise<AgentInputItem[]>;
  addItems(items: AgentInputItem[], runContext?: RunContext<TContext>): Promise<void>;
  replaceHistoryWithCompaction?(items: AgentInputItem[], runContext?: RunContext<TContext>): Promise<void>;
  popItem(runContext?: RunContext<TContext>): Promise<AgentInputItem | undefined>;
  clearSession(runContext?: RunContext<TContext>): Promise<void>;
}

// Stored history is never rewritten here (G3), and a batch is saved once, so the loop asks for none of the following. They are
// there for sessions that serve the Agents SDK too.

export type SessionHistoryMutation = { type: 'replace_function_call'; callId: string; replacement: FunctionCallItem };
export type SessionHistoryRewriteArgs = { mutations: SessionHistoryMutation[] };
export interface SessionHistoryRewriteAwareSession extends Session {
  applyHistoryMutations(args: SessionHistoryRewriteArgs): Promisable<void>;
}

export type SessionHistoryAppendItemsTransaction = { type: 'append_items'; items: AgentInputItem[] };
export type SessionHistoryReplaceSuffixTransaction = { type: 'replace_suffix'; expectedSuffix: AgentInputItem[]; replacement: AgentInputItem[] };
export type SessionHistoryTransaction = SessionHistoryAppendItemsTransaction | SessionHistoryReplaceSuffixTransaction;
/** `operationId` is the same when a transaction is tried again. */
export type SessionHistoryTransactionArgs = { operationId: string; transaction: SessionHistoryTransaction };
export interface SessionHistoryTransactionAwareSession extends Session {
  applyHistoryTransaction(args: SessionHistoryTransactionArgs, runContext?: RunContext<any>): Promisable<void>; // `any`: a session serves runs of any context
}

export interface OpenAIResponsesCompactionOwnershipAwareSession extends OpenAIResponsesCompactionAwareSession {
  getItemsWithCompactionOwnership(runContext?: RunContext<any>): Promise<{ items: AgentInputItem[]; ownership: object }>; // `any`: as above
  addItemsWithCompactionOwnership(items: AgentInputItem[], ownership: object | null, runContext?: RunContext<any>): Promise<void>; // `any`: as above
}

/** A session that is to be given the context of the run. */
export function isRunContextAwareSession(session: Session | undefined): session is RunContextAwareSession {
  return session !== undefined && 'acceptsRunContext' in session && session.acceptsRunContext === true;
}

/** A session that can shorten itself when asked; asked after each save (G4). */
export function isOpenAIResponsesCompactionAwareSession(session: Session | undefined): session is OpenAIResponsesCompactionAwareSession {
  return hasMethod(session, 'runCompaction');
}

/** A session that ties a compaction to the read before it. */
export function isOpenAIResponsesCompactionOwnershipAwareSession(
  session: Session | undefined,
): session is OpenAIResponsesCompactionOwnershipAwareSession {
  const owns = hasMethod(session, 'getItemsWithCompactionOwnership') && hasMethod(session, 'addItemsWithCompactionOwnership');
  return owns && isOpenAIResponsesCompactionAwareSession(session);
}

/** A session that can replace stored calls. */
export function isSessionHistoryRewriteAwareSession(session: Session | undefined): session is SessionHistoryRewriteAwareSession {
  return hasMethod(session, 'applyHistoryMutations');
}

/** A session that changes its history in transactions which may be tried again. */
export function isSessionHistoryTransactionAwareSession(session: Session | undefined): session is SessionHistoryTransactionAwareSession {
  return hasMethod(session, 'applyHistoryTransaction');
}

/**
 * The items with each call replaced as asked; a call that stands there more than once is kept once. The items given stay as they are.
 *
 * @example
 * ```ts
 * import { applySessionHistoryMutations } from 'loopchart';
 *
 * const call = { type: 'function_call' as const, callId: 'c1', name: 'add', status: 'completed' as const, arguments: '{}' };
 * const replacement = { ...call, arguments: '{"a":1}' };
 * const [changed] = applySessionHistoryMutations([call], [{ type: 'replace_function_call', callId: 'c1', replacement }]);
 * console.log(changed); // the replacement
 * ```
 */
export function applySessionHistoryMutations(items: AgentInputItem[], mutations: SessionHistoryMutation[]): AgentInputItem[] {
  return mutations.reduce((history, { callId, replacement }) => {
    const isCall = (item: AgentInputItem) => item.type === 'function_call' && item.callId === callId;
    const first = history.findIndex(isCall);
    return history.flatMap((item, index) => (!isCall(item) ? [item] : index === first ? [structuredClone(replacement)] : []));
  }, structuredClone(items));
}

function hasMethod(session: Session | undefined, name: string): boolean {
  return session !== undefined && typeof (session as unknown as Record<string, unknown>)[name] === 'function'; // asked of what may not have it
}
