import { UserError } from '../../../actors/errors.ts';
import type { ModelRequest, ModelSettings, SerializedHandoff, SerializedTool } from '../../../actors/ports.ts';
import { defined, type JsonRecord } from '../record.ts';
import { type ProviderRequest, requestExtras } from '../requestExtras.ts';
import { toMessages } from './toMessages.ts';

/**
 * A question to a model as Chat Completions takes it. What `modelSettings.providerData` says wins over what we would say.
 *
 * @throws UserError when a tool, an item or a setting needs the Responses API, before anything is sent.
 */
export function toRequest(request: ModelRequest, { model, stream }: { model: string; stream: boolean }): ProviderRequest {
  const settings = request.modelSettings;
  const { body: extraBody, ...transport } = requestExtras(settings.providerData);
  const tools = [...request.tools.map(toTool), ...request.handoffs.map(toHandoffTool)];
  const body = {
    ...defined({
      model,
      messages: toMessages(request.input, request.systemInstructions),
      tools: tools.length > 0 ? tools : undefined,
      tool_choice: toToolChoice(settings.toolChoice, tools),
      parallel_tool_calls: tools.length > 0 ? settings.parallelToolCalls : undefined,
      response_format: toResponseFormat(request.outputType),
      ...toSampling(settings),
    }),
    ...(stream && { stream_options: { include_usage: true } }),
    ...extraBody,
    stream,
  };
  return { body, ...transport };
}

/** What of a request only the Responses API can honour, by the names its user knows. */
export function unsupportedIn(request: ModelRequest): string[] {
  const names = ['previousResponseId', 'conversationId', 'prompt'] as const;
  return names.filter((name) => Boolean(request[name]));
}

function toSampling(settings: ModelSettings): JsonRecord {
  return {
    temperature: settings.temperature,
    top_p: settings.topP,
    frequency_penalty: settings.frequencyPenalty,
    presence_penalty: settings.presencePenalty,
    max_tokens: settings.maxTokens,
    store: settings.store,
    prompt_cache_retention: settings.promptCacheRetention === 'in-memory' ? 'in_memory' : settings.promptCacheRetention,
    prompt_cache_options: settings.promptCacheOptions,
    reasoning_effort: settings.reasoning?.effort,
    verbosity: settings.text?.verbosity,
  };
}

function toTool(tool: SerializedTool): JsonRecord {
  if (tool.type !== 'function') {
    throw new UserError(`Tool "${tool.name}" (${tool.type}) runs only through the Responses API. Remove it from the agent, or use a Responses model.`);
  }
  if (tool.namespace !== undefined) {
    throw new UserError(`Tool "${tool.name}" is in namespace "${tool.namespace}", which only the Responses API knows. Offer it without a namespace, or use a Responses model.`);
  }
  const { name, description, parameters, strict } = tool;
  return { type: 'function', function: { name, description, parameters, strict } };
}

function toHandoffTool({ toolName, toolDescription, inputJsonSchema }: SerializedHandoff): JsonRecord {
  return { type: 'function', function: { name: toolName, description: toolDescription, parameters: inputJsonSchema } };
}

function toToolChoice(choice: ModelSettings['toolChoice'] | null, tools: JsonRecord[]): string | JsonRecord | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === 'auto' || choice === 'none') return choice;
  const names = tools.map((tool) => (tool.function as { name: string }).name); // Made a few lines above.
  if (choice === 'required') {
    if (names.length === 0) throw new UserError('modelSettings.toolChoice is "required", but the agent has no tools. Add one, or use "auto".');
    return choice;
  }
  if (names.includes(choice)) return { type: 'function', function: { name: choice } };
  const offered = names.length === 0 ? 'The agent has no tools.' : `It has: ${names.join(', ')}.`;
  throw new UserError(`modelSettings.toolChoice names "${choice}", which the agent does not have. ${offered}`);
}

function toResponseFormat(outputType: ModelRequest['outputType']): JsonRecord | undefined {
  if (outputType === 'text') return undefined;
  const { name, strict, schema } = outputType;
  return { type: 'json_schema', json_schema: { name, strict, schema } };
}
