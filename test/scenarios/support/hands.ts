/** A screen, a shell and an editor in this process, which keep what is asked of them. */
import type { ApplyPatchOperation, Computer, Editor, Shell, ShellCallOutputContent } from 'loopchart';

/** @param log what was done, in order; `done` is called before each action. */
export function screen(log: string[], done: (action: string) => void | Promise<void> = () => undefined): Computer {
  const act = async (what: string) => {
    log.push(what);
    await done(what);
  };
  return {
    environment: 'browser',
    dimensions: [800, 600],
    screenshot: async () => (await act('screenshot'), 'cGl4ZWxz'),
    click: (x, y, button) => act(`click ${x},${y} ${button}`),
    doubleClick: (x, y) => act(`double click ${x},${y}`),
    scroll: (x, y, scrollX, scrollY) => act(`scroll ${x},${y} by ${scrollX},${scrollY}`),
    type: (text) => act(`type ${text}`),
    wait: () => act('wait'),
    move: (x, y) => act(`move ${x},${y}`),
    keypress: (keys) => act(`press ${keys.join('+')}`),
    drag: (path) => act(`drag ${path.map((point) => point.join(',')).join(' to ')}`),
  };
}

export function shell(log: string[], answer: (command: string) => Partial<ShellCallOutputContent> = () => ({})): Shell {
  return {
    run: async ({ commands }) => {
      log.push(...commands.map((command) => `$ ${command}`));
      return { output: commands.map((command) => ({ stdout: `ran ${command}`, stderr: '', outcome: { type: 'exit', exitCode: 0 }, ...answer(command) })) };
    },
  };
}

export function editor(log: string[]): Editor {
  const done = async (operation: ApplyPatchOperation) => {
    log.push(`${operation.type} ${operation.path}`);
    return { status: 'completed' as const, output: `${operation.path} is done` };
  };
  return { createFile: done, updateFile: done, deleteFile: done };
}
