/** What an app gives a thread, as the thread records it: checked before, so that nothing is recorded that cannot be read again or carried out. */
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { HistoryPoint, Mail, RunOverrides } from '../../machines/protocol/thread.ts';
import { type ApprovalPolicy, ApprovalRules } from '../approvalRules.ts';
import { UserError } from '../errors.ts';
import { toItems } from '../input.ts';
import { budgetProblem } from '../limits.ts';
import type { ThreadText } from './types.ts';

/** What runs of the thread can be told to use. */
export interface Known {
  agents: readonly string[];
  tools: readonly string[];
  /** Servers have tools whose names are known when they are asked. */
  hasServers: boolean;
}

type Check = { [Key in keyof RunOverrides]-?: (value: NonNullable<RunOverrides[Key]>, known: Known) => string | undefined };

/** Each says what is wrong, and what would be right. */
const CHECKS: Check = {
  agent: (name, { agents }) => (agents.includes(name) ? undefined : `there is no agent ${JSON.stringify(name)} in this thread, it has ${listed(agents)}; name one of them, or pass it in the option \`agents\``),
  model: (name) => (isText(name) ? undefined : '`model` is the name of a model'),
  modelSettings: (settings) => (isRecord(settings) ? undefined : '`modelSettings` is an object'),
  instructions: (text) => (typeof text === 'string' ? undefined : '`instructions` is a text: a function cannot be recorded'),
  tools: (names, known) => toolProblem(names, known),
  approvalPolicy: (policy) => problemOf(() => new ApprovalRules(policy as unknown as ApprovalPolicy)), // it is what this finds out
  maxTurns: (turns) => (Number.isInteger(turns) && turns >= 0 ? undefined : '`maxTurns` is a whole number of at least 0, or null'),
  finalTurn: (isOn) => (typeof isOn === 'boolean' ? undefined : '`finalTurn` is true or false'),
  budget: (budget) => budgetProblem(budget),
};
const OVERRIDES = Object.keys(CHECKS) as (keyof RunOverrides)[];

/**
 * What a run does otherwise than its thread; nothing where it says nothing (M7).
 *
 * @throws UserError for what cannot be.
 */
export function overridesIn(options: RunOverrides, known: Known): RunOverrides | undefined {
  const said = OVERRIDES.filter((key) => options[key] !== undefined);
  for (const key of said) {
    const value = options[key];
    const problem = value === null ? undefined : CHECKS[key](value as never, known); // each check has the value of its own key
    if (problem) throw new UserError(`The run cannot be told so: ${problem}. Nothing was recorded.`);
  }
  return said.length === 0 ? undefined : plain(Object.fromEntries(said.map((key) => [key, options[key]])) as RunOverrides, 'What the run is told'); // of those keys
}

function toolProblem(names: string[], { tools, hasServers }: Known): string | undefined {
  if (!Array.isArray(names) || !names.every(isText)) return '`tools` is a list of names';
  const unknown = hasServers ? undefined : names.find((name) => !tools.includes(name));
  return unknown === undefined ? undefined : `there is no tool ${JSON.stringify(unknown)} in this thread, it has ${listed(tools)}; name some of them, or pass it in the option \`tools\``;
}

/** @throws UserError for what is no input. */
export function inputOf(input: ThreadText): AgentInputItem[] {
  if (typeof input !== 'string' && !(Array.isArray(input) && input.every(isRecord))) throw new UserError('Input is a text, or a list of items. Nothing was recorded.');
  return plain(input === '' ? [] : toItems(input), 'The input'); // empty input is none: the run goes on from the history as it is
}

/** @throws UserError for what is no list of items, or an empty one. */
export function injectedItems(items: AgentInputItem[]): AgentInputItem[] {
  if (!Array.isArray(items) || items.length === 0) throw new UserError('inject() needs at least one item. Nothing was recorded.');
  return inputOf(items);
}

/** @throws UserError for what is no mail. */
export function mailOf({ id, from, content, triggerTurn }: Mail): Mail {
  if (!isText(from) || typeof content !== 'string') throw new UserError('Mail says from whom it is, and its content is a text. Nothing was recorded.');
  return { id, from, content, triggerTurn: triggerTurn === true };
}

/** @throws UserError for what is no goal. */
export function goalOf({ message, maxRuns = 10 }: { message: string; maxRuns?: number }): { message: string; maxRuns: number } {
  if (!isText(message)) throw new UserError('A goal has a message, which the model reads at the begin of each further run. Nothing was recorded.');
  if (!Number.isInteger(maxRuns) || maxRuns < 1) throw new UserError(`\`maxRuns\` of a goal is a whole number of at least 1, not ${maxRuns}. Nothing was recorded.`);
  return { message, maxRuns };
}

/** @throws UserError for what is no point of a history. */
export function pointOf({ runId, turn }: HistoryPoint): HistoryPoint {
  if (runId !== null && !isText(runId)) throw new UserError('A point of the history is the id of a run, or null for its begin. Nothing was recorded.');
  if (turn !== undefined && (!Number.isInteger(turn) || turn < 1)) throw new UserError(`Turns are counted from 1, not ${turn}. Nothing was recorded.`);
  return turn === undefined ? { runId } : { runId, turn };
}

/** @throws UserError for what is no place in a queue. */
export function placeOf(to: number): number {
  if (!Number.isInteger(to) || to < 0) throw new UserError(`Places in the queue are counted from 0, not ${to}. Nothing was recorded.`);
  return to;
}

/** As it is read again from a journal, and apart from what the app does with its own objects later. */
function plain<Value>(value: Value, what: string): Value {
  const problem = problemOf(() => JSON.stringify(value));
  if (problem) throw new UserError(`${what} cannot be recorded: ${problem}. Nothing was recorded.`);
  return JSON.parse(JSON.stringify(value)) as Value; // the same, without what JSON leaves out
}

function problemOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/\.$/, ''); // of the check, or of JSON
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const listed = (names: readonly string[]) => (names.length === 0 ? 'none' : names.map((name) => JSON.stringify(name)).join(', '));
