/** C6: what the model reads of a long result. */
import { Agent, Runner, shellTool, tool } from 'loopchart';
import { calls, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted } from '../support/cast.ts';
import { shell } from '../support/hands.ts';
import { play } from '../support/scenario.ts';

const LONG = `begin ${'ä'.repeat(5_000)} end`;
const MARK = /\n\[… \d+ bytes left out …\]\n/;
const outputs = (items: readonly unknown[]) => items.flatMap((item) => (/_(result|output)$/.test((item as { type: string }).type) ? [(item as { output: any }).output] : []));
const bytesOf = (text: string) => new TextEncoder().encode(text).length;

test('C6: a result longer than maxToolOutputBytes is read with head and tail, the full one is on the item and in the journal', async () => {
  const { value, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'A', model: world.model(calls(['long'], ['short']), says('Read.')), tools: [counted('long', LONG).tool, counted('short', 'short').tool] });
    const { state } = await world.run(agent, 'go', { maxToolOutputBytes: 1_000 });
    const recorded = JSON.stringify(state.source.entries).includes(LONG);
    return [recorded, state.look().newItems.flatMap((item) => (item.type === 'tool_call_output_item' ? [item.output] : []))];
  });
  expect(value).toEqual([true, [LONG, 'short']]);
  const [long, short] = outputs(requests[1]!.input as unknown[]);
  expect(bytesOf(long.text)).toBeLessThanOrEqual(1_000);
  expect(bytesOf(long.text)).toBeGreaterThan(990);
  expect(long.text).toMatch(/^begin ä+\n\[… \d+ bytes left out …\]\nä+ end$/);
  expect(short.text).toBe('short');
});

test('C6: run() leaves results as they are, also where null says so against the runner', async () => {
  for (const [runner, options] of [[new Runner(), {}], [new Runner({ maxToolOutputBytes: 100 }), { maxToolOutputBytes: null }]] as const) {
    const { requests } = await play(async (world) => world.run(new Agent({ name: 'A', model: world.model(calls('long'), says('Read.')), tools: [counted('long', LONG).tool] }), 'go', { runner, ...options }));
    expect(outputs(requests[1]!.input as unknown[])[0].text).toBe(LONG);
  }
});

test('C6: a result that becomes the final output is not shortened', async () => {
  const { seen } = await play(async (world) => {
    const agent = new Agent({ name: 'A', model: world.model(calls('long')), tools: [counted('long', LONG).tool], toolUseBehavior: 'stop_on_first_tool' });
    return world.run(agent, 'go', { maxToolOutputBytes: 100 });
  });
  expect(seen.finalOutput).toBe(LONG);
  expect(seen.story[1]).toMatch(/bytes left out/);
});

test('C6: what a person is shown and JSON of a tool with an output schema stay whole', async () => {
  const { value, requests } = await play(async (world) => {
    const shown = tool({ name: 'shown', description: 'Shows.', parameters: z.object({}), execute: () => ({ model: LONG, display: LONG }) });
    const typed = tool({ name: 'typed', description: 'Types.', parameters: z.object({}), outputSchema: z.object({ text: z.string() }), execute: () => ({ text: LONG }) });
    const { events } = await world.run(new Agent({ name: 'A', model: world.model(calls(['shown'], ['typed']), says('Read.')), tools: [shown, typed] }), 'go', { maxToolOutputBytes: 100 });
    return events.flatMap((event) => (event.type === 'item.completed' && event.display ? [event.display] : []));
  });
  const [shown, typed] = outputs(requests[1]!.input as unknown[]);
  expect([value, JSON.parse(typed.text)]).toEqual([[LONG], { text: LONG }]);
  expect(shown.text).toMatch(MARK);
});

test('C6: what a shell prints is shortened too, and kept whole beside the item', async () => {
  const { value, requests } = await play(async (world) => {
    const call = { type: 'shell_call' as const, callId: 'c', status: 'completed' as const, action: { commands: ['cat'] } };
    const agent = new Agent({ name: 'A', model: world.model({ kind: 'answer', parts: [{ item: call }] }, says('Read.')), tools: [shellTool({ shell: shell([], () => ({ stdout: LONG })) })] });
    const { state } = await world.run(agent, 'go', { maxToolOutputBytes: 100 });
    return state.look().newItems.flatMap((item) => (item.type === 'tool_call_output_item' ? [item.output] : []));
  });
  expect(outputs(requests[1]!.input as unknown[])[0][0].stdout).toMatch(MARK);
  expect(value).toEqual([[expect.objectContaining({ stdout: LONG })]]);
});
