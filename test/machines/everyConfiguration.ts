import { describe, expect, test } from 'vitest';
import type { Exploration } from '../support/explore.ts';

/** What holds for each chart alone. @param rule the rule that asks for it. @param moreThan so many states, or the walk was none. */
export function everyConfiguration(chart: string, { rule, walk, moreThan }: { rule: string; walk: Exploration<any>; moreThan: number }): void { // `any`: a walk of any chart
  describe(`every configuration of the ${chart} chart`, () => {
    test(`${rule}: has a way out on success, on error and on interrupt, and leads to an end`, () => {
      expect(walk.problems).toEqual([]);
    });

    test('is reached over transitions of which each is taken', () => {
      expect(walk.neverTaken).toEqual([]);
      expect(walk.states.length).toBeGreaterThan(moreThan);
    });
  });
}
