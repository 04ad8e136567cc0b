/** Whether the owner of a claim still lives, and how long its claim holds. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { Heartbeat, isHeld, whyHeld } from '../../../adapters/journals/lease.ts';
import { isDead, newOwner } from '../../../adapters/journals/owner.ts';
import { Pulse } from '../../../adapters/journals/pulse.ts';

const here = newOwner();

describe('an owner is dead', () => {
  test('when its process is over', async () => {
    const child = fork('', [], { execArgv: ['-e', 'setInterval(() => {}, 1e6)'] });
    await once(child, 'spawn');
    const owner = { ...here, pid: child.pid!, started: '' };
    expect(isDead(owner)).toBe(false);
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(isDead(owner)).toBe(true), { interval: 1 });
  });

  test('when another process has its pid by now', () => {
    expect(isDead({ ...here, started: '1' })).toBe(true);
    expect(isDead({ ...here, pid: process.ppid, started: '1' })).toBe(process.platform !== 'win32');
  });

  test('not while it lives, not when nobody can tell', () => {
    expect([isDead(here), isDead(newOwner()), isDead({ ...here, pid: process.ppid, started: '' })]).toEqual([false, false, false]);
    expect(isDead({ ...here, pid: 2 ** 22 + 1, host: 'another machine' })).toBe(false);
    expect(isDead({ ...here, pid: 2 ** 22 + 1 })).toBe(true);
  });
});

test('owners of one process are told apart', () => expect(newOwner().token).not.toBe(newOwner().token));

describe('a claim holds', () => {
  const claim = { owner: { ...here, host: 'web-1 boot' }, leaseMs: 1_000, seenAt: 50_000 };

  test('until its lease is over, whatever was done to the clock', () => {
    expect([50_000, 51_000, 51_001, 49_000, 48_999, 9_000_000].map((now) => isHeld(claim, now))).toEqual([true, true, false, true, false, false]);
  });

  test('not when its owner is known to be dead', () => expect(isHeld({ ...claim, owner: { ...here, started: '1' } }, 50_000)).toBe(false));

  test('and whoever is refused is told by whom, and for how long', () => {
    expect(whyHeld(claim, 50_100)).toBe(`process ${here.pid} on web-1 is at work on it, and holds it for 1 s from now without another sign of life`);
    expect(whyHeld({ ...claim, owner: here, leaseMs: 30_000 }, 50_000)).toMatch(/^this process is at work on it, and holds it for 30 s/);
  });
});

test('a heart beats three times a lease, and not when it was stopped', () => {
  vi.useFakeTimers();
  let beats = 0;
  const heartbeat = new Heartbeat(300, () => { beats += 1; });
  heartbeat.start();
  heartbeat.start();
  vi.advanceTimersByTime(300);
  heartbeat.stop();
  vi.advanceTimersByTime(300);
  expect(beats).toBe(3);
  vi.useRealTimers();
});

test('a beat that comes while nobody waits is not lost, and an abort ends every waiting', async () => {
  const stop = new AbortController();
  const pulse = new Pulse(1_000_000, stop.signal);
  pulse.beat();
  pulse.beat();
  await pulse.next();
  const waiting = pulse.next();
  stop.abort();
  await waiting;
  await pulse.next();
  pulse.stop();
});
