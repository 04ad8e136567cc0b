/** Models of OpenAI and of servers that speak its protocol. Importing this loads neither `openai` nor zod; the first model does. */
export { OpenAIProvider, type OpenAIProviderOptions } from './provider.ts';
export type { OpenAIClient } from './client.ts';
export { OpenAIResponsesModel } from './responses/model.ts';
export { OpenAIChatCompletionsModel, type OpenAIChatCompletionsModelOptions } from './chat/model.ts';
export { getDefaultOpenAIClient, setDefaultOpenAIClient, setDefaultOpenAIKey, setOpenAIAPI } from './defaults.ts';
export {
  codeInterpreterTool, fileSearchTool, imageGenerationTool, webSearchTool, type CodeInterpreterTool, type FileSearchTool,
  type ImageGenerationTool, type WebSearchTool,
} from './hostedTools.ts';
export { OPENAI_CHAT_COMPLETIONS_RAW_MODEL_EVENT_SOURCE, OPENAI_RESPONSES_RAW_MODEL_EVENT_SOURCE } from './rawEventSources.ts';
