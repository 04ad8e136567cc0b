import { describe, expect, test } from 'vitest';
import type { CallResult, EffectClass } from '../../../machines/protocol/call.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { callOf, responseOf } from '../samples.ts';
import { type Scenario, askingDesk, done, nestedDesk, nextOps, supportDesk } from './scenarios.ts';
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
      if (entry.command.type !== 'steer' && entry.command.type !== 'mail') return { kind: entry.command.type as 'softStop' | 'interrupt' };
      return { kind: entry.command.type, id: entry.command.input[0]!.id, ...('mode' in entry.command && entry.command.mode && { mode: entry.command.mode }) };
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
  supportDesk('a support desk that is steered', { steered: true, session: true, guardsOutput: true, maxTurns: 3, commands: ['steer', 'mail', 'softStop', 'interrupt'] }),
  askingDesk('an agent that asks, and a body that does', { effect: 'idempotent' }),
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

const harmful = supportDesk('a support desk whose tools are harmful to run twice', { deaths: 0, commands: ['steer', 'interrupt'], parallel: [] });

describe(`O1, O3: ${harmful.name}, killed after any entry and resumed`, () => {
  /** What a body brought before the process died is what its tool finds, or what the person knows who is asked. */
  const known = (world: World, op: Op): Op => {
    if (op.kind !== 'end' || op.outcome.status !== 'ok' || [...world.host.effects.entries()].some(([id]) => id === op.id)) return op;
    const path = op.id.slice(0, op.id.lastIndexOf('/'));
    const result = op.outcome.value as CallResult; // only bodies are lost
    if (world.open.some(({ id }) => id === `${path}/reconcile#1`)) return { kind: 'end', id: `${path}/reconcile#1`, outcome: done({ happened: true, result }) };
    return { kind: 'decide', id: `${path}/uncertain#1`, decision: { decision: 'useResult', output: result.output, result } };
  };

  test.each(seeds)('runs no body twice, asks what became of it, and ends as it did without the kill (run %i)', async (seed) => {
    const { host } = await play(harmful, seed);
    const entries = host.entries.slice();
    for (let killed = 1; killed <= entries.length; killed += 1) {
      const recorded = entries.slice(0, killed);
      const resumed = await World.after(recorded, true);
      const ended = new Set(recorded.flatMap((entry) => (entry.type === 'effect.done' ? [entry.id] : [])));
      const begun = recorded.flatMap((entry) => (entry.type === 'effect.started' ? [entry.id] : []));
      const isOver = recorded.some((entry) => entry.type === 'command' && entry.command.type === 'interrupt');
      const lost = isOver ? [] : begun.filter((id) => !ended.has(id));
      expect(resumed.host.entries.slice(killed).flatMap((entry) => (entry.type === 'effect.lost' ? [entry.id] : []))).toEqual(lost);
      for (const op of entries.slice(killed).map(opOf)) if (op) resumed.apply(known(resumed, op));
      expect(resumed.begun.filter(({ id }) => begun.includes(id))).toEqual([]);
      expect(resumed.host.outcome).toEqual(host.outcome);
    }
  });

  test('bodies were at work when it was killed, of both kinds', async () => {
    const lost = new Set<string>();
    for (const seed of seeds) {
      const { host } = await play(harmful, seed);
      for (const [at, entry] of host.entries.entries()) if (entry.type === 'effect.started') for (const [, { src, input }] of (await World.after(host.entries.slice(0, at + 1))).host.effects.entries()) lost.add(`${src} ${input.call?.tool.effect}`);
    }
    expect([...lost].sort()).toEqual(expect.arrayContaining(['person irreversible', 'reconcile reconcilable']));
  });
});

describe('O3: a body that had begun and not ended when the process died', () => {
  const acting = (effect: EffectClass) => {
    const scenario = supportDesk('one call', { parallel: [], commands: [] });
    const ends: Scenario['ends'] = (begun) => (begun.src === 'model' && begun.id.includes('turn.1/') ? [done(responseOf([callOf(0, { effect })]))] : scenario.ends(begun));
    return { ...scenario, ends };
  };
  const PATH = 'run/agent.1/turn.1/toolCall.1.0';
  const begunIn = (world: World) => world.begun.map(({ id }) => id);
  const atWork = async (effect: EffectClass) => {
    const world = await World.begin(acting(effect).input);
    world.apply(nextOps(world, acting(effect))[0]!);
    expect(begunIn(world).at(-1)).toBe(`${PATH}/execute#1`);
    return world.host.entries;
  };

  test.each(['pure', 'idempotent'] as const)('is run again when it is %s, by the same key', async (effect) => {
    const resumed = await World.after(await atWork(effect));
    expect(begunIn(resumed)).toEqual([`${PATH}/execute#1`]);
    expect(resumed.begun[0]!.input.key).toBe(`${PATH}/execute`);
  });

  test('is looked up when it is reconcilable: the loss is recorded, and its tool asked by the key of the body', async () => {
    const resumed = await World.after(await atWork('reconcilable'));
    expect(resumed.host.entries.at(-1)).toMatchObject({ type: 'effect.lost', id: `${PATH}/execute#1` });
    expect(begunIn(resumed)).toEqual([`${PATH}/reconcile#1`]);
    expect(resumed.begun[0]!.input.key).toBe(`${PATH}/execute`);
  });

  test('waits for a person when it is irreversible: the loss is recorded, and the run at rest', async () => {
    const resumed = await World.after(await atWork('irreversible'));
    expect(resumed.host.entries.slice(-2)).toMatchObject([{ type: 'effect.lost', id: `${PATH}/execute#1` }, { type: 'run.rest', state: 'awaitingApproval' }]);
    expect([begunIn(resumed), resumed.host.openDecisions.map(({ id, uncertain }) => [id, uncertain])]).toEqual([[], [[`${PATH}/uncertain#1`, true]]]);
  });

  test.each(['reconcilable', 'irreversible'] as const)('that its process died is recorded once, however many die after it (%s)', async (effect) => {
    const first = await World.after(await atWork(effect));
    const second = await World.after(first.host.entries);
    expect(second.host.entries).toEqual(first.host.entries);
    expect(begunIn(second)).toEqual(begunIn(first));
  });
});
