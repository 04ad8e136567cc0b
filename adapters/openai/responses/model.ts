import { Usage } from '../../../actors/usage.ts';
import type { Model, ModelRequest, ModelResponse, ModelRetryAdvice, ModelRetryAdviceRequest } from '../../../actors/ports.ts';
import type { AgentOutputItem, StreamEvent } from '../../../machines/protocol/item.ts';
import { type Answer, answerOf, type OpenAIClient, streamOf } from '../client.ts';
import type { FailedCall } from '../failure.ts';
import { requestOptions } from '../requestExtras.ts';
import { toRetryAdvice } from '../retryAdvice.ts';
import { toFailure } from './toFailure.ts';
import { toRequest } from './toRequest.ts';

/**
 * A model behind the Responses API.
 *
 * @example
 * ```ts
 * import OpenAI from 'openai';
 * import { OpenAIResponsesModel } from 'loopchart/openai';
 *
 * const model = new OpenAIResponsesModel(new OpenAI({ apiKey: 'my-key' }), 'gpt-5');
 * console.log(model.supportsPromptModelSelection); // true
 * ```
 */
export class OpenAIResponsesModel implements Model {
  /** A stored prompt may bring its own model. */
  readonly supportsPromptModelSelection = true;
  protected readonly _client: OpenAIClient;
  protected readonly _model: string;
  /** Loaded with the first stream. */
  #toItems: typeof import('./toItems.ts').toItems | undefined;

  constructor(client: OpenAIClient, model: string) {
    this._client = client;
    this._model = model;
  }

  /**
   * @throws UserError for a request that cannot be expressed; ModelBehaviorError for an incomplete answer; otherwise the
   * client's own error, retold, or a ModelError.
   */
  async getResponse(request: ModelRequest): Promise<ModelResponse> {
    try {
      const { toCompleted } = await import('./toEvents.ts');
      const { content, ...answered } = await answerOf(this.#ask(request, false));
      const { id, usage, ...response } = toCompleted(content, this.#context(request, answered));
      return { ...response, ...(id && { responseId: id }), usage: new Usage({ requests: 1, ...usage }) };
    } catch (error) {
      throw toFailure(error, this.#call(request));
    }
  }

  async *getStreamedResponse(request: ModelRequest): AsyncGenerator<StreamEvent, void, undefined> {
    try {
      const [{ toEvents }, { toItems }] = await Promise.all([import('./toEvents.ts'), import('./toItems.ts')]);
      this.#toItems = toItems;
      const { content, ...answered } = await streamOf(this.#ask(request, true));
      yield* toEvents(content, this.#context(request, answered));
    } catch (error) {
      throw toFailure(error, this.#call(request));
    }
  }

  /** The Responses API says of each item when it is complete. */
  completedItem(event: StreamEvent): AgentOutputItem | undefined {
    if (event.type !== 'model' || event.event?.type !== 'response.output_item.done') return undefined;
    return this.#toItems?.([event.event.item])[0];
  }

  getRetryAdvice(args: ModelRetryAdviceRequest): ModelRetryAdvice | undefined {
    return toRetryAdvice(args);
  }

  #ask(request: ModelRequest, stream: boolean): PromiseLike<unknown> {
    const sent = toRequest(request, { model: this._model, stream });
    // The body may hold members that are newer than the client's types; the client sends what it is given.
    return this._client.responses.create(sent.body as never, requestOptions(request, sent));
  }

  #context(request: ModelRequest, answered: Omit<Answer, 'content'>) {
    return { ...answered, call: this.#call(request), preserveRawUsage: request.modelSettings.preserveRawUsage };
  }

  #call({ signal }: ModelRequest): FailedCall {
    const { baseURL, apiKey } = this._client;
    return { api: 'responses', model: this._model, baseURL, apiKey, signal };
  }
}
