/** What stands between an account's name and the name of the host that has its blobs. */
export const BLOB_LABEL = 'blob';

/**
 * The metadata in which a lease's holder tells its lock info, as standard base64 of JSON
 * (terraform internal/backend/remote-state/azure/client.go, `lockInfoMetaKey`).
 */
export const LOCK_INFO_METADATA = 'terraformlockid';

/** What stands for a lease that does not end by itself (Blob service REST API, "Lease Blob"). */
export const LEASE_INFINITE = '-1';
