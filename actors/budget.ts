/** What a run and all that it starts may cost, and have cost: one ledger for the outermost run, added up from what is recorded (B2). */
import { sizeOf } from '../machines/compaction.ts';
import type { Budget, BudgetKind, ModelPrice, Spent } from '../machines/protocol/budget.ts';
import type { Call, Response } from '../machines/protocol/call.ts';
import type { AgentInputItem, UsageData } from '../machines/protocol/item.ts';
import type { JournalEntry } from '../machines/protocol/journal.ts';
import type { ItemRecord } from '../machines/protocol/outcome.ts';
import type { Log } from '../machines/log.ts';
import { BudgetExceededError } from './limitErrors.ts';

export type HeardEntry = Extract<JournalEntry, { type: 'run.start' | 'thread.start' | 'command' }>;

/** What one model call may come to. */
export interface Estimate {
  effectId: string;
  inputTokens: number;
  /** Most that it may answer, where that is limited. */
  maxTokens?: number;
  price?: ModelPrice;
  /** In ms since the epoch. */
  now: number;
}

const NOTHING: Spent = { tokens: 0, costUsd: 0, toolCalls: 0, ms: 0, largestOutput: 0, isTold: false };
/** Kind of the notice by which the model reads that it has to come to an end. */
export const BUDGET_NOTICE = 'budget';
const LEAST_OUTPUT = 1_024;
const SOFT_RATIO = 0.8;
const MILLION = 1_000_000;

export class Ledger {
  limits: Budget | undefined;
  #spent: Spent = { ...NOTHING };
  /** In ms since the epoch; nothing before the run has begun. */
  #startedAt: number | undefined;
  /** Set aside for calls that are under way. */
  readonly #reserved = new Map<string, { tokens: number; costUsd: number; calls: number }>();
  /** Items of a conversation that a provider has counted, and their tokens, by the path of the agent. */
  readonly #counted = new Map<string, { items: number; tokens: number }>();

