import { expect, test } from 'vitest'
import { gear, grouped, number, signed, span } from './format'

test('unknown is a dash, never zero', () => {
  expect([number(null), signed(undefined), grouped(null), number(Number.NaN)]).toEqual([
    '—',
    '—',
    '—',
    '—',
  ])
})

test('numbers have a true minus and no negative zero', () => {
  expect(number(-18.24, 1)).toBe('−18.2')
  expect(number(-0.04, 1)).toBe('0.0')
  expect(signed(11, 1)).toBe('+11.0')
  expect(signed(0.01, 1)).toBe('0.0')
})

test('digits go in groups of three', () => {
  expect(grouped(1234567)).toBe('1\u202f234\u202f567')
})

test('spans are told in the largest units that say enough', () => {
  expect(span(42)).toEqual(['unit.s', { n: 42 }])
  expect(span(59.6 * 60)).toEqual(['unit.h', { n: 1 }])
  expect(span(2 * 3600 + 25 * 60)).toEqual(['unit.hmin', { h: 2, min: 25 }])
  expect(span(3 * 86400)).toEqual(['unit.d', { n: 3 }])
})

test('gears are letters', () => {
  expect([126, 0, -1, 1, 127, 'D', null].map(gear)).toEqual(['P', 'N', 'R', 'D', 'D', 'D', null])
})
