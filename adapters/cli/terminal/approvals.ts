/** Asking a person about a call: yes, no with a reason, always, or with other arguments. */
import type { RunToolApprovalItem } from '../../../actors/items.ts';
import type { Verdict } from '../conversation.ts';
import { argumentsOf, callText } from '../wording.ts';
import type { Prompt } from './terminal.ts';

export interface Asking {
  /** Shows a line in the transcript. */
  tell(text: string, tone: 'notice' | 'bad'): void;
  /** The person's next line; undefined for Ctrl-C. */
  ask(prompt: Prompt): Promise<string | undefined>;
}
type Complaint = (input: string) => Promise<string | undefined>;

const CHOICES = '[y]es, [n]o, n <reason>';

/** Only an answer that is understood decides; Ctrl-C cancels the run. */
export async function askAboutCall(item: RunToolApprovalItem, complaintAbout: Complaint, { tell, ask }: Asking): Promise<Verdict> {
  const canEdit = item.rawItem.type === 'function_call';
  const isOnce = item.reason !== undefined; // its body asks about this one time
  tell(`? ${item.agent.name} wants to call ${callText(item.name ?? 'a tool', item.rawItem)}${isOnce ? `, which asks first: ${item.reason}` : ''}`, 'notice');
  for (;;) {
    const answer = await ask({ text: `${CHOICES}${isOnce ? '' : ', [a]lways'}${canEdit ? ', [e]dit' : ''}? `, takesCommands: true });
    if (answer === undefined) return { decision: 'cancel' };
    const verdict = verdictIn(answer);
    if (verdict && !(isOnce && verdict.decision === 'approve' && verdict.always)) return verdict;
    if (canEdit && /^e(dit)?$/i.test(answer.trim())) {
      const edited = await askForArguments(argumentsOf(item.rawItem), complaintAbout, { tell, ask });
      if (edited !== undefined) return { decision: 'approve', arguments: edited };
    } else if (answer.trim() !== '') {
      tell(`"${answer.trim()}" is no answer here: y, n, n and a reason${isOnce ? '' : ', a'}${canEdit ? ', or e to change the arguments' : ''}.`, 'bad');
    }
  }
}

/** Undefined for anything that is not clearly an answer: nothing runs by accident. */
export function verdictIn(answer: string): Verdict | undefined {
  const text = answer.trim();
  if (/^(y|yes)$/i.test(text)) return { decision: 'approve' };
  if (/^(a|always)$/i.test(text)) return { decision: 'approve', always: true };
  const refusal = /^(?:no?)(?:[\s,:]+(.+))?$/is.exec(text);
  if (!refusal) return undefined;
  const message = refusal[1]?.trim();
  return message ? { decision: 'reject', message } : { decision: 'reject' };
}

async function askForArguments(given: string, complaintAbout: Complaint, { tell, ask }: Asking): Promise<string | undefined> {
  let text = given;
  for (;;) {
    const answer = await ask({ text: 'arguments (empty to go back): ', prefilled: text });
    if (answer === undefined || answer.trim() === '') return undefined;
    const complaint = await complaintAbout(answer);
    if (complaint === undefined) return answer;
    tell(complaint, 'bad');
    text = answer;
  }
}
