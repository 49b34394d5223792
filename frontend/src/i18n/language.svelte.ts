// The language of the page: the browser's, unless switched; switching is remembered.
//
//   t('battery.limit', { value: '80 %' })

import { remembered, remember } from '../memory'
import { en, type Key } from './en'
import { zh } from './zh'

export const LANGUAGES = { en, 'zh-CN': zh } as const
export type Language = keyof typeof LANGUAGES

/** The first language asked for that we speak. */
export function preferred(asked: readonly string[]): Language {
  for (const tag of asked) {
    if (/^zh\b/i.test(tag)) return 'zh-CN'
    if (/^en\b/i.test(tag)) return 'en'
  }
  return 'en'
}

export function fill(text: string, values: Record<string, string | number> = {}): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole))
}

class Chosen {
  language = $state<Language>('en')

  begin(): void {
    const kept = remembered('language')
    this.set(kept === 'en' || kept === 'zh-CN' ? kept : preferred(navigator.languages ?? []))
  }

  set(language: Language): void {
    this.language = language
    document.documentElement.lang = language
  }

  toggle(): void {
    this.set(this.language === 'en' ? 'zh-CN' : 'en')
    remember('language', this.language)
  }
}

export const chosen = new Chosen()

export function t(key: Key, values?: Record<string, string | number>): string {
  return fill(LANGUAGES[chosen.language][key], values)
}
