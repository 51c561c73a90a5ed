import type { Import } from './source-tree.ts';

/** Lowest first: a layer may import itself and the layers before it. */
const LAYERS = [
  'core',
  'api',
  'ports',
  'keyring',
  'engines',
  'house',
  'runs',
  'protocols',
  'workdir',
  'client',
  'server',
  'cli',
  'contract',
];

/** Layers that do not know each other although one stands above the other. */
const STRANGERS = [
  ['engines', 'keyring'],
  ['house', 'engines'],
  ['contract', 'cli'],
  ['house', 'api'],
  ['runs', 'engines'],
  ['runs', 'api'],
  ['client', 'runs'],
  ['client', 'house'],
  ['client', 'engines'],
  ['server', 'client'],
];

/** The house sequences core and ports: it knows no HTTP and no SQL. */
const FAR_FROM_THE_HOUSE = /^(?:node:(?:https?|http2|net|tls|sqlite)|pg|@photostructure\/sqlite)$/;

/** Packages that are pure computation, as the core is: text in, value out. */
const PURE_PACKAGES = new Set(['lossless-json']);

/** Why a module may not import another, or null. Both are paths from the root, or the name of a builtin or package. */
export function importProblem(from: string, { target, typeOnly, lazy }: Import): string | null {
  const [, layer = '', protocol = ''] = from.split('/');
  if (!target.startsWith('src/')) return foreignProblem(from, layer, target, typeOnly || lazy);
  const [, other = '', otherProtocol = ''] = target.split('/');
  if (!LAYERS.includes(other)) return `"${other}" is no layer`;
  if (LAYERS.indexOf(other) > LAYERS.indexOf(layer)) return `${layer} stands below ${other}`;
  if (STRANGERS.some(([a, b]) => a === layer && b === other)) return `${layer} does not know ${other}`;
  if (LAYERS.indexOf(layer) > LAYERS.indexOf('house')) {
    if (target === 'src/core/access.ts') return 'who may do what is asked in the house alone';
    if (target === 'src/house/caller.ts' && !typeOnly) return 'the house itself refuses a caller';
  }
  if (layer === 'engines' && other === 'engines' && isFolder(target) && protocol !== otherProtocol) {
    return 'an engine does not know another';
  }
  return layer === 'protocols' ? protocolProblem(from, target) : null;
}

function foreignProblem(from: string, layer: string, target: string, deferred: boolean): string | null {
  if (layer === 'core') return PURE_PACKAGES.has(target) ? null : 'the core imports nothing but itself';
  if (layer === 'api') return 'the API contract imports no builtin and no package: a browser uses it';
  if (layer === 'ports') return 'a port is an interface and needs no builtin and no package';
  if (layer === 'house' && FAR_FROM_THE_HOUSE.test(target)) return 'the house knows no HTTP and no SQL';
  if (isClient(from) && !target.startsWith('node:') && !deferred) {
    return 'a client loads a package only when it is used';
  }
  return null;
}

/** A door knows the core, the ports, the house and its own layout; a client not even the house. */
function protocolProblem(from: string, target: string): string | null {
  const [, layer = '', protocol = ''] = target.split('/');
  const own = from.split('/')[2] ?? '';
  const door = isDoor(from);
  if (layer === 'engines') return 'a protocol does not know the engines';
  if (layer === 'keyring' && door) return 'a door does not know the keyring';
  if (layer === 'house' && isClient(from)) return 'a client does not know the house';
  if (layer !== 'protocols') return null;
  if (isDoor(target) && !(door && protocol === own)) return 'only a door knows the files of its door';
  if (isClient(target) && door) return 'a door does not know a client';
  // A file that stands beside the protocols, such as the list of all clients, belongs to none of them.
  if (isClient(target) && protocol !== own && !own.endsWith('.ts'))
    return "a client does not know another protocol's client";
  return null;
}

export function isDoor(path: string): boolean {
  return /^src\/protocols\/[^/]+\/door\//.test(path);
}

export function isClient(path: string): boolean {
  return /^src\/protocols\/[^/]+\/client\//.test(path);
}

function isFolder(path: string): boolean {
  return path.split('/').length > 3;
}
