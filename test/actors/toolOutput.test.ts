import { Agent, Runner, tool as peerTool } from '@openai/agents-core';
import { ScriptedModel, assistantMessage, functionCall, modelResponse } from '@openai/agents-core/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { InvalidToolOutputError, UserError } from '../../actors/errors.ts';
import { extractCustomData, toText, toToolOutput } from '../../actors/toolOutput.ts';

/** What the peer's loop puts into history for a body that returns the value. */
async function peerOutput(value: unknown): Promise<unknown> {
  const model = new ScriptedModel([modelResponse([functionCall('t', {}, { callId: 'c' })]), modelResponse([assistantMessage('ok')])]);
  const declared = peerTool({ name: 't', description: '', parameters: z.object({}), execute: () => value });
  const result = await new Runner({ tracingDisabled: true }).run(new Agent({ name: 'A', model, tools: [declared] }), 'hi');
  const item = result.newItems.find(({ type }) => type === 'tool_call_output_item');
  return (item?.rawItem as { output: unknown }).output;
}

describe('a result', () => {
  const bytes = Uint8Array.from({ length: 25 }, (_value, index) => index);
  const results: [string, unknown][] = [
    ['text', 'x'], ['an object', { k: [1] }], ['a number', 7], ['nothing', undefined], ['null', null], ['a function', () => 1], ['an empty list', []],
    ['bytes', bytes], ['no bytes', new Uint8Array()], ['a buffer', bytes.buffer], ['bytes within', { raw: bytes, node: Buffer.from('ab') }],
    ['an error', new Error('boo')], ['a text structure', { type: 'text', text: 'hey' }], ['a text with provider data', { type: 'text', text: 'hey', providerData: { a: 1 } }],
    ['structures', [{ type: 'text', text: 'hey' }, { type: 'image', image: 'https://x/y.png', detail: 'low' }]],
    ['structures and something else', [{ type: 'text', text: 'hey' }, 1]],
    ['an inline image', { type: 'image', image: { data: 'QUJD', mediaType: 'image/png' } }],
    ['an inline image of bytes', { type: 'image', image: { data: Uint8Array.from([65, 66]), mediaType: 'image/png' } }],
    ['a data URL', { type: 'image', image: { data: 'data:image/png;base64,QUJD', mediaType: 'image/gif' } }],
    ['an image beside its data', { type: 'image', data: 'QUJD', mimeType: 'image/png' }], ['an image URL', { type: 'image', imageUrl: 'https://x/y.png' }],
    ['an image object with a URL', { type: 'image', image: { url: 'https://x/y.png' } }], ['an image id', { type: 'image', image: { fileId: 'f1' } }],
    ['an outer image id', { type: 'image', fileId: 'f1' }], ['an image of nothing', { type: 'image' }],
    ['a file', { type: 'file', file: { data: 'QUJD', mediaType: 'text/plain', filename: 'a.txt' } }],
    ['a file without a name', { type: 'file', file: { data: 'QUJD', mediaType: 'text/plain' } }],
    ['a file URL', { type: 'file', file: { url: 'http://x', filename: 'a.txt' } }], ['a file id', { type: 'file', file: { id: 'f1' } }], ['a file text', { type: 'file', file: 'abc' }],
    ['a file beside its data', { type: 'file', fileData: 'QUJD', mediaType: 'text/plain', filename: 'a.txt' }], ['an outer file id', { type: 'file', fileId: 'f2', filename: 'n' }],
    ['another type', { type: 'video', url: 'x' }], ['a car', { model: 'T', year: 1908 }], ['only a model', { model: 'T' }],
  ];
  test.each(results)('reads to the model as in the peer: %s', async (_name, value) => {
    expect(toToolOutput(value)).toEqual({ output: await peerOutput(value) });
  });

  test('that refers to itself is named, and a big number is text', () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(toToolOutput(loop)).toEqual({ output: { type: 'text', text: '[object with circular references]' } });
    expect(toText({ n: 12n })).toBe('{"n":"12"}');
  });

  test('of many bytes is encoded whole', () => {
    const many = new Uint8Array(20_001).fill(255);
    const { output } = toToolOutput({ type: 'image', image: { data: many, mediaType: 'image/png' } });
    expect(output).toEqual([{ type: 'input_image', image: `data:image/png;base64,${Buffer.from(many).toString('base64')}` }]);
  });
});

describe('C12: a reply', () => {
  test('tells the model one thing and a person another', () => {
    expect(toToolOutput({ model: { c: 21 }, display: '<b>21</b>' })).toEqual({ output: { type: 'text', text: '{"c":21}' }, display: '<b>21</b>' });
    expect(toToolOutput({ model: { type: 'text', text: 'a' }, display: null })).toEqual({ output: [{ type: 'input_text', text: 'a' }], display: null });
  });

  test('may say that it needs no follow-up', () => {
    expect(toToolOutput({ model: 'noted', needsFollowUp: false })).toEqual({ output: { type: 'text', text: 'noted' }, needsFollowUp: false });
    expect(toToolOutput({ model: 'noted', display: 'd', needsFollowUp: true })).toEqual({ output: { type: 'text', text: 'noted' }, display: 'd' });
  });

  test('has no other fields: what merely resembles one is data', () => {
    const car = { model: 'T', display: 'none', year: 1908 };
    expect(toToolOutput(car)).toEqual({ output: { type: 'text', text: JSON.stringify(car) } });
  });
});

describe('a structured result', () => {
  test('is JSON whatever it looks like', () => {
    expect(toToolOutput({ type: 'text', text: 'a' }, { isStructured: true })).toEqual({ output: { type: 'text', text: '{"type":"text","text":"a"}' } });
    expect(toToolOutput('a', { isStructured: true })).toEqual({ output: { type: 'text', text: '"a"' } });
  });

  test('that is no JSON is an error that names the tool', () => {
    expect(() => toToolOutput(undefined, { isStructured: true, toolName: 'pay' })).toThrow(new InvalidToolOutputError("The output of tool 'pay' must be JSON, got undefined."));
    expect(() => toToolOutput({ n: 1n }, { isStructured: true, toolName: 'pay' })).toThrow(InvalidToolOutputError);
  });
});

describe('custom data', () => {
  test('is copied, and nothing when there is none', async () => {
    const kept = { a: { b: [1, null] } };
    const extracted = await extractCustomData(async () => kept, {});
    expect(extracted).toEqual(kept);
    expect(extracted?.a).not.toBe(kept.a);
    expect(await Promise.all([extractCustomData(undefined, {}), extractCustomData(() => null, {}), extractCustomData(() => ({}), {})])).toEqual([undefined, undefined, undefined]);
  });

  test.each<[string, unknown]>([['a list', [1]], ['a date', { at: new Date(0) }], ['infinity', { n: Infinity }], ['a function', { f: () => 1 }], ['a symbol', { [Symbol('s')]: 1 }]])('must be a JSON object, not %s', async (_name, value) => {
    await expect(extractCustomData(() => value as never, {})).rejects.toBeInstanceOf(UserError);
  });
});
