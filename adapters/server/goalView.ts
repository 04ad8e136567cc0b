/** The goal of a thread in the form of the protocol, which also counts what it has cost since this process knows of it. */
import type { Goal } from '../../machines/protocol/thread.ts';
import { secondsOf } from './currentTurn.ts';
import type { Notification, WireGoal } from './shapes.ts';

type Change = { goal: Goal | null; why: 'set' | 'removed' | 'goesOn' | 'done' | 'exhausted' | 'failed'; at: number };

const STATUS = { set: 'active', goesOn: 'active', done: 'complete', exhausted: 'budgetLimited', failed: 'blocked' } as const;

export class GoalView {
  readonly #threadId: string;
  readonly #tell: (notification: Notification) => void;
  #last: { objective: string; createdAt: number; tokens: number } | undefined;

  constructor(threadId: string, tell: (notification: Notification) => void) {
    this.#threadId = threadId;
    this.#tell = tell;
  }

  changed({ goal, why, at }: Change, turnId: string | null, tokens: number): void {
    if (goal && (why === 'set' || this.#last?.objective !== goal.message)) this.#last = { objective: goal.message, createdAt: at, tokens };
    if (why === 'removed' || !this.#last) return this.#tell({ method: 'thread/goal/cleared', params: { threadId: this.#threadId } });
    this.#tell({ method: 'thread/goal/updated', params: { threadId: this.#threadId, turnId, goal: this.#shown(STATUS[why], at, tokens) } });
  }

  /** As of now. */
  show(goal: Goal | null, at: number, tokens: number): WireGoal | null {
    if (!goal) return null;
    if (this.#last?.objective !== goal.message) this.#last = { objective: goal.message, createdAt: at, tokens };
    return this.#shown('active', at, tokens);
  }

  #shown(status: WireGoal['status'], at: number, tokensNow: number): WireGoal {
    const { objective, createdAt, tokens } = this.#last!; // set before
    return { threadId: this.#threadId, objective, status, tokenBudget: null, tokensUsed: Math.max(0, tokensNow - tokens), timeUsedSeconds: secondsOf(at - createdAt), createdAt: secondsOf(createdAt), updatedAt: secondsOf(at) };
  }
}
