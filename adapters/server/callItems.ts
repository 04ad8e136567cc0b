/** Calls of the turn that is going: known from the model's answer, begun when they are at work or wait, ended once. */
import type { ErrorRecord } from '../../machines/protocol/failure.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { CallItem, CallStatus } from './shapes.ts';
import { callItem, endedCall } from './toItem.ts';

interface Known { item: CallItem; startedAt: number | undefined }

export class CallItems {
  readonly #cwd: string;
  readonly #known = new Map<string, Known>();
  readonly #failed = new Set<string>();

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  know(id: string, agent: string, item: AgentInputItem): void {
    if (this.#known.has(id)) return;
    const call = callItem({ id, agent, cwd: this.#cwd }, item);
    if (call) this.#known.set(id, { item: call, startedAt: undefined });
  }

  /** Nothing for a call that has begun, or is not known. */
  start(id: string, at: number): CallItem | undefined {
    const known = this.#known.get(id);
    if (!known || known.startedAt !== undefined) return undefined;
    known.startedAt = at;
    return known.item;
  }

  kindOf(id: string): CallItem['type'] | undefined {
    return this.#known.get(id)?.item.type;
  }

  fail(id: string): void {
    this.#failed.add(id);
  }

  end(id: string, { status, at, result, error }: { status: CallStatus; result: AgentInputItem | null; error?: ErrorRecord; at: number }): CallItem | undefined {
    const known = this.#known.get(id);
    if (!known) return undefined;
    this.#known.delete(id);
    const told = this.#failed.delete(id) ? 'failed' : status;
    return endedCall(known.item, { status: told, result, error, durationMs: known.startedAt === undefined ? null : at - known.startedAt });
  }

  /** Those that have begun and not ended; from now on unknown. */
  open(): CallItem[] {
    const open = [...this.#known.values()].filter(({ startedAt }) => startedAt !== undefined).map(({ item }) => item);
    this.#known.clear();
    return open;
  }
}
