/** What threads promise, held against their journals and events: whatever does not agree is told in a sentence. */
import type { RunEvent } from '../../index.ts';
import { threadProblems } from '../scenarios/support/threadInvariants.ts';
import type { Evidence } from './audit.ts';
import { digestOf } from './chance.ts';
import { textOf, wordsIn } from './model.ts';
import type { Story, Told } from './story.ts';
import { eventDigest } from './threadLife.ts';
import type { ThreadPlan } from './threadPlan.ts';
import { COMMANDS, type Said } from './words.ts';

/** All that is known of one thread. */
interface Case { plan: ThreadPlan; story: Story; evidence: Evidence; entries: readonly Entry[]; events: readonly RunEvent[]; heard: Heard[] }
type Entry = Evidence['entries'] extends ReadonlyMap<string, readonly (infer One)[]> ? One : never;
type Heard = Told<'hears'>;
type Of<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

export function threadFindings(story: Story, evidence: Evidence): string[] {
  return evidence.plan.threads.flatMap((plan) => {
    const { threadId } = plan;
    const heard = story.of('hears').filter(({ run }) => run === threadId);
    const one: Case = { plan, story, evidence, heard, entries: evidence.entries.get(threadId) ?? [], events: evidence.events.get(threadId) ?? [] };
    return [...closed(one), ...answered(one), ...saidOnce(one), ...decided(one), ...arrived(one), ...injected(one), ...wasRead(one), ...endings(one), ...obeyed(one), ...numbers(one)].map((finding) => finding.replace(': ', `: ${threadId}: `));
  });
}

/** Each thread comes to rest and is closed, and the invariants of threads hold of all that it told. */
function closed({ plan, story, entries, events }: Case): string[] {
  const line = story.of('closed').find(({ run }) => run === plan.threadId);
  if (!line) return ['O1: it was never closed'];
  const last = entries.at(-1);
  const found = last?.type === 'run.rest' && last.state === 'closed' ? [] : ['M9: its journal does not end with its end'];
  return [...found, ...threadProblems(events, lookOf(line))];
}

/** As far as the invariants look. */
const lookOf = ({ queue, mailbox }: Told<'closed'>) => ({ activeRunId: undefined, queue: queue.map((id) => ({ id, input: [] })), mailbox: mailbox.map((id) => ({ id, from: '', content: '', triggerTurn: false })) });

/** L1: every word is answered; what was heard to be accepted was in the journal by then, and is there in the end. */
function answered({ plan, story, entries, events, heard }: Case): string[] {
  const known = new Set(heard.map(({ id }) => id));
  const answers = new Map(events.flatMap((event) => (event.type === 'command.answered' ? [[event.id, event.answer.status] as const] : [])));
  const unanswered = plan.words.flatMap(({ id, kind }) => (known.has(id) ? [] : [`L1: ${kind} ${id} was never answered`]));
  const used = new Set<number>();
  return [...unanswered, ...heard.flatMap(({ id, kind, status, place }) => {
    const command = COMMANDS[kind];
    const position = entries.findIndex((entry, at) => !used.has(at) && isSaying(entry, command) && (!HAS_ID.has(kind) || entry.command.id === id) && answers.get(entry.command.id) === status);
    used.add(position);
    if (position < 0) return [`L1: ${kind} ${id} was heard to be ${status}, and its journal does not say so`];
    const recorded = story.recordedAt(plan.threadId, position);
    return recorded >= 0 && recorded < place ? [] : [`L1: ${kind} ${id} was heard to be ${status} before that was recorded`];
  })];
}

type Saying = Extract<Entry, { type: 'command' }> & { command: { id: string } };
const isSaying = (entry: Entry, command: string): entry is Saying => entry.type === 'command' && 'id' in entry.command && entry.command.type === command;
/** Of the others the thread makes up the id of the command. */
const HAS_ID: ReadonlySet<Said> = new Set<Said>(['run', 'join', 'replace', 'queue', 'steer', 'instant', 'mail', 'wake']);

