/** A chart is one literal that tools can read without running it, and says of itself what a reader needs to know. */
import type { AnyStateMachine, AnyTransitionDefinition, StateNode } from 'xstate';
import { type Finding, type Node, type Source, at, isNode, nodesIn } from './source.ts';

/** What may hold code: it is called with the facts and shown as such. Everything else is a name or a literal. */
const CODE = new Set(['context', 'output', 'input', 'params']);

export function literalFindings(source: Source): Finding[] {
  const made = chartsIn(source.tree);
  if (made.length !== 1) return [`${source.path} makes ${made.length} charts; one file holds one`];
  const { setup, config } = made[0]!;
  if (!config || !setup) return [`${source.path} makes its chart of something else than setup({ … }).createMachine({ … })`];
  const missing = ['id', 'version', 'description', 'context', 'output'].filter((key) => !fieldOf(config, key)).map((key) => `${source.path}: the chart has no ${key}`);
  const bounded = isObject(fieldOf(config, 'options')) && fieldOf(fieldOf(config, 'options') as Node, 'maxIterations') !== undefined;
  return [...missing, ...(bounded ? [] : [`${source.path}: the chart has no options.maxIterations, so a loop of always transitions could hang`]), ...configFindings(source, config)];
}

/** Tools that look for a chart's parts by name find an inline function, a variable or a spread nowhere. */
function configFindings(source: Source, value: unknown, key = ''): Finding[] {
  if (!isNode(value) || CODE.has(key)) return [];
  if (value.type === 'ArrayExpression') return (value.elements as unknown[]).flatMap((element) => configFindings(source, element, key));
  if (value.type === 'Literal') return [];
  if (value.type !== 'ObjectExpression') return [`${at(source, value.start)} ${key} is no literal but ${value.type}`];
  const unnamed = key === 'invoke' && !fieldOf(value, 'id') ? [`${at(source, value.start)} an invoke has no id`] : [];
  const inner = (value.properties as Node[]).flatMap((property) => {
    if (property.type === 'SpreadElement') return [`${at(source, property.start)} spreads something into the chart`];
    if (property.computed === true) return [`${at(source, property.start)} has a computed key`];
    return configFindings(source, property.value, nameOf(property));
  });
  return [...unnamed, ...inner];
}

/** A state in which a chart can be found says what it means there. One that is left at once is only a crossing. */
export function describedFindings(machine: AnyStateMachine): Finding[] {
  const seen = statesOf(machine.root).filter((state) => isLeaf(state) && !isCrossing(state));
  return seen.filter((state) => state.description === undefined).map((state) => `${state.id} has no description`);
}

/**
 * `meta.spawns` draws what a definition cannot show. It must name what the transitions into a state really spawn, and nothing else.
 * `source` is the file of the machine: which actor an action spawns stands only in its code, and in that of `others` to which it hands `spawn`.
 */
export function spawnFindings(machine: AnyStateMachine, source: Source, others: readonly Source[] = []): Finding[] {
  const actions = spawningActions(source, others);
  const states = statesOf(machine.root);
  const landings = states.flatMap((state) => transitionsOf(state).flatMap((transition) => {
    const spawned = transition.actions.flatMap((action) => actions.get(typeof action === 'string' ? action : ((action as { type?: string }).type ?? '')) ?? []);
    return spawned.map((name) => ({ name, in: transition.target?.flatMap(lineage) ?? [state, ...lineage(state)] }));
  }));
  const undrawn = landings.filter((landing) => !landing.in.some((state) => spawnsOf(state).includes(landing.name)));
  const imagined = states.flatMap((state) => spawnsOf(state).filter((name) => !landings.some((landing) => landing.name === name && landing.in.includes(state))).map((name) => `${state.id} says that ${name} is spawned there, but no transition does`));
  return [...new Set([...undrawn.map(({ name, in: [state] }) => `${state?.id} does not say that ${name} is spawned there (meta.spawns)`), ...imagined])];
}

type State = StateNode<any, any>; // `any`: the rules hold for charts of any context

const isLeaf = (state: State) => state.type === 'atomic' || state.type === 'final';
const isCrossing = (state: State) => (state.always ?? []).length > 0 && state.invoke.length === 0 && state.ownEvents.length === 0;
const statesOf = (state: State): State[] => [state, ...Object.values(state.states).flatMap(statesOf)];
const lineage = (state: State): State[] => (state.parent ? [state, ...lineage(state.parent)] : [state]);
const spawnsOf = (state: State): string[] => state.meta?.spawns ?? [];
const transitionsOf = (state: State): AnyTransitionDefinition[] => [...[...state.transitions.values()].flat(), ...(state.always ?? [])];

/** Actor names by the action that spawns them. */
function spawningActions(source: Source, others: readonly Source[]): Map<string, string[]> {
  const setup = chartsIn(source.tree)[0]?.setup;
  const actions = setup && fieldOf(setup, 'actions');
  if (!isObject(actions)) return new Map();
  const declared = [...others, source].flatMap(({ tree }) => [...nodesIn(tree)].filter(({ type }) => type === 'FunctionDeclaration'));
  const functions = new Map(declared.map((node) => [String((node.id as Node).name), node]));
  return new Map((actions.properties as Node[]).map((property) => [nameOf(property), spawnedIn(property.value as Node, functions)]));
}

/** What a piece of code spawns itself, or by a function to which it hands `spawn`. */
function spawnedIn(code: Node, functions: ReadonlyMap<string, Node>): string[] {
  return [...nodesIn(code)].filter(({ type }) => type === 'CallExpression').flatMap((call) => {
    const callee = call.callee as Node;
    const name = String(callee.name ?? (callee.property as Node | undefined)?.name);
    const args = call.arguments as Node[];
    if (name === 'spawn' || name === 'spawnChild') return args[0]?.type === 'Literal' ? [String(args[0].value)] : [];
    const helper = functions.get(name);
    return helper && args.some((arg) => arg.name === 'spawn') ? spawnedIn(helper, functions) : [];
  });
}

function chartsIn(tree: Node): { setup: Node | undefined; config: Node | undefined }[] {
  const calls = [...nodesIn(tree)].filter(({ type, callee }) => type === 'CallExpression' && isNode(callee) && isNode(callee.property) && callee.property.name === 'createMachine');
  return calls.map((call) => {
    const maker = (call.callee as Node).object as Node;
    const [config] = call.arguments as Node[];
    const setup = maker.type === 'CallExpression' && isNode(maker.callee) && maker.callee.name === 'setup' ? (maker.arguments as Node[])[0] : undefined;
    return { setup: isObject(setup) ? setup : undefined, config: isObject(config) ? config : undefined };
  });
}

const isObject = (node: unknown): node is Node => isNode(node) && node.type === 'ObjectExpression';
const nameOf = ({ key }: Node): string => String((key as Node).name ?? (key as Node).value);
const fieldOf = (object: Node, name: string): unknown => (object.properties as Node[]).find((property) => property.type === 'Property' && nameOf(property) === name)?.value;
