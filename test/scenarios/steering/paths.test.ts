/** L7, F5: a steer goes to the run itself, unless it names a nested one; then it waits at the safe points of that. */
import { Agent, type RunEvent, type RunState } from 'loopchart';
import { answersWith, calls, inputOf, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { receipts } from '../support/receipts.ts';
import { play, type World } from '../support/scenario.ts';

const NESTED = 'run_test/agent.1/turn.1/toolCall.1.0/run';

/** An agent that asks a helper, whose tool is at work until the script lets it go. */
function pair(world: World) {
  const slow = latch<string>();
  const inner = world.model(calls('slow'), says('Helped.'));
  const helper = new Agent({ name: 'Helper', model: inner, tools: [counted('slow', () => slow.promise).tool] });
  const outer = world.model(calls('Helper', { input: 'help' }), says('Done.'), says('More.'));
  return { agent: new Agent({ name: 'Boss', model: outer, tools: [helper.asTool({})] }), slow, inner, outer };
}

const isInside = (event: RunEvent) => event.type === 'tool.started' && event.call.name === 'slow';

test('L7, F5: with the path of a nested run a steer joins that run, at its next safe point; without one it joins the outer run', async () => {
  const { value, seen } = await play(async (world) => {
    const { agent, slow, inner, outer } = pair(world);
    const going = world.begin(agent, 'go');
    const { path } = await going.until(isInside);
    const state = await going.state;
    state.addInput('for the helper', { path: path.slice(0, path.lastIndexOf('/agent.')) });
    state.addInput('for the activation', { path: `${NESTED}/agent.1` });
    state.addInput('for all', { path: 'run_test' });
    slow.open('slow');
    await going.settled;
    return [inner.requests.at(-1)!.input.slice(-2), outer.requests.at(-1)!.input.slice(-1)];
  }, { only: 'streamed' });
  expect(value).toEqual([inputOf(user('for the helper'), user('for the activation')), inputOf(user('for all'))]);
  expect(receipts(seen.events)).toEqual([
    'accepted for the helper', 'accepted for the activation', 'accepted for all',
    'delivered for the helper | for the activation to Helper in turn 2', 'delivered for all to Boss in turn 2',
  ]);
});

test('L7: for a path at which nothing is at work a steer is refused, and the run goes on', async () => {
  const { value, seen } = await play(async (world) => {
    const { agent, slow } = pair(world);
    const going = world.begin(agent, 'go');
    await going.until(isInside);
    const state = await going.state;
    const refused = () => state.addInput('hello', { path: 'run_test/agent.1/turn.1/toolCall.1.7/run' });
    expect(refused).toThrow('Nothing is at work at run_test/agent.1/turn.1/toolCall.1.7/run. Take the path from an event or an interruption of this run.');
    slow.open('slow');
    await going.settled;
    return state.pendingInput;
  }, { only: 'streamed' });
  expect([seen.outcome, value, receipts(seen.events)]).toEqual(['completed', [], []]);
});

test('L7: what lies at the path but is no run of an agent gives the steer back', async () => {
  const { seen } = await play(async (world) => {
    const { agent, slow } = pair(world);
    const going = world.begin(agent, 'go');
    const { path } = await going.until(isInside);
    const state = await going.state;
    const turn = path.slice(0, path.lastIndexOf('/'));
    for (const [nth, place] of [turn, path, 'run_test/agent.1/turn.1'].entries()) state.addInput(`stray ${nth}`, { path: place });
    slow.open('slow');
    return going.settled;
  }, { only: 'streamed' });
  expect(seen.outcome).toBe('completed');
  expect(receipts(seen.events).filter((line) => line.startsWith('dropped'))).toEqual(['dropped stray 0: path', 'dropped stray 1: path', 'dropped stray 2: path']);
});

test('L7, P2: a nested run that ends before its next safe point gives the steer back', async () => {
  const { seen } = await play(async (world) => {
    const [sampling, answer] = [latch(), latch<ReturnType<typeof says>>()];
    const helper = new Agent({ name: 'Helper', model: world.model(answersWith(() => (sampling.open(), answer.promise))) });
    const agent = new Agent({ name: 'Boss', model: world.model(calls('Helper', { input: 'help' }), says('Done.')), tools: [helper.asTool({ runOptions: { maxTurns: 1 } })] });
    const going = world.begin(agent, 'go');
    await sampling.promise;
    (await going.state).addInput('more', { path: NESTED });
    answer.open(says('Helped.'));
    return going.settled;
  }, { only: 'streamed' });
  expect([seen.finalOutput, receipts(seen.events)]).toEqual(['Done.', ['accepted more', 'dropped more: limit']]);
});

test('L6, L7: added to a run that waits inside a nested one, it joins that one when the run goes on', async () => {
  const { runs, requests } = await play(async (world) => {
    const helper = new Agent({ name: 'Helper', model: world.model(calls('refund', { order: 7 }), says('Helped.')), tools: [refund] });
    const agent = new Agent({ name: 'Boss', model: world.model(calls('Helper', { input: 'help' }), says('Done.')), tools: [helper.asTool({})] });
    const waiting = await world.run(agent, 'go');
    const state = waiting.state as RunState<any, any>;
    state.approve(state.getInterruptions()[0]!);
    state.addInput('to all');
    state.addInput('to the helper', { path: NESTED });
    expect(() => state.addInput('to nobody', { path: 'run_test/agent.7' })).toThrow('Nothing is at work at run_test/agent.7.');
    return world.run(agent, state);
  });
  expect(receipts(runs[1]!.events)).toEqual(['accepted to all', 'accepted to the helper', 'delivered to the helper to Helper in turn 2', 'delivered to all to Boss in turn 2']);
  expect(requests.map(({ input }) => input.at(-1))).toMatchObject([{ content: 'go' }, { content: 'help' }, { content: 'to the helper' }, { content: 'to all' }]);
});

test('L7: it reaches any depth', async () => {
  const { seen } = await play(async (world) => {
    const { agent: middle, slow } = pair(world);
    const top = new Agent({ name: 'Top', model: world.model(calls('Boss', { input: 'ask' }), says('End.')), tools: [middle.asTool({})] });
    const going = world.begin(top, 'go');
    const { path } = await going.until(isInside);
    (await going.state).addInput('deep', { path: path.slice(0, path.lastIndexOf('/agent.')) });
    slow.open('slow');
    return going.settled;
  }, { only: 'streamed' });
  expect(receipts(seen.events)).toEqual(['accepted deep', 'delivered deep to Helper in turn 2']);
});
