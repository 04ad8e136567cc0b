/** Effects of a thread itself, besides those of its runs. */
import type { EffectOutcome } from './protocol/failure.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { RunOutcome } from './protocol/outcome.ts';
import type { Goal } from './protocol/thread.ts';
import type { Leaf } from './slot.ts';

export type GoalOutcome = EffectOutcome<{ done: boolean; message?: string }>;
/** Asks the app whether the goal is reached. */
export type GoalLeaf = Leaf<{ effectId: string; agent: string; goal: Goal; history: AgentInputItem[] }, GoalOutcome>;

export type ReportOutcome = EffectOutcome<{ text: string }>;
/** Words of the app about what an agent has brought that worked beside the runs. */
export type ReportLeaf = Leaf<{ effectId: string; path: string; from: string; outcome: RunOutcome }, ReportOutcome>;
