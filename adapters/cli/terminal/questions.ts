/** What a tool asks a person (D8): one question after the other, each asked again until its answer fits. */
import type { RunToolApprovalItem } from '../../../actors/items.ts';
import { type Answers, parseAnswers } from '../../../actors/question.ts';
import type { Question } from '../../../machines/protocol/call.ts';
import type { Verdict } from '../conversation.ts';
import { shortened } from '../wording.ts';
import type { Asking } from './approvals.ts';

/** Ctrl-C ends the run; `/decline` and a reason leaves the questions unanswered. */
export async function askQuestions({ agent, name, questions = [] }: RunToolApprovalItem, { tell, ask }: Asking): Promise<Verdict> {
  tell(`? ${agent.name} asks (${name ?? 'a tool'}); /decline and a reason, if you like, answers nothing`, 'notice');
  const answers: Answers = {};
  for (const question of questions) {
    tell(question.text, 'notice');
    for (const [at, { label, description }] of (question.options ?? []).entries()) tell(`  ${at + 1}  ${label}${description === undefined ? '' : `: ${shortened(description)}`}`, 'notice');
    const answered = await askQuestion(question, { tell, ask });
    if ('decision' in answered) return answered;
    answers[question.id] = answered.answer;
  }
  return { decision: 'answer', answers };
}

async function askQuestion(question: Question, { tell, ask }: Asking): Promise<{ answer: unknown } | Verdict> {
  for (;;) {
    const text = await ask({ prompt: promptOf(question), ...(question.secret && { secret: true }) });
    if (text === undefined) return { decision: 'cancel' };
    const declined = /^\/decline(?:\s+(.+))?$/is.exec(text.trim());
    if (declined) return { decision: 'reject', ...(declined[1] !== undefined && { message: declined[1].trim() }) };
    if (text.trim() === '') continue;
    const answer = answerIn(text, question);
    const complaint = complaintAbout(question, answer);
    if (complaint === undefined) return { answer };
    tell(complaint, 'bad');
  }
}

function promptOf({ options = [], multiple, schema }: Question): string {
  if (options.length > 0) return `[1-${options.length}]${multiple ? ', several with commas' : ''}: `;
  return ['string', undefined].includes(schema['type'] as string | undefined) ? 'answer: ' : `answer (${String(schema['type'])}): `;
}

/** What was typed, as the question wants it: places of options stand for their labels, what is no text is JSON. */
export function answerIn(text: string, { options = [], multiple, schema }: Question): unknown {
  if (multiple) return text.split(',').map((part) => chosen(part.trim(), options)).filter((part) => part !== '');
  if (options.length > 0) return chosen(text.trim(), options);
  if (schema['type'] === 'string') return text.trim();
  try {
    return JSON.parse(text);
  } catch {
    return text.trim(); // the schema says whether a text will do
  }
}

function chosen(text: string, options: NonNullable<Question['options']>): string {
  const place = /^\d+$/.test(text) ? options[Number(text) - 1] : undefined;
  return (place ?? options.find(({ label }) => label.toLowerCase() === text.toLowerCase()))?.label ?? text;
}

function complaintAbout(question: Question, answer: unknown): string | undefined {
  try {
    parseAnswers([question], { [question.id]: answer });
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(' Nothing was changed, and the call still waits.', ''); // all that it throws
  }
}
