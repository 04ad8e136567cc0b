/** All that servers have said in tests, to be held against the schema of the protocol (see schema.test.ts). */
import { appendFileSync } from 'node:fs';
import type { Message } from './client.ts';

/** A file of lines of JSON: test files run in processes of their own. */
const FILE = process.env.LOOPCHART_SERVER_RECORD;

/** @param method of the request that a reply is to. */
export function record(message: Message, method: string | undefined): void {
  if (FILE === undefined) return;
  appendFileSync(FILE, `${JSON.stringify({ message, ...(method !== undefined && { method }) })}\n`);
}
