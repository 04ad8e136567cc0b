/** What the ledger of a run says before a model is asked, and what is noted on its answer (B2). */
import type { Log } from '../../machines/log.ts';
import { notice } from '../../machines/history.ts';
import type { ModelPrice } from '../../machines/protocol/budget.ts';
import type { Call, Response } from '../../machines/protocol/call.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { ItemRecord } from '../../machines/protocol/outcome.ts';
import { BUDGET_NOTICE, costOf } from '../budget.ts';
import { UserError } from '../errors.ts';
import type { EffectIo } from '../host.ts';
import type { BudgetExceededError } from '../limitErrors.ts';
import type { Model, ModelRequest } from '../ports.ts';
import type { AnyAgent, RunScope } from '../scope.ts';

/** What is about to be asked; with the conversation of which the provider may have counted a part. */
export interface Asking { request: ModelRequest; history?: Log<AgentInputItem>; model?: string | Model }

/**
 * Sets aside what the call may come to, until its answer is counted or nothing will come of it.
 * @throws BudgetExceededError when that is more than is left.
 */
export function reserve(scope: RunScope, agent: AnyAgent, { request, history, model }: Asking, io: EffectIo): void {
  const { ledger } = scope;
  if (!ledger.limits) return;
  const inputTokens = ledger.estimate(io.effectId, history, () => shownOf(request));
  const { maxTokens } = request.modelSettings;
  ledger.reserve({ effectId: io.effectId, inputTokens, maxTokens, price: priceOf(scope, agent, model), now: io.clock.now() });
  io.signal.addEventListener('abort', () => ledger.release(io.effectId), { once: true });
}

/** @throws UserError naming the model, when costs are limited and it has no price. */
export function priceOf(scope: RunScope, agent: AnyAgent, model?: string | Model): ModelPrice | undefined {
  const { costUsd, prices } = scope.ledger.limits ?? {};
  const name = scope.modelName(agent, model);
  const price = name === undefined ? undefined : prices?.[name];
  if (price || costUsd === undefined) return price;
  if (name !== undefined) throw new UserError(`The budget limits the cost, and model "${name}" of agent "${agent.name}" has no price. Add it to budget.prices.`);
  throw new UserError(`The budget limits the cost, and agent "${agent.name}" has a model without a name, which cannot have a price. Give the model by its name.`);
}

/** The model of the outermost run is told once that it has to come to an end. */
export function noticesFor(scope: RunScope, agent: string, io: EffectIo): ItemRecord[] | undefined {
  const isDue = scope.ledger.limits !== undefined && !scope.isNested && scope.ledger.isDueToTell(io.clock.now());
  return isDue ? [notice(agent, BUDGET_NOTICE, COME_TO_AN_END)] : undefined;
}

/** Those beyond the limit are not carried out. @param before calls of the same answer that were admitted already: they may have begun (C4). */
export const admitted = ({ ledger }: RunScope, calls: Call[], before: readonly Call[], io: Pick<EffectIo, 'effectId'>): Call[] => ledger.admit(io.effectId, calls, tooManyCalls, before);

/**
 * What the charts have to know of the answer: what it cost, which of its calls go too far, and whether it was the last.
 * @param ready calls of it that were admitted while it was streaming.
 */
export function noteBudget(scope: RunScope, agent: AnyAgent, response: Response, { request: { modelSettings }, ready }: { request: ModelRequest; ready: readonly Call[] }, io: EffectIo): void {
  const { ledger } = scope;
  if (!ledger.limits) return;
  const price = priceOf(scope, agent);
  if (price) response.cost = costOf(response.usage, price);
  response.calls = admitted(scope, response.calls, ready, io);
  if (ledger.isSpentBy(response, { now: io.clock.now(), maxTokens: modelSettings.maxTokens, price })) response.spendsBudget = true;
}

export function budgetFailure(scope: RunScope, error: BudgetExceededError, effectId: string): RecordedOutcome {
  const { kind, limit, spent } = error;
  return scope.failure(`budget.${kind}`, error, effectId, { sent: false, detail: { kind, limit, spent } });
}

const COME_TO_AN_END = 'Most of what this run may cost is spent. Begin nothing new: finish with what you have, and say what is left undone.';
const tooManyCalls = (limit: number) => `Not run: this run may make ${limit} tool calls, and they are used up. Go on with what you have.`;

/** What a provider reads of a request, as far as it has a size. */
const shownOf = ({ input, systemInstructions, tools, handoffs, outputType }: ModelRequest) => ({ input, systemInstructions, tools, handoffs, outputType });
