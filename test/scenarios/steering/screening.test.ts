/** E6: what joins the conversation later passes the input guardrails of the runner and of the current agent. */
import { Agent, type AgentInputItem, type InputGuardrail, type OutputGuardrail, Runner } from 'loopchart';
import { answersWith, calls, inputOf, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch, refund } from '../support/cast.ts';
import { mortal } from '../support/mortal.ts';
import { receipts } from '../support/receipts.ts';
import { play, type World } from '../support/scenario.ts';

/** Trips on what contains the word; keeps what it was shown. */
function forbids(word: string, name = `no ${word}`): InputGuardrail & { shown: string[] } {
  const shown: string[] = [];
  const execute: InputGuardrail['execute'] = async ({ input }) => {
    const text = textOf(input);
    shown.push(text);
    return { tripwireTriggered: text.includes(word), outputInfo: `said ${word}` };
  };
  return { name, shown, execute };
}

const textOf = (input: string | AgentInputItem[]) => (typeof input === 'string' ? input : input.map((item) => ('content' in item ? item.content : item.type)).join(' '));

/** A run whose tool is at work until the script lets it go. */
function atWork(world: World, inputGuardrails: InputGuardrail[]) {
  const slow = latch<string>();
  const agent = new Agent({ name: 'Worker', model: world.model(calls('slow'), says('Done.'), says('More.')), tools: [counted('slow', () => slow.promise).tool], inputGuardrails });
  return { agent, slow };
}

test('E6, L4: a steer on which a guardrail trips is dropped, with its name; the others join in order', async () => {
  const { seen, requests, value } = await play(async (world) => {
    const guardrail = forbids('rude');
    const { agent, slow } = atWork(world, [guardrail]);
    const going = world.begin(agent, 'go');
    await going.until('tool.started');
    const state = await going.state;
    for (const text of ['one', 'rude two', 'three']) state.addInput(text);
    slow.open('slow');
    await going.settled;
    return guardrail.shown;
  }, { only: 'streamed' });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Done.']);
  expect(receipts(seen.events)).toEqual(['accepted one', 'accepted rude two', 'accepted three', 'dropped rude two: guardrail (no rude)', 'delivered one | three to Worker in turn 2']);
  expect((requests[1]!.input as AgentInputItem[]).slice(-2)).toEqual(inputOf(user('one'), user('three')));
  expect(value).toEqual(['go', 'one', 'rude two', 'three']); // each once
  expect(seen.state.look().inputGuardrailResults.map(({ output }) => output.tripwireTriggered)).toEqual([false, false, true, false]);
});

test('E6: what was added to a paused run and trips fails the run that goes on with it', async () => {
  const { runs } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 7 }), says('Refunded.')), tools: [refund], inputGuardrails: [forbids('rude')] });
    const waiting = await world.run(agent, 'go');
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    waiting.state.addInput('rude thing');
    return world.run(agent, waiting.state);
  });
  expect(runs.map(({ outcome, error }) => [outcome, error?.name, error?.message])).toEqual([['waiting', undefined, undefined], ['failed', 'InputGuardrailTripwireTriggered', 'Input guardrail triggered: "said rude"']]);
  expect(runs[1]!.story.at(-1)).toBe('Desk: gets refund "refunded 7"');
  expect(receipts(runs[1]!.events)).toEqual(['accepted rude thing', 'dropped rude thing: guardrail (no rude)']);
});

test('E6: what was added to the state of a run that is over passes them too', async () => {
  const { runs, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(says('Hello.'), says('Fine.')), inputGuardrails: [forbids('rude')] });
    const first = await world.run(agent, 'go');
    first.state.addInput('polite thing');
    const second = await world.run(agent, first.state);
    second.state.addInput('rude thing');
    return world.run(agent, second.state);
  });
  expect(runs.map(({ outcome, error }) => [outcome, error?.name])).toEqual([['completed', undefined], ['completed', undefined], ['failed', 'InputGuardrailTripwireTriggered']]);
  expect(requests.length).toBe(2);
});

test('E6: after a handoff the guardrails of the agent at work look, and those of the runner', async () => {
  const { seen, value } = await play(async (world) => {
    const [ofDesk, ofExpert, ofRunner] = [forbids('rude', 'desk'), forbids('rude', 'expert'), forbids('rude', 'runner')];
    const slow = latch<string>();
    const model = world.model(calls('transfer_to_Expert'), calls('slow'), says('Done.'));
    const expert = new Agent({ name: 'Expert', model, tools: [counted('slow', () => slow.promise).tool], inputGuardrails: [ofExpert] });
    const going = world.begin(new Agent({ name: 'Desk', model, handoffs: [expert], inputGuardrails: [ofDesk] }), 'go', { runner: new Runner({ inputGuardrails: [ofRunner] }) });
    await going.until('tool.started');
    (await going.state).addInput('a rude thing');
    slow.open('slow');
    await going.settled;
    return [ofDesk.shown, ofExpert.shown, ofRunner.shown];
  }, { only: 'streamed' });
  expect(value).toEqual([['go'], ['a rude thing'], ['go', 'a rude thing']]);
  expect(receipts(seen.events)).toEqual(['accepted a rude thing', 'dropped a rude thing: guardrail (runner)']);
});

