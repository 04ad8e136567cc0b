/** Everything that a thread can be told, each as it is said, with an id where it has words of its own. */
import type { Receipt, RunMark, ThreadRun } from 'loopchart/thread';
import type { PlayedThread } from '../../support/threadScenario.ts';

export interface Saying {
  name: string;
  /** What became of it: a receipt, or in words. */
  say(thread: PlayedThread): Promise<Answer>;
}
export type Answer = Pick<Receipt, 'status'> & { reason?: string };

/** By which the words of a saying are found again. */
export const WORDS = 'words';

const words = { id: WORDS } as const;
const begun = ({ receipt, result }: ThreadRun): Promise<Answer> => {
  result.catch(() => undefined);
  return receipt;
};
const done = (what: Promise<unknown>): Promise<Answer> => what.then(() => ({ status: 'accepted' }), (error: Error) => ({ status: 'rejected', reason: error.name }));
/** The receipt comes; what is waited for beyond it comes when the clock moves. */
const current = ({ look }: PlayedThread) => look.activeRunId ?? 'thread_test/run.0';
const call = ({ interruptions }: PlayedThread) => interruptions[0] ?? 'thread_test/run.2/agent.1/turn.1/toolCall.1.0/approval#1';
const settled = ({ look }: PlayedThread, runs: readonly RunMark[] = look.runs) => ({ runId: runs[0]?.runId ?? null });
const allow = { tool: 'pay', decision: 'allow' } as const;
const item = (content: string) => ({ type: 'message' as const, role: 'user' as const, content });

export const SAYINGS: Saying[] = [
  { name: 'run, whenBusy queue', say: (thread) => begun(thread.run('Said.', { ...words, whenBusy: 'queue' })) },
  { name: 'run, whenBusy steer', say: (thread) => begun(thread.run('Said.', { ...words, whenBusy: 'steer' })) },
  { name: 'run, whenBusy replace', say: (thread) => begun(thread.run('Said.', { ...words, whenBusy: 'replace' })) },
  { name: 'run, whenBusy reject', say: (thread) => begun(thread.run('Said.', { ...words, whenBusy: 'reject' })) },
  { name: 'steer', say: (thread) => thread.steer('Said.', words) },
  { name: 'steer, instant', say: (thread) => thread.steer('Said.', { ...words, mode: 'instant' }) },
  { name: 'steer, expectedRunId right', say: (thread) => thread.steer('Said.', { ...words, expectedRunId: current(thread) }) },
  { name: 'steer, expectedRunId wrong', say: (thread) => thread.steer('Said.', { ...words, expectedRunId: 'thread_test/run.9' }) },
  { name: 'steer, path of the run', say: (thread) => thread.steer('Said.', { ...words, path: current(thread) }) },
  { name: 'steer, path of a nested run', say: (thread) => thread.steer('Said.', { ...words, path: 'thread_test/run.2/agent.1/turn.1/toolCall.1.0/run' }) },
  { name: 'steer, path of nobody', say: (thread) => thread.steer('Said.', { ...words, path: 'thread_test/background.9' }) },
  { name: 'steer, empty', say: (thread) => thread.steer('', words) },
  { name: 'queue.add', say: (thread) => begun(thread.queue.add('Said.', words)) },
  { name: 'queue.edit', say: (thread) => thread.queue.edit(thread.queue.list()[0]?.id ?? 'none', { input: 'Edited.' }) },
  { name: 'queue.move', say: (thread) => thread.queue.move(thread.queue.list()[0]?.id ?? 'none', 1) },
  { name: 'queue.remove', say: (thread) => thread.queue.remove(thread.queue.list()[0]?.id ?? 'none') },
  { name: 'queue.resume', say: (thread) => thread.queue.resume() },
  { name: 'mail', say: (thread) => thread.mail({ ...words, from: 'host', content: 'Said.' }) },
  { name: 'mail, triggerTurn', say: (thread) => thread.mail({ ...words, from: 'host', content: 'Said.', triggerTurn: true }) },
  { name: 'interrupt', say: (thread) => thread.interrupt() },
  { name: 'interrupt, expectedRunId wrong', say: (thread) => thread.interrupt({ expectedRunId: 'thread_test/run.9' }) },
  { name: 'stopAfterTurn', say: (thread) => thread.stopAfterTurn() },
  { name: 'approve', say: (thread) => done(thread.approve(call(thread))) },
  { name: 'approve, always', say: (thread) => done(thread.approve(call(thread), { always: true })) },
  { name: 'reject', say: (thread) => done(thread.reject(call(thread), { message: 'No.' })) },
  { name: 'reject, interrupt', say: (thread) => done(thread.reject(call(thread), { interrupt: true })) },
  { name: 'answer', say: (thread) => done(thread.answer(call(thread), { size: 'L' })) },
  { name: 'compact', say: (thread) => thread.compact() },
  { name: 'inject', say: (thread) => thread.inject([item('Said.')]) },
  { name: 'revert, to the first run', say: (thread) => thread.revert(settled(thread)) },
  { name: 'revert, to nowhere', say: (thread) => thread.revert({ runId: 'thread_test/run.9' }) },
  { name: 'fork', say: (thread) => done(thread.fork().then((fork) => fork.close())) },
  { name: 'fork, at the first run', say: (thread) => done(thread.fork({ at: settled(thread) }).then((fork) => fork.close())) },
  { name: 'setGoal', say: (thread) => thread.setGoal({ message: 'Go on.', maxRuns: 1 }) },
  { name: 'setGoal, none', say: (thread) => thread.setGoal(null) },
  { name: 'addRule', say: (thread) => thread.addRule(allow) },
  { name: 'removeRule', say: (thread) => thread.removeRule('none') },
  { name: 'release', say: (thread) => done(thread.release()) },
  { name: 'close', say: (thread) => thread.close() },
];
