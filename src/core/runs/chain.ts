/** One thing that makes another happen, both by their names. */
export interface Link {
  readonly source: string;
  readonly target: string;
}

/** Whether something, through whatever it makes happen, makes another happen, or is it. */
export function leadsTo(links: readonly Link[], from: string, to: string): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === to) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    for (const { source, target } of links) if (source === name) open.push(target);
  }
  return false;
}
