// The few choices that this browser keeps; where it keeps none, they last as long as the page.

const PREFIX = 'contactor.'

export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name)
  } catch {
    return null
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value)
  } catch {
    // Storage may be forbidden or full: the choice is not worth an error.
  }
}
