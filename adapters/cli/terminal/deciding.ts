/** What becomes of a call that waits, where a person sits at a terminal: they are asked, unless `--approve` says it. */
import type { RunToolApprovalItem } from '../../../actors/items.ts';
import type { Verdict } from '../conversation.ts';
import { VERDICTS } from '../piped.ts';
import { callText, uncertaintyOf } from '../wording.ts';
import { askAboutCall, type Asking } from './approvals.ts';
import { askQuestions } from './questions.ts';
import type { Terminal } from './terminal.ts';
import { askAboutUncertain } from './uncertain.ts';

export type Approve = 'all' | 'none' | undefined;
type Complaint = (input: string) => Promise<string | undefined>;

/** A question is for a person, whatever `--approve` says; what became of a call that was cut short nobody else knows either. */
export async function decideAtTerminal(terminal: Terminal, item: RunToolApprovalItem, approve: Approve, complaintAbout: Complaint): Promise<Verdict> {
  if (approve && item.uncertain) {
    terminal.tell(`? ${uncertaintyOf(item)}: left waiting, because --approve does not say what became of it`, 'notice');
    return { decision: 'leave' };
  }
  if (approve && !item.questions) {
    terminal.tell(`? ${callText(item.name ?? 'a tool', item.rawItem)}: ${approve === 'all' ? 'approved' : 'rejected'} by --approve`, 'notice');
    return VERDICTS[approve];
  }
  const asking: Asking = { tell: (text, tone) => terminal.tell(text, tone), ask: (question) => terminal.ask(question) };
  if (item.uncertain) return askAboutUncertain(item, asking);
  return item.questions ? askQuestions(item, asking) : askAboutCall(item, complaintAbout, asking);
}
