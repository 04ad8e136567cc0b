/**
 * Schemas of all that a client may send. Fields that this server has no use for are let pass: clients of the protocol send them. Null
 * stands for nothing, as there.
 */
import { z } from 'zod';
import { ModelItem } from '../../machines/protocol/itemSchemas.ts';
import { WHEN_BUSY } from '../../machines/protocol/thread.ts';
import { CODE, RequestFault } from './fault.ts';

/** Characters of text that one input may have. */
export const MOST_TEXT = 2 ** 20;

const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().transform((value): z.output<Schema> | undefined => value ?? undefined);
const name = maybe(z.string().min(1));

// -- messages ---------------------------------------------------------------------------------------------------------

const requestId = z.union([z.string(), z.int()]);
export const envelope = z.looseObject({
  id: requestId.optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});

// -- input ------------------------------------------------------------------------------------------------------------

const detail = z.enum(['auto', 'low', 'high', 'original']).optional();
const userInput = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('image'), url: z.string().optional(), fileId: z.string().optional(), detail }).refine(({ url, fileId }) => (url === undefined) !== (fileId === undefined), 'an image has either url or fileId'),
  z.object({ type: z.literal('localImage'), path: z.string().min(1), detail }),
  z.object({ type: z.literal('audio'), url: z.string() }),
  z.object({ type: z.literal('skill'), name: z.string(), path: z.string() }),
  z.object({ type: z.literal('mention'), name: z.string(), path: z.string() }),
]);
export type UserInput = z.output<typeof userInput>;
const input = z.array(userInput).max(1_000);
const clientUserMessageId = maybe(z.string().max(1_024));

/** What a turn does otherwise than its thread (M7). */
const overrides = {
  agent: name,
  model: name,
  effort: name,
  summary: maybe(z.enum(['auto', 'concise', 'detailed', 'none'])),
};
/** Of the protocol, and not up to a client here: what tools may do and when a person is asked is said by the agents. */
const unheeded = {
  approvalPolicy: z.unknown().optional(),
  sandbox: z.unknown().optional(),
  sandboxPolicy: z.unknown().optional(),
  permissions: z.unknown().optional(),
  cwd: z.unknown().optional(),
  outputSchema: z.unknown().optional(),
  dynamicTools: z.unknown().optional(),
  additionalContext: z.unknown().optional(),
  collaborationMode: z.unknown().optional(),
};
const settings = { agent: name, model: name, baseInstructions: name, developerInstructions: name, ...unheeded };
export type ThreadSettings = Partial<z.output<z.ZodObject<typeof settings>>>;
export type TurnSettings = Partial<z.output<z.ZodObject<typeof overrides & typeof unheeded>>>;

const threadId = z.string();
const cwds = maybe(z.array(z.string()));
const page = { cursor: maybe(z.string()), limit: maybe(z.int().min(1)) };
const sortDirection = maybe(z.enum(['asc', 'desc']));
const itemsView = maybe(z.enum(['notLoaded', 'summary', 'full']));

export const PARAMS = {
  initialize: z.object({
    clientInfo: z.object({ name: z.string(), version: z.string() }),
    capabilities: maybe(z.object({ optOutNotificationMethods: maybe(z.array(z.string())) })),
  }),
  'account/read': z.object({}),
  'config/read': z.object({}),
  'configRequirements/read': z.object({}),
  'skills/list': z.object({ cwds }),
  'hooks/list': z.object({ cwds }),
  'collaborationMode/list': z.object({}),
  'mcpServerStatus/list': z.object({}),
  'thread/shellCommand': z.object({ threadId, command: z.string() }),
  'thread/name/set': z.object({ threadId, name: z.string() }),
  'model/list': z.object(page),
  'thread/start': z.object({ ...settings, ephemeral: maybe(z.boolean()), threadSource: maybe(z.string()) }),
  'thread/resume': z.object({ threadId, ...settings, excludeTurns: maybe(z.boolean()) }),
  'thread/fork': z.object({ threadId, ...settings, lastTurnId: name, beforeTurnId: name, excludeTurns: maybe(z.boolean()), ephemeral: maybe(z.boolean()) }),
  'thread/list': z.object({ ...page, sortKey: maybe(z.enum(['created_at', 'updated_at', 'recency_at', 'section_position'])), sortDirection, sectionId: name, searchTerm: name, archived: maybe(z.boolean()) }),
  'thread/loaded/list': z.object(page),
  'thread/read': z.object({ threadId, includeTurns: maybe(z.boolean()) }),
  'thread/turns/list': z.object({ threadId, ...page, sortDirection, itemsView }),
  'thread/items/list': z.object({ threadId, turnId: name, ...page, sortDirection }),
  'thread/revert': z.object({ threadId, beforeTurnId: z.string() }),
  'thread/unsubscribe': z.object({ threadId }),
  'thread/compact/start': z.object({ threadId }),
  'thread/inject_items': z.object({ threadId, items: z.array(z.unknown()).min(1).max(10_000) }),
  'thread/goal/set': z.object({ threadId, objective: maybe(z.string().min(1)), maxRuns: maybe(z.int().min(1)) }),
  'thread/goal/get': z.object({ threadId }),
  'thread/goal/clear': z.object({ threadId }),
  'thread/queue/add': z.object({ threadId, input, clientUserMessageId }),
  'thread/queue/list': z.object({ threadId, ...page }),
  'thread/queue/update': z.object({ threadId, queuedSubmissionId: z.string(), input }),
  'thread/queue/reorder': z.object({ threadId, queuedSubmissionIds: z.array(z.string()) }),
  'thread/queue/delete': z.object({ threadId, queuedSubmissionId: z.string() }),
  'thread/queue/start': z.object({ threadId, queuedSubmissionId: name }),
  'turn/start': z.object({ threadId, input, clientUserMessageId, ...overrides, ...unheeded, toolOutput: z.null('is not supported: inject_items puts results into the history').optional(), whenBusy: maybe(z.enum(WHEN_BUSY)) }),
  'turn/steer': z.object({ threadId, input, clientUserMessageId, expectedTurnId: z.string() }),
  'turn/interrupt': z.object({ threadId, turnId: z.string() }),
} as const;
export type RequestMethod = keyof typeof PARAMS;
export type ParamsOf<Method extends RequestMethod> = z.output<(typeof PARAMS)[Method]>;

