/** A thread as it is now, read off its actors. */
import { Usage } from '../usage.ts';
import type { ThreadExecution } from './threadExecution.ts';
import type { ThreadLook, ThreadState } from './types.ts';

/** The state of the chart, as it names its states. */
type Value = Exclude<ThreadState, 'active'> | { active: 'concluding' | 'stopping' | 'closing' | { going: 'running' | 'awaitingApproval' } | { between: 'compacting' | 'judging' } };

export function lookAt({ host, context, usage }: ThreadExecution): ThreadLook {
  if (!context) return NOTHING;
  const value = host.value as Value; // of the chart of a thread
  return {
    state: typeof value === 'string' ? value : 'active',
    phase: typeof value === 'string' ? undefined : phaseOf(value.active),
    agent: context.agent,
    activeRunId: context.current?.runId,
    history: context.history.toArray(),
    runs: context.marks.toArray(),
    queue: context.queue,
    mailbox: context.mailbox,
    rules: context.rules,
    goal: context.goal,
    background: Object.entries(context.background).map(([id, { agent, from }]) => ({ path: `${context.facts.path}/${id}`, agent, from })),
    usage,
  };
}

/** Before its journal is open. */
const NOTHING: ThreadLook = { state: 'idle', phase: undefined, agent: '', activeRunId: undefined, history: [], runs: [], queue: [], mailbox: [], rules: [], goal: null, background: [], usage: new Usage() };

function phaseOf(active: Extract<Value, object>['active']): ThreadLook['phase'] {
  if (typeof active === 'string') return active === 'concluding' ? undefined : active;
  return 'going' in active ? active.going : active.between;
}

