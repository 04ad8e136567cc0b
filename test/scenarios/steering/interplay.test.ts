/** What cuts, shortens, limits and holds back a run meets here, two at a time. */
import { Agent, type AgentInputItem, RunInputItem, questionTool } from 'loopchart';
import { calls, cuts, fails, hangs, inputOf, repeat, responds, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { SUMMARY, summary, used, window } from '../compaction/support.ts';
import { counted } from '../support/cast.ts';
import { type Going, type World, play } from '../support/scenario.ts';

const streamed = { only: 'streamed' } as const;
const TOO_LONG = fails({ status: 400, code: 'context_length_exceeded', message: 'too long' });
const LAST = 'This is your last turn, and no tools are available in it. Answer now with what you have.';
const USED_UP = 'Not run: this run may make 2 tool calls, and they are used up. Go on with what you have.';
const steer = (going: Going, text: string) => going.steer(text, { mode: 'instant' });
const settled = async (world: World, going: Going) => (await world.clock.runAll(), going.settled);
/** The nth request is on its way, and its stream stands still. */
async function asked(going: Going, world: World, turns: number) {
  for (let turn = 0; turn < turns; turn += 1) await going.until('turn.started');
  await world.clock.settle();
}
const turnsOf = ({ events }: Pick<Going, 'events'>) => events.flatMap((event) => (event.type === 'turn.settled' ? [`${event.path.split('/').at(-1)} ${event.turn} ${event.next}`] : []));
const told = (items: readonly AgentInputItem[]) => items.flatMap((item) => ('role' in item && item.role === 'user' ? [item.content] : []));

test('L2, N2, B1: a turn that is tried again after a compaction and is cut is followed by one of the same number', async () => {
  const { seen, value, requests } = await play(async (world) => {
    const model = world.model(calls('look'), TOO_LONG, says(SUMMARY), hangs(2, says('Half a word.')), says('Done.'));
    const going = world.begin(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', { maxTurns: 2, ...window(1_000_000) });
    await asked(going, world, 3);
    await steer(going, 'in blue');
    return turnsOf(await settled(world, going));
  }, streamed);
  expect(value).toEqual(['turn.1 1 again', 'turn.2 2 failed', 'turn.2 2 cut', 'turn.2.1 2 final']);
  expect([seen.finalOutput, seen.turns]).toEqual(['Done.', 2]);
  expect(requests[4]!.input).toEqual(inputOf('go', user(summary(SUMMARY)), 'in blue'));
});

test('L2, N2: a turn that was cut and then does not fit is tried again under its own path', async () => {
  const { value } = await play(async (world) => {
    const model = world.model(calls('look'), hangs(2, says('Half a word.')), TOO_LONG, says(SUMMARY), says('Done.'));
    const going = world.begin(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', window(1_000_000));
    await asked(going, world, 2);
    await steer(going, 'in blue');
    return turnsOf(await settled(world, going));
  }, streamed);
  expect(value).toEqual(['turn.1 1 again', 'turn.2 2 cut', 'turn.2.1 2 failed', 'turn.2.1 2 final']);
});

test('L2, B1: the last turn that is cut is still to come, and is told of once', async () => {
  const { seen, value, requests } = await play(async (world) => {
    const model = world.model(calls('look'), hangs(2, says('Half a word.')), says('As far as I came.'));
    const going = world.begin(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', { maxTurns: 1, finalTurn: true });
    await asked(going, world, 2);
    await steer(going, 'in blue');
    return turnsOf(await settled(world, going));
  }, streamed);
  expect(value).toEqual(['turn.1 1 again', 'turn.2 2 cut', 'turn.2.1 2 final']);
  expect([seen.outcome, seen.state.source.outcome!.how, seen.turns]).toEqual(['completed', 'lastTurn', 2]);
  expect([requests[2]!.tools, told(requests[2]!.input as AgentInputItem[])]).toEqual([[], ['go', LAST, 'in blue']]);
});

test('L2, M5, A3: an answer that is cut is not the one that stop hooks look at', async () => {
  const { seen, value } = await play(async (world) => {
    const looked: unknown[] = [];
    const hook = { name: 'looks', execute: async ({ output }: { output: unknown }) => void looked.push(output) };
    const going = world.begin(new Agent({ name: 'Writer', model: world.model(hangs(2, says('Half a word.')), says('Done.')) }), 'go', { stopHooks: [hook] });
    await asked(going, world, 1);
    await steer(going, 'in blue');
    await settled(world, going);
    return looked;
  }, streamed);
  expect([value, seen.finalOutput]).toEqual([['Done.'], 'Done.']);
});

test('L2, B3: what the user cuts in with begins a new streak', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(repeat(3, calls('look')), hangs(2, says('Half a word.')), calls('look'), says('Done.'));
    const going = world.begin(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', { stuckDetection: true });
    await asked(going, world, 4);
    await steer(going, 'once more');
    return settled(world, going);
  }, streamed);
  expect(seen.newItems.filter((item) => item instanceof RunInputItem && typeof item.origin === 'object')).toEqual([]);
  expect(seen.finalOutput).toBe('Done.');
});

test('N1, B1: what is too long is summed up before the last turn too', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(950)), says(SUMMARY), says('As far as I came.'));
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', { maxTurns: 1, finalTurn: true, ...window(1_000) });
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'As far as I came.']);
  expect(requests[2]!.input).toEqual(inputOf('go', user(summary(SUMMARY)), LAST));
});

