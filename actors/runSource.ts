/** Where a state gets what it shows, and what it shows of a run. */
import type { Call } from '../machines/protocol/call.ts';
import type { Decision, PendingInput } from '../machines/protocol/command.ts';
import type { AgentInputItem, AgentOutputItem } from '../machines/protocol/item.ts';
import type { JournalEntry } from '../machines/protocol/journal.ts';
import type { RunOutcome } from '../machines/protocol/outcome.ts';
import type { Agent } from './agent.ts';
import type { ExecutionOrigin } from './executionOptions.ts';
import type { InputGuardrailResult, OutputGuardrailResult } from './guardrail.ts';
import type { OpenDecision } from './host.ts';
import type { RunItem } from './items.ts';
import type { ModelResponse } from './ports.ts';
import type { Progress } from './progress.ts';
import type { SteerMode } from './runOptions.ts';
import type { RunScope } from './scope.ts';
import type { ToolInputGuardrailResult, ToolOutputGuardrailResult } from './toolGuardrail.ts';
import type { AnswerCheck } from './said.ts';

export type AnyAgent = Agent<any, any>; // `any`: as in the peer's type

/** How input joins a run that is going. */
export interface SteerWay {
  /** Of the nested run, or the activation of an agent, that it is for (L7). */
  path?: string;
  /** Default: as of the run. */
  mode?: SteerMode;
}

/** Where a state gets what it shows: a run that goes, waits or has settled. */
export interface RunSource {
  readonly scope: RunScope;
  /** What a run that goes on from here has in common with this one. */
  readonly origin: Omit<ExecutionOrigin, 'state' | 'runContext'>;
  readonly entries: readonly JournalEntry[];
  readonly isLive: boolean;
  readonly outcome: RunOutcome | null;
  /** A bug: what broke the charts or an effect. */
  readonly crash: { error: unknown } | null;
  readonly progress: Progress;
  readonly openDecisions: OpenDecision[];
  scopeOf(id: string): RunScope;
  steer(input: PendingInput[], way?: SteerWay): boolean;
  mail(input: PendingInput[]): boolean;
  /** The call that a decision with this id would be about, while it waits or is on its way there. */
  callOf(id: string): Call | undefined;
  readonly checkAnswers: AnswerCheck;
  /** What would become of a decision about this call now. */
  standing(id: string): 'open' | 'stale' | 'unknown';
  decide(id: string, decision: Decision, interrupts?: boolean): Promise<void>;
}

/** What a result shows of a run. */
export interface RunLook<TAgent extends AnyAgent> {
  input: string | AgentInputItem[];
  newItems: RunItem[];
  history: AgentInputItem[];
  output: AgentOutputItem[];
  rawResponses: ModelResponse[];
  lastAgent: TAgent | undefined;
  inputGuardrailResults: InputGuardrailResult[];
  outputGuardrailResults: OutputGuardrailResult<any, any>[];
  toolInputGuardrailResults: ToolInputGuardrailResult[];
  toolOutputGuardrailResults: ToolOutputGuardrailResult[];
  finalOutput: unknown;
}
