// Signs what a release is made of, and verifies it: SHA256SUMS names each file, and SHA256SUMS.sig is an Ed25519 signature of that,
// in base64, as `openssl pkeyutl -verify -rawin` takes it once it is decoded.
//
//   node scripts/sign.mjs sign KEY.pem FILE…          writes SHA256SUMS and SHA256SUMS.sig beside the first file
//   node scripts/sign.mjs verify PUBLIC.pem SHA256SUMS
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const NAMES = /^[\w.@+-]+$/;
const [what, keyPath, ...paths] = process.argv.slice(2);
try {
  if (keyPath === undefined || paths.length === 0) throw new Error('expected a key and at least one file');
  if (what === 'sign') signFiles(keyPath, paths);
  else if (what === 'verify') verifyFiles(keyPath, paths[0]);
  else throw new Error('expected "sign" or "verify"');
} catch (error) {
  console.error(`sign.mjs: ${error.message}`);
  process.exitCode = 1;
}

function signFiles(keyFile, files) {
  const key = ed25519(createPrivateKey(readFileSync(keyFile)));
  const folder = dirname(files[0]);
  const sums = files.toSorted().map((file) => {
    if (dirname(file) !== folder) throw new Error(`${file} is not in ${folder}: all files are in one folder`);
    if (!NAMES.test(basename(file)))
      throw new Error(`${file}: a name has letters, digits and . _ @ + - only`);
    return `${digestOf(file)}  ${basename(file)}\n`;
  });
  const text = Buffer.from(sums.join(''));
  writeFileSync(join(folder, 'SHA256SUMS'), text);
  writeFileSync(join(folder, 'SHA256SUMS.sig'), `${sign(null, text, key).toString('base64')}\n`);
}

function verifyFiles(keyFile, sumsFile) {
  const key = ed25519(createPublicKey(readFileSync(keyFile)));
  const text = readFileSync(sumsFile);
  const signature = Buffer.from(readFileSync(`${sumsFile}.sig`, 'utf8'), 'base64');
  if (!verify(null, text, key, signature)) throw new Error(`the signature of ${sumsFile} is not of this key`);
  for (const line of text.toString().trimEnd().split('\n')) {
    const [digest, name = ''] = line.split('  ');
    if (!NAMES.test(name)) throw new Error(`${sumsFile} names no file in "${line}"`);
    if (digestOf(join(dirname(sumsFile), name)) !== digest) throw new Error(`${name} is not what was signed`);
    console.log(`${name}: good`);
  }
}

function digestOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function ed25519(key) {
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new Error(`the key is of type ${key.asymmetricKeyType}: expected ed25519`);
}
