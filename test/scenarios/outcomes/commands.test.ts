import { MemoryJournal, UserError } from 'loopchart';
import { virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { Host } from '../../../actors/host.ts';
import { checkedCommand } from '../../../actors/ingress.ts';
import type { Command } from '../../../machines/protocol/command.ts';
import { CommandSchema } from '../../../machines/protocol/journalSchemas.ts';
import type { RunInput } from '../../../machines/protocol/outcome.ts';

test('P5: a command that is meant for another run answers stale and changes nothing', async () => {
  const { host, entries } = await sampling();
  expect(host.command({ type: 'softStop' }, 'run_other')).toBe('stale');
  expect(host.interrupt({ expectedRunId: 'run_other' })).toBe('stale');
  expect(entries()).toEqual(['run.start']);
  expect(host.command({ type: 'softStop' }, 'run_test')).toBe('accepted');
  expect(entries()).toEqual(['run.start', 'command']);
});

test('J3, P5: a command for a run that is over answers so and is not recorded', async () => {
  const { host, entries } = await sampling();
  expect(host.interrupt()).toBe('accepted');
  expect(host.outcome?.status).toBe('interrupted');
  expect(host.interrupt()).toBe('over');
  expect(host.command({ type: 'softStop' })).toBe('over');
  expect(entries()).toEqual(['run.start', 'command', 'run.rest']);
});

test('L7: a steer for a path at which nothing is at work answers unknown and is not recorded', async () => {
  const { host, entries } = await sampling();
  const steer = (path: string): Command => ({ type: 'steer', input: [{ id: 'a', item: { type: 'message', role: 'user', content: 'More.' } }], path });
  expect(['run_test/agent.2', 'run_test/agent.1/turn.1/toolCall.1.0/run', 'run_other'].map((path) => host.command(steer(path)))).toEqual(['unknown', 'unknown', 'unknown']);
  expect(entries()).toEqual(['run.start']);
  expect(['run_test', 'run_test/agent.1'].map((path) => host.command(steer(path)))).toEqual(['accepted', 'accepted']);
});

test('an event of XState itself is refused, and so is what is no command', async () => {
  const { host, entries } = await sampling();
  for (const command of BAD) expect(() => host.command(command), JSON.stringify(command)).toThrow(UserError);
  expect(entries()).toEqual(['run.start']);
  expect(host.outcome).toBeNull();
});

test('what is told to a run and what is read from a journal are held to the same', () => {
  for (const command of BAD) expect(CommandSchema.safeParse(command).success, JSON.stringify(command)).toBe(false);
  for (const command of GOOD) {
    expect(checkedCommand(command)).toBe(command);
    expect(CommandSchema.parse(command)).toEqual(command);
  }
});

const BAD = [
  {},
  null,
  { type: 'xstate.done.actor.agent.1', output: {} },
  { type: 'toString' },
  { type: 'steer' },
  { type: 'steer', input: [] },
  { type: 'steer', input: [null] },
  { type: 'steer', input: [{ item: {} }] },
  { type: 'steer', input: [{ id: 'a', item: null }] },
  { type: 'steer', input: [{ id: 'a', item: {} }], mode: 'soon' },
  { type: 'steer', input: [{ id: 'a', item: {} }], mode: 'instant', cut: { 'turn.1/model#1': 'all' } },
  { type: 'steer', input: [{ id: 'a', item: {} }], path: ['run_test'] },
  { type: 'mail', input: [] },
  { type: 'mail', input: [{ id: 7, item: {} }] },
  { type: 'interrupt', reason: 'boredom', at: 0 },
  { type: 'interrupt', reason: 'user' },
  { type: 'interrupt', reason: 'user', at: 0, notice: 'yes' },
  { type: 'interrupt', reason: 'user', at: 0, partials: { 'turn.1/model#1': 1 } },
  { type: 'configure', maxTurns: -1 },
  { type: 'configure', maxTurns: 1.5 },
  { type: 'configure', maxTurns: '3' },
  { type: 'configure', errorHandlers: ['boredom'] },
  { type: 'configure', errorHandlers: 'maxTurns' },
  { type: 'configure', finalTurn: 1 },
  { type: 'configure', stopHooks: 'all' },
  { type: 'configure', stuckDetection: { failing: 3 } },
] as unknown as Command[]; // what a caller without types may send

const GOOD: Command[] = [
  { type: 'steer', input: [{ id: 'a', item: { type: 'message', role: 'user', content: 'More.' } }] },
  { type: 'steer', input: [{ id: 'a', item: { type: 'message', role: 'user', content: 'More.' } }], mode: 'instant', cut: { 'turn.1/model#1': [{ role: 'user', content: 'x' }] } },
  { type: 'steer', input: [{ id: 'a', item: { type: 'message', role: 'user', content: 'More.' }, staged: true }], path: 'run_test/agent.1' },
  { type: 'mail', input: [{ id: 'a', item: { type: 'message', role: 'user', content: 'Found it.' }, origin: 'mail' }] },
  { type: 'softStop' },
  { type: 'interrupt', reason: 'user', at: 0 },
  { type: 'interrupt', reason: 'replaced', at: 7, partials: { 'turn.1/model#1': 'Once' }, notice: false },
  { type: 'configure' },
  { type: 'configure', maxTurns: null },
  { type: 'configure', stopHooks: true, finalTurn: false, stuckDetection: { repetition: 4, failing: 3, monologue: 3, alternating: 6 } },
  { type: 'configure', maxTurns: 0, errorHandlers: ['maxTurns', 'modelRefusal', 'invalidFinalOutput'] },
];

/** A run whose model does not answer. */
async function sampling() {
  const host = new Host({
    runId: 'run_test',
    journal: new MemoryJournal(),
    clock: virtualClock(),
    effects: { run: () => new Promise(() => undefined), observe: () => undefined },
    causes: new Map(),
    onRest: () => undefined,
  });
  const input: RunInput = {
    path: 'run_test',
    agent: 'Assistant',
    prepared: { agent: 'Assistant', history: [], input: [], blocking: [], parallel: [], maxTurns: 10, session: false, errorHandlers: [], tellsErrors: false },
  };
  await host.start(input, {});
  return { host, entries: () => host.entries.map(({ type }) => type) };
}
