/** What one thread has told, as far as it is needed to say whether anything was lost: small, since there are a thousand of them. */
import type { AgentInputItem } from '../../index.ts';
import type { Thread, ThreadEvent } from '../../actors/thread/types.ts';

const KEPT = new Set<ThreadEvent['type']>(['command.answered', 'input.accepted', 'input.delivered', 'input.dropped', 'queue.changed', 'run.started', 'run.settled', 'thread.changed', 'turn.started', 'tool.started', 'approval.requested', 'approval.resolved']);

export class Witness {
  readonly events: ThreadEvent[] = [];
  readonly #ended: (status: string) => void;
  /** Inputs that a run of their own was promised. */
  readonly #promised: string[] = [];
  #rested: (() => void) | undefined;

  constructor(ended: (status: string) => void) {
    this.#ended = ended;
  }

  accepted(id: string, name: string): void {
    if (name === 'run' || name === 'replace' || name === 'queue') this.#promised.push(id);
  }

  readonly hear = (event: ThreadEvent): void => {
    if (KEPT.has(event.type)) this.events.push(brief(event));
    if (event.type === 'run.settled') this.#ended(event.outcome.status);
    if (event.type === 'thread.changed') this.#rested?.();
    if (event.type === 'approval.requested') this.#rested?.();
  };

  /** Answers whatever is asked until the thread rests. */
  async atRest(thread: Thread): Promise<void> {
    while (thread.state === 'active') {
      for (const call of thread.interruptions) await thread.approve(call).catch(() => undefined); // decided or over by now
      if (thread.state === 'active') await new Promise<void>((resolve) => { this.#rested = resolve; });
      await Promise.resolve();
    }
  }

  /** Every input that was promised a run has had one, exactly one. */
  missing({ look }: Thread): string[] {
    const begun = this.events.flatMap((event) => (event.type === 'input.accepted' && event.source ? event.ids : []));
    const places = (id: string) => begun.filter((one) => one === id).length;
    return [
      ...this.#promised.filter((id) => places(id) !== 1).map((id) => `M2: ${id} was promised a run and had ${places(id)}`),
      ...(look.queue.length > 0 ? [`M2: the queue still holds ${look.queue.length}`] : []),
    ];
  }
}

const NO_ITEMS: AgentInputItem[] = [];

/** Without what is said: who, what, which. */
function brief(event: ThreadEvent): ThreadEvent {
  const { number, at, cause, type, path, agent } = event;
  const place = { number, at, cause, type, path, agent };
  switch (event.type) {
    case 'queue.changed':
      return { ...place, queue: event.queue.map(({ id }) => ({ id, input: NO_ITEMS })) } as ThreadEvent;
    case 'run.settled':
      return { ...place, outcome: { status: event.outcome.status, undelivered: event.outcome.undelivered.map(({ id }) => ({ id })) } } as unknown as ThreadEvent; // what is looked at
    case 'input.accepted':
      return { ...place, ids: event.ids, ...(event.source && { source: event.source }), items: NO_ITEMS } as ThreadEvent;
    case 'input.delivered':
    case 'input.dropped':
      return { ...place, ids: event.ids, items: NO_ITEMS, ...('reason' in event ? { reason: event.reason } : { turn: event.turn }) } as ThreadEvent;
    case 'command.answered':
      return event;
    case 'approval.resolved':
      return { ...place, id: event.id, decision: event.decision } as unknown as ThreadEvent; // as above
    case 'approval.requested':
      return { ...place, id: event.id } as unknown as ThreadEvent; // as above
    default:
      return place as unknown as ThreadEvent; // as above
  }
}
