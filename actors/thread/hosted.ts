/** The chart of a thread with every effect in the hands of a host. Composed once per process. */
import { composeThread } from '../../machines/composeThread.ts';
import { type Incoming, JOURNAL_FORMAT } from '../../machines/protocol/journal.ts';
import type { ThreadInput } from '../../machines/protocol/thread.ts';
import type { ThreadContext } from '../../machines/threadMemory.ts';
import { threadMachine } from '../../machines/thread.ts';
import { CHART_VERSIONS } from '../../machines/versions.ts';
import { hostedLeaves, hostedRun } from '../leaf.ts';
import type { Rest, RootChart } from '../rootChart.ts';

export const THREAD_VERSIONS = { ...CHART_VERSIONS, thread: threadMachine.version ?? '' };

export const THREAD: RootChart = {
  logic: composeThread(hostedLeaves, hostedRun),
  restOf({ value, context }): Rest | undefined {
    const { background } = context as ThreadContext; // the snapshot is one of this chart
    if (Object.keys(background).length > 0) return undefined; // somebody is at work beside the runs
    if (value === 'idle' || value === 'paused' || value === 'closed') return { state: value };
    return isWaiting(value) ? { state: 'awaitingApproval' } : undefined;
  },
  takenBy: (id) => `The id ${id} is in use in this journal. Go on with a thread through openThread("${id}", …), or give the new one another id.`,
  startOf: ({ runId }, charts, input): Incoming => ({ type: 'thread.start', format: JOURNAL_FORMAT, threadId: runId, charts, input: input as ThreadInput }), // given to a thread
};

export function isWaiting(value: unknown): boolean {
  const { active } = (typeof value === 'object' && value !== null ? value : {}) as { active?: { going?: string } }; // as the chart names its states
  return active?.going === 'awaitingApproval';
}
