import { randomBytes, randomUUID } from 'node:crypto';
import { destination, pino, type Logger } from 'pino';
import type { Clock } from '../ports/clock.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Log } from '../ports/log.ts';
import type { LogLevel } from './settings.ts';

/** The machine's clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
};

/** The machine's randomness. */
export const systemEntropy: Entropy = {
  bytes: (length) => randomBytes(length),
  uuid: () => randomUUID(),
};

/** One JSON object a line, on standard error. */
export function openLog(level: LogLevel): Log {
  const logger: Logger = pino(
    { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination({ dest: 2, sync: true }),
  );
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  };
}
