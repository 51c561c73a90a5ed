/** What a lock is called that was taken as an S3 lock file (`use_lockfile`). */
export const LOCK_FILE_FACE = 's3-lock-file';
/** What a lock is called that was taken as an item of a DynamoDB table (`dynamodb_table`). */
export const LOCK_ITEM_FACE = 'dynamodb-item';

/** A state PUT at S3 names no lock: it may be written under a lock that its subject holds by either means. */
export const AWS_FACES: readonly string[] = [LOCK_FILE_FACE, LOCK_ITEM_FACE];
