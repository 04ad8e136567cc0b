/** `providerData.rawModelEventSource` of a `model` event says whose event it carries. */
export const OPENAI_RESPONSES_RAW_MODEL_EVENT_SOURCE = 'openai-responses';
/** As above, for events of Chat Completions. */
export const OPENAI_CHAT_COMPLETIONS_RAW_MODEL_EVENT_SOURCE = 'openai-chat-completions';
