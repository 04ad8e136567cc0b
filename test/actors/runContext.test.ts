import * as peer from '@openai/agents-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Agent } from '../../actors/agent.ts';
import { RunToolApprovalItem } from '../../actors/approvalItem.ts';
import { RunContext } from '../../actors/runContext.ts';
import { Usage } from '../../actors/usage.ts';
import type { FunctionCallItem } from '../../machines/protocol/item.ts';

const named = (name: string) => new Agent({ name });
const call = (callId: string, name = 'pay'): FunctionCallItem => ({ type: 'function_call', callId, name, arguments: '{}' });
const waiting = (callId: string, { agent = 'A', tool = 'pay' } = {}) => new RunToolApprovalItem(call(callId, tool), named(agent));
const about = (callId: string, agentName?: string, toolName = 'pay') => ({ toolName, callId, agentName });

describe('decisions', () => {
  test('a call nobody decided is neither approved nor rejected', () => {
    const context = new RunContext();
    context.approveTool(waiting('1'));
    expect(context.isToolApproved(about('2'))).toBeUndefined();
    expect(context.isToolApproved(about('1', 'A', 'look'))).toBeUndefined();
    expect(context.getRejectionMessage('pay', '2')).toBeUndefined();
  });

  test('the last decision about a call counts', () => {
    const context = new RunContext();
    context.approveTool(waiting('1'));
    context.rejectTool(waiting('1'), { message: 'on second thought' });
    expect(context.isToolApproved(about('1'))).toBe(false);
    expect(context.getRejectionMessage('pay', '1')).toBe('on second thought');
    context.approveTool(waiting('1'));
    expect(context.isToolApproved(about('1'))).toBe(true);
    expect(context.getRejectionMessage('pay', '1')).toBeUndefined();
  });

  test('D2: always approves this tool of this agent and nothing else', () => {
    const context = new RunContext();
    context.approveTool(waiting('1'), { alwaysApprove: true });
    expect(context.isToolApproved(about('2', 'A'))).toBe(true);
    expect(context.isToolApproved(about('2', 'B'))).toBeUndefined();
    expect(context.isToolApproved(about('2', 'A', 'look'))).toBeUndefined();
  });

  test('D2: a decision about a call beats an always, whichever came first', () => {
    const context = new RunContext();
    context.rejectTool(waiting('1'), { message: 'not this one' });
    context.approveTool(waiting('2'), { alwaysApprove: true });
    context.rejectTool(waiting('3'));
    expect(['1', '2', '3', '4'].map((id) => context.isToolApproved(about(id, 'A')))).toEqual([false, true, false, true]);
    expect(context.getRejectionMessage('pay', '1', { agentName: 'A' })).toBe('not this one');
  });

  test('D2: an always stays a decision about the call it was made on when the opposite always follows', () => {
    const context = new RunContext();
    context.approveTool(waiting('1'), { alwaysApprove: true });
    context.rejectTool(waiting('2'), { alwaysReject: true, message: 'never' });
    expect(['1', '2', '3'].map((id) => context.isToolApproved(about(id, 'A')))).toEqual([true, false, false]);
    expect(context.getRejectionMessage('pay', '3', { agentName: 'A' })).toBe('never');
  });

  test('D6: the approval of an agent\'s call does not approve a nested agent\'s call of the same id', () => {
    const context = new RunContext();
    context.approveTool(waiting('1', { agent: 'outer' }));
    expect(context.isToolApproved(about('1', 'inner'))).toBeUndefined();
  });

  test('D6: where no agent is named, one agent\'s rejection beats another\'s approval', () => {
    const context = new RunContext();
    context.rejectTool(waiting('1', { agent: 'B' }));
    context.approveTool(waiting('1', { agent: 'A' }));
    context.approveTool(waiting('2', { agent: 'A' }), { alwaysApprove: true });
    context.rejectTool(waiting('3', { agent: 'B' }), { alwaysReject: true });
    expect([context.isToolApproved(about('1')), context.isToolApproved(about('9'))]).toEqual([false, false]);
  });

  test('a hosted MCP tool is decided under its own name, always for one server only', () => {
    const request = (id: string, server: string) =>
      new RunToolApprovalItem(
        {
          type: 'hosted_tool_call', id: `item_${id}`, name: 'mcp_approval_request',
          providerData: { type: 'mcp_approval_request', id, name: 'search', server_label: server, arguments: '{}' },
        },
        named('A'),
      );
    const context = new RunContext();
    context.approveTool(request('m1', 'docs'), { alwaysApprove: true });
    const asked = (callId: string, serverLabel?: string) => context.isToolApproved({ toolName: 'search', callId, agentName: 'A', serverLabel });
    expect([asked('m1', 'docs'), asked('m2', 'docs'), asked('m2', 'mail')]).toEqual([true, true, undefined]);
    expect(context.isToolApproved({ toolName: 'search', callId: 'm1' })).toBe(true);
    context.rejectTool(request('m3', 'docs'));
    expect([asked('m3', 'docs'), asked('item_m3', 'docs')]).toEqual([false, true]);
  });

  test('calls without a name are decided under their type, calls without an id not at all', () => {
    const context = new RunContext();
    context.approveTool(new RunToolApprovalItem({ type: 'shell_call', callId: 's1', action: { commands: [] } }, named('A')));
    expect(context.isToolApproved({ toolName: 'shell_call', callId: 's1' })).toBe(true);
    expect(() => context.approveTool(waiting(''))).toThrowError(expect.objectContaining({ name: 'ModelBehaviorError' }));
  });

  test('names and ids that look like keys or prototypes do not reach other decisions', () => {
    const context = new RunContext();
    context.approveTool(waiting('1', { agent: 'A","pay', tool: '__proto__' }), { alwaysApprove: true });
    expect(context.isToolApproved({ toolName: '__proto__', callId: '7', agentName: 'A","pay' })).toBe(true);
    expect(context.isToolApproved(about('7', 'A'))).toBeUndefined();
    context.approveTool(waiting('1', { agent: 'A","pay', tool: 'x' }), { alwaysApprove: true });
    expect(context.isToolApproved(about('1', 'A', 'pay","x'))).toBeUndefined();
    expect(Object.hasOwn(context.toJSON().approvals, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(context.toJSON().approvals)).toBe(Object.prototype);
  });

  test('D2: saved decisions, given to another context, decide every call alike', () => {
    const decision = fc.record({ callId: fc.constantFrom('1', '2', '3'), agent: fc.constantFrom('A', 'B'), approve: fc.boolean(), always: fc.boolean() });
    fc.assert(
      fc.property(fc.array(decision, { maxLength: 12 }), (taken) => {
        const context = new RunContext();
        for (const { callId, agent, approve, always } of taken) {
          if (approve) context.approveTool(waiting(callId, { agent }), { alwaysApprove: always });
          else context.rejectTool(waiting(callId, { agent }), { alwaysReject: always, message: `no ${callId}` });
        }
        const revived = new RunContext();
        revived.restoreDecisions(JSON.parse(JSON.stringify(context.decisions)));
        const queries = ['1', '2', '3', '4'].flatMap((id) => ['A', 'B', undefined].map((agent) => about(id, agent)));
        const answers = (of: RunContext) => queries.map((query) => [of.isToolApproved(query), of.getRejectionMessage('pay', query.callId, query)]);
        expect(answers(revived)).toEqual(answers(context));
      }),
    );
  });
});

describe('RunContext', () => {
  test('serialises as the peer\'s does', () => {
    const [ours, theirs] = [new RunContext({ u: 1 }), new peer.RunContext({ u: 1 })];
    const peerAgent = new peer.Agent({ name: 'A' });
    const peerWaiting = (id: string) => new peer.RunToolApprovalItem(call(id), peerAgent);
    ours.approveTool(waiting('1'));
    theirs.approveTool(peerWaiting('1'));
    ours.rejectTool(waiting('2'), { message: 'no' });
    theirs.rejectTool(peerWaiting('2'), { message: 'no' });
    ours.toolInput = theirs.toolInput = { q: 1 };
    expect(JSON.parse(JSON.stringify(ours))).toEqual(JSON.parse(JSON.stringify(theirs)));
  });

  test('shows an always in the peer\'s form, beside the calls it does not cover', () => {
    const context = new RunContext();
    context.rejectTool(waiting('1'), { message: 'not this' });
    context.approveTool(waiting('2'), { alwaysApprove: true });
    context.rejectTool(waiting('3', { tool: 'look' }), { alwaysReject: true, message: 'never' });
    expect(context.toJSON().approvals).toEqual({
      pay: { approved: true, rejected: ['1'], messages: { 1: 'not this' } },
      look: { approved: [], rejected: true, messages: { 3: 'never' }, stickyRejectMessage: 'never' },
    });
  });

  test('keeps the caller\'s own context object; without one it has an empty object', () => {
    const own = { u: 1 };
    expect(new RunContext(own).context).toBe(own);
    expect(new RunContext().context).toEqual({});
    expect(new RunContext(null).context).toBeNull();
  });

  test('F5: a context for one call shares usage and decisions, and keeps its own input and reason', () => {
    const context = new RunContext({ u: 1 });
    const derived = context.forCall({ toolInput: { q: 1 }, approval: { reason: 'costs money' } });
    derived.usage.add(new Usage({ requests: 1, inputTokens: 2 }));
    derived.approveTool(waiting('1'));
    expect(derived).toMatchObject({ toolInput: { q: 1 }, approval: { reason: 'costs money' } });
    expect(derived.context).toBe(context.context);
    expect([context.usage.inputTokens, context.isToolApproved(about('1'))]).toEqual([2, true]);
    expect([context.toolInput, context.approval]).toEqual([undefined, undefined]);
  });
});
