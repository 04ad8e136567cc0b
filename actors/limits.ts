/** Options that limit a run, checked before it begins. */
import type { Budget } from '../machines/protocol/budget.ts';
import { UserError } from './errors.ts';
import type { CompactionOptions, RunConfig } from './runOptions.ts';
import type { AnyRunOptions } from './scope.ts';

/** @throws UserError for limits that mean nothing, and for those that exclude each other. */
export function checkLimits(config: Partial<RunConfig>, options: AnyRunOptions): void {
  const { budget = config.budget, compaction = config.compaction, conversationId, previousResponseId, autoPreviousResponseId } = options;
  const problem = budget && budgetProblem(budget);
  if (problem) throw new UserError(`The option \`budget\` cannot be used: ${problem}.`);
  if (!compaction) return;
  const wrong = compactionProblem(compaction);
  if (wrong) throw new UserError(`The option \`compaction\` cannot be used: ${wrong}.`);
  if (conversationId === undefined && previousResponseId === undefined && autoPreviousResponseId !== true) return;
  throw new UserError('Compaction cannot be used with conversationId, previousResponseId or autoPreviousResponseId: the provider keeps that history. Remove one of the two.');
}

/** What is wrong with a budget, in words. */
export function budgetProblem(budget: Budget): string | undefined {
  if (typeof budget !== 'object' || budget === null) return 'a budget is an object of limits';
  const { tokens, costUsd, wallTimeMs, toolCalls, softRatio = 1, hardDeadline = false, prices = {} } = budget;
  for (const [name, limit] of Object.entries({ tokens, costUsd, wallTimeMs, toolCalls })) {
    if (limit !== undefined && !isAmount(limit)) return `${name} has to be a number of at least 0, not ${limit}`;
  }
  if (!isAmount(softRatio) || softRatio === 0 || softRatio > 1) return `softRatio has to be more than 0 and at most 1, not ${softRatio}`;
  if (typeof hardDeadline !== 'boolean') return 'hardDeadline is true or false';
  if (hardDeadline && wallTimeMs === undefined) return 'hardDeadline needs wallTimeMs, the time that ends';
  for (const [model, price] of Object.entries(prices)) {
    const { inputPerMillion, outputPerMillion, cachedInputPerMillion = 0 } = price ?? {};
    if (![inputPerMillion, outputPerMillion, cachedInputPerMillion].every(isAmount)) return `the price of "${model}" needs inputPerMillion and outputPerMillion, in US dollars`;
  }
  return undefined;
}

function compactionProblem({ contextWindow, threshold, keepUserTokens }: CompactionOptions): string | undefined {
  if (contextWindow !== undefined && !(isAmount(contextWindow) && contextWindow > 0)) return `contextWindow has to be a number of tokens, not ${contextWindow}`;
  if (threshold !== undefined && !(isAmount(threshold) && threshold > 0 && threshold <= 1)) return `threshold is a part of the context window, more than 0 and at most 1, not ${threshold}`;
  return keepUserTokens === undefined || isAmount(keepUserTokens) ? undefined : `keepUserTokens has to be a number of tokens, not ${keepUserTokens}`;
}

const isAmount = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < Infinity;
