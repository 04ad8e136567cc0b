/** What holds of every thread, whatever was said to it: written down apart from the code that has to keep it. */
import type { ThreadEvent, ThreadLook } from 'loopchart/thread';

/** Said in words; nothing when all is well. @param look the thread as it was left. */
export function threadProblems(events: readonly ThreadEvent[], look: Pick<ThreadLook, 'queue' | 'mailbox' | 'activeRunId'>): string[] {
  return [
    ...oneAnswerEach(events),
    ...oneRunAtATime(events),
    ...queueInOrder(events, look),
    ...steersArrive(events, look),
    ...mailArrives(events, look),
    ...pausedUntilTold(events),
    ...stopsInOrder(events),
    ...nothingAfterInterrupt(events),
  ];
}

type Of<Type extends ThreadEvent['type']> = Extract<ThreadEvent, { type: Type }>;
type Answered = Of<'command.answered'>;

/** `<thread>/run.2` is a run of the thread; `<thread>/background.1`, and what is deeper, is none. */
const isRun = (path: string) => /^[^/]+\/run\.\d+$/.test(path);
const isOf = (path: string, run: string) => path === run || path.startsWith(`${run}/`);
const took = (event: ThreadEvent, ...commands: Answered['command'][]): event is Answered => event.type === 'command.answered' && event.answer.status === 'accepted' && commands.includes(event.command);

/** L1: each command is answered once. */
function oneAnswerEach(events: readonly ThreadEvent[]): string[] {
  const answered = new Set<string>();
  return events.flatMap((event) => (event.type === 'command.answered' && answered.size === answered.add(`${event.command} ${event.id}`).size ? [`L1: ${event.command} ${event.id} is answered twice`] : []));
}

/** M1. */
function oneRunAtATime(events: readonly ThreadEvent[]): string[] {
  const problems: string[] = [];
  let going: string | undefined;
  for (const { type, path } of events) {
    if (!isRun(path)) continue;
    if (type === 'run.started' && going !== undefined) problems.push(`M1: ${path} begins while ${going} is going`);
    if (type === 'run.started') going = path;
    if (type === 'run.settled' && going === path) going = undefined;
  }
  return problems;
}

/** M2, M3: of what is queued the entry in front becomes a run, once; all else waits or was taken out. */
function queueInOrder(events: readonly ThreadEvent[], { queue: left }: Pick<ThreadLook, 'queue'>): string[] {
  const problems: string[] = [];
  const begun = new Set<string>();
  let queue: readonly string[] = [];
  let removals = 0;
  for (const event of events) {
    if (event.type === 'input.accepted' && event.source?.kind === 'queue') {
      if (queue[0] !== event.source.id) problems.push(`M2: ${event.source.id} begins, and ${queue[0] ?? 'nothing'} stood in front`);
      if (begun.has(event.source.id)) problems.push(`M2: ${event.source.id} begins twice`);
      begun.add(event.source.id);
    }
    if (took(event, 'queue.remove')) removals -= 1;
    if (event.type !== 'queue.changed') continue;
    const now = event.queue.map(({ id }) => id);
    removals += queue.filter((id) => !now.includes(id) && !begun.has(id)).length;
    for (const id of now) if (begun.has(id)) problems.push(`M2: ${id} waits, and has begun`);
    queue = now;
  }
  if (removals !== 0) problems.push(`M2: ${removals} entries more left the queue than were taken out of it`);
  if (JSON.stringify(queue) !== JSON.stringify(left.map(({ id }) => id))) problems.push('M2: the queue is another than the one that was announced last');
  return problems;
}

/** L1, L3, L4, P2: what a run was told is delivered once, in its order, or it is said that it never will be; what a stopped run kept waits for the next. */
function steersArrive(events: readonly ThreadEvent[], { activeRunId }: Pick<ThreadLook, 'activeRunId'>): string[] {
  const problems: string[] = [];
  /** Accepted and not yet delivered, in order. */
  const waiting = new Map<string, number>();
  const over = new Set<string>();
  const lastAt = new Map<string, number>();
  let mayWait = true;
  const end = (id: string, what: string) => {
    if (over.has(id)) problems.push(`L3: ${id} is ${what}, and was delivered or given back before`);
    waiting.delete(id);
    over.add(id);
  };
  for (const [at, event] of events.entries()) {
    if (took(event, 'thread.steer') && !over.has(event.id)) waiting.set(event.id, at);
    if (event.type === 'input.delivered') {
      for (const id of event.ids) {
        const accepted = waiting.get(id);
        if (accepted !== undefined && accepted < (lastAt.get(event.path) ?? 0)) problems.push(`L4: ${id} is delivered behind what was said later`);
        if (accepted !== undefined) lastAt.set(event.path, accepted);
        if (accepted !== undefined || over.has(id)) end(id, 'delivered');
      }
    } else if (event.type === 'input.dropped') {
      for (const id of event.ids) if (waiting.has(id) || over.has(id)) end(id, 'dropped');
    } else if (event.type === 'thread.reverted') {
      for (const id of waiting.keys()) end(id, 'taken back');
    } else if (event.type === 'run.settled' && isRun(event.path)) {
      mayWait = event.outcome.status === 'stopped';
      if (!mayWait) for (const { id } of event.outcome.undelivered) if (waiting.has(id)) problems.push(`L1: ${id} was not delivered by ${event.path}, and nobody was told`);
      const kept = new Set(event.outcome.undelivered.map(({ id }) => id));
      for (const id of waiting.keys()) if (!kept.has(id)) problems.push(`L3: ${id} is lost with ${event.path}`);
      if (!mayWait) waiting.clear();
    }
  }
  if (activeRunId === undefined && !mayWait) for (const id of waiting.keys()) problems.push(`L3: ${id} waits, and no run is going`);
  return problems;
}

