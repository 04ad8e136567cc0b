/** What comes before the first turn and what stays after each: the session, and all that a run has to know at its start. */
import { fromLastCompaction } from '../../machines/compaction.ts';
import { wellFormed } from '../../machines/history.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { Configuration, PendingInput } from '../../machines/protocol/command.ts';
import { ERROR_KINDS, type PreparedRun, type RunInput, type RunOutcome } from '../../machines/protocol/outcome.ts';
import { STUCK_THRESHOLDS, type StuckThresholds } from '../../machines/stuck.ts';
import { UserError } from '../errors.ts';
import type { EffectIo } from '../host.ts';
import type { Session } from '../ports.ts';
import type { RunErrorHandlers } from '../runOptions.ts';
import { canonical } from '../fingerprint.ts';
import { type AnyAgent, type RunScope, ok } from '../scope.ts';
import { isOpenAIResponsesCompactionAwareSession, isRunContextAwareSession } from '../sessionCapabilities.ts';
import { RequestUsage, Usage, type UsageData } from '../usage.ts';
import { hasInputGuardrails, inputGuardrailsOf } from './guardrails.ts';

export const MAX_TURNS = 10;

/** For which errors the app may supply an output. */
const handledKinds = (handlers: RunErrorHandlers<any, any>) => ERROR_KINDS.filter((kind) => handlers[kind] ?? handlers.default); // `any`: as in the options

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
    ...steeringOf(scope, agent),
  };
  if (scope.hasPolicy) run.hasPolicy = true;
  const limit = compactionLimit(scope);
  if (limit !== undefined && !scope.serverManaged) run.compaction = { limit };
  if (scope.serverManaged) {
    run.server = { known: 0, auto: options.autoPreviousResponseId ?? false };
    if (options.conversationId !== undefined) run.server.conversationId = options.conversationId;
    if (options.previousResponseId !== undefined) run.server.previousResponseId = options.previousResponseId;
  }
  return run;
}

/** What leads the loop on besides the model; each only where it is asked for. */
function steeringOf(scope: RunScope, agent: AnyAgent): Partial<PreparedRun> {
  const steering: Partial<PreparedRun> = {};
  if (hasInputGuardrails(scope, agent)) steering.screensInput = true;
  if (scope.options.stopHooks?.length) steering.stopHooks = true;
  if (scope.option('finalTurn')) steering.finalTurn = true;
  const thresholds = stuckThresholds(scope.option('stuckDetection'));
  if (thresholds) steering.stuckDetection = thresholds;
  return steering;
}

/** What the app says anew about a run that it goes on with; what it does not mention stands. */
export function saidAnew(scope: RunScope): Configuration | undefined {
  const { maxTurns, errorHandlers, stopHooks, budget } = scope.options;
  const [finalTurn, stuckDetection] = [scope.option('finalTurn'), stuckThresholds(scope.option('stuckDetection'))];
  const said: Configuration = {
    type: 'configure',
    ...(maxTurns !== undefined && { maxTurns }),
    ...(errorHandlers && { errorHandlers: handledKinds(errorHandlers) }),
    ...(stopHooks && { stopHooks: stopHooks.length > 0 }),
    ...(finalTurn !== undefined && { finalTurn }),
    ...(stuckDetection && { stuckDetection }),
    ...(budget && { budget }),
  };
  return Object.keys(said).length > 1 ? said : undefined;
}

function stuckThresholds(wanted: RunScope['options']['stuckDetection']): StuckThresholds | undefined {
  if (!wanted) return undefined;
  const thresholds = { ...STUCK_THRESHOLDS, ...(wanted === true ? {} : wanted) };
  for (const [name, times] of Object.entries(thresholds)) {
    if (!Number.isInteger(times) || times < 2) throw new UserError(`stuckDetection.${name} must be a whole number of at least 2; got ${times}.`);
  }
  return thresholds;
}

const THRESHOLD = 0.9;

/** In tokens; nothing where the window is not known, and nothing is shortened by itself. */
function compactionLimit(scope: RunScope): number | undefined {
  const { contextWindow, threshold = THRESHOLD } = scope.option('compaction') ?? {};
  return contextWindow === undefined ? undefined : Math.floor(contextWindow * threshold);
}

