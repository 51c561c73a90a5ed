import { formatBlock, hclText, type DescribedDoor, type Snippet, type SnippetTarget } from '../backend.ts';
import { ACCOUNT_NAME, BLOB_LABEL, SHARED_ACCOUNT, stateBlob } from './layout.ts';
import { serviceSasText, signatureOf } from './sas-text.ts';

export const AZURERM: DescribedDoor = {
  name: 'azurerm',
  snippet: azurermSnippet,
  signs: true,
  examine: async (target) => (await import('./reach.ts')).examineReach(target),
};

/** The version of shared access signatures that is made. */
const SAS_VERSION = '2021-12-02';
/** Read, add, create, write, delete and list. */
const SAS_PERMISSIONS = 'racwdl';
/** What Azure takes as a container's name, and OpenTofu checks; the server takes others, too. */
const CONTAINER_NAME = /^(?!.*--)[0-9a-z][0-9a-z-]{1,61}[0-9a-z]$/;

function azurermSnippet(target: SnippetTarget): Snippet {
  const { url, address, credential, caPath, sasUntil } = target;
  const { host, hostname, protocol } = new URL(url);
  const { project, key, workspace } = address;
  const account = sasUntil === undefined ? credential.id.toLowerCase() : SHARED_ACCOUNT;
  const secret =
    sasUntil === undefined
      ? { name: 'ARM_ACCESS_KEY', value: credential.secret }
      : { name: 'ARM_SAS_TOKEN', value: sasOf(target, sasUntil) };
  const isNameless = stateBlob({ ...address, workspace: 'default' }) === null;
  const isAccount = ACCOUNT_NAME.test(account) || credential.id === 'ID';
  return {
    block: formatBlock('azurerm', [
      ['metadata_host', hclText(host)],
      ['storage_account_name', hclText(account)],
      ['container_name', hclText(project)],
      ['key', hclText(key)],
    ]),
    files: [],
    environment: [secret, ...(caPath === null ? [] : [{ name: 'SSL_CERT_FILE', value: caPath }])],
    notes: [
      ...(protocol === 'https:' ? [] : ['azurerm speaks https only: start the server with a certificate.']),
      `Name: ${account}.${BLOB_LABEL}.${hostname} must lead to the server, by a record *.${BLOB_LABEL}.${hostname} or a line of /etc/hosts.`,
      `Certificate: it must be for ${hostname} and for *.${BLOB_LABEL}.${hostname}; --tls-self-signed with --domain ${hostname} makes such a one.`,
      ...(caPath === null
        ? [
            'Trust: where you signed the certificate yourself, set SSL_CERT_FILE to it, or give it here by --ca.',
          ]
        : []),
      ...(isAccount
        ? []
        : [
            `The id of this credential cannot be the name of an account, which has 3 to 24 letters and digits: use --sas, or another credential.`,
          ]),
      ...(CONTAINER_NAME.test(project)
        ? []
        : [
            'tofu takes no container of this name: it wants 3 to 63 lower-case letters, digits and single hyphens.',
          ]),
      ...(isNameless ? ['This key ends as a workspace of another does: use another door for it.'] : []),
      ...(workspace === 'default' ? [] : [`Select the workspace: terraform workspace select ${workspace}`]),
    ],
  };
}

/** A signature for the container of a project, which names the credential as its policy: so it is good at any account. */
function sasOf({ address: { project }, credential }: SnippetTarget, until: Date): string {
  const fields: Readonly<Record<string, string>> = {
    sv: SAS_VERSION,
    sr: 'c',
    sp: SAS_PERMISSIONS,
    spr: 'https',
    se: until.toISOString().replace(/\.\d+Z$/, 'Z'),
    si: credential.id,
  };
  const text = serviceSasText(`/blob/${SHARED_ACCOUNT}/${project}`, (name) => fields[name] ?? '');
  const signature = signatureOf(credential.secret, text).toString('base64');
  return new URLSearchParams({ ...fields, sig: signature }).toString();
}
