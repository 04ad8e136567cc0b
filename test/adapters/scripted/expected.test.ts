import { expect, test } from 'vitest';
import {
  answered, asked, calls, inputOf, normalise, refuses, requestOf, responds, said, says, scriptedModel, system, thinks, thought, user,
} from 'loopchart/testing';
import type { ModelRequest } from '../../../actors/ports.ts';

const plain = (rest: Partial<ModelRequest> = {}): ModelRequest => ({
  input: 'go', modelSettings: {}, tools: [], outputType: 'text', handoffs: [], tracing: false, ...rest,
});

test('what was scripted and what is expected are spelled alike', async () => {
  const model = scriptedModel(responds(thinks('hm'), says('I add.'), calls('add', { a: 1 })), refuses('no'));
  const { output } = await model.getResponse(plain());
  expect(output).toEqual([thought('hm'), said('I add.'), asked('add', { a: 1 }, 'call_1')]);
});

test('options of a message are kept', () => {
  expect(said('a', { id: 'msg_1', status: 'incomplete', phase: 'commentary' })).toEqual({
    type: 'message', id: 'msg_1', role: 'assistant', status: 'incomplete', phase: 'commentary', content: [{ type: 'output_text', text: 'a' }],
  });
  expect(thought('b', { id: 'rs_1' })).toEqual({ type: 'reasoning', id: 'rs_1', content: [{ type: 'input_text', text: 'b' }] });
});

test('a result takes its name from the call: given, found in the conversation, or passed', () => {
  const call = asked('add', '{"a":1}', 'call_1');
  const result = { type: 'function_call_result', name: 'add', callId: 'call_1', status: 'completed', output: { type: 'text', text: '3' } };
  expect(answered(call, '3')).toEqual(result);
  expect(answered('call_1', '3', 'add')).toEqual(result);
  expect(inputOf('go', system('Be brief.'), call, answered('call_1', '3'))).toEqual([user('go'), system('Be brief.'), call, result]);
  expect(() => inputOf(answered('call_9', '3'))).toThrow("answered('call_9', …) has no asked(…, …, 'call_9') before it. Add the call, or pass the tool's name.");
});

test('an output that is not text is taken as it is', () => {
  const image = { type: 'image' as const, image: 'data:image/png;base64,AA==' };
  expect(answered('c', image, 'shot').output).toBe(image);
});

test('normalised requests lose signal, tracing, false flags and undefined keys, and nothing else', () => {
  const tool = { type: 'function' as const, name: 'add', description: 'Adds.', parameters: { type: 'object', title: undefined }, strict: true };
  const live = plain({
    input: [{ role: 'user', content: 'go' }, asked('add', {}, 'call_1')],
    systemInstructions: undefined, toolsExplicitlyProvided: false, overridePromptModel: true, tracing: true, signal: new AbortController().signal,
    tools: [tool], modelSettings: { temperature: undefined, topP: 0.5 },
  });
  const expected = {
    input: [user('go'), asked('add', {}, 'call_1')],
    overridePromptModel: true, modelSettings: { topP: 0.5 }, outputType: 'text', handoffs: [],
    tools: [{ type: 'function', name: 'add', description: 'Adds.', parameters: { type: 'object' }, strict: true }],
  };
  expect(Object.keys(normalise(live)).sort()).toEqual(Object.keys(expected).sort());
  expect(normalise(live)).toStrictEqual(expected);
});

test('requests that differ in what the model sees stay different', () => {
  const base = normalise(plain());
  expect(normalise(plain({ input: 'stop' }))).not.toEqual(base);
  expect(normalise(plain({ modelSettings: { temperature: 0 } }))).not.toEqual(base);
  expect(normalise(plain({ previousResponseId: 'resp_1' }))).not.toEqual(base);
});

test('ids can be dropped where a provider makes them up', () => {
  const request = plain({ input: [said('a', { id: 'msg_abc' }), asked('add', {}, 'call_1')] });
  expect(normalise(request).input).toEqual([said('a', { id: 'msg_abc' }), asked('add', {}, 'call_1')]);
  expect(normalise(request, { ids: 'drop' }).input).toEqual([said('a'), asked('add', {}, 'call_1')]);
});

test('a whole request is compared in one value', async () => {
  const model = scriptedModel(says('a'));
  await model.getResponse(plain({ systemInstructions: 'Add.', tracing: true, toolsExplicitlyProvided: true }));
  expect(normalise(model.requests[0]!)).toEqual(requestOf(['go'], { systemInstructions: 'Add.', toolsExplicitlyProvided: true }));
});
