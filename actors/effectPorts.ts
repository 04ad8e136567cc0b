/** How effects and those who execute them meet: what an effect is given, what is known of it while it is open, and the way back. */
import type { AnyActorRef } from 'xstate';
import type { Leaves } from '../machines/compose.ts';
import type { Call } from '../machines/protocol/call.ts';
import type { Decision } from '../machines/protocol/command.ts';
import type { Incoming, RecordedOutcome } from '../machines/protocol/journal.ts';
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { RunInput } from '../machines/protocol/outcome.ts';
import type { HeardEntry } from './budget.ts';
import type { KeptScope } from './checkpoint.ts';
import type { Clock } from './ports.ts';

export type EffectName = keyof Leaves;
export interface EffectIo {
  effectId: string;
  signal: AbortSignal;
  clock: Clock;
  /** When a process that is gone began it, in ms since the epoch; absent where it begins for the first time (O3, O6). */
  begunAt?: number;
  /** Items that were complete when an earlier attempt at this very effect ended with its process (O2). */
  kept: readonly AgentInputItem[];
  /** Those of its calls that may have begun (C4). */
  ready: readonly Call[];
  /** Text that streams out of the effect; kept in case it is cut short. */
  keepPartial(delta: string): void;
  /** An item is complete, though the answer is not: written down, so that it is not paid for twice (O2). */
  keepItem(item: AgentInputItem, call?: Call): void;
  /** The answer is asked for: from now on it can be cut (L2). */
  asked(): void;
  /** An item is complete that is not written down: only for a cut to find. */
  noteItem(item: AgentInputItem): void;
  /** What a body that was left behind brings after all (C8). */
  tellLate(value: unknown): void;
}
/** Executes effects; told of every outcome, live and on replay, in the same order. */
export interface EffectRunner {
  run(src: EffectName, input: any, io: EffectIo): RecordedOutcome | Promise<RecordedOutcome>; // `any`: each effect has the input of its leaf
  observe(src: EffectName, input: any, outcome: RecordedOutcome): void;
  /** The run begins, or is told something; live and on replay. */
  hear?(entry: HeardEntry): void;
  /** What observing has added up to; nothing where that cannot be kept. */
  readonly memory?: KeptScope[];
  /** False when it was added up from elsewhere: then nothing has changed. */
  recall?(scopes: readonly KeptScope[], nested: readonly RunInput[]): boolean;
}

export interface OpenEffect {
  actor: AnyActorRef;
  src: EffectName;
  input: any; // `any`: as above
  partial: string;
  items: AgentInputItem[];
  calls: Call[];
  /** Items that are complete and not written down; absent until the answer is asked for. */
  noted?: AgentInputItem[];
  /** Time of the entry that asked for it, in ms since the epoch. */
  askedAt: number;
  /** A process that is gone may have begun it. */
  isRenewed: boolean;
  /** Absent until it runs. */
  controller?: AbortController;
  body?: Promise<unknown>;
  timer?: unknown;
}

export interface OpenEffectsOptions {
  clock: Clock;
  effects: EffectRunner;
  /** Bodies of one response that run at a time. */
  maxConcurrency?: number;
  /** The errors themselves, by effect, while the process in which they happened lives. */
  causes: Map<string, unknown>;
  /** How long an aborted body may take to end, in ms (C8). */
  graceMs?: number;
}

/** The way back into the host. */
export interface Ingress {
  dispatch(...batch: Incoming[]): void;
  /** A body that nobody waits for any more has ended (C8). */
  late(id: string, outcome: RecordedOutcome): void;
  decide(id: string, decision: Decision): void;
  readonly now: number;
}
