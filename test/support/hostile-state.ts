/**
 * A state that takes long to show unless its copies of secrets are looked for in one walk: its secrets are `aaa…b` of many
 * lengths, and its one text, in which none of them stands, is `aaa…`.
 * @param size bytes that it has about
 */
export function hostileState(size: number, serial = 1): string {
  const lengths = Math.floor(Math.sqrt(size));
  const password = Array.from({ length: lengths }, (_, index) => `${'a'.repeat(index)}b`);
  const attributes = { password, notes: 'a'.repeat(size / 2) };
  const resource = {
    mode: 'managed',
    type: 'terraform_data',
    name: 'a',
    provider: 'provider["terraform.io/builtin/terraform"]',
    instances: [{ schema_version: 0, attributes, sensitive_attributes: [] }],
  };
  return JSON.stringify({ version: 4, serial, lineage: 'hostile', outputs: {}, resources: [resource] });
}
