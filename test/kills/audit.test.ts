/** The yardstick must be straight: what the audit lets through is right, and each thing that is wrong is found. */
import { MemoryJournal } from 'loopchart';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Evidence, type Expected, audit } from './audit.ts';
import { undisturbed } from './drive.ts';
import type { Line } from './ledger.ts';
import { live } from './life.ts';
import { worldPlan } from './plan.ts';
import { watched } from './watched.ts';
import { memoryWorld } from './world.ts';

const plan = worldPlan('audit');
let evidence: Evidence;
let expected: Expected;

beforeAll(async () => {
  const world = memoryWorld(plan.seed);
  const lives: Line[][] = [];
  const over = new Set<string>();
  const journal = new MemoryJournal();
  world.ledger.note = async (line) => {
    lives.at(-1)!.push(line);
    if (line.what === 'over') over.add(line.run);
  };
  while (over.size < plan.runs.length) {
    lives.push([]);
    await live({ plan, world, journal: watched(journal, world.ledger), over });
  }
  const entries = new Map(plan.runs.map(({ runId }) => [runId, journal.read(runId)]));
  evidence = { plan, lives, entries, deeds: world.deeds(), session: await world.session('conversation').getItems() };
  expected = await undisturbed(plan);
});

const lineOf = <What extends Line['what']>(what: What, isIt: (line: Line & { what: What }) => boolean = () => true) =>
  evidence.lives.flat().find((line): line is Line & { what: What } => line.what === what && isIt(line as Line & { what: What }))!; // every plan has some
/** Another process comes, and this is all that it does. */
const later = (...lines: Line[]): Evidence => ({ ...evidence, lives: [...evidence.lives, lines] });
const without = (gone: Line): Evidence => ({ ...evidence, lives: evidence.lives.map((lines) => lines.filter((line) => line !== gone)) });

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
    ['an item that was', /^O2: "assistant says .*" was recorded in streamed, and generated again/, () => later(lineOf('says'))],
    ['a result that the model read and nobody had made', /^O1: of .* the model read "made up", and the world did/, () => later({ what: 'asks', digest: '', read: [[lineOf('begins').callId, 'made up']] })],
    ['a run without an end', /^O1: tools did not end/, () => without(lineOf('over', ({ run }) => run === 'tools'))],
    ['another output', /^O1: tools ended with "other", not with "Done/, () => later({ ...lineOf('over', ({ run }) => run === 'tools'), output: 'other' })],
    ['another history', /^O1: tools has another history/, () => later({ ...lineOf('over', ({ run }) => run === 'tools'), history: 'other' })],
    ['a journal without its end', /^O1: the journal of tools does not end with its rest/, () => shortened(({ type }) => type !== 'run.rest')],
    ['a session that lost an item', /^O8: the session holds/, () => ({ ...evidence, session: evidence.session.slice(1) })],
  ];
  test.each(faults)('%s', (_what, finding, fault) => expect(audit(fault(), expected)).toContainEqual(expect.stringMatching(finding)));
});

/** Entries that are gone leave their places empty, so that all others keep theirs. */
function shortened(keeps: (entry: { type: string }) => boolean): Evidence {
  const gone = { type: 'effect.late', id: '', outcome: { status: 'lost' }, at: 0 } as const;
  return { ...evidence, entries: new Map([...evidence.entries].map(([run, list]) => [run, list.map((entry) => (keeps(entry) ? entry : gone))])) };
}
