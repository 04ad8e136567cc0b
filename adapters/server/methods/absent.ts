/**
 * What clients of the protocol ask for before they show anything, and what is not here: an account, a configuration, skills, hooks, modes of
 * collaboration. An error would end them, so each is answered with the least that the protocol allows.
 */
import type { Reply } from '../connection.ts';

export const readAccount = (): Reply => ({ result: { account: null, requiresOpenaiAuth: false } });
export const readConfig = (): Reply => ({ result: { config: {}, origins: {}, layers: null } });
export const readConfigRequirements = (): Reply => ({ result: { requirements: null } });
/** Lists of what there is none of. */
export const listNone = (): Reply => ({ result: { data: [] } });
