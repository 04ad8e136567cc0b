import { describe, expect, test } from 'vitest';
import { toInput } from '../../../../adapters/openai/responses/toInput.ts';
import { toItems } from '../../../../adapters/openai/responses/toItems.ts';
import type { AgentOutputItem } from '../../../../machines/protocol/item.ts';

type Wire = Record<string, unknown> & { type: string };
const NEW = { brand_new: 1 };

/** What the provider answers, what the loop sees. Each goes back to the provider as it came. */
const ROUND_TRIPS: [Wire, AgentOutputItem][] = [
  [
    { type: 'message', id: 'm', role: 'assistant', status: 'completed', phase: 'final_answer', content: [{ type: 'output_text', text: 'a', annotations: [{ type: 'url_citation', url: 'u' }] }, { type: 'refusal', refusal: 'no' }], ...NEW },
    { type: 'message', id: 'm', role: 'assistant', status: 'completed', phase: 'final_answer', content: [{ type: 'output_text', text: 'a', providerData: { annotations: [{ type: 'url_citation', url: 'u' }] } }, { type: 'refusal', refusal: 'no' }], providerData: NEW },
  ],
  [
    { type: 'message', id: 'm', role: 'assistant', status: 'incomplete', content: [] },
    { type: 'message', id: 'm', role: 'assistant', status: 'incomplete', content: [] },
  ],
  [
    { type: 'function_call', id: 'fc', call_id: 'c', name: 'look', arguments: '{}', status: 'completed', namespace: 'ns', caller: { type: 'program', caller_id: 'p' }, ...NEW },
    { type: 'function_call', id: 'fc', callId: 'c', name: 'look', arguments: '{}', status: 'completed', namespace: 'ns', caller: { type: 'program', callerId: 'p' }, providerData: NEW },
  ],
  [
    { type: 'web_search_call', id: 'ws', status: 'completed', action: { type: 'search', query: 'q' } },
    { type: 'hosted_tool_call', id: 'ws', name: 'web_search_call', status: 'completed', providerData: { type: 'web_search_call', id: 'ws', action: { type: 'search', query: 'q' } } },
  ],
  [
    { type: 'file_search_call', id: 'fs', status: 'completed', queries: ['q'], results: null },
    { type: 'hosted_tool_call', id: 'fs', name: 'file_search_call', status: 'completed', providerData: { type: 'file_search_call', id: 'fs', queries: ['q'], results: null } },
  ],
  [
    { type: 'code_interpreter_call', id: 'ci', status: 'completed', code: '1', container_id: 'k', outputs: [{ type: 'logs', logs: 'l' }] },
    { type: 'hosted_tool_call', id: 'ci', name: 'code_interpreter_call', status: 'completed', providerData: { type: 'code_interpreter_call', id: 'ci', code: '1', container_id: 'k', outputs: [{ type: 'logs', logs: 'l' }] } },
  ],
  [
    { type: 'image_generation_call', id: 'ig', status: 'completed', result: 'B64', size: '1' },
    { type: 'hosted_tool_call', id: 'ig', name: 'image_generation_call', status: 'completed', output: 'B64', providerData: { type: 'image_generation_call', id: 'ig', size: '1' } },
  ],
  [
    { type: 'mcp_call', id: 'mc', name: 'a', arguments: '{"q":1}', server_label: 'l', output: 'o', error: null, status: 'completed', approval_request_id: 'ar' },
    { type: 'hosted_tool_call', id: 'mc', name: 'mcp_call', status: 'completed', output: 'o', providerData: { type: 'mcp_call', id: 'mc', name: 'a', arguments: '{"q":1}', server_label: 'l', error: null, approval_request_id: 'ar' } },
  ],
  [
    { type: 'mcp_list_tools', id: 'ml', server_label: 'l', tools: [{ name: 'a', input_schema: {} }] },
    { type: 'hosted_tool_call', id: 'ml', name: 'mcp_list_tools', status: 'completed', providerData: { type: 'mcp_list_tools', id: 'ml', server_label: 'l', tools: [{ name: 'a', input_schema: {} }] } },
  ],
  [
    { type: 'mcp_approval_request', id: 'mr', name: 'a', arguments: '{}', server_label: 'l' },
    { type: 'hosted_tool_call', id: 'mr', name: 'mcp_approval_request', status: 'completed', providerData: { type: 'mcp_approval_request', id: 'mr', name: 'a', arguments: '{}', server_label: 'l' } },
  ],
  [
    { type: 'computer_call', id: 'cc', call_id: 'c', status: 'completed', action: { type: 'click', x: 1, y: 2, button: 'left' }, pending_safety_checks: [{ id: 's' }], ...NEW },
    { type: 'computer_call', id: 'cc', callId: 'c', status: 'completed', action: { type: 'click', x: 1, y: 2, button: 'left' }, providerData: { pending_safety_checks: [{ id: 's' }], ...NEW } },
  ],
  [
    { type: 'shell_call', id: 'sh', call_id: 'c', status: 'completed', action: { commands: ['ls'], timeout_ms: 5, max_output_length: null }, environment: { type: 'local' }, caller: { type: 'direct' } },
    { type: 'shell_call', id: 'sh', callId: 'c', status: 'completed', action: { commands: ['ls'], timeoutMs: 5 }, caller: { type: 'direct' }, providerData: { environment: { type: 'local' } } },
  ],
  [
    { type: 'shell_call_output', id: 'so', call_id: 'c', status: 'completed', max_output_length: 9, output: [{ stdout: 'a', stderr: 'b', outcome: { type: 'exit', exit_code: 1 } }, { stdout: '', stderr: '', outcome: { type: 'timeout' } }] },
    { type: 'shell_call_output', id: 'so', callId: 'c', status: 'completed', maxOutputLength: 9, output: [{ stdout: 'a', stderr: 'b', outcome: { type: 'exit', exitCode: 1 } }, { stdout: '', stderr: '', outcome: { type: 'timeout' } }] },
  ],
  [
    { type: 'apply_patch_call', id: 'ap', call_id: 'c', status: 'completed', operation: { type: 'update_file', path: 'p', diff: 'd', move_to: 'm' } },
    { type: 'apply_patch_call', id: 'ap', callId: 'c', status: 'completed', operation: { type: 'update_file', path: 'p', diff: 'd', moveTo: 'm' } },
  ],
  [
    { type: 'apply_patch_call_output', id: 'apo', call_id: 'c', status: 'completed', output: 'done' },
    { type: 'apply_patch_call_output', id: 'apo', callId: 'c', status: 'completed', output: 'done' },
  ],
  [
    { type: 'function_call_output', id: 'fco', call_id: 'c', output: [{ type: 'input_text', text: 'x' }, { type: 'input_image', image_url: 'u', detail: 'low' }, { type: 'input_file', file_id: 'f' }], status: 'completed', ...NEW },
    { type: 'function_call_result', id: 'fco', callId: 'c', name: '', status: 'completed', output: [{ type: 'input_text', text: 'x' }, { type: 'input_image', image: 'u', detail: 'low' }, { type: 'input_file', file: { id: 'f' } }], providerData: NEW },
  ],
  [
    { type: 'reasoning', id: 'rs', summary: [{ type: 'summary_text', text: 's' }], content: [{ type: 'reasoning_text', text: 'raw' }], encrypted_content: 'ENC', status: 'completed' },
    { type: 'reasoning', id: 'rs', content: [{ type: 'input_text', text: 's' }], rawContent: [{ type: 'reasoning_text', text: 'raw' }], providerData: { encrypted_content: 'ENC', status: 'completed' } },
  ],
  [{ type: 'reasoning', id: 'rs', summary: [] }, { type: 'reasoning', id: 'rs', content: [] }],
  [{ type: 'compaction', id: 'cp', encrypted_content: 'E' }, { type: 'compaction', id: 'cp', encrypted_content: 'E' }],
  [{ type: 'program', id: 'pg', call_id: 'c', code: 'x', fingerprint: 'f', ...NEW }, { type: 'program', id: 'pg', callId: 'c', code: 'x', fingerprint: 'f', providerData: NEW }],
  [{ type: 'program_output', id: 'po', call_id: 'c', result: 'r', status: 'completed' }, { type: 'program_output', id: 'po', callId: 'c', output: 'r', status: 'completed' }],
  [
    { type: 'tool_search_call', id: 'ts', call_id: 'c', execution: 'client', arguments: { paths: [] }, status: 'completed' },
    { type: 'tool_search_call', id: 'ts', call_id: 'c', execution: 'client', arguments: { paths: [] }, status: 'completed' },
  ],
  [
    { type: 'tool_search_output', id: 'to', call_id: 'c', execution: 'client', status: 'completed', tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'look', defer_loading: true }] }] },
    { type: 'tool_search_output', id: 'to', call_id: 'c', execution: 'client', status: 'completed', tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'look', deferLoading: true }] }] },
  ],
  [
    { type: 'custom_tool_call', id: 'ct', call_id: 'c', input: 'x', name: 'n' },
    { type: 'unknown', id: 'ct', providerData: { type: 'custom_tool_call', id: 'ct', call_id: 'c', input: 'x', name: 'n' } },
  ],
  [{ type: 'martian', q: 1 }, { type: 'unknown', providerData: { type: 'martian', q: 1 } }],
];

