/** What the history of a thread was at a point of it, found by feeding its journal to a thread that runs nothing (M6). */
import type { LoopEvent } from '../../machines/protocol/event.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';
import type { HistoryPoint } from '../../machines/protocol/thread.ts';
import type { ThreadContext } from '../../machines/threadMemory.ts';
import { INTERRUPTED_NOTICE, notice, wellFormed } from '../../machines/history.ts';
import { Host } from '../host.ts';
import type { Journal } from '../journal.ts';
import { MemoryJournal } from '../memoryJournal.ts';
import { progressOf } from '../progress.ts';
import { THREAD } from './hosted.ts';

const NO_TIME = { now: () => 0, setTimeout: () => 0, clearTimeout: () => undefined };
const NO_EFFECTS = { run: () => new Promise<never>(() => undefined), observe: () => undefined };

/** The history, and the agent that had the floor. */
export interface Past { history: AgentInputItem[]; agent: string }

/** @returns nothing when there is no such run, or turn of it, that has ended. */
export async function pastOf(journal: Journal, threadId: string, at: HistoryPoint): Promise<Past | undefined> {
  const entries = await journal.read(threadId);
  return at.runId === null ? atStart(entries) : replayed(threadId, entries, at);
}

function atStart([start]: readonly JournalEntry[]): Past | undefined {
  return start?.type === 'thread.start' ? { history: start.input.history ?? [], agent: start.input.agent } : undefined;
}

/** As it stands now: a run that is going is shown as interrupted, its open calls as aborted. */
export async function presentOf(journal: Journal, threadId: string): Promise<Past> {
  const host = quiet(threadId, () => undefined);
  await host.replay(await journal.read(threadId));
  const past = shownInterrupted(host);
  host.stop();
  return past;
}

async function replayed(threadId: string, entries: readonly JournalEntry[], { runId, turn }: HistoryPoint): Promise<Past | undefined> {
  let found: Past | undefined;
  let isThere = false;
  const host = quiet(threadId, (event) => { isThere ||= turn === undefined ? endsRun(event, runId) : endsTurn(event, runId, turn); });
  await host.replay(entries, undefined, () => {
    if (isThere) found ??= turn === undefined ? behindRun(host) : duringRun(host, runId);
  });
  host.stop();
  return found;
}

const endsRun = (event: LoopEvent, runId: string | null) => event.type === 'run.settled' && event.path === runId;

const endsTurn = (event: LoopEvent, runId: string | null, turn: number) =>
  event.type === 'turn.settled' && event.turn === turn && event.path.startsWith(`${runId}/agent.`) && !event.path.includes('/run/');

function quiet(threadId: string, onEvent: (event: LoopEvent) => void): Host {
  return new Host({ runId: threadId, chart: THREAD, journal: new MemoryJournal(), clock: NO_TIME, effects: NO_EFFECTS, causes: new Map(), onRest: () => undefined, onEvent });
}

interface Snapshot { context: ThreadContext; children: Record<string, { getSnapshot(): unknown } | undefined> }
const snapshotOf = (host: Host) => host.snapshot as unknown as Snapshot; // the chart of a thread

function behindRun(host: Host): Past {
  const { history, agent } = snapshotOf(host).context;
  return { history: history.toArray(), agent };
}

/** What the run has brought so far counts too; with its last turn it may have ended, and the next one begun. */
function duringRun(host: Host, runId: string | null): Past {
  const { context, children } = snapshotOf(host);
  const run = context.current?.runId === runId && children[`run.${context.count}`]?.getSnapshot();
  if (!context.current || !run) return behindRun(host);
  const { generated, agent } = progressOf(run);
  const brought = generated.map(({ rawItem }) => rawItem);
  return { history: wellFormed([...context.history.toArray(), ...context.current.input, ...brought]), agent: context.current.keepsFloor ? context.agent : agent || context.agent };
}

function shownInterrupted(host: Host): Past {
  const { current } = snapshotOf(host).context;
  if (!current) return behindRun(host);
  const { history, agent } = duringRun(host, current.runId);
  return { history: [...history, notice(agent, 'interrupted', INTERRUPTED_NOTICE).rawItem], agent };
}
