/** What a client sends as input, as items of the conversation. */
import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { AgentInputItem, UserContent } from '../../machines/protocol/item.ts';
import { RequestFault } from './fault.ts';
import { type UserInput, checkLength } from './requestSchemas.ts';

/** One message; none for no input. @throws RequestFault when it is too long, or an image cannot be read. */
export async function messagesIn(input: readonly UserInput[]): Promise<AgentInputItem[]> {
  checkLength(input);
  if (input.length === 0) return [];
  const [only] = input;
  if (input.length === 1 && only!.type === 'text') return [{ type: 'message', role: 'user', content: only!.text }];
  return [{ type: 'message', role: 'user', content: await Promise.all(input.map(contentOf)) }];
}

/** Under which the thread keeps an input, and gives it back with its events: carries what the client calls it, also over a restart. */
export const inputId = (clientId: string | undefined): string => (clientId === undefined ? `input:${randomUUID()}` : `client:${randomUUID()}:${clientId}`);

export function clientIdOf(id: string): string | null {
  return /^client:[\da-f-]{36}:(.*)$/s.exec(id)?.[1] ?? null;
}

async function contentOf(part: UserInput): Promise<UserContent> {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text };
    case 'image':
      return { type: 'input_image', image: part.url ?? { id: part.fileId! }, ...(part.detail && { detail: part.detail }) }; // the schema asks for one of the two
    case 'localImage':
      return { type: 'input_image', image: await imageAt(part.path), ...(part.detail && { detail: part.detail }) };
    case 'audio':
      return { type: 'audio', audio: part.url };
    case 'skill':
    case 'mention':
      return { type: 'input_text', text: `${part.type === 'skill' ? '$' : '@'}${part.name} (${part.path})` };
  }
}

const IMAGES: Readonly<Record<string, string>> = { '.png': 'image/png', '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.gif': 'image/gif', '.webp': 'image/webp' };
const MOST_BYTES = 20 * 2 ** 20;

async function imageAt(path: string): Promise<string> {
  const kind = IMAGES[extname(path).toLowerCase()];
  if (!kind) throw new RequestFault(`Invalid request: ${path} is no image: png, jpeg, gif and webp are.`);
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES) throw new RequestFault(`Invalid request: ${path} has ${size} bytes; an image may have ${MOST_BYTES}.`);
    return `data:${kind};base64,${await readFile(path, 'base64')}`;
  } catch (error) {
    if (error instanceof RequestFault) throw error;
    throw new RequestFault(`Invalid request: ${path} cannot be read: ${(error as Error).message}`); // as the file system throws
  }
}
