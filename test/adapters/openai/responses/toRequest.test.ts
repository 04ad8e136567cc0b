import { describe, expect, test } from 'vitest';
import { toRequest } from '../../../../adapters/openai/responses/toRequest.ts';
import type { ModelRequest, SerializedTool } from '../../../../actors/ports.ts';
import { peerBody } from '../support/peer.ts';
import { functionTool, NO_ARGUMENTS, request } from '../support/requests.ts';

const hosted = (providerData: Record<string, unknown>): SerializedTool => ({ type: 'hosted_tool', name: String(providerData.name ?? providerData.type), providerData });
const TOOL_SEARCH = hosted({ type: 'tool_search', name: 'tool_search' });
const COMPUTER: SerializedTool = { type: 'computer', name: 'computer_use_preview', environment: 'browser', dimensions: [1024, 768] };
const SCHEMA = { type: 'object' as const, properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };

const QUESTIONS: Record<string, Partial<ModelRequest>> = {
  'a text': {},
  'instructions': { systemInstructions: 'Be brief.' },
  'blank instructions': { systemInstructions: '  ' },
  'sampling settings': {
    modelSettings: {
      temperature: 0, topP: 0.9, truncation: 'auto', maxTokens: 100, store: false, promptCacheRetention: 'in-memory', promptCacheOptions: { mode: 'explicit', ttl: '30m' },
      contextManagement: [{ type: 'compaction', compactThreshold: 100, extra: 1 }], reasoning: { effort: 'low', summary: 'auto' }, text: { verbosity: 'low' },
    },
  },
  'null settings': { modelSettings: { promptCacheRetention: null, reasoning: { effort: null, summary: null }, text: { verbosity: null } } },
  'settings only the provider knows': { modelSettings: { reasoning: { effort: 'low' }, text: { verbosity: 'low' }, providerData: { metadata: { a: 'b' }, reasoning: { effort: 'high' }, text: { verbosity: 'high' }, service_tier: 'flex', include: ['reasoning.encrypted_content'] } } },
  'a function': { tools: [functionTool()], modelSettings: { toolChoice: 'look', parallelToolCalls: false } },
  'a lax function and a handoff': { tools: [functionTool({ strict: false })], handoffs: [{ toolName: 'transfer_to_b', toolDescription: 'Go.', inputJsonSchema: NO_ARGUMENTS, strictJsonSchema: true }], modelSettings: { toolChoice: 'transfer_to_b' } },
  'deferred functions in a namespace': {
    tools: [
      functionTool({ name: 'one', namespace: 'crm', namespaceDescription: 'Customers.', deferLoading: true }),
      functionTool({ name: 'other' }),
      functionTool({ name: 'two', namespace: 'crm', namespaceDescription: 'Customers.', allowedCallers: ['direct', 'programmatic'], outputSchema: { type: 'string' } }),
      TOOL_SEARCH,
    ],
    modelSettings: { toolChoice: 'crm.two' },
  },
  'parallel calls without tools': { modelSettings: { parallelToolCalls: true, toolChoice: 'auto' } },
  'web search with images': { tools: [hosted({ type: 'web_search', name: 'web_search', search_context_size: 'medium', filters: { allowed_domains: ['a.b'] }, external_web_access: false, search_content_types: ['text', 'image'], image_settings: { max_results: 2 } })], modelSettings: { toolChoice: 'web_search' } },
  'file search with results': { tools: [hosted({ type: 'file_search', name: 'file_search', vector_store_ids: ['v'], max_num_results: 3, include_search_results: true, filters: { type: 'eq', key: 'k', value: 'v' } })], modelSettings: { toolChoice: 'file_search' } },
  'code interpreter with outputs': { tools: [hosted({ type: 'code_interpreter', name: 'code_interpreter', container: { type: 'auto' }, include_outputs: true })] },
  'image generation': { tools: [hosted({ type: 'image_generation', name: 'image_generation', size: '1024x1024', quality: 'low' })], modelSettings: { toolChoice: 'required' } },
  'hosted MCP': { tools: [hosted({ type: 'mcp', server_label: 'docs', server_url: 'https://docs.example', require_approval: 'always', allowed_tools: ['read'] })], modelSettings: { toolChoice: 'mcp' } },
  'a hosted tool nobody knows': { tools: [hosted({ type: 'weather', unit: 'c' })] },
  'shells': {
    tools: [
      { type: 'shell', name: 'shell' },
      { type: 'shell', name: 'shell', environment: { type: 'container_auto', fileIds: ['f'], memoryLimit: '1g', networkPolicy: { type: 'allowlist', allowedDomains: ['a'] }, skills: [{ type: 'skill_reference', skillId: 's', version: '1' }] }, allowedCallers: ['direct'] },
      { type: 'apply_patch', name: 'apply_patch' },
    ],
    modelSettings: { toolChoice: 'apply_patch' },
  },
  'a computer': { tools: [COMPUTER], modelSettings: { toolChoice: 'computer_use_preview' } },
  'structured output': { outputType: { type: 'json_schema', name: 'reply', strict: true, schema: SCHEMA }, modelSettings: { text: { verbosity: 'high' } } },
  'a previous response': { previousResponseId: 'resp_0' },
  'a conversation wins over a previous response': { previousResponseId: 'resp_0', conversationId: 'conv_0' },
  'a stored prompt': { prompt: { promptId: 'p', version: '2', variables: { who: 'Ann', pic: { type: 'input_image', image: 'https://x.example/y.png' }, doc: { type: 'input_file', file: { id: 'f' } } } }, modelSettings: { toolChoice: 'anything', parallelToolCalls: true } },
  'a stored prompt with model and tools of our own': { prompt: { promptId: 'p' }, overridePromptModel: true, tools: [functionTool()] },
  'a stored prompt whose tools are taken away': { prompt: { promptId: 'p' }, toolsExplicitlyProvided: true },
};

