/** The departures are real on both sides: when the peer mends one, or we lose one, this says so. */
import { expect, test } from 'vitest';
import { inOurs, inPeers } from './bothLoops.ts';
import { departures } from './departures.ts';

test.each(departures)('$rule: unlike the peer, $what', async ({ setup, stream = false, look, ours, peers }) => {
  expect({ ours: look(await inOurs(setup, stream)), peers: look(await inPeers(setup, stream)) }).toEqual({ ours, peers });
});
