/** Stands for a value that is not to be seen: the same for equal values, and another for others. */
type Token = (value: unknown) => string;

/** What a plan says of one change, as far as it is redacted. */
const SIDES = ['before', 'after'] as const;

/**
 * A plan as `terraform show -json` writes it, without its sensitive values. Clients show a change only where its sides differ, so
 * each value becomes a text that is the same for equal values alone.
 * @param schemas what `terraform providers schema -json` says; null where it was not asked
 * @param text writes a value, in one way for equal values
 */
export function redactedPlan(plan: unknown, schemas: unknown, text: (value: unknown) => string): object {
  const known = new Map<string, string>();
  const token: Token = (value) => {
    const key = text(value);
    const found = known.get(key) ?? `sensitive value ${known.size + 1}`;
    known.set(key, found);
    return found;
  };
  const changes = (name: string): readonly unknown[] =>
    listIn(plan, name).map((item) => ({
      ...objectOf(item),
      change: redactedChange(memberOf(item, 'change'), token),
    }));
  const outputs = Object.entries(objectOf(memberOf(plan, 'output_changes'))).map(([name, change]) => [
    name,
    redactedChange(change, token),
  ]);
  return {
    plan_format_version: memberOf(plan, 'format_version') ?? '1.2',
    resource_changes: changes('resource_changes'),
    resource_drift: changes('resource_drift'),
    output_changes: Object.fromEntries(outputs),
    relevant_attributes: listIn(plan, 'relevant_attributes'),
    provider_format_version: memberOf(schemas, 'format_version') ?? '1.0',
    provider_schemas: memberOf(schemas, 'provider_schemas') ?? {},
  };
}

/** The schemas of the types that a plan has, of all that there are: those of a large provider have tens of MiB. */
export function usedSchemas(schemas: unknown, plan: unknown): object {
  const used = new Set(
    ['resource_changes', 'resource_drift'].flatMap((name) =>
      listIn(plan, name).map(
        (item) => `${String(memberOf(item, 'provider_name'))} ${String(memberOf(item, 'type'))}`,
      ),
    ),
  );
  const providers = Object.entries(objectOf(memberOf(schemas, 'provider_schemas'))).map(
    ([provider, schema]) => {
      const kept = (name: string): object =>
        Object.fromEntries(
          Object.entries(objectOf(memberOf(schema, name))).filter(([type]) =>
            used.has(`${provider} ${type}`),
          ),
        );
      const parts = {
        resource_schemas: kept('resource_schemas'),
        data_source_schemas: kept('data_source_schemas'),
      };
      return [provider, { provider: memberOf(schema, 'provider'), ...parts }];
    },
  );
  return {
    format_version: memberOf(schemas, 'format_version'),
    provider_schemas: Object.fromEntries(providers),
  };
}

function redactedChange(change: unknown, token: Token): unknown {
  const redacted: Record<string, unknown> = { ...objectOf(change) };
  for (const side of SIDES)
    if (side in redacted)
      redacted[side] = redactedValue(redacted[side], redacted[`${side}_sensitive`], token);
  return redacted;
}

/** @param marks true where a value is sensitive, else the marks of what is in it */
function redactedValue(value: unknown, marks: unknown, token: Token): unknown {
  if (marks === true) return value === null || value === undefined ? value : token(value);
  if (Array.isArray(value) && Array.isArray(marks))
    return value.map((item: unknown, index) => redactedValue(item, marks[index], token));
  if (typeof value !== 'object' || value === null || typeof marks !== 'object' || marks === null)
    return value;
  if (Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([name, item]) => [
    name,
    redactedValue(item, memberOf(marks, name), token),
  ]);
  return Object.keys(marks).length === 0 ? value : Object.fromEntries(entries);
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const found = memberOf(value, name);
  return Array.isArray(found) ? found : [];
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}
