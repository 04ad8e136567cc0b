/** What was really done, in any process: kept outside of all of them, and held against the journal. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { MemoryJournal, RunToolApprovalItem } from 'loopchart';
import { Effects } from '../../../actors/effects/index.ts';
import type { EffectIo } from '../../../actors/host.ts';
import type { Call, CallResult } from '../../../machines/protocol/call.ts';
import type { JournalEntry, RecordedOutcome } from '../../../machines/protocol/journal.ts';
import { type Life, lifeOf } from './life.ts';

/** One execution of an effect. */
export interface Deed {
  id: string;
  src: string;
  life: Life;
  agent?: string;
  call?: Call;
  key?: string;
  /** What it brought; absent while it is at work, or when a bug ended it. */
  outcome?: RecordedOutcome;
  isOver: boolean;
}

/** The effect in whose name something is asked of the world. */
const present = new AsyncLocalStorage<Deed>();
export const presentDeed = (): Deed | undefined => present.getStore();

const ledgers = new WeakMap<Life, Ledger>();

/** Between a host and the app: the one place through which every effect of every process goes. */
const run = Effects.prototype.run;
Effects.prototype.run = function (src, input, io) {
  const life = lifeOf(io.clock);
  const go = () => run.call(this, src, input, io);
  return life ? ledgers.get(life)!.keep({ src, input, io, life }, go) : go();
};

interface Beginning { src: string; input: { agent?: string; call?: Call; key?: string; nested?: unknown; input?: { delegatedBy?: Call } }; io: EffectIo; life: Life }

export class Ledger {
  readonly deeds: Deed[] = [];
  /** What must not have been done. */
  readonly complaints: string[] = [];
  readonly #store: MemoryJournal;
  /** Runs that go on from others, by their ids. */
  readonly #origins = new Map<string, string>();
  /** Nested runs, by the calls that they are the bodies of. */
  readonly #begun = new Set<string>();

  constructor(store: MemoryJournal) {
    this.#store = store;
  }

  watch(life: Life): void {
    ledgers.set(life, this);
  }

  goesOn(runId: string, from: string): void {
    if (runId !== from) this.#origins.set(runId, from);
  }

