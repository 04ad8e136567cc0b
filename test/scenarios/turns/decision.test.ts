/** A2: what comes after a response and its calls, clause by clause and in the order of the rule. */
import { Agent, hostedMcpTool, type AgentOutputItem } from 'loopchart';
import { answered, asked, calls, inputOf, refuses, responds, said, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { add, counted, latch, refund } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

test('A2: text beside a local call is not final', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(responds(says('Let me add.'), calls('add', { a: 1, b: 2 })), says('It is 3.'));
    return world.run(new Agent({ name: 'Calculator', model, tools: [add] }), 'go');
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'It is 3.']);
  expect(requests[1]!.input).toEqual(inputOf('go', said('Let me add.'), asked('add', { a: 1, b: 2 }, 'call_1'), answered('call_1', '3')));
});

test('A2: a hosted call beside an answer leaves the answer final', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(responds(hosted('web_search_call', 'completed'), says('Rain.')));
    return world.run(new Agent({ name: 'Weather', model }), 'go');
  });
  expect([seen.finalOutput, requests.length]).toEqual(['Rain.', 1]);
  expect(seen.story).toEqual(['Weather: calls web_search_call', 'Weather: says "Rain."']);
});

test('A2: a pending approval comes before everything else, a handoff in the same response included', async () => {
  const { runs } = await play(async (world) => {
    const model = world.model(calls(['refund', { order: 7 }], ['transfer_to_Billing', {}]), says('Refunded.'));
    const billing = new Agent({ name: 'Billing', model });
    const agent = new Agent({ name: 'Desk', model, tools: [refund], handoffs: [billing] });
    const waiting = await world.run(agent, 'go');
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    return world.run(agent, waiting.state);
  });
  expect(runs.map(({ outcome, lastAgent }) => [outcome, lastAgent])).toEqual([['waiting', 'Desk'], ['completed', 'Billing']]);
  expect(runs[1]!.story).toEqual([
    'Desk: calls refund {"order":7}',
    'Desk: calls transfer_to_Billing {}',
    'Desk: gets refund "refunded 7"',
    'Desk → Billing: hands off',
    'Billing: says "Refunded."',
  ]);
});

test('A2: a handoff comes before a tool whose result would be the final output', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls(['add', { a: 1, b: 2 }], ['transfer_to_Billing', {}]), says('From billing.'));
    const agent = new Agent({ name: 'Desk', model, tools: [add], toolUseBehavior: 'stop_on_first_tool', handoffs: [new Agent({ name: 'Billing', model })] });
    return world.run(agent, 'go');
  });
  expect([seen.finalOutput, seen.lastAgent]).toEqual(['From billing.', 'Billing']);
});

test('A2: input that waits asks for another turn before an answer counts as final', async () => {
  const { seen, requests } = await play(async (world) => {
    const started = latch();
    const slow = counted('slow', () => started.promise.then(() => 'done'));
    const model = world.model(calls('slow'), says('Done.'));
    const agent = new Agent({ name: 'Worker', model, tools: [slow.tool] });
    const going = world.begin(agent, 'go');
    await going.until('tool.started');
    (await going.state).addInput('And hurry.');
    started.open();
    return going.settled;
  }, { only: 'streamed' });
  expect(seen.finalOutput).toBe('Done.');
  expect(requests[1]!.input).toEqual(inputOf('go', asked('slow', {}, 'call_1'), answered('call_1', 'done'), 'And hurry.'));
});

test('A2, L3: a message that comes with the last response reopens the loop', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(says('First.'), says('Second.'));
    const agent = new Agent({ name: 'Worker', model });
    const going = world.begin(agent, 'go');
    const state = await going.state;
    await going.until('turn.started');
    state.addInput('One more thing.');
    return going.settled;
  }, { only: 'streamed' });
  expect([seen.finalOutput, seen.turns]).toEqual(['Second.', 2]);
  expect(requests[1]!.input).toEqual(inputOf('go', said('First.'), 'One more thing.'));
});

test('A2: an open hosted approval that the app has answered asks for another turn', async () => {
  const { seen, requests } = await play(async (world) => {
    const request: AgentOutputItem = {
      type: 'hosted_tool_call', id: 'mcpr_1', name: 'search', status: 'in_progress', arguments: '{}',
      providerData: { type: 'mcp_approval_request', id: 'mcpr_1', name: 'search', server_label: 'docs', arguments: '{}' },
    };
    const model = world.model(responds(request), says('Found.'));
    const tools = [hostedMcpTool({ serverLabel: 'docs', serverUrl: 'http://localhost/mcp', requireApproval: 'always', onApproval: async () => ({ approve: true }) })];
    return world.run(new Agent({ name: 'Reader', model, tools }), 'go');
  });
  expect([seen.finalOutput, requests.length]).toEqual(['Found.', 2]);
  expect(requests[1]!.input.at(-1)).toEqual({
    type: 'hosted_tool_call', name: 'mcp_approval_response', status: 'completed',
    providerData: { type: 'mcp_approval_response', approve: true, approval_request_id: 'mcpr_1' },
  });
});

test('A2: an unfinished hosted shell asks for another turn, whatever is said beside it', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(responds(hosted('shell', 'in_progress'), says('Working on it.')), says('Ready.'));
    return world.run(new Agent({ name: 'Builder', model }), 'go');
  });
  expect([seen.finalOutput, requests.length]).toEqual(['Ready.', 2]);
});

test('A2: a refusal without text fails the run with the words of the model', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Prude', model: world.model(refuses('Not that.')) }), 'go'));
  expect([seen.outcome, seen.error]).toEqual(['failed', { name: 'ModelRefusalError', message: 'Model refused to produce output: Not that.' }]);
});

test('A2: a refusal beside text is an answer', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Prude', model: world.model(responds(refuses('Not that.'), says('But this.'))) }), 'go'));
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'But this.']);
});

test('A2: a refusal beside a local call waits for the result of the call', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(responds(refuses('Hm.'), calls('add', { a: 1, b: 2 })), says('3'));
    return world.run(new Agent({ name: 'Calculator', model, tools: [add] }), 'go');
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', '3']);
});

function hosted(name: string, status: string): AgentOutputItem {
  return { type: 'hosted_tool_call', id: 'ht_1', name, status };
}
