import { describe } from 'vitest';
import { doorContract } from '../../src/contract/door-contract.ts';
import { HTTP } from './clients/http.ts';
import { HOUSES } from './houses.ts';

describe.each(HOUSES)('on %s', (_, open) => doorContract(HTTP, open));
