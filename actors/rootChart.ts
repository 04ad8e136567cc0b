/** What is at the root of a host: a run, or a thread with its runs. */
import type { AnyActorLogic } from 'xstate';
import { type Incoming, JOURNAL_FORMAT, type RestState } from '../machines/protocol/journal.ts';
import type { RunInput, RunOutcome } from '../machines/protocol/outcome.ts';
import type { ThreadInput } from '../machines/protocol/thread.ts';
import { hostedRun } from './leaf.ts';

/** Nothing is left to do, or nothing until somebody says something. */
export interface Rest { state: RestState; status?: RunOutcome['status'] }
/** The newest snapshot of the chart, as XState gives it. */
export interface RootSnapshot { value: unknown; context: unknown; output?: unknown }

export interface RootChart {
  logic: AnyActorLogic;
  restOf(snapshot: RootSnapshot): Rest | undefined;
  /** Said when its id is in use. */
  takenBy(id: string): string;
  /** The first entry of its log. */
  startOf(home: { runId: string; threadId?: string }, charts: Record<string, string>, input: RunInput | ThreadInput): Incoming;
}

export const RUN: RootChart = {
  logic: hostedRun,
  restOf({ value, output }) {
    const { status } = (output ?? {}) as Partial<RunOutcome>; // what the chart of a run ends with
    if (status) return { state: status === 'interrupted' ? 'interrupted' : 'settled', status };
    return value === 'awaitingApproval' ? { state: 'awaitingApproval' } : undefined;
  },
  takenBy: (id) => `There is a run ${id} in this journal. Go on with it through resume("${id}", …), or give the new run another id.`,
  startOf: ({ runId, threadId }, charts, input) => ({ type: 'run.start', format: JOURNAL_FORMAT, runId, ...(threadId === undefined ? {} : { threadId }), charts, input: input as RunInput }), // given to a run
};
