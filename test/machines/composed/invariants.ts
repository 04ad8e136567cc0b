import type { ScreenVerdict } from '../../../machines/pendingInput.ts';
import type { CompactorInput } from '../../../machines/compaction.ts';
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import type { ModelInput } from '../../../machines/turn.ts';
import type { RunEvent } from '../../../actors/runView.ts';
import type { Scenario } from './scenarios.ts';
import { turnOf } from './scenarios.ts';
import { type World, RUN_ID } from './world.ts';

/** What may never be true of a state, by the rule that forbids it. */
export function complaintsAbout(world: World, scenario: Scenario): string[] {
  return [
    ...crashed(world),
    ...badRequests(world),
    ...unapprovedBodies(world),
    ...repeatedBodies(world),
    ...tooManyTurns(world, scenario),
    ...wrongWord(world),
    ...(world.isSettled ? badEnd(world) : dead(world)),
  ];
}

/** What a step may never do: begin anything new once the interrupt was acknowledged (J4). */
export function complaintsAboutStep(world: World, before: { begun: number; wasInterrupted: boolean }): string[] {
  const fresh = world.begun.slice(before.begun).filter(({ src }) => !ALLOWED_WHILE_STOPPING.includes(src));
  const isInterrupted = before.wasInterrupted || world.host.entries.at(-1)?.type === 'command' && world.host.cause === 'interrupt';
  return isInterrupted ? fresh.map(({ id }) => `J4: ${id} began after the interrupt`) : [];
}

/** The save of what there is; and hooks that hear of an end that had been reached before the interrupt. */
const ALLOWED_WHILE_STOPPING = ['session', 'agentEnd', 'runError'];

/** G3, written anew: one result for each call, in call order, all calls first, no other item between. */
export function disorderIn(items: readonly AgentInputItem[]): string | undefined {
  let open: string[] = [];
  let answering = false;
  for (const item of items) {
    if (item.type === 'function_call') {
      if (answering && open.length > 0) return `a call follows before ${open.join(', ')} had a result`;
      answering = false;
      open.push(item.callId);
    } else if (item.type === 'function_call_result') {
      if (open[0] !== item.callId) return `the result of ${item.callId} comes where ${open[0] ?? 'none'} is due`;
      answering = true;
      open = open.slice(1);
    } else if (open.length > 0) return `${open.join(', ')} has no result before the next item`;
  }
  return open.length > 0 ? `${open.join(', ')} has no result` : undefined;
}

export function crashed({ host }: World): string[] {
  return host.crash ? [`the run crashed: ${String(host.crash.error)}`] : [];
}

export function badRequests({ begun }: World): string[] {
  return begun.flatMap(({ src, id, input }) => {
    const asked = src === 'model' ? (input as ModelInput).history.toArray() : src === 'compactor' ? (input as CompactorInput).items : [];
    const disorder = disorderIn(asked);
    return disorder ? [`G3, C3, N2: ${id} is asked with a history in which ${disorder}`] : [];
  });
}

export function unapprovedBodies({ begun, host }: World): string[] {
  const approved = new Set(host.entries.flatMap((entry) => (entry.type === 'decide' && entry.decision.decision === 'approve' ? [pathOf(entry.id)] : [])));
  return begun.filter(({ src, input, id }) => src === 'execute' && input.call.tool.approval === 'always' && !approved.has(pathOf(id))).map(({ id }) => `D6: ${id} began without approval`);
}

/** O3: what may have had a harmful effect begins again only when a person says so, or the tool has found that nothing happened. */
export function repeatedBodies({ host }: World): string[] {
  const may = new Map<string, number>();
  const complaints: string[] = [];
  for (const entry of host.entries) {
    if (!('id' in entry)) continue;
    const path = pathOf(entry.id);
    const again = entry.type === 'decide' ? entry.id.includes('/uncertain#') && entry.decision.decision === 'approve' : entry.type === 'effect.done' && entry.id.includes('/reconcile#') && entry.outcome.status === 'ok' && (entry.outcome.value as { happened: unknown }).happened === false;
    const hasAsked = entry.type === 'effect.done' && entry.outcome.status === 'asks'; // it has done nothing (D9)
    if (again || hasAsked) may.set(path, (may.get(path) ?? 1) + 1);
    if (entry.type !== 'effect.started' || !entry.id.includes('/execute#')) continue;
    const left = may.get(path) ?? 1;
    if (left < 1) complaints.push(`O3: ${entry.id} began once more, and nobody had said so`);
    may.set(path, left - 1);
  }
  return complaints;
}

function tooManyTurns({ begun }: World, { input }: Scenario): string[] {
  const { maxTurns } = input.prepared!;
  return begun.filter((effect) => effect.src === 'model' && maxTurns !== null && turnOf(effect) > maxTurns + (effect.input.isFinal ? 1 : 0)).map(({ id }) => `B1: ${id} began beyond ${maxTurns} turns`);
}

