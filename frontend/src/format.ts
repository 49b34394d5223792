// Numbers as people read them. Unknown is an em dash, never 0; minus is a minus, not a hyphen.

import type { Value } from './api/types'

export const UNKNOWN = '—'

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** With a fixed number of decimals. */
export function number(value: Value | undefined, decimals = 0): string {
  if (!isNumber(value)) return UNKNOWN
  const text = value.toFixed(decimals)
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text.replace('-', '−')
}

/** With its sign always shown, but for zero. */
export function signed(value: Value | undefined, decimals = 1): string {
  const text = number(value, decimals)
  return isNumber(value) && Number(value.toFixed(decimals)) > 0 ? `+${text}` : text
}

/** Digits in groups of three, with a thin space. */
export function grouped(value: Value | undefined): string {
  return number(value).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

export type Span = readonly ['unit.s' | 'unit.min' | 'unit.h' | 'unit.d', { n: number }]
export type HoursSpan = readonly ['unit.hmin', { h: number; min: number }]

/** A time span in the largest units that say enough: a dictionary entry and its figures. */
export function span(seconds: number): Span | HoursSpan {
  if (seconds < 60) return ['unit.s', { n: Math.max(0, Math.round(seconds)) }]
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return ['unit.min', { n: minutes }]
  if (minutes >= 48 * 60) return ['unit.d', { n: Math.round(minutes / 1440) }]
  const [h, min] = [Math.floor(minutes / 60), minutes % 60]
  return min ? ['unit.hmin', { h, min }] : ['unit.h', { n: h }]
}

/** VSS counts gears: 0 neutral, −1 reverse, 126 park, 1 and up (or 127) drive; some say letters. */
export function gear(value: Value | undefined): 'P' | 'R' | 'N' | 'D' | null {
  if (typeof value === 'string') {
    const letter = value.trim().charAt(0).toUpperCase()
    return letter === 'P' || letter === 'R' || letter === 'N' || letter === 'D' ? letter : null
  }
  if (!isNumber(value)) return null
  if (value === 126) return 'P'
  if (value === 0) return 'N'
  return value < 0 ? 'R' : 'D'
}
