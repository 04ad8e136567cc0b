/** How much a run may cost, and what it has cost. Both are data and are recorded. */

/** US dollars for a million tokens of one model. */
export interface ModelPrice {
  inputPerMillion: number;
  outputPerMillion: number;
  /** Of input that the provider had in its cache; default: as of other input. */
  cachedInputPerMillion?: number;
}

/** Limits of a run and all that it starts. What is left out is not limited. */
export interface Budget {
  /** Input and output tokens together, over all model calls. */
  tokens?: number;
  /** In US dollars; needs a price for each model that is asked. */
  costUsd?: number;
  /** From the start of the run, in ms, waiting included. Checked before each model call. */
  wallTimeMs?: number;
  /** Calls of tools that are carried out, those of nested agents included. */
  toolCalls?: number;
  /** Part of a limit at which the model is told to come to an end. Default 0.8. */
  softRatio?: number;
  /** The end of the wall time interrupts whatever is at work. Default false: it is only checked. */
  hardDeadline?: boolean;
  /** By the name of the model. */
  prices?: Record<string, ModelPrice>;
}

export type BudgetKind = 'tokens' | 'cost' | 'time' | 'toolCalls';

/** What a run has cost so far, with the runs that it goes on from. */
export interface Spent {
  tokens: number;
  costUsd: number;
  toolCalls: number;
  /** Time of the runs that it goes on from, in ms. */
  ms: number;
  /** Most output tokens of one response. */
  largestOutput: number;
  /** The model has been told to come to an end. */
  isTold: boolean;
}
