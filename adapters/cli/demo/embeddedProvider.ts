/** A provider on this machine: real HTTP and SSE in OpenAI's protocol, with answers from a script instead of a model. */
import { INTERRUPTED_NOTICE } from '../../../machines/history.ts';
import { CliError } from '../exit.ts';
import type { Answer, Question } from './script.ts';

export type Answering = (question: Question) => Answer;
export interface EmbeddedProvider { url: string; stop(): Promise<void> }

/**
 * Listens on a free port of loopback.
 * @throws CliError when `@copilotkit/aimock`, which speaks the protocol, is not installed.
 */
export async function startEmbeddedProvider({ answer, atHumanSpeed }: { answer: Answering; atHumanSpeed: boolean }): Promise<EmbeddedProvider> {
  const { LLMock } = await loadMock();
  const server = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 6, journalMaxEntries: 1 });
  const pace = atHumanSpeed ? { streamingProfile: { ttft: 500, tps: 30, jitter: 0.3 } } : {};
  server.on({ endpoint: 'chat' }, (request) => withUsage(answer(questionOf(request.messages, request.tools)), request.messages), pace);
  await server.start();
  return { url: `${server.url}/v1`, stop: () => server.stop() };
}

async function loadMock(): Promise<typeof import('@copilotkit/aimock')> {
  try {
    return await import('@copilotkit/aimock');
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CliError('The built-in provider needs the package "@copilotkit/aimock", which is not installed. Run npm install @copilotkit/aimock, or set OPENAI_API_KEY or OPENAI_BASE_URL to talk to a real model.', { cause: error });
  }
}

interface WireMessage { role: string; content: unknown; tool_calls?: { id: string; function: { name: string } }[]; tool_call_id?: string }
interface WireTool { function?: { name?: string } }

/** What has not been answered yet: messages that came while the agent was at work belong to what it is at work on. */
function questionOf(messages: readonly WireMessage[], tools: readonly WireTool[] = []): Question {
  const open = messages.slice(messages.findLastIndex((message, at) => isAnswer(message, messages[at + 1]) || textOf(message.content) === INTERRUPTED_NOTICE) + 1);
  const last = open.findLastIndex(({ role }) => role === 'user');
  const names = new Map(open.flatMap(({ tool_calls: calls = [] }) => calls.map((call) => [call.id, call.function.name] as const)));
  const resultsIn = (some: readonly WireMessage[]) => some.filter(({ role }) => role === 'tool').map((message) => ({ name: names.get(message.tool_call_id ?? '') ?? '', text: textOf(message.content) }));
  const earlier = open.slice(0, Math.max(0, last));
  return {
    text: textOf(open[last]?.content),
    results: resultsIn(open.slice(last + 1)),
    before: { texts: earlier.filter(({ role }) => role === 'user').map(({ content }) => textOf(content)), results: resultsIn(earlier) },
    tools: tools.map((tool) => tool.function?.name ?? '').filter((name) => name !== ''),
  };
}

/** Text beside a call may be a message of its own, and is no answer. */
const isAnswer = (message: WireMessage, next: WireMessage | undefined) => message.role === 'assistant' && !calls(message) && !(next?.role === 'assistant' && calls(next));
const calls = ({ tool_calls: made = [] }: WireMessage) => made.length > 0;

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: unknown }) => (typeof part.text === 'string' ? part.text : '')).join('');
}

/** Nobody counts tokens here; four letters are about one. */
function withUsage({ content, calls }: Answer, messages: readonly WireMessage[]) {
  const toolCalls = calls?.map(({ name, input }) => ({ name, arguments: input }));
  const usage = { prompt_tokens: tokensIn(JSON.stringify(messages)), completion_tokens: tokensIn(`${content ?? ''}${JSON.stringify(calls ?? '')}`) };
  if (!toolCalls) return { content: content ?? '', usage };
  return content === undefined ? { toolCalls, usage } : { content, toolCalls, usage };
}

const tokensIn = (text: string) => Math.ceil(text.length / 4);
