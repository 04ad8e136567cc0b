import { describe, expect, test } from 'vitest';
import { toRequest } from '../../../../adapters/openai/chat/toRequest.ts';
import type { ModelRequest } from '../../../../actors/ports.ts';
import type { AgentInputItem, FunctionCallResultItem } from '../../../../machines/protocol/item.ts';
import { peerBody } from '../support/peer.ts';
import { functionTool, NO_ARGUMENTS, request } from '../support/requests.ts';

const SCHEMA = { type: 'object' as const, properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };
const call = (callId: string, more: object = {}): AgentInputItem => ({ type: 'function_call', callId, name: 'look', arguments: '{}', status: 'completed', ...more });
const result = (callId: string, output: FunctionCallResultItem['output']): AgentInputItem => ({ type: 'function_call_result', callId, name: 'look', status: 'completed', output });
const said = (text: string): AgentInputItem => ({ role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] });
const thought = (text: string): AgentInputItem => ({ type: 'reasoning', content: [], rawContent: [{ type: 'reasoning_text', text }] });

const QUESTIONS: Record<string, Partial<ModelRequest>> = {
  'a text': {},
  'instructions': { systemInstructions: 'Be brief.' },
  'settings': {
    tools: [functionTool(), functionTool({ name: 'g', strict: false })],
    handoffs: [{ toolName: 'transfer_to_b', toolDescription: 'Go.', inputJsonSchema: NO_ARGUMENTS, strictJsonSchema: true }],
    modelSettings: {
      temperature: 0, topP: 0.9, frequencyPenalty: 0.1, presencePenalty: 0.2, toolChoice: 'transfer_to_b', parallelToolCalls: true, maxTokens: 100, store: false,
      promptCacheRetention: 'in-memory', promptCacheOptions: { mode: 'explicit' }, reasoning: { effort: 'low' }, text: { verbosity: 'low' }, providerData: { metadata: { a: 'b' } },
    },
  },
  'choices without tools': { modelSettings: { toolChoice: 'none', parallelToolCalls: true } },
  'structured output': { outputType: { type: 'json_schema', name: 'reply', strict: true, schema: SCHEMA } },
  'a user with pictures, sound and files': {
    input: [{ role: 'user', content: [
      { type: 'input_text', text: 't', promptCacheBreakpoint: { mode: 'explicit' } },
      { type: 'input_image', image: 'https://x.example/y.png', detail: 'low' },
      { type: 'input_image', image: 'data:image/png;base64,AA' },
      { type: 'audio', audio: 'AAA', format: 'mp3' },
      { type: 'input_file', file: 'data:application/pdf;base64,AA', filename: 'n' },
      { type: 'input_file', file: { id: 'f' } },
    ] }],
  },
  'a system message': { input: [{ role: 'system', content: 's', providerData: { name: 'boss' } }] },
  'a refusal': { input: [{ role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'a' }, { type: 'refusal', refusal: 'no' }] }] },
  'calls and results': { input: [{ role: 'user', content: 'u' }, call('c1'), call('c2'), result('c1', 'r1'), result('c2', { type: 'text', text: 'r2' })] },
  'a result in parts': { input: [call('c1'), result('c1', [{ type: 'input_text', text: 'a' }, { type: 'input_text', text: 'b' }])] },
  'thoughts before a call': { input: [thought('Hm.'), call('c1')] },
  'a message of the server\'s own': { input: [{ type: 'unknown', providerData: { role: 'developer', content: 'x' } }] },
};

describe('toRequest puts every question as the peer does', () => {
  for (const [name, question] of Object.entries(QUESTIONS)) {
    test(name, async () => {
      const asked = request(question);
      expect(toRequest(asked, { model: 'gpt-x', stream: false }).body).toEqual(await peerBody('chat', asked));
    });
  }
});

const messagesOf = (...input: AgentInputItem[]) => toRequest(request({ input }), { model: 'm', stream: false }).body.messages;

