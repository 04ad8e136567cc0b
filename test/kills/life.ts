/** What a process does in a world: it goes on with every run and thread that is not over, and begins those that nobody has begun. */
import { type Agent, type Journal, type RunResult, type RunState, type RunSummary, resume, run, stateFromJournal } from '../../index.ts';
import { castOf } from './cast.ts';
import { chanceOf } from './chance.ts';
import { gist } from './model.ts';
import type { RunPlan, WorldPlan } from './plan.ts';
import { liveThread } from './threadLife.ts';
import type { World } from './world.ts';

export interface Life { plan: WorldPlan; world: World; journal: Journal; /** Runs and threads that are known to be over, and words that threads are known to have heard. */ over: Set<string> }

/** Ends when nothing is left to do for this process. What waits for a person may be left to another one. */
export async function live(life: Life): Promise<void> {
  const listed = new Map((await life.journal.list()).map((summary) => [summary.runId, summary]));
  const begun = new Map<string, Promise<boolean>>();
  for (const one of life.plan.runs) begun.set(one.runId, advanceAfter(life, one, listed.get(one.runId), begun.get(one.after ?? '')));
  const threads = life.plan.threads.map((one) => liveThread(life, one, listed.has(one.threadId)));
  await Promise.all([...begun.values(), ...threads]);
}

/** @returns whether the run is over. */
async function advanceAfter(life: Life, plan: RunPlan, found: RunSummary | undefined, before: Promise<boolean> | undefined): Promise<boolean> {
  if (before && !await before) return false;
  return life.over.has(plan.runId) || advance(life, plan, found);
}

async function advance(life: Life, { runId, kind, decidesAtOnce }: RunPlan, found: RunSummary | undefined): Promise<boolean> {
  const { plan, world, journal } = life;
  const { first, all } = castOf(plan, world);
  const isStreamed = (kind === 'streamed') as false; // the overloads ask for a literal; what comes back is read in the same way
  const options = { journal, maxTurns: null, stream: isStreamed, ...(kind === 'session' && { session: world.session('conversation') }) };
  const goOn = async (state: RunState<any, any>) => { // `any`: as in the peer's type
    await decideAll(life, state);
    return rested(await run(first, state, options));
  };
  if (found) await world.ledger.note({ what: 'found', run: runId, length: found.length });
  let result: Rested;
  if (!found) result = await rested(await run(first, `plan ${runId}`, { ...options, runId }));
  else if (found.state === 'awaitingApproval') result = await goOn(await stateFromJournal(runId, { journal, agents: all }));
  else result = await rested(await resume(runId, { ...options, agents: all }));
  while (result.interruptions.length > 0) {
    if (!decidesAtOnce) return false;
    result = await goOn(result.state);
  }
  await world.ledger.note({ what: 'over', run: runId, output: result.finalOutput, history: result.history.map(gist).join('\n') });
  return true;
}

type Rested = Pick<RunResult<any, Agent<any, any>>, 'interruptions' | 'state' | 'finalOutput' | 'history'>; // `any`: as in the peer's type

async function rested(result: Rested & { completed?: Promise<unknown> }): Promise<Rested> {
  await result.completed;
  return result;
}

/** The person approves; of a call that may have had its effect they look up whether it has, and now and then do not care. */
async function decideAll({ world, plan }: Life, state: RunState<any, any>): Promise<void> {
  for (const call of state.getInterruptions()) {
    const { callId } = call.rawItem as { callId: string }; // only function calls wait here
    const [runId] = call.id.split('/') as [string];
    const deed = call.uncertain ? world.deeds().find((one) => one.callId === callId) : undefined;
    const again = call.uncertain && (!deed || chanceOf('person', plan.seed, callId)() < 0.2);
    await world.ledger.note({ what: 'decides', run: runId, callId, decision: again ? 'again' : deed ? 'useResult' : 'approve' });
    if (deed && !again) state.useResult(call, deed.text);
    else state.approve(call);
  }
}
