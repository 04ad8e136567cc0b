/** The yardstick for threads must be straight too: what it lets through is right, and each thing that is wrong is found. */
import type { JournalEntry, RunEvent } from 'loopchart';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Evidence, type Expected, audit } from './audit.ts';
import * as spoilt from './evidence.ts';
import type { Line } from './ledger.ts';
import { worldPlan } from './plan.ts';

/** Its threads hear words of nearly all kinds, and their runs end in all ways. */
const plan = worldPlan('threads5');
const expected: Expected = { outcomes: new Map(), session: [] };
let evidence: Evidence;
beforeAll(async () => {
  evidence = await spoilt.evidenceOf(plan);
});

type Hears = Extract<Line, { what: 'hears' }>;
const heard = (kind: Hears['kind']) => spoilt.lineOf(evidence, 'hears', (line) => line.kind === kind && line.status === 'accepted');
const withEntries = (change: (entry: JournalEntry) => JournalEntry[]): Evidence => ({ ...evidence, entries: new Map([...evidence.entries].map(([id, list]) => [id, list.flatMap(change)])) });
const withEvents = (change: (event: RunEvent) => RunEvent[]): Evidence => ({ ...evidence, events: new Map([...evidence.events].map(([id, list]) => [id, list.flatMap(change)])) });
const withoutCommand = (id: string) => spoilt.shortened(evidence, (entry) => !('command' in entry) || (entry.command as { id: string }).id !== id);
const delivers = (event: RunEvent, id: string) => event.type === 'input.delivered' && event.ids.includes(id);
const begins = (event: RunEvent, id: string) => event.type === 'input.accepted' && event.source !== undefined && event.ids.includes(id);
/** The first run that has ended so ends otherwise. */
function ended(status: string, otherwise: object): Evidence {
  let isFirst = true;
  return withEvents((event) => {
    if (!isFirst || event.type !== 'run.settled' || event.outcome.status !== status || !/^\w+\/run\.\d+$/.test(event.path)) return [event];
    isFirst = false;
    return [{ ...event, outcome: { ...event.outcome, ...otherwise } }];
  });
}

test('threads of which nobody was killed are in order', () => expect(audit(evidence, expected)).toEqual([]));

