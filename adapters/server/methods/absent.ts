/**
 * What clients of the protocol ask for and is not here: an account, a configuration, skills, hooks, modes of collaboration, and more. Codex's own
 * takes an error for the end, so each is answered with the least that the protocol allows; what a person asked for in vain, a `warning` says.
 */
import type { Reply } from '../connection.ts';
import type { ParamsOf } from '../requestSchemas.ts';
import type { Threads } from '../threads.ts';

export const readAccount = (): Reply => ({ result: { account: null, requiresOpenaiAuth: false } });
export const readConfig = (): Reply => ({ result: { config: {}, origins: {}, layers: null } });
export const readConfigRequirements = (): Reply => ({ result: { requirements: null } });
export const listModes = (): Reply => ({ result: { data: [] } });
export const listToolServers = (): Reply => ({ result: { data: [], nextCursor: null } });

/** By folder: nothing in each. */
export const listSkills = (threads: Threads, params: ParamsOf<'skills/list'>): Reply => ({ result: { data: foldersOf(threads, params).map((cwd) => ({ cwd, skills: [], errors: [] })) } });
export const listHooks = (threads: Threads, params: ParamsOf<'hooks/list'>): Reply => ({ result: { data: foldersOf(threads, params).map((cwd) => ({ cwd, hooks: [], warnings: [], errors: [] })) } });

const foldersOf = ({ options }: Threads, { cwds = [] }: { cwds?: string[] }): string[] => (cwds.length > 0 ? cwds : [options.cwd]);

export function runShellCommand(threads: Threads, { threadId }: ParamsOf<'thread/shellCommand'>): Reply {
  const loaded = threads.get(threadId);
  return { result: {}, after: () => loaded.warn('Not run: here only agents run commands.') };
}

/** Clients show the name at once; that there is none is told like a change. */
export function nameThread(threads: Threads, { threadId }: ParamsOf<'thread/name/set'>): Reply {
  const loaded = threads.get(threadId);
  return {
    result: {},
    after: () => {
      loaded.tell({ method: 'thread/name/updated', params: { threadId, threadName: null } });
      loaded.warn('Not named: threads have no names here.');
    },
  };
}
