/** D1, D2, C10: a hosted MCP server asks whether one of its tools may run. */
import { Agent, type AgentOutputItem, hostedMcpTool } from 'loopchart';
import { responds, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { type World, play } from '../support/scenario.ts';

const request: AgentOutputItem = {
  type: 'hosted_tool_call', id: 'mcpr_1', name: 'mcp_approval_request', status: 'in_progress',
  providerData: { type: 'mcp_approval_request', id: 'mcpr_1', server_label: 'shop', name: 'buy', arguments: '{"what":"milk"}' },
};
const shop = (world: World, onApproval?: () => Promise<{ approve: boolean; reason?: string }>) =>
  new Agent({
    name: 'Buyer', model: world.model(responds(request), says('Done.')),
    tools: [hostedMcpTool({ serverLabel: 'shop', serverUrl: 'https://shop.example/mcp', requireApproval: 'always', ...(onApproval ? { onApproval } : {}) })],
  });
const answer = (approve: boolean, reason?: string) => ({
  type: 'hosted_tool_call', name: 'mcp_approval_response', status: 'completed',
  providerData: { type: 'mcp_approval_response', approve, approval_request_id: 'mcpr_1', ...(reason === undefined ? {} : { reason }) },
});

for (const approves of [true, false]) {
  test(`D1, D2: the request waits for a person, and the server gets the answer: ${approves ? 'approved' : 'rejected'}`, async () => {
    const { runs, requests } = await play(async (world) => {
      const agent = shop(world);
      const waiting = await world.run(agent, 'go');
      const item = waiting.state.getInterruptions()[0]!;
      if (approves) waiting.state.approve(item);
      else waiting.state.reject(item, { message: 'Too dear.' });
      return world.run(agent, waiting.state);
    });
    expect(runs.map(({ outcome, interruptions }) => [outcome, interruptions.map(({ name }) => name)])).toEqual([['waiting', ['buy']], ['completed', []]]);
    expect(requests[1]!.input.at(-1)).toEqual(approves ? answer(true) : answer(false, 'Too dear.'));
  });

  test(`D1: onApproval of the tool answers in the place of a person: ${approves ? 'approved' : 'rejected'}`, async () => {
    const { seen, requests } = await play(async (world) => world.run(shop(world, async () => ({ approve: approves, reason: 'house rule' })), 'go'));
    expect(seen.outcome).toBe('completed');
    expect(requests[1]!.input.at(-1)).toEqual(approves ? answer(true) : answer(false, 'house rule'));
  });
}

test('D2: approved always, a request of the same server that waits beside it is approved too; one of another server is not', async () => {
  const of = (id: string, server: string): AgentOutputItem => ({ ...request, id, providerData: { ...request.providerData, id, server_label: server } });
  const { runs } = await play(async (world) => {
    const tools = ['shop', 'bank'].map((serverLabel) => hostedMcpTool({ serverLabel, serverUrl: `https://${serverLabel}.example/mcp`, requireApproval: 'always' }));
    const agent = new Agent({ name: 'Buyer', model: world.model(responds(of('mcpr_1', 'shop'), of('mcpr_2', 'shop'), of('mcpr_3', 'bank'))), tools });
    const waiting = await world.run(agent, 'go');
    waiting.state.approve(waiting.state.getInterruptions()[0]!, { alwaysApprove: true });
    return world.run(agent, waiting.state);
  });
  const left = runs.map(({ interruptions }) => interruptions.map(({ path }) => path.at(-1)?.split('.').at(-1)));
  expect(left).toEqual([['0', '1', '2'], ['2']]);
});

test('C10: a hosted call beside an answer passes through and asks for nothing', async () => {
  const { seen, requests } = await play(async (world) => {
    const search: AgentOutputItem = { type: 'hosted_tool_call', id: 'ws_1', name: 'web_search_call', status: 'completed' };
    return world.run(new Agent({ name: 'Reader', model: world.model(responds(search, says('Found it.'))) }), 'go');
  });
  expect([seen.finalOutput, requests.length, seen.story]).toEqual(['Found it.', 1, ['Reader: calls web_search_call', 'Reader: says "Found it."']]);
});
