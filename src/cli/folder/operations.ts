/** What our locks say they are for; others see it in the lock info. */
export const OPERATION_DOCTOR = 'statehouse-doctor';
/** Terraform's own names: under these, and no others, a house lets serial and lineage go another way. */
export const OPERATION_PUSH = 'state-push';
export const OPERATION_FROM = 'migration source state';
export const OPERATION_TO = 'migration destination state';
/** Terraform's name for the lock under which a workspace's first state is made. */
export const OPERATION_INIT = 'init';
export const OPERATION_DELETE = 'workspace-delete';
/** The lock under which a refused state is merged into the newest one. */
export const OPERATION_RESCUE = 'statehouse-rescue';
