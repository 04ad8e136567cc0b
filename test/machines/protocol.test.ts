/** The peer's own schemas are the oracle: ours accept and reject what those do, and lose nothing on the way. */
import { protocol as peer } from '@openai/agents-core';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import * as ours from 'loopchart/protocol';
import type * as wire from '../../machines/protocol/item.ts';

type Json = Record<string, unknown>;
interface Verdicts { success: boolean }
const oursNamed = ours as unknown as Record<string, z.ZodType>; // The module holds nothing else at run time.
const peerNamed = peer as unknown as Record<string, z.ZodType>;

const text = { type: 'input_text', text: 'go', promptCacheBreakpoint: { mode: 'explicit' } };
const GOOD: Record<string, Json[]> = {
  UserMessageItem: [
    { role: 'user', content: 'go' },
    { type: 'message', id: 'msg_1', role: 'user', providerData: { a: [1] }, content: [
      text, { type: 'input_image', image: 'data:', detail: 'low' }, { type: 'input_image', image: { id: 'file_1' } }, { type: 'input_image' },
      { type: 'input_file', file: 'data:', filename: 'a.txt' }, { type: 'input_file', file: { id: 'file_1' } }, { type: 'input_file', file: { url: 'https://x' } },
      { type: 'audio', audio: 'AA==', format: 'wav', transcript: null }, { type: 'audio', audio: { id: 'file_1' }, format: null },
    ] },
  ],
  AssistantMessageItem: [
    { role: 'assistant', status: 'completed', content: [] },
    { type: 'message', role: 'assistant', status: 'incomplete', phase: 'final_answer', content: [
      { type: 'output_text', text: 'a', providerData: { annotations: [] } }, { type: 'refusal', refusal: 'no' },
      { type: 'image', image: 'AA==' }, { type: 'audio', audio: 'AA==' },
    ] },
  ],
  ReasoningItem: [{ type: 'reasoning', id: 'rs_1', content: [text], rawContent: [{ type: 'reasoning_text', text: 'hm' }] }, { type: 'reasoning', content: [] }],
  CompactionItem: [{ type: 'compaction', id: 'c', encrypted_content: 'x', created_by: 'me' }],
  UnknownItem: [{ type: 'unknown', id: 'u', providerData: { type: 'new_thing' } }],
  ProgramCallItem: [{ type: 'program', callId: 'p', code: '1+1', fingerprint: 'f' }],
  ProgramCallResultItem: [{ type: 'program_output', callId: 'p', output: '2', status: 'completed' }],
  HostedToolCallItem: [
    { type: 'hosted_tool_call', name: 'web_search_call' },
    { type: 'hosted_tool_call', name: 'file_search_call', arguments: '{}', status: 'completed', output: 'x', caller: { type: 'program', callerId: 'p' } },
  ],
  FunctionCallItem: [
    { type: 'function_call', callId: 'c', name: 'add', arguments: '{"a":' },
    { type: 'function_call', id: 'fc_1', callId: 'c', name: 'add', namespace: 'math', status: 'in_progress', arguments: '{}', caller: { type: 'direct' } },
  ],
  FunctionCallResultItem: [
    'text', { type: 'text', text: 'a' }, { type: 'image', image: 'data:' }, { type: 'image', image: { data: 'AA==', mediaType: 'image/png' }, detail: 'low' },
    { type: 'image', image: { url: 'https://x' } }, { type: 'image', image: { fileId: 'f' } }, { type: 'image' }, { type: 'file', file: 'AA==' },
    { type: 'file', file: { data: 'AA==', mediaType: 'text/plain', filename: 'a' } }, { type: 'file', file: { url: 'https://x', filename: 'a' } },
    { type: 'file', file: { id: 'f' } }, [text, { type: 'input_image' }, { type: 'input_file' }], [],
  ].map((output) => ({ type: 'function_call_result', name: 'add', namespace: 'math', callId: 'c', status: 'completed', output })),
  ToolSearchCallItem: [{ type: 'tool_search_call', call_id: null, callId: 't', execution: 'client', arguments: { query: 'x' }, status: 'completed' }],
  ToolSearchOutputItem: [{ type: 'tool_search_output', toolSearchAgentName: 'A', toolSearchMcpToolNames: ['m'], call_id: 't', callId: null, execution: 'server', status: 's', tools: [{ any: 1 }] }],
  ComputerUseCallItem: [
    ...[
      { type: 'screenshot' }, { type: 'click', x: 1, y: 2, button: 'left' }, { type: 'double_click', x: 1, y: 2 }, { type: 'scroll', x: 1, y: 2, scroll_x: 3, scroll_y: 4 },
      { type: 'type', text: 'a' }, { type: 'wait' }, { type: 'move', x: 1, y: 2 }, { type: 'drag', path: [{ x: 1, y: 2 }] },
    ].map((action) => ({ type: 'computer_call', callId: 'c', status: 'completed', action })),
    { type: 'computer_call', callId: 'c', status: 'completed', actions: [{ type: 'wait' }, { type: 'keypress', keys: ['a'] }] },
  ],
  ComputerCallResultItem: [{ type: 'computer_call_result', callId: 'c', output: { type: 'computer_screenshot', data: 'AA==', providerData: {} } }],
  ShellCallItem: [{ type: 'shell_call', callId: 's', status: 'completed', action: { commands: ['ls'], timeoutMs: 10, maxOutputLength: 0 }, caller: { type: 'direct' } }],
  ShellCallResultItem: [{ type: 'shell_call_output', callId: 's', maxOutputLength: 1.5, output: [
    { stdout: '', stderr: '', outcome: { type: 'exit', exitCode: null } }, { stdout: '', stderr: '', outcome: { type: 'exit', exitCode: 1 } },
    { stdout: '', stderr: '', outcome: { type: 'timeout' }, created_by: 'x' },
  ] }],
  ApplyPatchCallItem: [
    { type: 'create_file', path: 'a', diff: '+' }, { type: 'update_file', path: 'a', diff: '+', moveTo: 'b' }, { type: 'delete_file', path: 'a' },
  ].map((operation) => ({ type: 'apply_patch_call', callId: 'a', status: 'completed', operation })),
  ApplyPatchCallResultItem: [{ type: 'apply_patch_call_output', callId: 'a', status: 'failed', output: 'no' }],
};
const SYSTEM: Json = { type: 'message', role: 'system', content: 'be brief' };
const ITEMS = [...Object.values(GOOD).flat(), SYSTEM];

