import { describe } from 'vitest';
import { doorContract } from '../../src/contract/door-contract.ts';
import { GCS } from './clients/gcs.ts';
import { CONTRACT_HOUSES } from './houses.ts';

describe.each(CONTRACT_HOUSES)('on %s', (_, open) => doorContract(GCS, open));
