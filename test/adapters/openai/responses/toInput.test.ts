import { describe, expect, test } from 'vitest';
import { toInput } from '../../../../adapters/openai/responses/toInput.ts';
import type { AgentInputItem, FunctionCallResultItem } from '../../../../machines/protocol/item.ts';
import { peerBody } from '../support/peer.ts';
import { request } from '../support/requests.ts';

const result = (output: FunctionCallResultItem['output']): AgentInputItem => ({
  type: 'function_call_result', id: 'fco', callId: 'c', name: 'look', status: 'completed', output,
});

const ITEMS: Record<string, AgentInputItem> = {
  'user text': { role: 'user', content: 'x', providerData: { note: 1 } },
  'user text that says it is a message': { type: 'message', role: 'user', content: 'x' },
  'system text': { role: 'system', content: 'x', providerData: { note: 1 } },
  'text and images': {
    role: 'user',
    content: [
      { type: 'input_text', text: 't', providerData: { note: 1 }, promptCacheBreakpoint: { mode: 'explicit' } },
      { type: 'input_image', image: 'https://x.example/y.png' },
      { type: 'input_image', image: { id: 'file-1' }, detail: 'low' },
      { type: 'input_image', image: 'data:image/png;base64,AAA', promptCacheBreakpoint: { mode: 'explicit' } },
    ],
  },
  'files': {
    role: 'user',
    content: [
      { type: 'input_file', file: 'data:application/pdf;base64,AAAA', filename: 'a.pdf' },
      { type: 'input_file', file: 'AAAA', filename: 'b.pdf' },
      { type: 'input_file', file: 'https://x.example/a.pdf', filename: 'n' },
      { type: 'input_file', file: { id: 'file-1' } },
      { type: 'input_file', file: { url: 'https://x.example/b' } },
    ],
  },
  'an answer': {
    type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', phase: 'commentary', providerData: { note: 1 },
    content: [{ type: 'output_text', text: 'a', providerData: { annotations: [{ type: 'url_citation' }], logprobs: [] } }, { type: 'refusal', refusal: 'no' }],
  },
  'an answer without id': { role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'a' }] },
  'a call by a program': { type: 'function_call', id: 'fc_1', callId: 'c', name: 'look', namespace: 'ns', status: 'completed', arguments: '{}', caller: { type: 'program', callerId: 'p' }, providerData: { type: 'evil', id: 'evil', call_id: 'evil', note: 1 } },
  'a call in a namespace of its own name': { type: 'function_call', id: 'fc_1', callId: 'c', name: 'look', namespace: 'look', status: 'completed', arguments: '{}' },
  'a call without id': { type: 'function_call', callId: 'c', name: 'look', arguments: '{}' },
  'a text result': result('x'),
  'a text object result': result({ type: 'text', text: 'x' }),
  'an image result by address': result({ type: 'image', image: 'https://x.example/y', detail: 'low' }),
  'an image result as base64': result({ type: 'image', image: { data: 'AAAA', mediaType: 'image/png' } }),
  'an image result as bytes': result({ type: 'image', image: { data: new Uint8Array([1, 2, 3]), mediaType: 'image/png' } }),
  'an image result by file id': result({ type: 'image', image: { fileId: 'f' } }),
  'a file result as base64': result({ type: 'file', file: { data: 'AAAA', mediaType: 'text/plain', filename: 'n' } }),
  'a file result as bytes': result({ type: 'file', file: { data: new Uint8Array([1, 2]), mediaType: 'text/plain', filename: 'n' } }),
  'a file result by address': result({ type: 'file', file: { url: 'https://x.example', filename: 'n' } }),
  'a file result by id': result({ type: 'file', file: { id: 'f' } }),
  'a mixed result': result([
    { type: 'input_text', text: 't' },
    { type: 'input_image', image: 'https://x.example', detail: 'high' },
    { type: 'input_image', image: { id: 'f' } },
    { type: 'input_file', file: { id: 'f' }, filename: 'fn' },
    { type: 'input_file', file: 'data:a/b;base64,A' },
  ]),
  'a web search': { type: 'hosted_tool_call', id: 'ws_1', name: 'web_search_call', status: 'completed', providerData: { type: 'web_search_call', action: { type: 'search', query: 'q' } } },
  'a web search named after the tool': { type: 'hosted_tool_call', id: 'ws_1', name: 'web_search', status: 'completed', providerData: { type: 'web_search' } },
  'an MCP approval request': { type: 'hosted_tool_call', id: 'mr', name: 'mcp_approval_request', providerData: { type: 'mcp_approval_request', id: 'mr', name: 'a', arguments: '{}', server_label: 'l' } },
  'an MCP approval response': { type: 'hosted_tool_call', id: 'x', name: 'mcp_approval_response', providerData: { type: 'mcp_approval_response', approve: true, approval_request_id: 'mr', reason: 'fine', id: 'ms' } },
  'an MCP approval response with an id of ours': { type: 'hosted_tool_call', id: 'x', name: 'mcp_approval_response', providerData: { type: 'mcp_approval_response', approve: false, approval_request_id: 'mr' } },
  'an MCP list of tools': { type: 'hosted_tool_call', id: 'ml', name: 'mcp_list_tools', providerData: { type: 'mcp_list_tools', server_label: 'l', tools: [] } },
  'a click with checks': { type: 'computer_call', id: 'cc', callId: 'c', status: 'completed', action: { type: 'click', x: 1, y: 2, button: 'left' }, providerData: { pending_safety_checks: [{ id: 's' }] } },
  'several actions': { type: 'computer_call', id: 'cc', callId: 'c', status: 'completed', actions: [{ type: 'screenshot' }, { type: 'wait' }] },
  'a screenshot with acknowledged checks': { type: 'computer_call_result', id: 'ccr', callId: 'c', output: { type: 'computer_screenshot', data: 'data:image/png;base64,AA' }, providerData: { acknowledgedSafetyChecks: [{ id: 's' }] } },
  'a shell call': { type: 'shell_call', id: 'sh', callId: 'c', status: 'completed', action: { commands: ['ls'], timeoutMs: 5, maxOutputLength: 6 }, providerData: { environment: { type: 'local' } }, caller: { type: 'direct' } },
  'a bare shell call': { type: 'shell_call', callId: 'c', action: { commands: ['ls'] } },
  'a shell result': { type: 'shell_call_output', id: 'so', callId: 'c', maxOutputLength: 7, output: [{ stdout: 'a', stderr: 'b', outcome: { type: 'exit', exitCode: 0 } }, { stdout: '', stderr: '', outcome: { type: 'timeout' } }] },
  'a patch': { type: 'apply_patch_call', id: 'ap', callId: 'c', status: 'completed', operation: { type: 'update_file', path: 'p', diff: 'd', moveTo: 'm' } },
  'a deletion': { type: 'apply_patch_call', callId: 'c', status: 'in_progress', operation: { type: 'delete_file', path: 'p' } },
  'a patch result': { type: 'apply_patch_call_output', id: 'apo', callId: 'c', status: 'failed', output: 'o', caller: { type: 'direct' } },
  'thoughts, summed up and encrypted': { type: 'reasoning', id: 'rs', content: [{ type: 'input_text', text: 's' }], providerData: { encrypted_content: 'ENC', status: 'completed' } },
  'thoughts stored in camel case, their id left out': { type: 'reasoning', content: [{ type: 'input_text', text: 's' }], providerData: { id: 'rs', encryptedContent: 'ENC' } },
  'a compaction': { type: 'compaction', id: 'cp', encrypted_content: 'E', created_by: 'x' },
  'a program': { type: 'program', id: 'pg', callId: 'c', code: 'x', fingerprint: 'f' },
  'a program result': { type: 'program_output', id: 'po', callId: 'c', output: 'r', status: 'completed' },
  'a tool search': { type: 'tool_search_call', id: 'ts', call_id: 'c', execution: 'client', arguments: { paths: ['a'] }, status: 'completed' },
  'a tool search by the server': { type: 'tool_search_call', id: 'ts', callId: null, execution: 'server', arguments: {}, status: 'completed' },
  'found tools': { type: 'tool_search_output', id: 'to', callId: 'c', execution: 'client', status: 'completed', tools: [{ type: 'function', name: 'look', deferLoading: true, parameters: {}, strict: true }], toolSearchAgentName: 'A' },
  'something unknown': { type: 'unknown', id: 'uk', providerData: { type: 'custom_tool_call', call_id: 'c', input: 'x', name: 'n' } },
};

