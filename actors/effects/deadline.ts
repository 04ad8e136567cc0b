import type { EffectIo } from '../host.ts';

/**
 * Does the work under a time limit of its own, in ms. When the time is over the work is told to stop, with `late` as the reason,
 * and not waited for: what it still brings or throws has no reader.
 * @returns the value, or nothing when it was late.
 */
export async function inTime<Value>(
  io: EffectIo,
  { ms, late }: { ms: number; late: Error },
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<{ value: Value } | undefined> {
  const controller = new AbortController();
  let timer: unknown;
  const passOn = () => {
    io.clock.clearTimeout(timer); // work that ignores its signal leaves no timer behind (J4)
    controller.abort(io.signal.reason);
  };
  io.signal.addEventListener('abort', passOn, { once: true });
  const deadline = new Promise<undefined>((resolve) => {
    timer = io.clock.setTimeout(() => {
      resolve(undefined);
      controller.abort(late);
    }, ms);
  });
  try {
    return await Promise.race([work(controller.signal).then((value) => ({ value })), deadline]);
  } finally {
    io.clock.clearTimeout(timer);
    io.signal.removeEventListener('abort', passOn);
  }
}
