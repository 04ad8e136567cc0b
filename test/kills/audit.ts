/** The ledger against the journal, of runs and threads alike: whatever does not agree is told in a sentence. */
import type { AgentInputItem, JournalEntry, RunEvent } from '../../index.ts';
import { asksPerson, chosen } from './cast.ts';
import { gist, idOf } from './model.ts';
import { REFUSAL } from './person.ts';
import type { CallName, WorldPlan } from './plan.ts';
import { type Lives, Story, lengthAfter } from './story.ts';
import { threadFindings } from './threadAudit.ts';
import type { Deed } from './world.ts';

export interface Evidence {
  plan: WorldPlan;
  /** Of each process, oldest first. */
  lives: Lives;
  entries: ReadonlyMap<string, readonly JournalEntry[]>;
  /** Of each thread, as its journal tells them in the end. */
  events: ReadonlyMap<string, readonly RunEvent[]>;
  deeds: readonly Deed[];
  session: readonly AgentInputItem[];
}
/** What comes of it when nobody is killed. */
export interface Expected { outcomes: ReadonlyMap<string, { output: unknown; history: string }>; session: readonly AgentInputItem[] }

export function audit(evidence: Evidence, expected: Expected): string[] {
  const story = new Story(evidence.lives);
  return [
    ...acknowledged(story, evidence), ...bodies(story, evidence), ...recordedOnce(story, evidence), ...items(story, evidence), ...requests(story, evidence), ...readings(story, evidence), ...outcomes(story, evidence, expected),
    ...threadFindings(story, evidence),
  ];
}

/** An append that was acknowledged is there for whoever comes next. */
function acknowledged(story: Story, { entries }: Evidence): string[] {
  const known = new Map<string, number>();
  const found: string[] = [];
  const ends = [...entries].map(([run, { length }]) => ({ what: 'found' as const, run, length }));
  for (const line of [...story.of('found', 'wrote'), ...ends]) {
    const before = known.get(line.run) ?? 0;
    if (line.what === 'found' && line.length < before) found.push(`O1: ${line.run} had ${before} entries acknowledged, and ${line.length} were found`);
    known.set(line.run, Math.max(before, lengthAfter(line)));
  }
  return found;
}

/** What runs has been allowed to, each time that it does. */
function bodies(story: Story, evidence: Evidence): string[] {
  const found: string[] = [];
  const begins = story.of('begins');
  const words = story.of('decides', 'checks');
  for (const [at, body] of begins.entries()) {
    const { callId, key, effectId, effect, run, place, tool } = body;
    const earlier = begins.slice(0, at).findLast((other) => other.callId === callId);
    const isSaid = words.some((word) => earlier && word.place > earlier.place && word.place < place && (word.what === 'decides' ? word.callId === callId && word.decision === 'again' : word.key === key && word.happened === false));
    if (earlier && earlier.key !== key) found.push(`P3: ${callId} ran under the keys ${earlier.key} and ${key}`);
    const isHarmful = effect === 'irreversible' || effect === 'reconcilable';
    if (earlier && isHarmful && !isSaid) found.push(`O3: ${effect} ${callId} ran again, and nobody had said so`);
    if (isHarmful && !isBefore(story, evidence, run, place, (entry) => entry.type === 'effect.started' && entry.id === effectId)) found.push(`O3: ${effectId} ran before it was recorded that it begins`);
    const isOfCall = (id: string) => id.startsWith(key.slice(0, key.lastIndexOf('/') + 1));
    if (asksPerson(tool) && !isBefore(story, evidence, run, place, (entry) => isApproval(entry) && isOfCall(entry.id))) found.push(`D6: ${effectId} ran without an approval`);
  }
  return found;
}

/** A person's, or that of a rule which a person has made for this thread. */
function isApproval(entry: JournalEntry): entry is JournalEntry & { id: string } {
  if (entry.type === 'decide') return entry.decision.decision === 'approve';
  return entry.type === 'effect.done' && /\/approvalPolicy#\d+$/.test(entry.id) && entry.outcome.status === 'ok' && (entry.outcome.value as { approval: string }).approval === 'granted'; // as recorded by the effect
}

function isBefore(story: Story, { entries }: Evidence, run: string, place: number, isIt: (entry: JournalEntry) => boolean): boolean {
  return (entries.get(run) ?? []).some((entry, position) => isIt(entry) && story.recordedAt(run, position) < place);
}

/** What is recorded as done was done, and is not done again. */
function recordedOnce(story: Story, { entries, plan }: Evidence): string[] {
  const begins = story.of('begins');
  const ends = new Set(story.of('ends').map(({ effectId }) => effectId));
  const names = namesIn(plan);
  return results(entries).flatMap(({ run, position, id, callId }) => {
    if (!hasBody(names.get(callId))) return [];
    const recorded = story.recordedAt(run, position);
    const again = begins.find((body) => body.callId === callId && body.place > recorded);
    const lost = /\/execute#\d+$/.test(id) && !ends.has(id);
    return [...(again ? [`O2: the result of ${callId} was recorded, and ${again.effectId} ran all the same`] : []), ...(lost ? [`O1: ${id} is recorded as done, and never was`] : [])];
  });
}

