// The rules of the page's memory: what each live message does to the cars and their commands.
// Nothing here knows of sockets or of the screen; the values drawn are what the car reported.

import type { Command, CommandState, LiveMessage, Reading, Vehicle } from './api/types'

export interface Fleet {
  vehicles: Record<string, Vehicle>
  /** By vehicle, newest first. */
  commands: Record<string, Command[]>
}

const KEPT_COMMANDS = 40
const ORDER: Record<CommandState, number> = {
  queued: 0,
  sent: 1,
  accepted: 2,
  done: 3,
  refused: 3,
  expired: 3,
}

export const isOver = (state: CommandState) => ORDER[state] === ORDER.done

export function apply(fleet: Fleet, message: LiveMessage): void {
  switch (message.type) {
    case 'snapshot':
      for (const vehicle of message.vehicles) fleet.vehicles[vehicle.vehicle_id] = vehicle
      return
    case 'command': {
      const { type: _, ...command } = message
      return learn(fleet, command)
    }
    case 'change':
    case 'connectivity':
    case 'stale':
    case 'desired': {
      const vehicle = vehicleOf(fleet, message.vehicle_id)
      if (message.type === 'connectivity') {
        vehicle.connectivity = message.connectivity
      } else if (message.type === 'stale') {
        for (const path of message.paths) reading(vehicle, path).stale = true
      } else if (message.type === 'desired') {
        for (const [path, value] of Object.entries(message.values))
          reading(vehicle, path).desired = value
      } else {
        for (const [path, value] of Object.entries(message.values)) {
          const known = reading(vehicle, path)
          known.value = value
          known.ts = message.ts
          known.stale = false
        }
      }
    }
  }
}

/** Take in a command; its state never turns back, whichever way the news came first. */
export function learn(fleet: Fleet, command: Command): void {
  fleet.commands[command.vehicle_id] ??= []
  const list = fleet.commands[command.vehicle_id]!
  const at = list.findIndex((known) => known.id === command.id)
  const known = list[at]
  if (known) {
    if (ORDER[command.state] >= ORDER[known.state] && !isOver(known.state)) list[at] = command
    return
  }
  list.push(command)
  list.sort((a, b) => b.issued_at.localeCompare(a.issued_at))
  list.length = Math.min(list.length, KEPT_COMMANDS)
}

/** A row of the list of commands: one command, or those that one tap gave to several locks. */
export interface Order {
  id: string
  commands: Command[]
  state: CommandState
  reason: string | null
}

const ONE_TAP_MS = 2500

export function orders(commands: Command[], locks: readonly string[]): Order[] {
  const rows: Command[][] = []
  for (const command of commands) {
    const row = rows.at(-1)
    if (row?.[0] && isOneTap(row, command, locks)) row.push(command)
    else rows.push([command])
  }
  return rows.map((row) => ({ id: row[0]!.id, commands: row, ...summary(row) }))
}

function isOneTap(row: Command[], next: Command, locks: readonly string[]): boolean {
  const first = row[0]!
  return (
    locks.includes(first.path) &&
    locks.includes(next.path) &&
    first.value === next.value &&
    !row.some((command) => command.path === next.path) &&
    Math.abs(Date.parse(first.issued_at) - Date.parse(next.issued_at)) < ONE_TAP_MS
  )
}

/** What is worst told of all: one refused door is a refused order; else the slowest one. */
function summary(row: Command[]): { state: CommandState; reason: string | null } {
  const refused = row.find((command) => command.state === 'refused')
  if (refused) return { state: 'refused', reason: refused.reason }
  const expired = row.find((command) => command.state === 'expired')
  if (expired) return { state: 'expired', reason: expired.reason }
  const slowest = row.reduce((a, b) => (ORDER[b.state] < ORDER[a.state] ? b : a))
  return { state: slowest.state, reason: slowest.reason }
}

function reading(vehicle: Vehicle, path: string): Reading {
  // Read back, never the value of the assignment: reactive state keeps a copy of what it is given.
  vehicle.signals[path] ??= { value: null, unit: null, ts: null, desired: null, stale: false }
  return vehicle.signals[path]!
}

function vehicleOf(fleet: Fleet, id: string): Vehicle {
  fleet.vehicles[id] ??= {
    vehicle_id: id,
    name: id,
    profile: null,
    connectivity: 'online',
    signals: {},
  }
  return fleet.vehicles[id]!
}
