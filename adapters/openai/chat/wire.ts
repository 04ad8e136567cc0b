/**
 * What Chat Completions may answer, as far as we read it. Compatible servers leave out much of what OpenAI promises, so little
 * is demanded. The one file of this API that loads zod, and it is itself loaded with the first answer.
 */
import { z } from 'zod';

const text = z.string();
const optional = text.nullish();
const record = z.record(z.string(), z.unknown());

const toolCall = z.looseObject({
  id: optional,
  /** Some servers answer with the arguments as an object, some with none. */
  function: z.looseObject({ name: text, arguments: z.union([text, record]).nullish() }).nullish(),
});
const message = z.looseObject({
  content: z.union([text, z.array(z.looseObject({ type: text, text: optional }))]).nullish(),
  refusal: optional,
  reasoning: optional,
  reasoning_content: optional,
  tool_calls: z.array(toolCall).nullish(),
  audio: z.looseObject({ id: text, data: text, transcript: optional }).nullish(),
  annotations: z.array(z.unknown()).nullish(),
});
const completion = z.looseObject({
  id: optional,
  choices: z.array(z.looseObject({ message, finish_reason: optional })).min(1),
  usage: record.nullish(),
});
const refused = z.looseObject({ error: z.union([text, z.looseObject({ message: text, code: z.union([text, z.number()]).nullish() })]) });

export type WireCompletion = z.infer<typeof completion>;
export type WireMessage = z.infer<typeof message>;
export type WireToolCall = z.infer<typeof toolCall>;

/** A completion; or the server's complaint, which some send with status 200; or what is wrong with the answer. */
export function parseCompletion(value: unknown): { completion: WireCompletion } | { refused: { message: string; code?: string } } | { problem: string } {
  const parsed = completion.safeParse(value);
  if (parsed.success) return { completion: parsed.data };
  const complaint = refused.safeParse(value);
  if (complaint.success) return { refused: complaintOf(complaint.data.error) };
  const [issue] = parsed.error.issues;
  return { problem: `${issue?.path.join('.') || 'answer'}: ${issue?.message}` };
}

function complaintOf(error: z.infer<typeof refused>['error']): { message: string; code?: string } {
  if (typeof error === 'string') return { message: error };
  return { message: error.message, ...(error.code !== null && error.code !== undefined && { code: String(error.code) }) };
}
