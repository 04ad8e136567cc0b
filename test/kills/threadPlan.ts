/** What the threads of a world are told, and when: drawn from the seed of the world, as its runs are. */
import { type Chance, between, oneOf } from './chance.ts';

/** `join`: a run that joins the one that is going. `wake`: mail that an idle thread wakes for. */
export type WordKind =
  | 'run' | 'join' | 'replace' | 'queue' | 'edit' | 'remove' | 'resume' | 'steer' | 'instant' | 'mail' | 'wake' | 'interrupt' | 'stop' | 'rule' | 'goal' | 'inject' | 'compact';
/** Where a word is said: at once, when something of the kind happens, or when the thread has nothing to do without a person. */
export type Occasion = 'now' | 'turn.started' | 'tool.started' | 'approval.requested' | 'rest';
export interface Word { id: string; kind: WordKind; when: Occasion }
export interface ThreadPlan {
  threadId: string;
  words: Word[];
  /** The person decides what comes up while the process lives that asked; else only what an earlier process has asked. */
  decidesAtOnce: boolean;
  checkpointEvery: number;
}

/** Their input has calls to carry out. */
export const STARTS_WORK: ReadonlySet<WordKind> = new Set<WordKind>(['run', 'join', 'replace', 'queue', 'edit']);

/** How often each is said, by how often it stands here. */
const KINDS: readonly WordKind[] = [
  'run', 'run', 'queue', 'queue', 'queue', 'steer', 'steer', 'steer', 'instant', 'instant', 'join', 'replace', 'resume', 'resume', 'mail', 'wake', 'interrupt', 'stop', 'stop', 'rule', 'goal', 'inject', 'compact',
];
const OCCASIONS: readonly Occasion[] = ['now', 'now', 'turn.started', 'tool.started', 'tool.started', 'approval.requested', 'rest'];

export const threadPlans = (chance: Chance): ThreadPlan[] => ['ada', 'bob'].map((threadId) => threadPlan(chance, threadId));

function threadPlan(chance: Chance, threadId: string): ThreadPlan {
  const words: Word[] = [];
  for (let at = 0, count = between(chance, 8, 14); at < count; at += 1) words.push({ id: `${threadId}.w${String(at).padStart(2, '0')}`, ...drawn(chance, words.at(-1)?.kind) });
  return { threadId, words, decidesAtOnce: chance() < 0.6, checkpointEvery: oneOf(chance, [1, 5, 50]) };
}

/** What has just been queued is often thought better of; later it would hardly wait any more. */
function drawn(chance: Chance, before: WordKind | undefined): Omit<Word, 'id'> {
  if (!before) return { kind: 'run', when: 'now' };
  if (before === 'queue' && chance() < 0.5) return { kind: oneOf(chance, ['edit', 'remove']), when: 'now' };
  return { kind: oneOf(chance, KINDS), when: oneOf(chance, OCCASIONS) };
}
