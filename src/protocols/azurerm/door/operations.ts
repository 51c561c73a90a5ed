import { getBlockList, putBlock, putBlockList } from './block-requests.ts';
import type { Answer, DoorCall } from './call.ts';
import { createContainer, getContainerAcl, getContainerProperties, listContainers } from './containers.ts';
import { deleteBlob, snapshotBlob } from './delete-blob.ts';
import type { Operation } from './detect.ts';
import { getBlob, getBlobProperties } from './get-blob.ts';
import { leaseBlob } from './lease.ts';
import { listBlobs } from './listing.ts';
import { setBlobMetadata } from './metadata.ts';
import { putBlob } from './put-blob.ts';
import { getAccountInformation, getServiceProperties } from './service.ts';

/** The one table of this door. */
export const OPERATIONS: Readonly<Record<Operation, (call: DoorCall) => Promise<Answer>>> = {
  ListContainers: listContainers,
  GetServiceProperties: getServiceProperties,
  GetAccountInformation: getAccountInformation,
  CreateContainer: createContainer,
  GetContainerProperties: getContainerProperties,
  GetContainerAcl: getContainerAcl,
  ListBlobs: listBlobs,
  PutBlob: putBlob,
  GetBlob: getBlob,
  GetBlobProperties: getBlobProperties,
  SetBlobMetadata: setBlobMetadata,
  LeaseBlob: leaseBlob,
  SnapshotBlob: snapshotBlob,
  DeleteBlob: deleteBlob,
  PutBlock: putBlock,
  PutBlockList: putBlockList,
  GetBlockList: getBlockList,
};
