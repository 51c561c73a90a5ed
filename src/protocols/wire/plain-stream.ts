import type { StateBytes } from '../../house/states/body-reader.ts';

/** A state's bytes as they come, also where all of them are there at once. */
export async function* plainStream(bytes: Pick<StateBytes, 'plain'>): AsyncGenerator<Uint8Array> {
  const plain = bytes.plain();
  if (plain instanceof Uint8Array) yield plain;
  else yield* plain;
}
