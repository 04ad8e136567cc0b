/** What became of a recorded run, or of the last one of a thread, from its entries alone: the charts are fed what is recorded, nothing is run, no agent is needed. */
import { Agent } from '../../../actors/agent.ts';
import { Host } from '../../../actors/host.ts';
import { MemoryJournal } from '../../../actors/memoryJournal.ts';
import type { EffectRunner } from '../../../actors/openEffects.ts';
import { chartOf } from '../../../actors/replayCheck.ts';
import { errorOf } from '../../../actors/toError.ts';
import type { Response } from '../../../machines/protocol/call.ts';
import type { LoopEvent } from '../../../machines/protocol/event.ts';
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import type { RunOutcome } from '../../../machines/protocol/outcome.ts';
import type { Spent } from '../wording.ts';

export interface Replayed {
  /** Nothing while the run is under way, or waits. */
  outcome: RunOutcome | null;
  /** What it failed with, if it did. */
  error: unknown;
  /** What it has put into the session of its conversation. */
  saved: AgentInputItem[];
  spent: Spent;
}

const NO_TIME = { now: () => 0, setTimeout: () => 0, clearTimeout: () => undefined };

/** @throws JournalDivergence, UserError when the charts of this version do not go the way that is recorded. */
export async function replayed(runId: string, entries: readonly JournalEntry[]): Promise<Replayed> {
  const saved: AgentInputItem[] = [];
  const spent = { requests: 0, inputTokens: 0, outputTokens: 0 };
  const effects: EffectRunner = {
    run: () => new Promise<never>(() => undefined),
    observe: (src, input, outcome) => {
      if (outcome.status !== 'ok') return;
      if (src === 'session' && !isNested(runId, input.effectId)) saved.push(...input.items);
      if (src === 'model') add(spent, outcome.value as Response); // what the leaf of this name answers with
    },
  };
  const ends: RunOutcome[] = [];
  const onEvent = (event: LoopEvent) => void (event.type === 'run.settled' && isRunOf(runId, event.path) && ends.push(event.outcome));
  const host = new Host({ runId, chart: await chartOf(entries), journal: new MemoryJournal(), clock: NO_TIME, effects, causes: new Map(), onRest: () => undefined, onEvent });
  await host.replay(entries);
  host.stop();
  const { crash } = host;
  const outcome = isThread(entries) ? (ends.at(-1) ?? null) : host.outcome;
  return { outcome, error: crash ? crash.error : failureIn(outcome), saved, spent };
}

export const isThread = ([start]: readonly JournalEntry[]): boolean => start?.type === 'thread.start';
/** One of the runs of a thread, which follow each other; what is beside or inside of them has another path. */
export const isRunOf = (threadId: string, path: string): boolean => path.startsWith(`${threadId}/`) && /^run\.\d+$/.test(path.slice(threadId.length + 1));

/** Runs of agents that are used as tools have conversations of their own. */
const isNested = (runId: string, effectId: string) => effectId.slice(runId.length).includes('/run/');

function add(spent: Spent, { usage }: Response): void {
  spent.requests += usage.requests ?? 1;
  spent.inputTokens += usage.inputTokens;
  spent.outputTokens += usage.outputTokens;
}

function failureIn(outcome: RunOutcome | null): unknown {
  if (!outcome?.failure) return undefined;
  return errorOf({ causeOf: () => undefined, agent: (name) => new Agent({ name }) }, outcome.failure);
}
