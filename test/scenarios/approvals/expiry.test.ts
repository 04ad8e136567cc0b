/** D7: nobody decided in time: the call is rejected with the reason, and the run goes on. */
import { Agent, type AgentOutputItem, MemoryJournal, type RunEvent, RunState, type RunToolApprovalItem, Runner, StaleStateError, UserError, applyPatchTool, approvalNeeded, computerTool, questionTool, run, shellTool, tool } from 'loopchart';
import { answered, calls, responds, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch } from '../support/cast.ts';
import { editor, screen, shell } from '../support/hands.ts';
import { brief, mortal } from '../support/mortal.ts';
import { START, type RunOptions, type Seen, type World, play } from '../support/scenario.ts';

const MINUTE = 60_000;
const EXPIRED = 'Nobody decided within 1 min, so the call was not carried out.';
const paying = (options: { expiresAfterMs?: number } = { expiresAfterMs: MINUTE }) =>
  tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), needsApproval: true, ...options, execute: () => 'paid' });
const onlyOne = (state: RunState<any, any>): RunToolApprovalItem => state.getInterruptions()[0]!;
const resolutionsIn = ({ events }: Seen) => events.flatMap((event) => (event.type === 'approval.resolved' ? [event.decision] : []));

/** A run that waits for a person and is kept alive by a tool beside it. */
function beside(world: World, tools: Agent<any, any>['tools'], options: RunOptions = {}, wanted: Parameters<typeof calls>[0] = ['pay']) {
  const held = latch<string>();
  const agent = new Agent({ name: 'Desk', model: world.model(calls(wanted as ['pay'], ['slow']), says('Done.')), tools: [...tools, counted('slow', () => held.promise).tool] });
  return { agent, going: world.begin(agent, 'go', options), open: () => held.open('slow') };
}

test('D7: the request says until when it waits; then the call is rejected with the reason, and the run goes on', async () => {
  const { seen, requests, value } = await play(async (world) => {
    const { going, open } = beside(world, [paying()]);
    const requested = await going.until('approval.requested') as Extract<RunEvent, { type: 'approval.requested' }>;
    await world.clock.advance(MINUTE - 1);
    const early = going.events.some(({ type }) => type === 'approval.resolved');
    await world.clock.advance(1);
    const late = going.events.find(({ type }) => type === 'approval.resolved')?.at;
    open();
    await going.settled;
    return { expiresAt: requested.expiresAt! - START, early, late: late! - START };
  });
  expect(value).toEqual({ expiresAt: MINUTE, early: false, late: MINUTE });
  expect([seen.outcome, resolutionsIn(seen)]).toEqual(['completed', ['expired']]);
  expect(requests[1]!.input.find((item) => 'callId' in item && item.type === 'function_call_result')).toEqual(answered('call_1', EXPIRED, 'pay'));
});

test('D7: decided in time, nothing expires and no timer is left', async () => {
  const { seen } = await play(async (world) => {
    const { going, open } = beside(world, [paying()]);
    await going.until('approval.requested');
    await world.clock.advance(MINUTE - 1);
    const state = await going.state;
    state.approve(onlyOne(state));
    await going.until((event) => event.type === 'tool.started' && event.call.name === 'pay');
    await world.clock.advance(MINUTE);
    open();
    return going.settled; // the play holds that no timer is left
  }, { only: 'streamed' });
  expect([seen.story[2], resolutionsIn(seen)]).toEqual(['Desk: gets pay "paid"', ['approve']]);
});

test('D7, D4: what is said when the time is over comes too late', async () => {
  const { value } = await play(async (world) => {
    const { going, open } = beside(world, [paying()]);
    await going.until('approval.requested');
    const state = await going.state;
    const item = onlyOne(state);
    await world.clock.advance(MINUTE);
    const refused = (() => {
      try {
        state.approve(item);
        return 'accepted';
      } catch (error) {
        return (error as Error).constructor;
      }
    })() === StaleStateError;
    open();
    await going.settled;
    return refused;
  }, { only: 'streamed' });
  expect(value).toBe(true);
});

test('D7: a question, a body that asked and a call of hands expire like an approval', async () => {
  const ask = questionTool({ name: 'ask', description: 'Asks.', parameters: z.object({}), questions: () => [{ text: 'Well?' }], expiresAfterMs: 1_500 });
  const buy = tool({ name: 'buy', description: 'Buys.', parameters: z.object({}), expiresAfterMs: 2_000, execute: () => Promise.reject(approvalNeeded('it costs 500')) });
  const { seen } = await play(async (world) => {
    const held = latch<string>();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['ask'], ['buy'], ['slow']), says('Done.')), tools: [ask, buy, counted('slow', () => held.promise).tool] });
    const going = world.begin(agent, 'go');
    await going.until((event) => event.type === 'approval.requested' && event.call.name === 'buy');
    await world.clock.advance(2_000);
    held.open('slow');
    return going.settled;
  });
  expect(seen.story.slice(3, 5)).toEqual([
    'Desk: gets ask "Nobody answered within 1500 ms, so the call was not carried out."', 'Desk: gets buy "Nobody decided within 2 s, so the call was not carried out."',
  ]);
  expect(resolutionsIn(seen)).toEqual(['expired', 'expired']);
});

