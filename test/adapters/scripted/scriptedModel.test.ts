import { describe, expect, test } from 'vitest';
import { calls, cuts, delays, empty, fails, hangs, refuses, responds, says, scriptedModel, thinks, virtualClock } from 'loopchart/testing';
import { Usage } from '../../../actors/usage.ts';
import type { StreamEvent } from '../../../machines/protocol/item.ts';
import { collect, done, outputOf, plain } from './asking.ts';

describe('answers', () => {
  test('a text is one completed assistant message, with default usage and a response id by request number', async () => {
    const model = scriptedModel(says('hello there'), says('again'));
    expect(await model.getResponse(plain())).toEqual({
      usage: new Usage({ requests: 1, inputTokens: 10, outputTokens: 5, totalTokens: 15 }),
      output: [{ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'hello there' }] }],
      responseId: 'resp_1',
    });
    expect((await model.getResponse(plain())).responseId).toBe('resp_2');
  });

  test('usage counts one request, and its total is the sum unless given', async () => {
    const model = scriptedModel(says('a', { usage: { inputTokens: 40 } }), says('b', { usage: { inputTokens: 1, outputTokens: 2, totalTokens: 9 } }));
    const first = await model.getResponse(plain());
    expect(first.usage).toEqual(new Usage({ requests: 1, inputTokens: 40, outputTokens: 5, totalTokens: 45 }));
    expect(done((await collect(model)).events).usage).toEqual({ requests: 1, inputTokens: 1, outputTokens: 2, totalTokens: 9 });
  });

  test('call ids count over the life of the model and never repeat an id that the script chose', async () => {
    const model = scriptedModel(calls('a'), calls('b', {}, { callId: 'call_2' }), calls(['c', { x: 1 }], ['d', '{"broken":']));
    const output = [...await outputOf(model), ...await outputOf(model), ...await outputOf(model)];
    expect(output).toEqual([
      { type: 'function_call', callId: 'call_1', name: 'a', status: 'completed', arguments: '{}' },
      { type: 'function_call', callId: 'call_2', name: 'b', status: 'completed', arguments: '{}' },
      { type: 'function_call', callId: 'call_3', name: 'c', status: 'completed', arguments: '{"x":1}' },
      { type: 'function_call', callId: 'call_4', name: 'd', status: 'completed', arguments: '{"broken":' },
    ]);
  });

  test('one response is composed of pieces and wire items in their order', async () => {
    const hosted = { type: 'hosted_tool_call' as const, name: 'web_search_call', status: 'completed' };
    const model = scriptedModel(responds(thinks('hm', { id: 'rs_1' }), says('Let me look.', { phase: 'commentary', id: 'msg_1' }), calls('look'), hosted));
    expect(await outputOf(model)).toEqual([
      { type: 'reasoning', id: 'rs_1', content: [{ type: 'input_text', text: 'hm' }] },
      { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Let me look.' }], phase: 'commentary' },
      { type: 'function_call', callId: 'call_1', name: 'look', status: 'completed', arguments: '{}' },
      hosted,
    ]);
  });

  test('the usage and the response id of the last piece that gives them win', async () => {
    const step = responds(says('a', { usage: { inputTokens: 1 }, responseId: 'resp_a' }), calls(['b']), calls('c', {}, { usage: { inputTokens: 3 } }));
    const response = await scriptedModel(step).getResponse(plain());
    expect([response.responseId, response.usage.inputTokens]).toEqual(['resp_a', 3]);
  });

  test('a refusal and an empty answer carry no text', async () => {
    const model = scriptedModel(refuses('no'), empty());
    expect(await outputOf(model)).toEqual([{ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'refusal', refusal: 'no' }] }]);
    expect(await outputOf(model)).toEqual([]);
  });

  test('what a caller does to a response does not reach the script', async () => {
    const step = calls('a', {}, { callId: 'x' });
    const model = scriptedModel(step, step);
    const [first] = await outputOf(model);
    Object.assign(first!, { name: 'spoiled' });
    expect(await outputOf(model)).toEqual([{ type: 'function_call', callId: 'x', name: 'a', status: 'completed', arguments: '{}' }]);
  });
});

