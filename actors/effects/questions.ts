/** What calls ask of a person, and what the answers bring (D8). */
import type { Call, CallResult } from '../../machines/protocol/call.ts';
import type { FunctionCallItem } from '../../machines/protocol/item.ts';
import { errorRecordOf } from '../errorRecord.ts';
import { UserError } from '../errors.ts';
import { type Answers, type QuestionSpec, describeQuestions, parseAnswers } from '../question.ts';
import type { AnyAgent, RunScope } from '../scope.ts';
import { describeToolFailure } from '../toolInvocation.ts';
import { toText } from '../toolOutput.ts';
import type { FunctionTool } from '../toolTypes.ts';
import { asProduct, toolOf } from './toolCalls.ts';

type AnyFunctionTool = FunctionTool<any, any, any>; // `any`: tools of one agent differ in parameters and results

/** The call with what it asks, made of its arguments; one that cannot ask is an error that the model reads (C2). */
export async function withQuestions({ runContext }: RunScope, tool: AnyFunctionTool, call: Call, input: unknown): Promise<Call> {
  try {
    return { ...call, questions: describeQuestions(tool.questions!(input, runContext), `tool '${tool.name}'`) }; // only asked of tools that ask
  } catch (error) {
    const text = toText(await describeToolFailure(tool, runContext, error, { toolCall: call.item as FunctionCallItem })); // tools that ask are function tools
    return { ...call, invalid: { reason: 'questions', text, error: errorRecordOf(error) } };
  }
}

/** @throws UserError for answers that do not fit. */
export function checkedAnswers(scope: RunScope, agent: AnyAgent, call: Call, answers: Answers): Answers {
  return parseAnswers(call.questions ?? [], answers, specsOf(scope, agent, call));
}

/** What was answered, in the form in which a body would have brought it. */
export async function answeredResult(scope: RunScope, agent: AnyAgent, call: Call, answers: Answers): Promise<CallResult> {
  const tool = await toolOf(scope, agent, call);
  if (tool.type !== 'function' || !tool.questions || !tool.answered) throw new UserError(`The tool "${call.name}" of agent "${agent.name}", whose call was answered, asks no questions any more.`);
  const input = inputOf(tool, call);
  const parsed = parseAnswers(call.questions ?? [], answers, tool.questions(input, scope.runContext));
  return (await asProduct(scope, tool, call, tool.answered(parsed, input))).result;
}

/** The questions with the schemas of the tool itself, which may check more than their recorded form can say; where it is at hand at once. */
function specsOf({ runContext }: RunScope, agent: AnyAgent, call: Call): readonly QuestionSpec[] {
  const tool = agent.tools.find((candidate): candidate is AnyFunctionTool => candidate.type === 'function' && candidate.name === call.name && candidate.questions !== undefined);
  return tool?.questions?.(inputOf(tool, call), runContext) ?? [];
}

function inputOf(tool: AnyFunctionTool, { item }: Call): unknown {
  const parsed = tool.parseInput((item as FunctionCallItem).arguments); // as above
  return parsed.ok ? parsed.value : undefined;
}
