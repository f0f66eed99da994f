import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const dist = join(import.meta.dirname, '../dist');

// clean empties the folder but for .gitignore, which stands in the repository so that the
// folder does (embed.go).
export function clean(): Plugin {
	return {
		name: 'mirsal-clean',
		apply: 'build',
		buildStart() {
			mkdirSync(dist, { recursive: true });
			for (const name of readdirSync(dist)) if (name !== '.gitignore') rmSync(join(dist, name), { recursive: true });
		},
	};
}
