/** Resuming a run that waits: the same run, from the object or from its text, in this process or as if in another. */
import { Agent, RunContext, RunState } from 'loopchart';
import { answered, asked, calls, inputOf, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { add, counted, refund } from '../support/cast.ts';
import { play, type World } from '../support/scenario.ts';

/** The desk as a new process would build it: same agents, nothing kept but the model's script. */
const desk = (model: ReturnType<World['model']>) => new Agent({ name: 'Desk', model, tools: [add, refund] });
const approveAll = (state: RunState<any, any>) => {
  for (const call of state.getInterruptions()) state.approve(call);
};

test('D1: resumed from the object, the run goes on where it waited', async () => {
  const { runs, requests } = await play(async (world) => {
    const agent = desk(world.model(calls('refund', { order: 7 }), says('Refunded.')));
    const waiting = await world.run(agent, 'go');
    approveAll(waiting.state);
    return world.run(agent, waiting.state);
  });
  expect(runs.map(({ outcome, finalOutput }) => [outcome, finalOutput])).toEqual([['waiting', undefined], ['completed', 'Refunded.']]);
  expect(requests[1]!.input).toEqual(inputOf('go', asked('refund', { order: 7 }, 'call_1'), answered('call_1', 'refunded 7')));
});

test('D1: resumed from its text with agents built anew, it asks the model nothing twice and runs no tool twice', async () => {
  const { runs, value, requests } = await play(async (world) => {
    const model = world.model(calls(['tick', {}], ['refund', { order: 7 }]), says('Refunded.'));
    const tick = counted('tick');
    const build = () => new Agent({ name: 'Desk', model, tools: [tick.tool, refund] });
    const waiting = await world.run(build(), 'go');
    const state = await RunState.fromString<undefined, Agent<any, any>>(build(), waiting.state.toString());
    approveAll(state);
    await world.run(build(), state);
    return tick.runs;
  });
  expect(runs.map(({ outcome, finalOutput }) => [outcome, finalOutput])).toEqual([['waiting', undefined], ['completed', 'Refunded.']]);
  expect([value, requests.length]).toEqual([1, 2]);
});

test('D1: text and object lead to the same run', async () => {
  const { runs } = await play(async (world) => {
    for (const through of [(state: RunState<any, any>) => state, (state: RunState<any, any>) => RunState.fromString<undefined, Agent<any, any>>(desk(world.model()), state.toString())]) {
      const agent = desk(world.model(calls(['add', { a: 1, b: 2 }], ['refund', { order: 7 }]), says('Done.')));
      const waiting = await world.run(agent, 'go');
      const state = await through(waiting.state);
      approveAll(state);
      await world.run(agent, state);
    }
  });
  const [, fromObject, , fromText] = runs;
  expect({ ...fromText! }).toEqual({ ...fromObject! });
});

test('D1: a state survives being saved again and again', async () => {
  const { seen } = await play(async (world) => {
    const agent = desk(world.model(calls('refund', { order: 7 }), calls('refund', { order: 8 }), says('Done.')));
    let seen = await world.run(agent, 'go');
    while (seen.outcome === 'waiting') {
      const once = await RunState.fromString<undefined, Agent<any, any>>(agent, seen.state.toString());
      const twice = await RunState.fromString<undefined, Agent<any, any>>(agent, once.toString());
      approveAll(twice);
      seen = await world.run(agent, twice);
    }
    return seen;
  });
  expect([seen.outcome, seen.story.length]).toEqual(['completed', 5]);
});

test('D5: deciding some of several leaves the rest waiting', async () => {
  const { runs } = await play(async (world) => {
    const agent = desk(world.model(calls(['refund', { order: 1 }], ['refund', { order: 2 }]), says('Done.')));
    const waiting = await world.run(agent, 'go');
    waiting.state.approve(waiting.state.getInterruptions()[1]!);
    const half = await world.run(agent, waiting.state);
    half.state.approve(half.state.getInterruptions()[0]!);
    return world.run(agent, half.state);
  });
  expect(runs.map(({ outcome, interruptions }) => [outcome, interruptions.map((call) => call.arguments)])).toEqual([
    ['waiting', ['{"order":1}', '{"order":2}']],
    ['waiting', ['{"order":1}']],
    ['completed', []],
  ]);
  expect(runs[2]!.story.slice(2, 4)).toEqual(['Desk: gets refund "refunded 1"', 'Desk: gets refund "refunded 2"']);
});

test('D5: one rejected and one approved at the same time both take effect', async () => {
  const { seen } = await play(async (world) => {
    const agent = desk(world.model(calls(['refund', { order: 1 }], ['refund', { order: 2 }]), says('Done.')));
    const waiting = await world.run(agent, 'go');
    const [first, second] = waiting.state.getInterruptions();
    waiting.state.reject(first!, { message: 'Not order 1.' });
    waiting.state.approve(second!);
    return world.run(agent, waiting.state);
  });
  expect([seen.outcome, ...seen.story.slice(2)]).toEqual(['completed', 'Desk: gets refund "Not order 1."', 'Desk: gets refund "refunded 2"', 'Desk: says "Done."']);
});

test('D1: resumed without a decision, the run waits on', async () => {
  const { runs } = await play(async (world) => {
    const agent = desk(world.model(calls('refund', { order: 7 })));
    const waiting = await world.run(agent, 'go');
    return world.run(agent, waiting.state);
  });
  expect(runs.map(({ outcome, interruptions }) => [outcome, interruptions.length])).toEqual([['waiting', 1], ['waiting', 1]]);
});

test('L6: input added to a paused run joins after the results of its turn', async () => {
  const { requests, seen } = await play(async (world) => {
    const agent = desk(world.model(calls('refund', { order: 7 }), says('Refunded.')));
    const waiting = await world.run(agent, 'go');
    approveAll(waiting.state);
    waiting.state.addInput('And hurry.');
    return world.run(agent, waiting.state);
  });
  expect(seen.outcome).toBe('completed');
  expect(requests[1]!.input).toEqual(inputOf('go', asked('refund', { order: 7 }, 'call_1'), answered('call_1', 'refunded 7'), 'And hurry.'));
});

test('A8: usage of a resumed run goes on from what it was, from object and from text', async () => {
  const { runs } = await play(async (world) => {
    const agent = desk(world.model(calls('refund', { order: 7 }), calls('refund', { order: 8 }), says('Done.')));
    const first = await world.run(agent, 'go');
    approveAll(first.state);
    const second = await world.run(agent, first.state);
    const state = await RunState.fromString<undefined, Agent<any, any>>(agent, second.state.toString());
    approveAll(state);
    return world.run(agent, state);
  });
  expect(runs.map(({ usage }) => usage.totalTokens)).toEqual([15, 30, 45]);
});

test('D1: the context is saved with the state; fromStringWithContext gives one that JSON cannot hold', async () => {
  const { value } = await play(async (world) => {
    const seen: unknown[] = [];
    const model = world.model(calls('refund', { order: 7 }), says('Done.'));
    const agent = new Agent<{ user: string; db?: () => string }>({ name: 'Desk', model, tools: [refund], instructions: ({ context }) => { seen.push([context.user, context.db?.()]); return 'Help.'; } });
    const waiting = await world.run(agent, 'go', { context: { user: 'Ada', db: () => 'first' } });
    const text = waiting.state.toString();
    const state = await RunState.fromStringWithContext(agent, text, new RunContext({ db: () => 'second' } as never));
    approveAll(state);
    await world.run(agent, state);
    return seen;
  });
  expect(value).toEqual([['Ada', 'first'], ['Ada', 'second']]);
});

test.each([
  ['no JSON', 'nonsense', /not JSON/],
  ['some other JSON', '{"a":1}', /no saved run state/],
  ['a newer format', '{"format":99,"runId":"r","agent":"Desk","entries":[]}', /format 99/],
])('O5: %s is refused with the reason', async (_what, text, reason) => {
  await expect(RunState.fromString(new Agent({ name: 'Desk' }), text)).rejects.toThrow(reason);
});

test('O5: a state that belongs to another agent is refused by name', async () => {
  const { value } = await play(async (world) => {
    const waiting = await world.run(desk(world.model(calls('refund', { order: 7 }))), 'go');
    return RunState.fromString(new Agent({ name: 'Other' }), waiting.state.toString()).catch((error: Error) => [error.name, error.message]);
  });
  expect(value).toEqual(['UserError', expect.stringContaining('"Desk"')]);
});