test('N1, B1: nothing is summed up for a turn that does not come', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(calls('look', {}, used(950)));
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', { maxTurns: 1, ...window(1_000) });
  });
  expect([seen.error?.name, requests.length]).toEqual(['MaxTurnsExceededError', 1]);
});

test('N1, B3: what is too long is summed up before the notice, which stays', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(repeat(3, calls('look')), calls('look', {}, used(950)), says(SUMMARY), says('Done.'));
    return world.run(new Agent({ name: 'Reader', model, tools: [counted('look').tool] }), 'go', { stuckDetection: true, ...window(1_000) });
  });
  const [, , notice] = told(requests[5]!.input as AgentInputItem[]);
  expect([seen.finalOutput, String(notice).slice(0, 24)]).toEqual(['Done.', 'You are going in circles']);
});

test('B2, C4: calls that begin early are held against the limit one by one', async () => {
  const { value, seen } = await play(async (world) => {
    const tick = counted('tick');
    const model = world.model(responds(says('Well.'), calls(['tick'], ['tick'], ['tick'])), says('Done.'));
    await world.run(new Agent({ name: 'Worker', model, tools: [tick.tool] }), 'go', { toolStart: 'eager', budget: { toolCalls: 2, softRatio: 1 } });
    return tick.runs;
  }, streamed);
  expect(value).toBe(2);
  expect(seen.story.slice(4, 7)).toEqual(['Worker: gets tick "done"', 'Worker: gets tick "done"', `Worker: gets tick "${USED_UP}"`]);
});

test('B2, C4, K5: a call that began in an answer that was never whole is counted when the run goes on', async () => {
  const { value, seen } = await play(async (world) => {
    const tick = counted('tick');
    const model = world.model(cuts(2, responds(calls(['tick'], ['tick']))), calls(['tick'], ['tick']), says('Done.'));
    const agent = new Agent({ name: 'Worker', model, tools: [tick.tool] });
    const { outcome, state } = await world.run(agent, 'go', { toolStart: 'eager', budget: { toolCalls: 2, softRatio: 1 } });
    await world.run(agent, state, { toolStart: 'eager' });
    return [outcome, tick.runs];
  }, streamed);
  expect(value).toEqual(['failed', 2]);
  expect(seen.story.slice(0, 6)).toEqual([
    'Worker: calls tick {}', 'Worker: gets tick "done"', 'Worker: calls tick {}', 'Worker: calls tick {}', 'Worker: gets tick "done"', `Worker: gets tick "${USED_UP}"`,
  ]);
});

test('D8, M8, C4: a question asked while the model streams, beside a call that a rule denies and one that runs', async () => {
  const { value, seen } = await play(async (world) => {
    const [look, drop] = [counted('look', 'seen'), counted('drop')];
    const ask = questionTool({ name: 'ask', description: 'Asks.', parameters: z.object({}), questions: () => [{ id: 'colour', text: 'Which colour?' }] });
    const model = world.model(responds(says('Well.'), calls(['ask'], ['drop'], ['look'])), says('Done.'));
    const agent = new Agent({ name: 'A', model, tools: [ask, drop.tool, look.tool] });
    const going = world.begin(agent, 'go', { toolStart: 'eager', approvalPolicy: { rules: [{ tool: 'drop', decision: 'deny' }] } });
    await going.until('approval.requested');
    const state = await going.state;
    state.answer(state.getInterruptions()[0]!, { colour: 'blue' });
    await settled(world, going);
    return [look.runs, drop.runs];
  }, streamed);
  expect([value, seen.finalOutput]).toEqual([[1, 0], 'Done.']);
});
