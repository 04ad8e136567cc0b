/** What a run rejects with that has come to one of its limits. */
import { named } from './errorName.ts';
import { AgentsError, ModelError } from './errors.ts';
import type { RunState } from './runState.ts';

/** The conversation no longer fits into the context window of the model, and nothing is set to shorten it (N2). */
export class ContextWindowError extends ModelError {
  constructor(message: string, options: { cause?: unknown; state?: RunState<any, any> } = {}) {
    super(message, { code: 'context_length_exceeded', ...options });
  }

  static { named(this, 'ContextWindowError'); }
}

/** The conversation was to be shortened, and the model that was to sum it up failed. `cause` is the provider's own error (N2). */
export class CompactionError extends AgentsError {
  constructor(message: string, { cause, state }: { cause?: unknown; state?: RunState<any, any> } = {}) {
    super(message, state, cause === undefined ? undefined : { cause });
  }

  static { named(this, 'CompactionError'); }
}

/** A model call was not sent, or the run interrupted, because its budget is spent (B2). Go on from `state` with a larger one. */
export class BudgetExceededError extends AgentsError {
  readonly kind: 'tokens' | 'cost' | 'time';
  /** Tokens, US dollars or ms. */
  readonly limit: number;
  /** What was spent for certain; the call that was not sent might have come to more than the rest. */
  readonly spent: number;

  constructor({ kind, limit, spent }: { kind: 'tokens' | 'cost' | 'time'; limit: number; spent: number }, state?: RunState<any, any>) {
    const unit = { tokens: 'tokens', cost: 'US dollars', time: 'ms' }[kind];
    super(`The budget of this run does not allow another model call: ${spent} of ${limit} ${unit} are spent. Go on from the state of this error with a larger budget.`, state);
    this.kind = kind;
    this.limit = limit;
    this.spent = spent;
  }

  static { named(this, 'BudgetExceededError'); }
}
