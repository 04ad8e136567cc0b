/** Effects of an activation of an agent: what it does to the world, and what the app has a say in. */
import type { AgentContext } from './agentMemory.ts';
import type { CompactorInput, CompactorOutcome } from './compaction.ts';
import type { Log } from './log.ts';
import type { ScreenInput, ScreenOutcome, StopHookOutcome } from './pendingInput.ts';
import type { EffectOutcome, Failure } from './protocol/failure.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { ErrorKind, TurnOutcome } from './protocol/outcome.ts';
import type { Leaf } from './slot.ts';

export type SaveOutcome = EffectOutcome<{ saved: number }>;
export type HandlerOutcome = EffectOutcome<{ finalOutput: unknown; includeInHistory: boolean; guardsOutput?: boolean; endsAgent?: boolean } | null>;
/** The failure that a trip means, or null when all passed. */
export type OutputVerdict = EffectOutcome<{ failure: Failure | null; withheld?: string }>;

/** Appends to the session; `hadLocalResults` defers its compaction (G4). */
export type SessionLeaf = Leaf<{ effectId: string; agent: string; items: AgentInputItem[]; hadLocalResults: boolean }, SaveOutcome>;
export type ErrorHandlerLeaf = Leaf<{ effectId: string; agent: string; kind: ErrorKind; failure: Failure }, HandlerOutcome>;
export type OutputGuardrailLeaf = Leaf<{ effectId: string; agent: string; output: unknown; response: TurnOutcome['response'] }, OutputVerdict>;
export type AgentEndLeaf = Leaf<{ effectId: string; agent: string; output: unknown }, EffectOutcome<null>>;
/** Input guardrails look at messages that want to join the conversation, each by itself (E6). */
export type InputScreenLeaf = Leaf<ScreenInput, ScreenOutcome>;
/** All stop hooks are asked about one final output (M5). */
export type StopHookLeaf = Leaf<{ effectId: string; agent: string; turn: number; output: unknown; history: Log<AgentInputItem> }, StopHookOutcome>;
/** Sums up a conversation that has become too long (N1). */
export type CompactorLeaf = Leaf<CompactorInput, CompactorOutcome>;

export const effectOf = ({ facts, turns }: AgentContext, name: string) => ({ effectId: `${facts.path}/${name}.${turns}#1`, agent: facts.agent });

export function saveInput({ facts, conversation, last, conclusion }: AgentContext) {
  const hadLocalResults = Object.keys(last?.results ?? {}).length > 0 || conclusion?.status === 'handoff';
  return { effectId: `${facts.path}/save.${conversation.saves + 1}#1`, agent: facts.agent, items: conversation.unsaved, hadLocalResults };
}
