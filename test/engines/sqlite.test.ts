import { engineContract } from '../../src/testing/engine-contract.ts';
import { openInNewDirectory } from './sqlite-fixture.ts';

engineContract('sqlite', openInNewDirectory);
