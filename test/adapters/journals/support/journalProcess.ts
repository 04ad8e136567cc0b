/** A journal in another process: real contention, real deaths. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { JournalClaim } from '../../../../actors/journal.ts';

export type Order =
  | { type: 'open'; runId: string; at: number }
  | { type: 'append'; runId: string; epoch: number; position: number; names: string[] }
  | { type: 'release'; runId: string; epoch: number }
  | { type: 'fight'; runId: string; forMs: number }
  | { type: 'appendForEver'; runId: string };

/** What one process says of a fight: names that were acknowledged, by position, and names that were refused. */
export interface Fought { written: Record<number, string>; refused: string[]; claims: number }

interface Answer { value?: unknown; error?: string; message?: string }

export interface JournalProcess {
  child: ChildProcess;
  /** Claims at a given instant. @returns the claim, or the name of the error. */
  open(runId: string, at?: number): Promise<JournalClaim | string>;
  /** @returns the name of the error, if there was one. */
  append(runId: string, at: { epoch: number; position: number }, ...names: string[]): Promise<string | undefined>;
  release(runId: string, epoch: number): Promise<void>;
  fight(runId: string, forMs: number): Promise<Fought>;
  /** Begins to write, and tells each position that was acknowledged. */
  appendForEver(runId: string, onWritten: (position: number) => void): void;
  kill(): Promise<void>;
}

const worker = fileURLToPath(new URL('worker.ts', import.meta.url));

export async function journalProcess(kind: 'file' | 'sqlite', path: string, leaseMs = 30_000): Promise<JournalProcess> {
  const child = fork(worker, [kind, path, String(leaseMs)], { execArgv: ['--disable-warning=ExperimentalWarning'] });
  const ended = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  await once(child, 'message');
  const ask = async (order: Order): Promise<Answer> => {
    const answer = once(child, 'message');
    child.send(order);
    return (await answer)[0] as Answer;
  };
  return {
    child,
    async open(runId, at = 0) {
      const { value, error } = await ask({ type: 'open', runId, at });
      return error ?? (value as JournalClaim);
    },
    append: async (runId, at, ...names) => (await ask({ type: 'append', runId, ...at, names })).error,
    release: async (runId, epoch) => void (await ask({ type: 'release', runId, epoch })),
    async fight(runId, forMs) {
      const { value, error, message } = await ask({ type: 'fight', runId, forMs });
      if (error !== undefined) throw new Error(`${error}: ${message}`);
      return value as Fought;
    },
    appendForEver(runId, onWritten) {
      child.on('message', ({ written }: { written?: number }) => written !== undefined && onWritten(written));
      child.send({ type: 'appendForEver', runId } satisfies Order);
    },
    kill,
  };
}
