import { engineModel } from '../../src/contract/engine-model.ts';
import { openInNewDirectory } from './sqlite-fixture.ts';

engineModel('sqlite', openInNewDirectory, { sequences: 20_000 });
