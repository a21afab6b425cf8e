// Every page test runs twice, with the WASM front end and without any JavaScript: what a page does must not need it.
// Only a file named *.hydrate.spec.ts may.
import { defineConfig } from '@playwright/test'

const chromium = {
  browserName: 'chromium' as const,
  launchOptions: {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // No sandbox, since tests may run as root; nothing of the browser's own that would use the network or the disk.
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
  },
}

export default defineConfig({
  globalSetup: './server.ts',
  outputDir: 'test-results',
  reporter: 'list',
  forbidOnly: true,
  retries: 0,
  workers: 2,
  use: {
    baseURL: process.env.PORTICO_URL, // set by server.ts
    // A custom domain's certificate is the tests' own.
    ignoreHTTPSErrors: true,
    screenshot: 'only-on-failure',
    // Pictures of every instant are what a trace costs most.
    trace: { mode: 'retain-on-failure', screenshots: false },
  },
  projects: [
    { name: 'wasm', testDir: 'tests', use: chromium },
    { name: 'no-javascript', testDir: 'tests', testIgnore: '**/*.hydrate.spec.ts', use: { ...chromium, javaScriptEnabled: false } },
    // The merchant's side: official SDKs, no browser.
    { name: 'sdk', testDir: 'journeys' },
  ],
})
