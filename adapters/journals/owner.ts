/** Who holds a claim: written into the store beside it, and judged by whoever finds it there. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface Owner {
  pid: number;
  /** When its process began, in whatever measure the system has: it tells the process from an earlier one with the same pid. */
  started: string;
  /** Where its pid means something: a machine, from one start of it to the next, and the container in it. */
  host: string;
  /** Tells owners of one process apart. */
  token: string;
}

/** A new owner in this process. */
export const newOwner = (): Owner => ({ ...here(), token: randomUUID() });

let found: Omit<Owner, 'token'> | undefined;
const here = () => (found ??= { pid: process.pid, started: startOf(process.pid) ?? '', host: hostOf() });

/** The process of an owner is over, and that is certain. False where nobody can tell: on another machine, only its lease says when. */
export function isDead({ pid, started, host }: Owner): boolean {
  if (host !== here().host) return false;
  if (pid === process.pid) return started !== here().started;
  if (!exists(pid)) return true;
  const begun = startOf(pid);
  return begun === ENDED || (begun !== undefined && started !== '' && begun !== started);
}

/** For people: who is at work. */
export function describeOwner({ pid, host }: Owner): string {
  return pid === process.pid && host === here().host ? 'this process' : `process ${pid} on ${host.split(' ')[0]}`;
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // Expected of one that is over; EPERM is a living one of another user.
  }
}

const ENDED = 'ended';

/** Nothing where the system does not say, or not to us. */
function startOf(pid: number): string | undefined {
  if (process.platform === 'win32') return undefined;
  try {
    return process.platform === 'linux' ? startOnLinux(readFileSync(`/proc/${pid}/stat`, 'latin1')) : startByCommand(pid);
  } catch {
    return undefined; // Expected where processes of other users are hidden.
  }
}

/** The name of the program comes second, in parentheses, and may hold anything; state and start follow as fields 3 and 22. */
function startOnLinux(stat: string): string {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? ENDED : fields[19]!; // killed, and not yet fetched by its parent
}

function startByCommand(pid: number): string {
  return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'latin1', env: { ...process.env, LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

function hostOf(): string {
  const name = hostname();
  if (process.platform !== 'linux') return name;
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${name} ${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return `${name} ${randomUUID()}`; // Expected in a sandbox without /proc: nobody can judge us, so nobody should.
  }
}
