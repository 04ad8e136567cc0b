/** What a client is asked when a call waits for a person, and what its answer means. */
import type { Question } from '../../machines/protocol/call.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import { commandLine } from './commandLine.ts';
import { callItem, jsonIn } from './toItem.ts';
import { approvalAnswer, inputAnswer } from './requestSchemas.ts';
import { type CommandItem, DECISIONS, type ServerAsk, type WireQuestion } from './shapes.ts';

/** A call that waits, whatever for. */
export interface Wait {
  /** By which the thread knows it. */
  id: string;
  itemId: string;
  agent: string;
  /** The call, as the model wrote it. */
  item: AgentInputItem;
  name: string;
  at: number;
  uncertain?: boolean;
  reason?: string;
  expiresAt?: number;
  questions?: readonly Question[];
}

export type Decided =
  | { kind: 'approve'; always: boolean }
  | { kind: 'reject'; interrupt: boolean }
  | { kind: 'answer'; answers: Record<string, unknown> }
  /** It was not understood: the call ends as failed, and nothing runs. */
  | { kind: 'failed' };

const UNCERTAIN = 'This call had begun before and may have had its effect: accept runs it again, decline ends it.';

/**
 * Calls of the shell and patches have requests of their own. All other tools ask as commands do, with the call as the command: of all
 * that the protocol has, that request is the one which every client shows, and it takes the four decisions.
 */
export function askOf(wait: Wait, { threadId, turnId, cwd }: { threadId: string; turnId: string; cwd: string }): ServerAsk {
  const { itemId, at: startedAtMs, item, name, questions } = wait;
  const place = { threadId, turnId, itemId };
  if (questions) return { method: 'item/tool/requestUserInput', params: { ...place, questions: questions.map((question) => wireQuestion(question, name)), isBlocking: true, autoResolutionMs: wait.expiresAt === undefined ? null : Math.max(0, wait.expiresAt - startedAtMs) } };
  const reason = wait.uncertain ? UNCERTAIN : (wait.reason ?? null);
  if (item.type === 'apply_patch_call') return { method: 'item/fileChange/requestApproval', params: { ...place, startedAtMs, reason, grantRoot: null } };
  return {
    method: 'item/commandExecution/requestApproval',
    params: { kind: 'command', ...place, startedAtMs, environmentId: null, reason, ...commandOf(wait, cwd), availableDecisions: wait.uncertain ? ['accept', 'decline', 'cancel'] : [...DECISIONS] },
  };
}

export function decidedBy({ questions }: Wait, result: unknown): Decided {
  if (questions) {
    const parsed = inputAnswer.safeParse(result);
    return parsed.success ? { kind: 'answer', answers: answersTo(questions, parsed.data.answers) } : { kind: 'failed' };
  }
  const parsed = approvalAnswer.safeParse(result);
  if (!parsed.success) return { kind: 'failed' };
  switch (parsed.data.decision) {
    case 'accept':
      return { kind: 'approve', always: false };
    case 'acceptForSession':
      return { kind: 'approve', always: true };
    case 'decline':
      return { kind: 'reject', interrupt: false };
    case 'cancel':
      return { kind: 'reject', interrupt: true };
  }
}

/** The call in one line, for a person. */
function commandOf({ item, name, agent }: Wait, cwd: string): Pick<CommandItem, 'command' | 'cwd' | 'commandActions'> {
  const call = callItem({ id: '', agent, cwd }, item);
  if (call?.type === 'commandExecution') return { command: call.command, cwd, commandActions: call.commandActions };
  const command = commandLine(name, ...(call?.type === 'mcpToolCall' ? [JSON.stringify(call.arguments)] : []));
  return { command, cwd, commandActions: [{ type: 'unknown', command }] };
}

function wireQuestion({ id, text, options, schema, secret = false }: Question, name: string): WireQuestion {
  return {
    id,
    header: name,
    question: text,
    isOther: options !== undefined && !isClosed(schema),
    isSecret: secret,
    options: options ? options.map(({ label, description = '' }) => ({ label, description })) : null,
  };
}

/** Only the options are taken, one or several. */
const isClosed = ({ enum: one, items }: Record<string, unknown>) => one !== undefined || (typeof items === 'object' && items !== null && 'enum' in items);

/** Answers come as texts; what they are to be, the schemas of the questions say, and the thread checks. */
function answersTo(questions: readonly Question[], given: Record<string, { answers: string[] }>): Record<string, unknown> {
  return Object.fromEntries(questions.filter(({ id }) => Object.hasOwn(given, id)).map(({ id, schema }) => [id, valueFor(schema, given[id]!.answers)]));
}

function valueFor({ type }: Record<string, unknown>, answers: readonly string[]): unknown {
  if (type === 'array') return answers;
  const text = answers[0] ?? '';
  return type === undefined || type === 'string' ? text : jsonIn(text);
}
