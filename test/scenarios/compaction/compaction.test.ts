/** N1, N3: when a conversation is summed up, what is left of it, and where that goes. */
import { Agent, MemoryJournal, Runner, type AgentInputItem, type CompactionOptions, type ModelProvider, type OpenAIResponsesCompactionAwareSession, MemorySession } from 'loopchart';
import { answered, asked, calls, empty, hangs, inputOf, said, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted } from '../support/cast.ts';
import { play } from '../support/scenario.ts';
import { SUMMARY, summary, used, window } from './support.ts';

test('N1: a run sums nothing up unless it is told how much fits', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(900_000)), says('Done.', used(999_999)));
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', { compaction: {} });
  });
  expect([seen.finalOutput, requests.length]).toEqual(['Done.', 2]);
});

test('N1: when the next request would pass nine tenths of the window, the conversation is summed up first', async () => {
  const { seen, requests, value } = await play(async (world) => {
    const look = counted('look', 'seen');
    const model = world.model(calls('look', {}, used(900)), says('They look at things.'), says('Done.'));
    const { events } = await world.run(new Agent({ name: 'Reader', model, tools: [look.tool], instructions: 'Read.' }), 'go', window(1_000));
    return events.filter(({ type }) => type.startsWith('compaction')).map(({ type, path }) => [type, path]);
  });
  expect(value).toEqual([['compaction.started', 'run_test/agent.1'], ['compaction.completed', 'run_test/agent.1']]);
  expect(requests.map(({ input }) => input.length)).toEqual([1, 4, 2]);
  expect(requests[1]!.input.slice(0, 3)).toEqual(inputOf('go', asked('look', {}, 'call_1'), answered('call_1', 'seen', 'look')));
  expect([requests[1]!.tools, requests[1]!.systemInstructions]).toEqual([[], 'Read.']);
  expect(requests[2]!.input).toEqual(inputOf('go', user(summary('They look at things.'))));
  expect(seen.story).toEqual(['Reader: calls look {}', 'Reader: gets look "seen"', 'Reader: compaction_item', 'Reader: says "Done."']);
});

test('N1: just below the limit nothing is summed up', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(850)), says('Done.'));
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look', 'seen').tool] }), 'go', window(1_000)); // the result is less than 50 tokens
  });
  expect(requests.length).toBe(2);
});

test('N1: what was added since the provider counted is counted by its bytes', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(850)), says('A summary.'), says('Done.'));
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look', 'x'.repeat(400)).tool] }), 'go', window(1_000));
  });
  expect(requests.length).toBe(3);
});

test('N1: another threshold', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(500)), says('A summary.'), says('Done.'));
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', window(1_000, { threshold: 0.5 }));
  });
  expect(requests.length).toBe(3);
});

test('N1: also before the first request of a run; the new input stays as it is, and the session has the item before it', async () => {
  const { requests, sessions } = await play(async (world) => {
    const session = world.session([user('long ago'), said('x'.repeat(5_000))]);
    const agent = new Agent({ name: 'Reader', model: world.model(says('It was long.'), says('Here.')) });
    return world.run(agent, 'and now?', { session, ...window(1_000) });
  });
  expect(requests[1]!.input).toEqual(inputOf('long ago', user(summary('It was long.')), 'and now?'));
  expect(sessions[0]!.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'assistant', 'compaction', 'user', 'assistant']);
});

test('N1: a session is loaded from the last compaction item, and what stands before it is still there', async () => {
  const { requests, sessions } = await play(async (world) => {
    const session = world.session();
    const agent = new Agent({ name: 'Reader', model: world.model(calls('look', {}, used(950)), says('A summary.'), says('Done.'), says('Again.')), tools: [counted('look').tool] });
    await world.run(agent, 'first', { session, ...window(1_000) });
    return world.run(agent, 'second', { session }); // one that knows nothing of compaction reads it too
  });
  expect(requests[3]!.input).toEqual(inputOf('first', user(summary('A summary.')), said('Done.'), 'second'));
  expect(sessions[0]!.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'function_call', 'function_call_result', 'compaction', 'assistant', 'user', 'assistant']);
});

