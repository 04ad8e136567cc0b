/** The built command as a process of its own: over pipes, and in a real terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { screenOf } from './virtualScreen.ts';

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
export const BUILT = `${ROOT}node_modules/.cache/loopchart-cli-test`;
export const MAIN = `${BUILT}/adapters/cli/main.js`;
/** An app that records a run, in place of the command. */
export const APP = `${ROOT}test/adapters/cli/support/app.ts`;

export interface Finished { code: number | null; out: string; errors: string }
type Environment = Record<string, string>;
interface Options { env?: Environment; input?: string; main?: string }

/** Runs to its end with all of the input given at once. */
export async function loopchart(args: string[], options: Options = {}): Promise<Finished> {
  const started = start(args, options);
  started.child.stdin!.end(options.input ?? '');
  return started.finished;
}

/** A test that fails leaves behind what it has started. */
const going = new Set<ChildProcess>();
export const endAll = () => going.forEach((child) => child.kill('SIGKILL'));

function noted<Child extends ChildProcess>(child: Child): Child {
  going.add(child);
  child.on('close', () => going.delete(child));
  return child;
}

/** Runs with its input left open. */
export function start(args: string[], { env, main = MAIN }: Options = {}): { child: ChildProcess; finished: Promise<Finished>; until(text: string): Promise<void> } {
  const child = noted(spawn(process.execPath, [main, ...args], { env: environment(env) }));
  const said = { out: '', errors: '' };
  const watchers = new Set<() => void>();
  child.stdout.on('data', (chunk) => ((said.out += chunk), watchers.forEach((watch) => watch())));
  child.stderr.on('data', (chunk) => (said.errors += chunk));
  child.stdin.on('error', () => undefined); // it may have left before it read everything, which is what some tests are about
  const finished = new Promise<Finished>((resolve) => child.on('close', (code) => resolve({ code, ...said })));
  const until = (text: string) =>
    new Promise<void>((resolve) => {
      const watch = () => said.out.includes(text) && (watchers.delete(watch), resolve());
      watchers.add(watch);
      watch();
    });
  return { child, finished, until };
}

/** What a process needs to run at all, and none of the settings of the machine that runs the tests: with `CI` set, say, Node paints nothing. */
const NEEDED = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

function environment(env: Environment = {}): NodeJS.ProcessEnv {
  const kept = NEEDED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  return { ...Object.fromEntries(kept), ...env };
}

export interface TerminalSession {
  type(keys: string): void;
  /** Waits until the screen shows it. */
  until(shown: string | RegExp): Promise<void>;
  /** The rows of the screen now. */
  rows(): string[];
  /** All that was ever written, with colours and cursor movements. */
  written(): string;
  finished: Promise<number | null>;
}

export const COLUMNS = 70;
const KEYS = { enter: '\r', interrupt: '\u0003', end: '\u0004', up: '\u001b[A', left: '\u001b[D', backspace: '\u007f' } as const;
export { KEYS };

export function inTerminal(args: string[], { env }: { env?: Environment } = {}): TerminalSession {
  return programInTerminal([process.execPath, MAIN, ...args], { env, lines: 24, columns: COLUMNS, screenOf });
}

interface TerminalOptions {
  env?: Environment;
  cwd?: string;
  lines: number;
  columns: number;
  /** What a person would see of what was written. */
  screenOf(written: string, columns: number): string[];
}

/** `script` gives a program a terminal of its own. */
export function programInTerminal(words: string[], { env, cwd, lines, columns, screenOf: shownOf }: TerminalOptions): TerminalSession {
  const command = `stty rows ${lines} cols ${columns}; exec ${words.map((word) => `'${word}'`).join(' ')}`;
  const invocation = process.platform === 'linux' ? ['-qec', command, '/dev/null'] : ['-q', '/dev/null', 'sh', '-c', command];
  const child = noted(spawn('script', invocation, { cwd, env: environment({ TERM: 'xterm-256color', ...env }) }));
  let written = '';
  const watchers = new Set<() => void>();
  child.stdout.on('data', (chunk) => ((written += chunk), watchers.forEach((watch) => watch())));
  const rows = () => shownOf(written, columns);
  return {
    type: (keys) => void child.stdin.write(keys),
    until: (shown) =>
      new Promise((resolve, reject) => {
        const deadline = setTimeout(() => (watchers.delete(watch), reject(new Error(`Never shown: ${shown}. The screen:\n${rows().join('\n')}`))), 30_000);
        const watch = () => {
          const text = rows().join('\n');
          if (typeof shown === 'string' ? !text.includes(shown) : !shown.test(text)) return;
          clearTimeout(deadline);
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
      }),
    rows,
    written: () => written,
    finished: new Promise((resolve) => child.on('close', (code) => resolve(code))),
  };
}
