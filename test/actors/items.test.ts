import * as peer from '@openai/agents-core';
import { describe, expect, test } from 'vitest';
import { Agent } from '../../actors/agent.ts';
import { RunToolApprovalItem } from '../../actors/approvalItem.ts';
import * as items from '../../actors/items.ts';
import { assistant, user } from '../../actors/message.ts';
import type { FunctionCallItem, FunctionCallResultItem, ShellCallItem } from '../../machines/protocol/item.ts';

const named = (name: string) => new Agent({ name });
const agent = named('A');
const peerAgent = new peer.Agent({ name: 'A' });

const call: FunctionCallItem = { type: 'function_call', callId: 'c1', name: 'look', arguments: '{"x":1}', status: 'completed' };
const result: FunctionCallResultItem = { type: 'function_call_result', callId: 'c1', name: 'look', status: 'completed', output: 'seen' };
const shellCall: ShellCallItem = { type: 'shell_call', callId: 's1', action: { commands: ['ls'] } };
const reasoning = { type: 'reasoning', content: [{ type: 'input_text', text: 'hm' }] } as const;
const message = {
  ...assistant([{ type: 'output_text', text: 'a' }, { type: 'refusal', refusal: 'no' }, { type: 'output_text', text: 'b' }]),
  id: 'm1',
};
/** The peer's items are inferred from zod and differ from ours in optionality and in `Uint8Array<ArrayBuffer>` only. */
const peerResult = result as never;
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('run items', () => {
  test('serialise as the peer\'s do', () => {
    const compaction = { type: 'compaction', encrypted_content: 'x' } as const;
    const searchCall = { type: 'tool_search_call', callId: 'q', arguments: {} } as const;
    const searchOutput = { type: 'tool_search_output', callId: 'q', tools: [] as Record<string, any>[] } as const;
    const rich = { ...reasoning, content: [...reasoning.content] };
    const ours = [
      new items.RunInputItem(user('hi'), agent, 'i1'),
      new items.RunMessageOutputItem(message, agent),
      new items.RunToolCallItem(call, agent),
      new items.RunToolSearchCallItem(searchCall, agent),
      new items.RunToolSearchOutputItem(searchOutput, agent),
      new items.RunReasoningItem(rich, agent),
      new items.RunCompactionItem(compaction, agent),
      new items.RunHandoffCallItem(call, agent),
      new items.RunHandoffOutputItem(result, agent, named('B')),
      new items.RunToolCallOutputItem(result, agent, 'seen'),
      new items.RunToolCallOutputItem(result, agent, { seen: true }, { trace: 7 }, 'executed'),
    ];
    const theirs = [
      new peer.RunInputItem(user('hi') as never, peerAgent, 'i1'), // `as never`: as above.
      new peer.RunMessageOutputItem(message as never, peerAgent),
      new peer.RunToolCallItem(call, peerAgent),
      new peer.RunToolSearchCallItem(searchCall, peerAgent),
      new peer.RunToolSearchOutputItem(searchOutput, peerAgent),
      new peer.RunReasoningItem(rich as never, peerAgent),
      new peer.RunCompactionItem(compaction, peerAgent),
      new peer.RunHandoffCallItem(call, peerAgent),
      new peer.RunHandoffOutputItem(peerResult, peerAgent, new peer.Agent({ name: 'B' })),
      new peer.RunToolCallOutputItem(peerResult, peerAgent, 'seen'),
      new peer.RunToolCallOutputItem(peerResult, peerAgent, { seen: true }, { trace: 7 }, 'executed'),
    ];
    expect(asJson(ours)).toEqual(asJson(theirs));
  });

  test.each([undefined, null, 5, true, [1], { a: undefined }, 'text'])('a tool output of %j is written as the peer writes it', (output) => {
    expect(new items.RunToolCallOutputItem(result, agent, output).toJSON().output).toBe(
      new peer.RunToolCallOutputItem(peerResult, peerAgent, output).toJSON().output,
    );
  });

  test('a tool output that JSON cannot hold is written as text instead of failing', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(new items.RunToolCallOutputItem(result, agent, cycle).toJSON().output).toBe('[object Object]');
    expect(new items.RunToolCallOutputItem(result, agent, 12n).toJSON().output).toBe('12');
  });

  test('P4: origin is the usual one of the type unless stated, and only then written', () => {
    expect([
      new items.RunInputItem(user('hi'), agent).origin,
      new items.RunMessageOutputItem(message, agent).origin,
      new items.RunToolCallItem(call, agent).origin,
      new items.RunToolCallOutputItem(result, agent, 'seen').origin,
      new items.RunHandoffOutputItem(result, agent, agent).origin,
    ]).toEqual(['user', 'agent', 'agent', 'tool', 'tool']);

    const notice = new items.RunInputItem(user('3 turns left'), agent, 'i1', { runtime: 'budget' });
    expect(notice.toJSON()).toMatchObject({ inputId: 'i1', origin: { runtime: 'budget' } });
    expect(new items.RunMessageOutputItem(message, agent, 'mail').toJSON()).toMatchObject({ origin: 'mail' });
    expect(new items.RunInputItem(user('hi'), agent).toJSON()).not.toHaveProperty('origin');
  });

  test('inputs without an id get one of their own', () => {
    const [first, second] = [new items.RunInputItem(user('a'), agent), new items.RunInputItem(user('a'), agent)];
    expect(first.inputId).toMatch(/^[0-9a-f-]{36}$/);
    expect(first.inputId).not.toBe(second.inputId);
  });

  test('calls and results give their name and id', () => {
    const hosted = { type: 'hosted_tool_call', id: 'h1', name: 'web_search' } as const;
    const program = { type: 'program', callId: 'p1', code: '1', fingerprint: 'f' } as const;
    const calls = [call, shellCall, hosted, program].map((raw) => new items.RunToolCallItem(raw, agent));
    expect(calls.map(({ toolName, callId }) => [toolName, callId])).toEqual([
      ['look', 'c1'], [undefined, 's1'], ['web_search', 'h1'], ['programmatic_tool_calling', 'p1'],
    ]);
    expect(new items.RunToolCallOutputItem(result, agent, 'seen').callId).toBe('c1');
  });
});