/** What a run starts from that goes on where another ended. Guardrails that have passed its input do not look again (E1). */
export function continued(scope: RunScope, outcome: RunOutcome, staged: PendingInput[] = []): PreparedRun {
  const base = prepared(scope, scope.agent(outcome.agent), { history: outcome.history, input: [] });
  const { generated, turns, carried: turn, unsaved, undelivered } = outcome;
  const kept = outcome.status === 'stopped' ? undelivered : []; // any other outcome has given it back (P2)
  const carried = { generated, turns, turn, unsaved, pendingInput: [...kept, ...staged] };
  const guards = outcome.unguarded ? {} : { blocking: [], parallel: [] };
  const compaction = base.compaction && outcome.size !== undefined ? { compaction: { ...base.compaction, size: outcome.size } } : {};
  return { ...base, ...guards, ...compaction, server: outcome.server ?? base.server, carried };
}

/** What a run that goes on from another has in common with it and cannot find in its own journal. */
export function before({ runContext, originalInput, ledger }: RunScope): RunInput['before'] {
  const spent = ledger.limits ? { spent: ledger.leaves(0) } : {};
  const known = { usage: new Usage(runContext.usage), decisions: runContext.decisions, ...spent };
  return originalInput === undefined ? known : { ...known, input: originalInput };
}

/** Earlier conversation and new input become one (G1). */
export async function prepareWithSession(scope: RunScope, agent: AnyAgent, given: AgentInputItem[], io: EffectIo): Promise<RecordedOutcome> {
  try {
    const { session } = scope.options;
    if (!session) return ok(prepared(scope, agent, { history: wellFormed(given), input: given }));
    if (scope.serverManaged) warnUnwritten(session);
    const stored = await load(scope, session);
    const history = fromLastCompaction(stored);
    const begun = (input: { history: AgentInputItem[]; input: AgentInputItem[] }) => ok({ ...prepared(scope, agent, input), sessionLength: stored.length });
    const merge = scope.option('sessionInputCallback');
    if (!merge) return begun({ history: wellFormed([...history, ...given]), input: given });
    const merged: unknown = await merge(history.slice(), given.slice());
    if (!Array.isArray(merged)) throw new UserError('sessionInputCallback must return the list of items that the model is to read.');
    const known = new Set<unknown>(history);
    const items = merged as AgentInputItem[];
    return begun({ history: wellFormed(items), input: items.filter((item) => !known.has(item)) });
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

export async function save(scope: RunScope, input: { items: AgentInputItem[]; hadLocalResults: boolean }, io: EffectIo): Promise<RecordedOutcome> {
  const session = scope.options.session!; // only a run that has one saves
  try {
    const stored = io.begunAt === undefined ? 0 : storedBefore(await load(scope, session), input.items, scope.sessionLength);
    const items = input.items.slice(stored);
    if (items.length > 0) await (isRunContextAwareSession(session) ? session.addItems(items, scope.runContext) : session.addItems(items));
    return ok({ saved: input.items.length, ...(await compact(scope, session, input.hadLocalResults)) });
  } catch (error) {
    return scope.failure('session', error, io.effectId);
  }
}

/**
 * How many items of the batch a process that is gone has stored: the longest beginning of it with which the session ends (O8). No
 * more than have come since the run last knew the session: what had stood there before may well be equal.
 */
function storedBefore(stored: AgentInputItem[], batch: AgentInputItem[], before = 0): number {
  const written = stored.slice(before).slice(-batch.length).map(canonical);
  const wanted = batch.map(canonical);
  for (let count = written.length; count > 0; count -= 1) {
    if (written.slice(-count).every((item, at) => item === wanted[at])) return count;
  }
  return 0;
}

/** Saved now, or recorded as saved. */
export interface Saved { saved: number; compacted?: true; /** What the compaction has cost. */ usage?: UsageData }

export function keepSaved(scope: RunScope, { effectId, hadLocalResults }: { effectId: string; hadLocalResults: boolean }, { saved, compacted, usage }: Saved): void {
  scope.compactionDeferred = hadLocalResults;
  scope.sessionLength = compacted || scope.sessionLength === undefined ? undefined : scope.sessionLength + saved;
  if (!usage) return;
  scope.runContext.usage.add(new Usage(usage));
  scope.ledger.add(effectId, usage);
}

/** Put off while the turn brought results of our own, and then made up for (G4). */
async function compact(scope: RunScope, session: Session, hadLocalResults: boolean): Promise<Omit<Saved, 'saved'>> {
  if (hadLocalResults || scope.option('compaction') || !isOpenAIResponsesCompactionAwareSession(session)) return {}; // one of the two is enough
  const responseId = scope.rawResponses.at(-1)?.responseId;
  const result = await session.runCompaction(scope.compactionDeferred ? { responseId, force: true } : { responseId });
  return result ? { compacted: true, usage: new Usage({ requests: 1, ...new RequestUsage(result.usage) }) } : { compacted: true };
}
