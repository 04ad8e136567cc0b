/** O8, G1: a save that was found open is compared with what the session holds; only what is missing is added. */
import { Agent, type AgentInputItem, MemorySession, type Session } from 'loopchart';
import { calls, fails, said, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted } from '../support/cast.ts';
import { mortal } from '../support/mortal.ts';
import { type World, play } from '../support/scenario.ts';

const kinds = (items: AgentInputItem[]) => items.map((item) => ('role' in item ? item.role : item.type));
const TURN = ['user', 'function_call', 'function_call_result'];

/** Stores so many items of the first batch, and never says so. */
function stuckAfter(session: MemorySession, stored: number): { session: Session; added: AgentInputItem[][] } {
  const added: AgentInputItem[][] = [];
  return {
    added,
    session: {
      getSessionId: () => session.getSessionId(),
      getItems: (limit) => session.getItems(limit),
      popItem: () => session.popItem(),
      clearSession: () => session.clearSession(),
      addItems: async (items) => {
        added.push(items);
        if (added.length > 1) return session.addItems(items);
        await session.addItems(items.slice(0, stored));
        return new Promise<never>(() => undefined);
      },
    },
  };
}

/** Dies while the first turn is saved, and goes on elsewhere. */
async function savedTwice(world: World, stored: number, before: AgentInputItem[] = []) {
  const { session, added } = stuckAfter(world.session(before), stored);
  const tick = counted('tick');
  const agent = new Agent({ name: 'A', model: world.model(calls('tick'), says('Done.')), tools: [tick.tool] });
  const first = mortal();
  const going = world.begin(agent, 'go', { session, journal: first.journal });
  await going.until('turn.settled');
  await world.clock.settle();
  first.die();
  await world.resume('run_test', { journal: first.left('run_test'), agents: agent, session });
  return { added: added.map(kinds), runs: tick.runs };
}

test.each([0, 1, 2, 3])('O8, G1: of the three items of a turn, %i were stored when the process died: the session has each once', async (stored) => {
  const { seen, sessions, value } = await play(async (world) => savedTwice(world, stored));
  expect([seen.finalOutput, kinds(sessions[0]!)]).toEqual(['Done.', [...TURN, 'assistant']]);
  expect(value).toEqual({ added: [TURN, ...(stored === 3 ? [] : [TURN.slice(stored)]), ['assistant']], runs: 1 });
});

test('O8, G1: what the session held before is not taken for what was saved', async () => {
  const { sessions } = await play(async (world) => savedTwice(world, 1, [user('hello'), said('Hello.')]));
  expect(kinds(sessions[0]!)).toEqual(['user', 'assistant', ...TURN, 'assistant']);
});

test('O8, G1: a save that is begun for the first time compares nothing: an equal message is stored again', async () => {
  const { sessions } = await play(async (world) => {
    const session = world.session([user('go')]);
    return world.run(new Agent({ name: 'A', model: world.model(says('Done.')) }), 'go', { session });
  });
  expect(kinds(sessions[0]!)).toEqual(['user', 'user', 'assistant']);
});

test('O8, K5: the save that comes after the one that was repaired adds its own turn and no more, also when the run fails between', async () => {
  const { runs, sessions } = await play(async (world) => {
    const { session } = stuckAfter(world.session(), 2);
    const agent = new Agent({ name: 'A', model: world.model(calls('tick'), fails({ status: 500 }), says('Done.')), tools: [counted('tick').tool] });
    const first = mortal();
    const going = world.begin(agent, 'go', { session, journal: first.journal });
    await going.until('turn.settled');
    await world.clock.settle();
    first.die();
    const failed = await world.resume('run_test', { journal: first.left('run_test'), agents: agent, session });
    return world.run(agent, failed.state, { session });
  });
  expect([runs.map(({ outcome }) => outcome), kinds(sessions[0]!)]).toEqual([['failed', 'completed'], [...TURN, 'assistant']]);
});

test('O8, G1: a run that saves to a session asks for it before it goes on; nothing is recorded without', async () => {
  const { value } = await play(async (world) => {
    const { session } = stuckAfter(world.session(), 0);
    const agent = new Agent({ name: 'A', model: world.model(calls('tick')), tools: [counted('tick').tool] });
    const first = mortal();
    const going = world.begin(agent, 'go', { session, journal: first.journal });
    await going.until('turn.settled');
    first.die();
    const journal = first.left('run_test');
    const before = journal.read('run_test').length;
    const { error } = await world.resume('run_test', { journal, agents: agent });
    return [error?.message, journal.read('run_test').length - before];
  });
  expect(value).toEqual([expect.stringContaining('Pass the session again'), 0]);
});
