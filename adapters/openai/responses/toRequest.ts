import type { ModelRequest, ModelSettings } from '../../../actors/ports.ts';
import { defined, isRecord, type JsonRecord } from '../record.ts';
import { requestExtras, type ProviderRequest } from '../requestExtras.ts';
import { toInput, toPromptVariable } from './toInput.ts';
import { toToolChoice } from './toToolChoice.ts';
import { toTools } from './toTools.ts';

/**
 * A question to a model as the Responses API takes it. What `modelSettings.providerData` says wins over what we would say.
 *
 * @throws UserError when something asked for cannot be expressed, before anything is sent.
 */
export function toRequest(request: ModelRequest, { model, stream }: { model: string; stream: boolean }): ProviderRequest {
  const settings = request.modelSettings;
  const { body: extraBody, ...transport } = requestExtras(settings.providerData);
  const { include: extraInclude, reasoning: extraReasoning, text: extraText, ...rest } = extraBody;
  const { tools, include } = toTools(request, model);
  const fromPrompt = request.prompt !== undefined;
  const modelFromPrompt = fromPrompt && !request.overridePromptModel;
  const toolsFromPrompt = fromPrompt && tools.length === 0 && !request.toolsExplicitlyProvided;
  const body = {
    ...defined({
      model: modelFromPrompt ? undefined : model,
      instructions: request.systemInstructions?.trim() ? request.systemInstructions : undefined,
      input: toInput(request.input),
      include: [...new Set([...include, ...(Array.isArray(extraInclude) ? extraInclude : [])])],
      tools: toolsFromPrompt ? undefined : tools,
      tool_choice: toToolChoice(settings.toolChoice, { tools, fromPrompt }),
      parallel_tool_calls: tools.length > 0 || fromPrompt ? settings.parallelToolCalls : undefined,
      prompt: toPrompt(request.prompt),
      ...toConversation(request),
      ...toSampling(settings),
      reasoning: merged(settings.reasoning, extraReasoning),
      text: merged(settings.text, extraText, toFormat(request.outputType)),
    }),
    ...rest,
    stream,
  };
  return { body, ...transport };
}

/** A conversation knows its own last response; the API refuses to be told both. */
function toConversation(request: ModelRequest): JsonRecord {
  if (request.conversationId) return { conversation: request.conversationId };
  return request.previousResponseId ? { previous_response_id: request.previousResponseId } : {};
}

function toSampling(settings: ModelSettings): JsonRecord {
  return {
    temperature: settings.temperature,
    top_p: settings.topP,
    truncation: settings.truncation,
    max_output_tokens: settings.maxTokens,
    store: settings.store,
    prompt_cache_retention: settings.promptCacheRetention === 'in-memory' ? 'in_memory' : settings.promptCacheRetention,
    prompt_cache_options: settings.promptCacheOptions,
    context_management: settings.contextManagement?.map(({ compactThreshold, ...entry }) =>
      defined({ ...entry, compact_threshold: compactThreshold ?? entry.compact_threshold }),
    ),
  };
}

function toFormat(outputType: ModelRequest['outputType']): JsonRecord | undefined {
  if (outputType === 'text') return undefined;
  const { name, strict, schema } = outputType;
  return { format: { type: 'json_schema', name, strict, schema } };
}

function toPrompt(prompt: ModelRequest['prompt']): JsonRecord | undefined {
  if (!prompt) return undefined;
  const variables = Object.entries(prompt.variables ?? {}).map(([name, value]) => [name, toPromptVariable(value)]);
  return defined({ id: prompt.promptId, version: prompt.version, variables: Object.fromEntries(variables) });
}

/** Later parts win. Undefined when no part says anything, so that the provider's default holds. */
function merged(...parts: unknown[]): JsonRecord | undefined {
  const said = parts.filter(isRecord);
  return said.length === 0 ? undefined : defined(Object.assign({}, ...said));
}
