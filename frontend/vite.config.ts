import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

// `make web` builds into the Python package; `npx vite` serves the sources and passes API calls on.
const instance = 'http://localhost:8080'
const LICENSES = 'licenses.md'
const FONT = '@fontsource-variable/inter'

export default defineConfig({
  base: '/',
  plugins: [
    svelte(),
    {
      // Vite lists the licences of scripts; the typeface's joins them.
      name: 'font-license',
      apply: 'build',
      writeBundle({ dir }) {
        const text = readFileSync(join('node_modules', FONT, 'LICENSE'), 'utf8')
        appendFileSync(join(dir!, LICENSES), `\n## ${FONT} (OFL-1.1)\n\n${text}`)
      },
    },
  ],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: LICENSES },
  },
  server: { proxy: { '/api': { target: instance, ws: true } } },
  test: { include: ['src/**/*.test.ts'] },
})
