/** Globs over collection names: `*` is any run of characters, `?` any one. Everything else means itself. */

/** @returns a test for a list of globs; null matches every name. */
export function matcher(globs: readonly string[] | null): (name: string) => boolean {
  if (globs === null) return () => true;
  const patterns = globs.map((glob) => new RegExp(`^${globToPattern(glob)}$`, 'su'));
  return (name) => patterns.some((pattern) => pattern.test(name));
}

function globToPattern(glob: string): string {
  return glob
    .replace(/[\\^$.|+()[\]{}/-]/g, '\\$&')
    .replaceAll('\\-', '\\x2d')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
}

/**
 * Compiles the operator's `layout`, a path pattern with `{collection}` and `*`, neither of which crosses a slash.
 *
 * @returns the collection of a path, null when the path does not fit.
 */
export function layoutMatcher(layout: string | null): (path: string) => string | null {
  if (layout === null) return () => null;
  const [first = '', second, ...others] = layout
    .split('{collection}')
    .map((part) => globToPattern(part).replaceAll('.*', '[^/]*'));
  if (second === undefined) return () => null;
  // Where it stands twice, it must be the same name both times.
  const rest = others.map((part) => `\\1${part}`).join('');
  const pattern = new RegExp(`^${first}([^/]+)${second}${rest}$`, 'su');
  return (path) => pattern.exec(path)?.[1] ?? null;
}
