/** A1, A9: what a request is made of, in which order, and who has the last word about it. */
import { Agent, Runner, handoff, tool, type ModelProvider } from 'loopchart';
import { answered, asked, calls, inputOf, requestOf, said, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { add } from '../support/cast.ts';
import { mcpServer } from '../support/mcpServer.ts';
import { play } from '../support/scenario.ts';

test('A1: tools of MCP servers, own tools, handoffs, instructions, prompt, filter: resolved in this order', async () => {
  const { value, requests } = await play(async (world) => {
    const order: string[] = [];
    const note = <Result>(what: string, result: Result) => {
      order.push(what);
      return result;
    };
    const server = mcpServer({ tools: ['read'], onList: () => note('MCP tools', undefined) });
    const own = tool({ name: 'own', description: 'Own.', parameters: z.object({}), isEnabled: () => note('own tools', true), execute: () => 'own' });
    const other = handoff(new Agent({ name: 'Other' }), { isEnabled: () => note('handoffs', true) });
    const agent = new Agent({
      name: 'Ordered',
      model: world.model(says('Done.')),
      mcpServers: [server],
      tools: [own],
      handoffs: [other],
      instructions: () => note('instructions', 'Be orderly.'),
      prompt: () => note('prompt', { promptId: 'p_1' }),
    });
    await world.run(agent, 'go', { callModelInputFilter: ({ modelData }) => note('filter', modelData) });
    return order;
  });
  expect(value).toEqual(['MCP tools', 'own tools', 'handoffs', 'instructions', 'prompt', 'filter']);
  expect(requests[0]!.tools.map(({ name }) => name)).toEqual(['read', 'own']);
  expect(requests[0]).toMatchObject({ systemInstructions: 'Be orderly.', prompt: { promptId: 'p_1' }, handoffs: [{ toolName: 'transfer_to_Other' }] });
});

test('A1: the whole request of an agent that has nothing but a name', async () => {
  const { requests, seen } = await play(async (world) => world.run(new Agent({ name: 'Plain', model: world.model(says('Hello.')) }), 'go'));
  expect(requests).toEqual([requestOf(['go'])]);
  expect(seen.history).toEqual([...inputOf('go'), said('Hello.')]);
});

test('A1: getResponse without a stream, getStreamedResponse with one', async () => {
  for (const only of ['plain', 'streamed'] as const) {
    const { value } = await play(async (world) => {
      const model = world.model(calls('add', { a: 1, b: 2 }), says('3'));
      await world.run(new Agent({ name: 'Calculator', model, tools: [add] }), 'go');
      return model.calls.map(({ streamed }) => streamed);
    }, { only });
    expect(value).toEqual(only === 'streamed' ? [true, true] : [false, false]);
  }
});

test('A1: tools that are off are neither offered nor found', async () => {
  const { seen, requests } = await play(async (world) => {
    let isOn = true;
    const fickle = tool({ name: 'fickle', description: 'Sometimes.', parameters: z.object({}), isEnabled: () => isOn, execute: () => { isOn = false; return 'once'; } });
    const model = world.model(calls('fickle'), calls('fickle'), says('Gone.'));
    return world.run(new Agent({ name: 'Worker', model, tools: [fickle] }), 'go');
  });
  expect(requests.map(({ tools }) => tools.map(({ name }) => name))).toEqual([['fickle'], [], []]);
  expect(seen.story).toEqual(['Worker: calls fickle {}', 'Worker: gets fickle "once"', 'Worker: calls fickle {}', `Worker: gets fickle "Tool 'fickle' not found."`, 'Worker: says "Gone."']);
});

test('A1: handoffs that are off are not offered', async () => {
  const { requests } = await play(async (world) => {
    const other = handoff(new Agent({ name: 'Other' }), { isEnabled: ({ runContext }) => runContext.context === 'open' });
    const agent = new Agent({ name: 'Desk', model: world.model(says('a'), says('b')), handoffs: [other] });
    await world.run(agent, 'go', { context: 'open' });
    return world.run(agent, 'go', { context: 'shut' });
  });
  expect(requests.map(({ handoffs }) => handoffs.length)).toEqual([1, 0]);
});

test('A1: what a filter does to a request does not touch the history', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(calls('add', { a: 1, b: 2 }), says('3'));
    const agent = new Agent({ name: 'Calculator', model, instructions: 'Add.', tools: [add] });
    return world.run(agent, 'secret', {
      callModelInputFilter: ({ modelData }) => {
        for (const item of modelData.input) if ('role' in item && item.role === 'user') item.content = '***';
        return { input: modelData.input, instructions: `${modelData.instructions} Filtered.` };
      },
    });
  });
  expect(requests.map(({ systemInstructions }) => systemInstructions)).toEqual(['Add. Filtered.', 'Add. Filtered.']);
  expect(requests[1]!.input).toEqual(inputOf('***', asked('add', { a: 1, b: 2 }, 'call_1'), answered('call_1', '3')));
  expect(seen.history[0]).toEqual(user('secret'));
});

