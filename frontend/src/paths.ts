// The VSS paths that the page shows and sets, by the name it uses for them.

const battery = 'Vehicle.Powertrain.TractionBattery'
const door = (row: 1 | 2, side: 'DriverSide' | 'PassengerSide') =>
  `Vehicle.Cabin.Door.Row${row}.${side}`

export const PATHS = {
  speed: 'Vehicle.Speed',
  isMoving: 'Vehicle.IsMoving',
  odometer: 'Vehicle.TraveledDistance',
  gear: 'Vehicle.Powertrain.Transmission.CurrentGear',
  gearSelected: 'Vehicle.Powertrain.Transmission.SelectedGear',
  motorPower: 'Vehicle.Powertrain.ElectricMotor.Power',
  power: `${battery}.CurrentPower`,
  soc: `${battery}.StateOfCharge.Displayed`,
  socExact: `${battery}.StateOfCharge.Current`,
  range: `${battery}.Range`,
  batteryTemperature: `${battery}.Temperature.Average`,
  isCharging: `${battery}.Charging.IsCharging`,
  plug: `${battery}.Charging.ChargingPort.AnyPosition.IsChargingCableConnected`,
  plugOld: `${battery}.Charging.IsChargingCableConnected`,
  chargeLimit: `${battery}.Charging.ChargeLimit`,
  startStop: `${battery}.Charging.StartStopCharging`,
  timeToComplete: `${battery}.Charging.TimeToComplete`,
  outside: 'Vehicle.Exterior.AirTemperature',
  cabin: 'Vehicle.Cabin.HVAC.AmbientAirTemperature',
  climate: 'Vehicle.Cabin.HVAC.IsAirConditioningActive',
  cabinTarget: 'Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature',
  beam: 'Vehicle.Body.Lights.Beam.Low.IsOn',
  running: 'Vehicle.Body.Lights.Running.IsOn',
  brake: 'Vehicle.Body.Lights.Brake.IsActive',
} as const

export const TRUNK = 'Vehicle.Body.Trunk.Rear'
/** The doors by the name that the drawing gives them. */
export const DOORS = {
  'Row1-DriverSide': door(1, 'DriverSide'),
  'Row1-PassengerSide': door(1, 'PassengerSide'),
  'Row2-DriverSide': door(2, 'DriverSide'),
  'Row2-PassengerSide': door(2, 'PassengerSide'),
} as const

export type DoorName = keyof typeof DOORS
export const LOCKS = [...Object.values(DOORS), TRUNK].map((part) => `${part}.IsLocked`)
export const LIMIT_PCT = { min: 50, max: 100, step: 5 }
export const CABIN_DEGC = { min: 16, max: 28, step: 0.5 }