/** L1: what is in the journal is not said again. */
function saidOnce({ plan, entries }: Case): string[] {
  return plan.words.flatMap(({ id, kind }) => {
    const times = entries.filter((entry) => isSaying(entry, COMMANDS[kind]) && (entry.command.id === id || JSON.stringify(entry.command).includes(`${id}"`))).length;
    return times > 1 ? [`L1: ${kind} ${id} stands ${times} times in the journal`] : [];
  });
}

/** D2: a decision that was heard is recorded. */
function decided({ plan, story, entries }: Case): string[] {
  return story.of('decided').filter(({ run }) => run === plan.threadId).flatMap(({ id, decision, place }) => {
    const isThere = entries.some((entry, position) => entry.type === 'decide' && entry.id === id && story.recordedAt(plan.threadId, position) < place);
    return isThere ? [] : [`D2: the ${decision} of ${id} was heard, and is not recorded`];
  });
}

const INPUTS: Partial<Record<Said, 'run' | 'input'>> = { run: 'run', replace: 'run', queue: 'run', join: 'input', steer: 'input', instant: 'input' };

/** M2, L3: a run that was promised begins once, unless it was taken out of the queue; other input is delivered once, or given back. */
function arrived(one: Case): string[] {
  const { events, heard } = one;
  const count = (isIt: (event: RunEvent) => boolean) => events.filter(isIt).length;
  const taken = removed(one);
  return heard.filter(({ status, kind }) => status === 'accepted' && INPUTS[kind]).flatMap(({ id, kind }) => {
    const begun = count((event) => event.type === 'input.accepted' && event.source !== undefined && event.ids.includes(id));
    if (INPUTS[kind] === 'run') return begun === (taken.has(id) ? 0 : 1) ? [] : [`M2: ${kind} ${id} was promised a run${taken.has(id) ? ' and taken back' : ''}, and ${begun} began`];
    const delivered = begun + count((event) => event.type === 'input.delivered' && event.ids.includes(id));
    const back = count((event) => event.type === 'input.dropped' && event.ids.includes(id)) || Number(isUndelivered(events, id));
    return delivered === 1 || (delivered === 0 && back === 1) ? [] : [`L3: ${kind} ${id} was delivered ${delivered} times, and given back ${back} times`];
  });
}

function removed({ entries, events }: Case): Set<string> {
  const done = new Set(events.flatMap((event) => (event.type === 'command.answered' && event.answer.status === 'accepted' ? [event.id] : [])));
  return new Set(entries.flatMap((entry) => (isSaying(entry, 'queue.remove') && done.has(entry.command.id) ? [(entry.command as { entryId: string }).entryId] : []))); // of this kind
}

const isUndelivered = (events: readonly RunEvent[], id: string) => events.some((event) => event.type === 'run.settled' && event.outcome.undelivered.some((one) => one.id === id));

/** M9: what was put into the history is there once; a run that was stopped keeps it for the next, which may never come. */
function injected({ events, heard }: Case): string[] {
  return heard.filter(({ status, kind }) => status === 'accepted' && kind === 'inject').flatMap(({ id }) => {
    const text = `Know ${id}"`;
    const times = events.filter((event) => (event.type === 'history.injected' || event.type === 'input.delivered') && JSON.stringify(event.items).includes(text)).length;
    const isKept = events.some((event) => event.type === 'run.settled' && event.outcome.status === 'stopped' && JSON.stringify(event.outcome.undelivered).includes(text));
    return times === 1 || (times === 0 && isKept) ? [] : [`M9: what ${id} put into the history is there ${times} times`];
  });
}

/** L3, M4: what is said to have been delivered to a run that completed, or to begin it, was shown to the model. */
function wasRead({ plan, story, events }: Case): string[] {
  const read = new Set(story.of('asks').filter(({ of }) => of === plan.threadId).flatMap(({ words = [] }) => words));
  return events.flatMap((event) => {
    if (event.type !== 'input.delivered' && !(event.type === 'input.accepted' && event.source)) return [];
    const run = events.find((other): other is Of<'run.settled'> => other.type === 'run.settled' && (event.path === other.path || event.path.startsWith(`${other.path}/`)) && isRun(other.path));
    if (run?.outcome.status !== 'completed') return [];
    return event.items.flatMap(wordsIn).filter((id) => !read.has(id)).map((id) => `L3: ${id} was delivered to ${run.path}, and no model has read it`);
  });
}

