/** A3–A7: what makes a final output, in which form, and what has to happen before it counts. */
import { Agent, Runner, type JsonSchemaDefinition } from 'loopchart';
import { answered, asked, calls, empty, fails, inputOf, repeat, responds, said, says, thinks, thought } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { add, counted, refund } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

test('A3, H2: output guardrails, then the save, then agentEnd', async () => {
  const { value } = await play(async (world) => {
    const order: string[] = [];
    const session = world.session();
    const kept = Object.assign(Object.create(session) as typeof session, {
      getItems: () => session.getItems(),
      addItems: async (items: Parameters<typeof session.addItems>[0]) => { order.push(`save ${items.length}`); await session.addItems(items); },
    });
    const agent = new Agent({
      name: 'Greeter',
      model: world.model(says('Hello.')),
      outputGuardrails: [{ name: 'polite', execute: async () => { order.push('agent guardrail'); return { tripwireTriggered: false, outputInfo: null }; } }],
      hooks: { agentEnd: () => void order.push('agentEnd') },
    });
    const runner = new Runner({ outputGuardrails: [{ name: 'short', execute: async () => { order.push('runner guardrail'); return { tripwireTriggered: false, outputInfo: null }; } }] });
    await world.run(agent, 'go', { runner, session: kept });
    return order;
  });
  expect(value).toEqual(['runner guardrail', 'agent guardrail', 'save 2', 'agentEnd']);
});

test('A3: a message that comes while output guardrails look reopens the loop', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(says('First.'), says('Second.'));
    let looks = 0;
    const agent = new Agent({ name: 'Worker', model, outputGuardrails: [{ name: 'slow', execute: async () => {
      looks += 1;
      if (looks === 1) (await going.state).addInput('Wait.');
      return { tripwireTriggered: false, outputInfo: looks };
    } }] });
    const going = world.begin(agent, 'go');
    return going.settled;
  }, { only: 'streamed' });
  expect([seen.finalOutput, seen.turns]).toEqual(['Second.', 2]);
  expect(requests[1]!.input).toEqual(inputOf('go', said('First.'), 'Wait.'));
});

test('A3: if a limit forbids the further turn, the run completes with the output it has and the message stays undelivered', async () => {
  const { seen, value } = await play(async (world) => {
    const going = world.begin(new Agent({ name: 'Worker', model: world.model(says('First.')) }), 'go', { maxTurns: 1 });
    const state = await going.state;
    await going.until('turn.started');
    state.addInput('Too late.');
    const seen = await going.settled;
    return seen.state.source.outcome?.undelivered.map(({ item }) => item);
  }, { only: 'streamed' });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'First.']);
  expect(value).toEqual([expect.objectContaining({ role: 'user', content: 'Too late.' })]);
});

test('A4: the final output of a text agent is the text of all assistant messages of the last response', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Talker', model: world.model(responds(says('One. '), thinks('Hm.'), says('Two.'))) }), 'go'));
  expect(seen.finalOutput).toBe('One. Two.');
});

const answerSchema = z.object({ city: z.string(), degrees: z.number() });
const jsonSchema: JsonSchemaDefinition = {
  type: 'json_schema', name: 'answer', strict: true,
  schema: { type: 'object', properties: { city: { type: 'string' }, degrees: { type: 'number' } }, required: ['city', 'degrees'], additionalProperties: false },
};
/** A Standard Schema of no known library. */
const standardSchema = {
  '~standard': {
    version: 1 as const,
    vendor: 'home-made',
    validate: (value: unknown) => {
      const { city, degrees } = (value ?? {}) as { city?: unknown; degrees?: unknown };
      return typeof city === 'string' && typeof degrees === 'number' ? { value: { city, degrees } } : { issues: [{ message: 'city and degrees are needed' }] };
    },
    jsonSchema: { input: () => jsonSchema.schema, output: () => jsonSchema.schema },
  },
};
/** To the types they are three things; to the agent they say the same. */
const forms = [['zod', answerSchema], ['Standard Schema', standardSchema], ['JSON Schema', jsonSchema]] as const;

test.each(forms)('A4: a structured agent (%s) gives the parsed value and asks for its form', async (_kind, outputType) => {
  const { seen, requests } = await play(async (world) => world.run(new Agent({ name: 'Weather', model: world.model(says('{"city":"Oslo","degrees":3}')), outputType: outputType as typeof answerSchema }), 'go'));
  expect(seen.finalOutput).toEqual({ city: 'Oslo', degrees: 3 });
  expect(requests[0]!.outputType).toMatchObject({ type: 'json_schema', strict: true, schema: { type: 'object', properties: { city: { type: 'string' }, degrees: { type: 'number' } }, required: ['city', 'degrees'] } });
});