test('D7: the run says how long calls wait where the tool does not; runner, nested agents and hands included', async () => {
  const waits = async (world: World, options: RunOptions, tools: Agent<any, any>['tools']) => {
    const nested = new Agent({ name: 'Clerk', model: world.model(calls('pay')), tools });
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['pay'], ['Clerk', { input: 'pay' }])), tools: [...tools, nested.asTool({})] });
    const seen = await world.run(agent, 'go', options);
    return seen.state.getInterruptions().map(({ expiresAt }) => (expiresAt === undefined ? undefined : expiresAt - START));
  };
  const { value } = await play(async (world) => [
    await waits(world, { approvalExpiresAfterMs: 5_000 }, [paying({})]),
    await waits(world, { runner: new Runner({ approvalExpiresAfterMs: 6_000 }) }, [paying({})]),
    await waits(world, { approvalExpiresAfterMs: 5_000 }, [paying()]),
    await waits(world, {}, [paying({})]),
  ]);
  expect(value).toEqual([[5_000, 5_000], [6_000, 6_000], [MINUTE, MINUTE], [undefined, undefined]]);
  const hands = await play(async (world) => {
    const call: AgentOutputItem = { type: 'shell_call', callId: 'call_sh', status: 'completed', action: { commands: ['ls'] } };
    const agent = new Agent({ name: 'Hand', model: world.model(responds(call), says('Done.')), tools: [shellTool({ shell: shell([]), needsApproval: true })] });
    const { state } = await world.run(agent, 'go', { approvalExpiresAfterMs: 5_000 });
    await world.clock.advance(5_000);
    return world.run(agent, state, { approvalExpiresAfterMs: 5_000 });
  });
  const own = { expiresAfterMs: 7 };
  const made = [shellTool({ shell: shell([]), ...own }), applyPatchTool({ editor: editor([]), ...own }), computerTool({ computer: screen([]), ...own }), new Agent({ name: 'Clerk' }).asTool(own)];
  expect(made.map(({ expiresAfterMs }) => expiresAfterMs)).toEqual([7, 7, 7, 7]);
  expect(hands.seen.history.at(-2)).toMatchObject({ type: 'shell_call_output', output: [{ stderr: 'Nobody decided within 5 s, so the call was not carried out.' }] });
});

test('D7, O6: a run that is at rest expires when it goes on too late, whatever was said in the meantime; in time it does not', async () => {
  for (const [gap, expected, said] of [[MINUTE - 1, 'paid', 'approve'], [MINUTE, EXPIRED, 'approve'], [3_600_000, EXPIRED, 'approve'], [3_600_000, EXPIRED, undefined], [3_600_000, 'No.', 'reject']] as const) {
    const { runs } = await play(async (world) => {
      const agent = new Agent({ name: 'Desk', model: world.model(calls('pay'), says('Done.')), tools: [paying()] });
      const { state } = await world.run(agent, 'go');
      if (said === 'approve') state.approve(onlyOne(state));
      if (said === 'reject') state.reject(onlyOne(state), { message: 'No.' });
      await world.clock.advance(gap);
      return world.run(agent, state);
    });
    expect([gap, said, runs[1]!.outcome, runs[1]!.story[1]]).toEqual([gap, said, 'completed', `Desk: gets pay "${expected}"`]);
  }
});

test('D7: gone on with before the time is over and without a decision, it still waits until the same moment', async () => {
  const { value } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls('pay')), tools: [paying()] });
    const first = await world.run(agent, 'go');
    await world.clock.advance(1_000);
    const second = await world.run(agent, first.state);
    const copy = await RunState.fromString<undefined, Agent<any, any>>(agent, second.state.toString());
    return [first.state, second.state, copy].map((state) => onlyOne(state).expiresAt! - START);
  });
  expect(value).toEqual([MINUTE, MINUTE, MINUTE]);
});

