/** Where a steer is to go that names a path (L7), as the actors on its way see it. */

type Way = 'here' | 'below' | 'astray';

/** @param child path of what is at work below, if anything is. */
export function wayOf(path: string | undefined, own: string, child: string | undefined): Way {
  if (path === undefined || path === own) return 'here';
  return child !== undefined && (path === child || path.startsWith(`${child}/`)) ? 'below' : 'astray';
}
