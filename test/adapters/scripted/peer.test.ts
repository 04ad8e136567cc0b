/** The real loop of `@openai/agents-core` on our scripted model: the interface fits it, so it fits whatever fits it. */
import { Agent, handoff, retryPolicies, Runner, tool, type Model as PeerModel } from '@openai/agents-core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Model } from '../../../actors/ports.ts';
import { answered, asked, calls, cuts, fails, faultyModel, hangs, inputOf, normalise, responds, said, says, scriptedModel, thinks, thought, type ScriptedModel } from 'loopchart/testing';

const runner = new Runner({ tracingDisabled: true });
/** The shapes are the peer's; some of its types are narrower than what a scripted model answers with. */
const asPeer = (model: Model) => model as PeerModel;
const add = tool({
  name: 'add',
  description: 'Adds two numbers.',
  parameters: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => a + b,
});
const calculator = (model: ScriptedModel) => new Agent({ name: 'Calculator', instructions: 'Add.', model: asPeer(model), tools: [add] });
const script = () => scriptedModel(
  responds(thinks('Two sums.'), calls(['add', { a: 1, b: 2 }], ['add', { a: 3, b: 4 }])),
  says('3 and 7', { usage: { inputTokens: 30 } }),
);

test('a run with tools: output, usage and the whole second request', async () => {
  const model = script();
  const result = await runner.run(calculator(model), 'go');
  expect(result.finalOutput).toBe('3 and 7');
  expect(result.state.usage).toMatchObject({ requests: 2, inputTokens: 40, outputTokens: 10, totalTokens: 50 });
  expect(model.requests[1]?.input).toEqual(inputOf(
    'go', thought('Two sums.'), asked('add', { a: 1, b: 2 }, 'call_1'), asked('add', { a: 3, b: 4 }, 'call_2'), answered('call_1', '3'), answered('call_2', '7'),
  ));
  expect(() => model.assertDone()).not.toThrow();
});

test('streamed and not, the peer sends the same requests and comes to the same history', async () => {
  const [asking, streaming] = [script(), script()];
  const plain = await runner.run(calculator(asking), 'go');
  const streamed = await runner.run(calculator(streaming), 'go', { stream: true });
  let text = '';
  for await (const event of streamed) {
    if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') text += event.data.delta;
  }
  await streamed.completed;
  expect(text).toBe('3 and 7');
  expect(streamed.history).toEqual(plain.history);
  expect(streaming.requests.map((request) => normalise(request))).toEqual(asking.requests.map((request) => normalise(request)));
  expect(streaming.calls.map(({ streamed: mode }) => mode)).toEqual([true, true]);
});

test('a handoff', async () => {
  const model = scriptedModel(calls('transfer_to_Calculator'), says('3'));
  const triage = new Agent({ name: 'Triage', model: asPeer(model), handoffs: [handoff(calculator(model))] });
  const result = await runner.run(triage, 'go');
  expect([result.finalOutput, result.lastAgent?.name]).toEqual(['3', 'Calculator']);
});

test('K1: the peer retries a scripted failure by its policies', async () => {
  const model = scriptedModel(fails({ status: 429, retryAfterMs: 0 }), fails({ network: true }), says('there'));
  const policy = retryPolicies.any(retryPolicies.httpStatus([429]), retryPolicies.networkError());
  const agent = new Agent({
    name: 'Patient', model: asPeer(model),
    modelSettings: { retry: { maxRetries: 3, policy, backoff: { initialDelayMs: 0, maxDelayMs: 0, jitter: false } } },
  });
  const result = await runner.run(agent, 'go');
  expect([result.finalOutput, model.requests.length]).toEqual(['there', 3]);
});

test('an abort reaches a hanging model', async () => {
  const model = scriptedModel(hangs());
  const controller = new AbortController();
  const running = runner.run(calculator(model), 'go', { signal: controller.signal });
  queueMicrotask(() => controller.abort());
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
});

test('a stream without its end is a failure for the peer too', async () => {
  const result = await runner.run(calculator(scriptedModel(cuts(2, says('one two')))), 'go', { stream: true });
  await expect((async () => { for await (const _event of result); await result.completed; })()).rejects.toThrow();
});

test('faults work around the peer as well', async () => {
  const model = faultyModel(script(), { nth: 2, fault: { kind: 'fail', failure: { status: 500, message: 'down' } } });
  const agent = new Agent({ name: 'Calculator', model: asPeer(model), tools: [add] });
  await expect(runner.run(agent, 'go')).rejects.toThrow('down');
});

test('what the peer keeps of an answer is what was scripted', async () => {
  const result = await runner.run(calculator(scriptedModel(says('hello'))), 'go');
  expect(result.output).toEqual([said('hello')]);
});
