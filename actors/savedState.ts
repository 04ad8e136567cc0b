/** Reading a saved state: checked whole before anything is made of it. Loaded on use, because the checks need zod. */
import * as z from 'zod';
import { type JournalEntry, JOURNAL_FORMAT } from '../machines/protocol/journal.ts';
import { DecisionSchema, JournalEntrySchema } from '../machines/protocol/journalSchemas.ts';
import type { Agent } from './agent.ts';
import { messageOf } from './errorRecord.ts';
import { UserError } from './errors.ts';
import { Execution } from './execution.ts';
import { RunContext } from './runContext.ts';
import type { RunState, SavedState } from './runState.ts';

const SavedStateSchema = z.object({
  format: z.number(),
  runId: z.string(),
  agent: z.string(),
  context: z.unknown(),
  entries: z.array(JournalEntrySchema).min(1),
  decisions: z.array(z.object({ id: z.string(), decision: DecisionSchema, interrupts: z.boolean().optional() })).optional(),
  staged: z.array(z.object({ id: z.string(), item: z.looseObject({}) })).optional(),
});

/** @throws UserError naming what is wrong with the text. */
export async function reviveState<TContext, TAgent extends Agent<any, any>>(
  agent: TAgent,
  text: string,
  given?: { context: RunContext<TContext>; merges: boolean },
): Promise<RunState<TContext, TAgent>> {
  const saved = parseState(text);
  const runContext = given?.context ?? new RunContext<TContext>(saved.context as TContext); // whatever the app had put there
  if (given?.merges && isObject(saved.context) && isObject(given.context.context)) {
    Object.assign(given.context.context, { ...saved.context, ...given.context.context });
  }
  const execution = new Execution({ agent, config: {}, options: {}, stream: false }, { runId: saved.runId, runContext });
  if (execution.scope.rootKey !== saved.agent) {
    throw new UserError(`The state belongs to agent "${saved.agent}", not to "${execution.scope.rootKey}". Pass the agent that the run was started with.`);
  }
  await execution.revive(saved.entries);
  if (execution.crash) throw new UserError(`The state does not fit these agents and charts: ${messageOf(execution.crash.error)}`);
  execution.state.restore(saved);
  return execution.state as RunState<TContext, TAgent>; // made for this agent and context just above
}

function parseState(text: string): SavedState {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`This is no saved run state: it is not JSON (${messageOf(error)}). Pass what RunState.toString() gave.`);
  }
  const { format } = (isObject(json) ? json : {}) as { format?: unknown };
  if (typeof format === 'number' && format > JOURNAL_FORMAT) {
    throw new UserError(`The state has format ${format}, this version reads up to ${JOURNAL_FORMAT}. Update loopchart.`);
  }
  const parsed = SavedStateSchema.safeParse(json);
  if (!parsed.success) throw new UserError(`This is no saved run state: ${z.prettifyError(parsed.error)}. Pass what RunState.toString() gave.`);
  return parsed.data as SavedState & { entries: JournalEntry[] }; // the schema's own types are looser only in what the app put in
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
