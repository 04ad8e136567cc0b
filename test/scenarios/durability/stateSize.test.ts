/** O7, O5: a saved state says things once, is read back as it was, and is not read when it was changed. */
import { Agent, RunState, UserError, run, tool } from 'loopchart';
import { answersWith, calls, says, scriptedModel } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { refund } from '../support/cast.ts';

const read = tool({
  name: 'read',
  description: 'Reads a page.',
  parameters: z.object({ page: z.number() }),
  execute: ({ page }) => Array.from({ length: 10 }, (_, line) => `Line ${line} of page ${page}.`).join('\n'), // some 200 bytes, unlike on every page
});

/** A run that has read so many pages and waits for a person. */
async function reading(pages: number) {
  const steps = Array.from({ length: pages }, (_, page) => calls('read', { page }));
  const agent = new Agent({ name: 'Reader', model: scriptedModel(...steps, calls('refund', { order: 7 }), says('Done.')), tools: [read, refund] });
  const { state, history } = await run(agent, 'Read the book.', { maxTurns: null, runId: 'run_reading' });
  return { agent, state, history };
}

test('O7: a state has at most 1.8 times the bytes of its history, and grows as the history does', async () => {
  const sizes = [];
  for (const pages of [20, 40, 80, 160]) {
    const { state, history } = await reading(pages);
    sizes.push({ state: state.toString().length, history: JSON.stringify(history).length });
  }
  for (const { state, history } of sizes) expect(state / history).toBeLessThan(1.8);
  const [twenty, forty, , last] = sizes.map(({ state }) => state) as [number, number, number, number];
  expect((last - forty) / 120).toBeLessThan(((forty - twenty) / 20) * 1.05);
});

test('O7: outputs are in it whole', async () => {
  const long = 'x'.repeat(100_000);
  const big = tool({ name: 'big', description: 'Says much.', parameters: z.object({}), execute: () => long });
  const { state } = await run(new Agent({ name: 'A', model: scriptedModel(calls('big'), says('Much.')), tools: [big] }), 'go');
  const text = state.toString();
  expect([text.includes(long), text.length < 1.1 * long.length]).toEqual([true, true]);
});

test('O5: what is read back is what was written, whatever the order in which a store keeps fields', async () => {
  const { agent, state } = await reading(3);
  const turned = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    return Array.isArray(value) ? value.map(turned) : Object.fromEntries(Object.entries(value).reverse().map(([key, inner]) => [key, turned(inner)]));
  };
  for (const text of [state.toString(), JSON.stringify(turned(JSON.parse(state.toString()))), JSON.stringify(JSON.parse(state.toString()), null, 2)]) {
    const again = await RunState.fromString(agent, text);
    expect(again.source.entries).toEqual(JSON.parse(JSON.stringify(state.source.entries)));
    expect(again.history).toEqual(state.history);
  }
});

test('O5: a state that was changed or cut is refused, and the error says so', async () => {
  const { agent, state } = await reading(2);
  const saved = JSON.parse(state.toString()) as { entries: { ok?: unknown }[]; sum: string; runId: string };
  const changed = [
    state.toString().replace('Line 3 of page 1', 'Line 3 of page 2'),
    JSON.stringify({ ...saved, entries: saved.entries.slice(0, -1) }),
    JSON.stringify({ ...saved, entries: saved.entries.toReversed() }),
    JSON.stringify({ ...saved, runId: 'run_other' }),
    JSON.stringify({ ...saved, decisions: [{ id: 'run_reading/agent.1/turn.3/toolCall.1.0/approval#1', decision: { decision: 'approve' } }] }),
    JSON.stringify({ ...saved, sum: undefined }),
  ];
  for (const text of changed) {
    const refusal = await RunState.fromString(agent, text).catch((error: unknown) => error);
    expect(refusal, text.slice(0, 60)).toBeInstanceOf(UserError);
    expect((refusal as Error).message).toContain('its sum does not hold');
  }
});

test('O7: a run that goes on from a state many times has a state no larger than its history', async () => {
  const agent = new Agent({ name: 'A', model: scriptedModel(...Array.from({ length: 30 }, (_, nth) => answersWith(() => says(`Answer ${nth}. ${'It is a long one, as answers are. '.repeat(nth + 5)}`)))) });
  let { state, history } = await run(agent, 'Question 0', { maxTurns: null });
  for (let nth = 1; nth < 30; nth += 1) {
    state.addInput(`Question ${nth}, asked in so many words that it counts.`);
    ({ state, history } = await run(agent, state, { maxTurns: null }));
  }
  expect(state.toString().length / JSON.stringify(history).length).toBeLessThan(1.8);
});