describe('toInput writes every kind of item as the peer does', () => {
  for (const [name, item] of Object.entries(ITEMS)) {
    test(name, async () => {
      const { input } = await peerBody('responses', request({ input: [item] }));
      expect(toInput([item])).toEqual(input);
    });
  }
});

describe('where the peer loses something, we keep it', () => {
  const kept: [string, AgentInputItem, Record<string, unknown>][] = [
    ['a generated image', { type: 'hosted_tool_call', id: 'ig', name: 'image_generation_call', status: 'completed', output: 'B64', providerData: { type: 'image_generation_call' } }, { type: 'image_generation_call', id: 'ig', status: 'completed', result: 'B64' }],
    ['what an MCP tool answered', { type: 'hosted_tool_call', id: 'mc', name: 'mcp_call', status: 'completed', output: 'o', providerData: { type: 'mcp_call', name: 'a', arguments: '{}', server_label: 'l' } }, { type: 'mcp_call', id: 'mc', name: 'a', arguments: '{}', server_label: 'l', status: 'completed', output: 'o' }],
    ['raw thoughts', { type: 'reasoning', id: 'rs', content: [], rawContent: [{ type: 'reasoning_text', text: 'raw' }] }, { type: 'reasoning', id: 'rs', summary: [], content: [{ type: 'reasoning_text', text: 'raw' }] }],
    ['a hosted call nobody knows', { type: 'hosted_tool_call', id: 'z', name: 'zap', status: 'completed', providerData: { type: 'zap_call', q: 1 } }, { type: 'zap_call', id: 'z', q: 1, status: 'completed' }],
    ['sound', { role: 'user', content: [{ type: 'audio', audio: 'AAAA', format: 'wav' }] }, { role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }] }],
    ['what was said aloud', { role: 'assistant', status: 'completed', content: [{ type: 'audio', audio: 'AAAA', transcript: 'Hello.' }] }, { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hello.', annotations: [] }] }],
    ['that a killed command did not succeed', { type: 'shell_call_output', callId: 'c', output: [{ stdout: '', stderr: '', outcome: { type: 'exit', exitCode: null } }] }, { type: 'shell_call_output', call_id: 'c', output: [{ stdout: '', stderr: '', outcome: { type: 'exit', exit_code: 1 } }] }],
  ];
  for (const [name, item, wire] of kept) test(name, () => expect(toInput([item])).toEqual([wire]));
});

