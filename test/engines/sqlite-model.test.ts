import { engineModel } from '../../src/contract/engine-model.ts';
import { amountOf } from '../support/amount.ts';
import { openInNewDirectory } from './sqlite-fixture.ts';

engineModel('sqlite', openInNewDirectory, {
  sequences: amountOf('STATEHOUSE_SEQUENCES', { few: 500, many: 20_000 }),
});
