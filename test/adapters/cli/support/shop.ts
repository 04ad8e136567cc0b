/** An agent whose calls can be killed in the middle: its tools wait for a signal, and what they have done is in a ledger. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunSummary } from 'loopchart';
import { newFolder, writeAgentFile } from './agentFiles.ts';
import { FileJournal } from 'loopchart/file';
import { SqliteJournal } from 'loopchart/sqlite';
import { APP, start } from './commandLine.ts';

export interface Shop {
  file: string;
  /** How often it was charged. */
  charges(): number;
}

/** Goes on at SIGUSR2. With INSTANT in its environment, nothing waits. */
export const CONTINUES = 'SIGUSR2';
export const INSTANT = { INSTANT: '1' };

export function openShop(): Shop {
  const ledger = join(newFolder(), 'ledger');
  const file = writeAgentFile(`
    import { appendFileSync } from 'node:fs';
    import { Agent, tool } from 'loopchart';
    import { z } from 'zod';
    const word = () => new Promise<void>((resolve) => {
      const staying = setInterval(() => undefined, 1_000_000);
      process.once('SIGUSR2', () => (clearInterval(staying), resolve()));
    });
    async function work(what: string): Promise<void> {
      const told = process.env.INSTANT ? undefined : word();
      console.log(what);
      await told;
    }
    const parameters = z.object({ amount: z.number() });
    const charge = tool({ name: 'charge', description: 'Charges.', parameters, execute: async ({ amount }) => {
      appendFileSync(${JSON.stringify(ledger)}, '.');
      await work('charging');
      return 'charged ' + amount;
    } });
    const look = tool({ name: 'look', description: 'Looks.', parameters: z.object({}), effect: 'pure', execute: async () => {
      await work('looking');
      return 'all is well';
    } });
    const pay = tool({ name: 'pay', description: 'Pays.', parameters, needsApproval: true, execute: ({ amount }) => 'paid ' + amount });
    export default new Agent({ name: 'Shop', tools: [charge, look, pay] });`);
  return { file, charges: () => (existsSync(ledger) ? readFileSync(ledger, 'utf8').length : 0) };
}

export const openIn = (where: string) => (where.endsWith('.db') ? new SqliteJournal(where) : new FileJournal(where));

/** What a journal lists, in this process. */
export function runsIn(where: string, state?: RunSummary['state']): readonly RunSummary[] {
  const journal = openIn(where);
  const runs = journal.list();
  journal.close();
  return state === undefined ? runs : runs.filter((run) => run.state === state);
}

interface Work { message: string; says: string }
const CHARGE: Work = { message: 'call charge {"amount": 5}', says: 'charging' };

/** A chat that is at work on a message: the tool has said that it is. */
export async function chatAtWork({ file }: Shop, where: string, { message, says }: Work = CHARGE) {
  const chat = start(['chat', file, '--journal', where, '--thread', 'shop']);
  chat.child.stdin!.write(`${message}\n`);
  await chat.until(`\n${says}\n`);
  return chat;
}

/** Its thread is "shop". */
export async function killedChat(shop: Shop, where: string, work?: Work): Promise<void> {
  const { child, finished } = await chatAtWork(shop, where, work);
  child.kill('SIGKILL');
  await finished;
}

/** @returns the run that an app was at work on when its process was killed. */
export async function killedRun({ file }: Shop, where: string, { message, says }: Work = CHARGE): Promise<string> {
  const { child, until, finished } = start([file, where, message], { main: APP });
  await until(`${says}\n`);
  child.kill('SIGKILL');
  await finished;
  return runsIn(where).at(-1)!.runId;
}

/** A run that an app has recorded to its end. */
export async function appRun({ file }: Shop, where: string, message = 'call look'): Promise<void> {
  await start([file, where, message], { main: APP, env: INSTANT }).finished;
}
