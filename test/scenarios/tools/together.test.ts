/** C3, C5: calls of one response beside each other, and what a call id stands for. */
import { Agent, tool } from 'loopchart';
import { answered, asked, calls, inputOf, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

test('C3: calls of one response run side by side; results stand in the order of the calls', async () => {
  const { seen, requests } = await play(async (world) => {
    const [one, two] = [latch(), latch()];
    const meets = (name: string, mine: typeof one, other: typeof one) =>
      counted(name, async () => {
        mine.open();
        await other.promise; // each body ends only when the other has begun
        return `${name} met`;
      }).tool;
    const agent = new Agent({ name: 'Pair', model: world.model(calls(['left'], ['right']), says('Done.')), tools: [meets('left', one, two), meets('right', two, one)] });
    return world.run(agent, 'go');
  });
  expect(seen.outcome).toBe('completed');
  expect(requests[1]!.input).toEqual(inputOf('go', asked('left', {}, 'call_1'), asked('right', {}, 'call_2'), answered('call_1', 'left met'), answered('call_2', 'right met')));
});

test('C3: each output is told as its tool finishes, whatever the order of the calls', async () => {
  const { seen, value } = await play(async (world) => {
    const slow = latch();
    const agent = new Agent({ name: 'Pair', model: world.model(calls(['slow'], ['quick']), says('Done.')), tools: [counted('slow', () => slow.promise.then(() => 'at last')).tool, counted('quick').tool] });
    const going = world.begin(agent, 'go');
    await going.until((event) => event.type === 'item.completed' && event.id.endsWith('toolCall.1.1'));
    await world.clock.settle(); // for who reads the stream
    const streamed = going.stream.flatMap((event) => (event.type === 'run_item_stream_event' && event.name === 'tool_output' ? [event.item.rawItem] : []));
    const early = world.mode === 'plain' || ('callId' in streamed[0]! && streamed[0].callId === 'call_2');
    slow.open();
    await going.settled;
    return early;
  });
  expect(value).toBe(true);
  const ends = seen.events.flatMap((event) => (event.type === 'item.completed' && event.id.includes('toolCall') ? [event.id.at(-1)] : []));
  expect(ends).toEqual(['1', '0']);
  expect(seen.story.slice(2, 4)).toEqual(['Pair: gets slow "at last"', 'Pair: gets quick "done"']);
});

test('C3: parallel false runs alone: nothing beside it, nothing before its end', async () => {
  const { value } = await play(async (world) => {
    const log: string[] = [];
    const spoken = (name: string, parallel: boolean) =>
      tool({
        name,
        description: `Does ${name}.`,
        parameters: z.object({}),
        parallel,
        execute: async () => {
          log.push(`${name} begins`);
          await world.clock.settle();
          log.push(`${name} ends`);
        },
      });
    const agent = new Agent({ name: 'Crew', model: world.model(calls(['a'], ['alone'], ['b']), says('Done.')), tools: [spoken('a', true), spoken('alone', false), spoken('b', true)] });
    await world.run(agent, 'go');
    return log;
  });
  expect(value).toEqual(['a begins', 'a ends', 'alone begins', 'alone ends', 'b begins', 'b ends']);
});

test('C3: maxFunctionToolConcurrency caps how many bodies run at a time', async () => {
  const { value } = await play(async (world) => {
    let running = 0;
    let most = 0;
    const busy = counted('busy', async () => {
      running += 1;
      most = Math.max(most, running);
      await world.clock.settle();
      running -= 1;
    });
    const agent = new Agent({ name: 'Crew', model: world.model(calls(...Array.from({ length: 5 }, () => ['busy'] as const)), says('Done.')), tools: [busy.tool] });
    await world.run(agent, 'go', { toolExecution: { maxFunctionToolConcurrency: 2 } });
    return { most, runs: busy.runs };
  });
  expect(value).toEqual({ most: 2, runs: 5 });
});

const echo = (log: number[]) =>
  tool({ name: 'echo', description: 'Says it again.', parameters: z.object({ n: z.number() }), execute: ({ n }) => (log.push(n), `${n}!`) });

test('C5: the same id with the same arguments, written differently, brings the recorded result and is not run again', async () => {
  const { value, requests } = await play(async (world) => {
    const runs: number[] = [];
    const model = world.model(calls('echo', '{"n":1}', { callId: 'same' }), calls('echo', '{ "n": 1 }', { callId: 'same' }), says('Done.'));
    await world.run(new Agent({ name: 'Echo', model, tools: [echo(runs)] }), 'go');
    return runs;
  });
  expect(value).toEqual([1]);
  expect(requests[2]!.input).toEqual(inputOf(
    'go', asked('echo', '{"n":1}', 'same'), answered('same', '1!'), asked('echo', '{ "n": 1 }', 'same'), answered('same', '1!'),
  ));
});

test('C5, G3: the same call twice in one response is one call', async () => {
  const { value, requests } = await play(async (world) => {
    const runs: number[] = [];
    const model = world.model(calls(['echo', { n: 1 }, { callId: 'same' }], ['echo', { n: 1 }, { callId: 'same' }]), says('Done.'));
    await world.run(new Agent({ name: 'Echo', model, tools: [echo(runs)] }), 'go');
    return runs;
  });
  expect(value).toEqual([1]);
  expect(requests[1]!.input).toEqual(inputOf('go', asked('echo', { n: 1 }, 'same'), answered('same', '1!')));
});

test('C5: the same id with other arguments fails the run before any effect of that response', async () => {
  const { value, seen } = await play(async (world) => {
    const runs: number[] = [];
    const model = world.model(calls('echo', { n: 1 }, { callId: 'same' }), calls(['echo', { n: 2 }], ['echo', { n: 3 }, { callId: 'same' }]));
    await world.run(new Agent({ name: 'Echo', model, tools: [echo(runs)] }), 'go');
    return runs;
  });
  expect(value).toEqual([1]);
  expect(seen.error).toEqual({ name: 'ModelBehaviorError', message: 'The model used the call id "same" again for other arguments or another tool. Nothing of this response was run.' });
});

test('C5: an empty call id fails the run before any effect of that response', async () => {
  const { value, seen } = await play(async (world) => {
    const runs: number[] = [];
    const model = world.model(calls(['echo', { n: 1 }], ['echo', { n: 2 }, { callId: '' }]));
    await world.run(new Agent({ name: 'Echo', model, tools: [echo(runs)] }), 'go');
    return runs;
  });
  expect(value).toEqual([]);
  expect(seen.error).toEqual({ name: 'ModelBehaviorError', message: 'The model called echo without a call id. Nothing of this response was run.' });
});
