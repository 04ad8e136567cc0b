/** The yardstick must be straight: what the audit lets through is right, and each thing that is wrong is found. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Evidence, type Expected, audit } from './audit.ts';
import { undisturbed } from './drive.ts';
import * as spoilt from './evidence.ts';
import type { Line } from './ledger.ts';
import { worldPlan } from './plan.ts';

const plan = worldPlan('audit.3');
let evidence: Evidence;
let expected: Expected;

beforeAll(async () => {
  evidence = await spoilt.evidenceOf(plan);
  expected = await undisturbed(plan);
});

const lineOf = <What extends Line['what']>(what: What, isIt?: (line: Line & { what: What }) => boolean) => spoilt.lineOf<What>(evidence, what, isIt);
const later = (...lines: Line[]) => spoilt.later(evidence, ...lines);
const without = (gone: Line) => spoilt.without(evidence, gone);
const shortened = (keeps: (entry: { type: string }) => boolean) => spoilt.shortened(evidence, keeps);

test('a world in which nobody was killed is in order', () => expect(audit(evidence, expected)).toEqual([]));

describe('it finds', () => {
  const faults: [what: string, finding: RegExp, fault: () => Evidence][] = [
    ['an append that was acknowledged and lost', /^O1: tools had \d+ entries acknowledged, and 1 were found/, () => later({ what: 'found', run: 'tools', length: 1 })],
    ['a harmful body that ran twice', /^O3: irreversible .* ran again, and nobody had said so/, () => later(lineOf('begins', ({ effect }) => effect === 'irreversible'))],
    ['one that could have been looked up', /^O3: reconcilable .* ran again, and nobody had said so/, () => later(lineOf('begins', ({ effect }) => effect === 'reconcilable'))],
    ['a recorded result that was made again', /^O2: the result of .* was recorded, and .* ran all the same/, () => later(lineOf('begins', ({ effect }) => effect === 'pure'))],
    ['a result of nothing', /^O1: .*execute#1 is recorded as done, and never was/, () => without(lineOf('ends'))],
    ['a harmful body that nobody had announced', /ran before it was recorded that it begins/, () => shortened(({ type }) => type !== 'effect.started')],
    ['a call without its approval', /^D6: .* ran without an approval/, () => shortened(({ type }) => type !== 'decide')],
    ['another key for the same call', /^P3: .* ran under the keys .* and other\/execute/, () => later({ ...lineOf('begins', ({ effect }) => effect === 'pure'), key: 'other/execute' })],
    ['an answer that was paid for twice', /^O2: resp_.* was recorded in .*, and asked for again/, () => later(lineOf('asks', ({ digest }) => lineOf('answers').digest === digest))],
    ['an item that was', /^O2: "assistant says .*" was recorded in streamed, and generated again/, () => later(lineOf('says', ({ item }) => item.includes('streamed')))],
    ['a result that the model read and nobody had made', /^O1: of .* the model read "made up", and the world did/, () => later({ what: 'asks', of: 'tools', digest: '', read: [[lineOf('begins').callId, 'made up']] })],
    ['a run without an end', /^O1: tools did not end/, () => without(lineOf('over', ({ run }) => run === 'tools'))],
    ['another output', /^O1: tools ended with "other", not with "Done/, () => later({ ...lineOf('over', ({ run }) => run === 'tools'), output: 'other' })],
    ['another history', /^O1: tools has another history/, () => later({ ...lineOf('over', ({ run }) => run === 'tools'), history: 'other' })],
    ['a journal without its end', /^O1: the journal of tools does not end with its rest/, () => shortened(({ type }) => type !== 'run.rest')],
    ['a session that lost an item', /^O8: the session holds/, () => ({ ...evidence, session: evidence.session.slice(1) })],
  ];
  test.each(faults)('%s', (_what, finding, fault) => expect(audit(fault(), expected)).toContainEqual(expect.stringMatching(finding)));
});
