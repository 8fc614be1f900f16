import { type Attempt, attempt } from './attempt.ts'

let updated = false

/** Installs packages of Debian without starting what they serve. It needs root. */
export function aptInstall(packages: readonly string[]): Attempt {
  if (process.getuid?.() !== 0) {
    return { problem: `not root; install it with: sudo apt-get install ${packages.join(' ')}` }
  }
  // RUNLEVEL keeps the packages' scripts from starting services.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const patient = ['-q', '-o', 'DPkg::Lock::Timeout=120']
  if (!updated) {
    const update = attempt('apt-get', [...patient, 'update'], env)
    if ('problem' in update) return update
    updated = true
  }
  console.error(`images: installing ${packages.join(', ')} …`)
  return attempt('apt-get', [...patient, 'install', '-y', '--no-install-recommends', ...packages], env)
}