describe('RunToolApprovalItem', () => {
  test('has the name and arguments of the call', () => {
    const item = new RunToolApprovalItem(call, agent);
    expect([item.name, item.toolName, item.arguments]).toEqual(['look', 'look', '{"x":1}']);
  });

  test.each([
    ['a namespaced tool', { ...call, namespace: 'files' }, 'files.look'],
    ['a tool loaded on its own', { ...call, namespace: 'look' }, 'look'],
    ['a shell call', shellCall, undefined],
  ])('the name of %s is %j %s', (_name, raw, expected) => {
    expect(new RunToolApprovalItem(raw, agent).name).toBe(expected);
    expect(new peer.RunToolApprovalItem(raw, peerAgent).name).toBe(expected);
  });

  test('a call without a name takes the one the loop gives, and has no arguments', () => {
    const item = new RunToolApprovalItem(shellCall, agent, 'shell');
    expect([item.name, item.arguments, item.id]).toEqual(['shell', undefined, 's1']);
  });

  test('D1: has a stable id and the path of nested agents, also as JSON', () => {
    const item = new RunToolApprovalItem(call, agent, undefined, { id: 'w1', path: ['research', 'c0'], expiresAt: 99 });
    expect(asJson(item)).toEqual({
      type: 'tool_approval_item', rawItem: call, agent: { name: 'A' }, toolName: 'look', id: 'w1', path: ['research', 'c0'], expiresAt: 99,
    });
    const plain = new RunToolApprovalItem(call, agent);
    expect([plain.id, plain.path, plain.expiresAt]).toEqual(['c1', [], undefined]);
  });
});

test('A4: extractAllTextOutput joins the text of messages and nothing else', () => {
  const said = (text: string) => new items.RunMessageOutputItem(assistant(text), agent);
  expect(items.extractAllTextOutput([said('one '), new items.RunToolCallItem(call, agent), said('two'), new items.RunMessageOutputItem(message, agent)])).toBe('one twoab');
  expect(items.extractAllTextOutput([])).toBe('');
});
