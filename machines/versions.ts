import { agentMachine } from './agent.ts';
import { runMachine } from './run.ts';
import { toolCallMachine } from './toolCall.ts';
import { turnMachine } from './turn.ts';

/** By which charts a run was made; recorded with its start. */
export const CHART_VERSIONS: Record<string, string> = {
  run: runMachine.version ?? '',
  agent: agentMachine.version ?? '',
  turn: turnMachine.version ?? '',
  toolCall: toolCallMachine.version ?? '',
};
