/** Asking a model, as the tests of this folder do it. */
import type { Model, ModelRequest } from '../../../actors/ports.ts';
import type { StreamEvent } from '../../../machines/protocol/item.ts';

export const plain = (rest: Partial<ModelRequest> = {}): ModelRequest => ({
  input: 'go', modelSettings: {}, tools: [], outputType: 'text', handoffs: [], tracing: false, ...rest,
});

export const collect = async (model: Model, request = plain()) => {
  const events: StreamEvent[] = [];
  let error: unknown;
  try {
    for await (const event of model.getStreamedResponse(request)) events.push(event);
  } catch (thrown) {
    error = thrown;
  }
  return { events, error, types: events.map(({ type }) => type), deltas: events.flatMap((event) => (event.type === 'output_text_delta' ? [event.delta] : [])) };
};

export const done = (events: StreamEvent[]) => {
  const last = events.at(-1);
  if (last?.type !== 'response_done') throw new Error('no response_done');
  return last.response;
};

export const outputOf = async (model: Model) => (await model.getResponse(plain())).output;
