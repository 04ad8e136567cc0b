/** What every provider of this process falls back to. The last call wins; a provider reads them when it is first asked for a model. */
import type { OpenAIClient } from './client.ts';

let defaultKey: string | undefined;
let defaultClient: OpenAIClient | undefined;
let defaultAPI: 'chat_completions' | 'responses' = 'responses';

/** The key of every provider that is given neither a key nor a client; wins over `OPENAI_API_KEY`. */
export function setDefaultOpenAIKey(key: string): void {
  defaultKey = key;
}

export function getDefaultOpenAIKey(): string | undefined {
  return defaultKey;
}

/** The client of every provider that is given no key, address or client of its own. */
export function setDefaultOpenAIClient(client: OpenAIClient): void {
  defaultClient = client;
}

/** The client that was set with `setDefaultOpenAIClient()`, if any. */
export function getDefaultOpenAIClient<Client extends OpenAIClient = OpenAIClient>(): Client | undefined {
  return defaultClient as Client | undefined; // The caller knows what it has set.
}

/**
 * Which API providers use unless told by `useResponses`. Servers that speak OpenAI's protocol mostly know `chat_completions` only.
 *
 * @example
 * ```ts
 * import { setOpenAIAPI } from 'loopchart/openai';
 *
 * setOpenAIAPI('chat_completions');
 * ```
 */
export function setOpenAIAPI(value: 'chat_completions' | 'responses'): void {
  defaultAPI = value;
}

export function usesResponsesByDefault(): boolean {
  return defaultAPI === 'responses';
}
