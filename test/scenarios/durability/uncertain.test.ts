/** O3: what becomes of a call whose process ended while its body was at work. */
import { Agent, RunState, type RunToolApprovalItem, type ToolEffectCheck } from 'loopchart';
import { answered, asked, inputOf } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import { MAY_HAVE_COMPLETED } from '../support/cast.ts';
import { brief } from '../support/mortal.ts';
import { Till, killed, payDesk } from '../support/till.ts';
import { type World, play } from '../support/scenario.ts';

const PATH = 'run_test/agent.1/turn.1/toolCall.1.0';

describe('a call found started and unfinished', () => {
  test.each(['pure', 'idempotent'] as const)('O3: a tool that is %s is run again, told the same key and the same id', async (effect) => {
    const { seen, value } = await play(async (world) => {
      const till = new Till();
      const home = await killed(world, payDesk(world, till.pay({ effect })), till);
      await world.resume('run_test', home);
      return { keys: till.keys, effects: till.effects, entries: brief(home.journal, 'run_test') };
    });
    expect(seen.finalOutput).toBe('Done.');
    expect(value).toEqual({
      keys: Array(2).fill(`${PATH}/execute`),
      effects: Array(2).fill(`${PATH}/execute#1`),
      entries: ['run.start', 'effect.done turn.1/model#1', 'effect.done toolCall.1.0/execute#1', 'effect.done turn.2/model#1', 'run.rest'],
    });
  });

  test('O3: a tool that can look it up is asked by the key: what happened is the result, and no body runs', async () => {
    const { seen, requests, value } = await play(async (world) => {
      const till = new Till();
      const home = await killed(world, payDesk(world, till.pay({ effect: 'reconcilable' }, () => ({ happened: true, result: 'paid 7, it is in the books' }))), till);
      await world.resume('run_test', home);
      return { runs: till.effects, checked: till.checked, entries: brief(home.journal, 'run_test').slice(2) };
    });
    expect(seen.finalOutput).toBe('Done.');
    expect(requests[1]!.input).toEqual(inputOf('go', asked('pay', { order: 7 }, 'call_1'), answered('call_1', 'paid 7, it is in the books')));
    expect(value).toEqual({
      runs: [`${PATH}/execute#1`],
      checked: [`${PATH}/execute`],
      entries: ['effect.started toolCall.1.0/execute#1', 'effect.lost toolCall.1.0/execute#1', 'effect.done toolCall.1.0/reconcile#1', 'effect.done turn.2/model#1', 'run.rest'],
    });
  });

  test('O3: a tool that finds that nothing happened is run once more, as #2 and by the same key', async () => {
    const { seen, requests, value } = await play(async (world) => {
      const till = new Till();
      await world.resume('run_test', await killed(world, payDesk(world, till.pay({ effect: 'reconcilable' }, () => ({ happened: false }))), till));
      return [till.effects, till.keys];
    });
    expect([seen.finalOutput, requests[1]!.input.at(-1)]).toEqual(['Done.', answered('call_1', 'paid 7', 'pay')]);
    expect(value).toEqual([[`${PATH}/execute#1`, `${PATH}/execute#2`], Array(2).fill(`${PATH}/execute`)]);
  });

  const UNFOUND: Record<string, () => ToolEffectCheck | Promise<ToolEffectCheck>> = {
    'that does not know': () => ({ happened: 'unknown' }),
    'whose check throws': () => { throw new Error('the books are closed'); },
    'whose check rejects': () => Promise.reject(new Error('the books are closed')),
  };
  test.each(Object.keys(UNFOUND))('O3: of a tool %s a person is asked', async (kind) => {
    const { seen, value } = await play(async (world) => {
      const till = new Till();
      const waiting = await world.resume('run_test', await killed(world, payDesk(world, till.pay({ effect: 'reconcilable' }, UNFOUND[kind])), till));
      return [till.effects.length, waiting.state.getInterruptions().map(({ id, uncertain }) => [id, uncertain])];
    });
    expect(seen.outcome).toBe('waiting');
    expect(value).toEqual([1, [[`${PATH}/uncertain#1`, true]]]);
  });

  test('O3: an irreversible tool waits for a person and says that it is uncertain; no model is asked, no body runs', async () => {
    const { seen, requests, value } = await play(async (world) => {
      const till = new Till();
      const waiting = await world.resume('run_test', await killed(world, payDesk(world, till.pay({})), till));
      return [till.effects.length, (waiting.state.getInterruptions()[0] as RunToolApprovalItem).toJSON()];
    });
    expect([seen.outcome, requests.length]).toEqual(['waiting', 1]);
    expect(value).toEqual([1, expect.objectContaining({ type: 'tool_approval_item', id: `${PATH}/uncertain#1`, toolName: 'pay', uncertain: true })]);
    expect(seen.events.filter(({ type }) => type === 'approval.requested')).toMatchObject([{ id: `${PATH}/uncertain#1`, uncertain: true }]);
  });
});

/** What a person says of the call. */
type Answer = (state: Awaited<ReturnType<World['run']>>['state'], item: RunToolApprovalItem) => void;

const ANSWERS: Record<string, { say: Answer; text: string; runs: number }> = {
  'run again, it runs as #2': { say: (state, item) => state.approve(item), text: 'paid 7', runs: 2 },
  'said to have brought a text, that is its result': { say: (state, item) => state.useResult(item, 'paid 7 by hand'), text: 'paid 7 by hand', runs: 1 },
  'said to have brought an object, it reads like one of the body': { say: (state, item) => state.useResult(item, { paid: 7 }), text: '{"paid":7}', runs: 1 },
  'given up without a word, the model reads that it may have completed': { say: (state, item) => state.reject(item), text: `The process ended while the tool was at work. ${MAY_HAVE_COMPLETED}`, runs: 1 },
  'given up with a message, the model reads that': { say: (state, item) => state.reject(item, { message: 'Nobody knows. Ask the bank.' }), text: 'Nobody knows. Ask the bank.', runs: 1 },
};

describe.each(Object.entries(ANSWERS))('O3: an uncertain call is %s', (_what, { say, text, runs }) => {
  test.each(['object', 'text'] as const)('decided on the %s of the state', async (form) => {
    const { seen, requests, value } = await play(async (world) => {
      const till = new Till();
      const home = await killed(world, payDesk(world, till.pay({})), till);
      const waiting = await world.resume('run_test', home);
      say(waiting.state, waiting.state.getInterruptions()[0]!);
      if (form === 'object') await world.run(home.agents, waiting.state);
      else await world.run(home.agents, await RunState.fromString<undefined, Agent<any, any>>(home.agents, waiting.state.toString()));
      return till.effects;
    });
    expect(seen.finalOutput).toBe('Done.');
    expect(requests[1]!.input.at(-1)).toEqual(answered('call_1', text, 'pay'));
    expect(value).toEqual([`${PATH}/execute#1`, `${PATH}/execute#2`].slice(0, runs));
  });
});
