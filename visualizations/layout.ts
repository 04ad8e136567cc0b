import type { ELK, ElkExtendedEdge, ElkNode, ElkPort } from 'elkjs/lib/elk-api.js';
import type { Box, Figure, Wire } from './figure.ts';

export interface Point {
  x: number;
  y: number;
}

/** A box with its place; coordinates are absolute and whole. */
export interface Placed extends Omit<Box, 'children' | 'insets'>, Point {
  /** How many machines are around it: 0 for the chart itself, more for what is spawned. */
  level: number;
  /** How far the head is moved to the right, out of the way of wires. */
  headShift: number;
}

export interface Route extends Wire {
  points: Point[];
  /** Where it meets another wire on its way to the same target. */
  junctions: Point[];
}

export interface Layout {
  width: number;
  height: number;
  /** Parents before children, so that painting in this order is right. */
  boxes: Placed[];
  routes: Route[];
}

/**
 * Places a figure with ELK's layered algorithm, top to bottom.
 *
 * @throws Error when `elkjs`, an optional peer dependency, is not installed.
 */
export async function layoutOf(figure: Figure): Promise<Layout> {
  const elk = new (await loadElk())();
  return layoutMachine(elk, figure, 0);
}

/** Innermost machines first: a box must know how much room its insets take. */
async function layoutMachine(elk: ELK, figure: Figure, level: number): Promise<Layout> {
  const insets = new Map<string, Layout>();
  for (const box of boxesOf(figure.box)) {
    if (box.insets.length > 0) insets.set(box.key, stacked(await Promise.all(box.insets.map((inset) => layoutMachine(elk, inset, level + 1)))));
  }
  const graph = await elk.layout(graphOf(figure, insets));
  const wires = new Map(figure.wires.map((wire) => [wire.key, wire]));
  const routes = edgesOf(graph).flatMap((edge) => routesOf(edge, wires));
  const places = new Map(nodesOf(graph).map((node) => [node.id, node]));
  const layout: Layout = { width: Math.ceil(graph.width ?? 0), height: Math.ceil(graph.height ?? 0), boxes: [], routes: [...routes] };
  for (const { children, insets: _, ...box } of boxesOf(figure.box)) {
    const { x = 0, y = 0, width = 0, height = 0 } = places.get(box.key) ?? {};
    const placed = { ...box, level, headShift: 0, x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
    if (children.length > 0) placed.headShift = freeShift(placed, box, routes);
    layout.boxes.push(placed);
    const inset = insets.get(box.key);
    if (inset === undefined) continue;
    const moved = shifted(inset, placed.x + GAP, placed.y + box.height);
    layout.boxes.push(...moved.boxes);
    layout.routes.push(...moved.routes);
  }
  return layout;
}

/** Wires to what is inside pass the head from top to bottom; the head takes the first gap from the left that it fits into. */
function freeShift(placed: Placed, head: { width: number; height: number }, routes: readonly Route[]): number {
  const bottom = placed.y + head.height;
  const crossings = routes
    .flatMap(({ points }) => points.flatMap((point, index) => (index > 0 && passes(points[index - 1]!, point, placed.y, bottom) ? [point.x] : [])))
    .filter((x) => x > placed.x && x < placed.x + placed.width)
    .sort((one, other) => one - other);
  let left = placed.x;
  for (const x of crossings) {
    if (x - left >= head.width) break;
    left = x;
  }
  return left + head.width <= placed.x + placed.width ? left - placed.x : 0;
}

const passes = (from: Point, to: Point, top: number, bottom: number): boolean =>
  from.x === to.x && Math.min(from.y, to.y) < bottom && Math.max(from.y, to.y) > top;

/** Several machines spawned in one state stand one below the other. */
function stacked(layouts: readonly Layout[]): Layout {
  const stack: Layout = { width: 0, height: 0, boxes: [], routes: [] };
  for (const layout of layouts) {
    const { boxes, routes } = shifted(layout, 0, stack.height);
    stack.boxes.push(...boxes);
    stack.routes.push(...routes);
    stack.width = Math.max(stack.width, layout.width);
    stack.height += layout.height + GAP;
  }
  return stack;
}

function shifted({ boxes, routes }: Layout, x: number, y: number): Pick<Layout, 'boxes' | 'routes'> {
  const moved = <Place extends Point>(place: Place): Place => ({ ...place, x: place.x + x, y: place.y + y });
  return {
    boxes: boxes.map(moved),
    routes: routes.map((route) => ({ ...route, points: route.points.map(moved), junctions: route.junctions.map(moved) })),
  };
}

async function loadElk(): Promise<new () => ELK> {
  try {
    // Its typings describe an ES module; what is loaded is CommonJS, whose exports are the constructor itself.
    return (await import('elkjs/lib/elk.bundled.js')).default as unknown as new () => ELK;
  } catch (cause) {
    throw new Error('Drawing SVG needs the package "elkjs": npm install elkjs', { cause });
  }
}

const GAP = 14;

const layered = (outline: boolean): Record<string, string> => ({
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.randomSeed': '1',
  // Followed from the start: a wire that leads back up is one that goes back to a state already passed.
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.thoroughness': '30',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.spacing.nodeNodeBetweenLayers': outline ? '22' : '36',
  'elk.layered.spacing.edgeNodeBetweenLayers': outline ? '10' : '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': outline ? '7' : '9',
  'elk.spacing.nodeNode': outline ? '14' : '20',
  'elk.spacing.edgeNode': outline ? '9' : '14',
  'elk.spacing.edgeEdge': outline ? '7' : '9',
});

interface Plan {
  outline: boolean;
  insets: ReadonlyMap<string, Layout>;
}

function graphOf(figure: Figure, insets: ReadonlyMap<string, Layout>): ElkNode {
  const boxes = new Map(boxesOf(figure.box).map((box) => [box.key, box]));
  const edges = figure.wires.map((wire): ElkExtendedEdge => {
    const target = boxes.get(wire.to);
    return {
      id: wire.key,
      sources: [wire.row === undefined ? wire.from : `${wire.from}#${wire.row}`],
      targets: [target !== undefined && hasPorts(target, figure.outline) ? `${wire.to}#in` : wire.to],
    };
  });
  return {
    id: '/',
    children: [{ ...nodeOf(figure.box, { outline: figure.outline, insets }), edges }],
    layoutOptions: {
      'elk.algorithm': 'box',
      'elk.padding': '[top=0,left=0,bottom=0,right=0]',
      'org.eclipse.elk.json.shapeCoords': 'ROOT',
      'org.eclipse.elk.json.edgeCoords': 'ROOT',
    },
  };
}

/** In an outline wires may come and go anywhere; in a full drawing they leave from their rows and arrive together, at the top. */
const hasPorts = (box: Box, outline: boolean): boolean => !outline && box.children.length === 0 && box.kind !== 'initial';

function nodeOf(box: Box, plan: Plan): ElkNode {
  if (box.children.length === 0) return leafOf(box, plan);
  return {
    id: box.key,
    children: box.children.map((child) => nodeOf(child, plan)),
    layoutOptions: {
      ...layered(plan.outline),
      ...(box.kind === 'machine' && { 'elk.hierarchyHandling': 'INCLUDE_CHILDREN' }),
      'elk.padding': `[top=${box.height + GAP},left=${GAP},bottom=${GAP},right=${GAP}]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${box.width},${box.height})`,
    },
  };
}

function leafOf(box: Box, { outline, insets }: Plan): ElkNode {
  const inset = insets.get(box.key);
  const width = inset === undefined ? box.width : Math.max(box.width, inset.width + 2 * GAP);
  const node: ElkNode = { id: box.key, width, height: box.height + (inset?.height ?? 0) };
  if (!hasPorts(box, outline)) return node;
  const port = (name: string | number, side: 'EAST' | 'NORTH', x: number, y: number): ElkPort => ({
    id: `${box.key}#${name}`, x, y, width: 0, height: 0, layoutOptions: { 'elk.port.side': side },
  });
  const ports = [...box.rows.map((row, index) => port(index, 'EAST', width, row.y)), port('in', 'NORTH', Math.round(width / 2), 0)];
  return { ...node, ports, layoutOptions: { 'elk.portConstraints': 'FIXED_POS' } };
}

const rounded = ({ x, y }: Point): Point => ({ x: Math.round(x), y: Math.round(y) });
const boxesOf = (box: Box): Box[] => [box, ...box.children.flatMap(boxesOf)];
const nodesOf = (node: ElkNode): ElkNode[] => [node, ...(node.children ?? []).flatMap(nodesOf)];
const edgesOf = (node: ElkNode): ElkExtendedEdge[] => [...(node.edges ?? []), ...(node.children ?? []).flatMap(edgesOf)];

function routesOf(edge: ElkExtendedEdge, wires: ReadonlyMap<string, Wire>): Route[] {
  const wire = wires.get(edge.id);
  if (wire === undefined) return [];
  return (edge.sections ?? []).map((section) => ({
    ...wire,
    points: [section.startPoint, ...(section.bendPoints ?? []), section.endPoint].map(rounded),
    junctions: (edge.junctionPoints ?? []).map(rounded),
  }));
}
