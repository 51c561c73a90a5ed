import { describe, expect, it } from 'vitest';
import { formatDuration, readDuration, readDurationOrSeconds } from '../../src/core/duration.ts';

describe('a duration', () => {
  it('is read as terraform writes it, and in days', () => {
    expect(readDuration('1h30m')).toBe(5_400_000);
    expect(readDuration('1.5s')).toBe(1_500);
    expect(readDuration('250ms')).toBe(250);
    expect(readDuration('30d')).toBe(30 * 86_400_000);
    expect(readDuration('0')).toBe(0);
  });

  it('may count seconds without a unit where the protocol has it so', () => {
    expect(readDurationOrSeconds('90')).toBe(90_000);
    expect(readDurationOrSeconds('1h30m')).toBe(5_400_000);
    expect(readDurationOrSeconds('soon')).toHaveProperty('problem');
  });

  it.each(['', '5', 'm', '5 m', '-5s', '1.s', '5w'])('is not "%s"', (text) => {
    expect(readDuration(text)).toEqual({
      problem: `invalid duration "${text}": expected for example 90s, 15m, 2h`,
    });
  });

  it('is bounded', () => {
    expect(readDuration('36600d')).toBe(36_600 * 86_400_000);
    expect(readDuration('36601d')).toHaveProperty('problem');
    expect(readDurationOrSeconds('9'.repeat(400))).toHaveProperty('problem');
  });

  it('is printed in its two largest units', () => {
    expect(formatDuration(3_725_000)).toBe('1h 2m');
    expect(formatDuration(400)).toBe('0s');
    expect(formatDuration(86_400_000 * 3)).toBe('3d');
  });
});