test('E6, E5: a guardrail that throws while it looks at a steer fails the run', async () => {
  const { seen } = await play(async (world) => {
    const guardrail: InputGuardrail = { name: 'broken', execute: async ({ input }) => { if (textOf(input) !== 'go') throw new Error('no dictionary'); return { tripwireTriggered: false, outputInfo: '' }; } };
    const { agent, slow } = atWork(world, [guardrail]);
    const going = world.begin(agent, 'go');
    await going.until('tool.started');
    (await going.state).addInput('more');
    slow.open('slow');
    return going.settled;
  }, { only: 'streamed' });
  expect([seen.outcome, seen.error]).toEqual(['failed', { name: 'GuardrailExecutionError', message: 'Input guardrail "broken" failed to complete: Error: no dictionary' }]);
  expect(receipts(seen.events)).toEqual(['accepted more', 'dropped more: failed']);
  expect(seen.state.undelivered).toEqual([user('more')]);
});

test('E6: a steer that arrives while another is looked at is looked at next, and nothing twice', async () => {
  const { seen, value } = await play(async (world) => {
    const looking = latch();
    const go = latch();
    const shown: string[] = [];
    const guardrail: InputGuardrail = { name: 'slow', execute: async ({ input }) => { shown.push(textOf(input)); if (shown.length === 2) { looking.open(); await go.promise; } return { tripwireTriggered: false, outputInfo: '' }; } };
    const { agent, slow } = atWork(world, [guardrail]);
    const going = world.begin(agent, 'go');
    await going.until('tool.started');
    const state = await going.state;
    state.addInput('one');
    slow.open('slow');
    await looking.promise;
    state.addInput('two');
    go.open();
    await going.settled;
    return shown;
  }, { only: 'streamed' });
  expect(value).toEqual(['go', 'one', 'two']);
  expect(receipts(seen.events)).toEqual(['accepted one', 'accepted two', 'delivered one | two to Worker in turn 2']);
});

test('E6, P4: a notice is not looked at', async () => {
  const { seen, value } = await play(async (world) => {
    const guardrail = forbids('rude');
    const agent = new Agent({ name: 'Worker', model: world.model(says('Done.'), says('Sorry.')), inputGuardrails: [guardrail] });
    await world.run(agent, 'go', { stopHooks: [{ name: 'manners', execute: ({ turn }) => (turn === 1 ? { objection: 'That was rude.' } : undefined) }] });
    return guardrail.shown;
  });
  expect([seen.finalOutput, value]).toEqual(['Sorry.', ['go']]);
});

test('E6, A3: an answer stands when what came too late is dropped: neither hooks nor output guardrails are asked again, nor the model', async () => {
  const { seen, requests, value } = await play(async (world) => {
    const asked: string[] = [];
    const [inHook, inGuardrail, hookGoes, guardrailGoes] = [latch(), latch(), latch(), latch()];
    const outputGuardrail: OutputGuardrail = { name: 'slow', execute: async () => { asked.push('guardrail'); inGuardrail.open(); await guardrailGoes.promise; return { tripwireTriggered: false, outputInfo: '' }; } };
    const agent = new Agent({ name: 'Worker', model: world.model(says('Done.')), inputGuardrails: [forbids('rude')], outputGuardrails: [outputGuardrail] });
    const going = world.begin(agent, 'go', { stopHooks: [{ name: 'slow', execute: () => (asked.push('hook'), inHook.open(), hookGoes.promise) }] });
    const state = await going.state;
    await inHook.promise;
    state.addInput('rude one');
    hookGoes.open();
    await inGuardrail.promise;
    state.addInput('rude two');
    guardrailGoes.open();
    await going.settled;
    return asked;
  }, { only: 'streamed' });
  expect([seen.outcome, seen.finalOutput, requests.length, value]).toEqual(['completed', 'Done.', 1, ['hook', 'guardrail']]);
  expect(receipts(seen.events)).toEqual(['accepted rude one', 'dropped rude one: guardrail (no rude)', 'accepted rude two', 'dropped rude two: guardrail (no rude)']);
});

test('E6, L3: a steer that passes while output guardrails look reopens the loop', async () => {
  const { seen } = await play(async (world) => {
    const [inGuardrail, goes] = [latch(), latch()];
    const outputGuardrail: OutputGuardrail = { name: 'slow', execute: async () => { inGuardrail.open(); await goes.promise; return { tripwireTriggered: false, outputInfo: '' }; } };
    const agent = new Agent({ name: 'Worker', model: world.model(says('Done.'), says('More.')), inputGuardrails: [forbids('rude')], outputGuardrails: [outputGuardrail] });
    const going = world.begin(agent, 'go');
    const state = await going.state;
    await inGuardrail.promise;
    state.addInput('polite');
    goes.open();
    return going.settled;
  }, { only: 'streamed' });
  expect([seen.finalOutput, seen.story]).toEqual(['More.', ['Worker: says "Done."', 'Worker: reads "polite"', 'Worker: says "More."']]);
});

test('E6, O1: killed while guardrails look, they look again, and the steer is still there', async () => {
  const { seen, value } = await play(async (world) => {
    const shown: string[] = [];
    const guardrail: InputGuardrail = { name: 'slow', execute: async ({ input }) => { shown.push(textOf(input)); return shown.length === 2 ? new Promise<never>(() => undefined) : { tripwireTriggered: false, outputInfo: '' }; } };
    const slow = latch<string>();
    const agent = new Agent({ name: 'Worker', model: world.model(answersWith(() => calls('slow')), says('Done.')), tools: [counted('slow', () => slow.promise).tool], inputGuardrails: [guardrail] });
    const first = mortal();
    const going = world.begin(agent, 'go', { journal: first.journal });
    await going.until('tool.started');
    (await going.state).addInput('more');
    slow.open('slow');
    while (shown.length < 2) await world.clock.settle();
    first.die();
    await world.resume('run_test', { journal: first.left('run_test'), agents: agent });
    return shown;
  }, { only: 'streamed' });
  expect([seen.outcome, value]).toEqual(['completed', ['go', 'more', 'more']]);
  expect(seen.story.at(-2)).toBe('Worker: reads "more"');
});
