import { engineContract } from '../../src/testing/engine-contract.ts';
import { openInNewDirectory } from './sqlite-directory.ts';

engineContract('sqlite', openInNewDirectory);
