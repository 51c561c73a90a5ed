import type { InstanceShape } from '../../../../src/api/shapes/content.ts';

/** A line of the tree: a module, a type of resources in it, or an instance. */
export type Node =
  | { readonly kind: 'module'; readonly name: string; readonly count: number; readonly open: boolean }
  | {
      readonly kind: 'type';
      readonly module: string;
      readonly name: string;
      readonly count: number;
      readonly open: boolean;
    }
  | { readonly kind: 'instance'; readonly instance: InstanceShape };

/** With fewer instances than these, everything is open at first. */
const ALL_OPEN_MAX = 300;

/**
 * The lines of the tree that are seen.
 * @param search only instances whose address or provider contains it; whatever is found is open
 * @param turned what was opened or closed by hand, by {@link nameOfNode}
 */
export function treeOf(
  instances: readonly InstanceShape[],
  search: string,
  turned: ReadonlySet<string>,
): readonly Node[] {
  const wanted = search.toLowerCase();
  const found =
    wanted === ''
      ? instances
      : instances.filter(({ address, provider }) => `${address} ${provider}`.toLowerCase().includes(wanted));
  const openAtFirst = found.length <= ALL_OPEN_MAX;
  const isOpen = (name: string): boolean => openAtFirst !== turned.has(name);
  return [...grouped(found, ({ module }) => module)].flatMap(([module, inModule]): Node[] => {
    const open = isOpen(`module ${module}`);
    const head: Node = { kind: 'module', name: module, count: inModule.length, open };
    if (!open) return [head];
    const types = grouped(inModule, ({ mode, type }) => (mode === 'data' ? `data.${type}` : type));
    return [
      head,
      ...[...types].flatMap(([name, ofType]): Node[] => {
        const open = isOpen(`type ${module} ${name}`);
        const head: Node = { kind: 'type', module, name, count: ofType.length, open };
        return open ? [head, ...ofType.map((instance) => ({ kind: 'instance', instance }) as const)] : [head];
      }),
    ];
  });
}

/** Names a line, whatever its place. */
export function nameOfNode(node: Node): string {
  switch (node.kind) {
    case 'module':
      return `module ${node.name}`;
    case 'type':
      return `type ${node.module} ${node.name}`;
    case 'instance':
      return `instance ${node.instance.address} ${node.instance.deposed ?? ''}`;
  }
}

/** Groups by a name, the groups in the order of their names. */
function grouped<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return new Map([...groups].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
