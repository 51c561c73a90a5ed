/** One page of a list, and where the next one begins. */
export type Page<Name extends string, Item> = { readonly [N in Name]: readonly Item[] } & {
  readonly next: string | null;
};
