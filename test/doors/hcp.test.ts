import { describe } from 'vitest';
import { doorContract } from '../../src/contract/door-contract.ts';
import { HCP } from './clients/hcp.ts';
import { HOUSES } from './houses.ts';

describe.each(HOUSES)('on %s', (_, open) => doorContract(HCP, open));
