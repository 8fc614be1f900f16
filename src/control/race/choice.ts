import type { RaceJson } from '../api/race.ts'
import { toControlError } from '../errors.ts'

/**
 * The race that a query asks for: by its challenger's name (`challenger`) or its number (`race`), else the only one.
 *
 * @throws RACE_NONE, RACE_UNKNOWN, RACES_SEVERAL
 */
export function chooseRace(races: readonly RaceJson[], query: URLSearchParams): RaceJson {
  if (races.length === 0) {
    throw toControlError(
      'RACE_NONE',
      'Cannot show a race: no challenger has run beside the champion yet',
      'Deploy a version as challenger first: regatta deploy VERSION --challenger b --shadow',
    )
  }
  const [challenger, race] = [query.get('challenger'), query.get('race')]
  const isMeant = (one: RaceJson): boolean =>
    (challenger === null || one.variants[1]?.name === challenger) && (race === null || String(one.race) === race)
  const [found, another] = races.filter(isMeant)
  const names = races.map(({ variants }) => `"${variants[1]?.name}"`).join(', ')
  if (found === undefined) {
    const asked = challenger === null ? `number "${race}"` : `challenger "${challenger}"`
    throw toControlError('RACE_UNKNOWN', `Cannot show the race of ${asked}: it does not run`, `Choose one of ${names}`)
  }
  if (another === undefined) return found
  throw toControlError(
    'RACES_SEVERAL',
    `Cannot show the race: ${races.length} run, and none is named`,
    `Name a challenger (?challenger=NAME), one of ${names}; GET /api/v1/races shows all`,
  )
}
