/** What a person is asked by a tool, and whether an answer fits (D8). */
import type { Question, QuestionOption } from '../machines/protocol/call.ts';
import { UserError } from './errors.ts';
import { isRecord } from './jsonSchema.ts';
import { type ResolvedAnswer, resolveAnswerSchema } from './schema.ts';
import type { AnswerSchema } from './schemaTypes.ts';

export type { Question, QuestionOption } from '../machines/protocol/call.ts';
export type { AnswerSchema } from './schemaTypes.ts';

/** One question, as a tool asks it. */
export interface QuestionSpec {
  /** Names its answer. Default: `question_1`, `question_2`, … by its place. */
  id?: string;
  text: string;
  /** Of the answer: zod, Standard Schema or JSON Schema, of any type. Default: one of the options, several with `multiple`; any text without options. */
  schema?: AnswerSchema;
  options?: readonly (string | QuestionOption)[];
  multiple?: boolean;
  /** Not to be shown while it is typed. The model reads the answer, and it is recorded, like any other. */
  secret?: boolean;
}

/** Answers by the ids of their questions. */
export type Answers = Record<string, unknown>;

/**
 * Questions as they are recorded.
 * @param owner whose they are, for error messages.
 * @throws UserError for none at all, for one without text, for two of one id, and for a schema that cannot be used.
 */
export function describeQuestions(specs: readonly QuestionSpec[], owner: string): Question[] {
  if (!Array.isArray(specs) || specs.length === 0) throw new UserError(`${owner} asks a person nothing: its \`questions\` must return at least one question.`);
  const questions = specs.map((spec, at) => describeQuestion(spec, at, owner));
  const twice = questions.find(({ id }, at) => questions.findIndex((other) => other.id === id) < at);
  if (twice) throw new UserError(`${owner} asks two questions with the id "${twice.id}". Give each one its own.`);
  return questions;
}

function describeQuestion(spec: QuestionSpec, at: number, owner: string): Question {
  const { text, options, multiple, secret } = spec;
  if (typeof text !== 'string' || text.trim() === '') throw new UserError(`Question ${at + 1} of ${owner} has no text.`);
  const id = idOf(spec, at);
  const question: Question = { id, text, schema: resolvedAnswer(spec, `question "${id}" of ${owner}`).jsonSchema };
  if (options) question.options = options.map((option) => (typeof option === 'string' ? { label: option } : option));
  if (multiple) question.multiple = true;
  if (secret) question.secret = true;
  return question;
}

const idOf = ({ id }: QuestionSpec, at: number) => id ?? `question_${at + 1}`;

function resolvedAnswer({ schema, options, multiple }: QuestionSpec, owner: string): ResolvedAnswer {
  if (schema !== undefined) return resolveAnswerSchema(schema, owner);
  const one = options ? { type: 'string', enum: options.map((option) => (typeof option === 'string' ? option : option.label)) } : { type: 'string' };
  return resolveAnswerSchema(multiple ? { type: 'array', items: one } : one, owner);
}

/**
 * The answers as their schemas make them.
 * @param specs the questions as the tool asks them, where it is at hand: its own schemas may say more than their recorded form.
 * @throws UserError naming the first question whose answer is missing or does not fit, or an answer to which there is no question.
 */
export function parseAnswers(questions: readonly Question[], answers: Answers, specs: readonly QuestionSpec[] = []): Answers {
  const ids = questions.map(({ id }) => id);
  const list = ids.map((id) => `"${id}"`).join(', ');
  if (!isRecord(answers)) throw new UserError(`Answers are an object by the ids of the questions: ${list}.`);
  const stray = Object.keys(answers).find((id) => !ids.includes(id));
  if (stray !== undefined) throw new UserError(`There is no question "${stray}" to answer; the call asks ${list}.`);
  return Object.fromEntries(questions.map((question) => [question.id, parseAnswer(question, answers, specs)]));
}

function parseAnswer({ id, text, schema }: Question, answers: Answers, specs: readonly QuestionSpec[]): unknown {
  const spec = specs.find((candidate, at) => idOf(candidate, at) === id);
  const { parse } = spec ? resolvedAnswer(spec, `question "${id}"`) : resolveAnswerSchema(schema, `question "${id}"`);
  const parsed = parse(Object.hasOwn(answers, id) ? answers[id] : undefined);
  if (parsed.ok) return parsed.value;
  if (!Object.hasOwn(answers, id)) throw new UserError(`The question "${id}" (${text}) is not answered. Nothing was changed, and the call still waits.`);
  throw new UserError(`The answer to "${id}" (${text}) does not fit: ${parsed.message}. Nothing was changed, and the call still waits.`);
}
