import { expect, test } from 'vitest';
import { type Standing, markOf } from '../../actors/mark.ts';

const standing: Standing = { value: { running: 'active' }, open: ['run/agent.1/turn.1/model#1', 'run/timer#1'], status: undefined };

test('the mark of a run is the same in whatever order it came to wait for the same', () => {
  expect(markOf({ ...standing, open: standing.open.toReversed() })).toBe(markOf(standing));
});

test.each<[string, Partial<Standing>]>([
  ['in another state', { value: { running: 'stopping' } }],
  ['not begun', { value: undefined }],
  ['with another effect open', { open: ['run/agent.1/turn.2/model#1', 'run/timer#1'] }],
  ['with one more open', { open: [...standing.open, 'run/x#1'] }],
  ['with none open', { open: [] }],
  ['with an end', { status: 'completed' }],
])('a run %s has another mark', (_what, change) => {
  expect(markOf({ ...standing, ...change })).not.toBe(markOf(standing));
});

test('a mark is short: it is written with many entries', () => {
  expect(markOf(standing).length).toBeLessThan(16);
});