test('N1: a second compaction sums up the first with all that came after it', async () => {
  const { requests, seen } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(950)), says('One.'), calls('look', {}, used(950)), says('One and two.'), says('Done.'));
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', window(1_000));
  });
  expect(requests[3]!.input.slice(0, 2)).toEqual(inputOf('go', user(summary('One.'))));
  expect(requests[4]!.input).toEqual(inputOf('go', user(summary('One and two.'))));
  expect(seen.story.filter((line) => line === 'Reader: compaction_item').length).toBe(2);
});

test('N1: the newest messages of people stay word for word, the oldest of them cut where there is no room', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(says('A summary.'), says('Done.'));
    const input = inputOf('a'.repeat(4_000), said('Yes?'), 'b'.repeat(400), said('Go on.'), 'now');
    return world.run(new Agent({ name: 'Reader', model }), input, window(1_000, { keepUserTokens: 200 }));
  });
  const [cut, whole, , now] = requests[1]!.input as { content: string }[];
  expect([cut!.content, whole, now]).toEqual([expect.stringMatching(/^a{100,400}… \(cut\)$/), user('b'.repeat(400)), user('now')]);
});

test('N1: prompt, instructions, model, settings and what stays can all be replaced', async () => {
  const { requests, value } = await play(async (world) => {
    const sums = world.model(says('By another model.'));
    const provider: ModelProvider = { getModel: (name) => (name === 'small' ? sums : model) };
    const model = world.model(calls('look', {}, used(950)), says('Done.'));
    const seen: AgentInputItem[][] = [];
    const compaction: CompactionOptions = {
      contextWindow: 1_000, prompt: 'Shorter, please.', instructions: 'You sum up.', model: 'small', modelSettings: { temperature: 0 },
      keep: (items) => (seen.push(items), items.slice(-2)),
    };
    await world.run(new Agent({ name: 'Reader', model: 'large', modelSettings: { toolChoice: 'auto', topP: 0.5 }, tools: [counted('look').tool] }), 'go', { compaction, runner: new Runner({ modelProvider: provider }) });
    return seen.map((items) => items.length);
  });
  expect(value).toEqual([3]);
  expect(requests[1]).toMatchObject({ systemInstructions: 'You sum up.', modelSettings: { temperature: 0, topP: 0.5 } });
  expect(requests[1]!.input.at(-1)).toEqual(user('Shorter, please.'));
  expect(requests[2]!.input).toEqual(inputOf(asked('look', {}, 'call_1'), answered('call_1', 'done', 'look'), user(summary('By another model.'))));
});

test('A1, N1: what a filter keeps from the model it keeps from the one that sums up, and out of what stays', async () => {
  const { requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Reader', model: world.model(says('No secrets.'), says('Here.')) });
    const hide = (item: AgentInputItem) => JSON.parse(JSON.stringify(item).replaceAll('1234', '****')) as AgentInputItem;
    const input = inputOf('my code is 1234', said('x'.repeat(5_000)), 'is it 1234?');
    return world.run(agent, input, { ...window(1_000), callModelInputFilter: ({ modelData }) => ({ ...modelData, input: modelData.input.map(hide) }) });
  });
  expect(JSON.stringify(requests)).not.toContain('1234');
  expect(requests[1]!.input).toEqual(inputOf('my code is ****', user(summary('No secrets.')), 'is it ****?'));
});

test('A1, N1: new input is stored as a filter shaped it, after the item that stands for what came before', async () => {
  const { sessions } = await play(async (world) => {
    const session = world.session([user('long ago'), said('x'.repeat(5_000))]);
    const agent = new Agent({ name: 'Reader', model: world.model(says('It was long.'), says('Here.')) });
    return world.run(agent, 'now', { session, ...window(1_000), callModelInputFilter: ({ modelData: { input, ...rest } }) => ({ ...rest, input: input.map((item) => ('content' in item && item.content === 'now' ? user('now!') : item)) }) });
  });
  expect(sessions[0]!.slice(2)).toEqual([{ type: 'compaction', encrypted_content: 'It was long.', created_by: 'loopchart', providerData: { kept: inputOf('long ago') } }, user('now!'), said('Here.')]);
});

