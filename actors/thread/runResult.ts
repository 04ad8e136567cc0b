/** What a run of a thread has brought, taken while its scope is there. */
import { isOfUser } from '../../machines/pendingInput.ts';
import type { LoopEvent } from '../../machines/protocol/event.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { RunOutcome } from '../../machines/protocol/outcome.ts';
import { runItemOf } from '../runItems.ts';
import type { RunScope } from '../scope.ts';
import { Usage } from '../usage.ts';
import type { ThreadRunResult } from './types.ts';

/** Mail is back in the mailbox, and what was put into the history is in there; notices are the runtime's own. */
export const undeliveredOf = ({ undelivered }: RunOutcome): AgentInputItem[] => undelivered.filter((one) => isOfUser(one) && !one.injected).map(({ item }) => item);

export function resultOf({ path, outcome }: Extract<LoopEvent, { type: 'run.settled' }>, scope: RunScope): ThreadRunResult {
  return {
    runId: path,
    status: outcome.status,
    ...(outcome.how && { how: outcome.how }),
    finalOutput: outcome.status === 'completed' ? outcome.output : undefined,
    newItems: outcome.generated.map((record) => runItemOf(scope, record)),
    lastAgent: scope.agent(outcome.agent),
    usage: new Usage(scope.runContext.usage),
    undelivered: undeliveredOf(outcome),
  };
}