const usage = {
  requests: 1, inputTokens: 1, outputTokens: 2, totalTokens: 3, inputTokensDetails: { cached_tokens: 1 }, outputTokensDetails: [{ reasoning_tokens: 1 }],
  requestUsageEntries: [{ inputTokens: 1, outputTokens: 2, totalTokens: 3, inputTokensDetails: { cached_tokens: 1 }, outputTokensDetails: {}, endpoint: 'responses.create' }],
};
const OTHERS: Record<string, Json[]> = {
  UsageData: [usage, { inputTokens: 0, outputTokens: 0, totalTokens: 0, inputTokensDetails: [{}] }],
  StreamEvent: [
    { type: 'response_started', providerData: { a: 1 } }, { type: 'output_text_delta', delta: 'a' }, { type: 'output_text_delta', itemId: 'm', delta: '' },
    { type: 'model', event: { anything: [null] } },
    { type: 'response_done', response: { id: 'r', requestId: 'q', usage, rawUsage: { a: 1 }, output: GOOD.FunctionCallItem, providerData: {} } },
  ],
  ToolReference: [{ type: 'tool_reference', functionName: 'add', namespace: 'math' }],
};
const BAD: Json[] = [
  {}, { type: 'message' }, { role: 'assistant', content: [] }, { role: 'assistant', status: 'done', content: [] }, { role: 'assistant', status: 'completed', content: 'text' },
  { role: 'assistant', status: 'completed', content: [], phase: null }, { role: 'user', content: [{ type: 'output_text', text: 'a' }] }, { role: 'user' }, { role: 'tool', content: 'x' },
  { role: 'system', content: [] }, { type: 'function_call', role: 'user', content: 'both' }, { type: 'function_call', callId: 'c', name: 'a', arguments: {} },
  { type: 'function_call', callId: 1, name: 'a', arguments: '' }, { type: 'function_call_result', callId: 'c', status: 'completed', output: '' },
  { type: 'function_call_result', name: 'a', callId: 'c', status: 'completed', output: [{ type: 'text', text: 'legacy in a list' }] },
  { type: 'function_call_result', name: 'a', callId: 'c', status: 'completed', output: { type: 'input_text', text: 'structured alone' } },
  { type: 'computer_call', callId: 'c', status: 'completed' }, { type: 'computer_call', callId: 'c', status: 'completed', actions: [] },
  { type: 'computer_call', callId: 'c', status: 'completed', action: { type: 'fly' } }, { type: 'shell_call', callId: 's', action: { commands: ['ls'], timeoutMs: -1 } },
  { type: 'shell_call', callId: 's', action: { commands: ['ls'], timeoutMs: 1.5 } }, { type: 'compaction' }, { type: 'no_such_item' }, { type: 'unknown', id: 1 },
  { type: 'apply_patch_call', callId: 'a', status: 'completed', operation: { type: 'update_file', path: 'a', diff: '', moveTo: '' } },
];

