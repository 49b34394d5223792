// How an order and its outcome are said: dictionary entries for a path and a value.

import type { Value } from './api/types'
import type { Order } from './fleet'
import { number } from './format'
import type { Key } from './i18n/en'
import { DOORS, PATHS, TRUNK } from './paths'

export const PARTS: Record<string, Key> = {
  [DOORS['Row1-DriverSide']]: 'car.front.driver',
  [DOORS['Row1-PassengerSide']]: 'car.front.passenger',
  [DOORS['Row2-DriverSide']]: 'car.rear.driver',
  [DOORS['Row2-PassengerSide']]: 'car.rear.passenger',
  [TRUNK]: 'car.trunk',
}

export type Said = readonly [Key, Record<string, string>, Key?]

/** A dictionary entry, its figures, and, where one is meant, the part of the car. */
export function orderWords(order: Order): Said {
  const { path, value } = order.commands[0]!
  const part = PARTS[path.replace(/\.IsLocked$/, '')]
  if (path.endsWith('.IsLocked') && part) {
    const isLock = value === true
    if (order.commands.length > 1) return [isLock ? 'order.lock' : 'order.unlock', {}]
    return [isLock ? 'order.lock.one' : 'order.unlock.one', {}, part]
  }
  switch (path) {
    case PATHS.chargeLimit:
      return ['order.limit', { value: `${number(value)} %` }]
    case PATHS.startStop:
      return [value === 'START' ? 'control.charge.start' : 'control.charge.stop', {}]
    case PATHS.climate:
      return [value === true ? 'order.climate.on' : 'order.climate.off', {}]
    case PATHS.cabinTarget:
      return ['order.cabin', { value: `${number(value, 1)} °C` }]
    default:
      return ['order.other', { path: path.replace(/^Vehicle\./, ''), value: plain(value) }]
  }
}

function plain(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