test('I1, N1: a stream of the Agents SDK tells of the item; the events say how much was saved', async () => {
  const { seen, value } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(950)), says('A summary.'), says('Done.'));
    const { events } = await world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', window(1_000));
    return events.flatMap((event) => (event.type === 'compaction.completed' ? [event.before, event.after < 100, event.dropped] : event.type === 'compaction.started' ? [event.size] : []));
  }, { only: 'streamed' });
  const size = 950 + Math.ceil(JSON.stringify(answered('call_1', 'done', 'look')).length / 4);
  expect(value).toEqual([size, size, true, 0]);
  expect(seen.stream.flatMap((event) => (event.type === 'run_item_stream_event' ? [event.name] : []))).toEqual(['tool_called', 'tool_output', 'compaction_item_created', 'message_output_created']);
});

test('N1: asked for by command, it comes at the next safe point, without a window too', async () => {
  const { requests, seen } = await play(async (world) => {
    const model = world.model(calls('look'), says('Halfway.'), says('Done.'));
    const going: { source?: { compact(): boolean } } = {};
    const look = counted('look', () => (going.source!.compact(), 'seen'));
    const run = world.begin(new Agent({ name: 'Reader', model, tools: [look.tool] }), 'go');
    going.source = (await run.state).source as never; // an execution, which takes the command
    return run.settled;
  }, { only: 'streamed' });
  expect(requests[2]!.input).toEqual(inputOf('go', user(summary('Halfway.'))));
  expect(seen.story).toContain('Reader: compaction_item');
});

test('N1: asked for where there is nothing to sum up, it waits until there is', async () => {
  const { seen, value } = await play(async (world) => {
    const run = world.begin(new Agent({ name: 'Reader', model: world.model(says('Done.')) }), 'go', { stopSignal: undefined });
    const { source } = await run.state;
    (source as unknown as { compact(): boolean }).compact(); // as above
    const { state } = await run.settled;
    return state.source.outcome?.compactionAsked;
  }, { only: 'streamed' });
  expect([seen.finalOutput, value]).toEqual(['Done.', true]);
});

test('A8, N1: what a compaction costs is counted', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(950)), says('A summary.', used(750, 50)), says('Done.', used(100, 5)));
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', window(1_000));
  });
  expect(seen.usage).toEqual({ requests: 3, inputTokens: 945 + 700 + 95, outputTokens: 5 + 50 + 5, totalTokens: 950 + 750 + 100 });
});

test('N3: what was summed up stays in the journal, and in what the run has brought', async () => {
  const { seen, value } = await play(async (world) => {
    const journal = new MemoryJournal();
    const model = world.model(calls('look', {}, used(950)), says('A summary.'), says('Done.'));
    await world.run(new Agent({ name: 'Reader', model, tools: [counted('look', 'a long story').tool] }), 'go', { journal, ...window(1_000) });
    return JSON.stringify(journal.read('run_test')).includes('a long story');
  });
  expect(value).toBe(true);
  expect(seen.story[1]).toBe('Reader: gets look "a long story"');
  expect(seen.history[0]).toEqual({ type: 'compaction', encrypted_content: 'A summary.', created_by: 'loopchart', providerData: { kept: inputOf('go') } });
});

test('N1: the history of a result that was summed up is input for another run', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(950)), says('A summary.'), says('Done.'), says('Again.'));
    const agent = new Agent({ name: 'Reader', model, tools: [counted('look').tool] });
    const { history } = await world.run(agent, 'go', window(1_000));
    return world.run(agent, [...history, user('more')]);
  });
  expect(requests[3]!.input).toEqual(inputOf('go', user(summary('A summary.')), said('Done.'), 'more'));
});

test("N1: a provider's own compaction items pass through", async () => {
  const own: AgentInputItem = { type: 'compaction', encrypted_content: 'gAAAA', created_by: 'openai' };
  const { requests } = await play(async (world) => world.run(new Agent({ name: 'Reader', model: world.model(says('Yes.')) }), [own, user('go')], window(1_000_000)));
  expect(requests[0]!.input).toEqual([own, user('go')]);
});

test('H1, N1: the start of an agent is told once, though a compaction came before its first turn', async () => {
  const { value } = await play(async (world) => {
    const told: string[] = [];
    const agent = new Agent({ name: 'Reader', model: world.model(says('A summary.'), empty(), says('Here.')), hooks: { agentStart: () => void told.push('agent'), turnStart: () => void told.push('turn') } });
    await world.run(agent, inputOf('long ago', said('x'.repeat(5_000)), 'now'), window(1_000));
    return told;
  });
  expect(value).toEqual(['agent', 'turn', 'turn']);
});

