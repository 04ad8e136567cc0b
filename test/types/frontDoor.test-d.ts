/**
 * Checked by the compiler alone. The list is every name that `@openai/agents-core` exports, values and types, but for those that
 * `frontDoor.test.ts` lists as left out; that test also keeps this list whole.
 */
import type * as peer from '@openai/agents-core';
import type { AgentInputItem, Model, ModelProvider, ModelSettings, Session, StreamEvent } from 'loopchart';

export type {
  Agent, AgentConfigWithHandoffs, AgentConfiguration, AgentHookEvents, AgentHooks, AgentInputItem, AgentOptions, AgentOutputItem,
  AgentOutputType, AgentTool, AgentToolInvocation, AgentToolOptions, AgentToolOptionsWithDefault, AgentToolOptionsWithParameters,
  AgentsError, ApplyPatchCallItem, ApplyPatchCallResultItem, ApplyPatchOperation, ApplyPatchResult, ApplyPatchTool,
  ApplyPatchToolCustomDataContext, ApplyPatchToolCustomDataExtractor, AssistantMessageItem, CallModelInputFilter,
  CallModelInputFilterArgs, CallToolResult, CallToolResultContent, ClientToolSearchExecutor, ClientToolSearchExecutorArgs,
  ClientToolSearchExecutorResult, CompletedAgentToolInvocationRunResult, Computer, ComputerCallResultItem,
  ComputerOnSafetyCheckFunction, ComputerSafetyCheck, ComputerSafetyCheckResult, ComputerTool, ComputerToolCustomDataContext,
  ComputerToolCustomDataExtractor, ComputerUseCallItem, Editor, EditorInvocationContext, FunctionCallItem, FunctionCallResultItem,
  FunctionTool, FunctionToolCustomDataContext, FunctionToolCustomDataExtractor, FunctionToolResult, FunctionToolTimeoutBehavior,
  GetAllMcpToolsOptions, GuardrailExecutionError, GuardrailFunctionOutput, Handoff, HandoffCloneOptions, HandoffEnabledFunction,
  HandoffInputData, HostedMCPTool, HostedTool, HostedToolCallItem, IndividualRunOptions, InputGuardrail, InputGuardrailFunction,
  InputGuardrailFunctionArgs, InputGuardrailMetadata, InputGuardrailResult, InputGuardrailTripwireTriggered, InvalidToolOutputError,
  JsonSchemaDefinition, MCPBlobResourceContent, MCPCallToolOptions, MCPListResourceTemplatesResult, MCPListResourcesParams,
  MCPListResourcesResult, MCPReadResourceResult, MCPResource, MCPResourceContent, MCPResourceTemplate, MCPServer,
  MCPServerWithResources, MCPServers, MCPServersOptions, MCPServersReconnectOptions, MCPTextResourceContent, MCPToolCacheKeyGenerator,
  MCPToolCustomDataContext, MCPToolCustomDataExtractor, MCPToolErrorFunction, MCPToolFilterCallable, MCPToolFilterContext,
  MCPToolFilterStatic, MCPToolMetaContext, MCPToolMetaResolver, MaxTurnsExceededError, MemorySession, Model, ModelBehaviorError,
  ModelInputData, ModelProvider, ModelRefusalError, ModelRequest, ModelResponse, ModelRetryAdvice, ModelRetryAdviceRequest,
  ModelRetryBackoffSettings, ModelRetryNormalizedError, ModelRetrySettings, ModelSettings, ModelSettingsContextManagement,
  ModelSettingsToolChoice, ModelTimeoutError, NonStreamRunOptions, OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME,
  OpenAIResponsesCompactionArgs, OpenAIResponsesCompactionAwareSession, OpenAIResponsesCompactionOwnershipAwareSession,
  OpenAIResponsesCompactionResult, OutputGuardrail, OutputGuardrailBlockedMessageArgs, OutputGuardrailBlockedMessageFormatter,
  OutputGuardrailDefinition, OutputGuardrailFunction, OutputGuardrailFunctionArgs, OutputGuardrailMetadata, OutputGuardrailResult,
  OutputGuardrailTripwireTriggered, ProgramCallItem, ProgramCallResultItem, ReasoningItem, ReasoningItemIdPolicy, RequestUsage,
  RequestUsageInput, ResponseStreamEvent, RetryDecision, RetryPolicy, RetryPolicyContext, RunAgentUpdatedStreamEvent, RunCompactionItem,
  RunConfig, RunContext, RunContextAwareSession, RunErrorData, RunErrorHandler, RunErrorHandlerInput, RunErrorHandlerResult,
  RunErrorHandlers, RunErrorKind, RunHandoffCallItem, RunHandoffOutputItem, RunHookEvents, RunInputItem, RunItem, RunItemStreamEvent,
  RunMessageOutputItem, RunRawModelStreamEvent, RunReasoningItem, RunResult, RunState, RunStreamEvent, RunToolApprovalItem,
  RunToolCallItem, RunToolCallOutputItem, RunToolSearchCallItem, RunToolSearchOutputItem, Runner, RuntimeEventEmitter,
  SerializedHandoff, SerializedOutputType, SerializedTool, Session, SessionHistoryAppendItemsTransaction, SessionHistoryMutation,
  SessionHistoryReplaceSuffixTransaction, SessionHistoryRewriteArgs, SessionHistoryRewriteAwareSession, SessionHistoryTransaction,
  SessionHistoryTransactionArgs, SessionHistoryTransactionAwareSession, SessionInputCallback, Shell, ShellAction, ShellCallItem,
  ShellCallResultItem, ShellOutputResult, ShellResult, ShellTool, ShellToolContainerAutoEnvironment, ShellToolContainerNetworkPolicy,
  ShellToolContainerNetworkPolicyAllowlist, ShellToolContainerNetworkPolicyDisabled, ShellToolContainerNetworkPolicyDomainSecret,
  ShellToolContainerReferenceEnvironment, ShellToolContainerSkill, ShellToolEnvironment, ShellToolHostedEnvironment,
  ShellToolInlineSkill, ShellToolInlineSkillSource, ShellToolLocalEnvironment, ShellToolLocalSkill, ShellToolSkillReference,
  StandardSchemaWithJSON, StreamEvent, StreamEventGenericItem, StreamEventResponseCompleted, StreamEventResponseStarted,
  StreamEventTextStream, StreamRunOptions, StreamedRunResult, SystemError, SystemMessageItem, TextOutput, Tool, ToolAllowedCaller,
  ToolAllowedCallers, ToolCallError, ToolCallOutputContent, ToolCallStructuredOutput, ToolCaller, ToolEnabledFunction,
  ToolErrorFormatter, ToolErrorFormatterArgs, ToolErrorKind, ToolExecuteArgument, ToolExecutionConfig, ToolGuardrailBehavior,
  ToolGuardrailFunctionOutput, ToolGuardrailFunctionOutputFactory, ToolGuardrailMetadata, ToolInputGuardrailData,
  ToolInputGuardrailDefinition, ToolInputGuardrailFunction, ToolInputGuardrailResult, ToolInputGuardrailTripwireTriggered,
  ToolInputParameters, ToolNameCollisionPolicy, ToolNamespaceOptions, ToolNotFoundBehavior, ToolOptions, ToolOptionsWithGuardrails,
  ToolOutputCustomData, ToolOutputErrorContext, ToolOutputFileContent, ToolOutputGuardrailData, ToolOutputGuardrailDefinition,
  ToolOutputGuardrailFunction, ToolOutputGuardrailResult, ToolOutputGuardrailTripwireTriggered, ToolOutputImage, ToolOutputSchema,
  ToolOutputText, ToolReference, ToolSearchCallArguments, ToolSearchCallItem, ToolSearchOutputItem, ToolSearchOutputTool,
  ToolTimeoutError, ToolTimeoutErrorFunction, ToolToFinalOutputFunction, ToolUseBehavior, ToolUseBehaviorFlags,
  ToolsToFinalOutputResult, TracingConfig, UnknownContext, UnknownItem, Usage, UsageInput, UserError, UserMessageItem, applyDiff, applyPatchTool,
  applySessionHistoryMutations, assistant, attachClientToolSearchExecutor, computerTool, connectMcpServers, createMCPToolStaticFilter,
  defineOutputGuardrail, defineToolInputGuardrail, defineToolOutputGuardrail, extractAllTextOutput, getAllMcpTools,
  getClientToolSearchExecutor, getDefaultModel, getDefaultModelSettings, getHandoff, getToolSearchRuntimeToolKey, getTransferMessage,
  gpt5ReasoningSettingsRequired, handoff, hostedMcpTool, invalidateServerToolsCache, invokeFunctionTool, isGpt5Default,
  isOpenAIResponsesCompactionAwareSession, isOpenAIResponsesCompactionOwnershipAwareSession, isRunContextAwareSession,
  isSessionHistoryRewriteAwareSession, isSessionHistoryTransactionAwareSession, mcpToFunctionTool, resolveToolInputGuardrails,
  resolveToolOutputGuardrails, retryPolicies, run, runToolInputGuardrails, runToolOutputGuardrails, setDefaultModelProvider, shellTool,
  system, tool, toolNamespace, user,
} from 'loopchart';

// What an app wrote for that SDK fits here.
declare const theirs: { model: peer.Model; provider: peer.ModelProvider; session: peer.Session; settings: peer.ModelSettings; item: peer.AgentInputItem; event: peer.StreamEvent };
const model: Model = theirs.model;
const provider: ModelProvider = theirs.provider;
const session: Session = theirs.session;
const settings: ModelSettings = theirs.settings;
const item: AgentInputItem = theirs.item;
const event: StreamEvent = theirs.event;

// What is kept from here is read there.
declare const items: AgentInputItem[];
const there: peer.AgentInputItem[] = items;

// @ts-expect-error A name that neither has.
import type { AgentOfNobody } from 'loopchart';

export { event, item, model, provider, session, settings, there };
export type Nobody = AgentOfNobody;
