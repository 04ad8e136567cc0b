/** The harness itself: what it is to notice, it notices. */
import { Agent } from 'loopchart';
import { answered, asked, inputOf, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { slugOf } from './eventLog.ts';
import { problemsOf } from './invariants.ts';
import { play } from './scenario.ts';

const call = asked('add', {}, 'c');
const result = answered('c', '3', 'add');

test.each([
  ['a whole conversation', inputOf('go', call, result, 'thanks'), []],
  ['a call without a result', [user('go'), call], ['call c has no result']],
  ['a result without a call', [user('go'), result], ['result c has no call']],
  ['a message in between', [call, user('go'), result], ['a message stands between c and its result']],
  ['a result too many', [call, result, result], ['result c has no call']],
  ['an id that is open twice', [call, call, result], ['call c is open twice']],
])('G3: %s', (_what, items, problems) => {
  expect(problemsOf(items)).toEqual(problems);
});

test('G3: a result whose call the provider has is no problem', () => {
  expect(problemsOf([result], ['c'])).toEqual([]);
});

test('a run that differs with the mode is noticed', async () => {
  const differing = play(async (world) => world.run(new Agent({ name: 'Fickle', model: world.model(says(world.mode)) }), 'go'));
  await expect(differing).rejects.toThrow('streamed, the run brings something else');
});

test('events that differ with the mode are noticed', async () => {
  const differing = play(async (world) => {
    await world.clock.advance(world.mode === 'plain' ? 0 : 5);
    await world.run(new Agent({ name: 'Late', model: world.model(says('Hello.')) }), 'go');
  });
  await expect(differing).rejects.toThrow('streamed, the events are others');
});

test.skipIf(process.env['UPDATE_LOGS'] === '1')('a scenario without its log is noticed', async () => {
  const unlogged = play(async (world) => world.run(new Agent({ name: 'Greeter', model: world.model(says('Hello.')) }), 'go'), { only: 'plain' });
  await expect(unlogged).rejects.toThrow('There is no event log');
});

test('names of tests become names of files', () => {
  expect(slugOf('B1, K5: a limit, given on "resume"')).toBe('b1-k5-a-limit-given-on-resume');
});
