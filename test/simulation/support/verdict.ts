/** What must be true at the end of every simulated world. */
import { canonical } from '../../../actors/fingerprint.ts';
import { type RunState, stateFromJournal, type AgentInputItem } from 'loopchart';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { entryFromText, entryToText } from '../../../actors/journalText.ts';
import { differences } from '../../crash/support/difference.ts';
import { pathOf } from '../../crash/support/ledger.ts';
import { checkRun } from '../../scenarios/support/invariants.ts';
import { plain } from '../../scenarios/support/scenario.ts';
import { seenOf } from '../../scenarios/support/seen.ts';
import type { Act } from './town.ts';
import type { Ending, Voyage } from './voyage.ts';

export async function complaintsAbout(voyage: Voyage): Promise<string[]> {
  const { complaints, town, ledger, store, endings } = voyage;
  const found = [...complaints, ...town.complaints, ...ledger.problems(), ...lostActs(endings.flatMap(({ runId }) => store.read(runId)), town.acts), ...(await sessionProblems(voyage))];
  for (const ending of endings) found.push(...(await replayProblems(voyage, ending)));
  return found;
}

/** Calm worlds end as if nothing had happened to their processes (O1). */
export async function comparisonOf(disturbed: Voyage, undisturbed: Voyage): Promise<string[]> {
  return differences(await brought(disturbed), await brought(undisturbed)).map((difference) => `O1: ${difference}`);
}

async function brought({ endings, town, session }: Voyage): Promise<unknown> {
  const runs = endings.map(({ look }) => look);
  const requests = Object.fromEntries([...town.requests].sort(([one], [other]) => (one < other ? -1 : 1)));
  return plain({ runs, requests, session: session ? await session.getItems() : null });
}

/** Errors of the app's own classes live as long as their process. */
export function lookOf(state: RunState<any, any> | undefined, error: unknown): object { // `any`: agents of all kinds
  const seen = seenOf({ state, error, events: [], stream: [] });
  return plain({ ...seen, error: seen.error?.message }) as object;
}

/** I1, I2, C3, D6: what the events of a run say. */
export function runProblems({ state, error, events }: Ending): string[] {
  if (events.length === 0) return []; // it was over when it was looked up
  try {
    checkRun({ state, error, events, stream: [] }, []);
    return [];
  } catch (problem) {
    return [(problem as Error).message.split('\n')[0]!];
  }
}

/** O1: the journal alone brings the same run. */
async function replayProblems({ store, agents }: Voyage, ending: Ending): Promise<string[]> {
  const { runId, state } = ending;
  const entries = store.read(runId);
  if (!state || entries.length === 0) return [];
  const damaged = textProblems(runId, entries);
  if (damaged.length > 0) return damaged;
  try {
    const again = await stateFromJournal<any>(runId, { journal: store, agents });
    return differences({ ...lookOf(again, undefined), error: '' }, { ...ending.look, error: '' }).map((one) => `O1: replayed, ${runId} differs: ${one}`);
  } catch (error) {
    return [`O1: ${runId} cannot be replayed: ${String(error)}`];
  }
}

/** O5: entries come back from their text as they were; the first that does not. */
export function textProblems(runId: string, entries: readonly JournalEntry[]): string[] {
  for (const [position, entry] of entries.entries()) {
    const again = entryFromText(entryToText(entry, { runId, position }), { runId, position });
    if (canonical(JSON.parse(JSON.stringify(again))) !== canonical(JSON.parse(JSON.stringify(entry)))) return [`O5: entry ${position} comes back otherwise: ${JSON.stringify(again)}`];
  }
  return [];
}

/** A body that had an effect which must not be repeated is known of: its result, a doubt about it, or the end of its run. */
export function lostActs(entries: readonly JournalEntry[], acts: readonly Act[]): string[] {
  return acts.flatMap(({ effectId, tool }) => {
    if (tool.effect !== 'irreversible' && tool.effect !== 'reconcilable') return [];
    return entries.some((entry) => tellsOf(entry, pathOf(effectId))) ? [] : [`O3: that ${effectId} had its effect is known to nobody`];
  });
}

const tellsOf = (entry: JournalEntry, path: string): boolean => 'id' in entry && entry.id.startsWith(`${path}/`) && (entry.type === 'effect.done' || entry.type === 'effect.late' || entry.type === 'effect.lost' || entry.type === 'effect.started');

/** G1: every item once, and the conversation of a run that has ended well whole. */
async function sessionProblems({ session, endings }: Voyage): Promise<string[]> {
  if (!session) return [];
  const items = await session.getItems();
  const outcome = endings.at(-1)?.outcome;
  if (outcome?.status !== 'completed') return twice(items);
  const inSomeOrder = (all: readonly AgentInputItem[]) => all.map((item) => JSON.stringify(item)).sort(); // a turn that was cut short is stored in parts
  return differences(inSomeOrder(items), inSomeOrder(outcome.history)).map((one) => `G1: the session differs from the conversation: ${one}`);
}

function twice(items: readonly AgentInputItem[]): string[] {
  const ids = items.flatMap((item) => ('callId' in item ? [`${item.type} ${String(item.callId)}`] : []));
  return ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `G1: ${id} is stored twice`);
}
