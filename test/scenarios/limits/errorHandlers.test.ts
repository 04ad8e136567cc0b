/** K3, B1, A4: the app may answer in place of an error. */
import { Agent, type RunErrorHandler, type RunErrorHandlerInput } from 'loopchart';
import { calls, refuses, said, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, refund } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

type Input = RunErrorHandlerInput<any, any>;
const answers = (finalOutput: string, includeInHistory?: boolean): RunErrorHandler<any, any> => () => ({ finalOutput, includeInHistory });

test('B1: the maxTurns handler supplies the final output, which then stands in history and session', async () => {
  const { seen, sessions } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick')), tools: [counted('tick').tool] });
    return world.run(agent, 'go', { maxTurns: 1, session: world.session(), errorHandlers: { maxTurns: answers('Out of time.') } });
  });
  expect([seen.outcome, seen.finalOutput, seen.story.at(-1)]).toEqual(['completed', 'Out of time.', 'Worker: says "Out of time."']);
  expect(sessions[0]!.at(-1)).toEqual(said('Out of time.'));
});

test('K3: with includeInHistory off the output is nowhere but in the result', async () => {
  const { seen, sessions } = await play(async (world) =>
    world.run(new Agent({ name: 'Worker', model: world.model() }), 'go', { maxTurns: 0, session: world.session(), errorHandlers: { maxTurns: answers('Out of time.', false) } }));
  expect([seen.finalOutput, seen.story]).toEqual(['Out of time.', []]);
  expect(sessions).toEqual([[user('go')]]);
});

test('K3: a handler is shown error, context and the run so far', async () => {
  const { value } = await play(async (world) => {
    let shown: unknown;
    const look = ({ error, context, runData }: Input) => {
      shown = { error: error.name, context: context.context, input: runData.input, items: runData.newItems.length, history: runData.history.length, responses: runData.rawResponses.length, agent: runData.lastAgent.name };
      return { finalOutput: 'seen' };
    };
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick')), tools: [counted('tick').tool] });
    await world.run(agent, 'go', { maxTurns: 1, context: { user: 'Ada' }, errorHandlers: { maxTurns: look } });
    return shown;
  });
  expect(value).toEqual({ error: 'MaxTurnsExceededError', context: { user: 'Ada' }, input: 'go', items: 2, history: 3, responses: 1, agent: 'Worker' });
});

test('K3: the modelRefusal handler answers in place of the model', async () => {
  const { seen, value } = await play(async (world) => {
    let refusal: string | undefined;
    const handler = ({ error }: Input) => {
      refusal = 'refusal' in error ? error.refusal : undefined;
      return { finalOutput: 'Let us talk of something else.' };
    };
    await world.run(new Agent({ name: 'Prude', model: world.model(refuses('Not that.')) }), 'go', { errorHandlers: { modelRefusal: handler } });
    return refusal;
  });
  expect([seen.outcome, seen.finalOutput, value]).toEqual(['completed', 'Let us talk of something else.', 'Not that.']);
});

test('K3: the default handler serves every kind; the one for the kind comes before it', async () => {
  const { runs } = await play(async (world) => {
    const refusing = () => new Agent({ name: 'Prude', model: world.model(refuses('No.')) });
    await world.run(refusing(), 'go', { errorHandlers: { default: answers('by default') } });
    await world.run(refusing(), 'go', { errorHandlers: { default: answers('by default'), modelRefusal: answers('by kind') } });
  });
  expect(runs.map(({ finalOutput }) => finalOutput)).toEqual(['by default', 'by kind']);
});

test('K3: a handler that returns nothing lets the error stand', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Prude', model: world.model(refuses('No.')) }), 'go', { errorHandlers: { modelRefusal: () => undefined } }));
  expect([seen.outcome, seen.error?.name]).toEqual(['failed', 'ModelRefusalError']);
});

test('K4: a handler that throws fails the run with its own error', async () => {
  const { seen } = await play(async (world) =>
    world.run(new Agent({ name: 'Prude', model: world.model(refuses('No.')) }), 'go', { errorHandlers: { modelRefusal: () => { throw new RangeError('handler is broken'); } } }));
  expect([seen.outcome, seen.error]).toEqual(['failed', { name: 'RangeError', message: 'handler is broken' }]);
});

test('A4: what a handler supplies is held to the output type of the agent', async () => {
  const { seen } = await play(async (world) => {
    const agent = new Agent({ name: 'Weather', model: world.model(refuses('No.')), outputType: z.object({ city: z.string() }) });
    return world.run(agent, 'go', { errorHandlers: { modelRefusal: () => ({ finalOutput: { town: 'Oslo' } as never }) } });
  });
  expect([seen.outcome, seen.error?.name]).toEqual(['failed', 'UserError']);
});

test('E3: output guardrails look at a supplied output too', async () => {
  const { seen } = await play(async (world) => {
    const agent = new Agent({ name: 'Prude', model: world.model(refuses('No.')), outputGuardrails: [{ name: 'none', execute: async ({ agentOutput }) => ({ tripwireTriggered: true, outputInfo: agentOutput }) }] });
    return world.run(agent, 'go', { errorHandlers: { modelRefusal: answers('bad words') } });
  });
  expect([seen.outcome, seen.error?.name]).toEqual(['failed', 'OutputGuardrailTripwireTriggered']);
});

test('K3: error handlers given on resume are heard, since they are part of the call and not of the state', async () => {
  const { seen } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 7 })), tools: [refund] });
    const waiting = await world.run(agent, 'go', { maxTurns: 1 });
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    return world.run(agent, waiting.state, { errorHandlers: { maxTurns: () => ({ finalOutput: 'Enough.' }) } });
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Enough.']);
});
