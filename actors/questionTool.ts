/** Tools that a person carries out, by answering (D8). */
import { UserError } from './errors.ts';
import type { Answers, QuestionSpec } from './question.ts';
import type { RunContext } from './runContext.ts';
import type { ToolExecuteArgument, ToolInputParameters, UnknownContext } from './schemaTypes.ts';
import { tool } from './tool.ts';
import type { FunctionTool, ToolEnabledOption, ToolOptions } from './toolTypes.ts';

export interface QuestionToolOptions<TParameters extends ToolInputParameters, Context = UnknownContext> {
  name: string;
  description: string;
  parameters: TParameters;
  /** What the person is asked, made of the arguments when the call comes in. Asked again with the same arguments, it returns the same. */
  questions: (input: ToolExecuteArgument<TParameters>, runContext: RunContext<Context>) => readonly QuestionSpec[];
  /** Makes the tool's result of the answers, by the ids of their questions. Default: the answer itself; of several questions, all answers. */
  result?: (answers: Answers, input: ToolExecuteArgument<TParameters>) => unknown;
  isEnabled?: ToolEnabledOption<Context>;
  /** How long it waits for the answer, in ms; then it is rejected (D7). Default: for ever. */
  expiresAfterMs?: number;
  inputGuardrails?: ToolOptions<TParameters, Context>['inputGuardrails'];
  outputGuardrails?: ToolOptions<TParameters, Context>['outputGuardrails'];
  terminal?: 'completed' | 'rejected';
}

/**
 * Declares a tool whose calls wait for answers of a person: they are among `result.interruptions`, with `questions`, and are
 * answered with `state.answer(item, answers)` or declined with `state.reject(item)`. What was answered, checked against the schemas
 * of the questions, becomes the result that the model reads.
 *
 * @throws UserError as `tool()`.
 * @example
 * ```ts
 * import { Agent, questionTool, run } from 'loopchart';
 * import { z } from 'zod';
 *
 * const seat = questionTool({
 *   name: 'choose_seat',
 *   description: 'Lets the passenger choose a seat.',
 *   parameters: z.object({ free: z.array(z.string()) }),
 *   questions: ({ free }) => [
 *     { id: 'seat', text: 'Which seat?', options: free },
 *     { id: 'bags', text: 'How many bags?', schema: z.number().int().min(0) },
 *   ],
 * });
 * const agent = new Agent({ name: 'Check-in', tools: [seat] });
 * const waiting = await run(agent, 'I want to check in.');
 * for (const item of waiting.interruptions) if (item.questions) waiting.state.answer(item, { seat: '12A', bags: 1 });
 * const { finalOutput } = await run(agent, waiting.state);
 * ```
 */
export function questionTool<TParameters extends ToolInputParameters = undefined, Context = UnknownContext>(
  options: QuestionToolOptions<TParameters, Context>,
): FunctionTool<Context, TParameters, unknown> {
  const { questions, result = onlyAnswer, ...declared } = options;
  if (typeof questions !== 'function') throw new UserError(`Question tool '${options.name}' needs \`questions\`: a function that says what is asked.`);
  const execute = () => {
    throw new UserError(`The tool '${options.name}' has no body: a person answers its calls inside of a run.`);
  };
  const made = tool<any, Context, unknown>({ ...declared, effect: 'pure', execute } as ToolOptions<any, Context>); // of these parameters, which the result says again
  return Object.assign(made, { questions, answered: result }) as FunctionTool<Context, TParameters, unknown>;
}

function onlyAnswer(answers: Answers): unknown {
  const [first, ...others] = Object.values(answers);
  return others.length === 0 ? first : answers;
}

interface Asked { question: string; options?: string[]; multiple?: boolean }

/**
 * A tool by which a model may ask the person whatever it needs to know. Options are proposals: the person may answer otherwise.
 * A copy with other words or an expiry is a tool as well: `{ ...askUser, expiresAfterMs: 60_000 }`.
 *
 * @example
 * ```ts
 * import { Agent, askUser } from 'loopchart';
 *
 * const agent = new Agent({ name: 'Planner', instructions: 'Ask when something is unclear.', tools: [askUser] });
 * ```
 */
export const askUser: FunctionTool<any, any, unknown> = questionTool({ // `any`: it fits agents of every context
  name: 'ask_user',
  description: 'Asks the user one or several questions and waits for the answers. Use it only for what you cannot find out yourself.',
  parameters: {
    type: 'object',
    properties: {
      questions: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          properties: {
            question: { type: 'string', description: 'The question, complete in itself.' },
            options: { type: 'array', items: { type: 'string' }, description: 'Answers to propose, if there are any. The user may answer otherwise.' },
            multiple: { type: 'boolean', description: 'Whether several options may be chosen.' },
          },
          required: ['question'],
          additionalProperties: false,
        },
      },
    },
    required: ['questions'],
    additionalProperties: false,
  },
  questions: (input) => askedIn(input).map(({ question, options, multiple }) => ({
    text: question,
    schema: multiple ? { type: 'array', items: { type: 'string' } } : { type: 'string' },
    ...(options && options.length > 0 && { options }),
    ...(multiple && { multiple }),
  })),
  result: (answers, input) => {
    const said = Object.values(answers).map((answer) => (Array.isArray(answer) ? answer.join(', ') : String(answer)));
    return said.length === 1 ? said[0] : askedIn(input).map(({ question }, at) => `${question}\n${said[at]}`).join('\n\n');
  },
});

/** As the schema of its arguments says. */
const askedIn = (input: unknown) => (input as { questions: Asked[] }).questions;