const isRun = (path: string) => /^[^/]+\/run\.\d+$/.test(path);

/** P1: a run completes with its answer, unless somebody has said otherwise. */
function endings(one: Case): string[] {
  return one.events.flatMap((event) => {
    if (event.type !== 'run.settled' || !isRun(event.path)) return [];
    const { status, output, failure } = event.outcome;
    if (status === 'completed') return isAnswer(String(output), plansOf(one.events, event.path)) ? [] : [`P1: ${event.path} completed with ${JSON.stringify(output)}`];
    if (status === 'failed') return failure?.code === 'compaction' ? [] : [`P1: ${event.path} failed: ${failure?.message}`]; // asked for once, and the provider was down (N2)
    const isTold = one.events.some((answer) => answer.type === 'command.answered' && answer.answer.status === 'accepted' && answer.answer.runId === event.path && mayEnd(one, answer, status));
    return isTold ? [] : [`P1: ${event.path} was ${status}, and nobody had said so`];
  });
}

const isAnswer = (output: string, plans: string[]) => (plans.length === 0 ? output.startsWith('Done with ') : plans.some((key) => output.startsWith(`Done with ${key}: `)));

/** What a run was to work on: its own input, and what joined it. */
function plansOf(events: readonly RunEvent[], run: string): string[] {
  const given = events.filter((event): event is Of<'input.accepted' | 'input.delivered'> => (event.type === 'input.accepted' && event.path === run && event.source !== undefined) || (event.type === 'input.delivered' && event.path.startsWith(`${run}/agent.`)));
  return given.flatMap(({ items }) => items.map(textOf)).flatMap((text) => (text.startsWith('plan ') ? [text.slice('plan '.length)] : []));
}

/** A run is interrupted by another one only where that was to take its place. */
function mayEnd({ entries, events }: Case, { id, command, answer }: Of<'command.answered'>, status: string): boolean {
  if (status === 'stopped') return command === 'thread.softStop';
  if (command !== 'thread.run') return command === 'thread.interrupt' || command === 'thread.close';
  const replaces = entries.some((entry) => isSaying(entry, command) && entry.command.id === id && 'whenBusy' in entry.command && entry.command.whenBusy === 'replace');
  return replaces && !events.some((event) => event.type === 'input.accepted' && event.source && event.ids.includes(id) && 'runId' in answer && event.path === answer.runId);
}

/** J1, J2: whoever was told to stop has stopped, whichever process heard it. */
function obeyed({ events }: Case): string[] {
  return events.flatMap((answer, at) => {
    if (answer.type !== 'command.answered' || answer.answer.status !== 'accepted') return [];
    const run = answer.answer.runId ?? '';
    if (!isRun(run)) return [];
    const settled = events.find((event): event is Of<'run.settled'> => event.type === 'run.settled' && event.path === run);
    const status = settled?.outcome.status;
    if (answer.command === 'thread.interrupt') return status === 'interrupted' ? [] : [`J2: ${run} was interrupted by ${answer.id}, and ${status} all the same`];
    if (answer.command !== 'thread.softStop') return [];
    const turn = events.slice(at).find(({ type, path }) => type === 'turn.started' && path.startsWith(`${run}/agent.`) && /^[^/]+\/[^/]+\/agent\.\d+\/turn\.\d+$/.test(path));
    return turn ? [`J1: ${run} was told to stop by ${answer.id}, and began ${turn.path}`] : [];
  });
}

/** I6: an event has its number in every process, whether it was heard as it came or read again. */
function numbers({ plan, story, events }: Case): string[] {
  const digests = events.map(({ number: _number, ...event }) => eventDigest(event));
  const told = story.of('tells').filter(({ run, number, digest }) => run === plan.threadId && digests[number - 1] !== digest);
  const retold = story.of('retells').filter(({ run, count, digest }) => run === plan.threadId && digestOf(digests.slice(0, count).join(' ')) !== digest);
  return [...told.map(({ number }) => `I6: event ${number} was another when it was heard`), ...retold.map(({ count, life }) => `I6: the first ${count} events were others when process ${life} read them`)];
}
