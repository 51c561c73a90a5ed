/**
 * A moment, in milliseconds since the Unix epoch, as the engine's one clock tells it.
 * Never compared with a client's clock: what clients call `Created` decides nothing.
 */
export type Instant = number;

/** A span of time in milliseconds. */
export type Milliseconds = number;
