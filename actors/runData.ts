/** What error handlers are shown of a run that has no state of its own: one of a thread, or of an agent that is used as a tool (K3). */
import type { AgentOutputItem } from '../machines/protocol/item.ts';
import type { RunContext } from '../machines/run.ts';
import { withoutReasoningIds } from './reasoningIds.ts';
import { type Snapshot, progressOf } from './progress.ts';
import { runItemOf } from './runItems.ts';
import type { RunErrorData } from './runOptions.ts';
import type { RunScope } from './scope.ts';

/** @param root the newest snapshot of the chart at `rootPath`, in which the run of the scope is at work. */
export function runDataOf(scope: RunScope, root: unknown, rootPath: string): RunErrorData<any, any> { // `any`: as in the front door's own types
  const steps = scope.runId.slice(rootPath.length).split('/').filter((step) => step !== '');
  const run = steps.reduce<Snapshot | undefined>((at, step) => at?.children[step]?.getSnapshot(), root as Snapshot | undefined); // children are called as their paths say
  const { generated, history, agent } = progressOf(run);
  return {
    input: (run?.context as RunContext | undefined)?.prepared?.input ?? [], // it is the chart of a run
    newItems: generated.map((record) => runItemOf(scope, record)),
    history: withoutReasoningIds(scope, history),
    output: generated.map(({ rawItem }) => rawItem) as AgentOutputItem[], // what agents generate, in the peer's word for it
    rawResponses: scope.rawResponses,
    lastAgent: agent ? scope.agent(agent) : undefined,
  };
}
