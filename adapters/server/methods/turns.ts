/** Requests about turns: runs of a thread. */
import type { Connection, Reply } from '../connection.ts';
import { RequestFault, cannotStartWhileCompacting, cannotSteerCompaction } from '../fault.ts';
import type { LoadedThread } from '../loadedThread.ts';
import type { ParamsOf, TurnSettings } from '../requestSchemas.ts';
import type { RunOverrides } from '../../../machines/protocol/thread.ts';
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import type { WireTurn } from '../shapes.ts';
import { inputId, messagesIn } from '../toInput.ts';
import type { Threads } from '../threads.ts';
import { submissionOf } from './queue.ts';
import { letGo, taken } from './receipts.ts';
import { warnUnheeded } from './threads.ts';

/** While another turn is going, it is steered: its id is the answer. */
export async function startTurn(threads: Threads, params: ParamsOf<'turn/start'>, connection: Connection): Promise<Reply> {
  const loaded = threads.get(params.threadId);
  const messages = await messagesIn(params.input);
  const { value, release } = await connection.holding(loaded.id, () => begun(loaded, messages, params));
  return {
    result: value,
    after: () => {
      release();
      warnUnheeded(loaded, params);
    },
  };
}

async function begun(loaded: LoadedThread, messages: AgentInputItem[], params: ParamsOf<'turn/start'>): Promise<object> {
  await loaded.winding;
  const { thread } = loaded;
  const { whenBusy = 'steer' } = params;
  const asked = overridesIn(params);
  const steers = thread.state === 'active' && whenBusy === 'steer';
  if (steers && isCompacting(loaded)) throw cannotStartWhileCompacting();
  if (steers && messages.length === 0) throw new RequestFault('input must not be empty');
  const overrides = steers ? {} : loaded.overrides(asked);
  const run = letGo(thread.run(messages, { ...overrides, whenBusy, id: inputId(params.clientUserMessageId) }));
  const receipt = taken(await run.receipt);
  if (steers && receipt.status === 'accepted' && receipt.runId !== undefined) {
    loaded.overridesOfNext = { ...loaded.overridesOfNext, ...asked };
    return { turn: turnNow(loaded, receipt.runId) };
  }
  loaded.overridesOfNext = {};
  const entry = whenBusy === 'queue' ? thread.queue.list().find(({ id }) => id === run.id) : undefined;
  return entry ? { queuedSubmission: submissionOf(entry) } : { turn: turnNow(loaded, await run.started) };
}

export async function steerTurn(threads: Threads, { threadId, input, expectedTurnId, clientUserMessageId }: ParamsOf<'turn/steer'>): Promise<Reply> {
  const loaded = threads.get(threadId);
  if (expectedTurnId === '') throw new RequestFault('expectedTurnId must not be empty');
  if (input.length === 0) throw new RequestFault('input must not be empty');
  const messages = await messagesIn(input);
  const turnId = loaded.turn?.id;
  if (turnId === undefined) throw new RequestFault('no active turn to steer');
  if (turnId !== expectedTurnId) throw new RequestFault(`expected active turn id \`${expectedTurnId}\` but found \`${turnId}\``);
  if (isCompacting(loaded)) throw cannotSteerCompaction();
  const receipt = await loaded.thread.steer(messages, { expectedRunId: expectedTurnId, id: inputId(clientUserMessageId) });
  if (receipt.status === 'rejected' && (receipt.reason === 'noRun' || receipt.reason === 'stopping' || receipt.reason === 'stale')) throw new RequestFault('no active turn to steer'); // it ended meanwhile
  taken(receipt);
  return { result: { turnId } };
}

/** Answered when nothing of the turn is at work any more. */
export async function interruptTurn(threads: Threads, { threadId, turnId }: ParamsOf<'turn/interrupt'>): Promise<Reply> {
  const loaded = threads.get(threadId);
  const active = loaded.turn?.id;
  if (turnId !== '' && active === undefined) throw new RequestFault('no active turn to interrupt');
  if (turnId !== '' && active !== turnId) throw new RequestFault(`expected active turn id ${turnId} but found ${active}`);
  taken(await loaded.windDown(() => loaded.thread.interrupt()));
  return { result: {} };
}

const isCompacting = ({ thread, turn }: LoadedThread) => thread.look.phase === 'compacting' && thread.look.activeRunId === undefined && turn !== undefined;

function turnNow({ turn }: LoadedThread, id: string): WireTurn {
  const shown = turn?.id === id ? turn : undefined;
  return { ...(shown ?? { id, status: 'inProgress', error: null, startedAt: null, completedAt: null, durationMs: null }), items: [], itemsView: 'notLoaded' };
}

function overridesIn({ agent, model, effort, summary }: TurnSettings): RunOverrides {
  const reasoning = { ...(effort !== undefined && { effort }), ...(summary !== undefined && { summary }) };
  return { ...(agent !== undefined && { agent }), ...(model !== undefined && { model }), ...(Object.keys(reasoning).length > 0 && { modelSettings: { reasoning } }) };
}
