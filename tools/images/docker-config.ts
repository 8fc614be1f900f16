import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { USER } from './registries.ts'

/** Environment variables by which a client finds credentials; none of this machine's are seen. */
export type Login = Readonly<Record<'DOCKER_CONFIG' | 'XDG_RUNTIME_DIR' | 'HOME' | 'PATH', string>>

/** Credentials as `docker login` keeps them in its file. */
export function writeLogin(folder: string, host: string): Login {
  const auth = Buffer.from(`${USER.name}:${USER.password}`).toString('base64')
  return writeConfig(folder, { auths: { [host]: { auth } } })
}

/** An identity token, as `docker login` keeps it of registries that give one. */
export function writeIdentity(folder: string, host: string, identitytoken: string): Login {
  return writeConfig(folder, { auths: { [host]: { auth: '', identitytoken } } })
}

/** Credentials that a helper tells: a program of the name that Docker gives it, which keeps a log of its calls. */
export function writeHelper(folder: string, host: string): { readonly login: Login; readonly log: string } {
  const [programs, log] = [join(folder, 'bin'), join(folder, 'helper.log')]
  mkdirSync(programs, { recursive: true })
  const helper = join(programs, 'docker-credential-boathouse')
  const secret = JSON.stringify({ ServerURL: host, Username: USER.name, Secret: USER.password })
  writeFileSync(
    helper,
    `#!/bin/sh
read -r server
echo "$1 $server" >> '${log}'
[ "$1 $server" = 'get ${host}' ] && echo '${secret}' && exit 0
echo 'credentials not found in native keychain'
exit 1
`,
  )
  chmodSync(helper, 0o755)
  const login = writeConfig(folder, { credHelpers: { [host]: 'boathouse' } })
  return { login: { ...login, PATH: `${programs}${delimiter}${login.PATH}` }, log }
}

/** No credentials at all. */
export function writeNothing(folder: string): Login {
  return writeConfig(folder, {})
}

function writeConfig(folder: string, config: object): Login {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config), { mode: 0o600 })
  return { DOCKER_CONFIG: folder, XDG_RUNTIME_DIR: folder, HOME: folder, PATH: process.env['PATH'] ?? '' }
}
