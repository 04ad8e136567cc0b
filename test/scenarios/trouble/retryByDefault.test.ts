/** K1, K2: what threads do about models that fail, where the app says nothing: an option of executions, which no run has. */
import { Agent, type AgentInputItem, type ModelSettings, type RunEvent } from 'loopchart';
import { type Step, calls, cuts, fails, responds, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { requestOptions } from '../../../adapters/openai/requestExtras.ts';
import { Execution } from '../../../actors/execution.ts';
import { RETRY_BY_DEFAULT } from '../../../actors/retryPolicies.ts';

interface Choice { steps: Step[]; modelSettings?: ModelSettings; stream?: boolean; retryByDefault?: boolean; nested?: boolean }

async function played({ steps, modelSettings = {}, stream = true, retryByDefault = true, nested = false }: Choice) {
  const clock = virtualClock();
  const events: RunEvent[] = [];
  const model = scriptedModel(...steps);
  const inner = new Agent({ name: 'Inner', model, modelSettings });
  const agent = nested ? new Agent({ name: 'Outer', model: scriptedModel(calls('Inner', { input: 'go' }), says('Told.')), tools: [inner.asTool({})] }) : inner;
  const execution = new Execution({ agent, config: {}, options: { clock, onEvent: (event) => void events.push(event) }, stream, retryByDefault });
  const work = execution.start('go');
  await clock.settle();
  await clock.runAll();
  await work;
  return { status: execution.outcome!.status, output: execution.outcome!.output, requests: model.requests, retries: events.filter(({ type }) => type === 'turn.retrying').length };
}

test('K1: lost connections and 408, 409, 429, 5xx are tried twice more; what will not pass is not', async () => {
  const passing = [{ network: true }, ...[408, 409, 429, 500, 503, 529].map((status) => ({ status }))];
  for (const failure of passing) {
    for (const stream of [true, false]) {
      const { status, output, retries } = await played({ steps: [fails(failure), fails(failure), says('There.')], stream });
      expect([failure, status, output, retries]).toEqual([failure, 'completed', 'There.', 2]);
    }
    expect(await played({ steps: [fails(failure), fails(failure), fails(failure)] })).toMatchObject({ status: 'failed', retries: 2 });
  }
  for (const failure of [{ status: 400 }, { status: 401 }, { status: 404 }, { status: 429, suggested: false }]) {
    expect([failure, await played({ steps: [fails(failure)] })]).toEqual([failure, expect.objectContaining({ status: 'failed', retries: 0 })]);
  }
});

test('K2: also after part of the answer has been streamed; what was complete of it stands', async () => {
  const { output, requests } = await played({ steps: [cuts(4, responds(says('First.'), says('Second half.'))), says('Second.')] });
  expect(output).toBe('First.Second.');
  expect((requests[1]!.input as AgentInputItem[]).length).toBe(2);
});

test('K1, A9: what the app says of retries stands in its place; nested agents have the default too', async () => {
  expect(await played({ steps: [fails({ status: 503 })], modelSettings: { retry: {} } })).toMatchObject({ status: 'failed', retries: 0 });
  expect(await played({ steps: [fails({ status: 503 })], retryByDefault: false })).toMatchObject({ status: 'failed', retries: 0 });
  expect(await played({ steps: [fails({ status: 503 }), says('There.')], nested: true })).toMatchObject({ status: 'completed', output: 'Told.', retries: 1 });
});

test('K1: the retries of the provider\'s own client are off for such a request', async () => {
  const { requests } = await played({ steps: [says('There.')], modelSettings: { temperature: 0 } });
  expect(requests[0]!.modelSettings).toMatchObject({ temperature: 0, retry: { maxRetries: RETRY_BY_DEFAULT.maxRetries, afterOutput: true } });
  expect(requestOptions(requests[0]!, { body: {} })).toEqual({ maxRetries: 0 });
});
