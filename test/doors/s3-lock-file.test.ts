import { describe } from 'vitest';
import { doorContract } from '../../src/contract/door-contract.ts';
import { S3_LOCK_FILE } from './clients/s3.ts';
import { CONTRACT_HOUSES } from './houses.ts';

describe.each(CONTRACT_HOUSES)('on %s', (_, open) => doorContract(S3_LOCK_FILE, open));
