import { describe } from 'vitest';
import { doorContract } from '../../src/contract/door-contract.ts';
import { AZURERM } from './clients/azurerm.ts';
import { CONTRACT_HOUSES } from './houses.ts';

describe.each(CONTRACT_HOUSES)('on %s', (_, open) => doorContract(AZURERM, open));