  /** The run begins, or is told of other limits; live and on replay. */
  hear(entry: HeardEntry): void {
    if (entry.type === 'thread.start') return; // each of its runs has a ledger of its own
    if (entry.type === 'run.start') this.begin(entry.at, entry.input.budget, entry.input.before?.spent); else if (entry.command.type === 'configure' && entry.command.budget) this.open(entry.command.budget, this.#spent);
  }

  /** @param at in ms since the epoch. */
  begin(at: number, limits: Budget | undefined, spent?: Spent): void {
    this.#startedAt = at;
    this.open(limits, spent);
  }

  /** @param spent by the run that this one goes on from. With room again the model is told again when that comes to an end. */
  open(limits: Budget | undefined, spent: Spent = NOTHING): void {
    this.limits = limits;
    this.#spent = { ...spent };
    if (spent.isTold && !this.#isSoft(this.#startedAt ?? 0)) this.#spent.isTold = false;
  }

  /** What a run that goes on from here has spent before it begins. @param ms how long this one took. */
  leaves(ms: number): Spent {
    return { ...this.#spent, ms: this.#spent.ms + ms };
  }

  get memory(): { spent: Spent; limits?: Budget; startedAt?: number } {
    return { spent: { ...this.#spent }, limits: this.limits, startedAt: this.#startedAt };
  }

  recall({ spent, limits, startedAt }: Ledger['memory']): void {
    this.limits = limits;
    this.#spent = { ...spent };
    this.#startedAt = startedAt;
  }

  // -- before a call --------------------------------------------------------------------------------------------------

  /** Sets aside what the call may come to. @throws BudgetExceededError when that is more than is left. */
  reserve({ effectId, inputTokens, maxTokens, price, now }: Estimate): void {
    if (!this.limits) return;
    this.release(effectId);
    const wanted = this.#worth({ inputTokens, maxTokens, price });
    const lack = this.#lackFor({ tokens: wanted.tokens + this.#sum('tokens'), costUsd: wanted.costUsd + this.#sum('costUsd') }, now);
    if (lack) throw new BudgetExceededError(lack);
    this.#reserved.set(effectId, { ...wanted, calls: 0 });
  }

  #worth({ inputTokens, maxTokens = Math.max(LEAST_OUTPUT, this.#spent.largestOutput), price }: Omit<Estimate, 'effectId' | 'now'>) {
    return { tokens: inputTokens + maxTokens, costUsd: price ? costOf({ inputTokens, outputTokens: maxTokens }, price) : 0 };
  }

  /** The first limit that does not allow this on top of what is spent. */
  #lackFor({ tokens, costUsd }: { tokens: number; costUsd: number }, now: number): ConstructorParameters<typeof BudgetExceededError>[0] | undefined {
    const { limits = {} } = this;
    const wanted = [
      { kind: 'time', limit: limits.wallTimeMs, spent: this.msAt(now), more: 1 },
      { kind: 'tokens', limit: limits.tokens, spent: this.#spent.tokens, more: tokens },
      { kind: 'cost', limit: limits.costUsd, spent: this.#spent.costUsd, more: costUsd },
    ] as const;
    for (const { kind, limit, spent, more } of wanted) if (limit !== undefined && spent + more > limit) return { kind, limit, spent };
    return undefined;
  }

  /** Nothing will come of the call, or what came of it has been counted. */
  release(effectId: string): void {
    this.#reserved.delete(effectId);
  }

  /** Tokens of the request: what the provider counted last and 1 for 4 bytes that came since, or for 4 bytes of all of it. */
  estimate(effectId: string, history: Log<AgentInputItem> | undefined, request: () => object): number {
    const counted = history && this.#counted.get(agentPathOf(effectId));
    if (!counted || history.length < counted.items) return sizeOf([request()]);
    return counted.tokens + sizeOf(history.toArray(counted.items));
  }

  /** The request is the one in which the model of the outermost run reads that it has to come to an end. */
  isDueToTell(now: number): boolean {
    return !this.#spent.isTold && this.#isSoft(now);
  }

  // -- when an answer is there ----------------------------------------------------------------------------------------

  /**
   * Calls beyond the limit are not carried out. What is admitted is set aside until the response is counted.
   * @param before calls of the same response that have been admitted, and may have begun (C4).
   */
  admit(effectId: string, calls: Call[], textOf: (limit: number) => string, before: readonly Call[] = []): Call[] {
    const limit = this.limits?.toolCalls;
    if (limit === undefined) return calls;
    const reserved = this.#reserved.get(effectId);
    const known = new Set(before.map(({ index }) => index));
    let taken = before.filter(isCarriedOut).length;
    const left = limit - this.#spent.toolCalls - this.#sum('calls') + (reserved?.calls ?? 0);
    const admitted = calls.map((call): Call => {
      if (!isCarriedOut(call) || known.has(call.index)) return call;
      taken += 1;
      return taken <= left ? call : { ...call, invalid: { reason: 'budget', text: textOf(limit) } };
    });
    if (reserved) reserved.calls = Math.min(taken, Math.max(left, 0));
    return admitted;
  }

  /** After this answer there is nothing left for a call that goes on from it. */
  isSpentBy({ usage, cost = 0 }: Pick<Response, 'usage' | 'cost'>, { now, maxTokens, price }: Omit<Estimate, 'effectId' | 'inputTokens'>): boolean {
    const next = this.#worth({ inputTokens: usage.totalTokens, maxTokens, price });
    return this.#lackFor({ tokens: usage.totalTokens + next.tokens, costUsd: cost + next.costUsd }, now) !== undefined;
  }

  /** A response is recorded, live or on replay. */
  count(effectId: string, { usage, cost, calls, items, notices = [] }: Response, history: Log<AgentInputItem>): void {
    this.add(effectId, usage, cost);
    this.#spent.toolCalls += calls.filter(isCarriedOut).length;
    if (!this.limits) return;
    this.#spent.isTold ||= notices.some(isBudgetNotice);
    if (usage.totalTokens > 0) this.#counted.set(agentPathOf(effectId), { items: history.length + notices.length + items.length, tokens: usage.inputTokens + usage.outputTokens });
  }

  /** Something beside a turn has cost this. */
  add(effectId: string, { totalTokens, outputTokens }: UsageData, cost = 0): void {
    this.release(effectId);
    this.#spent.tokens += totalTokens;
    this.#spent.costUsd += cost;
    this.#spent.largestOutput = Math.max(this.#spent.largestOutput, outputTokens);
  }

  // -- time -----------------------------------------------------------------------------------------------------------

  /** How long the run has taken, with those that it goes on from. */
  msAt(now: number): number {
    return this.#spent.ms + now - (this.#startedAt ?? now);
  }

  /** Ms until the run is interrupted; nothing when it is not to be. */
  untilDeadline(now: number): number | undefined {
    const { wallTimeMs, hardDeadline } = this.limits ?? {};
    return hardDeadline && wallTimeMs !== undefined ? wallTimeMs - this.msAt(now) : undefined;
  }

  #sum(what: 'tokens' | 'costUsd' | 'calls'): number {
    return [...this.#reserved.values()].reduce((sum, reserved) => sum + reserved[what], 0);
  }

  #isSoft(now: number): boolean {
    const { softRatio = SOFT_RATIO, tokens, costUsd, wallTimeMs, toolCalls } = this.limits ?? {};
    const used: Record<BudgetKind, [number, number | undefined]> = {
      tokens: [this.#spent.tokens, tokens], cost: [this.#spent.costUsd, costUsd], time: [this.msAt(now), wallTimeMs], toolCalls: [this.#spent.toolCalls, toolCalls],
    };
    return Object.values(used).some(([spent, limit]) => limit !== undefined && spent >= limit * softRatio);
  }
}

/** What these tokens cost, in US dollars. */
export function costOf({ inputTokens, outputTokens, inputTokensDetails }: Pick<UsageData, 'inputTokens' | 'outputTokens' | 'inputTokensDetails'>, price: ModelPrice): number {
  const cached = Math.min(inputTokens, [inputTokensDetails ?? []].flat().reduce((sum, details) => sum + (details['cached_tokens'] ?? 0), 0));
  const { inputPerMillion, outputPerMillion, cachedInputPerMillion = inputPerMillion } = price;
  return ((inputTokens - cached) * inputPerMillion + cached * cachedInputPerMillion + outputTokens * outputPerMillion) / MILLION;
}

/** `<agent>/turn.3/model#1` belongs to the conversation of the agent. */
export const agentPathOf = (effectId: string) => effectId.split('/').slice(0, -2).join('/');

const isBudgetNotice = ({ origin }: ItemRecord) => typeof origin === 'object' && origin.runtime === BUDGET_NOTICE;
const isCarriedOut = ({ invalid, recorded }: Call) => invalid === undefined && recorded === undefined;
