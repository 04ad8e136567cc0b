/** What a run has brought so far, read off its actors. */
import type { AgentContext } from '../machines/agent.ts';
import { itemsOfTurn, recordsOfTurn } from '../machines/history.ts';
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { GuardrailResult, ItemRecord } from '../machines/protocol/outcome.ts';
import type { RunContext } from '../machines/run.ts';
import type { TurnContext } from '../machines/turn.ts';

export interface Progress {
  agent: string;
  turns: number;
  maxTurns: number | null;
  history: AgentInputItem[];
  generated: ItemRecord[];
  inputGuardrails: GuardrailResult[];
}

interface Snapshot { context: unknown; children: Record<string, { getSnapshot(): Snapshot } | undefined> }

const NOTHING: Progress = { agent: '', turns: 0, maxTurns: null, history: [], generated: [], inputGuardrails: [] };

export function progressOf(root: unknown): Progress {
  const snapshot = root as Snapshot | undefined; // the run chart's own snapshot, read by context and children only
  if (!snapshot) return NOTHING;
  const run = snapshot.context as RunContext;
  const progress: Progress = {
    agent: run.agent,
    turns: run.turns,
    maxTurns: run.maxTurns,
    history: run.history,
    generated: run.generated,
    inputGuardrails: Object.values(run.guardrails),
  };
  const agent = snapshot.children[`agent.${run.activation}`]?.getSnapshot();
  if (!agent || !run.agentAlive) return withCarried(progress, run);
  const activation = agent.context as AgentContext;
  const later: Progress = { ...progress, turns: activation.turns, history: activation.history, generated: run.generated.concat(activation.generated) };
  const turn = activation.turnAlive ? agent.children[`turn.${activation.turns}`]?.getSnapshot() : undefined;
  if (!turn) return withCarried(later, activation);
  const { response, results } = turn.context as TurnContext;
  return {
    ...later,
    history: later.history.concat(itemsOfTurn(response, results)),
    generated: later.generated.concat(recordsOfTurn(run.agent, response, results)),
  };
}

/** A turn that could not be finished is part of the story, though not yet of the history (K5). */
function withCarried(progress: Progress, { carried }: Pick<RunContext, 'carried'>): Progress {
  if (!carried) return progress;
  return {
    ...progress,
    history: progress.history.concat(itemsOfTurn(carried.response, carried.results)),
    generated: progress.generated.concat(recordsOfTurn(progress.agent, carried.response, carried.results)),
  };
}
