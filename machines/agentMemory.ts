/** What an activation of an agent remembers, and how each turn changes it. Pure functions; the chart decides when. */
import { itemsOfTurn, notice } from './history.ts';
import type { InterruptReason, PendingInput } from './protocol/command.ts';
import type { Failure } from './protocol/failure.ts';
import type { AgentInputItem, AssistantMessageItem } from './protocol/item.ts';
import type {
  AgentOutcome,
  CarriedTurn,
  Completion,
  ErrorKind,
  ItemRecord,
  ServerState,
  TurnOutcome,
} from './protocol/outcome.ts';
import type { TurnInput } from './turn.ts';

export interface AgentInput {
  path: string;
  agent: string;
  history: AgentInputItem[];
  /** Items that the session does not hold yet, oldest first. */
  unsaved: AgentInputItem[];
  /** Turns of the run so far, over all agents. */
  turns: number;
  maxTurns: number | null;
  emptyStreak: number;
  softStop: boolean;
  gateOpen: boolean;
  pendingInput: PendingInput[];
  session: boolean;
  server?: ServerState;
  errorHandlers: ErrorKind[];
  carried: CarriedTurn | null;
}

export interface AgentContext extends AgentInput {
  generated: ItemRecord[];
  turnAlive: boolean;
  last: TurnOutcome | null;
  final: { output: unknown; how: Completion; fromTool: boolean; endsAgent: boolean } | null;
  interrupt: { reason: InterruptReason; notice: boolean } | null;
  conclusion: { status: AgentOutcome['status']; failure?: Failure } | null;
  saves: number;
  /** This agent has called a tool (A7). */
  usedTools: boolean;
}

export const exhausted = ({ maxTurns, turns }: AgentContext) => maxTurns !== null && turns >= maxTurns;
export const canGoOn = (context: AgentContext) => !context.softStop && !exhausted(context);

/** A carried turn was counted when its request was sent; any other is a new one (B1). */
export const nextTurn = ({ carried, turns }: AgentContext) => (carried ? turns : turns + 1);

export function turnInput(context: AgentContext): TurnInput {
  const { agent, history, server, gateOpen, usedTools, carried } = context;
  const turn = nextTurn(context);
  const first = context.generated.length === 0 && context.last === null;
  return { path: `${context.path}/turn.${turn}`, agent, turn, first, history, unsaved: context.unsaved.length, server, gateOpen, usedTools, carried: carried ?? undefined };
}

/** Steers become messages of their own, in order (L4). */
export function deliverInput(context: AgentContext): Partial<AgentContext> {
  const items = context.pendingInput.map((input) => input.item);
  const records = items.map((rawItem): ItemRecord => ({ type: 'input_item', rawItem, agent: context.agent }));
  return {
    history: context.history.concat(items),
    generated: context.generated.concat(records),
    unsaved: context.session ? context.unsaved.concat(items) : context.unsaved,
    pendingInput: [],
  };
}

export function recordTurn(context: AgentContext, turn: TurnOutcome): Partial<AgentContext> {
  const unfinished = turn.next === 'suspended' || turn.next === 'failed';
  const changes: Partial<AgentContext> = {
    turnAlive: false,
    last: turn,
    turns: wasSent(turn) ? context.turns : context.turns - 1,
    emptyStreak: turn.next === 'empty' ? context.emptyStreak + 1 : 0,
    usedTools: context.usedTools || (turn.response?.calls.length ?? 0) > 0,
  };
  const items = itemsOfTurn(turn.response, turn.results);
  if (items.length === 0) return changes;
  if (context.session) changes.unsaved = (turn.response?.filteredInput ?? context.unsaved).concat(unsavedOf(context, turn, items));
  if (unfinished && turn.response) return { ...changes, carried: { response: turn.response, results: turn.results } };
  changes.history = context.history.concat(items);
  changes.generated = context.generated.concat(turn.records);
  if (context.server) changes.server = advance(context.server, turn, context.history.length);
  return changes;
}

/** The items that were written are no longer owed; what came meanwhile still is. */
export function keepSaved(context: AgentContext, saved: number): Partial<AgentContext> {
  const carried = context.carried && { ...context.carried, saved: true };
  return { unsaved: context.unsaved.slice(saved), saves: context.saves + 1, carried };
}

/** What the failure leaves behind: an output that came too late to be saved is not lost (G1). */
export function conclude(context: AgentContext, failure: Failure): Partial<AgentContext> {
  if (context.conclusion?.status === 'failed') return {};
  const withOutput = context.final && failure.code === 'session' ? { ...failure, detail: { ...failure.detail, output: context.final.output } } : failure;
  return { conclusion: { status: 'failed', failure: withOutput } };
}

