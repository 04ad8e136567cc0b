/** A state as JSON: everything that came into the run, said once, with a sum over all of it. */
import type { Decision, PendingInput } from '../machines/protocol/command.ts';
import { type JournalEntry, JOURNAL_FORMAT } from '../machines/protocol/journal.ts';
import { checksum } from './checksum.ts';
import { messageOf } from './errorRecord.ts';
import { UserError } from './errors.ts';
import { canonical } from './fingerprint.ts';
import { pack, unpack } from './sharedJson.ts';
import { lengthened, shortened } from './shortEntry.ts';

/** Decided while the run was at rest. */
export interface StagedDecision { id: string; decision: Decision; interrupts?: boolean }

/** Added while the run was at rest, and for which nested run. */
export interface StagedInput extends PendingInput { path?: string }

/** What a state is made again from. */
export interface StateRecord {
  runId: string;
  /** Key of the agent that the run was started with. */
  agent: string;
  context?: unknown;
  entries: readonly JournalEntry[];
  /** Decided and added since the run came to rest: taken when it goes on. */
  decisions: StagedDecision[];
  staged: StagedInput[];
}

/** As `RunState.toString()` writes it. */
export interface SavedState {
  format: number;
  runId: string;
  agent: string;
  context?: unknown;
  /** Packed; times count from the entry before. */
  entries: unknown;
  decisions?: StagedDecision[];
  staged?: StagedInput[];
  /** Over all else: what was changed by accident is not gone on with (O5). */
  sum: string;
}

export function savedStateOf({ runId, agent, context, entries, decisions, staged }: StateRecord): SavedState {
  const saved: Omit<SavedState, 'sum'> = { format: JOURNAL_FORMAT, runId, agent, context: jsonOf(context), entries: pack(inSteps(entries, runId)) };
  if (decisions.length > 0) saved.decisions = decisions;
  if (staged.length > 0) saved.staged = staged;
  return { ...saved, sum: sumOf(saved) };
}

/** @throws UserError naming what is wrong with the text. */
export function parseState(text: string): StateRecord {
  const { sum, ...saved } = savedIn(text);
  if (saved.format > JOURNAL_FORMAT) throw new UserError(`The state has format ${saved.format}, this version reads up to ${JOURNAL_FORMAT}. Update loopchart.`);
  if (sum !== sumOf(saved)) throw new UserError('This saved run state was changed or cut after it was written: its sum does not hold. Go on from the text that RunState.toString() gave.');
  const { runId, agent, context, decisions = [], staged = [] } = saved;
  return { runId, agent, context, decisions, staged, entries: outOfSteps(unpack(saved.entries) as never, runId) };
}

function savedIn(text: string): SavedState {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`This is no saved run state: it is not JSON (${messageOf(error)}). Pass what RunState.toString() gave.`);
  }
  const { format, runId, agent, entries } = (typeof json === 'object' && json !== null ? json : {}) as Partial<SavedState>; // looked at below
  const missing = Object.entries({ format: typeof format === 'number', runId: typeof runId === 'string', agent: typeof agent === 'string', entries: Array.isArray(entries) }).find(([, isThere]) => !isThere);
  if (missing) throw new UserError(`This is no saved run state: its \`${missing[0]}\` is missing. Pass what RunState.toString() gave.`);
  return json as SavedState; // its sum is held against it
}

const sumOf = (saved: Omit<SavedState, 'sum'>) => checksum(canonical(saved));

/** Each entry says how long after the one before it came. */
function inSteps(entries: readonly JournalEntry[], runId: string): unknown[] {
  let last = 0;
  return entries.map((entry) => {
    const step = { ...shortened(entry, runId), at: entry.at - last };
    last = entry.at;
    return step;
  });
}

function outOfSteps(steps: (ReturnType<typeof shortened> & { at: number })[], runId: string): JournalEntry[] {
  let now = 0;
  return steps.map((step) => {
    const entry = lengthened(step, runId);
    if (!entry) throw new UserError(`The state has an entry "${step.t}", which this version does not know. Update loopchart.`);
    return { ...entry, at: (now += step.at) };
  });
}

/** A context that is no JSON is left out; `fromStringWithContext` gives it back. */
function jsonOf(context: unknown): unknown {
  try {
    const text: string | undefined = JSON.stringify(context);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // cycles, BigInt, a throwing toJSON: not the library's to mend
  }
}
