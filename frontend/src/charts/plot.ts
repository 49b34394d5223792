// How our charts look: one place for axes, bands, colours and the local clock.

import uPlot from 'uplot'
import type { Line } from './columns'

export interface Track {
  key: string
  label: string
  unit: string
  decimals: number
  /** The custom property that holds its colour. */
  colour: string
  scale: 'left' | 'right'
  isSigned?: boolean
  /** Two tracks share the height: this one's values stay in its half. */
  half?: 'upper' | 'lower'
  /** A faint line over the holes, for what stays as it is while nobody records it. */
  bridges?: boolean
}

export interface Frame {
  start: number
  end: number
  language: string
  tracks: Track[]
  /** Times to shade, [from, to] in s. */
  shaded: readonly (readonly [number, number])[]
  range?: uPlot.Range.MinMax
}

const FONT = '12px Inter, system-ui, sans-serif'
const DAY_S = 86_400

const css = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const faded = (colour: string, pct: number) =>
  `color-mix(in srgb, ${colour} ${pct}%, transparent)`

/** Columns of several lines on one axis of time, as uPlot wants them. */
export function aligned(lines: { line: Line; bridges: boolean }[]): uPlot.AlignedData {
  const tables = lines.map(({ line, bridges }): uPlot.AlignedData => {
    const bridge = line.y.some((y) => y !== null) ? line.y.map((y) => y ?? undefined) : line.y
    return [line.x, line.high, line.low, ...(bridges ? [bridge] : []), line.y] as uPlot.AlignedData
  })
  return uPlot.join(tables)
}

export function options(frame: () => Frame, width: number, height: number): uPlot.Options {
  const { tracks, start, end, language } = frame()
  const isLong = end - start > 2 * DAY_S
  const muted = css('--muted')
  const grid = { stroke: css('--line'), width: 1 }
  const time = new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const day = new Intl.DateTimeFormat(language, {
    weekday: 'short',
    day: width < 480 ? undefined : 'numeric',
  })

  const series: uPlot.Series[] = [{}]
  const bands: uPlot.Band[] = []
  for (const track of tracks) {
    const colour = css(track.colour)
    const edge = { scale: track.scale, stroke: 'transparent', width: 0, points: { show: false } }
    bands.push({ series: [series.length, series.length + 1], fill: faded(colour, 20) })
    series.push(edge, edge)
    if (track.bridges) {
      const stroke = faded(colour, 55)
      series.push({ ...edge, stroke, width: 1.5, dash: [2, 4], spanGaps: true })
    }
    series.push({ scale: track.scale, stroke: colour, width: 2, points: { show: false } })
  }

  const axis = (scale: 'left' | 'right'): uPlot.Axis | null => {
    const track = tracks.find((one) => one.scale === scale)
    if (!track) return null
    return {
      scale,
      side: scale === 'left' ? 3 : 1,
      stroke: tracks.length > 1 ? css(track.colour) : muted,
      font: FONT,
      size: 44,
      space: 26,
      grid: { ...grid, filter: (plot, marks) => ownMarks(plot, track, marks) },
      filter: (plot, marks) => ownMarks(plot, track, marks),
      ticks: { show: false },
      values: (_, marks) =>
        marks.map((mark) => (mark === null ? '' : String(mark).replace('-', '−'))),
    }
  }

  return {
    width,
    height,
    padding: [8, tracks.some((track) => track.scale === 'right') ? 0 : 14, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 8 }, drag: { x: false, y: false } },
    scales: {
      x: { range: () => [frame().start, frame().end] },
      left: { range: (_, low, high) => frame().range ?? halved(tracks[0]!, low, high) },
      right: { range: (_, low, high) => halved(tracks[1] ?? tracks[0]!, low, high) },
    },
    axes: [
      {
        stroke: muted,
        font: FONT,
        grid: { ...grid, show: isLong },
        ticks: { show: false },
        size: 30,
        space: isLong ? 60 : 70,
        splits: isLong ? () => midnights(frame().start, frame().end) : undefined,
        values: (_: uPlot, marks: number[]) =>
          marks.map((mark) => (isLong ? day : time).format(new Date(mark * 1000))),
      },
      axis('left'),
      axis('right'),
    ].filter((one) => one !== null),
    series,
    bands,
    hooks: { drawClear: [(plot) => shade(plot, frame().shaded)] },
  }
}

/** The scale that keeps a track in its half of the height, zero included. */
export function halved(track: Track, low: number | null, high: number | null): [number, number] {
  const [from, to] = [Math.min(0, low ?? 0), Math.max(0, high ?? 0)]
  const span = Math.max(to - from, 20) * 1.08
  if (track.half === 'upper') return [from - span * 1.1, from + span]
  if (track.half === 'lower') return [to - span, to + span * 1.1]
  return [from, from + span]
}

/** The marks of an axis in the half that its track has; null for the others. */
function ownMarks(plot: uPlot, { half, scale }: Track, marks: number[]): (number | null)[] {
  const { min = 0, max = 0 } = plot.scales[scale] ?? {}
  const middle = ((min ?? 0) + (max ?? 0)) / 2
  const isOwn = (mark: number) =>
    half === 'upper' ? mark >= 0 : half === 'lower' ? mark < middle : true
  return marks.map((mark) => (isOwn(mark) ? mark : null))
}

/** The beginnings of the days from `start` to `end` on the local clock. */
export function midnights(start: number, end: number): number[] {
  const found: number[] = []
  const at = new Date(start * 1000)
  at.setHours(0, 0, 0, 0)
  while (at.getTime() / 1000 <= end) {
    if (at.getTime() / 1000 >= start) found.push(at.getTime() / 1000)
    at.setDate(at.getDate() + 1)
  }
  return found
}

function shade(plot: uPlot, spells: readonly (readonly [number, number])[]): void {
  const { ctx, bbox } = plot
  const colour = css('--charge')
  for (const [from, to] of spells) {
    const left = Math.max(bbox.left, plot.valToPos(from, 'x', true))
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, 'x', true))
    if (right <= left) continue
    const width = Math.max(2, right - left)
    ctx.fillStyle = faded(colour, 14)
    ctx.fillRect(left, bbox.top, width, bbox.height)
    ctx.fillStyle = colour
    ctx.fillRect(left, bbox.top + bbox.height - 4 * devicePixelRatio, width, 4 * devicePixelRatio)
  }
}
