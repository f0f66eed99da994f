import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Plugin } from 'vite';

// clean empties the folder that is built into, but for .gitignore, which stands in the
// repository so that the folder does (embed.go).
export function clean(): Plugin {
	let dist = '';
	return {
		name: 'mirsal-clean',
		apply: 'build',
		configResolved(c) {
			dist = resolve(c.root, c.build.outDir);
		},
		buildStart() {
			mkdirSync(dist, { recursive: true });
			for (const name of readdirSync(dist)) if (name !== '.gitignore') rmSync(resolve(dist, name), { recursive: true });
		},
	};
}
