/** What comes before the first turn and what stays after each: the session, and all that a run has to know at its start. */
import { wellFormed } from '../../machines/history.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { PendingInput } from '../../machines/protocol/command.ts';
import { ERROR_KINDS, type PreparedRun, type RunOutcome } from '../../machines/protocol/outcome.ts';
import { UserError } from '../errors.ts';
import type { EffectIo } from '../host.ts';
import type { Session } from '../ports.ts';
import type { RunErrorHandlers } from '../runOptions.ts';
import { type AnyAgent, type RunScope, ok } from '../scope.ts';
import { isOpenAIResponsesCompactionAwareSession, isRunContextAwareSession } from '../sessionCapabilities.ts';
import { RequestUsage, Usage } from '../usage.ts';
import { inputGuardrailsOf } from './guardrails.ts';

export const MAX_TURNS = 10;

/** For which errors the app may supply an output. */
export const handledKinds = (handlers: RunErrorHandlers<any, any>) => ERROR_KINDS.filter((kind) => handlers[kind] ?? handlers.default); // `any`: as in the options

/** Everything about a run that is known before its first turn, as data. */
export function prepared(scope: RunScope, agent: AnyAgent, input: { history: AgentInputItem[]; input: AgentInputItem[] }): PreparedRun {
  const { options } = scope;
  const { blocking, parallel } = inputGuardrailsOf(scope, agent);
  const run: PreparedRun = {
    agent: scope.keyOf(agent),
    history: input.history,
    input: input.input,
    blocking: blocking.map((one) => one.name),
    parallel: parallel.map((one) => one.name),
    maxTurns: options.maxTurns === undefined ? MAX_TURNS : options.maxTurns,
    session: options.session !== undefined && !scope.serverManaged,
    errorHandlers: options.errorHandlers ? handledKinds(options.errorHandlers) : [],
    tellsErrors: scope.listens(agent, 'agent_error'),
  };
  if (scope.serverManaged) {
    run.server = { known: 0, auto: options.autoPreviousResponseId ?? false };
    if (options.conversationId !== undefined) run.server.conversationId = options.conversationId;
    if (options.previousResponseId !== undefined) run.server.previousResponseId = options.previousResponseId;
  }
  return run;
}

/** What a run starts from that goes on where another ended. Its input has been looked at: guardrails do not look again. */
export function continued(scope: RunScope, outcome: RunOutcome, staged: PendingInput[] = []): PreparedRun {
  const base = prepared(scope, scope.agent(outcome.agent), { history: outcome.history, input: [] });
  const { generated, turns, carried: turn, unsaved, undelivered } = outcome;
  const kept = outcome.status === 'stopped' ? undelivered : []; // any other outcome has given it back (P2)
  const carried = { generated, turns, turn, unsaved, pendingInput: [...kept, ...staged] };
  return { ...base, blocking: [], parallel: [], server: outcome.server ?? base.server, carried };
}

/** Earlier conversation and new input become one (G1). */
export async function prepareWithSession(scope: RunScope, agent: AnyAgent, given: AgentInputItem[], io: EffectIo): Promise<RecordedOutcome> {
  try {
    const { session } = scope.options;
    if (!session) return ok(prepared(scope, agent, { history: wellFormed(given), input: given }));
    if (scope.serverManaged) warnUnwritten(session);
    const history = fromLastCompaction(await load(scope, session));
    const merge = scope.option('sessionInputCallback');
    if (!merge) return ok(prepared(scope, agent, { history: wellFormed([...history, ...given]), input: given }));
    const merged: unknown = await merge(history.slice(), given.slice());
    if (!Array.isArray(merged)) throw new UserError('sessionInputCallback must return the list of items that the model is to read.');
    const stored = new Set<unknown>(history);
    const items = merged as AgentInputItem[];
    return ok(prepared(scope, agent, { history: wellFormed(items), input: items.filter((item) => !stored.has(item)) }));
  } catch (error) {
    return scope.failure(error instanceof UserError ? 'user' : 'session', error, io.effectId);
  }
}

function load(scope: RunScope, session: Session): Promise<AgentInputItem[]> {
  return isRunContextAwareSession(session) ? session.getItems(undefined, scope.runContext) : session.getItems();
}

const warned = new WeakSet<Session>();

/** The provider keeps the conversation; two records of one would drift apart (G2). */
function warnUnwritten(session: Session): void {
  if (warned.has(session)) return;
  warned.add(session);
  console.warn('The session is read but not written, because conversationId or previousResponseId leaves the conversation to the provider. Pass only one of them.');
}

function fromLastCompaction(items: AgentInputItem[]): AgentInputItem[] {
  const at = items.findLastIndex((item) => item.type === 'compaction');
  return at > 0 ? items.slice(at) : items;
}

export async function save(scope: RunScope, input: { items: AgentInputItem[]; hadLocalResults: boolean }, io: EffectIo): Promise<RecordedOutcome> {
  const { session } = scope.options;
  try {
    if (isRunContextAwareSession(session)) await session.addItems(input.items, scope.runContext);
    else await session!.addItems(input.items);
    await compact(scope, session!, input.hadLocalResults);
    return ok({ saved: input.items.length });
  } catch (error) {
    return scope.failure('session', error, io.effectId);
  }
}

/** Put off while the turn brought results of our own, and then made up for (G4). */
async function compact(scope: RunScope, session: Session, hadLocalResults: boolean): Promise<void> {
  if (!isOpenAIResponsesCompactionAwareSession(session)) return;
  const responseId = scope.rawResponses.at(-1)?.responseId;
  if (hadLocalResults) {
    scope.compactionDeferred = true;
    return;
  }
  const force = scope.compactionDeferred;
  scope.compactionDeferred = false;
  const result = await session.runCompaction(force ? { responseId, force } : { responseId });
  if (result) scope.runContext.usage.add(new Usage({ requests: 1, ...new RequestUsage(result.usage) }));
}
