/*
 * Files that hold secrets by custom, told by their names: an image is copied to places that its maker does not choose.
 */

const SECRET_NAMES = [
  /^\.env(\.(?!example$|sample$|template$).*)?$/,
  /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?$/,
  /^[._]netrc$/,
  /^\.(git-credentials|pgpass|pypirc|npmrc|dockercfg|htpasswd|s3cfg|boto)$/,
  /^credentials(\.(json|ya?ml|ini|csv|db))?$/,
  /^(client_secret|service[-_]account).*\.json$/,
  /\.(p12|pfx|jks|keystore|kdbx|ppk)$/,
]
const SECRET_FOLDERS = /(^|\/)\.(ssh|gnupg|aws|azure|docker|kube)\//
/** A key or a certificate: which of them, its first lines tell. */
const KEY_FILES = /\.(pem|key)$/
const PRIVATE_KEY = /-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----/

/** How much of a file tells whether it holds a private key. */
export const KEY_HEAD_BYTES = 64 * 1024

/** Whether a file holds a secret by its path. `path` is relative, its parts joined by /. */
export function isSecretPath(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  return SECRET_FOLDERS.test(path) || SECRET_NAMES.some(pattern => pattern.test(name))
}

/** Whether a file may hold a private key, so that its first bytes must be looked at. */
export function mayHoldKey(path: string): boolean {
  return KEY_FILES.test(path.toLowerCase())
}

/** Whether the first bytes of a file are those of a private key in PEM (RFC 7468, section 10 and 11). */
export function isPrivateKey(head: Uint8Array): boolean {
  return PRIVATE_KEY.test(Buffer.from(head).toString('latin1'))
}
