const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/;

/** Whether a fault's code, as Node's TLS gives it, says that the server's certificate is not trusted. */
export function isUntrustedCertificate(code: string): boolean {
  return UNTRUSTED.test(code);
}
