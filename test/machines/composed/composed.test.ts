import { describe, expect, test } from 'vitest';
import { askingDesk, hurriedDesk, nestedDesk, supportDesk } from './scenarios.ts';
import { type ComposedWalk, walkComposed } from './walk.ts';

/**
 * `LOOPCHART_EXPLORE=all` walks the largest scenario to its end; without it, as far as this many states.
 */
const MOST = process.env['LOOPCHART_EXPLORE'] === 'all' ? Infinity : 2_500;

const report = (name: string, { states, edges, longest, ends, isWhole, ms }: ComposedWalk) =>
  console.log(`${name}: ${states} states, ${edges} edges, up to ${longest} entries, ${ms} ms${isWhole ? '' : ' (not all)'}; ends ${JSON.stringify(ends)}`);

/**
 * Two agents, a handoff between them, two calls side by side of which one waits for a person, two guardrails beside the first
 * model call; each effect ends in any order, and a steer, a soft stop and an interrupt come at any point.
 */
describe('the composed charts in every order: G3, I2, J2, J4, C3, D1, D6, B1, L3, P1, O1 hold in each state, and every run settles', { timeout: 120_000 }, () => {
  test('guardrails, approvals, a handoff, all commands', async () => {
    const walk = await walkComposed(supportDesk('desk'));
    report('desk', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(Object.keys(walk.ends).sort()).toEqual(['completed', 'failed', 'interrupted', 'stopped']);
    expect(walk.states).toBeGreaterThan(300);
  });

  test('with a session, output guardrails, and an expert who calls tools of its own, up to the limit of turns', async () => {
    const walk = await walkComposed(supportDesk('acting', { session: true, guardsOutput: true, expertActs: true, maxTurns: 3 }));
    report('acting', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(walk.states).toBeGreaterThan(900);
  });

  test('with models, bodies, saves, guardrails and filters that fail, and retries', async () => {
    const walk = await walkComposed(supportDesk('failing', { session: true, retries: true, fails: ['model', 'execute', 'session', 'inputGuardrail', 'handoffFilter'] }));
    report('failing', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(walk.states).toBeGreaterThan(1_400);
  });

  test('D1, F5: with an agent that works for another and has a call that waits for a person', async () => {
    const walk = await walkComposed(nestedDesk('nested', { fails: ['model', 'prepare'] }));
    report('nested', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(walk.states).toBeGreaterThan(250);
  });

  test('E6, M4, M5, B1: with guardrails for what joins, stop hooks, mail, and a last turn without tools', async () => {
    const walk = await walkComposed(supportDesk('steered', { steered: true, guardsOutput: true, parallel: [], commands: ['steer', 'mail', 'interrupt'], decisions: [{ decision: 'approve' }] }));
    report('steered', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(walk.states).toBeGreaterThan(700);
  });

  test('D7, D8, D9, F5: with an agent that works for another, asks the person, and has a body that asks before it does anything', async () => {
    const walk = await walkComposed(askingDesk('asking', { deaths: 1 }));
    report('asking', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(Object.keys(walk.ends).sort()).toEqual(['completed', 'interrupted', 'stopped']);
    expect(walk.states).toBeGreaterThan(100);
  });

  test('O3: with tools that it is harmful to run twice, and a process that dies while they are at work', async () => {
    const walk = await walkComposed(supportDesk('dying', { parallel: [], commands: ['softStop', 'interrupt'], deaths: 2 }));
    report('dying', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(walk.states).toBeGreaterThan(300);
  });

  test('C4, L2: with calls that begin while the model streams, and a steer that cuts its answer', async () => {
    const walk = await walkComposed(hurriedDesk('hurried', { parallel: ['g0'], retries: true, fails: ['model', 'execute'], decisions: [{ decision: 'approve' }, { decision: 'reject' }] }));
    report('hurried', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(walk.states).toBeGreaterThan(1_000);
  });

  test('C4, O3: the same with tools that it is harmful to run twice, and a process that dies while they are at work', async () => {
    const walk = await walkComposed(hurriedDesk('hurriedDying', { parallel: [], commands: ['steer', 'interrupt'], deaths: 1, decisions: [{ decision: 'approve' }] }));
    report('hurriedDying', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(walk.states).toBeGreaterThan(200);
  });

  test('N1, N2: with a conversation that is summed up because it is long, and because somebody asks', async () => {
    const walk = await walkComposed(supportDesk('compacting', { parallel: ['g0'], session: true, limit: 60, fails: ['compactor'], decisions: [{ decision: 'approve' }], commands: ['steer', 'softStop', 'compact', 'interrupt'] }));
    report('compacting', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(walk.states).toBeGreaterThan(500);
  });

  test('N2: with a request that does not fit, before anybody had expected it', async () => {
    const walk = await walkComposed(supportDesk('overflowing', { parallel: [], limit: 1_000_000, overflows: true, fails: ['compactor'], commands: ['steer', 'softStop', 'interrupt'] }));
    report('overflowing', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.isWhole).toBe(true);
    expect(walk.states).toBeGreaterThan(150);
  });

  test('with all of it at once', { timeout: 600_000 }, async () => {
    const fails = ['model', 'execute', 'session', 'inputGuardrail', 'handoffFilter', 'toolGuardrail', 'approvalPolicy'] as const;
    const walk = await walkComposed(supportDesk('all', { session: true, guardsOutput: true, expertActs: true, retries: true, fails: [...fails] }), MOST);
    report('all', walk);
    expect(walk.problems).toEqual([]);
    expect(walk.states).toBeGreaterThanOrEqual(MOST === Infinity ? 4_000 : MOST);
  });
});
