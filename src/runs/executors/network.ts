/** What runs in the sandbox reach: all that this machine reaches, or the state of their workspace alone. */
export const RUN_NETWORKS = ['all', 'state'] as const;
export type RunNetwork = (typeof RUN_NETWORKS)[number];
