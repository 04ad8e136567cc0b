/** What a run has brought so far, read off its actors. */
import type { AgentContext } from '../machines/agent.ts';
import { isCall, itemsOfTurn, recordsOfTurn } from '../machines/history.ts';
import type { Response } from '../machines/protocol/call.ts';
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { CarriedTurn, GuardrailResult, ItemRecord } from '../machines/protocol/outcome.ts';
import type { RunContext } from '../machines/run.ts';
import type { TurnContext } from '../machines/turn.ts';

export interface Progress {
  agent: string;
  turns: number;
  maxTurns: number | null;
  history: AgentInputItem[];
  generated: ItemRecord[];
  inputGuardrails: GuardrailResult[];
  /** It began with an approval policy (M8). */
  hasPolicy?: true;
}

/** Of an actor, read by context and children only. */
export interface Snapshot { context: unknown; children: Record<string, { getSnapshot(): Snapshot } | undefined> }

const NOTHING: Progress = { agent: '', turns: 0, maxTurns: null, history: [], generated: [], inputGuardrails: [] };

export function progressOf(root: unknown): Progress {
  const snapshot = root as Snapshot | undefined; // the run chart's own snapshot, read by context and children only
  if (!snapshot) return NOTHING;
  const run = snapshot.context as RunContext;
  const progress: Progress = {
    agent: run.agent,
    turns: run.turns,
    maxTurns: run.maxTurns,
    history: run.conversation.history,
    generated: run.conversation.generated,
    inputGuardrails: Object.values(run.guardrails.results),
    ...(run.prepared?.hasPolicy && { hasPolicy: true }),
  };
  const agent = snapshot.children[`agent.${run.activation}`]?.getSnapshot();
  if (!agent || !run.agentAlive) return withCarried(progress, run.conversation.carried);
  const activation = agent.context as AgentContext;
  const later: Progress = { ...progress, turns: activation.turns, history: activation.conversation.history.toArray(), generated: run.conversation.generated.concat(activation.conversation.generated.toArray()) };
  const turn = activation.turnAlive ? agent.children[`turn.${activation.turns}`]?.getSnapshot() : undefined;
  if (!turn) return withCarried(later, activation.carried);
  const { response, results } = turn.context as TurnContext;
  return {
    ...later,
    history: later.history.concat(answeredItems(response, results)),
    generated: later.generated.concat(recordsOfTurn(run.agent, response, results)),
  };
}

/** The run was started with a session, and saves to it. */
export const savesToSession = (root: unknown) => (root as { context: RunContext } | undefined)?.context.prepared?.session === true;

/** A call that still waits for its result is no history yet: what a model reads has both, or neither (G3). */
function answeredItems(response: Response | null, results: TurnContext['results']): AgentInputItem[] {
  if (!response) return [];
  const open = new Set(response.calls.filter((call) => !results[call.index]).map((call) => call.callId));
  if (response.handoff) open.add(response.handoff.item.callId);
  return itemsOfTurn(response, results).filter((item) => !(isCall(item) && open.has(item.callId)));
}

/** A turn that could not be finished is part of the story, though not yet of the history (K5). */
function withCarried(progress: Progress, carried: CarriedTurn | null): Progress {
  if (!carried) return progress;
  return {
    ...progress,
    history: progress.history.concat(answeredItems(carried.response, carried.results)),
    generated: progress.generated.concat(recordsOfTurn(progress.agent, carried.response, carried.results)),
  };
}
