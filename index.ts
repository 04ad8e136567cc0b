/** loopchart: the agent loop as statecharts. The names of `@openai/agents-core` mean here what they mean there. */
import { setDefaultModelProviderLoader } from './actors/providers.ts';

setDefaultModelProviderLoader(async () => {
  const { OpenAIProvider } = await import('./adapters/openai/index.ts');
  return new OpenAIProvider();
});

export { type ColdStream, run, Runner, stream } from './actors/run.ts';
export { type BegunRun, ColdRun } from './actors/coldRun.ts';
export type * from './actors/runOptions.ts';
export { RunState } from './actors/runState.ts';
export { RunResult, StreamedRunResult, type RunResultData } from './actors/result.ts';
export type { RunEvent } from './actors/runView.ts';
export type * from './actors/stopHook.ts';
export type { StuckThresholds } from './machines/stuck.ts';

export { Agent } from './actors/agent.ts';
export type * from './actors/agent.ts';
export type { AgentAsToolInputSchema, StructuredToolInputBuilder, StructuredToolInputBuilderOptions } from './actors/agentTool.ts';
export { ApprovalNeeded, approvalNeeded } from './actors/approvalNeeded.ts';
export { ApprovalRules } from './actors/approvalRules.ts';
export type * from './actors/approvalRules.ts';
export { askUser, questionTool } from './actors/questionTool.ts';
export type * from './actors/questionTool.ts';
export type { AnswerSchema, Answers, Question, QuestionOption, QuestionSpec } from './actors/question.ts';
export { adoptFunctionTool, invokeFunctionTool, isToolEnabled, tool, toolNamespace, type ToolNamespaceOptions } from './actors/tool.ts';
export type * from './actors/toolTypes.ts';
export type { StandardSchemaWithJSON, ToolExecuteArgument, ToolInputParameters, ToolOutputSchema } from './actors/schemaTypes.ts';
export {
  attachClientToolSearchExecutor,
  getClientToolSearchExecutor,
  getToolSearchRuntimeToolKey,
  hostedMcpTool,
  isHostedMcpTool,
} from './actors/hostedTools.ts';
export type * from './actors/hostedTools.ts';
export { applyPatchTool, computerTool, shellTool } from './actors/localTools.ts';
export type * from './actors/localTools.ts';
export { applyDiff } from './actors/applyDiff.ts';
export { Handoff, getHandoff, getTransferMessage, handoff } from './actors/handoff.ts';
export type * from './actors/handoff.ts';
export { DEFAULT_HISTORY_MARKERS, foldTranscript, nestHandoffHistory, nestTranscript, unfoldTranscript } from './actors/handoffHistory.ts';
export type * from './actors/handoffHistory.ts';
export { RECOMMENDED_PROMPT_PREFIX, promptWithHandoffInstructions, removeAllTools } from './actors/extensions.ts';
export { defineInputGuardrail, defineOutputGuardrail } from './actors/guardrail.ts';
export type * from './actors/guardrail.ts';
export {
  ToolGuardrailFunctionOutputFactory,
  defineToolInputGuardrail,
  defineToolOutputGuardrail,
  resolveToolInputGuardrails,
  resolveToolOutputGuardrails,
  runToolInputGuardrails,
  runToolOutputGuardrails,
} from './actors/toolGuardrail.ts';
export type * from './actors/toolGuardrail.ts';
export {
  MCPServers,
  connectMcpServers,
  createMCPToolStaticFilter,
  defaultMCPToolCacheKey,
  getAllMcpTools,
  invalidateServerToolsCache,
  mcpToFunctionTool,
} from './actors/mcp.ts';
export type * from './actors/mcp.ts';

export {
  RunCompactionItem,
  RunHandoffCallItem,
  RunHandoffOutputItem,
  RunInputItem,
  RunItemBase,
  RunMessageOutputItem,
  RunReasoningItem,
  RunToolCallItem,
  RunToolCallOutputItem,
  RunToolSearchCallItem,
  RunToolSearchOutputItem,
  extractAllTextOutput,
} from './actors/items.ts';
export type * from './actors/items.ts';
export { RunToolApprovalItem } from './actors/approvalItem.ts';
export { RunAgentUpdatedStreamEvent, RunItemStreamEvent, RunRawModelStreamEvent } from './actors/events.ts';
export type * from './actors/events.ts';
export {
  AgentsError,
  GuardrailExecutionError,
  InputGuardrailTripwireTriggered,
  InvalidToolInputError,
  InvalidToolOutputError,
  MaxTurnsExceededError,
  ModelBehaviorError,
  ModelError,
  ModelRefusalError,
  ModelTimeoutError,
  OutputGuardrailTripwireTriggered,
  RunInterruptedError,
  StaleStateError,
  SystemError,
  ToolCallError,
  ToolInputGuardrailTripwireTriggered,
  ToolOutputGuardrailTripwireTriggered,
  ToolTimeoutError,
  UserError,
} from './actors/errors.ts';
export type * from './actors/errors.ts';
export { BudgetExceededError, CompactionError, ContextWindowError } from './actors/limitErrors.ts';
export { AgentHooks, RunHooks, RuntimeEventEmitter, registerHooks } from './actors/lifecycle.ts';
export type * from './actors/lifecycle.ts';
export { assistant, system, user } from './actors/message.ts';
export { RunContext, type UnknownContext } from './actors/runContext.ts';
export { RequestUsage, Usage, type RequestUsageInput, type UsageInput } from './actors/usage.ts';
export { MemorySession, type MemorySessionOptions } from './actors/memorySession.ts';
export {
  applySessionHistoryMutations,
  isOpenAIResponsesCompactionAwareSession,
  isOpenAIResponsesCompactionOwnershipAwareSession,
  isRunContextAwareSession,
  isSessionHistoryRewriteAwareSession,
  isSessionHistoryTransactionAwareSession,
} from './actors/sessionCapabilities.ts';
export type * from './actors/sessionCapabilities.ts';
export { retryPolicies } from './actors/retryPolicies.ts';
export { getDefaultModelProvider, setDefaultModelProvider } from './actors/providers.ts';
export {
  OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME,
  getDefaultModel,
  getDefaultModelSettings,
  gpt5ReasoningSettingsRequired,
  isGpt5Default,
  isGpt5OrNewerDefault,
  isGpt5OrNewerReasoningModel,
} from './actors/defaultModel.ts';
export { type Journal, type JournalClaim, JournalConflict, JournalDamage, JournalDivergence, type RunSummary } from './actors/journal.ts';
export { MemoryJournal } from './actors/memoryJournal.ts';
export { type ReadEventsOptions, readEvents } from './actors/readEvents.ts';
export { type ReplayVerdict, checkReplay } from './actors/replayCheck.ts';
export { type FromJournal, type ResumeOptions, resume, stateFromJournal } from './actors/resume.ts';
export type { AutoResumeEvent, AutoResumeOptions } from './actors/autoResume.ts';
export { type PlainEffects, plainLeaves } from './actors/plainLeaves.ts';
export { systemClock } from './actors/clock.ts';
export type * from './actors/ports.ts';
export type * from './machines/protocol/item.ts';
export type { JournalEntry } from './machines/protocol/journal.ts';
