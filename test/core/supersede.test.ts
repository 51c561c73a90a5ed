import { describe, expect, it } from 'vitest';
import { whyNotSupersede } from '../../src/core/supersede.ts';

describe('a state may replace another', () => {
  it.each([
    ['nothing at all', { serial: 0n, lineage: 'a' }, null, null],
    ['a lower serial of its lineage', { serial: 6n, lineage: 'a' }, { serial: 5n, lineage: 'a' }, null],
    ['not an equal serial', { serial: 5n, lineage: 'a' }, { serial: 5n, lineage: 'a' }, 'serial-equal'],
    ['not a higher serial', { serial: 4n, lineage: 'a' }, { serial: 5n, lineage: 'a' }, 'serial-lower'],
    ['not another lineage', { serial: 6n, lineage: 'b' }, { serial: 5n, lineage: 'a' }, 'lineage'],
    ['one without a lineage', { serial: 6n, lineage: 'b' }, { serial: 5n, lineage: '' }, null],
    ['any lineage, having none', { serial: 6n, lineage: '' }, { serial: 5n, lineage: 'a' }, null],
    [
      'no newer one, having no lineage',
      { serial: 4n, lineage: '' },
      { serial: 5n, lineage: 'a' },
      'serial-lower',
    ],
    [
      'no equal one without a lineage',
      { serial: 5n, lineage: 'a' },
      { serial: 5n, lineage: '' },
      'serial-equal',
    ],
    [
      'by serials beyond 2^53',
      { serial: 2n ** 53n + 1n, lineage: 'a' },
      { serial: 2n ** 53n, lineage: 'a' },
      null,
    ],
  ] as const)('%s', (_, next, existing, reason) => {
    expect(whyNotSupersede(next, existing)).toBe(reason);
  });
});