  #root(runId: string): string {
    const from = this.#origins.get(runId);
    return from === undefined ? runId : this.#root(from);
  }

  keep({ src, input, io, life }: Beginning, go: () => RecordedOutcome | Promise<RecordedOutcome>): RecordedOutcome | Promise<RecordedOutcome> {
    const deed: Deed = { id: io.effectId, src, life, agent: input.agent, call: input.call, key: input.key, isOver: false };
    if (!life.isOver) this.#examine(deed, input);
    this.deeds.push(deed);
    return present.run(deed, () => {
      const outcome = go();
      if (outcome instanceof Promise) outcome.then((value) => end(deed, value), () => end(deed));
      else end(deed, outcome);
      return outcome;
    });
  }

  /** A body that was at work when its process died, and had done nothing by the time that somebody looked: it never will. */
  isGone(deed: Deed): void {
    this.deeds.splice(this.deeds.indexOf(deed), 1);
  }

  /** The last execution of an effect. */
  find(id: string): Deed | undefined {
    return this.deeds.findLast((deed) => deed.id === id);
  }

  /** The last time that the body of a call ran, in whatever run: by what the call itself says. */
  ofCall({ rawItem, agent }: RunToolApprovalItem): Deed | undefined {
    const callId = 'callId' in rawItem ? rawItem.callId : undefined;
    return this.deeds.findLast((deed) => deed.src === 'execute' && deed.call?.callId === callId && deed.call?.name === ('name' in rawItem ? rawItem.name : deed.call?.name) && deed.agent === agent.name);
  }

  #examine(deed: Deed, input: Beginning['input']): void {
    const { id, src } = deed;
    const entries = this.#store.read(runOf(id));
    if (deed.life.isSuperseded && mayHaveWaited(deed)) return; // asked for while it had the run, and harmless
    if (deed.life.isThawed) this.complaints.push(`O4: ${id} begins in a process that has lost the run`);
    if (src === 'execute' && !input.nested && isHarmful(deed.call!) && !isStarted(entries, id)) this.complaints.push(`O3: the body of ${id} begins, and that is not written`);
    if (isEnded(entries, id)) this.complaints.push(`O2: ${id} is recorded as ended, and runs again`);
    const before = this.find(id);
    if (src === 'execute' && !input.nested && before && isHarmful(deed.call!)) this.complaints.push(`O3: the body of ${id} runs twice`);
    if (before && before.key !== deed.key) this.complaints.push(`C8: ${id} has another idempotency key now`);
    const path = src === 'execute' && !input.nested ? pathOf(id) : src === 'prepare' && input.input?.delegatedBy ? pathOf(pathOf(id)) : undefined;
    const call = input.call ?? input.input?.delegatedBy;
    if (path !== undefined && call && !this.#mayRun(entries, path, { src, call })) this.complaints.push(`D6: ${path} runs without approval`);
  }

  /** A nested run that goes on in another run has been allowed when it began. */
  #mayRun(entries: readonly JournalEntry[], path: string, { src, call }: { src: string; call: Call }): boolean {
    const nested = src === 'prepare' ? `${call.name} ${call.callId}` : undefined;
    if (nested !== undefined && this.#begun.has(nested)) return true;
    const isAllowed = mayRun(entries, path, call);
    if (nested !== undefined && isAllowed) this.#begun.add(nested);
    return isAllowed;
  }

  /** Bodies that must not be repeated had their effect at most once, whatever their processes went through. */
  problems(): string[] {
    const done = new Map<string, string[]>();
    for (const { id, src, agent, call, outcome } of this.deeds) {
      if (src !== 'execute' || !call || !isHarmful(call) || !hasHappened(outcome)) continue;
      const key = `${this.#root(runOf(id))}: ${agent} ${call.name} ${call.callId}`;
      done.set(key, [...(done.get(key) ?? []), id]);
    }
    return [...this.complaints, ...[...done].filter(([, ids]) => isRepeated(ids)).map(([key, ids]) => `O3: ${key} had its effect ${ids.length} times: ${ids.join(', ')}`)];
  }
}

function end(deed: Deed, outcome?: RecordedOutcome): void {
  deed.outcome = outcome;
  deed.isOver = true;
}

/** In one run twice under one path, or in two runs of which one goes on from the other. A model may well give an id twice (C5). */
function isRepeated(ids: string[]): boolean {
  const runs = new Set(ids.map(runOf));
  return runs.size > 1 || new Set(ids.map(pathOf)).size < ids.length;
}

/** The body came to its end without an error: what it does was done. */
export const hasHappened = (outcome: RecordedOutcome | undefined): boolean =>
  outcome?.status === 'ok' && (outcome.value as CallResult).error === undefined; // only asked of bodies
/** A body waits for its lane, a run of a thread for bodies of the run before. */
const mayHaveWaited = ({ src, call }: Deed): boolean => src === 'prepare' || (src === 'execute' && !isHarmful(call!));
export const isHarmful = ({ tool }: Call): boolean => tool.effect === 'irreversible' || tool.effect === 'reconcilable';
const runOf = (id: string): string => id.slice(0, id.indexOf('/'));
export const pathOf = (id: string): string => id.slice(0, id.lastIndexOf('/'));

const isStarted = (entries: readonly JournalEntry[], id: string) => entries.some((entry) => entry.type === 'effect.started' && entry.id === id);
const isEnded = (entries: readonly JournalEntry[], id: string) => entries.some((entry) => (entry.type === 'effect.done' || entry.type === 'effect.failed') && entry.id === id);

/** A person said yes, or the tool itself did not ask for one (D6). */
function mayRun(entries: readonly JournalEntry[], path: string, { tool }: Call): boolean {
  if (tool.approval === 'never') return true;
  return entries.some((entry) => {
    if (entry.type === 'decide') return entry.decision.decision === 'approve' && (entry.id === `${path}/approval#1` || entry.id.startsWith(`${path}/uncertain#`));
    if (entry.type !== 'effect.done' || entry.id !== `${path}/approvalPolicy#1` || entry.outcome.status !== 'ok') return false;
    return (entry.outcome.value as { approval: string }).approval === 'granted'; // as recorded by the effect
  });
}
