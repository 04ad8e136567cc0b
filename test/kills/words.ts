/** How each word is said to a thread, and as what command its journal has it. */
import type { ThreadCommand } from '../../machines/protocol/thread.ts';
import type { Receipt, Thread, ThreadRun } from '../../actors/thread/index.ts';
import type { Word, WordKind } from './threadPlan.ts';

/** `close` is the last word to each thread. */
export type Said = WordKind | 'close';
export const COMMANDS: Record<Said, ThreadCommand['type']> = {
  run: 'thread.run', join: 'thread.run', replace: 'thread.run', queue: 'queue.add', edit: 'queue.edit', remove: 'queue.remove', resume: 'queue.resume', steer: 'thread.steer', instant: 'thread.steer',
  mail: 'thread.mail', wake: 'thread.mail', interrupt: 'thread.interrupt', stop: 'thread.softStop', rule: 'rule.add', goal: 'thread.goal', inject: 'thread.inject', compact: 'thread.compact', close: 'thread.close',
};

const quiet = ({ receipt, result }: ThreadRun): Promise<Receipt> => {
  result.catch(() => undefined); // many are interrupted some day
  return receipt;
};
const lastIn = (thread: Thread) => thread.queue.list().at(-1)?.id ?? 'nothing';

export function say(thread: Thread, { id, kind }: Word): Promise<Receipt> {
  switch (kind) {
    case 'run': return quiet(thread.run(`plan ${id}`, { id }));
    case 'join': return quiet(thread.run(`plan ${id}`, { id, whenBusy: 'steer' }));
    case 'replace': return quiet(thread.run(`plan ${id}`, { id, whenBusy: 'replace' }));
    case 'queue': return quiet(thread.queue.add(`plan ${id}`, { id }));
    case 'edit': return thread.queue.edit(lastIn(thread), { input: `plan ${id}` });
    case 'remove': return thread.queue.remove(lastIn(thread));
    case 'resume': return thread.queue.resume();
    case 'steer': return thread.steer(`Mind ${id}`, { id });
    case 'instant': return thread.steer(`Mind ${id}`, { id, mode: 'instant' });
    case 'mail': return thread.mail({ id, from: 'host', content: `News ${id}` });
    case 'wake': return thread.mail({ id, from: 'host', content: `News ${id}`, triggerTurn: true });
    case 'interrupt': return thread.interrupt();
    case 'stop': return thread.stopAfterTurn();
    case 'rule': return thread.addRule({ id, tool: 'sign', decision: 'allow' });
    case 'goal': return thread.setGoal({ message: `Go on ${id}`, maxRuns: 1 });
    case 'inject': return thread.inject([{ type: 'message', role: 'user', content: `Know ${id}` }]);
    case 'compact': return thread.compact();
  }
}