const schemas = (name: string) => ({ ours: oursNamed[name]!, peer: peerNamed[name]! });
const verdicts = (name: string, value: unknown): [Verdicts, Verdicts] => {
  const pair = schemas(name);
  return [pair.ours.safeParse(value), pair.peer.safeParse(value)];
};
const agree = (name: string, value: unknown) => {
  const [mine, theirs] = verdicts(name, value);
  expect(mine.success, `${name}: ${JSON.stringify(value)}`).toBe(theirs.success);
  return mine.success;
};

test('every schema of the peer is there, under its name', () => {
  const names = Object.keys(peer).filter((name) => typeof peerNamed[name]?.safeParse === 'function');
  expect(names.length).toBeGreaterThan(50);
  expect(names.filter((name) => typeof oursNamed[name]?.safeParse !== 'function')).toEqual([]);
});

describe('items', () => {
  for (const [name, examples] of Object.entries({ ...GOOD, ...OTHERS })) {
    test(`${name}: good ones pass and come out as they went in`, () => {
      for (const example of examples) {
        expect(agree(name, example)).toBe(true);
        expect(oursNamed[name]?.parse(example)).toEqual(example);
      }
    });
  }

  test('each schema judges the items of all the others as the peer does', () => {
    for (const name of [...Object.keys(GOOD), 'MessageItem', 'ToolCallItem', 'OutputModelItem', 'ModelItem']) {
      for (const item of [...ITEMS, ...BAD]) agree(name, item);
    }
  });

  test('the unions take every item, and a model cannot answer with a user message, a system message or a screenshot', () => {
    for (const item of ITEMS) expect(oursNamed.ModelItem?.parse(item)).toEqual(item);
    const refused = ITEMS.filter((item) => !oursNamed.OutputModelItem?.safeParse(item).success);
    expect(refused).toEqual([...GOOD.UserMessageItem!, ...GOOD.ComputerCallResultItem!, SYSTEM]);
  });

  test('bad ones are refused', () => {
    expect(BAD.filter((item) => agree('ModelItem', item))).toEqual([]);
  });

  test('raw bytes may stand where base64 text may', () => {
    const output = { type: 'image', image: { data: new Uint8Array([1]) } };
    expect(agree('FunctionCallResultItem', { ...GOOD.FunctionCallResultItem![0], output })).toBe(true);
  });

  test('an error speaks of the one schema that the item is for', () => {
    const error = ours.ModelItem.safeParse({ type: 'function_call', callId: 'c', name: 'add' }).error;
    expect(JSON.stringify(error?.issues)).toContain('arguments');
    expect(JSON.stringify(error?.issues)).not.toContain('encrypted_content');
  });
});

describe('what this version does not know', () => {
  /** Adds a key to every object of the value, but for places whose keys are free. */
  const withNews = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(withNews);
    if (typeof value !== 'object' || value === null) return value;
    const inner = Object.entries(value).map(([key, part]) => [key, FREE.has(key) ? part : withNews(part)]);
    return { ...Object.fromEntries(inner), news: { from: 2027 } };
  };
  const FREE = new Set(['providerData', 'inputTokensDetails', 'outputTokensDetails', 'rawUsage', 'event', 'tools', 'arguments']);

  test('is kept at every depth of an item, where the peer drops it', () => {
    for (const item of ITEMS) {
      const newer = withNews(item) as Json;
      expect(oursNamed.ModelItem?.parse(newer)).toEqual(newer);
      expect(peerNamed.ModelItem?.parse(newer)).not.toEqual(newer);
    }
  });

  test('is kept in usage and stream events', () => {
    for (const [name, examples] of Object.entries(OTHERS)) {
      for (const example of examples) expect(oursNamed[name]?.parse(withNews(example))).toEqual(withNews(example));
    }
  });

  test('modifier keys of a mouse action are kept, and must be keys', () => {
    const click = (keys: unknown) => ({ type: 'click', x: 1, y: 2, button: 'left', keys });
    expect(ours.computerActions.parse(click(['SHIFT']))).toEqual(click(['SHIFT']));
    expect(ours.computerActions.safeParse(click(null)).success).toBe(true);
    expect(ours.computerActions.safeParse(click(5)).success).toBe(false);
  });

  test('a key named __proto__ pollutes nothing', () => {
    const item = JSON.parse('{"type":"unknown","__proto__":{"polluted":true},"providerData":{"__proto__":{"polluted":true}}}') as unknown;
    const parsed = ours.ModelItem.parse(item) as Json;
    expect([parsed.polluted, (parsed.providerData as Json).polluted, Object.getPrototypeOf(parsed)]).toEqual([undefined, undefined, Object.prototype]);
  });
});

