/**
 * What may come into a run from outside is checked before it is recorded: nothing invalid is ever written or applied. Without zod,
 * which the front door does not load; a test holds these checks against `CommandSchema`.
 */
import type { Command, PendingInput } from '../machines/protocol/command.ts';
import { ERROR_KINDS } from '../machines/protocol/outcome.ts';
import { STUCK_THRESHOLDS, type StuckKind } from '../machines/stuck.ts';
import { UserError } from './errors.ts';
import { budgetProblem } from './limits.ts';

/** @throws UserError for what is no command; events of XState itself are none. */
export function checkedCommand(command: Command): Command {
  const type = String((command as Partial<Command> | null)?.type); // what a caller without types may send
  if (type.startsWith('xstate.')) throw new UserError(`"${type}" is an event of XState itself and is refused. Tell a run ${KNOWN}.`);
  const problem = isKnown(type) ? CHECKS[type](command as never) : `there is no command "${type}"`; // each check has its own command
  if (problem) throw new UserError(`The run was told something it does not understand: ${problem}. Tell a run ${KNOWN}.`);
  return command;
}

const KNOWN = '`steer`, `mail`, `softStop`, `interrupt`, `compact` or `configure`';
type Check<Type extends Command['type']> = (command: Extract<Command, { type: Type }>) => string | undefined;

const CHECKS: { [Type in Command['type']]: Check<Type> } = {
  steer: ({ input, path = '', mode, cut = {} }) => {
    if (mode !== undefined && mode !== 'instant') return `"${String(mode)}" is no mode of a steer: leave it out, or say 'instant'`;
    if (!isObject(cut) || !Object.values(cut).every(Array.isArray)) return '`cut` of a steer is a list of items by effect';
    return typeof path === 'string' ? problemOf('steer', input) : 'the `path` of a `steer` is a text';
  },
  mail: ({ input }) => problemOf('mail', input),
  softStop: () => undefined,
  interrupt: ({ reason, at, partials = {}, notice = false }) => {
    if (!['user', 'replaced', 'tripwire', 'deadline'].includes(reason)) return `"${reason}" is no reason for an interrupt`;
    if (!isObject(partials) || !Object.values(partials).every((text) => typeof text === 'string')) return '`partials` of an interrupt are texts by effect';
    return typeof at === 'number' && typeof notice === 'boolean' ? undefined : 'an interrupt has a time, in ms, and a `notice` is true or false';
  },
  compact: () => undefined,
  configure: ({ maxTurns, errorHandlers = [], stopHooks = false, finalTurn = false, stuckDetection = STUCK_THRESHOLDS, budget }) => {
    const isLimit = maxTurns === undefined || maxTurns === null || (Number.isInteger(maxTurns) && maxTurns >= 0);
    if (!isLimit) return `maxTurns has to be a whole number of at least 0, or null, not ${maxTurns}`;
    const problem = budget && budgetProblem(budget);
    if (problem) return problem;
    if (typeof stopHooks !== 'boolean' || typeof finalTurn !== 'boolean') return '`stopHooks` and `finalTurn` are true or false';
    const isKind = (kind: string) => typeof stuckDetection[kind as StuckKind] === 'number'; // as the thresholds are named
    if (!isObject(stuckDetection) || !Object.keys(STUCK_THRESHOLDS).every(isKind)) return '`stuckDetection` has a number for each kind of streak';
    const areKinds = Array.isArray(errorHandlers) && errorHandlers.every((kind) => ERROR_KINDS.includes(kind));
    return areKinds ? undefined : `errorHandlers has to be a list of ${ERROR_KINDS.join(', ')}`;
  },
};

function problemOf(type: string, input: PendingInput[]): string | undefined {
  if (!Array.isArray(input) || input.length === 0) return `\`${type}\` needs at least one message`;
  return input.every((one) => isObject(one) && typeof one.id === 'string' && isObject(one.item)) ? undefined : `each message of \`${type}\` needs an id and an item`;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isKnown = (type: string): type is Command['type'] => Object.hasOwn(CHECKS, type);