test.each(forms)('A4: what does not fit the schema (%s) is a ModelBehaviorError', async (_kind, outputType) => {
  const { runs } = await play(async (world) => {
    const agent = new Agent({ name: 'Weather', model: world.model(says('{"city":"Oslo"}'), says('not JSON')), outputType: outputType as typeof answerSchema });
    await world.run(agent, 'go');
    return world.run(agent, 'go');
  });
  expect(runs.map(({ outcome, error }) => [outcome, error?.name])).toEqual([['failed', 'ModelBehaviorError'], ['failed', 'ModelBehaviorError']]);
});

test('A4: the invalidFinalOutput handler supplies the output, in the form of the agent', async () => {
  const { seen, value } = await play(async (world) => {
    const agent = new Agent({ name: 'Weather', model: world.model(says('no JSON')), outputType: answerSchema });
    let told: string | undefined;
    await world.run(agent, 'go', { errorHandlers: { invalidFinalOutput: ({ error, runData }) => { told = `${error.name} after ${runData.newItems.length} item`; return { finalOutput: { city: 'Oslo', degrees: 0 } }; } } });
    return told;
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', { city: 'Oslo', degrees: 0 }]);
  expect(value).toBe('ModelBehaviorError after 1 item');
});

test.each([
  ['no item at all', empty()],
  ['reasoning alone', thinks('Hm.')],
  ['a message without text', says('')],
])('A5: %s is an empty response: sampled again as a new turn', async (_what, nothing) => {
  const { seen, requests } = await play(async (world) => world.run(new Agent({ name: 'Quiet', model: world.model(nothing, nothing, says('Here.')) }), 'go'));
  expect([seen.finalOutput, seen.turns, requests.length]).toEqual(['Here.', 3, 3]);
});

test('A5: the third empty response in a row fails the run', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Quiet', model: world.model(repeat(3, empty())) }), 'go'));
  expect([seen.outcome, seen.error?.name, seen.turns, seen.state.source.outcome?.failure?.code]).toEqual(['failed', 'ModelBehaviorError', 3, 'stuck.empty']);
});

test('A5: a call in between starts the count again', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(repeat(2, empty()), calls('add', { a: 1, b: 2 }), repeat(2, empty()), says('3'));
    return world.run(new Agent({ name: 'Quiet', model, tools: [add] }), 'go');
  });
  expect([seen.outcome, seen.finalOutput, seen.turns]).toEqual(['completed', '3', 6]);
});

test('A6: run_llm_again shows the results to the model', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), says('It is 3.')), tools: [add], toolUseBehavior: 'run_llm_again' }), 'go'));
  expect(seen.finalOutput).toBe('It is 3.');
});

test('A6: stop_on_first_tool makes the first result, in call order, the final output', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(calls(['add', { a: 1, b: 2 }], ['add', { a: 5, b: 5 }]));
    return world.run(new Agent({ name: 'Calculator', model, tools: [add], toolUseBehavior: 'stop_on_first_tool' }), 'go');
  });
  expect([seen.finalOutput, requests.length]).toEqual(['3', 1]);
  expect(seen.history).toEqual(inputOf('go', asked('add', { a: 1, b: 2 }, 'call_1'), asked('add', { a: 5, b: 5 }, 'call_2'), answered('call_1', '3'), answered('call_2', '10')));
});

test('A6: stopAtToolNames stops at a listed tool only', async () => {
  const { runs } = await play(async (world) => {
    const model = world.model(calls('look'), calls(['look', {}], ['finish', {}]));
    const agent = new Agent({ name: 'Worker', model, tools: [counted('look', 'seen').tool, counted('finish', 'finished').tool], toolUseBehavior: { stopAtToolNames: ['finish'] } });
    return world.run(agent, 'go');
  });
  expect(runs.map(({ finalOutput, turns }) => [finalOutput, turns])).toEqual([['finished', 2]]);
});

test('A6: a function decides, with the results of the turn', async () => {
  const { seen, value } = await play(async (world) => {
    const shown: unknown[] = [];
    const model = world.model(calls('add', { a: 1, b: 2 }), calls(['add', { a: 3, b: 4 }], ['add', { a: 5, b: 6 }]));
    const agent = new Agent({ name: 'Calculator', model, tools: [add], toolUseBehavior: (_context, results) => {
      shown.push(results.map((result) => [result.tool.name, 'output' in result ? result.output : undefined]));
      return results.length > 1 ? { isFinalOutput: true, isInterrupted: undefined, finalOutput: 'enough' } : { isFinalOutput: false, isInterrupted: undefined };
    } });
    await world.run(agent, 'go');
    return shown;
  });
  expect([seen.finalOutput, value]).toEqual(['enough', [[['add', '3']], [['add', '7'], ['add', '11']]]]);
});

