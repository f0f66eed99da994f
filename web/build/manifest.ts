import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

// those that are written here, or are none of the release's
const own = new Set(['manifest.json', 'sw.js', '.gitignore']);

// manifest writes manifest.json: the SHA-256 of each file of the release, unpacked, by its path.
// `mirsal web-hash` prints its own hash. The service worker has them built in.
export function manifest(): Plugin {
	return {
		name: 'mirsal-manifest',
		writeBundle: {
			order: 'post',
			sequential: true,
			handler({ dir }) {
				const hash = (path: string) => `sha256-${createHash('sha256').update(unpacked(join(dir!, path))).digest('base64')}`;
				const paths = new Set(list(dir!).filter((path) => !own.has(path)).map((path) => path.replace(/\.(br|gz)$/, '')));
				const hashes = Object.fromEntries([...paths].sort().map((path) => [path, hash(path)]));
				const text = JSON.stringify(hashes);
				const release = createHash('sha256').update(text).digest('hex').slice(0, 16);
				const worker = readFileSync(join(dir!, 'sw.js'), 'utf8');
				const named = worker.replace('__FILES__', text).replace('__RELEASE__', release);
				if (worker.split('__').length !== 5) throw new Error('sw.js has no place for the hashes');
				writeFileSync(join(dir!, 'sw.js'), named);
				const all = { files: { ...hashes, 'sw.js': hash('sw.js') } };
				writeFileSync(join(dir!, 'manifest.json'), JSON.stringify(all, null, '\t') + '\n');
			},
		},
	};
}

// unpacked is a file as browsers have it; where only packed forms are, one is by gzip.
const unpacked = (path: string) => (existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`)));

const list = (dir: string) =>
	readdirSync(dir, { recursive: true, withFileTypes: true })
		.filter((f) => f.isFile())
		.map((f) => relative(dir, join(f.parentPath, f.name)));
