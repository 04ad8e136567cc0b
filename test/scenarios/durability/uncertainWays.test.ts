/** O3 in company: nested agents, guardrails, decisions for always, stops and interrupts around a call of which nobody knows. */
import { Agent, MemoryJournal, RunState, ToolGuardrailFunctionOutputFactory, UserError, defineToolOutputGuardrail, tool } from 'loopchart';
import { answered, calls, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { MAY_HAVE_COMPLETED, latch } from '../support/cast.ts';
import { brief } from '../support/mortal.ts';
import { play } from '../support/scenario.ts';
import { Till, killed, payDesk } from '../support/till.ts';

const onlyOne = (state: RunState<any, any>) => state.getInterruptions()[0]!;
const PATH = 'run_test/agent.1/turn.1/toolCall.1.0';

test('O3, F5: inside a nested agent it waits on the outer run, and the nested run goes on where it was', async () => {
  const { seen, value, requests } = await play(async (world) => {
    const till = new Till();
    const clerk = new Agent({ name: 'Clerk', model: world.model(calls('pay', { order: 7 }), says('Clerk is done.')), tools: [till.pay({})] });
    const desk = new Agent({ name: 'Desk', model: world.model(calls('Clerk', { input: 'pay' }), says('Done.')), tools: [clerk.asTool({})] });
    const waiting = await world.resume('run_test', await killed(world, desk, till));
    const { path, uncertain } = onlyOne(waiting.state);
    waiting.state.approve(onlyOne(waiting.state));
    await world.run(desk, waiting.state);
    return { path, uncertain, effects: till.effects };
  });
  const nested = `${PATH}/run/agent.1/turn.1/toolCall.1.0`;
  expect([seen.finalOutput, requests.length]).toEqual(['Done.', 4]);
  expect(value).toEqual({ path: [PATH, 'agent.1/turn.1/toolCall.1.0'], uncertain: true, effects: [`${nested}/execute#1`, `${nested}/execute#2`] });
});

test.each(['found by its check', 'known to a person'] as const)('O3, E4: what is %s passes the output guardrails like what a body brings', async (how) => {
  const { seen, requests } = await play(async (world) => {
    const till = new Till();
    const noSecrets = defineToolOutputGuardrail({
      name: 'no secrets',
      run: async ({ output }) => (String(output).includes('secret') ? ToolGuardrailFunctionOutputFactory.rejectContent('Withheld.') : ToolGuardrailFunctionOutputFactory.allow()),
    });
    const pay = how === 'found by its check' ? till.pay({ effect: 'reconcilable', outputGuardrails: [noSecrets] }, () => ({ happened: true, result: 'a secret' })) : till.pay({ outputGuardrails: [noSecrets] });
    const desk = payDesk(world, pay);
    const resumed = await world.resume('run_test', await killed(world, desk, till));
    if (how === 'found by its check') return resumed;
    resumed.state.useResult(onlyOne(resumed.state), 'a secret');
    return world.run(desk, resumed.state);
  });
  expect([seen.finalOutput, seen.guardrails]).toEqual(['Done.', ['no secrets']]);
  expect(requests[1]!.input.at(-1)).toEqual(answered('call_1', 'Withheld.', 'pay'));
});

test('O3, D2: approved for always is no approval of a call that may have been carried out, and to run that again approves nothing else', async () => {
  const { runs, value } = await play(async (world) => {
    const till = new Till();
    const desk = new Agent({ name: 'Desk', model: world.model(calls('pay', { order: 1 }), calls('pay', { order: 2 }), says('Done.')), tools: [till.pay({ needsApproval: true })] });
    const journal = new MemoryJournal();
    const first = await world.run(desk, 'go', { journal });
    first.state.approve(onlyOne(first.state), { alwaysApprove: true });
    const uncertain = await world.resume('run_test', await killed(world, desk, till, first.state));
    const asked = onlyOne(uncertain.state);
    uncertain.state.approve(asked);
    await world.run(desk, uncertain.state);
    return [asked.uncertain, till.effects];
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['waiting', 'waiting', 'completed']);
  expect(value).toEqual([true, [`${PATH}/execute#1`, `${PATH}/execute#2`, 'run_test/agent.1/turn.2/toolCall.1.0/execute#1']]);
});

test('O3, D2: that an uncertain call runs again, said for always, holds for that call alone', async () => {
  const { runs, value } = await play(async (world) => {
    const till = new Till();
    const desk = new Agent({ name: 'Desk', model: world.model(calls('pay', { order: 1 }), calls('pay', { order: 2 }), says('Done.')), tools: [till.pay({ needsApproval: true })] });
    const first = await world.run(desk, 'go');
    first.state.approve(onlyOne(first.state));
    const uncertain = await world.resume('run_test', await killed(world, desk, till, first.state));
    uncertain.state.approve(onlyOne(uncertain.state), { alwaysApprove: true });
    const { state } = await world.run(desk, uncertain.state);
    return [state.getInterruptions().map((item) => [item.arguments, item.uncertain]), till.effects.length];
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['waiting', 'waiting', 'waiting']);
  expect(value).toEqual([[['{"order":2}', undefined]], 2]);
});

test('O3: edited arguments are refused for a call that may have been carried out with others; so is a result for one that has not begun', async () => {
  const { value } = await play(async (world) => {
    const till = new Till();
    const desk = new Agent({ name: 'Desk', model: world.model(calls('pay', { order: 7 })), tools: [till.pay({ needsApproval: true })] });
    const first = await world.run(desk, 'go');
    const messages: string[] = [];
    const refused = (attempt: () => void) => {
      try {
        attempt();
      } catch (error) {
        if (error instanceof UserError) messages.push(error.message);
      }
    };
    refused(() => first.state.useResult(onlyOne(first.state), 'paid'));
    first.state.approve(onlyOne(first.state));
    const uncertain = await world.resume('run_test', await killed(world, desk, till, first.state));
    refused(() => uncertain.state.approve(onlyOne(uncertain.state), { arguments: { order: 8 } }));
    return { messages, effects: till.effects.length };
  });
  expect(value).toEqual({ messages: [expect.stringContaining('has not run yet'), expect.stringContaining('cannot be changed')], effects: 1 });
});

test.each(['object', 'text'] as const)('O3, J1, K5: stopped while it is uncertain, the call is kept with its key, and asked about again by the run that goes on (%s)', async (form) => {
  const { runs, value } = await play(async (world) => {
    const till = new Till();
    const desk = payDesk(world, till.pay({}));
    const journal = new MemoryJournal();
    const stopped = await world.resume('run_test', { ...(await killed(world, desk, till)), stopSignal: AbortSignal.abort() });
    const from = form === 'object' ? stopped.state : await RunState.fromString<undefined, Agent<any, any>>(desk, stopped.state.toString());
    const waiting = await world.run(desk, from, { journal });
    const asked = onlyOne(waiting.state);
    waiting.state.approve(asked);
    await world.run(desk, waiting.state);
    return { uncertain: asked.uncertain, keys: till.keys, bodies: till.effects.length, entries: brief(journal, waiting.state.runId).filter((line) => line.startsWith('effect.started')) };
  });
  expect(runs.map(({ outcome, finalOutput }) => [outcome, finalOutput])).toEqual([['stopped', undefined], ['waiting', undefined], ['completed', 'Done.']]);
  expect(value).toEqual({ uncertain: true, keys: [`${PATH}/execute`, `${PATH}/execute`], bodies: 2, entries: ['effect.started toolCall.1.0/execute#2'] });
});

test('O3, K5: when a sibling fails the run, an uncertain call is asked about by the run that goes on; it is not simply run again', async () => {
  const { runs, value } = await play(async (world) => {
    const till = new Till();
    let works = false;
    const wait = latch();
    const slow = tool({ name: 'slow', description: 'Fails late, once.', parameters: z.object({}), effect: 'idempotent', errorFunction: null, execute: async () => { await wait.promise; if (!works) throw new Error('broken'); return 'ok'; } });
    const desk = new Agent({ name: 'Desk', model: world.model(calls(['pay', { order: 7 }], ['slow', {}]), says('Done.')), tools: [till.pay({}), slow] });
    const home = await killed(world, desk, till);
    wait.open();
    const failed = await world.resume('run_test', home);
    works = true;
    const waiting = await world.run(desk, failed.state);
    const bodies = till.effects.length;
    waiting.state.useResult(onlyOne(waiting.state), 'paid 7');
    await world.run(desk, waiting.state);
    return { asked: waiting.interruptions.map(({ name }) => name), bodies };
  });
  expect(runs.map(({ outcome, error }) => [outcome, error?.name])).toEqual([['failed', 'ToolCallError'], ['waiting', undefined], ['completed', undefined]]);
  expect(value).toEqual({ asked: ['pay'], bodies: 1 });
});

test.each(['a person is asked', 'its tool looks it up'] as const)('O3, C8: interrupted while %s, the call says that it may have completed', async (how) => {
  const { seen, value } = await play(async (world) => {
    const till = new Till();
    const looks = latch();
    const desk = payDesk(world, how === 'a person is asked' ? till.pay({}) : till.pay({ effect: 'reconcilable' }, () => (looks.open(), new Promise(() => undefined))));
    const home = await killed(world, desk, till);
    if (how === 'a person is asked') {
      const waiting = await world.resume('run_test', home);
      await world.run(desk, waiting.state, { signal: AbortSignal.abort() });
    } else {
      const going = world.goOn('run_test', home);
      await looks.promise;
      going.interrupt();
      await world.clock.runAll();
      await going.settled;
    }
    return till.effects.length;
  });
  expect([seen.outcome, seen.story[1], value]).toEqual(['interrupted', `Desk: gets pay "aborted by user after 0.0s. ${MAY_HAVE_COMPLETED}"`, 1]);
});

test('O3: when the body that runs again is lost too, a person is asked once more', async () => {
  const { runs, value } = await play(async (world) => {
    const till = new Till();
    const desk = payDesk(world, till.pay({}));
    const home = await killed(world, desk, till);
    till.breakDown();
    const waiting = await world.resume('run_test', home);
    waiting.state.approve(onlyOne(waiting.state));
    const again = await world.resume('run_test', await killed(world, desk, till, waiting.state));
    const { id } = onlyOne(again.state);
    again.state.approve(onlyOne(again.state));
    await world.run(desk, again.state);
    return [id, till.effects.map((effect) => effect?.slice(-2))];
  });
  expect(runs.at(-1)!.finalOutput).toBe('Done.');
  expect(value).toEqual([`${PATH}/uncertain#2`, ['#1', '#2', '#3']]);
});

test.each(['its time limit', 'a guardrail on its output'] as const)('O3, K5: when %s fails the run, whoever goes on is asked about a harmful call', async (what) => {
  const { runs, value } = await play(async (world) => {
    const till = new Till();
    if (what !== 'its time limit') till.mend();
    const strict = defineToolOutputGuardrail({ name: 'strict', run: async () => (till.effects.length > 1 ? ToolGuardrailFunctionOutputFactory.allow() : ToolGuardrailFunctionOutputFactory.throwException()) });
    const desk = payDesk(world, what === 'its time limit' ? till.pay({ timeoutMs: 50, timeoutBehavior: 'raise_exception' }) : till.pay({ outputGuardrails: [strict] }));
    const going = world.begin(desk, 'go');
    await world.clock.advance(50);
    const failed = await going.settled;
    till.mend();
    const waiting = await world.run(desk, await RunState.fromString<undefined, Agent<any, any>>(desk, failed.state.toString()));
    const before = till.effects.length;
    waiting.state.approve(onlyOne(waiting.state));
    await world.run(desk, waiting.state);
    return { asked: waiting.interruptions.map(({ name }) => name), before, keys: till.keys };
  });
  expect(runs.map(({ outcome, finalOutput }) => [outcome, finalOutput])).toEqual([['failed', undefined], ['waiting', undefined], ['completed', 'Done.']]);
  expect(value).toEqual({ asked: ['pay'], before: 1, keys: Array(2).fill(`${PATH}/execute`) });
});
