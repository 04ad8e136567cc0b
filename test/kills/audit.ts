/** The ledger against the journal: whatever does not agree is told in a sentence. */
import type { AgentInputItem, JournalEntry } from '../../index.ts';
import { asksPerson } from './cast.ts';
import type { Line } from './ledger.ts';
import { gist, idOf } from './model.ts';
import type { WorldPlan } from './plan.ts';
import type { Deed } from './world.ts';

export interface Evidence {
  plan: WorldPlan;
  /** Of each process, oldest first. */
  lives: readonly (readonly Line[])[];
  entries: ReadonlyMap<string, readonly JournalEntry[]>;
  deeds: readonly Deed[];
  session: readonly AgentInputItem[];
}
/** What comes of it when nobody is killed. */
export interface Expected { outcomes: ReadonlyMap<string, { output: unknown; history: string }>; session: readonly AgentInputItem[] }

type Place = { place: number; life: number };
/** Lines of a kind, where lines of several kinds may have one shape. */
type Told<What, One = Line> = One extends { what: infer Whats } ? (What & Whats extends never ? never : One & Place) : never;

/** What happened, in its order: one process of a world lives at a time. */
class Story {
  readonly #lines: (Line & Place)[];

  constructor(lives: Evidence['lives']) {
    this.#lines = lives.flatMap((lines, life) => lines.map((line) => ({ ...line, life }))).map((line, place) => ({ ...line, place }));
  }

  of<What extends Line['what']>(...whats: What[]): Told<What>[] {
    return this.#lines.filter(({ what }) => (whats as string[]).includes(what)) as Told<What>[]; // just looked at
  }

  /** From where on it is known that the entry is in the journal: its append was acknowledged, or a later process found it. */
  recordedAt(run: string, position: number): number {
    return this.#lines.findIndex((line) => 'run' in line && line.run === run && lengthAfter(line) > position);
  }
}

const lengthAfter = (line: Line) => (line.what === 'found' ? line.length : line.what === 'wrote' ? line.position + line.count : 0);

export function audit(evidence: Evidence, expected: Expected): string[] {
  const story = new Story(evidence.lives);
  return [
    ...acknowledged(story, evidence), ...bodies(story, evidence), ...recordedOnce(story, evidence), ...items(story, evidence), ...requests(story, evidence), ...readings(story, evidence), ...outcomes(story, evidence, expected),
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
    if (asksPerson(tool) && !isBefore(story, evidence, run, place, (entry) => entry.type === 'decide' && entry.decision.decision === 'approve' && isOfCall(entry.id))) found.push(`D6: ${effectId} ran without an approval`);
  }
  return found;
}

function isBefore(story: Story, { entries }: Evidence, run: string, place: number, isIt: (entry: JournalEntry) => boolean): boolean {
  return (entries.get(run) ?? []).some((entry, position) => isIt(entry) && story.recordedAt(run, position) < place);
}

/** What is recorded as done was done, and is not done again. */
function recordedOnce(story: Story, { entries, plan }: Evidence): string[] {
  const begins = story.of('begins');
  const ends = new Set(story.of('ends').map(({ effectId }) => effectId));
  const names = new Map([...plan.groups.values()].flat(2).map(({ callId, name }) => [callId, name]));
  return results(entries).flatMap(({ run, position, id, callId }) => {
    if (names.get(callId) === 'ask') return []; // its body is a run of its own
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
function items(story: Story, { entries }: Evidence): string[] {
  const says = story.of('says');
  return [...entries].flatMap(([run, list]) => list.flatMap((entry, position) => {
    if (entry.type !== 'effect.item') return [];
    const recorded = story.recordedAt(run, position);
    return says.filter(({ item, place }) => item === gist(entry.item) && place > recorded).map(({ item }) => `O2: "${item}" was recorded in ${run}, and generated again`);
  }));
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
  const names = new Map([...plan.groups.values()].flat(2).map(({ callId, name }) => [callId, name]));
  return story.of('asks').flatMap(({ read }) => read.flatMap(([callId, text]) => {
    const name = names.get(callId);
    if (name === 'ask' || name === 'transfer_to_Second' || done.get(callId) === text) return [];
    return [`O1: of ${callId} the model read ${JSON.stringify(text)}, and the world did ${JSON.stringify(done.get(callId))}`];
  }));
}

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
