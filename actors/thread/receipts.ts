/** How a command was taken, for whoever gave it: the reason in words, where it was not. */
import type { CommandAnswer, RejectReason } from '../../machines/protocol/thread.ts';
import type { Receipt } from './types.ts';

export function receiptOf(id: string, answer: CommandAnswer): Receipt {
  if (answer.status === 'rejected') return { status: 'rejected', id, reason: answer.reason, message: TEXTS[answer.reason] };
  return { ...answer, id };
}

const TEXTS: Record<RejectReason, string> = {
  closed: 'The thread is closed. Fork it, or make a new one.',
  noRun: 'There is no run that could hear of it. Start one with thread.run().',
  stale: 'Another run is going than the one that was meant (expectedRunId). Look at thread.activeRun, and decide anew.',
  busy: 'A run is going, and whenBusy is "reject". Await it, or pass whenBusy: "queue", "steer" or "replace".',
  compacting: 'The history is being summed up, and no run is going that could be steered. Queue the input, or send it when that is done.',
  stopping: 'The run is winding down. Queue the input, or send it when the thread is idle.',
  unknownEntry: 'There is no such entry in the queue: its run has begun, or it was removed. thread.queue.list() tells which there are.',
  unknownPoint: 'There is no such run, or turn of a run, in the history of this thread. thread.look.runs tells which there are.',
  unknownRule: 'There is no such rule. thread.look.rules tells which there are.',
  unknownPath: 'Nothing is at work at this path. Approvals and events carry the path of their agent.',
};
