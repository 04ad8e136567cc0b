/** What becomes of a call that waits, where a person sits at a terminal: they are asked, unless `--approve` says it. */
import type { RunToolApprovalItem } from '../../../actors/items.ts';
import type { Verdict } from '../conversation.ts';
import { VERDICTS } from '../piped.ts';
import { callText, requestText, uncertaintyOf } from '../wording.ts';
import { askAboutCall, type Asking } from './approvals.ts';
import { askQuestions } from './questions.ts';
import type { Terminal } from './terminal.ts';
import { askAboutUncertain } from './uncertain.ts';

export type Approve = 'all' | 'none' | undefined;
type Complaint = (input: string) => Promise<string | undefined>;

/** To approve answers no question, and does not say what became of a call that was cut short. */
export async function decideAtTerminal(terminal: Terminal, item: RunToolApprovalItem, approve: Approve, complaintAbout: Complaint): Promise<Verdict> {
  if (approve && item.uncertain) {
    terminal.tell(`? ${uncertaintyOf(item)}: left waiting, because --approve does not say what became of it`, 'notice');
    return { decision: 'leave' };
  }
  if (approve === 'all' && item.questions) {
    terminal.tell(`? ${requestText(item)}: left waiting, because --approve answers nothing`, 'notice');
    return { decision: 'leave' };
  }
  if (approve) {
    terminal.tell(`? ${callText(item.name ?? 'a tool', item.rawItem)}: ${approve === 'all' ? 'approved' : 'rejected'} by --approve`, 'notice');
    return VERDICTS[approve];
  }
  const asking: Asking = { tell: (text, tone) => terminal.tell(text, tone), ask: (prompt) => terminal.ask(prompt) };
  if (item.uncertain) return askAboutUncertain(item, asking);
  return (item.questions ? askQuestions : askAboutCall)(item, complaintAbout, asking);
}
