/**
 * The state of a workspace in which nothing was applied yet, byte for byte as terraform writes it. Every terraform since
 * 0.14 reads states of 1.0.0, and puts its own version into the next one.
 */
export function emptyState(lineage: string): Uint8Array {
  const state = {
    version: 4,
    terraform_version: '1.0.0',
    serial: 1,
    lineage,
    outputs: {},
    resources: [],
    check_results: null,
  };
  return new TextEncoder().encode(`${JSON.stringify(state, null, 2)}\n`);
}
