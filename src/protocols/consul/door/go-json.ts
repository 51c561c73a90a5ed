/**
 * Gives the fields of a JSON value the names by which they are known, whatever the case in which they were written: so does Go's
 * decoder read them (`encoding/json`, "preferring an exact match but also accepting a case-insensitive match"), and Consul's library for
 * Python writes them in lower case.
 */
export function withGoNames(value: unknown, names: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => withGoNames(item, names));
  if (typeof value !== 'object' || value === null) return value;
  const known = new Map(names.map((name) => [name.toLowerCase(), name]));
  const fields = Object.entries(value).map(([name, field]): readonly [string, unknown] => [
    known.get(name.toLowerCase()) ?? name,
    withGoNames(field, names),
  ]);
  return Object.fromEntries(fields);
}