// -- answers to what the client was asked -----------------------------------------------------------------------------

export const approvalAnswer = z.object({ decision: z.enum(['accept', 'acceptForSession', 'decline', 'cancel']) });
export const inputAnswer = z.object({ answers: z.record(z.string(), z.object({ answers: z.array(z.string()) })) });

/** @throws RequestFault that names the first thing that is wrong. */
export function paramsIn<Method extends RequestMethod>(method: Method, given: unknown): ParamsOf<Method> {
  const parsed = PARAMS[method].safeParse(given ?? {});
  if (parsed.success) return parsed.data as ParamsOf<Method>; // the schema of this very method
  throw new RequestFault(`Invalid request: ${wordingOf(parsed.error, given)}`);
}

export const isMethod = (method: string): method is RequestMethod => Object.hasOwn(PARAMS, method);

/** Items as the Responses API writes them, or as this library does. @throws RequestFault */
export function itemsIn(given: readonly unknown[]): z.output<typeof ModelItem>[] {
  return given.map((item, at) => {
    const parsed = ModelItem.safeParse(fromResponses(item));
    if (parsed.success) return parsed.data;
    throw new RequestFault(`Invalid request: items[${at}] is no item of a conversation: ${wordingOf(parsed.error, item)}`);
  });
}

/** @throws RequestFault when there is more text than one input may have. */
export function checkLength(given: readonly UserInput[]): void {
  const length = given.reduce((sum, part) => sum + (part.type === 'text' ? part.text.length : 0), 0);
  if (length <= MOST_TEXT) return;
  throw new RequestFault(`Input exceeds the maximum length of ${MOST_TEXT} characters.`, CODE.invalidParams, { input_error_code: 'input_too_large', max_chars: MOST_TEXT, actual_chars: length });
}

function wordingOf({ issues }: z.ZodError, given: unknown): string {
  const [issue] = issues;
  const path = issue!.path.map(String).join('.'); // there is one when parsing failed
  if (path === '') return issue!.message;
  return isMissing(given, issue!.path) ? `missing field \`${path}\`` : `${path}: ${issue!.message}`;
}

function isMissing(given: unknown, path: readonly PropertyKey[]): boolean {
  let value = given;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return true;
    value = (value as Record<PropertyKey, unknown>)[key]; // it has it
  }
  return false;
}

/** What differs in spelling between the two forms. */
function fromResponses(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return item;
  const { type, role, content, call_id: callId, ...rest } = item as Record<string, unknown>; // read field by field, and checked after
  if (role === 'developer' || role === 'system') return { type, role: 'system', content: textIn(content), ...rest };
  if (role === 'assistant') return { status: 'completed', type: 'message', role, ...rest, content: typeof content === 'string' ? [{ type: 'output_text', text: content }] : content };
  if (type === 'function_call' && callId !== undefined) return { type, callId, ...rest };
  if (type === 'function_call_output') return { type: 'function_call_result', status: 'completed', name: '', callId, ...rest };
  return item;
}

function textIn(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((part: { text?: unknown }) => (typeof part?.text === 'string' ? part.text : '')).join('');
}
