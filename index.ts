/** loopchart: the agent loop as statecharts. The names of `@openai/agents-core` mean here what they mean there. */
import { setDefaultModelProviderLoader } from './actors/providers.ts';

setDefaultModelProviderLoader(async () => {
  const { OpenAIProvider } = await import('./adapters/openai/index.ts');
  return new OpenAIProvider();
});

export { run, Runner } from './actors/run.ts';
export type * from './actors/runOptions.ts';
export { RunState } from './actors/runState.ts';
export { RunResult, StreamedRunResult, type RunResultData } from './actors/result.ts';
export type { RunEvent } from './actors/runView.ts';

export * from './actors/agent.ts';
export type { AgentAsToolInputSchema, StructuredToolInputBuilder, StructuredToolInputBuilderOptions } from './actors/agentTool.ts';
export { adoptFunctionTool, invokeFunctionTool, isToolEnabled, tool, toolNamespace } from './actors/tool.ts';
export type * from './actors/toolTypes.ts';
export * from './actors/hostedTools.ts';
export { applyPatchTool, computerTool, shellTool } from './actors/localTools.ts';
export type * from './actors/localTools.ts';
export { Handoff, getHandoff, getTransferMessage, handoff } from './actors/handoff.ts';
export type * from './actors/handoff.ts';
export * from './actors/handoffHistory.ts';
export * from './actors/extensions.ts';
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
export * from './actors/mcp.ts';

export * from './actors/items.ts';
export * from './actors/events.ts';
export * from './actors/errors.ts';
export * from './actors/lifecycle.ts';
export * from './actors/message.ts';
export { RunContext, type UnknownContext } from './actors/runContext.ts';
export { RequestUsage, Usage, type RequestUsageInput, type UsageInput } from './actors/usage.ts';
export { MemorySession, type MemorySessionOptions } from './actors/memorySession.ts';
export { retryPolicies } from './actors/retryPolicies.ts';
export { getDefaultModelProvider, setDefaultModelProvider } from './actors/providers.ts';
export * from './actors/defaultModel.ts';
export { type Journal, type JournalClaim, JournalConflict, MemoryJournal, type RunSummary } from './actors/journal.ts';
export { type PlainEffects, plainLeaves } from './actors/leaf.ts';
export { systemClock } from './actors/clock.ts';
export type * from './actors/ports.ts';
export type * from './machines/protocol/item.ts';
