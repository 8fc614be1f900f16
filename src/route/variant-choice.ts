import type { RouteVariant } from '../core/wire/routes.ts'
import { chooseByKey, chooseByWeight, toTotalWeight } from './rendezvous.ts'

/** Which variant shall answer, and how it came to be chosen. */
export interface VariantChoice<variant> {
  readonly variant: variant
  /** Probability that chance chose it, 0–1. */
  readonly propensity: number
  /** True where the request named the version. */
  readonly pinned: boolean
}

/** What the choice goes by. */
export interface ChoiceHints {
  readonly version: string | undefined
  readonly labelled: boolean
  readonly entity: string | undefined
  /** Draws a number within [0, 1). */
  readonly random: () => number
}

// Two variants may run the same version (a comparison of a model with itself): the champion's answer comes first.
const ROLES_BY_VERSION = ['champion', 'split', 'shadow'] as const

/** Chooses who answers a prediction; undefined where there is no such version, or no variant at all. */
export function chooseVariant<variant extends RouteVariant>(
  variants: readonly variant[],
  hints: ChoiceHints,
): VariantChoice<variant> | undefined {
  if (hints.version !== undefined) return toPinned(findVersion(variants, hints.version))
  if (hints.labelled) return toPinned(variants.find(variant => variant.role === 'champion'))
  const choices = variants.filter(variant => variant.role === 'champion' || variant.role === 'split')
  const variant =
    hints.entity === undefined ? chooseByWeight(choices, hints.random()) : chooseByKey(choices, hints.entity)
  if (variant === undefined) return undefined
  return { variant, propensity: variant.weight / toTotalWeight(choices), pinned: false }
}

/** The variant of a version that requests may name: any but a standby. */
export function findVersion<variant extends RouteVariant>(
  variants: readonly variant[],
  version: string,
): variant | undefined {
  const number = /^\d{1,15}$/.test(version) ? Number(version) : undefined
  return ROLES_BY_VERSION.map(role =>
    variants.find(variant => variant.role === role && variant.version === number),
  ).find(variant => variant !== undefined)
}

function toPinned<variant>(variant: variant | undefined): VariantChoice<variant> | undefined {
  return variant === undefined ? undefined : { variant, propensity: 1, pinned: true }
}
