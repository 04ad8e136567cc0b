/** Reads a user's agent file, TypeScript included, and finds the agent in it. */
import { existsSync, statSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { extname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Agent } from '../../actors/agent.ts';
import { CliError, UsageError } from './exit.ts';

type AnyAgent = Agent<any, any>; // `any`: a user's agent may have any context and output

/**
 * The agent of the file: its default export or its export `agent`, itself or what the function there returns.
 * @throws CliError saying what is wrong with the file: not there, not readable by this Node, failing on import, no agent in it.
 */
export async function loadAgentFile(given: string): Promise<AnyAgent> {
  const path = resolve(given);
  checkFile(given, path);
  shareOwnModules();
  const exported = await imported(given, path);
  const found = exported.default ?? exported.agent;
  if (found === undefined) {
    const names = Object.keys(exported);
    throw new CliError(`${given} exports no agent${names.length > 0 ? `, only ${names.join(', ')}` : ''}. Add: export default new Agent({ name: '…', instructions: '…' })`);
  }
  const made = typeof found === 'function' && !isAgent(found) ? await called(given, found as () => unknown) : found; // a function may take what it likes; it is given nothing
  if (isAgent(made)) return made;
  const what = typeof found === 'function' ? 'the function it exports returns' : 'it exports';
  throw new CliError(`${given}: ${what} ${described(made)}, not an Agent. Make one with new Agent({ name, instructions }) from 'loopchart'.`);
}

const EXTENSIONS = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']);

function checkFile(given: string, path: string): void {
  if (!existsSync(path)) throw new UsageError(`There is no agent file ${given} (looked for ${path}).`);
  if (!statSync(path).isFile()) throw new UsageError(`${given} is no file. Name the file that exports your agent.`);
  if (!EXTENSIONS.has(extname(path))) throw new UsageError(`${given} is no agent file: it has to end in .ts, .mts, .js or .mjs.`);
  const { typescript } = process.features as { typescript?: unknown }; // newer than the oldest Node we run on
  if (/\.[cm]?ts$/.test(path) && !typescript) {
    throw new CliError(`Node ${process.versions.node} cannot read TypeScript (${given}). Use Node 22.18 or newer, or compile the file to JavaScript first.`);
  }
}

async function imported(given: string, path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    // Whatever happens while a stranger's file is read, its author has to mend it.
    throw new CliError(`${given} could not be loaded: ${reasonOf(error, path)}`, { cause: error });
  }
}

async function called(given: string, make: () => unknown): Promise<unknown> {
  try {
    return await make();
  } catch (error) {
    throw new CliError(`${given}: the function it exports failed: ${reasonOf(error, resolve(given))}`, { cause: error });
  }
}

function reasonOf(error: unknown, path: string): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  const missing = /Cannot find (package|module) '([^']+)'/.exec(error.message);
  if (code === 'ERR_MODULE_NOT_FOUND' && missing) {
    return missing[1] === 'package' ? `it imports "${missing[2]}", which is not installed there. Run npm install ${missing[2]} beside the file.` : `it imports ${relative('', missing[2]!)}, which does not exist.`;
  }
  const place = placeIn(error, path);
  const message = error.message.trim().split('\n')[0] ?? '';
  return `${error.name === 'Error' ? '' : `${error.name}: `}${message}${place === undefined ? '' : ` (line ${place})`}`;
}

/** The line of the user's own file that the stack names first. */
function placeIn({ stack = '' }: Error, path: string): string | undefined {
  for (const name of [pathToFileURL(path).href, path]) {
    const at = stack.indexOf(`${name}:`);
    const line = at < 0 ? null : /^\d+/.exec(stack.slice(at + name.length + 1));
    if (line) return line[0];
  }
  return undefined;
}

/** By shape as well: without module hooks the file may have a copy of the library of its own. */
export function isAgent(value: unknown): value is AnyAgent {
  if (value instanceof Agent) return true;
  if (typeof value !== 'object' || value === null) return false;
  const { name, handoffs, getAllTools } = value as Partial<Record<'name' | 'handoffs' | 'getAllTools', unknown>>;
  return typeof name === 'string' && Array.isArray(handoffs) && typeof getAllTools === 'function';
}

function described(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  return Array.isArray(value) ? 'a list' : `an object with ${Object.keys(value).slice(0, 5).join(', ') || 'nothing in it'}`;
}

// -- one library for both -----------------------------------------------------------------------------------------------

/** The entries of the package, from here. A test holds them against package.json. */
export const OWN_ENTRIES: Readonly<Record<string, string>> = {
  loopchart: '../../index',
  'loopchart/machines': '../../machines/index',
  'loopchart/protocol': '../../machines/protocol/schemas',
  'loopchart/testing': '../scripted/index',
  'loopchart/openai': '../openai/index',
  'loopchart/inspector': '../inspector/index',
  'loopchart/file': '../journals/file',
  'loopchart/sqlite': '../journals/sqlite',
  'loopchart/postgres': '../journals/postgres',
  'loopchart/server': '../server/index',
  'loopchart/thread': '../../actors/thread/index',
  'loopchart/view': '../../actors/view/index',
  'loopchart/visualizations': '../../visualizations/index',
};

type Resolve = (specifier: string, context?: { parentURL?: string }) => { url: string };
type Hooks = { resolve(specifier: string, context: { parentURL?: string }, next: Resolve): { url: string; shortCircuit?: boolean } };

let shared = false;

/** From now on `import 'loopchart'` means this very library, wherever the file lies; and zod comes with it. */
function shareOwnModules(): void {
  const { registerHooks } = nodeModule as { registerHooks?: (hooks: Hooks) => unknown }; // newer than the oldest Node we run on
  if (shared || !registerHooks) return;
  shared = true;
  const extension = extname(import.meta.url);
  registerHooks({
    resolve(specifier, context, next) {
      const own = Object.hasOwn(OWN_ENTRIES, specifier) ? OWN_ENTRIES[specifier] : undefined;
      if (own !== undefined) return { url: new URL(`${own}${extension}`, import.meta.url).href, shortCircuit: true };
      try {
        return next(specifier, context);
      } catch (error) {
        // Most agents describe their tools with zod, which a file outside of any package has only through us.
        if (!/^zod(\/|$)/.test(specifier) || (error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
        return next(specifier, { ...context, parentURL: import.meta.url });
      }
    },
  });
}
