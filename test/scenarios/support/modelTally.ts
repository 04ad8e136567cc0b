/** What the models of a world were asked and what they answered, over all of them and in order. */
import type { AgentInputItem, ModelRequest, UsageData } from 'loopchart';
import type { RecordedRequest, ScriptedModel } from 'loopchart/testing';

export interface Answer { usage: UsageData; output: readonly AgentInputItem[] }

export class ModelTally {
  readonly #requests: { model: ScriptedModel; number: number; answersBefore: number }[] = [];
  readonly #answers: Answer[] = [];

  /** The same model; its answers are counted from now on. */
  count(model: ScriptedModel): ScriptedModel {
    const { getResponse, getStreamedResponse } = model;
    const ask = () => this.#requests.push({ model, number: model.requests.length, answersBefore: this.#answers.length });
    const keep = (answer: Answer) => this.add(answer);
    model.getResponse = async (request: ModelRequest) => {
      ask();
      const response = await getResponse.call(model, request);
      keep({ usage: response.usage, output: response.output });
      return response;
    };
    model.getStreamedResponse = (request: ModelRequest) => {
      ask();
      return passOn(getStreamedResponse.call(model, request), keep);
    };
    return model;
  }

  add(answer: Answer): void {
    this.#answers.push(answer);
  }

  get requests(): RecordedRequest[] {
    return this.#requests.map(({ model, number }) => model.requests[number]!);
  }

  /** How many answers had been completed. */
  get answers(): number {
    return this.#answers.length;
  }

  answersFrom(first: number): Answer[] {
    return this.#answers.slice(first);
  }

  /** Each request with what models had answered before it. */
  get asked(): { request: RecordedRequest; answered: Answer[] }[] {
    return this.#requests.map(({ model, number, answersBefore }) => ({ request: model.requests[number]!, answered: this.#answers.slice(0, answersBefore) }));
  }
}

async function* passOn(events: ReturnType<ScriptedModel['getStreamedResponse']>, keep: (answer: Answer) => void): AsyncGenerator<Awaited<ReturnType<ReturnType<typeof events[typeof Symbol.asyncIterator]>['next']>>['value'], void, undefined> {
  for await (const event of events) {
    if (event.type === 'response_done') keep({ usage: event.response.usage, output: event.response.output });
    yield event;
  }
}
