/** Asking a person about a call that has begun before: nobody but a person can know whether it had its effect (O3). */
import type { RunToolApprovalItem } from '../../../actors/items.ts';
import type { Verdict } from '../conversation.ts';
import { uncertaintyOf } from '../wording.ts';
import type { Asking } from './approvals.ts';

const CHOICES = '[r]un again, [t]his is the result, it [f]ailed? ';

/** Only an answer that is understood decides; Ctrl-C ends the run and says nothing of the call. */
export async function askAboutUncertain(item: RunToolApprovalItem, { tell, ask }: Asking): Promise<Verdict> {
  tell(`? ${uncertaintyOf(item)}. Look, and say what became of it.`, 'notice');
  for (;;) {
    const answer = await ask({ text: CHOICES, takesCommands: true });
    if (answer === undefined) return { decision: 'cancel' };
    const verdict = resolutionIn(answer);
    if (verdict) return verdict;
    if (/^(t|this is the result|result)$/i.test(answer.trim())) {
      const output = await ask({ text: 'the result, as the model shall read it (empty to go back): ' });
      if (output?.trim()) return { decision: 'useResult', output: output.trim() };
    } else if (answer.trim() !== '') {
      tell(`"${answer.trim()}" is no answer here: r, t and the result, or f and what the model shall read.`, 'bad');
    }
  }
}

/** Undefined for anything that is not clearly an answer: nothing runs twice by accident. */
export function resolutionIn(answer: string): Verdict | undefined {
  const text = answer.trim();
  if (/^(r|run|again|run again)$/i.test(text)) return { decision: 'approve' };
  const output = /^(?:t|this is the result|result)[\s:,]+(.+)$/is.exec(text)?.[1]?.trim();
  if (output) return { decision: 'useResult', output };
  const failure = /^(?:f|failed|it failed)(?:[\s:,]+(.+))?$/is.exec(text);
  if (!failure) return undefined;
  return { decision: 'reject', message: failure[1]?.trim() || 'A person has looked: this call failed.' };
}
