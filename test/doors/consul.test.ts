import { describe } from 'vitest';
import { doorContract } from '../../src/contract/door-contract.ts';
import { CONSUL } from './clients/consul.ts';
import { HOUSES } from './houses.ts';

describe.each(HOUSES)('on %s', (_, open) => doorContract(CONSUL, open));
