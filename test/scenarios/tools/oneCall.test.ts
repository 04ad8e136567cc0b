/** C9: of several calls in one response the first runs. */
import { Agent } from 'loopchart';
import { calls, responds, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, refund } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

const NOT_RUN = 'Not run: only one call is carried out at a time. Ask again if it is still needed.';

test('C9: with oneCallPerTurn the first call of a response runs, the others get a result that says that they did not', async () => {
  const { seen, value } = await play(async (world) => {
    const [first, second] = [counted('first', 'one'), counted('second', 'two')];
    const model = world.model(calls(['first'], ['second'], ['first']), calls('second'), says('Done.'));
    await world.run(new Agent({ name: 'A', model, tools: [first.tool, second.tool] }), 'go', { oneCallPerTurn: true });
    return [first.runs, second.runs];
  });
  expect([value, seen.turns]).toEqual([[1, 1], 3]);
  expect(seen.story).toEqual([
    'A: calls first {}', 'A: calls second {}', 'A: calls first {}', 'A: gets first "one"', `A: gets second ${JSON.stringify(NOT_RUN)}`, `A: gets first ${JSON.stringify(NOT_RUN)}`,
    'A: calls second {}', 'A: gets second "two"', 'A: says "Done."',
  ]);
});

test('C9: without it all of them run', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'A', model: world.model(calls(['first'], ['second']), says('Done.')), tools: [counted('first', 'one').tool, counted('second', 'two').tool] }), 'go'));
  expect(seen.story.slice(2)).toEqual(['A: gets first "one"', 'A: gets second "two"', 'A: says "Done."']);
});

test('C9, C4: it holds for calls that begin early', async () => {
  const { seen, value } = await play(async (world) => {
    const [first, second] = [counted('first', 'one'), counted('second', 'two')];
    await world.run(new Agent({ name: 'A', model: world.model(responds(says('Well.'), calls(['first'], ['second'])), says('Done.')), tools: [first.tool, second.tool] }), 'go', { oneCallPerTurn: true, toolStart: 'eager' });
    return [first.runs, second.runs];
  }, { only: 'streamed' });
  expect([value, seen.story.slice(3, 5)]).toEqual([[1, 0], ['A: gets first "one"', `A: gets second ${JSON.stringify(NOT_RUN)}`]]);
});

test('C9, D1: nobody is asked about a call that does not run', async () => {
  const { value } = await play(async (world) => {
    const agent = new Agent({ name: 'A', model: world.model(calls(['refund', { order: 1 }], ['refund', { order: 2 }]), says('Done.')), tools: [refund] });
    const waiting = await world.run(agent, 'go', { oneCallPerTurn: true });
    const asked = waiting.interruptions.map(({ arguments: given }) => given);
    waiting.state.reject(waiting.state.getInterruptions()[0]!, { message: 'no' });
    return [asked, (await world.run(agent, waiting.state, { oneCallPerTurn: true })).story.slice(2, 4)];
  });
  expect(value).toEqual([['{"order":1}'], ['A: gets refund "no"', `A: gets refund ${JSON.stringify(NOT_RUN)}`]]);
});

test('C9, A6: a call that did not run makes no final output', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls(['first'], ['last']), says('Done.'));
    const agent = new Agent({ name: 'A', model, tools: [counted('first', 'one').tool, counted('last', 'two').tool], toolUseBehavior: { stopAtToolNames: ['last'] } });
    return world.run(agent, 'go', { oneCallPerTurn: true });
  });
  expect([seen.finalOutput, seen.turns]).toEqual(['Done.', 2]);
});