describe('for any damage to a good item', () => {
  const spoiled = fc.oneof(
    fc.constant(undefined), fc.constant(null), fc.string({ maxLength: 3 }), fc.integer(), fc.double(), fc.boolean(), fc.constant([]), fc.constant({}),
    fc.constantFrom('message', 'user', 'assistant', 'completed', 'function_call', 'input_text', 'text'), fc.constantFrom(...ITEMS),
  );
  /** Replaces or removes what stands at a path chosen by `picks`; each pick goes one level down. */
  const damage = (value: unknown, picks: number[], replacement: unknown): unknown => {
    if (typeof value !== 'object' || value === null || picks.length === 0) return replacement;
    const keys = Object.keys(value);
    const key = keys[picks[0]! % (keys.length || 1)];
    if (key === undefined) return replacement;
    const part = damage((value as Json)[key], picks.slice(1), replacement);
    if (Array.isArray(value)) return value.map((old: unknown, index) => (String(index) === key ? part : old));
    const { [key]: _old, ...rest } = value as Json;
    return part === undefined ? rest : { ...rest, [key]: part };
  };
  const damaged = (examples: Json[]) => fc.tuple(fc.constantFrom(...examples), fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }), spoiled)
    .map(([item, picks, replacement]) => damage(item, picks, replacement));

  test('the verdict is the peer\'s, and what the peer reads out of it is what went in', () => {
    const judged = { passed: 0, refused: 0 };
    fc.assert(fc.property(damaged(ITEMS), (item) => {
      for (const name of ['ModelItem', 'OutputModelItem']) {
        const passed = agree(name, item);
        judged[passed ? 'passed' : 'refused'] += 1;
        if (!passed) continue;
        const parsed = oursNamed[name]?.parse(item);
        expect(parsed).toEqual(item);
        expect(peerNamed[name]?.parse(parsed)).toEqual(peerNamed[name]?.parse(item));
      }
    }), { seed: 5, numRuns: 1_500 });
    expect(Math.min(judged.passed, judged.refused), 'both verdicts must be well represented').toBeGreaterThan(300);
  });

  test('so it is for stream events and usage', () => {
    fc.assert(fc.property(damaged(OTHERS.StreamEvent!), (event) => void agree('StreamEvent', event)), { seed: 5, numRuns: 500 });
    fc.assert(fc.property(damaged(OTHERS.UsageData!), (data) => void agree('UsageData', data)), { seed: 5, numRuns: 500 });
  });
});

test('types: what a schema gives is the wire type, and every wire item may be given to it', () => {
  expectTypeOf<z.output<typeof ours.ModelItem>>().toExtend<wire.AgentInputItem>();
  expectTypeOf<z.output<typeof ours.OutputModelItem>>().toExtend<wire.AgentOutputItem>();
  expectTypeOf<z.output<typeof ours.StreamEvent>>().toExtend<wire.StreamEvent>();
  expectTypeOf<z.output<typeof ours.UsageData>>().toExtend<wire.UsageData>();
  expectTypeOf<ours.FunctionCallItem>().toEqualTypeOf<wire.FunctionCallItem>();
  expectTypeOf<wire.FunctionCallResultItem['status']>().toEqualTypeOf<z.input<typeof ours.FunctionCallResultItem>['status']>();
  // @ts-expect-error A call needs a name.
  const nameless: z.input<typeof ours.FunctionCallItem> = { type: 'function_call', callId: 'c', arguments: '' };
  expect(ours.FunctionCallItem.safeParse(nameless).success).toBe(false);
});
