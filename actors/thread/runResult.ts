/** What a run of a thread has brought, taken while its scope is there. */
import type { LoopEvent } from '../../machines/protocol/event.ts';
import { runItemOf } from '../runItems.ts';
import type { RunScope } from '../scope.ts';
import { Usage } from '../usage.ts';
import type { ThreadRunResult } from './types.ts';

export function resultOf({ path, outcome }: Extract<LoopEvent, { type: 'run.settled' }>, scope: RunScope): ThreadRunResult {
  return {
    runId: path,
    status: outcome.status,
    ...(outcome.how && { how: outcome.how }),
    finalOutput: outcome.status === 'completed' ? outcome.output : undefined,
    newItems: outcome.generated.map((record) => runItemOf(scope, record)),
    lastAgent: scope.agent(outcome.agent),
    usage: new Usage(scope.runContext.usage),
    undelivered: outcome.undelivered.map(({ item }) => item),
  };
}