test('A6: results that came after an approval count together with the earlier ones', async () => {
  const { runs, value } = await play(async (world) => {
    const shown: unknown[] = [];
    const model = world.model(calls(['add', { a: 1, b: 2 }], ['refund', { order: 7 }]));
    const agent = new Agent({ name: 'Desk', model, tools: [add, refund], toolUseBehavior: (_context, results) => {
      shown.push(results.map((result) => ('output' in result ? result.output : undefined)));
      return { isFinalOutput: true, isInterrupted: undefined, finalOutput: 'both' };
    } });
    const waiting = await world.run(agent, 'go');
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    await world.run(agent, waiting.state);
    return shown;
  });
  expect(runs.map(({ outcome, finalOutput }) => [outcome, finalOutput])).toEqual([['waiting', undefined], ['completed', 'both']]);
  expect(value).toEqual([['3', 'refunded 7']]);
});

test('A6: stop_on_first_tool waits for the approval and then takes the first result', async () => {
  const { seen } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['add', { a: 1, b: 2 }], ['refund', { order: 7 }])), tools: [add, refund], toolUseBehavior: 'stop_on_first_tool' });
    const waiting = await world.run(agent, 'go');
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    return world.run(agent, waiting.state);
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', '3']);
});

test('A7: after a tool was used, toolChoice goes back to auto', async () => {
  const { requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), says('3')), tools: [add], modelSettings: { toolChoice: 'required' } });
    return world.run(agent, 'go');
  });
  expect(requests.map(({ modelSettings }) => modelSettings.toolChoice)).toEqual(['required', undefined]);
});

test('A7: with resetToolChoice off it stays, and none stays always', async () => {
  const { requests } = await play(async (world) => {
    const two = () => world.model(calls('add', { a: 1, b: 2 }), says('3'));
    await world.run(new Agent({ name: 'Stubborn', model: two(), tools: [add], modelSettings: { toolChoice: 'required' }, resetToolChoice: false }), 'go');
    return world.run(new Agent({ name: 'Toolless', model: two(), tools: [add], modelSettings: { toolChoice: 'none' } }), 'go');
  });
  expect(requests.map(({ modelSettings }) => modelSettings.toolChoice)).toEqual(['required', 'required', 'none', 'none']);
});

test('A7: the next agent has not used a tool yet', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(calls('add', { a: 1, b: 2 }), calls('transfer_to_Second'), calls('add', { a: 3, b: 4 }), says('7'));
    const modelSettings = { toolChoice: 'required' };
    const second = new Agent({ name: 'Second', model, tools: [add], modelSettings });
    return world.run(new Agent({ name: 'First', model, tools: [add], modelSettings, handoffs: [second] }), 'go');
  });
  expect(requests.map(({ modelSettings }) => modelSettings.toolChoice)).toEqual(['required', undefined, 'required', undefined]);
});

test('A8: usage adds up over turns, and entries of single requests are kept', async () => {
  const { seen, value } = await play(async (world) => {
    const model = world.model(calls('add', { a: 1, b: 2 }, { usage: { inputTokens: 100, outputTokens: 1 } }), says('3', { usage: { inputTokens: 200, outputTokens: 2, inputTokensDetails: { cached_tokens: 50 } } }));
    const { state } = await world.run(new Agent({ name: 'Calculator', model, tools: [add] }), 'go');
    return state.usage.requestUsageEntries?.map(({ inputTokens, outputTokens, totalTokens }) => [inputTokens, outputTokens, totalTokens]);
  });
  expect(seen.usage).toEqual({ requests: 2, inputTokens: 300, outputTokens: 3, totalTokens: 303 });
  expect(value).toEqual([[100, 1, 101], [200, 2, 202]]);
});

test('A2: reasoning stays before the call it led to', async () => {
  const { requests } = await play(async (world) => world.run(new Agent({ name: 'Thinker', model: world.model(responds(thinks('Two sums.'), calls('add', { a: 1, b: 2 })), says('3')), tools: [add] }), 'go'));
  expect(requests[1]!.input).toEqual(inputOf('go', thought('Two sums.'), asked('add', { a: 1, b: 2 }, 'call_1'), answered('call_1', '3')));
});

test('A8: a request that failed and was sent again counts as a request', async () => {
  const { seen } = await play(async (world) => {
    const retry = { maxRetries: 1, policy: () => ({ retry: true, delayMs: 0 }) };
    const going = world.begin(new Agent({ name: 'Patient', model: world.model(fails({ network: true }), says('There.')), modelSettings: { retry } }), 'go');
    await world.clock.runAll();
    return going.settled;
  });
  expect(seen.usage).toEqual({ requests: 2, inputTokens: 10, outputTokens: 5, totalTokens: 15 });
});
