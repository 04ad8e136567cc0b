import { describe, expect, test } from 'vitest';
import { Agent } from '../../actors/agent.ts';
import { RECOMMENDED_PROMPT_PREFIX, promptWithHandoffInstructions, removeAllTools } from '../../actors/extensions.ts';
import {
  RunCompactionItem, RunHandoffCallItem, RunHandoffOutputItem, RunInputItem, RunMessageOutputItem, RunReasoningItem, RunToolCallItem, RunToolCallOutputItem, RunToolSearchCallItem, RunToolSearchOutputItem,
} from '../../actors/items.ts';
import { RunToolApprovalItem } from '../../actors/approvalItem.ts';
import { assistant, user } from '../../actors/message.ts';
import { RunContext } from '../../actors/runContext.ts';
import type { AgentInputItem, FunctionCallItem, FunctionCallResultItem } from '../../machines/protocol/item.ts';

const agent = new Agent({ name: 'A' });
const call: FunctionCallItem = { type: 'function_call', callId: 'c', name: 't', arguments: '{}' };
const result: FunctionCallResultItem = { type: 'function_call_result', callId: 'c', name: 't', status: 'completed', output: 'x' };
const message = assistant('hello') as never;

describe('removeAllTools', () => {
  test('leaves what was said, in history and in both lists of items', () => {
    const spoken = [new RunMessageOutputItem(message, agent), new RunInputItem(user('more'), agent), new RunCompactionItem({ type: 'compaction', encrypted_content: 'x' }, agent)];
    const traffic = [
      new RunToolCallItem(call, agent), new RunToolCallOutputItem(result, agent, 'x'), new RunReasoningItem({ type: 'reasoning', content: [] }, agent),
      new RunHandoffCallItem(call, agent), new RunHandoffOutputItem(result, agent, agent), new RunToolApprovalItem(call, agent),
      new RunToolSearchCallItem({ type: 'tool_search_call', arguments: {} }, agent), new RunToolSearchOutputItem({ type: 'tool_search_output', tools: [] }, agent),
    ];
    const history: AgentInputItem[] = [
      user('hi'), call, result, { type: 'reasoning', content: [] }, { type: 'hosted_tool_call', name: 'web' }, { type: 'program', callId: 'p', code: '', fingerprint: '' },
      { type: 'compaction', encrypted_content: 'x' }, { role: 'system', content: 'rules' },
    ];
    const runContext = new RunContext();
    expect(removeAllTools({ inputHistory: history, preHandoffItems: [...spoken, ...traffic], newItems: [...traffic, ...spoken], runContext })).toEqual({
      inputHistory: [user('hi'), { type: 'compaction', encrypted_content: 'x' }, { role: 'system', content: 'rules' }],
      preHandoffItems: spoken,
      newItems: spoken,
      runContext,
    });
  });

  test('leaves a text as it is', () => {
    expect(removeAllTools({ inputHistory: 'hi', preHandoffItems: [], newItems: [] })).toMatchObject({ inputHistory: 'hi' });
  });
});

test('handoff instructions come before the prompt and name the tools', () => {
  expect(promptWithHandoffInstructions('Be kind.')).toBe(`${RECOMMENDED_PROMPT_PREFIX}\n\nBe kind.`);
  expect(RECOMMENDED_PROMPT_PREFIX).toContain('transfer_to_<agent_name>');
});
