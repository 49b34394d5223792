// Why a command was refused: the car's guard says a code and figures, `code: text`; the page says
// it in the reader's language with the figures kept, and any other reason as it came.
//
//   reason('not while moving: speed is 52.3 km/h')  →  ['reason.moving', { speed: '52.3 km/h' }]

import type { Key } from './i18n/en'

export type Sentence = readonly [Key, Record<string, string>]

const RULES: readonly [RegExp, (found: RegExpMatchArray) => Sentence][] = [
  [/^not while moving: speed is ([\d.]+ km\/h)/i, (m) => ['reason.moving', { speed: m[1]! }]],
  [/^not while moving/i, () => ['reason.moving.unknown', {}]],
  [
    /^out of range: (.+?); allowed: (.+)$/i,
    (m) => ['reason.range', { value: m[1]!, allowed: m[2]!.replace('..', '–') }],
  ],
  [/^out of range:? *(.*)$/i, (m) => ['reason.range.plain', { rest: m[1] || '—' }]],
  [
    /^rate limit: one in ([\d.]+ s); the last was ([\d.]+ s) ago/i,
    (m) => ['reason.rate', { limit: m[1]!, since: m[2]! }],
  ],
  [/^rate limit/i, () => ['reason.rate.plain', {}]],
  [/^(no limit entry|not an actuator)/i, () => ['reason.entry', {}]],
  [/^too many/i, () => ['reason.many', {}]],
  [/^superseded/i, () => ['reason.superseded', {}]],
  [/^not (sent|noted)/i, () => ['reason.unsent', {}]],
  [/^(offline|asleep|lost)\b/i, () => ['reason.offline', {}]],
  [/^expired/i, () => ['reason.expired', {}]],
  [/^unreachable/i, () => ['reason.unreachable', {}]],
]

/** The sentence for a reason, or null where it is not one that we know. */
export function reason(text: string): Sentence | null {
  for (const [pattern, sentence] of RULES) {
    const found = text.match(pattern)
    if (found) return sentence(found)
  }
  return null
}
