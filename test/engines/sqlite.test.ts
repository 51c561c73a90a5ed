import { engineContract } from '../../src/contract/engine-contract.ts';
import { openInNewDirectory } from './sqlite-fixture.ts';

engineContract('sqlite', openInNewDirectory);
