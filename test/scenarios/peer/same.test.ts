/**
 * Where the rules say nothing else, both libraries do the same: the same requests, items, history, output, usage, session
 * and events, streamed and not. What differs on purpose is in `departures.test.ts`.
 */
import { describe, expect, test } from 'vitest';
import { inOurs, inPeers } from './bothLoops.ts';
import { cases } from './cases.ts';

describe.each([['plain', false], ['streamed', true]] as const)('%s', (_mode, stream) => {
  test.each(Object.entries(cases))('as the peer: %s', async (_name, setup) => {
    expect(await inOurs(setup, stream)).toEqual(await inPeers(setup, stream));
  });
});
