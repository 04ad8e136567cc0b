import { UserError } from '../../../actors/errors.ts';
import type { Model, ModelRequest, ModelResponse, ModelRetryAdvice, ModelRetryAdviceRequest } from '../../../actors/ports.ts';
import { Usage } from '../../../actors/usage.ts';
import type { StreamEvent } from '../../../machines/protocol/item.ts';
import { type Answer, answerOf, type OpenAIClient, streamOf } from '../client.ts';
import type { FailedCall } from '../failure.ts';
import { requestOptions } from '../requestExtras.ts';
import { toRetryAdvice } from '../retryAdvice.ts';
import type { CompletionContext } from './toEvents.ts';
import { toFailure } from './toFailure.ts';
import { toRequest, unsupportedIn } from './toRequest.ts';

export interface OpenAIChatCompletionsModelOptions {
  /** Refuse what only the Responses API can do, instead of warning once and going on without it. */
  strictFeatureValidation?: boolean;
}

/**
 * A model behind Chat Completions, of OpenAI or of a compatible server.
 *
 * @example
 * ```ts
 * import OpenAI from 'openai';
 * import { OpenAIChatCompletionsModel } from 'loopchart/openai';
 *
 * const client = new OpenAI({ apiKey: 'none', baseURL: 'http://127.0.0.1:8080/v1' });
 * const model = new OpenAIChatCompletionsModel(client, 'qwen3');
 * console.log(typeof model.getStreamedResponse); // function
 * ```
 */
export class OpenAIChatCompletionsModel implements Model {
  readonly #client: OpenAIClient;
  readonly #model: string;
  readonly #options: OpenAIChatCompletionsModelOptions;
  readonly #warned = new Set<string>();

  constructor(client: OpenAIClient, model: string, options: OpenAIChatCompletionsModelOptions = {}) {
    this.#client = client;
    this.#model = model;
    this.#options = options;
  }

  /**
   * @throws UserError for a request that needs the Responses API; ModelBehaviorError when the model ran out of tokens before
   * it said anything; otherwise the client's own error, retold, or a ModelError.
   */
  async getResponse(request: ModelRequest): Promise<ModelResponse> {
    try {
      const { toCompleted } = await import('./toEvents.ts');
      const { content, ...answered } = await answerOf(this.#ask(request, false));
      const { id: responseId, usage, ...response } = toCompleted(content, this.#context(request, answered));
      return { ...response, responseId, usage: new Usage({ requests: 1, ...usage }) };
    } catch (error) {
      throw toFailure(error, this.#call(request));
    }
  }

  async *getStreamedResponse(request: ModelRequest): AsyncGenerator<StreamEvent, void, undefined> {
    try {
      const { toEvents } = await import('./toEvents.ts');
      const { content, ...answered } = await streamOf(this.#ask(request, true));
      yield* toEvents(content, this.#context(request, answered));
    } catch (error) {
      throw toFailure(error, this.#call(request));
    }
  }

  getRetryAdvice(args: ModelRetryAdviceRequest): ModelRetryAdvice | undefined {
    return toRetryAdvice(args);
  }

  #ask(request: ModelRequest, stream: boolean): PromiseLike<unknown> {
    this.#refuseOrWarn(unsupportedIn(request));
    const sent = toRequest(request, { model: this.#model, stream });
    // The body may hold members that are newer than the client's types; the client sends what it is given.
    return this.#client.chat.completions.create(sent.body as never, requestOptions(request, sent));
  }

  #refuseOrWarn(names: string[]): void {
    if (names.length === 0) return;
    const message = `Chat Completions does not know ${names.join(', ')}: it needs the whole conversation with every request. Use a Responses model for that.`;
    if (this.#options.strictFeatureValidation) throw new UserError(message);
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    console.warn(`${message} Going on without; set strictFeatureValidation to make this an error.`);
  }

  #context(request: ModelRequest, answered: Omit<Answer, 'content'>): CompletionContext {
    return {
      ...answered,
      call: this.#call(request),
      newMessageId: () => freshId('msg'),
      newCallId: () => freshId('call'),
      knownCallIds: callIdsIn(request.input),
      preserveRawUsage: request.modelSettings.preserveRawUsage,
    };
  }

  #call({ signal }: ModelRequest): FailedCall {
    const { baseURL, apiKey } = this.#client;
    return { api: 'chat_completions', model: this.#model, baseURL, apiKey, signal };
  }
}

function callIdsIn(input: ModelRequest['input']): string[] {
  return typeof input === 'string' ? [] : input.flatMap((item) => (item.type === 'function_call' ? [item.callId] : []));
}

function freshId(prefix: string): string {
  return `${prefix}_${crypto.randomUUID().replaceAll('-', '')}`;
}
