/** What a person has decided about a call, told to its thread. */
import type { RunToolApprovalItem } from '../../../actors/items.ts';
import type { Thread } from '../../../actors/thread/index.ts';
import type { Verdict } from '../conversation.ts';

/** @throws StaleStateError when it was decided meanwhile, UserError for what cannot be decided so: nothing is changed then. */
export async function tellThread(thread: Thread, item: RunToolApprovalItem, verdict: Verdict): Promise<void> {
  switch (verdict.decision) {
    case 'approve':
      return thread.approve(item, { ...(verdict.arguments !== undefined && { arguments: verdict.arguments }), ...(verdict.always && { always: true }) });
    case 'reject':
      return thread.reject(item, { ...(verdict.message !== undefined && { message: verdict.message }) });
    case 'useResult':
      return thread.useResult(item, verdict.output);
    case 'answer':
      return thread.answer(item, verdict.answers);
    case 'cancel':
      if (!item.uncertain) return thread.reject(item, { interrupt: true });
      await thread.interrupt(); // what became of an uncertain one, nobody has said
      return;
    case 'leave':
      return;
  }
}