test('A1: new input is stored as it was filtered', async () => {
  const { sessions } = await play(async (world) => {
    const agent = new Agent({ name: 'Greeter', model: world.model(says('Hello.')) });
    return world.run(agent, 'my number is 4711', {
      session: world.session([user('earlier'), said('Yes?')]),
      callModelInputFilter: ({ modelData }) => ({ ...modelData, input: modelData.input.map((item) => ('role' in item && item.role === 'user' && item.content === 'my number is 4711' ? { ...item, content: 'my number is …' } : item)) }),
    });
  });
  expect(sessions).toEqual([[user('earlier'), said('Yes?'), { type: 'message', role: 'user', content: 'my number is …' }, said('Hello.')]]);
});

test.each([
  ['nothing', undefined],
  ['no list', { input: 'text' }],
  ['things that are no items', { input: [1, 2] }],
  ['instructions that are no text', { input: [], instructions: 7 }],
])('A1: a filter that returns %s is the mistake of the app', async (_what, filtered) => {
  const { seen, requests } = await play(async (world) => world.run(new Agent({ name: 'Plain', model: world.model(says('Hello.')) }), 'go', { callModelInputFilter: () => filtered as never }));
  expect([seen.outcome, seen.error?.name, requests.length]).toEqual(['failed', 'UserError', 0]);
});

test('A1: instructions are made anew for each turn, with context and agent', async () => {
  const { requests } = await play(async (world) => {
    let turn = 0;
    const model = world.model(calls('add', { a: 1, b: 2 }), says('3'));
    const agent: Agent<{ name: string }> = new Agent<{ name: string }>({ name: 'Calculator', model, tools: [add], instructions: (runContext, self) => `${self.name} for ${runContext.context.name}, ${(turn += 1)}` });
    return world.run(agent, 'go', { context: { name: 'Ada' } });
  });
  expect(requests.map(({ systemInstructions }) => systemInstructions)).toEqual(['Calculator for Ada, 1', 'Calculator for Ada, 2']);
});

test('A9: settings of the run come before those of the agent, those before the runner, one by one', async () => {
  const { requests } = await play(async (world) => {
    const runner = new Runner({ modelSettings: { temperature: 0.1, topP: 0.1, maxTokens: 1 } });
    const agent = new Agent({ name: 'Plain', model: world.model(says('Hello.')), modelSettings: { temperature: 0.2, topP: 0.2 } });
    return world.run(agent, 'go', { runner, modelSettings: { temperature: 0.3 } });
  });
  expect(requests[0]!.modelSettings).toEqual({ temperature: 0.3, topP: 0.2, maxTokens: 1 });
});

test('A9: the model of the run comes before that of the agent, that before the runner, that before the default', async () => {
  const { value } = await play(async (world) => {
    const named = (name: string) => world.model(says(name));
    const given: Record<string, string | undefined> = {};
    const asked: (string | undefined)[] = [];
    const modelProvider: ModelProvider = { getModel: (name) => { asked.push(name); return named(name ?? 'default'); } };
    const answer = async (key: string, agent: Agent, runner: Runner, model?: string) => {
      given[key] = String((await world.run(agent, 'go', { runner, model })).finalOutput);
    };
    const silent = new Agent({ name: 'Silent' });
    const speaking = new Agent({ name: 'Speaking', model: 'of agent' });
    const runner = new Runner({ model: 'of runner', modelProvider });
    await answer('run', speaking, runner, 'of run');
    await answer('agent', speaking, runner);
    await answer('runner', silent, runner);
    await answer('default', silent, new Runner({ modelProvider }));
    return { given, asked };
  });
  expect(value.given).toEqual({ run: 'of run', agent: 'of agent', runner: 'of runner', default: 'default' });
  expect(value.asked).toEqual(['of run', 'of agent', 'of runner', undefined]);
});