describe('for compatible servers, plainer than the peer', () => {
  test('text goes as text, not as a list of parts', () => {
    expect(messagesOf({ role: 'user', content: [{ type: 'input_text', text: 'hi' }] }, { role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'a' }, { type: 'output_text', text: 'b', providerData: { annotations: [1] } }] })).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'ab' },
    ]);
  });

  test('G3: one response is one message: thoughts, words and calls, then the results', () => {
    expect(messagesOf({ role: 'user', content: 'u' }, thought('Hm.'), said('Looking.'), call('c1'), call('c2'), result('c1', 'r1'), result('c2', 'r2'), thought('Ah.'), said('Blue.'))).toEqual([
      { role: 'user', content: 'u' },
      { role: 'assistant', content: 'Looking.', reasoning: 'Hm.', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }, { id: 'c2', type: 'function', function: { name: 'look', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'r1' },
      { role: 'tool', tool_call_id: 'c2', content: 'r2' },
      { role: 'assistant', content: 'Blue.', reasoning: 'Ah.' },
    ]);
  });

  test('two answers in a row stay two messages, each with its own thoughts', () => {
    expect(messagesOf(said('One.'), thought('Hm.'), said('Two.'), said('Three.'))).toEqual([
      { role: 'assistant', content: 'One.' },
      { role: 'assistant', content: 'Two.', reasoning: 'Hm.' },
      { role: 'assistant', content: 'Three.' },
    ]);
  });

  test('thoughts go back under the name the server gave them; summaries and thoughts alone do not go', () => {
    const remembered: AgentInputItem = { type: 'reasoning', content: [], rawContent: [{ type: 'reasoning_text', text: 'Hm.' }], providerData: { reasoningField: 'reasoning_content' } };
    expect(messagesOf(remembered, said('a'))).toEqual([{ role: 'assistant', content: 'a', reasoning_content: 'Hm.' }]);
    expect(messagesOf({ type: 'reasoning', content: [{ type: 'input_text', text: 'summary' }] }, said('a'))).toEqual([{ role: 'assistant', content: 'a' }]);
    expect(messagesOf(thought('Hm.'), { role: 'user', content: 'u' })).toEqual([{ role: 'user', content: 'u' }]);
  });

  test('what a server adds to a call goes back with it, and empty arguments become JSON', () => {
    expect(messagesOf(call('c1', { arguments: '', providerData: { extra_content: { signature: 's' } } }))).toEqual([
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' }, extra_content: { signature: 's' } }] },
    ]);
  });

  test('pictures and files in results are named, not lost in silence', () => {
    expect(messagesOf(call('c1'), result('c1', [{ type: 'input_text', text: 'See: ' }, { type: 'input_image', image: 'https://x.example' }]), call('c2'), result('c2', { type: 'file', file: { id: 'f' } }))).toEqual([
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'See: [image omitted: this model reads tool results as text]' },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c2', type: 'function', function: { name: 'look', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c2', content: '[file omitted: this model reads tool results as text]' },
    ]);
  });

  test('what the model said aloud is named by its id', () => {
    expect(messagesOf({ role: 'assistant', status: 'completed', content: [{ type: 'audio', audio: 'AAA', transcript: 'Hi.', providerData: { id: 'audio_1' } }] })).toEqual([{ role: 'assistant', content: null, audio: { id: 'audio_1' } }]);
  });
});

test('a stream asks for usage, and the user may say otherwise', () => {
  expect(toRequest(request(), { model: 'm', stream: true }).body).toEqual({ model: 'm', messages: [{ role: 'user', content: 'hi' }], stream: true, stream_options: { include_usage: true } });
  const without = request({ modelSettings: { providerData: { stream_options: { include_usage: false } } } });
  expect(toRequest(without, { model: 'm', stream: true }).body.stream_options).toEqual({ include_usage: false });
});

describe('what only the Responses API can do is refused before it is sent, with the fix', () => {
  const refused: [string, Partial<ModelRequest>, RegExp][] = [
    ['a hosted tool', { tools: [{ type: 'hosted_tool', name: 'web_search', providerData: { type: 'web_search' } }] }, /Tool "web_search" \(hosted_tool\) runs only through the Responses API/],
    ['a computer', { tools: [{ type: 'computer', name: 'computer_use_preview' }] }, /use a Responses model/],
    ['a namespace', { tools: [functionTool({ namespace: 'crm' })] }, /namespace "crm"/],
    ['a tool the agent does not have', { tools: [functionTool()], modelSettings: { toolChoice: 'fly' } }, /"fly", which the agent does not have\. It has: look\./],
    ['a required tool among none', { modelSettings: { toolChoice: 'required' } }, /no tools/],
    ['a hosted call', { input: [{ type: 'hosted_tool_call', name: 'web_search_call', providerData: { type: 'web_search_call' } }] }, /"hosted_tool_call" item/],
    ['a computer call', { input: [{ type: 'computer_call', callId: 'c', status: 'completed', action: { type: 'screenshot' } }] }, /"computer_call" item/],
    ['a compaction', { input: [{ type: 'compaction', encrypted_content: 'x' }] }, /"compaction" item/],
    ['an unknown item that is no message', { input: [{ type: 'unknown', providerData: { a: 1 } }] }, /"unknown" item/],
    ['a picture by id', { input: [{ role: 'user', content: [{ type: 'input_image', image: { id: 'f' } }] }] }, /images by URL only/],
    ['a file by address', { input: [{ role: 'user', content: [{ type: 'input_file', file: { url: 'https://x.example' } }] }] }, /data: URL or by file id/],
    ['sound without a format', { input: [{ role: 'user', content: [{ type: 'audio', audio: 'AAA' }] }] }, /"wav" or "mp3"/],
    ['a picture by the assistant', { input: [{ role: 'assistant', status: 'completed', content: [{ type: 'image', image: 'x' }] }] }, /assistant message holds an image/],
  ];
  for (const [name, question, message] of refused) {
    test(name, () => {
      const put = () => toRequest(request(question), { model: 'm', stream: false });
      expect(put).toThrow(message);
      expect(put).toThrow(expect.objectContaining({ name: 'UserError' }));
    });
  }
});
