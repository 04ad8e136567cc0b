/** The lifecycle events of a recorded thread, told again (I6). */
import { UserError } from '../errors.ts';
import type { Retelling } from '../readEvents.ts';
import { ThreadExecution } from './threadExecution.ts';

const IGNORED = () => undefined;

/** Every event of it, from the first, as it is fed to actors that execute nothing. */
export const retellThread: Retelling = async ({ id, agents, entries, bufferUntilGuarded }, tell) => {
  const [start] = entries;
  const name = start?.type === 'thread.start' ? start.input.agent : '';
  const agent = agents.find((one) => one.name === name);
  if (!agent) throw new UserError(`Thread ${id} belongs to agent "${name}", which is not among those given. Pass the agent that the thread was made with.`);
  const execution = new ThreadExecution(agent, { threadId: id, agents: agents.filter((one) => one !== agent), bufferUntilGuarded }, { onEvent: tell, onSettled: IGNORED, onRest: IGNORED, onCrash: IGNORED, pace: IGNORED });
  await execution.look(entries);
  await execution.release();
};
