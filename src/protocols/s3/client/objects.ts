import { createHash } from 'node:crypto';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import type { StateVersion } from '../../../ports/state-client.ts';
import type { S3Config } from './config.ts';
import { connectS3 } from './connection.ts';
import { explainFault, isAbsent, isConflict } from './faults.ts';
import { listPrefix, NOT_DONE_HEADER, stateKey, workspaceOf } from '../layout.ts';
import { loadS3 } from './sdk.ts';

/** The name under which the answers of a store are listened to. */
const HEARING = 'statehouse-not-done';
/** A bucket with more objects below the workspace prefix is not listed to its end. */
const PAGES_MAX = 1_000;

/** The S3 calls that the s3 backend needs, with its headers. */
export class S3Objects {
  readonly #config: S3Config;
  #client: Promise<S3Client> | null = null;

  constructor(config: S3Config) {
    this.#config = config;
  }

  /** The object's bytes; null when it is not there. */
  async get(key: string, versionId?: string): Promise<Uint8Array | null> {
    const { GetObjectCommand } = await loadS3();
    const version = versionId === undefined ? {} : { VersionId: versionId };
    try {
      const answer = await this.#send((client) =>
        client.send(new GetObjectCommand({ ...this.#named(key), ...this.#customerKey(), ...version })),
      );
      return (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (fault) {
      if (isAbsent(fault)) return null;
      throw explainFault(fault, this.#config);
    }
  }

  /** Puts an object; with `onlyNew`, says false when there is one already. */
  async put(key: string, body: Uint8Array, onlyNew = false): Promise<boolean> {
    const { PutObjectCommand } = await loadS3();
    // Only locks are put where nothing may be yet.
    const tags = onlyNew ? this.#config.lockTags : this.#config.stateTags;
    const input: PutObjectCommandInput = {
      ...this.#named(key),
      ...this.#encryption(),
      ...this.#customerKey(),
      Body: body,
      ContentType: 'application/json',
      ...(this.#config.skipChecksum ? {} : { ChecksumAlgorithm: 'SHA256' }),
      ...(this.#config.acl === null
        ? {}
        : { ACL: this.#config.acl as NonNullable<PutObjectCommandInput['ACL']> }),
      ...(onlyNew ? { IfNoneMatch: '*' } : {}),
      ...(tags === '' ? {} : { Tagging: tags }),
    };
    try {
      await this.#send((client) => client.send(new PutObjectCommand(input)));
      return true;
    } catch (fault) {
      if (onlyNew && isConflict(fault)) return false;
      throw explainFault(fault, this.#config);
    }
  }

  async delete(key: string): Promise<void> {
    const { DeleteObjectCommand } = await loadS3();
    await this.#explained((client) => client.send(new DeleteObjectCommand(this.#named(key))));
  }

  /** The names of all workspaces but `default`, sorted. */
  async workspaces(): Promise<readonly string[]> {
    const { ListObjectsV2Command } = await loadS3();
    const { place } = this.#config;
    const found = new Set<string>();
    let token: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const more = token === undefined ? {} : { ContinuationToken: token };
      const input = { Bucket: place.bucket, Prefix: listPrefix(place), MaxKeys: 1_000, ...more };
      const answer = await this.#explained((client) => client.send(new ListObjectsV2Command(input)));
      for (const { Key } of answer.Contents ?? []) {
        const workspace = Key === undefined ? null : workspaceOf(place, Key);
        if (workspace !== null) found.add(workspace);
      }
      token = answer.NextContinuationToken;
      if (token === undefined) break;
    }
    return [...found].sort();
  }

  /** All versions of a workspace's state, the newest first. */
  async versions(workspace: string, limit: number): Promise<readonly StateVersion[]> {
    const { ListObjectVersionsCommand } = await loadS3();
    const key = stateKey(this.#config.place, workspace);
    const found: StateVersion[] = [];
    let from: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (let page = 0; page < PAGES_MAX && found.length < limit; page += 1) {
      const input = { Bucket: this.#config.place.bucket, Prefix: key, MaxKeys: 1_000, ...from };
      const answer = await this.#explained((client) => client.send(new ListObjectVersionsCommand(input)));
      const marked = [
        ...(answer.Versions ?? []).map((version) => ({ ...version, deleted: false })),
        ...(answer.DeleteMarkers ?? []).map((version) => ({ ...version, Size: null, deleted: true })),
      ].filter((version) => version.Key === key);
      for (const { VersionId, LastModified, Size, deleted } of marked) {
        found.push({ id: VersionId ?? 'null', at: LastModified ?? new Date(0), size: Size ?? null, deleted });
      }
      const past = (answer.Versions ?? []).some((version) => version.Key !== key);
      if (answer.IsTruncated !== true || past || answer.NextKeyMarker === undefined) break;
      from = {
        KeyMarker: answer.NextKeyMarker,
        ...(answer.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: answer.NextVersionIdMarker }),
      };
    }
    return found.sort((a, b) => b.at.getTime() - a.at.getTime()).slice(0, limit);
  }

  /** What the bucket is set to; null where asking is not allowed or not known to the store. */
  async settings(): Promise<{ readonly versioned: boolean | null; readonly encrypted: boolean | null }> {
    const { GetBucketEncryptionCommand, GetBucketVersioningCommand } = await loadS3();
    const bucket = { Bucket: this.#config.place.bucket };
    const [versioning, encryption] = await Promise.allSettled([
      this.#send((client) => client.send(new GetBucketVersioningCommand(bucket))),
      this.#send((client) => client.send(new GetBucketEncryptionCommand(bucket))),
    ]);
    const none = encryption.status === 'rejected' && String(encryption.reason).includes('NotFound');
    return {
      versioned: versioning.status === 'fulfilled' ? versioning.value.Status === 'Enabled' : null,
      encrypted: encryption.status === 'fulfilled' ? true : none ? false : null,
    };
  }

  /**
   * What is set for the bucket and does nothing, in the words of a store that says so; empty also where asking is not allowed. A
   * store that does what it is set to says nothing.
   */
  async ineffective(): Promise<readonly string[]> {
    const { GetBucketPolicyCommand, GetPublicAccessBlockCommand } = await loadS3();
    const said = new Set<string>();
    const client = await (this.#client ??= connectS3(this.#config));
    client.middlewareStack.add(
      (next) => async (call) => {
        const answer = await next(call);
        const { headers } = answer.response as { headers?: Readonly<Record<string, string>> };
        for (const name of (headers?.[NOT_DONE_HEADER] ?? '').split(', ')) if (name !== '') said.add(name);
        return answer;
      },
      { name: HEARING, step: 'deserialize', override: true },
    );
    const bucket = { Bucket: this.#config.place.bucket };
    await Promise.allSettled([
      client.send(new GetBucketPolicyCommand(bucket)),
      client.send(new GetPublicAccessBlockCommand(bucket)),
    ]);
    client.middlewareStack.remove(HEARING);
    return [...said].sort();
  }

  async close(): Promise<void> {
    (await this.#client?.catch(() => null))?.destroy();
    this.#client = null;
  }

  async #send<T>(call: (client: S3Client) => Promise<T>): Promise<T> {
    this.#client ??= connectS3(this.#config);
    return call(await this.#client);
  }

  async #explained<T>(call: (client: S3Client) => Promise<T>): Promise<T> {
    try {
      return await this.#send(call);
    } catch (fault) {
      throw explainFault(fault, this.#config);
    }
  }

  #named(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#config.place.bucket, Key: key };
  }

  #encryption(): Partial<PutObjectCommandInput> {
    const { encryption } = this.#config;
    if (encryption.type === 'aes256') return { ServerSideEncryption: 'AES256' };
    if (encryption.type === 'kms') return { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: encryption.keyId };
    return {};
  }

  /** With a key of the customer's own, every request about the object carries it: state and lock alike, as in OpenTofu. */
  #customerKey(): { SSECustomerAlgorithm?: string; SSECustomerKey?: string; SSECustomerKeyMD5?: string } {
    const { encryption } = this.#config;
    if (encryption.type !== 'customer') return {};
    const md5 = createHash('md5').update(Buffer.from(encryption.key, 'base64')).digest('base64');
    return { SSECustomerAlgorithm: 'AES256', SSECustomerKey: encryption.key, SSECustomerKeyMD5: md5 };
  }
}
