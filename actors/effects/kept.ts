/** Items of an answer that was cut short: what is complete is not paid for twice (K2, O2). */
import { asksForWork, withoutLooseReasoning } from '../../machines/history.ts';
import { type Call, NO_USAGE } from '../../machines/protocol/call.ts';
import type { AgentInputItem, AgentOutputItem } from '../../machines/protocol/item.ts';
import type { ModelInput } from '../../machines/turn.ts';
import type { EffectIo } from '../host.ts';
import type { ModelResponse } from '../ports.ts';
import { Usage } from '../usage.ts';

/**
 * What earlier tries at this answer have left: those of this process, and those of one that ended. Reasoning without the item
 * that it led to is worth nothing; and what a provider keeps itself is its own to go on from.
 */
export function keptItems({ kept = [], server }: ModelInput, io: Pick<EffectIo, 'kept'>): AgentOutputItem[] {
  if (server) return [];
  return withoutLooseReasoning([...kept, ...io.kept]) as AgentOutputItem[]; // completed items of a model's answer
}

/** Calls that may have begun while an earlier try at this answer was streaming. */
export const readyCalls = ({ ready = [] }: ModelInput, io: Pick<EffectIo, 'ready'>): Call[] => [...ready, ...io.ready];

/** A call that is complete is carried out before anything more is asked: with it, the items are an answer. */
export const isAnswer = (items: readonly AgentInputItem[]): boolean => items.some(asksForWork);

/** The answer as far as it came; what it cost, nobody was told. An attempt that was cut in this process has been counted (A8). */
export const answerOf = (items: AgentOutputItem[], { kept }: ModelInput): ModelResponse => ({ usage: new Usage({ ...NO_USAGE, requests: kept ? 0 : 1 }), output: items });