describe('streams', () => {
  test('text comes in words, a completed item as a provider event with the wire item beside it, response_done last', async () => {
    const { events } = await collect(scriptedModel(responds(says('two words', { id: 'msg_1' }), calls('add', { a: 1 }))));
    const message = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'two words' }] };
    const call = { type: 'function_call', callId: 'call_1', name: 'add', status: 'completed', arguments: '{"a":1}' };
    expect(events).toEqual([
      { type: 'response_started' },
      { type: 'output_text_delta', itemId: 'msg_1', delta: 'two ' },
      { type: 'output_text_delta', itemId: 'msg_1', delta: 'words' },
      {
        type: 'model',
        event: {
          type: 'response.output_item.done',
          output_index: 0,
          item: { ...message, content: [{ type: 'output_text', text: 'two words', annotations: [] }] },
        },
        providerData: { item: message },
      },
      {
        type: 'model',
        event: {
          type: 'response.output_item.done',
          output_index: 1,
          item: { type: 'function_call', call_id: 'call_1', name: 'add', status: 'completed', arguments: '{"a":1}' },
        },
        providerData: { item: call },
      },
      { type: 'response_done', response: { id: 'resp_1', usage: { requests: 1, inputTokens: 10, outputTokens: 5, totalTokens: 15 }, output: [message, call] } },
    ]);
  });

  test('reasoning is spelled as the provider spells it', async () => {
    const { events } = await collect(scriptedModel(responds({
      type: 'reasoning', id: 'rs_1', content: [{ type: 'input_text', text: 'short' }], rawContent: [{ type: 'reasoning_text', text: 'long' }],
      providerData: { encrypted_content: 'abc' },
    })));
    expect(events[1]).toMatchObject({ event: { item: {
      type: 'reasoning', id: 'rs_1', encrypted_content: 'abc', summary: [{ type: 'summary_text', text: 'short' }],
      content: [{ type: 'reasoning_text', text: 'long' }],
    } } });
  });

  test.each([
    ['one', ['one']],
    ['', []],
    ['  led by\n\nspaces ', ['  led ', 'by\n\n', 'spaces ']],
    ['   ', ['   ']],
  ])('the words of %j are %j', async (text, expected) => {
    expect((await collect(scriptedModel(says(text)))).deltas).toEqual(expected);
  });

  test('deltas given are sent as they are, and must join to the text', async () => {
    expect((await collect(scriptedModel(says('abc', { deltas: ['a', '', 'bc'] })))).deltas).toEqual(['a', '', 'bc']);
    expect(() => says('abc', { deltas: ['a', 'b'] })).toThrow('says("abc"): its deltas join to "ab". Make them join to the text.');
  });

  test('streamed and not, the same script gives the same items, usage and ids', async () => {
    const script = () => scriptedModel(responds(thinks('hm'), calls(['a', { x: 1 }], ['b'])), says('done', { usage: { inputTokens: 7 } }), refuses('no'));
    const [streaming, asking] = [script(), script()];
    for (let turn = 0; turn < 3; turn += 1) {
      const { id, usage, output } = done((await collect(streaming)).events);
      expect({ responseId: id, usage: new Usage(usage), output }).toEqual(await asking.getResponse(plain()));
    }
  });
});