describe('it finds', () => {
  const faults: [what: string, finding: RegExp, fault: () => Evidence][] = [
    ['an accepted word that is lost', /^L1: \w+: run \w+\.w00 was heard to be accepted, and its journal does not say so/, () => withoutCommand(heard('run').id)],
    ['an interrupt or a stop that is', /^L1: \w+: stop .* was heard to be accepted, and its journal/, () => spoilt.shortened(evidence, (entry) => !('command' in entry) || (entry.command as { type: string }).type !== 'thread.softStop')],
    ['a receipt that came before its word was recorded', /^L1: \w+: steer .* before that was recorded/, () => spoilt.withLines(evidence, (line) => (line.what === 'wrote' || line.what === 'found' ? [] : [line]))],
    ['a word that nobody answers', /^L1: \w+: queue .* was never answered/, () => spoilt.without(evidence, heard('queue'))],
    ['a word that is recorded twice', /^L1: \w+: steer .* stands 2 times in the journal/, () => withEntries((entry) => (entry.type === 'command' && 'id' in entry.command && entry.command.id === heard('steer').id ? [entry, entry] : [entry]))],
    ['a decision that is lost', /^D2: \w+: the answer of .* was heard, and is not recorded/, () => spoilt.shortened(evidence, ({ type }) => type !== 'decide')],
    ['a promised run that never begins', /^M2: \w+: run .* was promised a run, and 0 began/, () => withEvents((event) => (begins(event, heard('run').id) ? [] : [event]))],
    ['one that begins twice', /^M2: \w+: run .* was promised a run, and 2 began/, () => withEvents((event) => (begins(event, heard('run').id) ? [event, event] : [event]))],
    ['a run of what was taken out of the queue', /^M2: \w+: queue .* was promised a run and taken back, and 1 began/, takenAndBegun],
    ['a steer that is lost', /^L3: \w+: steer .* was delivered 0 times, and given back 0 times/, () => withEvents((event) => (delivers(event, heard('steer').id) ? [] : [event]))],
    ['a steer that is delivered twice', /^L3: \w+: steer .* was delivered 2 times/, () => withEvents((event) => (delivers(event, heard('steer').id) ? [event, event] : [event]))],
    ['what the model has not been shown', /^L3: \w+: .* was delivered to .*, and no model has read it/, () => spoilt.withLines(evidence, (line) => [line.what === 'asks' ? { ...line, words: [] } : line])],
    ['mail that is nowhere', /^M4: \w+: the mail .* is in 0 places/, () => withEvents((event) => (delivers(event, heard('mail').id) || begins(event, heard('mail').id) ? [] : [event]))],
    ['injected items that are lost', /^M9: \w+: what .* put into the history is there 0 times/, () => withEvents((event) => (JSON.stringify(event).includes(`Know ${heard('inject').id}"`) ? [] : [event]))],
    ['a run that ends for no reason', /^P1: \w+: .* was interrupted, and nobody had said so/, () => ended('completed', { status: 'interrupted' })],
    ['a run that is stopped for none', /^P1: \w+: .* was stopped, and nobody had said so/, () => ended('completed', { status: 'stopped' })],
    ['a run that fails', /^P1: \w+: .* failed: /, () => ended('completed', { status: 'failed' })],
    ['another answer', /^P1: \w+: .* completed with "other"/, () => ended('completed', { output: 'other' })],
    ['an answer to another input', /^P1: \w+: .* completed with "Done with bob\.w99: /, () => ended('completed', { output: 'Done with bob.w99: 1' })],
    ['an interrupt that nobody obeys', /^J2: \w+: .* was interrupted by .*, and stopped all the same/, () => withEvents((event) => (isStop(event) ? [{ ...event, command: 'thread.interrupt' }] : [event]))],
    ['a stop that nobody obeys', /^J1: \w+: .* was told to stop by .*, and began .*\/turn\.1/, stoppedAndBegun],
    ['an event with another number', /^I6: \w+: event 3 was another when it was heard/, () => withEvents((event) => (event.number === 3 ? [{ ...event, at: 1 }] : [event]))],
    ['events that were others for another process', /^I6: \w+: the first 5 events were others when process \d+ read them/, () => spoilt.later(evidence, { what: 'retells', run: 'ada', count: 5, digest: 'other' })],
    ['a call that no rule and nobody has allowed', /^D6: .* ran without an approval/, () => spoilt.later(evidence, { ...spoilt.lineOf(evidence, 'begins'), tool: 'sign', key: 'ada/run.1/other/execute' })],
    ['a harmful body that ran twice in a thread', /^O3: irreversible .* ran again, and nobody had said so/, () => spoilt.later(evidence, spoilt.lineOf(evidence, 'begins', ({ effect }) => effect === 'irreversible'))],
    ['a result that a thread had, and made again', /^O2: the result of .* was recorded, and .* ran all the same/, () => spoilt.later(evidence, spoilt.lineOf(evidence, 'begins', ({ effect }) => effect === 'pure'))],
    ['an answer that was paid for twice', /^O2: resp_.* was recorded in (ada|bob), and asked for again/, () => spoilt.later(evidence, spoilt.lineOf(evidence, 'asks', ({ digest }) => spoilt.lineOf(evidence, 'answers').digest === digest))],
    ['a thread that is never closed', /^O1: \w+: it was never closed/, () => spoilt.without(evidence, spoilt.lineOf(evidence, 'closed'))],
    ['a journal without its end', /^M9: \w+: its journal does not end with its end/, () => spoilt.shortened(evidence, ({ type }) => type !== 'run.rest')],
  ];
  test.each(faults)('%s', (_what, finding, fault) => expect(audit(fault(), expected)).toContainEqual(expect.stringMatching(finding)));
});

const isStop = (event: RunEvent): event is Answered & { answer: { runId: string } } => event.type === 'command.answered' && event.command === 'thread.softStop' && 'runId' in event.answer;
type Answered = Extract<RunEvent, { type: 'command.answered' }>;

/** A run begins a turn after it was told to stop. */
const stoppedAndBegun = () => withEvents((event) => (isStop(event) ? [event, { ...event, type: 'turn.started', path: `${event.answer.runId}/agent.1/turn.1`, turn: 1 }] : [event]));

/** A run begins from an entry of the queue that somebody had removed. */
function takenAndBegun(): Evidence {
  const { run, id } = spoilt.lineOf(evidence, 'hears', (line) => line.kind === 'queue' && removes(line.run, line.id));
  const begun = evidence.events.get(run)!.find((event) => event.type === 'input.accepted' && event.source)!; // its first run
  return { ...evidence, events: new Map([...evidence.events, [run, [...evidence.events.get(run)!, { ...begun, ids: [id] } as RunEvent]]]) };
}

const removes = (run: string, id: string) => evidence.entries.get(run)!.some((entry) => entry.type === 'command' && entry.command.type === 'queue.remove' && entry.command.entryId === id);
