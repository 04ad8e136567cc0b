/** How the actors are, as far as events tell: the same five words at every level. */
import { isBackground, isOuter, isWithin } from './paths.ts';
import type { ActorView } from './types.ts';

export type Actors = readonly ActorView[];

/** It has begun; what was there before it, in its place, has no more to say. */
export function begun(actors: Actors, actor: ActorView): Actors {
  const parent = parentOf(actor.path);
  const isBefore = ({ path, kind, word }: ActorView) =>
    kind === actor.kind && isOver(word) && !isBackground(path) && (isOuter(actor.path) ? isOuter(path) : parentOf(path) === parent);
  const before = actor.kind === 'toolCall' ? [] : actors.filter(isBefore);
  const staying = actors.filter(({ path }) => path !== actor.path && !before.some((one) => isWithin(path, one.path)));
  const last = staying.findLastIndex(({ path }) => isWithin(path, parent));
  return mirrored(last < 0 ? [...staying, actor] : [...staying.slice(0, last + 1), actor, ...staying.slice(last + 1)]);
}

export function changed(actors: Actors, path: string, change: Partial<ActorView>): Actors {
  if (!actors.some((actor) => actor.path === path)) return actors;
  return mirrored(actors.map((actor) => (actor.path === path ? { ...actor, ...change } : actor)));
}

/** It is over, and so is all inside. */
export function ended(actors: Actors, path: string, word: ActorView['word']): Actors {
  const left = actors.filter((actor) => actor.path === path || !isWithin(actor.path, path));
  return changed(left, path, { word, phase: undefined }).map(withoutPhase);
}

/** A level waits for a person when all of its children that are not over do; inner ones first. */
function mirrored(actors: Actors): Actors {
  const words = new Map(actors.map(({ path, word }) => [path, word]));
  for (const { path, kind, phase } of [...actors].reverse()) {
    const word = words.get(path)!;
    if (isOver(word) || word === 'handoff') continue;
    const inside = actors.filter((actor) => isInside(actor.path, path) && !isOver(words.get(actor.path)!));
    if (inside.length > 0) words.set(path, inside.every((actor) => words.get(actor.path) === 'awaitingApproval') ? 'awaitingApproval' : 'running');
    else if (kind !== 'toolCall' && phase !== 'backingOff' && word === 'awaitingApproval') words.set(path, 'running');
  }
  return actors.map((actor) => (words.get(actor.path) === actor.word ? actor : { ...actor, word: words.get(actor.path)! }));
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** A child: no actor stands between. Only a run stands directly inside a call. */
function isInside(path: string, parent: string): boolean {
  return path.startsWith(`${parent}/`) && !path.slice(parent.length + 1).includes('/');
}

function withoutPhase(actor: ActorView): ActorView {
  if (!isOver(actor.word) || !('phase' in actor)) return actor;
  const { phase: _over, ...rest } = actor;
  return rest;
}

const isOver = (word: ActorView['word']) => word === 'settled' || word === 'interrupted';
