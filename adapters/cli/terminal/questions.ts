/** Asking a person what a call asks: one question after the other, until all answers fit (D8). */
import type { Question } from '../../../actors/question.ts';
import { parseAnswers } from '../../../actors/question.ts';
import { UserError } from '../../../actors/errors.ts';
import type { RunToolApprovalItem } from '../../../actors/items.ts';
import type { Verdict } from '../conversation.ts';
import type { Asking } from './approvals.ts';

type Complaint = (input: string) => Promise<string | undefined>;
type Answers = Record<string, unknown>;

const DECLINE = /^\/decline(?:\s+(.+))?$/is;

/** @param complaintAbout what the tool itself says of all answers, as JSON text. Ctrl-C cancels the run. */
export async function askQuestions(item: RunToolApprovalItem, complaintAbout: Complaint, asking: Asking): Promise<Verdict> {
  asking.tell(`? ${item.agent.name} asks (/decline, and why, to refuse):`, 'notice');
  for (;;) {
    const answers: Answers = {};
    for (const question of item.questions ?? []) {
      const verdict = await askOne(question, answers, asking);
      if (verdict) return verdict;
    }
    const complaint = await complaintAbout(JSON.stringify(answers));
    if (complaint === undefined) return { decision: 'answer', answers };
    asking.tell(complaint, 'bad');
  }
}

/** Undefined when it was answered. */
async function askOne(question: Question, answers: Answers, { tell, ask }: Asking): Promise<Verdict | undefined> {
  tell(question.text, 'notice');
  for (const [at, { label, description }] of (question.options ?? []).entries()) tell(`  ${at + 1}. ${label}${description ? `: ${description}` : ''}`, 'notice');
  for (;;) {
    const said = await ask({ text: question.multiple ? 'answers, with commas between: ' : 'answer: ', ...(question.secret && { isSecret: true }) });
    if (said === undefined) return { decision: 'cancel' };
    const declined = DECLINE.exec(said.trim());
    if (declined) return { decision: 'reject', message: declined[1]?.trim() || 'The person did not want to answer.' };
    if (said.trim() === '') continue;
    const complaint = complaintOf(question, (answers[question.id] = answerIn(said.trim(), question)));
    if (complaint === undefined) return undefined;
    tell(complaint, 'bad');
  }
}

function complaintOf(question: Question, answer: unknown): string | undefined {
  try {
    parseAnswers([question], { [question.id]: answer });
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message.replace(/ Nothing was changed.*$/, '');
  }
}

/** What a person typed, as a value: an option by its number, a text where one is asked for, else JSON. */
export function answerIn(text: string, { schema, options = [], multiple }: Pick<Question, 'schema' | 'options' | 'multiple'>): unknown {
  const chosen = (one: string) => (options.some(({ label }) => label === one) ? one : (options[Number(one) - 1]?.label ?? one));
  if (multiple) return text.split(',').map((one) => chosen(one.trim())).filter((one) => one !== '');
  if (options.length > 0) return chosen(text);
  if (schema['type'] === 'string') return text;
  if (schema['type'] === 'boolean' && /^(y|yes|n|no)$/i.test(text)) return /^y/i.test(text);
  try {
    return JSON.parse(text);
  } catch {
    return text; // the schema says whether a text will do
  }
}
