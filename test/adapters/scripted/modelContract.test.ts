import { describe, expect, test } from 'vitest';
import { calls, cuts, fails, hangs, loop, modelContract, says, scriptedModel, type ModelSituation, type Step } from 'loopchart/testing';
import type { Model, ModelRequest } from '../../../actors/ports.ts';
import { Usage } from '../../../actors/usage.ts';
import type { StreamEvent } from '../../../machines/protocol/item.ts';

const STEPS: Record<ModelSituation, Step> = {
  text: says('one two three'),
  calls: calls(['first', { a: 1 }], ['second', { a: 2 }]),
  hang: hangs(),
  cut: cuts(2, says('one two three')),
  failure: fails({ status: 429 }),
};
const sound = (situation: ModelSituation): Model => scriptedModel(loop(STEPS[situation]));

describe('the scripted model keeps the contract', () => {
  for (const { name, check } of modelContract(sound)) test(name, check);
});

/** Each defect is caught by the check of that name: a contract that nothing can break would be worth nothing. */
const DEFECTS: Record<string, (model: Model) => Partial<Model>> = {
  'a text comes the same way streamed and not': (model) => ({ getStreamedResponse: (request) => altered(model, request, (event) => event.type === 'response_done' ? { ...event, response: { ...event.response, output: [] } } : event) }),
  'calls come the same way streamed and not': (model) => ({ getStreamedResponse: (request) => altered(model, request, (event) => event.type === 'response_done' ? { ...event, response: { ...event.response, output: event.response.output.slice(1) } } : event) }),
  'the deltas join to the text of the response': (model) => ({ getStreamedResponse: (request) => altered(model, request, (event) => event.type === 'output_text_delta' ? { ...event, delta: event.delta.trim() } : event) }),
  'a stream starts with response_started and ends with one response_done': (model) => ({ getStreamedResponse: (request) => altered(model, request, (event) => event.type === 'response_started' ? undefined : event) }),
  'usage counts one request and adds up, and is plain JSON in a stream': (model) => ({ getResponse: async (request) => ({ ...(await model.getResponse(request)), usage: new Usage() }) }),
  'the request is left as it was': (model) => ({ getResponse: (request) => (Object.assign(request.modelSettings, { temperature: 0 }), model.getResponse(request)) }),
  'a reader may leave a stream early': (model) => ({ getStreamedResponse: (request) => ({ [Symbol.asyncIterator]: () => ({ next: () => model.getStreamedResponse(request)[Symbol.asyncIterator]().next(), return: () => Promise.reject(new Error('leaving failed')) }) }) }),
  'each call has a name, an id of its own and arguments as text': (model) => ({ getResponse: async (request) => { const response = await model.getResponse(request); return { ...response, output: response.output.map((item) => ({ ...item, callId: 'same' })) as typeof response.output }; } }),
  'an abort rejects a request that hangs': () => ({ getResponse: async () => { throw new Error('some failure'); } }),
  'an abort ends a stream that hangs with an error': () => ({ getStreamedResponse: () => altered(sound('text'), blank(), (event) => event) }),
  'a request aborted beforehand rejects, streamed and not': (model) => ({ getResponse: ({ signal: _signal, ...request }) => model.getResponse(request) }),
  'a stream that was cut never claims to be complete': () => ({ getStreamedResponse: () => altered(sound('text'), blank(), (event) => event) }),
  'a failure rejects with its status, streamed and not': () => ({ getStreamedResponse: () => scriptedModel(fails({ status: 500 })).getStreamedResponse(blank()) }),
  'retry advice for a failure is given without throwing': () => ({ getRetryAdvice: () => { throw new Error('no advice'); } }),
};

describe('a defect is caught', () => {
  const broken = (name: string) => modelContract((situation) => ({ ...sound(situation), ...DEFECTS[name]?.(sound(situation)) })).find((check) => check.name === name);
  for (const { name } of modelContract(sound)) {
    test(name, async () => {
      expect(DEFECTS).toHaveProperty([name]);
      await expect(broken(name)?.check()).rejects.toThrow();
    });
  }
});

test('a world that was made is disposed of, also after a failed check', async () => {
  let disposed = 0;
  const outcomes = modelContract((situation) => ({
    model: situation === 'text' ? scriptedModel() : sound(situation),
    dispose: () => void (disposed += 1),
  })).map(({ check }) => check().then(() => 'kept', () => 'broken'));
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['kept', 'broken']));
  expect(disposed).toBe(outcomes.length);
});

test('the abort waits until the world has the request', async () => {
  const order: string[] = [];
  const checks = modelContract((situation) => {
    const model = sound(situation);
    const asked = (request: ModelRequest) => (request.signal?.addEventListener('abort', () => order.push('aborted')), request);
    return {
      model: { ...model, getResponse: (request) => model.getResponse(asked(request)) },
      reached: async () => void order.push('reached'),
    };
  });
  await checks.find(({ name }) => name === 'an abort rejects a request that hangs')?.check();
  expect(order).toEqual(['reached', 'aborted']);
});

function blank(): ModelRequest {
  return { input: 'go', modelSettings: {}, tools: [], outputType: 'text', handoffs: [], tracing: false };
}

async function* altered(model: Model, request: ModelRequest, change: (event: StreamEvent) => StreamEvent | undefined): AsyncGenerator<StreamEvent> {
  for await (const event of model.getStreamedResponse(request)) {
    const changed = change(event);
    if (changed) yield changed;
  }
}
