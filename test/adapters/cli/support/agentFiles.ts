/** Agent files as a user writes them, in a folder that belongs to no package. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'loopchart-cli-'));
let count = 0;

export function writeAgentFile(source: string, extension = 'ts'): string {
  count += 1;
  const path = join(folder, `agent${count}.${extension}`);
  writeFileSync(path, source);
  return path;
}

/** Removed together with the agent files. */
export const newFolder = () => mkdtempSync(join(folder, 'folder'));
export const removeAgentFiles = () => rmSync(folder, { recursive: true, force: true });

/** An agent whose model plays a script, with tools that do what their names say. */
export function scriptedAgentFile(steps: string, agentOptions = ''): string {
  return writeAgentFile(`${PRELUDE}
export default new Agent({ name: 'Tester', model: scriptedModel(${steps}), tools: [add, explode, hang, pay, chatter, gate], ${agentOptions} });`);
}

const PRELUDE = `
import { existsSync, writeFileSync } from 'node:fs';
import { Agent, tool, type RunContext } from 'loopchart';
import { scriptedModel, calls, says, fails, hangs } from 'loopchart/testing';
import { z } from 'zod';

if (process.env.PID) writeFileSync(process.env.PID, String(process.pid)); // to be killed by it
const none = z.object({});
const add = tool({ name: 'add', description: 'Adds.', parameters: z.object({ a: z.number(), b: z.number() }), execute: ({ a, b }) => a + b });
const explode = tool({ name: 'explode', description: 'Throws.', parameters: none, execute: (): string => { throw new Error('boom'); } });
const hang = tool({ name: 'hang', description: 'Never ends.', parameters: none, execute: () => new Promise<string>(() => setInterval(() => undefined, 1000)) });
const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({ to: z.string(), amount: z.number().positive() }), needsApproval: true, execute: ({ to, amount }) => 'paid ' + amount + ' to ' + to });
const opened = () => new Promise<string>((resolve) => { const looking = setInterval(() => existsSync(process.env.GATE!) && (clearInterval(looking), resolve('open')), 20); });
const gate = tool({ name: 'gate', description: 'Ends when the file GATE is there.', parameters: none, effect: 'pure', execute: opened });
const chatter = tool({ name: 'chatter', description: 'Prints.', parameters: none, execute: () => { console.log('from the tool'); return 'printed'; } });
`;

/** What an agent waits for that calls "gate", and the file that says which process it is. */
export function newGate() {
  const folder = newFolder();
  const [gate, pid] = [join(folder, 'gate'), join(folder, 'pid')];
  return {
    env: { GATE: gate, PID: pid },
    open: () => writeFileSync(gate, ''),
    kill: () => process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL'),
  };
}
