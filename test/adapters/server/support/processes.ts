/** `loopchart serve` as a process of its own, from its source. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { onTestFinished } from 'vitest';
import { Client } from './client.ts';

const MAIN = fileURLToPath(new URL('../../../../adapters/cli/main.ts', import.meta.url));

/** Calls its tool once, which takes for ever unless the environment says otherwise, and then answers. */
const AGENT = `
import { Agent, tool } from 'loopchart';
import { answersWith, calls, loop, says, scriptedModel } from 'loopchart/testing';
import { z } from 'zod';
console.log('printed by the agent file');
const work = tool({ name: 'work', description: 'Works.', effect: 'idempotent', parameters: z.object({}), execute: () => (process.env.WORK ? process.env.WORK : new Promise(() => setInterval(() => {}, 1000))) });
const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), needsApproval: true, execute: () => 'paid' });
const model = scriptedModel(loop(answersWith(({ input }) => {
  const last = Array.isArray(input) ? input.at(-1) : { role: 'user', content: input };
  if (last.role !== 'user') return says('done');
  const text = typeof last.content === 'string' ? last.content : '';
  return text === 'work' ? calls('work', {}) : text === 'pay' ? calls('pay', {}) : says('you said ' + text);
})));
export default new Agent({ name: 'worker', model, tools: [work, pay] });
`;

export interface Process { child: ChildProcess; errors(): string; until(text: string): Promise<void>; code: Promise<number | null> }

/** A folder that is gone after the test, with the agent in it. */
export function workplace(): { agent: string; path(name: string): string } {
  const folder = mkdtempSync(join(tmpdir(), 'loopchart-serve-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'agent.ts'), AGENT);
  return { agent: join(folder, 'agent.ts'), path: (name) => join(folder, name) };
}

export function begin(args: string[], environment: Record<string, string> = {}): Process {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  const child = spawn(process.execPath, [MAIN, 'serve', ...args], { env: { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), ...environment } });
  let errors = '';
  const watchers = new Set<() => void>();
  child.stderr.on('data', (chunk) => ((errors += chunk), watchers.forEach((watch) => watch())));
  child.stdin.on('error', () => undefined); // it may be gone, which is what some tests are about
  const code = new Promise<number | null>((resolve) => child.on('close', resolve));
  onTestFinished(() => void child.kill('SIGKILL'));
  const until = (text: string) => new Promise<void>((resolve) => {
    const watch = () => errors.includes(text) && (watchers.delete(watch), resolve());
    watchers.add(watch);
    watch();
  });
  return { child, errors: () => errors, until, code };
}

/** A client on its standard streams. */
export function overPipes({ child }: Process): Client {
  return new Client((client) => {
    let rest = '';
    child.stdout!.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!; // there is always one
      for (const line of lines) client.received(line);
    });
    child.stdout!.on('end', () => client.closed());
    return { send: (text) => void child.stdin!.write(`${text}\n`), close: () => child.stdin!.end() };
  });
}

/** Refused connections reject with the status of the answer. */
export async function overWebSocket(url: string, headers: Record<string, string> = {}): Promise<{ client: Client; socket: WebSocket }> {
  const socket = new WebSocket(url, { headers });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => (response.resume(), reject(new Error(`refused: ${response.statusCode}`))));
    socket.once('error', reject);
  });
  const client = new Client((made) => {
    socket.on('message', (text) => made.received(String(text)));
    socket.on('close', () => made.closed());
    return { send: (text) => socket.send(text), close: () => socket.close() };
  });
  onTestFinished(() => socket.terminate());
  return { client, socket };
}
