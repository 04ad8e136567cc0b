import { describe, expect, test } from 'vitest';
import type { Call, CallResult } from '../../machines/protocol/call.ts';
import type { FunctionCallItem } from '../../machines/protocol/item.ts';
import type { TurnOutcome } from '../../machines/protocol/outcome.ts';
import { NOTHING_REPEATED, type Repeats, STUCK_THRESHOLDS, type StuckKind, stuckFailure, nudgeText, watched } from '../../machines/stuck.ts';
import { callItem, responseOf, resultItem, said } from './samples.ts';

let ids = 0;

/** One turn: calls as `name`, `name=result` or `name!` for one that fails; messages in quotes. */
function turnOf(...steps: string[]): TurnOutcome {
  const calls: Call[] = [];
  const results: Record<string, CallResult> = {};
  const items = steps.map((step) => {
    if (step.startsWith('"')) return said(step);
    const [, name = '', mark, result = 'same'] = /^(\w+)(!|=)?(.*)$/.exec(step)!;
    const callId = `call_${(ids += 1)}`;
    const item: FunctionCallItem = { ...callItem(callId, name), arguments: ids % 2 ? '{"a":1,"b":2}' : '{"b":2, "a":1}' };
    const index = calls.length;
    calls.push({ index, item, name, callId, tool: { effect: 'pure', approval: 'never', ...(name === 'poll' && { repeatable: true }) } });
    results[index] = { status: mark === '!' ? 'failed' : 'completed', item: { ...resultItem(callId, name), output: { type: 'text' as const, text: mark === '!' ? `failure ${ids}` : result } } };
    return item;
  });
  return { next: 'again', response: responseOf(calls, { items }), results, records: [] };
}

const after = (...turns: TurnOutcome[]): Repeats => turns.reduce((repeats, turn) => watched(repeats, turn, STUCK_THRESHOLDS), NOTHING_REPEATED);
const found = (...turns: string[][]): StuckKind | null => after(...turns.map((steps) => turnOf(...steps))).found;
const times = (count: number, ...steps: string[]) => Array.from({ length: count }, () => steps);

describe('B3: a streak', () => {
  test.each<[string, StuckKind | null, string[][]]>([
    ['the same call and result, three times', null, times(3, 'look')],
    ['four times', 'repetition', times(4, 'look')],
    ['with another result in between', null, [...times(3, 'look'), ['look=new'], ['look']]],
    ['with another call in between', null, [...times(3, 'look'), ['walk'], ['look']]],
    ['the same call failing twice', null, times(2, 'look!')],
    ['three times, with other words each time', 'failing', times(3, 'look!')],
    ['failing, then not', null, [...times(2, 'look!'), ['look'], ['look!']]],
    ['other calls failing', null, [['look!'], ['walk!'], ['look!']]],
    ['the same message twice', null, times(2, '"Done."')],
    ['three times', 'monologue', times(3, '"Done."')],
    ['with a tool between', null, [['"Done."'], ['"Done."'], ['look'], ['"Done."']]],
    ['with a repeatable tool between', null, [['"Done."'], ['"Done."'], ['poll'], ['"Done."']]],
    ['a message beside the same call', 'repetition', times(4, '"Let me look."', 'look')],
    ['A, B, A, B, A', null, [['look'], ['walk'], ['look'], ['walk'], ['look']]],
    ['A, B, A, B, A, B', 'alternating', times(3, 'look', 'walk')],
    ['over turns', 'alternating', [['look'], ['walk'], ['look'], ['walk'], ['look'], ['walk']]],
    ['with other results', null, [['look'], ['walk=1'], ['look'], ['walk=2'], ['look'], ['walk=3']]],
    ['a repeatable tool', null, times(9, 'poll')],
    ['around a repeatable tool', null, times(9, 'look', 'poll')],
  ])('%s: %s', (_, kind, turns) => expect(found(...turns)).toBe(kind));

  test('is told once, and over with the first turn that is no part of it', () => {
    const told: Repeats = { ...after(...times(4, 'look').map((steps) => turnOf(...steps))), found: null, nudged: true };
    expect(watched(told, turnOf('look'), STUCK_THRESHOLDS)).toMatchObject({ found: 'repetition', nudged: true });
    expect(watched(told, turnOf('walk'), STUCK_THRESHOLDS)).toMatchObject({ found: null, nudged: false });
  });

  test('is neither over nor found anew with a turn that brings nothing', () => {
    const told: Repeats = { ...after(...times(4, 'look').map((steps) => turnOf(...steps))), found: null, nudged: true };
    for (const nothing of [turnOf(), { ...turnOf(), response: null }]) expect(watched(told, nothing, STUCK_THRESHOLDS)).toEqual(told);
  });
});

test('B3: what is kept does not grow with the turns, nor with what tools return', () => {
  const [few, many] = [10, 1_000].map((count) => JSON.stringify(after(...times(count, '"Look."', `look=${'x'.repeat(count)}`, 'walk').map((steps) => turnOf(...steps)))).length);
  expect(Math.abs(many! - few!)).toBeLessThan(20);
});

test('B3: notice and failure say what was seen', () => {
  for (const kind of Object.keys(STUCK_THRESHOLDS) as StuckKind[]) {
    const [, pattern] = /^The agent is stuck: (.*), and went on after it was told\.$/.exec(stuckFailure(kind).message)!;
    expect([stuckFailure(kind).code, nudgeText(kind).includes(pattern!)]).toEqual([`stuck.${kind}`, true]);
  }
});