/** M4, E6: mail is read once, or a guardrail has refused it, or it is in the mailbox, or with the run that is going. */
function mailArrives(events: readonly ThreadEvent[], { mailbox, activeRunId }: Pick<ThreadLook, 'mailbox' | 'activeRunId'>): string[] {
  const read = new Map<string, number>();
  const mail: string[] = [];
  for (const event of events) {
    if (took(event, 'thread.mail')) mail.push(event.id);
    const isRead = event.type === 'input.delivered' || (event.type === 'input.accepted' && event.source?.kind === 'mail');
    const isRefused = event.type === 'input.dropped' && event.reason === 'guardrail';
    if (isRead || isRefused) for (const id of event.ids) read.set(id, (read.get(id) ?? 0) + 1);
  }
  return mail.flatMap((id) => {
    const places = (read.get(id) ?? 0) + mailbox.filter((one) => one.id === id).length;
    return places === 1 || (places === 0 && activeRunId !== undefined) ? [] : [`M4: the mail ${id} is in ${places} places`];
  });
}

/** M3, M4: after anything but a completed run, queue, mail and goal wait for a word. */
function pausedUntilTold(events: readonly ThreadEvent[]): string[] {
  const problems: string[] = [];
  let isHeld = false;
  for (const event of events) {
    if (event.type === 'run.settled' && isRun(event.path)) isHeld = event.outcome.status !== 'completed';
    if (took(event, 'queue.resume')) isHeld = false;
    if (event.type !== 'input.accepted' || !event.source) continue;
    if (isHeld && event.source.kind !== 'command') problems.push(`M3: ${event.path} begins from the ${event.source.kind}, and nobody has said go on`);
    isHeld = false;
  }
  return problems;
}

/** J2: approvals resolved, items at their end, run settled, thread at rest. */
function stopsInOrder(events: readonly ThreadEvent[]): string[] {
  return events.flatMap((event, at) => {
    if (event.type !== 'run.settled' || event.outcome.status !== 'interrupted' || !isRun(event.path)) return [];
    const before = events.slice(0, at).filter(({ path }) => isOf(path, event.path));
    const withdrawn = before.findLastIndex((one) => one.type === 'approval.resolved' && one.decision === 'withdrawn');
    const aborted = before.findIndex((one) => one.type === 'item.completed' && one.status === 'aborted' && one.cause === before[withdrawn]?.cause); // a guardrail may have ended others before
    const open = new Set(before.flatMap((one) => (one.type === 'approval.requested' ? [one.id] : [])));
    for (const one of before) if (one.type === 'approval.resolved') open.delete(one.id);
    const next = events.slice(at + 1).find((one) => one.type === 'thread.changed' || one.type === 'input.accepted');
    return [
      ...(withdrawn > aborted && aborted >= 0 ? [`J2: in ${event.path} a call ended before the approvals were resolved`] : []),
      ...(open.size > 0 ? [`J2: ${event.path} settled while ${[...open].join(', ')} were open`] : []),
      ...(next ? [] : [`J2: ${event.path} settled, and the thread did not come to rest`]),
    ];
  });
}

const BEGINNINGS = ['agent.started', 'turn.started', 'tool.started', 'approval.requested'] as const satisfies ThreadEvent['type'][];

/** J4: nothing of a run begins when its interrupt has been answered. */
function nothingAfterInterrupt(events: readonly ThreadEvent[]): string[] {
  const interrupted = new Set<string>();
  return events.flatMap((event) => {
    if (took(event, 'thread.interrupt', 'thread.revert', 'thread.close') && 'runId' in event.answer && event.answer.runId !== undefined) interrupted.add(event.answer.runId);
    if (!(BEGINNINGS as readonly string[]).includes(event.type)) return [];
    return [...interrupted].filter((run) => isOf(event.path, run)).map((run) => `J4: ${event.type} of ${event.path} after the interrupt of ${run}`);
  });
}
