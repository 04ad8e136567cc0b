/** Which bodies may run side by side (C3). Shared by all calls of one response; asked once a body, never by a chart. */
import type { Call } from '../machines/protocol/call.ts';

interface Waiting { call: Call; start: () => void }
interface Lane { running: number; alone: boolean; queue: Waiting[] }

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #cap: number;
  readonly #isPreceded: (response: string, call: Call) => boolean;

  /**
   * @param cap bodies of one response at a time; unlimited when left out.
   * @param isPreceded whether a call that comes before this one is still on its way to its body.
   */
  constructor(cap = Infinity, isPreceded: (response: string, call: Call) => boolean = () => false) {
    this.#cap = cap;
    this.#isPreceded = isPreceded;
  }

  /** Starts the body now or as soon as its turn comes. `leave` has to follow each start. */
  enter(response: string, call: Call, start: () => void): void {
    let lane = this.#lanes.get(response);
    if (!lane) this.#lanes.set(response, (lane = { running: 0, alone: false, queue: [] }));
    if (lane.queue.length === 0 && this.#admits(response, lane, call)) return this.#start(lane, { call, start });
    lane.queue.push({ call, start });
    lane.queue.sort((one, other) => orderOf(one.call) - orderOf(other.call));
    this.#advance(response, lane);
  }

  /** Starts what had to wait for calls that have found another end than their body: rejected, or waiting for a person. */
  advance(): void {
    for (const [response, lane] of this.#lanes) if (lane.queue.length > 0) this.#advance(response, lane);
  }

  leave(response: string): void {
    const lane = this.#lanes.get(response);
    if (!lane) return;
    lane.running -= 1;
    lane.alone = false;
    this.#advance(response, lane);
    if (lane.running === 0 && lane.queue.length === 0) this.#lanes.delete(response);
  }

  /** Takes a call out of the queue; false when it had started or was never there. */
  drop(response: string, call: Call): boolean {
    const lane = this.#lanes.get(response);
    const at = lane?.queue.findIndex((waiting) => waiting.call.index === call.index) ?? -1;
    if (at < 0) return false;
    lane!.queue.splice(at, 1);
    return true;
  }

  #advance(response: string, lane: Lane): void {
    while (lane.queue[0] && this.#admits(response, lane, lane.queue[0].call)) this.#start(lane, lane.queue.shift()!);
  }

  #admits(response: string, lane: Lane, call: Call): boolean {
    if (runsAlone(call)) return lane.running === 0 && !(isHands(call) && this.#isPreceded(response, call));
    return !lane.alone && lane.running < this.#cap;
  }

  #start(lane: Lane, { call, start }: Waiting): void {
    lane.running += 1;
    lane.alone = runsAlone(call);
    start();
  }
}

const isHands = ({ item }: Call) => item.type === 'shell_call' || item.type === 'apply_patch_call';
const runsAlone = (call: Call) => call.tool.serial === true || isHands(call);
/** Shell and patch calls come after the functions, in call order. */
export const orderOf = (call: Call) => (isHands(call) ? 1e6 : 0) + call.index;
