/** When an agent's conversation has to be shortened, and what it is afterwards (N1). Pure functions; the chart decides by them. */
import type { AgentContext, AgentConversation, AgentInput } from './agentMemory.ts';
import { type CompactorInput, type CompactorOutcome, answeredUpTo, canBeSummedUp, isOwnCompaction, sizeOf } from './compaction.ts';
import { Log } from './log.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { AgentOutcome, ItemRecord, TurnOutcome } from './protocol/outcome.ts';

/** What an activation knows of the size of its conversation, and how that was shortened. */
export interface Shortening {
  /** Tokens of what the model reads, as far as is known; absent without a limit. */
  size?: number;
  /** Compactions of this activation. */
  count: number;
  /** There is a compaction item of ours in what the model reads: it has to be made readable. */
  isShort: boolean;
  /** Somebody asked for a compaction: it comes at the next safe point. */
  asked: boolean;
  /** How the last one left the conversation: items that the model then read, and records that there were by then. */
  left?: { items: number; generated: number };
  /** The attempt with which a turn is tried again whose request had not fitted. */
  again?: number;
}

/** Nothing where nobody asked for any of it: then it costs nothing. */
export function shorteningOf({ history, compaction, compactionAsked = false }: AgentInput): Shortening | undefined {
  const isShort = history.some(isOwnCompaction);
  if (!compaction && !isShort && !compactionAsked) return undefined;
  const shortening: Shortening = { count: 0, isShort, asked: compactionAsked };
  return compaction ? { ...shortening, size: compaction.size ?? sizeOf(history) } : shortening;
}

const NONE: Shortening = { count: 0, isShort: false, asked: false };

export function askCompaction({ conversation }: AgentContext): Partial<AgentContext> {
  return { conversation: { ...conversation, shortening: { ...(conversation.shortening ?? NONE), asked: true } } };
}

/** Items that were added to what the model reads. */
export function grown(shortening: Shortening | undefined, items: readonly AgentInputItem[]): Shortening | undefined {
  return shortening?.size === undefined || items.length === 0 ? shortening : { ...shortening, size: shortening.size + sizeOf(items) };
}

/**
 * A turn has brought these items. What the provider counted for its request and answer is exact; the rest is estimated. A turn that was
 * cut while it was tried again is not that one any more: the next has its number, and a path of its own.
 */
export function grownByTurn(shortening: Shortening | undefined, { response }: TurnOutcome, items: readonly AgentInputItem[]): Shortening | undefined {
  if (!shortening) return undefined;
  const { again: _, size, ...rest } = shortening;
  if (size === undefined) return rest;
  const usage = response?.usage.requestUsageEntries?.at(-1) ?? response?.usage;
  const counted = usage ? usage.inputTokens + usage.outputTokens : 0;
  if (counted === 0) return { ...rest, size: size + sizeOf(items) };
  const answer = new Set<AgentInputItem>(response!.items);
  return { ...rest, size: counted + sizeOf(items.filter((item) => !answer.has(item))) };
}

/** The next request would pass the limit, or somebody asked; and there is something to sum up. */
export function needsCompaction(context: AgentContext): boolean {
  const { shortening, server } = context.conversation;
  if (!shortening || server) return false;
  const limit = context.facts.compaction?.limit;
  const isFull = limit !== undefined && shortening.size! + sizeOf(context.pendingInput.map(({ item }) => item)) >= limit;
  return (shortening.asked || isFull) && canBeCut(context);
}

/** The request of the turn did not fit, for the first time, though it was not yet expected not to. */
export function overflowed(context: AgentContext): boolean {
  const isNew = context.conversation.shortening?.again === undefined;
  return context.last?.failure?.code === 'contextWindow' && context.facts.compaction !== undefined && isNew && canBeCut(context);
}