describe('trouble', () => {
  test('K1: a failure carries what a retry policy reads, streamed and not, and the model advises', async () => {
    const step = fails({ status: 429, code: 'rate_limit', retryAfterMs: 2_000, message: 'slow down', suggested: true, replaySafety: 'safe' });
    const model = scriptedModel(step, step);
    const error = await model.getResponse(plain()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'ScriptedModelError', message: 'slow down', status: 429, code: 'rate_limit', headers: { 'retry-after-ms': '2000' } });
    const streamed = await collect(model);
    expect(streamed).toMatchObject({ events: [], error: { message: 'slow down', status: 429 } });
    expect(await model.getRetryAdvice?.({ request: plain(), error, stream: false, attempt: 1 })).toEqual({
      suggested: true, retryAfterMs: 2_000, replaySafety: 'safe',
      normalized: { statusCode: 429, errorCode: 'rate_limit', retryAfterMs: 2_000, isNetworkError: false, isAbort: false },
    });
    expect(await model.getRetryAdvice?.({ request: plain(), error: new Error('another'), stream: false, attempt: 1 })).toBeUndefined();
  });

  test.each([
    [fails({ network: true }), { code: 'ECONNRESET', message: 'The scripted connection broke.' }],
    [fails({ status: 500 }), { status: 500, message: 'The scripted model failed with status 500.' }],
    [fails({ status: 400, code: 'bad' }), { status: 400, message: 'The scripted model failed with status 400 (bad).' }],
    [fails({ code: 'odd' }), { code: 'odd', message: 'The scripted model failed (odd).' }],
    [fails(), { message: 'The scripted model failed.' }],
  ])('a failure without a message says what it knows (%#)', async (step, expected) => {
    await expect(scriptedModel(step).getResponse(plain())).rejects.toMatchObject(expected);
  });

  test('K2: a cut stream ends after its events without response_done; not streaming, the request breaks', async () => {
    const model = scriptedModel(cuts(2, says('one two three')), cuts(2, says('one two three')));
    expect(await collect(model)).toMatchObject({ types: ['response_started', 'output_text_delta'], error: undefined });
    await expect(model.getResponse(plain())).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('K2: a cut with a failure throws it in place of the rest', async () => {
    const model = scriptedModel(cuts(1, says('one'), { status: 503 }), cuts(1, says('one'), { status: 503 }));
    expect(await collect(model)).toMatchObject({ types: ['response_started'], error: { status: 503 } });
    await expect(model.getResponse(plain())).rejects.toMatchObject({ status: 503 });
  });

  test.each([[0, []], [99, ['response_started', 'output_text_delta', 'model']]])('a stream cut after %i events never completes', async (after, types) => {
    expect(await collect(scriptedModel(cuts(after, says('one'))))).toMatchObject({ types, error: undefined });
  });

  test('a cut answer uses up its call ids in both modes, so that streamed and not stay alike', async () => {
    const script = () => scriptedModel(cuts(1, calls('a')), calls('a'));
    const [streaming, asking] = [script(), script()];
    await collect(streaming);
    await asking.getResponse(plain()).catch(() => undefined);
    expect(done((await collect(streaming)).events).output).toEqual(await outputOf(asking));
  });

  test('J2: a hanging request rejects with an AbortError that carries the reason, and only by an abort', async () => {
    const model = scriptedModel(hangs(), hangs(2, says('one two')));
    const first = new AbortController();
    const asked = model.getResponse(plain({ signal: first.signal })).catch((error: unknown) => error);
    first.abort('enough');
    expect(await asked).toMatchObject({ name: 'AbortError', cause: 'enough' });

    const second = new AbortController();
    const events: StreamEvent[] = [];
    const reading = (async () => {
      for await (const event of model.getStreamedResponse(plain({ signal: second.signal }))) events.push(event);
    })();
    const clock = virtualClock();
    await clock.settle();
    expect(events.map(({ type }) => type)).toEqual(['response_started', 'output_text_delta']);
    second.abort();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('J2: an abort between two events ends the stream before the next one', async () => {
    const controller = new AbortController();
    const types: string[] = [];
    const reading = (async () => {
      for await (const event of scriptedModel(says('a b c')).getStreamedResponse(plain({ signal: controller.signal }))) {
        types.push(event.type);
        if (types.length === 2) controller.abort();
      }
    })();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(types).toEqual(['response_started', 'output_text_delta']);
  });

  test('a delayed step begins when its clock says so, and an abort ends the wait and its timer', async () => {
    const clock = virtualClock();
    const model = scriptedModel(delays(500, says('late'), clock), delays(500, fails(), clock));
    let answered = false;
    const waiting = model.getResponse(plain()).then((response) => ((answered = true), response));
    await clock.advance(499);
    expect(answered).toBe(false);
    await clock.advance(1);
    expect((await waiting).output).toHaveLength(1);

    const controller = new AbortController();
    const aborted = model.getResponse(plain({ signal: controller.signal }));
    await clock.settle();
    expect(clock.pending).toHaveLength(1);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    expect(clock.pending).toEqual([]);
  });
});