test.each([[0, MINUTE - 1_000], [30_000, MINUTE - 31_000], [MINUTE, 0], [3_600_000, 0]])('D7, O6: with the process gone for %i ms, a call that waits beside one at work expires after %i ms more', async (gap, left) => {
  const { seen, value } = await play(async (world) => {
    const first = mortal();
    const held = latch<string>();
    const slow = tool({ name: 'slow', description: 'Slow.', parameters: z.object({}), effect: 'pure', execute: () => held.promise });
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['pay'], ['slow']), says('Done.')), tools: [paying(), slow] });
    world.begin(agent, 'go', { journal: first.journal });
    await world.clock.advance(1_000);
    first.die();
    await world.clock.advance(gap);
    const journal = first.left('run_test');
    const going = world.goOn('run_test', { journal, agents: agent });
    await world.clock.settle();
    const before = brief(journal, 'run_test').filter((entry) => entry.startsWith('decide')).length;
    await world.clock.advance(left);
    const after = brief(journal, 'run_test').filter((entry) => entry.startsWith('decide'));
    held.open('slow');
    await going.settled;
    return { before, after };
  });
  expect(value).toEqual({ before: left === 0 ? 1 : 0, after: ['decide toolCall.1.0/approval#1'] });
  expect([seen.outcome, seen.story[2]]).toEqual(['completed', `Desk: gets pay "${EXPIRED}"`]);
});

test('D7: the expiry is an entry of the journal: a replay rejects again, and asks no clock', async () => {
  const { value } = await play(async (world) => {
    const journal = new MemoryJournal();
    const { going, open, agent } = beside(world, [paying()], { journal });
    await going.until('approval.requested');
    await world.clock.advance(MINUTE);
    open();
    const seen = await going.settled;
    const again = await world.resume('run_test', { journal, agents: agent });
    return { same: JSON.stringify(again.newItems) === JSON.stringify(seen.newItems), decide: journal.read('run_test').flatMap((entry) => (entry.type === 'decide' ? [entry.decision] : [])) };
  });
  expect(value).toEqual({ same: true, decide: [{ decision: 'reject', message: EXPIRED, expired: true }] });
});

test('D7: a checkpoint keeps until when a call waits that began to wait before the run came to rest', async () => {
  const { value } = await play(async (world) => {
    const journal = new MemoryJournal();
    const { going, open, agent } = beside(world, [paying()], { journal, checkpointEvery: 1 });
    await going.until('approval.requested');
    await world.clock.advance(10_000);
    open();
    await going.settled;
    const kept = journal.readCheckpoint('run_test') !== undefined;
    const again = await world.resume('run_test', { journal, agents: agent });
    return { kept, expiresAt: onlyOne(again.state).expiresAt! - START };
  });
  expect(value).toEqual({ kept: true, expiresAt: MINUTE });
});

test('D7, J2: an interrupt withdraws what would have expired, and leaves no timer', async () => {
  const { seen } = await play(async (world) => {
    const { going } = beside(world, [paying()], { graceMs: 0 });
    await going.until('approval.requested');
    going.interrupt();
    await world.clock.runAll();
    return going.settled; // the play holds that no timer is left
  });
  expect(resolutionsIn(seen)).toEqual(['withdrawn']);
});

test('D7: a time longer than timers can be is waited for all the same', async () => {
  const clock = virtualClock(START);
  const days = 40 * 24 * 3_600_000;
  const armed: number[] = [];
  const watched = { now: () => clock.now(), setTimeout: (callback: () => void, ms: number) => (armed.push(ms), clock.setTimeout(callback, ms)), clearTimeout: (timer: unknown) => clock.clearTimeout(timer) };
  const held = latch<string>();
  const agent = new Agent({ name: 'Desk', model: scriptedModel(calls(['pay'], ['slow']), says('Done.')), tools: [paying({ expiresAfterMs: days }), counted('slow', () => held.promise).tool] });
  const result = run(agent, 'go', { clock: watched });
  await clock.settle();
  await clock.advance(days - 1);
  const before = armed.slice();
  await clock.advance(1);
  held.open('slow');
  expect((await result).newItems.map((item) => JSON.stringify(item)).some((item) => item.includes('Nobody decided within 960 h'))).toBe(true);
  expect(before).toEqual([2_147_483_647, days - 2_147_483_647]);
});

test('D7: what is no time is refused where it is declared', async () => {
  for (const expiresAfterMs of [0, -1, Number.NaN, Infinity, '5' as never]) {
    expect(() => paying({ expiresAfterMs })).toThrow(new UserError(`expiresAfterMs of tool 'pay' must be a number of milliseconds above 0, got ${String(expiresAfterMs)}.`));
    await expect(run(new Agent({ name: 'Desk', model: scriptedModel() }), 'go', { approvalExpiresAfterMs: expiresAfterMs })).rejects.toThrow(UserError);
  }
});