describe('toRequest puts every question as the peer does', () => {
  for (const [name, question] of Object.entries(QUESTIONS)) {
    test(name, async () => {
      const asked = request(question);
      expect(toRequest(asked, { model: 'gpt-x', stream: false }).body).toEqual(await peerBody('responses', asked));
    });
  }

  test('a computer for a preview model', async () => {
    const asked = request({ tools: [COMPUTER], modelSettings: { toolChoice: 'computer' } });
    expect(toRequest(asked, { model: 'computer-use-preview', stream: false }).body).toEqual(await peerBody('responses', asked, 'computer-use-preview'));
  });
});

test('whole request: tools, settings, schema and server state in one body', () => {
  const asked = request({
    systemInstructions: 'Be brief.',
    tools: [functionTool()],
    outputType: { type: 'json_schema', name: 'reply', strict: true, schema: SCHEMA },
    previousResponseId: 'resp_0',
    modelSettings: { temperature: 0.2, maxTokens: 50, toolChoice: 'required', parallelToolCalls: true },
  });
  expect(toRequest(asked, { model: 'gpt-x', stream: true })).toEqual({
    body: {
      model: 'gpt-x',
      instructions: 'Be brief.',
      input: [{ role: 'user', content: 'hi' }],
      include: [],
      tools: [{ type: 'function', name: 'look', description: 'Looks.', parameters: NO_ARGUMENTS, strict: true }],
      tool_choice: 'required',
      parallel_tool_calls: true,
      previous_response_id: 'resp_0',
      temperature: 0.2,
      max_output_tokens: 50,
      text: { format: { type: 'json_schema', name: 'reply', strict: true, schema: SCHEMA } },
      stream: true,
    },
  });
});

test('what a tool needs included is added to what the user asks for, not replaced by it', () => {
  const search = hosted({ type: 'file_search', vector_store_ids: ['v'], include_search_results: true });
  const asked = request({ tools: [search], modelSettings: { providerData: { include: ['reasoning.encrypted_content'] } } });
  expect(toRequest(asked, { model: 'gpt-x', stream: false }).body.include).toEqual(['file_search_call.results', 'reasoning.encrypted_content']);
});

test('headers, query and extra body members leave providerData by their own doors', () => {
  const asked = request({ modelSettings: { providerData: { extra_headers: { 'x-a': '1' }, extraQuery: { q: 2 }, extra_body: { z: 3 } } } });
  const sent = toRequest(asked, { model: 'gpt-x', stream: false });
  expect(sent).toEqual({
    body: { model: 'gpt-x', input: [{ role: 'user', content: 'hi' }], include: [], tools: [], z: 3, stream: false },
    headers: { 'x-a': '1' },
    query: { q: 2 },
  });
});

describe('a request that cannot be expressed is refused before it is sent, with the fix', () => {
  const refused: [string, Partial<ModelRequest>, RegExp][] = [
    ['a tool choice the agent does not have', { tools: [functionTool()], modelSettings: { toolChoice: 'fly' } }, /"fly", which the agent does not have\. It has: look\./],
    ['a required tool among none', { modelSettings: { toolChoice: 'required' } }, /no tools/],
    ['forcing a deferred tool', { tools: [functionTool({ deferLoading: true }), TOOL_SEARCH], modelSettings: { toolChoice: 'look' } }, /deferLoading/],
    ['forcing tool search', { tools: [TOOL_SEARCH], modelSettings: { toolChoice: 'tool_search' } }, /Use "auto"/],
    ['a deferred tool without tool search', { tools: [functionTool({ deferLoading: true })] }, /"look" has deferLoading.*tool_search/],
    ['a hosted tool without a type', { tools: [{ type: 'hosted_tool', name: 'odd' }] }, /"odd" does not say what it is/],
  ];
  for (const [name, question, message] of refused) {
    test(name, () => {
      expect(() => toRequest(request(question), { model: 'gpt-x', stream: false })).toThrow(message);
      expect(() => toRequest(request(question), { model: 'gpt-x', stream: false })).toThrow(expect.objectContaining({ name: 'UserError' }));
    });
  }

  test('a preview model and a computer without a screen', () => {
    const asked = request({ tools: [{ type: 'computer', name: 'computer' }] });
    expect(() => toRequest(asked, { model: 'computer-use-preview', stream: false })).toThrow(/"environment" and "dimensions"/);
  });
});