test('large files become base64 without overflowing the stack', () => {
  const bytes = new Uint8Array(300_000).fill(7);
  const [item] = toInput([result({ type: 'file', file: { data: bytes, mediaType: 'text/plain', filename: 'n' } })]);
  expect(item?.output).toEqual([{ type: 'input_file', file_data: `data:text/plain;base64,${Buffer.from(bytes).toString('base64')}`, filename: 'n' }]);
});

describe('an item that cannot be sent is refused with its type and the fix', () => {
  const refused: [string, unknown, RegExp][] = [
    ['an unknown item with nothing in it', { type: 'unknown' }, /nothing to send/],
    ['a hosted call without its wire form', { type: 'hosted_tool_call', name: 'zap', status: 'completed' }, /"zap" does not say what it is/],
    ['a type from elsewhere', { type: 'martian' }, /type "martian"/],
    ['a role from elsewhere', { role: 'developer', content: 'x' }, /role "developer"/],
    ['an image the assistant made', { role: 'assistant', status: 'completed', content: [{ type: 'image', image: 'x' }] }, /assistant message holds an image/],
    ['sound by id', { role: 'user', content: [{ type: 'audio', audio: { id: 'a' } }] }, /base64/],
  ];
  for (const [name, item, message] of refused) {
    test(name, () => {
      expect(() => toInput([item as AgentInputItem])).toThrow(message); // Some are of no type of ours; that is the point.
      expect(() => toInput([item as AgentInputItem])).toThrow(expect.objectContaining({ name: 'UserError' }));
    });
  }
});
