/** Models written for other SDKs plug in as they are (design §4, ports): the real packages, no doubles of ours between. */
import { setTracingDisabled, withTrace } from '@openai/agents-core';
import { ScriptedModel, assistantMessage, functionCall, modelError } from '@openai/agents-core/testing';
import { aisdk } from '@openai/agents-extensions/ai-sdk';
import { MockLanguageModelV3, convertArrayToReadableStream } from 'ai/test';
import { Agent, type Model, run, tool } from 'loopchart';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';

const add = tool({
  name: 'add',
  description: 'Adds two numbers.',
  parameters: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => String(a + b),
});

for (const stream of [false, true]) {
  describe(stream ? 'streamed' : 'not streamed', () => {
    test("the Agents SDK's own ScriptedModel runs the loop", async () => {
      const peer = new ScriptedModel([[functionCall('add', { a: 1, b: 2 }, { callId: 'call_1' })], [assistantMessage('It is 3.')]]);
      const model: Model = peer;
      const played = await play(model, stream);
      peer.assertComplete();
      expect(played).toEqual({ finalOutput: 'It is 3.', types: ['tool_call_item', 'tool_call_output_item', 'message_output_item'] });
      expect(peer.calls.map(({ streamed }) => streamed)).toEqual([stream, stream]);
      expect(peer.lastCall!.request.input).toMatchObject([
        { role: 'user', content: 'What is 1 + 2?' },
        { type: 'function_call', callId: 'call_1', name: 'add' },
        { type: 'function_call_result', callId: 'call_1', output: { type: 'text', text: '3' } },
      ]);
    });

    test('its errors reach the caller as they were thrown, with the state to go on from', async () => {
      const down = Object.assign(new Error('the provider is down'), { status: 503 });
      const peer = new ScriptedModel([modelError(down), [assistantMessage('back')]]);
      const agent = new Agent({ name: 'Assistant', model: peer });
      const thrown = await caught(async () => {
        if (!stream) return run(agent, 'hello');
        const result = await run(agent, 'hello', { stream: true });
        return result.completed;
      });
      expect(thrown).toBe(down);
      const { finalOutput } = await run(agent, (thrown as { state: never }).state);
      expect(finalOutput).toBe('back');
    });

    test('a model of the AI SDK runs the loop through the bridge of the Agents SDK', async () => {
      // Its `getResponse` opens a span of that SDK's own tracing and insists on a trace around it.
      setTracingDisabled(true);
      const model: Model = aisdk(languageModel());
      const played = await withTrace('test', () => play(model, stream));
      expect(played).toEqual({ finalOutput: 'It is 3.', types: ['tool_call_item', 'tool_call_output_item', 'message_output_item'] });
    });
  });
}

async function play(model: Model, stream: boolean) {
  const agent = new Agent({ name: 'Assistant', instructions: 'Use the tool.', tools: [add], model });
  if (!stream) {
    const { finalOutput, newItems } = await run(agent, 'What is 1 + 2?');
    return { finalOutput, types: newItems.map(({ type }) => type) };
  }
  const result = await run(agent, 'What is 1 + 2?', { stream: true });
  await result.completed;
  return { finalOutput: result.finalOutput, types: result.newItems.map(({ type }) => type) };
}

const caught = (work: () => Promise<unknown>): Promise<unknown> => work().then(() => { throw new Error('nothing was thrown'); }, (error: unknown) => error);

const usage = {
  inputTokens: { total: 7, noCache: 7, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 3, text: 3, reasoning: 0 },
};
const finishReason = (unified: 'stop' | 'tool-calls') => ({ unified, raw: unified });

/** The AI SDK's own test double: first a call, then the answer, whole or in parts. */
function languageModel() {
  const call = { type: 'tool-call' as const, toolCallId: 'call_1', toolName: 'add', input: '{"a":1,"b":2}' };
  let asked = 0;
  return new MockLanguageModelV3({
    doGenerate: async () => {
      asked += 1;
      return asked === 1
        ? { content: [call], finishReason: finishReason('tool-calls'), usage, warnings: [] }
        : { content: [{ type: 'text' as const, text: 'It is 3.' }], finishReason: finishReason('stop'), usage, warnings: [] };
    },
    doStream: async () => {
      asked += 1;
      const answer = [
        { type: 'text-start' as const, id: '1' },
        { type: 'text-delta' as const, id: '1', delta: 'It is ' },
        { type: 'text-delta' as const, id: '1', delta: '3.' },
        { type: 'text-end' as const, id: '1' },
        { type: 'finish' as const, finishReason: finishReason('stop'), usage },
      ];
      const parts = asked === 1 ? [call, { type: 'finish' as const, finishReason: finishReason('tool-calls'), usage }] : answer;
      return { stream: convertArrayToReadableStream([{ type: 'stream-start' as const, warnings: [] }, ...parts]) };
    },
  });
}
