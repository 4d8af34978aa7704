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
  const parts = layout.split('{collection}').map((part) => globToPattern(part).replaceAll('.*', '[^/]*'));
  const pattern = new RegExp(`^${parts.join('(?<collection>[^/]+)')}$`, 'su');
  return (path) => pattern.exec(path)?.groups?.['collection'] ?? null;
}
