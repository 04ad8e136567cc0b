import { describe, expect, test } from 'vitest';
import {
  answersWith, calls, cuts, delays, empty, fails, hangs, loop, repeat, responds, says, scriptedModel, ScriptError, thinks, virtualClock,
} from 'loopchart/testing';
import type { StreamEvent } from '../../../machines/protocol/item.ts';
import { collect, done, outputOf, plain } from './asking.ts';

describe('the script', () => {
  test('a computed step sees the recorded request and its number, and may be asynchronous', async () => {
    const model = scriptedModel(answersWith((request, number) => says(`${String(request.input)} ${number}`)), answersWith(async () => calls('later')));
    expect(await outputOf(model)).toMatchObject([{ content: [{ text: 'go 1' }] }]);
    expect(await outputOf(model)).toMatchObject([{ name: 'later', callId: 'call_1' }]);
  });

  test('a request beyond the script names its number, streamed and not', async () => {
    const model = scriptedModel(says('only'));
    await model.getResponse(plain());
    const message = 'The script has 1 step, but request 2 asks for another. Add a step, or end the script with loop().';
    await expect(model.getResponse(plain())).rejects.toEqual(new ScriptError(message));
    expect((await collect(model)).error).toEqual(new ScriptError(message.replace('request 2', 'request 3')));
    expect(model.calls).toHaveLength(3);
  });

  test('steps are taken in the order of the requests, not of the reading', async () => {
    const model = scriptedModel(says('first'), says('second'));
    const early = model.getStreamedResponse(plain());
    const later = await outputOf(model);
    expect(later).toMatchObject([{ content: [{ text: 'second' }] }]);
    const events: StreamEvent[] = [];
    for await (const event of early) events.push(event);
    expect(done(events).id).toBe('resp_1');
  });

  test('repeat plays its steps so many times, loop for ever', async () => {
    const model = scriptedModel(repeat(2, calls('poll')), repeat(0, says('never')), loop(says('a'), says('b')));
    const said: unknown[] = [];
    for (let request = 0; request < 7; request += 1) {
      const [item] = await outputOf(model);
      said.push(item?.type === 'function_call' ? item.callId : item && 'role' in item && item.content);
    }
    const text = (word: string) => [{ type: 'output_text', text: word }];
    expect(said).toEqual(['call_1', 'call_2', text('a'), text('b'), text('a'), text('b'), text('a')]);
  });

  test('a loop inside a repeat goes on after the steps before it', async () => {
    const model = scriptedModel(repeat(1, says('once'), loop(says('ever'))));
    const said = [];
    for (let request = 0; request < 3; request += 1) said.push(...await outputOf(model));
    expect(said).toMatchObject([{ content: [{ text: 'once' }] }, { content: [{ text: 'ever' }] }, { content: [{ text: 'ever' }] }]);
  });

  test('a script that cannot be meant is refused when it is written', () => {
    const unreachable = 'Steps after a loop() are never reached. Make the loop the last step.';
    expect(() => scriptedModel(loop(says('a')), says('b'))).toThrow(unreachable);
    expect(() => scriptedModel(loop(says('a'))).enqueue(says('b'))).toThrow(unreachable);
    expect(() => repeat(-1, says('a'))).toThrow('repeat(-1): give a whole number of times, or Infinity.');
    expect(() => repeat(1.5, says('a'))).toThrow('repeat(1.5)');
    expect(() => loop()).toThrow('need at least one step');
    expect(() => cuts(-1, says('a'))).toThrow('cuts(-1, …): the number of events must be a whole number, 0 or more.');
    expect(() => hangs(0.5, says('a'))).toThrow('hangs(0.5, …)');
  });

  test('assertDone names what was not played, and is content within a loop', async () => {
    const clock = virtualClock();
    const model = scriptedModel(
      says('a'), responds(thinks('h'), calls('add')), empty(), fails(), cuts(1, says('c')), delays(5, answersWith(() => empty()), clock), loop(says('z')),
    );
    await model.getResponse(plain());
    expect(() => model.assertDone()).toThrow(
      'The run ended with 5 scripted steps left: a reasoning item + a call of add, an empty answer, a failure, a message item (end after 1 events), a computed answer (after 5 ms).',
    );
    expect(model.remaining).toBe(5);
    const looping = scriptedModel(loop(says('z')));
    expect(() => looping.assertDone()).not.toThrow();
  });

  test('steps can be added while it is played', async () => {
    const model = scriptedModel();
    model.enqueue(says('now'));
    expect(model.remaining).toBe(1);
    await model.getResponse(plain());
    expect(() => model.assertDone()).not.toThrow();
  });
});

describe('the record', () => {
  test('requests are kept as they were, frozen at every depth and without their signal', async () => {
    const model = scriptedModel(says('a'), says('b'));
    const content = [{ type: 'input_text' as const, text: 'go' }];
    const policy = () => true;
    const { signal } = new AbortController();
    const request = plain({ input: [{ role: 'user', content }], modelSettings: { retry: { policy } }, signal });
    await model.getResponse(request);
    content[0]!.text = 'changed';
    for await (const _event of model.getStreamedResponse(request)) break;
    expect(model.requests[0]).toEqual({ ...plain(), input: [{ role: 'user', content: [{ type: 'input_text', text: 'go' }] }], modelSettings: { retry: { policy } } });
    expect(model.calls.map(({ number, streamed, signal: kept }) => ({ number, streamed, kept: kept === signal }))).toEqual([
      { number: 1, streamed: false, kept: true },
      { number: 2, streamed: true, kept: true },
    ]);
    const [recorded] = model.requests;
    expect(() => Object.assign(recorded!, { input: 'x' })).toThrow(TypeError);
    expect(() => (recorded!.input as unknown[]).push('x')).toThrow(TypeError);
    expect(() => Object.assign(recorded!.modelSettings.retry!, { maxRetries: 1 })).toThrow(TypeError);
  });

  test('bytes in a request are copied too', async () => {
    const model = scriptedModel(says('a'));
    const bytes = new Uint8Array([1, 2]);
    const image = { type: 'image' as const, image: { data: bytes, mediaType: 'image/png' } };
    await model.getResponse(plain({ input: [{ type: 'function_call_result', name: 'shot', callId: 'c', status: 'completed', output: image }] }));
    bytes[0] = 9;
    expect(model.requests[0]?.input).toMatchObject([{ output: { image: { data: new Uint8Array([1, 2]) } } }]);
  });
});
