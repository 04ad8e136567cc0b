import { describe, expect, test } from 'vitest';
import { mostStates } from './bounds.ts';
import { type Scenario, askingDesk, hurriedDesk, nestedDesk, supportDesk } from './scenarios.ts';
import { walkComposed } from './walk.ts';

const MOST = mostStates(150);

/** @param atLeast states that there are, all in all. */
async function walked(scenario: Scenario, atLeast: number, ends?: string[]): Promise<void> {
  const walk = await walkComposed(scenario, MOST);
  const { states, edges, longest, isWhole, ms } = walk;
  console.log(`${scenario.name}: ${states} states, ${edges} edges, up to ${longest} entries, ${ms} ms${isWhole ? '' : ' (not all)'}; ends ${JSON.stringify(walk.ends)}`);
  expect(walk.problems).toEqual([]);
  expect(states).toBeGreaterThan(Math.min(atLeast, MOST - 1));
  if (isWhole && ends) expect(Object.keys(walk.ends).sort()).toEqual(ends);
}

/**
 * Two agents, a handoff between them, two calls side by side of which one waits for a person, two guardrails beside the first
 * model call; each effect ends in any order, and a steer, a soft stop and an interrupt come at any point.
 */
describe('the composed charts in every order: G3, I2, J2, J4, C3, D1, D6, B1, L3, P1, O1 hold in each state, and every run settles', { timeout: 120_000 }, () => {
  test('guardrails, approvals, a handoff, all commands', async () => {
    await walked(supportDesk('desk'), 300, ['completed', 'failed', 'interrupted', 'stopped']);
  });

  test('with a session, output guardrails, and an expert who calls tools of its own, up to the limit of turns', async () => {
    await walked(supportDesk('acting', { session: true, guardsOutput: true, expertActs: true, maxTurns: 3 }), 900);
  });

  test('with models, bodies, saves, guardrails and filters that fail, and retries', async () => {
    await walked(supportDesk('failing', { session: true, retries: true, fails: ['model', 'execute', 'session', 'inputGuardrail', 'handoffFilter'] }), 1_400);
  });

  test('D1, F5: with an agent that works for another and has a call that waits for a person', async () => {
    await walked(nestedDesk('nested', { fails: ['model', 'prepare'] }), 250);
  });

  test('E6, M4, M5, B1: with guardrails for what joins, stop hooks, mail, and a last turn without tools', async () => {
    await walked(supportDesk('steered', { steered: true, guardsOutput: true, parallel: [], commands: ['steer', 'mail', 'interrupt'], decisions: [{ decision: 'approve' }] }), 700);
  });

  test('D7, D8, D9, F5: with an agent that works for another, asks the person, and has a body that asks before it does anything', async () => {
    await walked(askingDesk('asking', { deaths: 1 }), 100, ['completed', 'interrupted', 'stopped']);
  });

  test('O3: with tools that it is harmful to run twice, and a process that dies while they are at work', async () => {
    await walked(supportDesk('dying', { parallel: [], commands: ['softStop', 'interrupt'], deaths: 2 }), 300);
  });

  test('C4, L2: with calls that begin while the model streams, and a steer that cuts its answer', async () => {
    await walked(hurriedDesk('hurried', { parallel: ['g0'], retries: true, fails: ['model', 'execute'], decisions: [{ decision: 'approve' }, { decision: 'reject' }] }), 1_000);
  });

  test('C4, O3: the same with tools that it is harmful to run twice, and a process that dies while they are at work', async () => {
    await walked(hurriedDesk('hurriedDying', { parallel: [], commands: ['steer', 'interrupt'], deaths: 1, decisions: [{ decision: 'approve' }] }), 200);
  });

  test('N1, N2: with a conversation that is summed up because it is long, and because somebody asks', async () => {
    await walked(supportDesk('compacting', { parallel: ['g0'], session: true, limit: 60, fails: ['compactor'], decisions: [{ decision: 'approve' }], commands: ['steer', 'softStop', 'compact', 'interrupt'] }), 500);
  });

  test('N2: with a request that does not fit, before anybody had expected it', async () => {
    await walked(supportDesk('overflowing', { parallel: [], limit: 1_000_000, overflows: true, fails: ['compactor'], commands: ['steer', 'softStop', 'interrupt'] }), 150);
  });

  test('with all of it at once', { timeout: 600_000 }, async () => {
    const fails = ['model', 'execute', 'session', 'inputGuardrail', 'handoffFilter', 'toolGuardrail', 'approvalPolicy'] as const;
    await walked(supportDesk('all', { session: true, guardsOutput: true, expertActs: true, retries: true, fails: [...fails] }), 4_000);
  });
});
