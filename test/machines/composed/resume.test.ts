import { describe, expect, test } from 'vitest';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { callOf, responseOf } from '../samples.ts';
import { type Scenario, done, nestedDesk, nextOps, supportDesk } from './scenarios.ts';
import { type Op, World } from './world.ts';

/** A run to its end; which of the things that may happen next does happen follows from the seed. */
async function play(scenario: Scenario, seed: number): Promise<World> {
  const world = await World.begin(scenario.input, true);
  let state = seed * 1_000_003;
  for (let ops = nextOps(world, scenario); ops.length > 0; ops = nextOps(world, scenario)) {
    state = (state * 48_271) % 2_147_483_647;
    world.apply(ops[state % ops.length]!);
  }
  return world;
}

/** What has to come in again for the same to be recorded. */
function opOf(entry: JournalEntry): Op | undefined {
  switch (entry.type) {
    case 'effect.done':
      return { kind: 'end', id: entry.id, outcome: entry.outcome };
    case 'decide':
      return { kind: 'decide', id: entry.id, decision: entry.decision };
    case 'command':
      return entry.command.type === 'steer' ? { kind: 'steer', id: entry.command.input[0]!.id } : { kind: entry.command.type as 'softStop' | 'interrupt' };
    default:
      return undefined;
  }
}

const seeds = Array.from({ length: 16 }, (_, index) => index + 1);
const scenarios = [
  supportDesk('a support desk', { session: true, guardsOutput: true, expertActs: true }),
  supportDesk('a support desk where much fails', { session: true, fails: ['model', 'execute', 'session', 'handoffFilter'] }),
  supportDesk('a support desk that nobody disturbs', { commands: [], expertActs: true }),
  nestedDesk('an agent that works for another'),
];

describe.each(scenarios)('O1: $name, killed after any entry and resumed', (scenario) => {
  test.each(seeds)('ends as it did without the kill (run %i)', async (seed) => {
    const { host, events } = await play(scenario, seed);
    const entries = [...host.entries];
    expect(host.outcome).not.toBeNull();
    for (let killed = 1; killed <= entries.length; killed += 1) {
      const resumed = await World.after(entries.slice(0, killed), true);
      const ended = new Set(entries.slice(0, killed).flatMap((entry) => (entry.type === 'effect.done' ? [entry.id] : [])));
      expect(resumed.begun.filter(({ id }) => ended.has(id))).toEqual([]);
      for (const op of entries.slice(killed).map(opOf)) if (op) resumed.apply(op);
      expect(resumed.host.outcome).toEqual(host.outcome);
      expect(resumed.host.entries).toEqual(entries);
      expect(resumed.events).toEqual(events);
    }
  });
});

test('the runs that are killed end in every way', async () => {
  const statuses = new Set<string>();
  for (const scenario of scenarios) for (const seed of seeds) statuses.add((await play(scenario, seed)).host.outcome!.status);
  expect([...statuses].sort()).toEqual(['completed', 'failed', 'interrupted', 'stopped']);
});

describe('O3: a body that had begun and not ended when the process died', () => {
  const acting = (effect: 'pure' | 'idempotent' | 'reconcilable' | 'irreversible') => {
    const scenario = supportDesk('one call', { parallel: [], commands: [] });
    const ends: Scenario['ends'] = (begun) => (begun.src === 'model' && begun.id.includes('turn.1/') ? [done(responseOf([callOf(0, { effect })]))] : scenario.ends(begun));
    return { ...scenario, ends };
  };
  const bodyOf = (world: World) => world.begun.filter(({ src }) => src === 'execute').map(({ id }) => id);
  const atWork = async (effect: Parameters<typeof acting>[0]) => {
    const world = await World.begin(acting(effect).input);
    world.apply(nextOps(world, acting(effect))[0]!);
    expect(bodyOf(world)).toEqual(['run/agent.1/turn.1/toolCall.1.0/execute#1']);
    return world.host.entries;
  };

  test.each(['pure', 'idempotent'] as const)('is run again when it is %s', async (effect) => {
    const resumed = await World.after(await atWork(effect));
    expect(bodyOf(resumed)).toEqual(['run/agent.1/turn.1/toolCall.1.0/execute#1']);
  });

  test.each(['reconcilable', 'irreversible'] as const)('is not run again when it is %s: the loss is recorded and ends the run', async (effect) => {
    const entries = await atWork(effect);
    expect(entries.at(-1)).toMatchObject({ type: 'effect.started', id: 'run/agent.1/turn.1/toolCall.1.0/execute#1' });
    const resumed = await World.after(entries);
    expect(bodyOf(resumed)).toEqual([]);
    expect(resumed.host.entries.at(-1)).toMatchObject({ type: 'effect.lost', id: 'run/agent.1/turn.1/toolCall.1.0/execute#1' });
    expect(resumed.host.outcome).toMatchObject({ status: 'failed', failure: { code: 'toolCall', message: expect.stringContaining('is not run again') } });
  });
});
