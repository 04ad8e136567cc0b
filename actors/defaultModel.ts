/** Which model is meant when none is named, and the settings that models want when none are given. */
import type { ModelSettings, ModelSettingsReasoningEffort } from './ports.ts';

/** The environment variable that names the default model. */
export const OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME = 'OPENAI_DEFAULT_MODEL';

const DEFAULT_MODEL = 'gpt-5.6-luna';

/** The default model's name, in lower case. Where there is no environment, such as in a browser, the built-in one. */
export function getDefaultModel(): string {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME]?.toLowerCase() ?? DEFAULT_MODEL;
}

/** Whether the model is one of the GPT-5 reasoning models, which take `reasoning` settings; the chat aliases do not. */
export function gpt5ReasoningSettingsRequired(modelName: string): boolean {
  return modelName.startsWith('gpt-5') && !CHAT_ALIAS.test(modelName);
}

/** Whether the model is a GPT-5 reasoning model or a later one. */
export function isGpt5OrNewerReasoningModel(modelName: string): boolean {
  const version = /^gpt-(\d+)(?:\.\d+)?(?:-|$)/.exec(modelName)?.[1];
  return version !== undefined && Number(version) >= 5 && !CHAT_ALIAS.test(modelName);
}

/** Whether the default model is one of the GPT-5 family that reasons. */
export function isGpt5Default(): boolean {
  return gpt5ReasoningSettingsRequired(getDefaultModel());
}

/** Whether the default model reasons as GPT-5 does, or is newer. */
export function isGpt5OrNewerDefault(): boolean {
  return isGpt5OrNewerReasoningModel(getDefaultModel());
}

/** The settings for a model when the agent has none; `{}` for models that are not known to want any. */
export function getDefaultModelSettings(model: string = getDefaultModel()): ModelSettings {
  if (!isGpt5OrNewerReasoningModel(model)) return {};
  const effort = EFFORTS.find(([names]) => names.test(model))?.[1];
  return { ...(effort === undefined ? {} : { reasoning: { effort } }), text: { verbosity: 'low' } };
}

const CHAT_ALIAS = /^gpt-5(?:\.[123])?-chat-latest$/;

/** The least effort that each model is known to accept; dated releases behave like their family. */
const EFFORTS: readonly [RegExp, ModelSettingsReasoningEffort][] = [
  [/^gpt-6-astra$/, 'low'],
  [/^gpt-5(?:-\d{4}-\d{2}-\d{2})?$/, 'low'],
  [/^gpt-5\.[1245](?:-\d{4}-\d{2}-\d{2})?$/, 'none'],
  [/^gpt-5\.[24]-pro(?:-\d{4}-\d{2}-\d{2})?$/, 'medium'],
  [/^gpt-5\.2-codex$/, 'low'],
  [/^gpt-5\.3-codex$/, 'none'],
  [/^gpt-5\.4-(?:mini|nano)(?:-\d{4}-\d{2}-\d{2})?$/, 'none'],
  [/^gpt-5\.6(?:-(?:sol|terra|luna)(?:-\d{4}-\d{2}-\d{2})?)?$/, 'none'],
];
