/** What stands between an account's name and the name of the host that has its blobs. */
export const BLOB_LABEL = 'blob';
/** Below it is everything of this protocol that a host's name does not tell: `/azure/ACCOUNT/CONTAINER/BLOB`. */
export const AZURE_PREFIX = '/azure/';

/**
 * The metadata in which a lease's holder tells its lock info, as standard base64 of JSON
 * (terraform internal/backend/remote-state/azure/client.go, `lockInfoMetaKey`).
 */
export const LOCK_INFO_METADATA = 'terraformlockid';

/** What stands for a lease that does not end by itself (Blob service REST API, "Lease Blob"). */
export const LEASE_INFINITE = '-1';