function results(entries: Evidence['entries']) {
  return [...entries].flatMap(([run, list]) => list.flatMap((entry, position) => {
    if (entry.type !== 'effect.done' || entry.outcome.status !== 'ok') return [];
    const value = entry.outcome.value as { status?: string; item?: AgentInputItem; result?: { item?: AgentInputItem } } | null; // looked at field by field
    const item = value?.result?.item ?? value?.item;
    return item?.type === 'function_call_result' && (value?.result ?? value)?.item ? [{ run, position, id: entry.id, callId: item.callId }] : [];
  }));
}

/** An item that is recorded, inside of an answer or with it, is not generated again. */
function items(story: Story, { entries, events }: Evidence): string[] {
  const says = story.of('says');
  return [...entries].flatMap(([run, list]) => list.flatMap((entry, position) => {
    if (entry.type !== 'effect.item' || isTakenBack(entry, events.get(run) ?? [])) return [];
    const recorded = story.recordedAt(run, position);
    return says.filter(({ item, place }) => item === gist(entry.item) && place > recorded).map(({ item }) => `O2: "${item}" was recorded in ${run}, and generated again`);
  }));
}

/** Of an answer that somebody has cut short, what does not stand is as if it had never been (J2, L2). */
function isTakenBack({ id, item }: Extract<JournalEntry, { type: 'effect.item' }>, events: readonly RunEvent[]): boolean {
  const goes = (event: RunEvent) => (event.type === 'turn.retracted' && !event.kept.some((kept) => gist(kept) === gist(item))) || (event.type === 'run.settled' && event.outcome.status === 'interrupted');
  return events.some((event) => id.startsWith(`${event.path}/`) && goes(event));
}

/** An answer that is recorded is not asked for again; nor is one that this very process has had. */
function requests(story: Story, { entries }: Evidence): string[] {
  const asks = story.of('asks');
  const answers = story.of('answers');
  const twice = answers.filter(({ digest, place, life }) => asks.some((other) => other.digest === digest && other.place > place && other.life === life));
  const paid = [...entries].flatMap(([run, list]) => list.flatMap((entry, position) => {
    const response = entry.type === 'effect.done' && entry.outcome.status === 'ok' ? (entry.outcome.value as { id?: string; responseId?: string } | null) : null; // as above
    if (!response?.responseId) return [];
    const recorded = story.recordedAt(run, position);
    return asks.filter(({ digest, place }) => idOf(digest) === response.responseId && place > recorded).map(() => `O2: ${response.responseId} was recorded in ${run}, and asked for again`);
  }));
  return [...twice.map(({ digest }) => `O2: ${idOf(digest)} was asked for twice by one process`), ...paid];
}

/** What the model read is what the world did. */
function readings(story: Story, { deeds, plan }: Evidence): string[] {
  const done = new Map(deeds.map(({ callId, text }) => [callId, text]));
  const names = namesIn(plan);
  const threads = new Set(plan.threads.map(({ threadId }) => threadId));
  return story.of('asks').flatMap(({ of, read }) => read.flatMap(([callId, text]) => {
    const name = names.get(callId);
    const should = name === 'choose' ? chosen(callId) : done.get(callId);
    if (name === 'ask' || name === 'task' || name === 'transfer_to_Second' || should === text || (threads.has(of) && isOfRuntime(text))) return [];
    return [`O1: of ${callId} the model read ${JSON.stringify(text)}, and the world did ${JSON.stringify(should)}`];
  }));
}

/** Of a call that a person did not want, or that an interrupt has cut short (C8, J2). */
const isOfRuntime = (text: string) => text === REFUSAL || /^aborted by user( after [\d.]+s)?(\. It may have completed; do not repeat it without checking\.)?$/.test(text);

const namesIn = ({ groups }: WorldPlan): Map<string, CallName> => new Map([...groups.values()].flat(2).map(({ callId, name }) => [callId, name]));
/** Of the others the body is a run of its own, or there is none. */
const hasBody = (name: CallName | undefined) => name !== 'ask' && name !== 'task' && name !== 'choose';

/** Every run ends as if nobody had been killed; a stream that was cut may have its calls in more answers than one. */
function outcomes(story: Story, { plan, session, entries }: Evidence, expected: Expected): string[] {
  const over = new Map(story.of('over').map((line) => [line.run, line]));
  const found = plan.runs.flatMap(({ runId }) => {
    const [is, should] = [over.get(runId), expected.outcomes.get(runId)!];
    if (!is) return [`O1: ${runId} did not end`];
    if (entries.get(runId)?.at(-1)?.type !== 'run.rest') return [`O1: the journal of ${runId} does not end with its rest`];
    if (is.output !== should.output) return [`O1: ${runId} ended with ${JSON.stringify(is.output)}, not with ${JSON.stringify(should.output)}`];
    return sorted(is.history) === sorted(should.history) ? [] : [`O1: ${runId} has another history:\n${is.history}\n  instead of\n${should.history}`];
  });
  const told = (items: readonly AgentInputItem[]) => items.map(gist).join('\n');
  return told(session) === told(expected.session) ? found : [...found, `O8: the session holds\n${told(session)}\n  instead of\n${told(expected.session)}`];
}

const sorted = (history: string) => history.split('\n').sort().join('\n');