describe('every kind of item is read, and goes back to the provider as it came', () => {
  for (const [wire, item] of ROUND_TRIPS) {
    test(`${wire.type} ${Object.keys(wire).length}`, () => {
      const items = toItems([wire]);
      expect(items).toEqual([item]);
      expect(toInput(items)).toEqual([wire]);
    });
  }
});

test('items survive JSON between the two directions', () => {
  const wires = ROUND_TRIPS.map(([wire]) => wire);
  expect(toInput(JSON.parse(JSON.stringify(toItems(wires))))).toEqual(wires);
});

test('who made an item is told by the provider and never sent back, which it would refuse', () => {
  const [item] = toItems([{ type: 'function_call', call_id: 'c', name: 'look', arguments: '{}', created_by: 'someone' }]);
  expect(toInput([item!])).toEqual([{ type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' }]);
});

test('of several computer actions the first also stands where older computers look for it', () => {
  const [item] = toItems([{ type: 'computer_call', call_id: 'c', status: 'completed', actions: [{ type: 'screenshot' }, { type: 'wait' }] }]);
  expect(item).toEqual({ type: 'computer_call', callId: 'c', status: 'completed', action: { type: 'screenshot' }, actions: [{ type: 'screenshot' }, { type: 'wait' }] });
});

test('members that are null are as good as missing', () => {
  const [item] = toItems([{ type: 'function_call', id: null, call_id: 'c', name: 'look', arguments: '{}', status: null, namespace: null, caller: null }]);
  expect(item).toEqual({ type: 'function_call', callId: 'c', name: 'look', arguments: '{}' });
});

test('an item that breaks its promise is reported with its place', () => {
  const broken = [{ type: 'message', role: 'assistant', content: [] }, { type: 'function_call', name: 'look', arguments: '{}' }];
  expect(() => toItems(broken)).toThrow(/"function_call" item.*output\.1\.call_id/);
  expect(() => toItems(broken)).toThrow(expect.objectContaining({ name: 'ModelBehaviorError' }));
});
