/** What commands do to the thread at hand, and what is said about it. */
import type { HistoryPoint, Receipt, SessionRule, Thread } from '../../../actors/thread/index.ts';
import { saidText } from '../journal/entryText.ts';
import type { Tone } from '../paint.ts';
import { GOAL_RUNS, goalMessage, goalText } from '../thread/goal.ts';
import { spentIn } from '../thread/hearing.ts';
import { runNumber } from '../transcript.ts';
import { shortened, usageText } from '../wording.ts';
import type { ChatCommand } from './commands.ts';

export type Tell = (text: string, tone: Tone) => void;
type Of<Name extends ChatCommand['name']> = Extract<ChatCommand, { name: Name }>;
/** Those that need nothing but the thread. */
export type ThreadAct = Of<'steer' | 'queue' | 'stop' | 'revert' | 'compact' | 'goal' | 'rules' | 'usage'>;

export async function act(thread: Thread, command: ThreadAct, tell: Tell): Promise<void> {
  switch (command.name) {
    case 'steer':
      return said(await thread.steer(command.text), tell);
    case 'queue':
      return queue(thread, command, tell);
    case 'stop':
      return said(await thread.stopAfterTurn(), tell);
    case 'revert':
      return revert(thread, command, tell);
    case 'compact':
      return said(await thread.compact(), tell, thread.look.activeRunId === undefined ? undefined : 'summed up before the next request');
    case 'goal':
      return goal(thread, command, tell);
    case 'rules':
      return rules(thread, command, tell);
    case 'usage':
      return tell(usageText(spentIn(thread)), 'quiet');
  }
}

/** Where a fork is cut, or a conversation goes back to. @returns an explanation where there is no such run. */
export function pointAt({ look: { runs } }: Thread, run: number): HistoryPoint | string {
  if (run === 0) return { runId: null };
  const mark = runs.find(({ runId }) => runNumber(runId) === String(run));
  if (mark) return { runId: mark.runId };
  return runs.length === 0 ? 'There is no run yet.' : `There is no run ${run}; there are ${runs.map(({ runId }) => runNumber(runId)).join(', ')}, and 0 is the beginning.`;
}

/** Why it was not taken, and what a person can do instead. */
export function refusalText({ reason, message }: Extract<Receipt, { status: 'rejected' }>): string {
  return REFUSALS[reason] ?? message;
}

const REFUSALS: Partial<Record<Extract<Receipt, { status: 'rejected' }>['reason'], string>> = {
  closed: 'This thread is closed. /fork goes on in a copy of it.',
  noRun: 'No run is going. Say it without a command, and one begins.',
  stopping: 'The run is winding down. Say it when it has ended, or queue it with /queue TEXT.',
  compacting: 'The conversation is being summed up. Say it when that is done, or queue it with /queue TEXT.',
  unknownEntry: 'It is not in the queue any more: its run has begun, or it was removed.',
};

function said(receipt: Receipt, tell: Tell, accepted?: string): void {
  if (receipt.status === 'rejected') tell(refusalText(receipt), 'bad');
  else if (receipt.status === 'noEffect') tell('There is nothing to do: no run is going.', 'quiet');
  else if (accepted !== undefined) tell(accepted, 'quiet');
}

async function queue(thread: Thread, command: Of<'queue'>, tell: Tell): Promise<void> {
  const entries = thread.queue.list();
  if (command.act === 'add') return said(await thread.queue.add(command.text).receipt, tell);
  if (command.act === 'resume') return said(await thread.queue.resume(), tell);
  if (command.act === 'list') {
    for (const [at, { input }] of entries.entries()) tell(`${at + 1}  ${input.map(saidText).join(' ')}`, 'quiet');
    return entries.length === 0 ? tell('Nothing is queued.', 'quiet') : undefined;
  }
  const entry = entries[command.place - 1];
  if (!entry) return tell(entries.length === 0 ? 'Nothing is queued.' : `There is no ${command.place} in the queue; it has ${entries.length}.`, 'bad');
  if (command.act === 'edit') return said(await thread.queue.edit(entry.id, { input: command.text }), tell);
  if (command.act === 'remove') return said(await thread.queue.remove(entry.id), tell, `removed: ${input(entry.input)}`);
  return said(await thread.queue.move(entry.id, Math.max(0, command.to - 1)), tell);
}

const input = (items: Parameters<typeof saidText>[0][]) => shortened(items.map(saidText).join(' '));

/** Without a number: behind the run before the last one, or the one that is going. */
async function revert(thread: Thread, { run }: Of<'revert'>, tell: Tell): Promise<void> {
  const { runs, activeRunId } = thread.look;
  const kept = activeRunId === undefined ? runs.slice(0, -1) : runs;
  if (run === undefined && runs.length === 0 && activeRunId === undefined) return tell('There is no run yet.', 'bad');
  const to = run === undefined ? { runId: kept.at(-1)?.runId ?? null } : pointAt(thread, run);
  if (typeof to === 'string') return tell(to, 'bad');
  said(await thread.revert(to), tell);
}

/** Where nothing is going, the first run begins at once. */
async function goal(thread: Thread, { text }: Of<'goal'>, tell: Tell): Promise<void> {
  const { goal: current } = thread.look;
  if (text === undefined) return tell(current ? `${goalText(current.message)} (${current.runs} of at most ${current.maxRuns} further runs)` : 'There is no goal. Set one with /goal TEXT.', 'quiet');
  if (text === 'off') return current ? said(await thread.setGoal(null), tell) : tell('There is no goal.', 'quiet');
  const message = goalMessage(text);
  said(await thread.setGoal({ message, maxRuns: GOAL_RUNS }), tell);
  if (thread.state !== 'active') said(await thread.run(message).receipt, tell);
}

async function rules(thread: Thread, { remove }: Of<'rules'>, tell: Tell): Promise<void> {
  const list = thread.look.rules;
  if (list.length === 0) return tell('There are no rules: no "always" was answered in this conversation.', 'quiet');
  if (remove === undefined) {
    for (const [at, rule] of list.entries()) tell(`${at + 1}  ${ruleText(rule)}`, 'quiet');
    return;
  }
  const rule = list[remove - 1];
  if (!rule) return tell(`There is no rule ${remove}; there ${list.length === 1 ? 'is one' : `are ${list.length}`}.`, 'bad');
  said(await thread.removeRule(rule.id), tell, `no longer: ${ruleText(rule)}`);
}

const ruleText = ({ tool, agent, decision, reason }: SessionRule): string =>
  `${WORDS[decision]} ${nameText(tool)}${agent === undefined ? '' : ` of ${nameText(agent)}`}${reason === undefined ? '' : `: ${shortened(reason)}`}`;
const nameText = (pattern: unknown) => (typeof pattern === 'string' ? pattern : JSON.stringify(pattern));
const WORDS = { allow: 'always run', ask: 'always ask about', deny: 'never run' } as const;
