import { svelte } from '@sveltejs/vite-plugin-svelte';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { defineConfig } from 'vitest/config';
import { engine } from './build/engine.ts';
import { clean } from './build/clean.ts';
import { budget } from './build/budget.ts';
import { integrity } from './build/integrity.ts';
import { manifest } from './build/manifest.ts';
import { words } from './build/words.ts';
import { policy } from './build/policy.ts';

// To try the screen beside a server: MIRSAL=http://127.0.0.1:5280 npm run dev
const server = process.env.MIRSAL ?? 'http://127.0.0.1:5280';
const proxy = Object.fromEntries(
	['/ws', '/upload', '/invite', '/passkey', '/site.json', '/transparency.json', '/manifest.json'].map((path) => [path, { target: server, ws: path === '/ws', changeOrigin: false }]),
);

export default defineConfig({
	plugins: [
		paraglideVitePlugin({
			project: './project.inlang',
			outdir: './src/i18n/paraglide',
			strategy: ['baseLocale'], // src/i18n/index.ts says which
			outputStructure: 'message-modules',
			emitGitIgnore: false,
			emitPrettierIgnore: false,
			emitReadme: false,
			emitTsDeclarations: true,
		}),
		svelte(),
		words(),
		clean(),
		policy(),
		engine(),
		budget(),
		integrity(),
		manifest(),
	],
	resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
	server: { proxy, fs: { allow: ['..'] } },
	preview: { proxy },
	build: {
		target: 'es2022',
		emptyOutDir: false, // clean() does
		assetsInlineLimit: 0, // the policy has no data:
		modulePreload: { polyfill: false },
		rollupOptions: {
			input: { index: 'index.html', sw: 'sw.ts' },
			output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
		},
	},
	// a busy machine takes its time: what hangs is ended, what is slow is not
	test: { environment: 'happy-dom', include: ['src/**/*.test.ts'], teardownTimeout: 500, testTimeout: 120_000, hookTimeout: 120_000 },
});
