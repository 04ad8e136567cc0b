/** What may come into a run from outside is checked before it is recorded: nothing invalid is ever written or applied. */
import type { Command } from '../machines/protocol/command.ts';
import { UserError } from './errors.ts';

/** @throws UserError for what is no command; events of XState itself are none. */
export function checkedCommand(command: Command): Command {
  const { type } = command;
  if (type.startsWith('xstate.')) throw new UserError(`"${type}" is an event of XState itself and is refused. Tell a run ${KNOWN}.`);
  const problem = Object.hasOwn(CHECKS, type) ? CHECKS[type](command as never) : `there is no command "${String(type)}"`; // each check has its own command
  if (problem) throw new UserError(`The run was told something it does not understand: ${problem}. Tell a run ${KNOWN}.`);
  return command;
}

const KNOWN = '`steer`, `softStop`, `interrupt` or `configure`';
type Check<Type extends Command['type']> = (command: Extract<Command, { type: Type }>) => string | undefined;

const CHECKS: { [Type in Command['type']]: Check<Type> } = {
  steer: ({ input }) => {
    if (!Array.isArray(input) || input.length === 0) return '`steer` needs at least one message';
    const isMessage = ({ id, item }: { id: unknown; item: unknown }) => typeof id === 'string' && typeof item === 'object' && item !== null;
    return input.every(isMessage) ? undefined : 'each message of `steer` needs an id and an item';
  },
  softStop: () => undefined,
  interrupt: ({ reason }) => (['user', 'replaced', 'tripwire'].includes(reason) ? undefined : `"${reason}" is no reason for an interrupt`),
  configure: ({ maxTurns }) => {
    const isLimit = maxTurns === undefined || maxTurns === null || (Number.isInteger(maxTurns) && maxTurns >= 0);
    return isLimit ? undefined : `maxTurns has to be a whole number of at least 0, or null, not ${maxTurns}`;
  },
};
