/** One file a run: names that every file system keeps apart, whatever the id is. */
import { createHash } from 'node:crypto';

export const EXTENSION = '.jsonl';

/** Names that Windows keeps for devices. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)$/;

/** The id itself where it is plain; else what of it is, and a hash, because some file systems know no case, no colon or no long names. */
export function fileNameOf(runId: string): string {
  if (/^[a-z0-9_-]{1,100}$/.test(runId) && !RESERVED.test(runId)) return runId + EXTENSION;
  const hash = createHash('sha256').update(JSON.stringify(runId)).digest('hex').slice(0, 32); // JSON tells halves of surrogate pairs apart
  return `${runId.toLowerCase().replace(/[^a-z0-9_-]+/g, '-').slice(0, 60)}~${hash}${EXTENSION}`;
}