function wrongWord({ host, open, timers, isSettled }: World): string[] {
  if (isSettled || host.crash) return [];
  const onlyPersons = host.openDecisions.length > 0 && open.length === 0 && timers.length === 0;
  const isWaiting = host.value === 'awaitingApproval';
  return isWaiting === onlyPersons ? [] : [`D1: the run ${isWaiting ? 'awaits' : 'does not await'} approval, ${host.openDecisions.length} persons and ${open.length} effects are open`];
}

function dead({ host, open, timers }: World): string[] {
  return host.crash || open.length + timers.length + host.openDecisions.length > 0 ? [] : ['nothing is under way and the run has not settled'];
}

function badEnd(world: World): string[] {
  const outcome = world.host.outcome!;
  const complaints: string[] = [];
  const disorder = disorderIn(outcome.history);
  if (disorder) complaints.push(`G3: at the end, ${disorder}`);
  if (world.open.length + world.host.openDecisions.length + world.timers.length > 0) complaints.push('J4: something is under way after the end');
  for (const type of ['steer', 'mail'] as const) {
    const id = `${type}ed`;
    const wasTold = world.host.entries.some((entry) => entry.type === 'command' && entry.command.type === type);
    const delivered = outcome.generated.filter(({ inputId }) => inputId === id).length;
    const places = delivered + outcome.undelivered.filter((input) => input.id === id).length + dropped(world, id);
    if (places !== (wasTold ? 1 : 0)) complaints.push(`L3, E6: the ${type} is in ${places} places`);
  }
  if ((outcome.failure !== undefined) !== (outcome.status === 'failed')) complaints.push('P1: failed and a failure do not go together');
  return complaints;
}

/** How often a guardrail tripped on input that wanted to join. */
const dropped = ({ host }: World, id: string) =>
  host.entries.filter((entry) => entry.type === 'effect.done' && entry.id.includes('/inputScreen.') && entry.outcome.status === 'ok' && (entry.outcome.value as { verdicts: ScreenVerdict[] }).verdicts.some((verdict) => verdict.id === id && verdict.tripwireTriggered)).length;

/** What may never be true of the events that a watcher has seen. */
export function complaintsAboutEvents({ events, isSettled }: World): string[] {
  return [...badEvents(events, isSettled), ...badApprovals(events), ...(isSettled ? badReceipts(events) : [])];
}

/** L1: input that was accepted is delivered or dropped, once. */
function badReceipts(events: readonly RunEvent[]): string[] {
  const idsOf = (...types: RunEvent['type'][]) => events.flatMap((event) => ('ids' in event && types.includes(event.type) ? event.ids : [])).filter((id) => id.endsWith('ed'));
  const [told, ended] = [idsOf('input.accepted').sort().join(), idsOf('input.delivered', 'input.dropped').sort().join()];
  return told === ended ? [] : [`L1: of what was accepted (${told}) the ends are ${ended}`];
}

/** J2: approvals are resolved once, and before the call that asked ends; only a stop leaves one open, to be asked again. */
export function badApprovals(events: readonly RunEvent[]): string[] {
  const complaints: string[] = [];
  const open = new Set<string>();
  for (const event of events) {
    if (event.type === 'approval.requested') open.add(event.id);
    if (event.type === 'approval.resolved' && !open.delete(event.id)) complaints.push(`J2: ${event.id} is resolved twice, or was never asked`);
    if (event.type === 'item.completed' && event.status !== 'suspended' && event.status !== 'failed' && [...open].some((id) => pathOf(id) === event.id)) complaints.push(`J2: ${event.id} ended before its approval was resolved`);
    if (event.type === 'run.settled' && event.outcome.status === 'interrupted') for (const id of open) if (id.startsWith(`${event.path}/`)) complaints.push(`J2: ${id} is open when the run was interrupted`);
  }
  return complaints;
}

/** I2: every item that started ends once, before its turn settles; nothing follows the end of a run, nested or not. */
function badEvents(events: readonly RunEvent[], isSettled: boolean): string[] {
  const complaints: string[] = [];
  const open = new Map<string, string>();
  const ended = new Set<string>();
  const settled: string[] = [];
  events.forEach((event, at) => {
    if (event.number !== at + 1) complaints.push(`I1: event ${at + 1} has the number ${event.number}`);
    if (event.type === 'item.started') open.set(event.id, event.path);
    if (event.type === 'item.completed') {
      if (!open.delete(event.id) || ended.has(event.id)) complaints.push(`I2: ${event.id} ended without having started, or twice`);
      ended.add(event.id);
    }
    if (event.type === 'turn.settled') for (const [id, path] of open) if (path === event.path) complaints.push(`I2: ${id} is open when its turn settles`);
    const over = event.type !== 'tool.late' && settled.find((path) => event.path === path || event.path.startsWith(`${path}/`));
    if (over) complaints.push(`I2: ${event.type} of ${event.path} follows the end of ${over}`);
    if (event.type === 'run.settled') settled.push(event.path);
  });
  if (isSettled !== settled.includes(RUN_ID)) complaints.push('I2: the end of the run is not announced when it is reached');
  if (isSettled && open.size > 0) complaints.push(`I2: ${[...open.keys()].join(', ')} never ended`);
  return complaints;
}

const pathOf = (effectId: string) => effectId.slice(0, effectId.lastIndexOf('/'));
