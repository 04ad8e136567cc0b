/** Chance that can be had again: everything that is drawn follows from a seed. */

/** Numbers from 0 up to, but not with, 1. */
export type Chance = () => number;

/** Different words after the seed lead to different numbers. */
export function chanceOf(...seed: (string | number)[]): Chance {
  let state = hashOf(seed.join(' '));
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `from` to `to`, both possible. */
export const between = (chance: Chance, from: number, to: number): number => from + Math.floor(chance() * (to - from + 1));

export const oneOf = <Value>(chance: Chance, values: readonly Value[]): Value => values[Math.floor(chance() * values.length)]!;

/** 32 bits of a text; equal texts have equal ones. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** A text in few letters. */
export const digestOf = (text: string): string => `${hashOf(text).toString(36)}${hashOf(`${text}.`).toString(36)}`;
