/** C6, C7, C11, C12: what becomes of a result, and what a body says on its way to it. */
import { Agent, type RunEvent, tool } from 'loopchart';
import { answered, asked, calls, inputOf, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

const nothing = z.object({});

test('C6: run() does not cut what a tool returns', async () => {
  const long = 'ä'.repeat(30_000);
  const { requests } = await play(async (world) => world.run(new Agent({ name: 'Reader', model: world.model(calls('read'), says('Read.')), tools: [counted('read', long).tool] }), 'go'));
  expect(requests[1]!.input).toEqual(inputOf('go', asked('read', {}, 'call_1'), answered('call_1', long)));
});

test('C7: progress of a body reaches listeners, numbered under its call, and nothing else', async () => {
  const { seen, value } = await play(async (world) => {
    const told: RunEvent[] = [];
    const dig = tool({
      name: 'dig',
      description: 'Digs.',
      parameters: nothing,
      execute: async (_, __, details) => {
        details?.progress?.({ metres: 1 });
        await world.clock.settle();
        details?.progress?.({ metres: 2 });
        return 'dug';
      },
    });
    const agent = new Agent({ name: 'Miner', model: world.model(calls('dig'), says('Done.')), tools: [dig] });
    await world.run(agent, 'go', { onEvent: (event) => void (event.type !== 'delta' && told.push(event)) });
    const start = told.find(({ type }) => type === 'tool.started')!;
    return told.flatMap((event) => (event.type === 'tool.progress' ? [[event.number === `${start.number}.${(event.value as { metres: number }).metres}`, event.id, event.value]] : []));
  });
  const id = 'run_test/agent.1/turn.1/toolCall.1.0';
  expect(value).toEqual([[true, id, { metres: 1 }], [true, id, { metres: 2 }]]);
  expect(JSON.stringify([seen.history, seen.state])).not.toContain('metres');
});

test('C7: progress of a nested agent is heard with its path; that of a body left behind is not', async () => {
  const { value } = await play(async (world) => {
    const paths: string[] = [];
    const late = latch<() => void>();
    const dig = tool({
      name: 'dig',
      description: 'Digs.',
      parameters: nothing,
      timeoutMs: 10,
      execute: (_, __, details) => {
        details?.progress?.('on time');
        late.open(() => details?.progress?.('too late'));
        return new Promise(() => undefined);
      },
    });
    const inner = new Agent({ name: 'Miner', model: world.model(calls('dig'), says('inner')), tools: [dig] });
    const agent = new Agent({ name: 'Boss', model: world.model(calls('Miner', { input: 'dig' }), says('Done.')), tools: [inner.asTool({})] });
    const going = world.begin(agent, 'go', { onEvent: (event) => void (event.type === 'tool.progress' && paths.push(`${event.path} ${event.value}`)) });
    const sayMore = await late.promise;
    await world.clock.advance(10);
    await going.settled;
    sayMore();
    return paths;
  });
  expect(value).toEqual(['run_test/agent.1/turn.1/toolCall.1.0/run/agent.1/turn.1/toolCall.1.0 on time']);
});

test('C11: a terminal tool ends the run with its result; earlier calls finish, later ones are not run', async () => {
  const { seen, value } = await play(async (world) => {
    const [before, after] = [counted('before', 'was there'), counted('after')];
    const finish = tool({ name: 'finish', description: 'Ends it.', parameters: nothing, terminal: 'completed', execute: () => 'the end' });
    await world.run(new Agent({ name: 'Worker', model: world.model(calls(['before'], ['finish'], ['after'])), tools: [before.tool, finish, after.tool] }), 'go');
    return [before.runs, after.runs];
  });
  expect([seen.outcome, seen.finalOutput, value]).toEqual(['completed', 'the end', [1, 0]]);
  expect(seen.story.slice(3)).toEqual(['Worker: gets before "was there"', 'Worker: gets finish "the end"', 'Worker: gets after "Not run: finish ended the run."']);
});

test('C11: a terminal tool whose call is malformed ends nothing', async () => {
  const { seen } = await play(async (world) => {
    const finish = tool({ name: 'finish', description: 'Ends it.', parameters: nothing, terminal: 'rejected', execute: () => 'the end' });
    return world.run(new Agent({ name: 'Worker', model: world.model(calls(['finish', '{'], ['tick']), says('Again.')), tools: [finish, counted('tick').tool] }), 'go');
  });
  expect([seen.finalOutput, seen.story.at(-2)]).toEqual(['Again.', 'Worker: gets tick "done"']);
});

test('C12: the model reads one half of {model, display}, the person sees the other', async () => {
  const { seen, requests } = await play(async (world) => world.run(
    new Agent({ name: 'Shop', model: world.model(calls('list'), says('Done.')), tools: [counted('list', { model: '3 rows', display: '<table>' }).tool] }), 'go'));
  expect(requests[1]!.input).toEqual(inputOf('go', asked('list', {}, 'call_1'), answered('call_1', '3 rows')));
  expect(seen.events.flatMap((event) => (event.type === 'item.completed' && event.display !== undefined ? [event.display] : []))).toEqual(['<table>']);
});

test('C12: needsFollowUp false records the result and is alone no reason for another turn', async () => {
  const { seen, requests } = await play(async (world) => world.run(
    new Agent({ name: 'Logger', model: world.model(calls('note')), tools: [counted('note', { model: 'noted', needsFollowUp: false }).tool] }), 'go'));
  expect([seen.outcome, seen.finalOutput, requests.length]).toEqual(['completed', '', 1]);
  expect(seen.story).toEqual(['Logger: calls note {}', 'Logger: gets note "noted"']);
});

test('C12: beside a result that needs follow-up there is another turn', async () => {
  const { requests } = await play(async (world) => world.run(
    new Agent({ name: 'Logger', model: world.model(calls(['note'], ['tick']), says('Done.')), tools: [counted('note', { model: 'noted', needsFollowUp: false }).tool, counted('tick').tool] }), 'go'));
  expect(requests.length).toBe(2);
});
