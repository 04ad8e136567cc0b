import { Agent, type RunState, run } from 'loopchart';
import { answersWith, fails, inputOf, says, scriptedModel, user } from 'loopchart/testing';
import { expect, test } from 'vitest';

test('P2, A3: input that a limit keeps from the model comes back as undelivered, with the output there is', async () => {
  const { stream, model } = await steered(says('done'), { maxTurns: 1 });
  await stream.completed;
  expect(stream.finalOutput).toBe('done');
  expect(stream.state.undelivered).toEqual([user('and hurry')]);
  expect(model.requests).toHaveLength(1);
});

test('P2: a failed run gives undelivered input back and does not send it unasked', async () => {
  const { stream, model, agent } = await steered(fails({ status: 500 }));
  await stream.completed.catch(() => undefined);
  expect(stream.state.undelivered).toEqual([user('and hurry')]);
  model.enqueue(says('done'));
  await run(agent, stream.state as RunState<undefined, typeof agent>);
  expect(model.requests.at(-1)!.input).toEqual(inputOf(user('go')));
});

test('P2: an interrupted run gives undelivered input back', async () => {
  const controller = new AbortController();
  const { stream } = await steered(() => {
    controller.abort();
    return says('too late');
  }, { signal: controller.signal });
  await stream.completed;
  expect([stream.cancelled, stream.state.undelivered]).toEqual([true, [user('and hurry')]]);
});

test('P2: a stopped run keeps its undelivered input for the next run', async () => {
  const stop = new AbortController();
  const { stream, model, agent } = await steered(() => {
    stop.abort();
    return fails({ status: 503 });
  }, { stopSignal: stop.signal }, { modelSettings: { retry: { maxRetries: 1, policy: () => true } } });
  await stream.completed;
  expect([stream.finalOutput, stream.state.undelivered]).toEqual([undefined, [user('and hurry')]]);
  model.enqueue(says('done'));
  await run(agent, stream.state as RunState<undefined, typeof agent>);
  expect(model.requests.at(-1)!.input).toEqual(inputOf(user('go'), user('and hurry')));
});

type Step = ReturnType<typeof says | typeof fails>;

/** A run that is told something more while its first request is under way. */
async function steered(step: Step | (() => Step), options = {}, settings = {}) {
  let tell: () => void = () => undefined;
  const told = new Promise<void>((resolve) => (tell = resolve));
  const model = scriptedModel(answersWith(async () => {
    await told;
    return typeof step === 'function' ? step() : step;
  }));
  const agent = new Agent({ name: 'Assistant', model, ...settings });
  const stream = await run(agent, 'go', { stream: true, ...options });
  stream.state.addInput('and hurry');
  tell();
  return { stream, model, agent };
}
