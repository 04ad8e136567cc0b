/** Who may import whom: machines <- actors <- adapters, and the world only at the edge. */
import { posix } from 'node:path';
import { type Finding, type Node, type Source, at, nodesIn } from './source.ts';

interface Import { specifier: string; types: boolean; dynamic: boolean; start: number }
/** Answers what is wrong with an import, if something is. `target` is a path in the repository, or the name of a package. */
type Judge = (target: string, made: Import, path: string) => string | undefined;

export function importFindings(source: Source): Finding[] {
  const judge = JUDGES.find(([prefix]) => source.path.startsWith(prefix))?.[1];
  if (!judge) return [];
  return importsOf(source).flatMap((made) => {
    const wrong = judge(targetOf(source.path, made.specifier), made, source.path);
    return wrong === undefined ? [] : [`${at(source, made.start)} imports ${made.specifier}: ${wrong}`];
  });
}

const inside = (...folders: string[]) => (target: string) => folders.some((folder) => target.startsWith(`${folder}/`));
const isPackage = (name: string) => (target: string) => target === name || target.startsWith(`${name}/`);
const isOurs = inside('machines', 'actors', 'adapters', 'visualizations', 'test');

const machines: Judge = (target, _made, path) => {
  if (inside('machines')(target) || isPackage('xstate')(target)) return undefined;
  if (isPackage('zod')(target)) return /^machines\/protocol\/(\w+Schemas|schemas)\.ts$/.test(path) ? undefined : 'zod stays in the schemas of the protocol';
  return 'machines import only machines and xstate';
};

const actors: Judge = (target, { types }, path) => {
  if (path === SAVED_STATE && (isPackage('zod')(target) || inside('machines')(target))) return undefined;
  if (inside('machines', 'actors')(target)) return /Schemas\.ts$/.test(target) && !types ? 'schemas load zod; import them when they are needed' : undefined;
  if (isOurs(target) || target === 'index.ts') return 'actors import only machines and actors';
  if (isPackage('xstate')(target)) return undefined;
  if (isPackage('rxjs')(target)) return path.startsWith('actors/thread/') && (types || path === OBSERVABLE) ? undefined : `rxjs is loaded by ${OBSERVABLE} alone; its types stay in actors/thread`;
  if (isPackage('@xstate/store')(target)) return path.startsWith('actors/view/') ? undefined : '@xstate/store stays in actors/view';
  return isPackage('zod')(target) && types ? undefined : 'actors import no package but xstate, and the types of zod';
};

/** What it loads is 40 ms of somebody's start. */
const OBSERVABLE = 'actors/thread/observable.ts';
/** Reads what may have been written by anybody; loaded when a state is read. */
const SAVED_STATE = 'actors/savedState.ts';

const adapters: Judge = (target, _made, path) => {
  const own = path.split('/').slice(0, 2).join('/');
  if (inside('machines', 'actors', own)(target)) return undefined;
  if (COMPOSITION_ROOTS.includes(own)) return inside('test')(target) ? 'nothing shipped imports tests' : undefined;
  if (isPackage('openai')(target) && own !== 'adapters/openai') return 'openai stays in adapters/openai';
  if (isPackage('pg')(target) && !path.startsWith('adapters/journals/postgres')) return 'pg stays in adapters/journals/postgres*';
  return isOurs(target) || target === 'index.ts' ? 'an adapter imports machines, actors and itself' : undefined;
};
const COMPOSITION_ROOTS = ['adapters/cli', 'adapters/viewer'];

const visualizations: Judge = (target) => {
  if (inside('machines', 'actors', 'visualizations')(target)) return undefined;
  if (isPackage('openai')(target)) return 'openai stays in adapters/openai';
  return isOurs(target) || target === 'index.ts' ? 'visualizations import machines, actors and themselves' : undefined;
};

const frontDoor: Judge = (target, { dynamic }) => {
  if (inside('actors/thread', 'actors/view')(target)) return 'threads and views are entries of their own: they load packages';
  return inside('machines', 'actors')(target) || (dynamic && inside('adapters')(target)) ? undefined : 'the front door imports machines and actors; adapters load on first use';
};

const JUDGES: [prefix: string, judge: Judge][] = [
  ['machines/', machines],
  ['actors/', actors],
  ['adapters/', adapters],
  ['visualizations/', visualizations],
  ['index.ts', frontDoor],
];

function targetOf(path: string, specifier: string): string {
  if (specifier === 'loopchart') return 'index.ts';
  return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier;
}

function importsOf({ tree }: Source): Import[] {
  return [...nodesIn(tree)].flatMap((node) => {
    const from = node.source as Node | undefined;
    const specifier = from?.value ?? ((node.type === 'TSImportType' ? (node.argument as Node) : undefined) as Node | undefined)?.value;
    if (typeof specifier !== 'string') return [];
    const types = node.importKind === 'type' || node.exportKind === 'type' || node.type === 'TSImportType';
    return [{ specifier, types, dynamic: node.type === 'ImportExpression', start: node.start }];
  });
}
