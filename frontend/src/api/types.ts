// What the public API speaks: /api/v1 and its live stream. Unknown is null, never 0.

export type Value = number | string | boolean | null | Value[]
export type Connectivity = 'online' | 'asleep' | 'lost'
export type CommandState = 'queued' | 'sent' | 'accepted' | 'done' | 'refused' | 'expired'

/** The last value of one signal; `desired` is what somebody asked for, or null. */
export interface Reading {
  value: Value
  unit: string | null
  ts: string | null
  desired: Value
  stale: boolean
}

export interface Vehicle {
  vehicle_id: string
  name: string
  profile: string | null
  connectivity: Connectivity
  signals: Record<string, Reading>
}

export interface VehicleRow extends Omit<Vehicle, 'signals'> {
  last_seen: string | null
  signals: number
  rows: number
}

export interface Command {
  id: string
  vehicle_id: string
  path: string
  value: Value
  issued_by: string | null
  issued_at: string
  expires_at: string | null
  state: CommandState
  reason: string | null
}

/** Columns for a picture; `ts` in ms, `min` and `max` are null for what has no order. */
export interface Series {
  path: string
  unit: string | null
  tier: string
  ts: number[]
  value: Value[]
  min: Value[]
  max: Value[]
}

export interface Page<T> {
  items: T[]
  next: string | null
}

export type LiveMessage =
  | { type: 'snapshot'; vehicles: Vehicle[] }
  | { type: 'change'; vehicle_id: string; ts: string; values: Record<string, Value> }
  | { type: 'connectivity'; vehicle_id: string; connectivity: Connectivity }
  | { type: 'stale'; vehicle_id: string; paths: string[] }
  | { type: 'desired'; vehicle_id: string; values: Record<string, Value> }
  | ({ type: 'command' } & Command)
  | { type: 'tick'; now: string }