/** The turn is tried again under its own number: what it is called goes on from the attempt that failed (P3). */
export function tryAgain({ conversation, last }: AgentContext): Partial<AgentContext> {
  const attempt = Number(/#(\d+)$/.exec(last?.failure?.effectId ?? '')?.[1] ?? 1);
  return { last: null, conversation: { ...conversation, shortening: { ...conversation.shortening!, again: attempt + 1 } } };
}

export function compactorInput(context: AgentContext): CompactorInput {
  const { facts, conversation } = context;
  const count = (conversation.shortening?.count ?? 0) + 1;
  return { effectId: `${facts.path}/compactor.${count}#1`, agent: facts.agent, items: cutOf(context).head };
}

/** The item takes the place of what it sums up. The session is loaded from it on, so it stands there too before what came after. */
export function compacted(context: AgentContext, outcome: CompactorOutcome): Partial<AgentContext> {
  const { conversation, facts } = context;
  const { item } = valueOf(outcome);
  const { tail } = cutOf(context);
  const items = [item, ...tail];
  const generated = conversation.generated.append([recordOf(context, outcome)]);
  const { unsaved, shortening = NONE } = conversation;
  const at = Math.max(0, unsaved.length - tail.length);
  return {
    conversation: {
      ...conversation,
      history: Log.of(items),
      generated,
      unsaved: facts.session ? [...unsaved.slice(0, at), item, ...unsaved.slice(at)] : unsaved,
      shortening: {
        ...shortening,
        ...(shortening.size !== undefined && { size: sizeOf(items) }),
        count: shortening.count + 1,
        isShort: true,
        asked: false,
        left: { items: items.length, generated: generated.length },
      },
    },
  };
}

export function compactionStarted(context: AgentContext): LoopEvent {
  const { path, agent } = context.facts;
  return { type: 'compaction.started', path, agent, size: currentSize(context) };
}

export function compactionCompleted(context: AgentContext, outcome: CompactorOutcome): LoopEvent {
  const { path, agent } = context.facts;
  const { item, dropped } = valueOf(outcome);
  return { type: 'compaction.completed', path, agent, before: currentSize(context), after: sizeOf([item, ...cutOf(context).tail]), dropped, record: recordOf(context, outcome) };
}

/** What comes after the activation has to know of it. */
export function shorteningLeft({ shortening }: AgentConversation): Pick<AgentOutcome, 'size' | 'compacted' | 'compactionAsked'> {
  const { size, left, asked } = shortening ?? {};
  return { ...(size !== undefined && { size }), ...(left && { compacted: left }), ...(asked && { compactionAsked: true as const }) };
}

/** Input that a filter has shaped takes the place of what came since the last compaction item; that item is still to be saved. */
export function withFiltered(unsaved: AgentInputItem[], filtered: AgentInputItem[] | undefined): AgentInputItem[] {
  return filtered ? unsaved.slice(0, compactionEnd(unsaved)).concat(filtered) : unsaved;
}

/** How many of the newest items a session lacks, and are shown as they are. */
export const newestUnsaved = ({ unsaved, shortening }: AgentConversation) => (shortening?.isShort ? unsaved.length - compactionEnd(unsaved) : unsaved.length);

const compactionEnd = (items: AgentInputItem[]) => items.findLastIndex(isOwnCompaction) + 1;

const currentSize = ({ conversation }: AgentContext) => conversation.shortening?.size ?? sizeOf(conversation.history.toArray());

function valueOf(outcome: CompactorOutcome) {
  if (outcome.status !== 'ok') throw new Error('A compaction that failed has no result.');
  return outcome.value;
}

const recordOf = ({ facts }: AgentContext, outcome: CompactorOutcome): ItemRecord => ({ type: 'compaction_item', rawItem: valueOf(outcome).item, agent: facts.agent });

/**
 * What nobody has answered yet stays as it is: messages after the last word of the agent. With a session only those that it lacks:
 * what it holds stands before the compaction item.
 */
function cutOf({ conversation, facts }: AgentContext): { head: AgentInputItem[]; tail: AgentInputItem[] } {
  const items = conversation.history.toArray();
  const last = answeredUpTo(items);
  const at = facts.session ? Math.max(last, items.length - conversation.unsaved.length) : last;
  return { head: items.slice(0, at), tail: items.slice(at) };
}

const canBeCut = (context: AgentContext) => canBeSummedUp(cutOf(context).head);
