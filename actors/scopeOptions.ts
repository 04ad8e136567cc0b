/** What a run is begun with, as its effects need it. */
import type { ThreadCommand } from '../machines/protocol/thread.ts';
import type { Agent } from './agent.ts';
import type { AgentToolDelegate } from './agentTool.ts';
import type { ApprovalRules } from './approvalRules.ts';
import type { Ledger } from './budget.ts';
import type { RunStreamEvent } from './events.ts';
import type { RunHooks } from './lifecycle.ts';
import type { StreamEventListener } from './ports.ts';
import type { RunContext } from './runContext.ts';
import type { RunConfig, SharedRunOptions } from './runOptions.ts';
import type { RunScope } from './scope.ts';
import type { Tool } from './toolTypes.ts';

export type AnyAgent = Agent<any, any>; // `any`: one run has agents of many contexts and outputs
export type AnyRunOptions = SharedRunOptions<any, any>;

/** Hears what a body says of how far it has come. */
export type ProgressListener = (effectId: string, agent: string, value: unknown) => void;

/** Asked before each turn: resolves when it may begin, or when the signal fires; nothing when it may at once (I5). */
export type Pace = (signal: AbortSignal) => Promise<void> | undefined;

export interface ScopeOptions {
  runId: string;
  agent: AnyAgent;
  config: Partial<RunConfig>;
  options: AnyRunOptions;
  runContext: RunContext<any>;
  hooks?: RunHooks<any, any>;
  stream: boolean;
  /** Requests are sent again also where the app says nothing about that (K1). */
  retryByDefault?: boolean;
  onRaw?: StreamEventListener;
  onProgress?: ProgressListener;
  pace?: Pace;
  causes: Map<string, unknown>;
  /** What error handlers are shown of the run so far. */
  runData?: (scope: RunScope) => unknown;
  isNested?: boolean;
  /** What this run does otherwise than its agents say (M7). */
  overrides?: ScopeOverrides;
  /** Has an agent work beside the runs of the thread, where there is one (F5). */
  startBackground?: (start: BackgroundStart) => void;
  /** Of an agent that works beside the runs: as what tool. */
  delegate?: AgentToolDelegate<any, any>;
  /** Of the run around all; a new one where there is none. */
  ledger?: Ledger;
  /** Hears the stream of a nested run, where its tool has listeners. */
  deliver?: (event: RunStreamEvent) => void;
  /** Approval policies of the runs around, the innermost first. */
  outerRules?: readonly ApprovalRules[];
}

export type BackgroundStart = Omit<Extract<ThreadCommand, { type: 'background.start' }>, 'type' | 'at'>;

/** For all agents of the run, those used as tools aside. */
export interface ScopeOverrides {
  instructions?: string;
  /** Names of the tools that are offered: of the agent, or from the pool. */
  tools?: { names: readonly string[]; pool: readonly Tool<any>[] };
}
