/** What can be wrong with a body, found while it is read. */
export type PayloadFlaw =
  /** The chunks, their lengths or their trailer are not what they say. */
  | 'malformed-chunks'
  /** The body ends before, or goes on after, the length that was announced. */
  | 'incomplete'
  /** A chunk's or the trailer's own signature is wrong. */
  | 'chunk-signature'
  /** The body does not have the SHA-256 that the request was signed with. */
  | 'sha256-mismatch'
  /** The body does not have a checksum that was sent along. */
  | 'bad-digest'
  /** A part of an upload does not have the checksum that the client says it has. */
  | 'bad-part'
  /** A checksum is announced that is not one, or never comes. */
  | 'invalid-digest'
  /** The same of the oldest of them, for which S3 has a code of its own. */
  | 'invalid-md5'
  | 'too-large';

/**
 * Thrown while a body is read, because whoever reads it (the house) knows nothing of chunks: it passes through, nothing
 * is stored, and the door turns it into its protocol's answer.
 */
export class PayloadProblem extends Error {
  readonly flaw: PayloadFlaw;

  constructor(flaw: PayloadFlaw, message: string) {
    super(message);
    this.name = 'PayloadProblem';
    this.flaw = flaw;
  }
}
