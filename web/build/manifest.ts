import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Plugin } from 'vite';

// manifest writes manifest.json: the SHA-256 of each file of the release, by its path.
// `mirsal web-hash` prints its own hash; the service worker keeps to it.
export function manifest(): Plugin {
	return {
		name: 'mirsal-manifest',
		writeBundle: {
			order: 'post',
			sequential: true,
			handler({ dir }) {
				const files = list(dir!).filter((path) => !['manifest.json', '.gitignore'].includes(path)).sort();
				const hash = (path: string) => createHash('sha256').update(readFileSync(join(dir!, path))).digest('base64');
				const hashes = Object.fromEntries(files.map((path) => [path, `sha256-${hash(path)}`]));
				writeFileSync(join(dir!, 'manifest.json'), JSON.stringify({ files: hashes }, null, '\t') + '\n');
			},
		},
	};
}

const list = (dir: string) =>
	readdirSync(dir, { recursive: true, withFileTypes: true })
		.filter((f) => f.isFile())
		.map((f) => relative(dir, join(f.parentPath, f.name)));
