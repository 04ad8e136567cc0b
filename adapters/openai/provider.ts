import { getDefaultModel } from '../../actors/defaultModel.ts';
import { UserError } from '../../actors/errors.ts';
import type { Model, ModelProvider } from '../../actors/ports.ts';
import { OpenAIChatCompletionsModel } from './chat/model.ts';
import { type ClientOptions, createClient, type OpenAIClient } from './client.ts';
import { getDefaultOpenAIClient, getDefaultOpenAIKey, usesResponsesByDefault } from './defaults.ts';
import { OpenAIResponsesModel } from './responses/model.ts';

export interface OpenAIProviderOptions extends ClientOptions {
  /** A client made elsewhere, instead of `apiKey`, `baseURL`, `organization` and `project`. */
  openAIClient?: OpenAIClient;
  /** True: the Responses API. False: Chat Completions, which most other servers speak. Otherwise what `setOpenAIAPI` says. */
  useResponses?: boolean;
  /** Chat Completions: refuse what only the Responses API can do, instead of warning and going on without it. */
  strictFeatureValidation?: boolean;
}

/**
 * Models of OpenAI, and of every server that speaks its protocol (vLLM, Ollama, llama.cpp, …). Key and address come from the
 * options, else from `OPENAI_API_KEY` and `OPENAI_BASE_URL`. The `openai` package is loaded with the first model.
 *
 * @example
 * ```ts
 * import { OpenAIProvider } from 'loopchart/openai';
 *
 * const local = new OpenAIProvider({ baseURL: 'http://127.0.0.1:11434/v1', useResponses: false });
 * const model = await local.getModel('qwen3');
 * console.log(typeof model.getResponse); // function
 * ```
 */
export class OpenAIProvider implements ModelProvider {
  readonly #options: OpenAIProviderOptions;
  #client: Promise<OpenAIClient> | undefined;

  /** @throws UserError when a client is given together with what only a new client could heed. */
  constructor(options: OpenAIProviderOptions = {}) {
    const ignored = (['apiKey', 'baseURL', 'organization', 'project'] as const).filter((name) => options[name] !== undefined);
    if (options.openAIClient && ignored.length > 0) {
      throw new UserError(`OpenAIProvider got both openAIClient and ${ignored.join(', ')}. The client has its own; give one or the other.`);
    }
    this.#options = options;
  }

  /**
   * @param modelName - without one: `OPENAI_DEFAULT_MODEL`, or the library's default.
   * @throws UserError when there is no key, or the `openai` package is not installed.
   */
  async getModel(modelName: string = getDefaultModel()): Promise<Model> {
    const { useResponses = usesResponsesByDefault(), strictFeatureValidation } = this.#options;
    const client = await this.#getClient();
    return useResponses
      ? new OpenAIResponsesModel(client, modelName)
      : new OpenAIChatCompletionsModel(client, modelName, { strictFeatureValidation });
  }

  /** Forgets the client; the next model gets a new one. Nothing is held open between calls. */
  async close(): Promise<void> {
    this.#client = undefined;
  }

  /** A client that could not be made is not remembered: the key may be there next time. */
  async #getClient(): Promise<OpenAIClient> {
    this.#client ??= this.#makeClient();
    try {
      return await this.#client;
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }

  async #makeClient(): Promise<OpenAIClient> {
    const { openAIClient, useResponses: _api, strictFeatureValidation: _strict, ...own } = this.#options;
    const { maxRetries, ...identity } = own;
    const hasIdentity = Object.values(identity).some((value) => value !== undefined);
    const shared = openAIClient ?? (hasIdentity ? undefined : getDefaultOpenAIClient());
    if (shared) return maxRetries === undefined ? shared : shared.withOptions({ maxRetries });
    return createClient({ ...own, apiKey: own.apiKey ?? getDefaultOpenAIKey() });
  }
}
