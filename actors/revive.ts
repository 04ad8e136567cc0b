/** A run as a state again, from its entries: for agents that are given anew, by name. */
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { JournalEntry } from '../machines/protocol/journal.ts';
import type { Agent } from './agent.ts';
import { messageOf } from './errorRecord.ts';
import { UserError } from './errors.ts';
import { Execution } from './execution.ts';
import type { Journal } from './journal.ts';
import type { Retelling } from './readEvents.ts';
import { type ApprovalDecision, RunContext } from './runContext.ts';
import type { RunState } from './runState.ts';
import { parseState } from './savedState.ts';
import type { AnyAgent, AnyRunOptions } from './scope.ts';
import { Usage } from './usage.ts';

/** @throws UserError naming what is wrong with the text. */
export async function reviveState<TContext, TAgent extends Agent<any, any>>( // `any`: as in the front door's own types
  agent: TAgent,
  text: string,
  given?: { context: RunContext<TContext>; merges: boolean },
): Promise<RunState<TContext, TAgent>> {
  const saved = parseState(text);
  const runContext = given?.context ?? new RunContext<TContext>(saved.context as TContext); // whatever the app had put there
  if (given?.merges && isObject(saved.context) && isObject(given.context.context)) {
    Object.assign(given.context.context, { ...saved.context, ...given.context.context });
  }
  const state = await revive([agent], saved, { runContext });
  state.restore(saved);
  return state as RunState<TContext, TAgent>; // made for this agent and context just above
}

interface Home extends Pick<AnyRunOptions, 'onEvent' | 'bufferUntilGuarded'> { runContext?: RunContext<any>; journal?: Journal; checkpoint?: string }
interface Recorded { runId: string; agent: string; entries: readonly JournalEntry[] }

/**
 * @param agents the agent that the run was started with, and any that it leads to and that one does not know of.
 * @throws UserError naming the agent that is missing; JournalDivergence when the run does not go the way it is recorded.
 */
export async function revive(agents: readonly AnyAgent[], recorded: Recorded, home: Home): Promise<RunState<any, any>> {
  const agent = agents.find(({ name }) => name === recorded.agent);
  if (!agent) throw new UserError(`The state belongs to agent "${recorded.agent}", not to ${named(agents)}. Pass the agent that the run was started with.`);
  const runContext = home.runContext ?? new RunContext<any>();
  takeBefore(runContext, recorded.entries);
  const { onEvent, bufferUntilGuarded } = home;
  const execution = new Execution({ agent, config: {}, options: { onEvent, bufferUntilGuarded }, stream: false }, { runId: recorded.runId, runContext, agents, checkpoint: home.checkpoint });
  execution.scope.originalInput = originalInput(recorded.entries);
  await execution.revive(recorded.entries, home.journal);
  const broken = execution.crash;
  if (broken && !endsBroken(recorded.entries)) throw new UserError(`The state does not fit these agents and charts: ${messageOf(broken.error)}`);
  return execution.state;
}

/** Every event of a recorded run, from the first, as it is fed to actors that execute nothing. */
export const retellRun: Retelling = async ({ id, agents, entries, bufferUntilGuarded }, tell) => {
  await revive(agents, { runId: id, agent: agentOf(entries), entries }, { onEvent: tell, bufferUntilGuarded });
};

const agentOf = ([start]: readonly JournalEntry[]) => (start?.type === 'run.start' ? start.input.agent : '');

/** A run that went on from another counts on from there, and keeps its decisions (A8, D2). */
function takeBefore(runContext: RunContext<any>, [start]: readonly JournalEntry[]): void {
  const before = start?.type === 'run.start' ? start.input.before : undefined;
  if (!before) return;
  runContext.usage.add(new Usage(before.usage));
  runContext.restoreDecisions(before.decisions as ApprovalDecision[]); // as written when the run began
}

/** The input as the app gave it: guardrails see it so, now as then. With a session they see items. */
function originalInput([start]: readonly JournalEntry[]): string | AgentInputItem[] | undefined {
  if (start?.type !== 'run.start') return undefined;
  const { before, isText, prepared } = start.input;
  if (before) return before.input;
  const [message] = prepared?.input ?? [];
  if (isText && message && 'content' in message && typeof message.content === 'string') return message.content;
  return prepared?.session ? undefined : prepared?.input;
}

const named = (agents: readonly AnyAgent[]) => agents.map(({ name }) => `"${name}"`).join(', ') || 'none';

/** It broke when it ran, and is recorded so. */
const endsBroken = (entries: readonly JournalEntry[]) => entries.some(({ type }) => type === 'effect.failed');

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
