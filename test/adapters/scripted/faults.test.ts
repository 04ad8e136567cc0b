import { describe, expect, test } from 'vitest';
import { calls, faultyModel, faultyTool, says, scriptedModel, virtualClock, withFaults } from 'loopchart/testing';
import type { Model, ModelRequest } from '../../../actors/ports.ts';

const plain = (signal?: AbortSignal): ModelRequest => ({
  input: 'go', modelSettings: {}, tools: [], outputType: 'text', handoffs: [], tracing: false, ...(signal && { signal }),
});
const ask = (model: Model, signal?: AbortSignal) => model.getResponse(plain(signal)).then(({ responseId }) => responseId, (error: unknown) => error);
const stream = async (model: Model, signal?: AbortSignal) => {
  const types: unknown[] = [];
  try {
    for await (const { type } of model.getStreamedResponse(plain(signal))) types.push(type);
  } catch (error) {
    types.push(error);
  }
  return types;
};
const WHOLE = ['response_started', 'output_text_delta', 'model', 'response_done'];
const counting = () => {
  let runs = 0;
  const tool = {
    name: 'count',
    description: 'Counts its runs.',
    execute: async (step: number, _context?: unknown, _details?: { signal?: AbortSignal }) => (runs += step),
  };
  return { tool, runs: () => runs };
};

describe('models', () => {
  test('the Nth request fails and the others pass, streamed and not', async () => {
    const model = faultyModel(scriptedModel(says('a'), says('b')), { nth: 2, fault: { kind: 'fail', failure: { status: 500 } } });
    expect(await ask(model)).toBe('resp_1');
    expect(await stream(model)).toMatchObject([{ name: 'ScriptedModelError', status: 500 }]);
    expect(await stream(model)).toEqual(WHOLE);
  });

  test('every request can be struck, with the very error given', async () => {
    const error = new TypeError('odd');
    const model = faultyModel(scriptedModel(), { nth: 'every', fault: { kind: 'fail', error } });
    expect([await ask(model), ...await stream(model)]).toEqual([error, error]);
  });

  test('a failure after the effect lets it happen and loses its result', async () => {
    const inner = scriptedModel(says('a'), says('b'));
    const model = faultyModel(inner, { nth: 'every', fault: { kind: 'fail', error: 'lost', when: 'after' } });
    expect(await ask(model)).toBe('lost');
    expect(await stream(model)).toEqual([...WHOLE.slice(0, 3), 'lost']);
    expect(inner.remaining).toBe(0);
  });

  test.each([[0, []], [2, WHOLE.slice(0, 2)]])('K2: a stream cut after %i events ends without response_done', async (after, types) => {
    expect(await stream(faultyModel(scriptedModel(says('a')), { nth: 1, fault: { kind: 'cut', after } }))).toEqual(types);
  });

  test('K2: a cut request breaks', async () => {
    expect(await ask(faultyModel(scriptedModel(says('a')), { nth: 1, fault: { kind: 'cut', after: 1 } }))).toMatchObject({ code: 'ECONNRESET' });
  });

  test('a hang ends by an abort, and a delay by its clock', async () => {
    const clock = virtualClock();
    const model = faultyModel(scriptedModel(says('a')), { nth: 1, fault: { kind: 'hang' } }, { nth: 2, fault: { kind: 'delay', ms: 50, clock } });
    const controller = new AbortController();
    const hanging = ask(model, controller.signal);
    controller.abort();
    expect(await hanging).toMatchObject({ name: 'AbortError' });
    const late = stream(model);
    await clock.advance(50);
    expect(await late).toEqual(WHOLE);
  });

  test('K1: retry advice comes from the fault for its errors and from the model for its own', async () => {
    const inner: Model = { ...scriptedModel(), supportsPromptModelSelection: true, getRetryAdvice: () => ({ reason: 'asked the model' }) };
    const model = faultyModel(inner, { nth: 1, fault: { kind: 'fail', failure: { retryAfterMs: 5 } } });
    const error = await ask(model);
    const advice = (thrown: unknown) => model.getRetryAdvice?.({ request: plain(), error: thrown, stream: false, attempt: 1 });
    expect(await advice(error)).toMatchObject({ retryAfterMs: 5 });
    expect(await advice(new Error('other'))).toEqual({ reason: 'asked the model' });
    expect(model.supportsPromptModelSelection).toBe(true);
  });
});

describe('tools', () => {
  test('the Nth run fails before its body, or after it', async () => {
    const { tool, runs } = counting();
    const flaky = faultyTool(tool, { nth: 1, fault: { kind: 'fail', error: 'before' } }, { nth: 2, fault: { kind: 'fail', error: 'after', when: 'after' } });
    await expect(flaky.execute(1)).rejects.toBe('before');
    expect(runs()).toBe(0);
    await expect(flaky.execute(1)).rejects.toBe('after');
    expect(runs()).toBe(1);
    expect(await flaky.execute(1)).toBe(2);
    expect({ ...flaky, execute: tool.execute }).toEqual(tool);
  });

  test('C8: a hang ends by the signal of the call, or ignores it', async () => {
    const { tool } = counting();
    const controller = new AbortController();
    const hung = faultyTool(tool, { nth: 1, fault: { kind: 'hang' } }).execute(1, {}, { signal: controller.signal });
    let deafEnded = false;
    void faultyTool(tool, { nth: 1, fault: { kind: 'hang', ignoresAbort: true } }).execute(1, {}, { signal: controller.signal }).finally(() => (deafEnded = true));
    controller.abort();
    await expect(hung).rejects.toMatchObject({ name: 'AbortError' });
    await virtualClock().settle();
    expect(deafEnded).toBe(false);
  });

  test('invoke is struck too, keeps its receiver, and counts with execute', async () => {
    const tool = { name: 'own', secret: 42, async invoke(this: { secret: number }) { return this.secret; }, execute: async () => 'body' };
    const plan = withFaults({ nth: 2, fault: { kind: 'fail', error: 'second' } });
    const wrapped = plan.tool(tool);
    expect(await wrapped.invoke()).toBe(42);
    await expect(wrapped.execute()).rejects.toBe('second');
    expect(plan.effects).toBe(2);
  });

  test('a tool has no stream to cut', async () => {
    await expect(faultyTool(counting().tool, { nth: 1, fault: { kind: 'cut', after: 1 } }).execute(1)).rejects.toThrow('The tool count has no stream to cut.');
  });
});

test('one plan counts effects across models and tools', async () => {
  const { tool, runs } = counting();
  const plan = withFaults({ nth: 3, fault: { kind: 'fail', error: 'third' } });
  const model = plan.model(scriptedModel(calls('count'), says('done')));
  const struck = plan.tool(tool);
  expect(await ask(model)).toBe('resp_1');
  await struck.execute(1);
  expect(await ask(model)).toBe('third');
  expect([plan.effects, runs()]).toEqual([3, 1]);
});

test('effects are counted from 1', () => {
  expect(() => withFaults({ nth: 0, fault: { kind: 'hang' } })).toThrow('withFaults: nth is 0; effects are counted from 1.');
});