test('F5, N1: an agent that works for another has a conversation, and a window, of its own', async () => {
  const { seen, requests } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(calls('look', {}, used(950)), says('They looked.'), says('Mine.')), tools: [counted('look').tool] });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'look' }, used(999)), says('Ours.')), tools: [inner.asTool({ runOptions: window(1_000) })] });
    return world.run(outer, 'go');
  });
  expect([seen.finalOutput, requests.length]).toEqual(['Ours.', 5]);
  expect(requests[3]!.input).toEqual(inputOf('look', user(summary('They looked.'))));
});

test('E1, E2, N1: a trip beside a compaction aborts it, and nothing is saved', async () => {
  const { seen, sessions, requests } = await play(async (world) => {
    const session = world.session([user('long ago'), said('x'.repeat(5_000))]);
    const guard = { name: 'no', execute: async () => (await world.clock.settle(), { tripwireTriggered: true, outputInfo: null }) };
    return world.run(new Agent({ name: 'Reader', model: world.model(hangs()), inputGuardrails: [guard] }), 'now', { session, ...window(1_000) });
  });
  expect([seen.error?.name, requests.length, sessions[0]!.length]).toEqual(['InputGuardrailTripwireTriggered', 1, 2]);
});

test('B1, N1: where no turn may follow nothing is summed up', async () => {
  const { seen, requests } = await play(async (world) => world.run(new Agent({ name: 'Reader', model: world.model(calls('look', {}, used(950))), tools: [counted('look').tool] }), 'go', { maxTurns: 1, ...window(1_000) }));
  expect([seen.error?.name, requests.length]).toEqual(['MaxTurnsExceededError', 1]);
});

/** As sessions of the Responses API do it. */
class SelfShortening extends MemorySession implements OpenAIResponsesCompactionAwareSession {
  asked = 0;
  runCompaction() {
    this.asked += 1;
    return Promise.resolve(null);
  }
}

test('G4, N1: a session that could shorten itself is not asked to where the run does it', async () => {
  const { value } = await play(async (world) => {
    const session = new SelfShortening();
    const agent = new Agent({ name: 'Talker', model: world.model(says('One.'), says('Two.')) });
    await world.run(agent, 'first', { session });
    await world.run(agent, 'second', { session, ...window(1_000_000) });
    return session.asked;
  });
  expect(value).toBe(1);
});

test('G2, N1: where the provider keeps the conversation there is nothing to sum up', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Reader', model: world.model() }), 'go', { conversationId: 'conv_1', ...window(1_000) }));
  expect([seen.outcome, seen.error]).toEqual(['refused', { name: 'UserError', message: expect.stringContaining('Compaction cannot be used with conversationId') }]);
});

test.each([
  [{ contextWindow: 0 }, 'contextWindow'], [{ contextWindow: 1_000, threshold: 2 }, 'threshold'], [{ keepUserTokens: -1 }, 'keepUserTokens'],
] as const)('N1: %o is refused before anything runs', async (compaction, name) => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Reader', model: world.model() }), 'go', { compaction }));
  expect([seen.error?.name, seen.error?.message.includes(name)]).toEqual(['UserError', true]);
});

test('F2, N1: after a handoff the next agent reads what was left, whoever shapes it', async () => {
  const { requests, value } = await play(async (world) => {
    const second = new Agent({ name: 'Second', model: world.model(says('Mine.')) });
    const bases: number[][] = [];
    const first = new Agent({ name: 'First', model: world.model(calls('look', {}, used(950)), says(SUMMARY), calls('transfer_to_Second')), tools: [counted('look').tool], handoffs: [second] });
    await world.run(first, 'go', { ...window(1_000), runner: new Runner({ handoffInputFilter: (data) => {
      bases.push([data.inputHistory.length, data.preHandoffItems.length, data.newItems.length]);
      return data;
    } }) });
    return bases;
  });
  expect(value).toEqual([[1, 0, 2]]);
  expect(requests[3]!.input).toEqual(inputOf('go', user(summary(SUMMARY)), asked('transfer_to_Second', {}, 'call_2'), answered('call_2', '{"assistant":"Second"}', 'transfer_to_Second')));
});
