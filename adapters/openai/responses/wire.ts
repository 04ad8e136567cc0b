/**
 * What the Responses API may answer, as far as we read it. Objects are loose: members nobody here knows are kept and sent back.
 * The one file of this API that loads zod, and it is itself loaded with the first answer.
 */
import { z } from 'zod';

const text = z.string();
const optional = text.nullish();
const caller = z.union([z.object({ type: z.literal('direct') }), z.object({ type: z.literal('program'), caller_id: text })]).nullish();
const record = z.record(z.string(), z.unknown());

const message = z.looseObject({
  type: z.literal('message'),
  id: optional,
  role: z.literal('assistant'),
  status: z.enum(['in_progress', 'completed', 'incomplete']).nullish(),
  phase: z.enum(['commentary', 'final_answer']).nullish(),
  content: z.array(
    z.discriminatedUnion('type', [
      z.looseObject({ type: z.literal('output_text'), text }),
      z.looseObject({ type: z.literal('refusal'), refusal: text }),
    ]),
  ),
});
const progress = z.enum(['in_progress', 'completed', 'incomplete']);

const item = z.discriminatedUnion('type', [
  message,
  z.looseObject({ type: z.literal('function_call'), id: optional, call_id: text, name: text, arguments: text, status: progress.nullish(), namespace: optional, caller }),
  z.looseObject({
    type: z.literal('function_call_output'), id: optional, call_id: text, status: progress.nullish(), name: optional, function_name: optional, namespace: optional, caller,
    output: z.union([text, z.array(z.looseObject({ type: text }))]),
  }),
  z.looseObject({ type: z.literal('computer_call'), id: optional, call_id: text, status: progress.nullish(), action: record.nullish(), actions: z.array(record).nullish() }),
  z.looseObject({
    type: z.literal('shell_call'), id: optional, call_id: text, status: progress.nullish(), caller,
    action: z.object({ commands: z.array(text), timeout_ms: z.number().nullish(), max_output_length: z.number().nullish() }),
  }),
  z.looseObject({
    type: z.literal('shell_call_output'), id: optional, call_id: text, status: progress.nullish(), max_output_length: z.number().nullish(), caller,
    output: z.array(z.looseObject({
      stdout: text, stderr: text,
      outcome: z.union([z.object({ type: z.literal('timeout') }), z.object({ type: z.literal('exit'), exit_code: z.number().nullable() })]),
    })),
  }),
  z.looseObject({
    type: z.literal('apply_patch_call'), id: optional, call_id: text, status: z.enum(['in_progress', 'completed']), caller,
    operation: z.discriminatedUnion('type', [
      z.object({ type: z.literal('create_file'), path: text, diff: text }),
      z.object({ type: z.literal('update_file'), path: text, diff: text, move_to: optional }),
      z.object({ type: z.literal('delete_file'), path: text }),
    ]),
  }),
  z.looseObject({ type: z.literal('apply_patch_call_output'), id: optional, call_id: text, status: z.enum(['completed', 'failed']), output: optional, caller }),
  z.looseObject({
    type: z.literal('reasoning'), id: optional, encrypted_content: optional,
    summary: z.array(z.looseObject({ text })).nullish(), content: z.array(z.looseObject({ text })).nullish(),
  }),
  z.looseObject({ type: z.literal('compaction'), id: optional, encrypted_content: text, created_by: optional }),
  z.looseObject({ type: z.literal('program'), id: optional, call_id: text, code: text, fingerprint: text }),
  z.looseObject({ type: z.literal('program_output'), id: optional, call_id: text, result: text, status: z.enum(['completed', 'incomplete']) }),
  z.looseObject({ type: z.literal('tool_search_call'), id: optional, call_id: optional, execution: z.enum(['client', 'server']).nullish(), status: optional, arguments: z.unknown() }),
  z.looseObject({ type: z.literal('tool_search_output'), id: optional, call_id: optional, execution: z.enum(['client', 'server']).nullish(), status: optional, tools: z.array(record) }),
]);

/** An item of a type we can read. */
export type WireItem = z.infer<typeof item>;
/** An item that the provider ran itself, or that is newer than we are. */
export interface ForeignItem extends Record<string, unknown> { type: string }

const counts = record.nullish();
const response = z.looseObject({
  id: optional,
  status: optional,
  output: z.array(z.looseObject({ type: text })).nullish(),
  usage: z.looseObject({
    input_tokens: z.number().nullish(),
    output_tokens: z.number().nullish(),
    total_tokens: z.number().nullish(),
    input_tokens_details: counts,
    output_tokens_details: counts,
  }).nullish(),
  error: z.looseObject({ code: optional, message: optional }).nullish(),
  incomplete_details: z.looseObject({ reason: optional }).nullish(),
});
export type WireResponse = z.infer<typeof response>;

const KNOWN = new Set<string>(item.options.map((option) => option.shape.type.value));

export function parseResponse(value: unknown): WireResponse | { problem: string } {
  const parsed = response.safeParse(value);
  return parsed.success ? parsed.data : { problem: problemOf(parsed.error) };
}

export function parseItem(value: ForeignItem): { item: WireItem } | { foreign: ForeignItem } | { problem: string } {
  if (!KNOWN.has(value.type)) return { foreign: value };
  const parsed = item.safeParse(value);
  return parsed.success ? { item: parsed.data } : { problem: problemOf(parsed.error) };
}

/** The first complaint is enough to find the cause; the rest usually follow from it. */
function problemOf(error: z.ZodError): string {
  const [issue] = error.issues;
  const place = issue?.path.join('.') ?? '';
  return place === '' ? String(issue?.message) : `${place}: ${issue?.message}`;
}
