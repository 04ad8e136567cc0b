import { MemoryJournal, UserError } from 'loopchart';
import { virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { Host } from '../../../actors/host.ts';
import type { Command } from '../../../machines/protocol/command.ts';
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
  expect(entries()).toEqual(['run.start', 'command']);
});

test('an event of XState itself is refused, and so is what is no command', async () => {
  const { host, entries } = await sampling();
  const bad = [
    { type: 'xstate.done.actor.agent.1', output: {} },
    { type: 'toString' },
    { type: 'steer', input: [] },
    { type: 'steer', input: [{ item: {} }] },
    { type: 'interrupt', reason: 'boredom', at: 0 },
    { type: 'configure', maxTurns: -1 },
  ] as unknown as Command[]; // what a caller without types may send
  for (const command of bad) expect(() => host.command(command)).toThrow(UserError);
  expect(entries()).toEqual(['run.start']);
  expect(host.outcome).toBeNull();
});

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
