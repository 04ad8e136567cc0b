import { UserError } from '../../actors/errors.ts';
import { isRecord } from './record.ts';

/** The client of the `openai` package, or of one that behaves like it. */
export type OpenAIClient = import('openai').OpenAI;

export interface ClientOptions {
  apiKey?: string;
  baseURL?: string;
  organization?: string;
  project?: string;
  /** How often the client itself repeats a failed request; 2 unless given. */
  maxRetries?: number;
}

/** What the client answered with, and the provider's name for the exchange. */
export interface Answer {
  content: unknown;
  requestId?: string;
  /** The media type the server declared. */
  contentType?: string;
}

/** Loads the `openai` package: it is large, and an app that talks to another provider never needs it. */
export async function createClient(options: ClientOptions): Promise<OpenAIClient> {
  const baseURL = checked(options.baseURL ?? environment('OPENAI_BASE_URL'));
  const apiKey = options.apiKey ?? environment('OPENAI_API_KEY') ?? keyFor(baseURL);
  const { OpenAI } = await loadOpenAI();
  return new OpenAI({ ...options, apiKey, ...(baseURL && { baseURL }) });
}

export function environment(name: string): string | undefined {
  // Absent in browsers, which is where a client with a key has no place anyway.
  return globalThis.process?.env[name]?.trim() || undefined;
}

/**
 * A whole answer. It is read here and not by the client, which takes any text for what it expects and fails over it without
 * saying where. Clients made by hand answer with the plain content.
 */
export async function answerOf(pending: PromiseLike<unknown>): Promise<Answer> {
  if (!('asResponse' in pending) || typeof pending.asResponse !== 'function') {
    const content = await pending;
    return { content, requestId: idIn(content) };
  }
  const response: Response = await pending.asResponse();
  return { content: contentIn(await response.text(), response), ...headOf(response) };
}

/** A stream of events, as the client takes it apart. */
export async function streamOf(pending: PromiseLike<unknown>): Promise<Answer & { content: AsyncIterable<unknown> }> {
  if (!('withResponse' in pending) || typeof pending.withResponse !== 'function') {
    return { content: (await pending) as AsyncIterable<unknown> }; // With `stream: true` a client answers with a stream.
  }
  const { data, response } = await pending.withResponse();
  return { content: data, ...headOf(response) };
}

/** An answer that cannot be a stream of events, such as an error page. A server that declares nothing gets the benefit of the doubt. */
export function isNoStream(contentType: string | undefined): boolean {
  return contentType !== undefined && !contentType.includes('event-stream');
}

function checked(baseURL: string | undefined): string | undefined {
  if (baseURL === undefined) return undefined;
  if (!URL.canParse(baseURL)) throw new UserError('The base URL is no URL. It should look like http://127.0.0.1:11434/v1; check baseURL or OPENAI_BASE_URL.');
  const { username, password } = new URL(baseURL);
  if (username || password) throw new UserError('The base URL holds a user name or password, which cannot be sent that way. Use apiKey, or headers of an openAIClient of your own.');
  return baseURL;
}

/** Servers of one's own ask for no key, but the client insists on one. */
function keyFor(baseURL: string | undefined): string {
  if (baseURL && !baseURL.includes('api.openai.com')) return 'none';
  throw new UserError(
    'No API key for OpenAI. Set the environment variable OPENAI_API_KEY, call setDefaultOpenAIKey(key), or pass apiKey to OpenAIProvider. ' +
      'For a server of your own, set OPENAI_BASE_URL or pass baseURL.',
  );
}

async function loadOpenAI(): Promise<typeof import('openai')> {
  try {
    return await import('openai');
  } catch (error) {
    const missing = isRecord(error) && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND');
    if (!missing) throw error;
    throw new UserError('The package "openai" is not installed. Add it to your app: npm install openai', undefined, { cause: error });
  }
}

/** A server that does not even claim to send JSON sent something else, most likely a page; that is told from its text. */
function contentIn(text: string, response: Response): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError) || response.headers.get('content-type')?.includes('json')) throw error;
    return text;
  }
}

function headOf({ headers }: Response): Omit<Answer, 'content'> {
  return { requestId: headers.get('x-request-id') ?? undefined, contentType: headers.get('content-type') ?? undefined };
}

function idIn(content: unknown): string | undefined {
  return isRecord(content) && typeof content._request_id === 'string' ? content._request_id : undefined;
}