/** A trip hides what came after the input (E2); an end that was reached before the interrupt stands (B4). */
export function concludeInterrupted(context: AgentContext): Partial<AgentContext> {
  const { interrupt, conclusion } = context;
  if (conclusion) return {};
  const interrupted: Partial<AgentContext> = { conclusion: { status: 'interrupted' } };
  if (interrupt?.reason === 'tripwire' || !context.gateOpen) return { ...interrupted, unsaved: [] };
  if (!interrupt?.notice) return interrupted;
  const record = notice(context.agent, 'interrupted', INTERRUPTED_NOTICE);
  return {
    ...interrupted,
    history: context.history.concat(record.rawItem),
    generated: context.generated.concat(record),
    unsaved: context.session ? context.unsaved.concat(record.rawItem) : context.unsaved,
  };
}

export function finalOf({ last }: AgentContext): AgentContext['final'] {
  const fromTool = last?.finalFromTool === true;
  return { output: last?.finalOutput, how: fromTool ? 'terminalTool' : 'answered', fromTool, endsAgent: last?.response?.endsAgent === true };
}

/** The app supplied the final output in place of an error. */
export function handled(
  context: AgentContext,
  value: { finalOutput: unknown; includeInHistory: boolean; endsAgent?: boolean },
): Partial<AgentContext> {
  const final = { output: value.finalOutput, how: 'handler' as const, fromTool: false, endsAgent: value.endsAgent === true };
  if (!value.includeInHistory) return { final };
  const text = typeof value.finalOutput === 'string' ? value.finalOutput : JSON.stringify(value.finalOutput);
  const rawItem: AssistantMessageItem = { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] };
  return {
    final,
    history: context.history.concat(rawItem),
    generated: context.generated.concat({ type: 'message_output_item', rawItem, agent: context.agent }),
    unsaved: context.session ? context.unsaved.concat(rawItem) : context.unsaved,
  };
}

/** The message is dropped; the result of a tool keeps its place and loses its text (E3). */
export function withholdOutput(context: AgentContext, withheld = WITHHELD): Partial<AgentContext> {
  const messages = new Set<unknown>(messagesOf(context));
  const results = new Set<unknown>(context.final?.fromTool ? Object.values(context.last?.results ?? {}).map((result) => result.item) : []);
  const keep = (item: AgentInputItem) => !messages.has(item);
  const hide = (item: AgentInputItem) => (results.has(item) && item.type === 'function_call_result' ? { ...item, output: { type: 'text' as const, text: withheld } } : item);
  return {
    history: context.history.filter(keep).map(hide),
    unsaved: context.unsaved.filter(keep).map(hide),
    generated: context.generated.filter((record) => keep(record.rawItem)).map((record) => withhold(record, hide(record.rawItem), withheld)),
  };
}

export function outcomeOf(context: AgentContext): AgentOutcome {
  const { conclusion, final, last } = context;
  const outcome: AgentOutcome = {
    status: conclusion?.status ?? 'failed',
    history: context.history,
    generated: context.generated,
    lastTurn: last?.records.length ?? 0,
    unsaved: context.unsaved,
    turns: context.turns,
    emptyStreak: context.emptyStreak,
    softStop: context.softStop,
    undelivered: context.pendingInput,
  };
  if (conclusion?.failure) outcome.failure = conclusion.failure;
  if (conclusion?.status === 'completed' && final) Object.assign(outcome, { how: final.how, output: final.output });
  if (conclusion?.status === 'handoff') outcome.handoff = last!.response!.handoff!;
  if (context.server) outcome.server = context.server;
  if (context.carried) outcome.carried = context.carried;
  return outcome;
}

const INTERRUPTED_NOTICE =
  'The previous run was interrupted on purpose. Calls that were cut short may have had part of their effect.';
const WITHHELD = 'Output withheld by an output guardrail.';

/** A turn whose request never left does not count (B1). */
const wasSent = (turn: TurnOutcome) => turn.response !== null || (turn.next !== 'suspended' && turn.failure?.sent !== false);

/** What the session already has of a carried turn is not written twice (G1). */
function unsavedOf({ carried }: AgentContext, turn: TurnOutcome, items: AgentInputItem[]): AgentInputItem[] {
  if (!carried?.saved) return items;
  const known = new Set(Object.keys(carried.results));
  return Object.entries(turn.results).filter(([index]) => !known.has(index)).map(([, result]) => result.item);
}

/** The provider has our input and its own answer; results are still ours to send (G2). */
function advance(server: ServerState, turn: TurnOutcome, before: number): ServerState {
  const known = before + (turn.response?.items.length ?? 0);
  const id = turn.response?.responseId;
  const chains = server.conversationId === undefined && (server.auto || server.previousResponseId !== undefined);
  return chains && id !== undefined ? { ...server, known, previousResponseId: id } : { ...server, known };
}

function messagesOf({ final, last }: AgentContext): AgentInputItem[] {
  if (final?.how === 'handler' || final?.fromTool) return [];
  return (last?.response?.items ?? []).filter((item) => 'role' in item && item.role === 'assistant');
}

function withhold(record: ItemRecord, rawItem: AgentInputItem, output: string): ItemRecord {
  return record.rawItem === rawItem ? record : { ...record, rawItem, output };
}
