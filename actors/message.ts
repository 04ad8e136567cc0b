/** Short ways to write messages. */
import type {
  AssistantContent,
  AssistantMessageItem,
  SystemMessageItem,
  UserContent,
  UserMessageItem,
} from '../machines/protocol/item.ts';

/** Passed to the provider as it is; becomes the item's `providerData`. */
type MessageOptions = Record<string, any>;

/**
 * A message of the user.
 *
 * @example
 * ```ts
 * import { user } from 'loopchart';
 *
 * console.log(user('Hello').content); // [ { type: 'input_text', text: 'Hello' } ]
 * ```
 */
export function user(input: string | UserContent[], options?: MessageOptions): UserMessageItem {
  const content: UserContent[] = typeof input === 'string' ? [{ type: 'input_text', text: input }] : input;
  return { type: 'message', role: 'user', content, ...provider(options) };
}

/** An instruction that stands in the history, beside the agent's own instructions. */
export function system(input: string, options?: MessageOptions): SystemMessageItem {
  return { type: 'message', role: 'system', content: input, ...provider(options) };
}

/** A message of the assistant, complete; for examples and for histories written elsewhere. */
export function assistant(content: string | AssistantContent[], options?: MessageOptions): AssistantMessageItem {
  const parts: AssistantContent[] = typeof content === 'string' ? [{ type: 'output_text', text: content }] : content;
  return { type: 'message', role: 'assistant', status: 'completed', content: parts, ...provider(options) };
}

function provider(options: MessageOptions | undefined): { providerData?: MessageOptions } {
  return options === undefined ? {} : { providerData: options };
}
